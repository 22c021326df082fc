"""Sentence vectors out of token vectors: the sums by hand, and nothing out of padding, ever."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import environment, pooling

# One sentence of two tokens and one of three; hidden size 2.
VECTORS = np.array([[[2, 4], [6, -8], [0, 0]], [[-1, -2], [-3, -4], [-5, -9]]], "float32")
MASK = np.array([[1, 1, 0], [1, 1, 1]])
BY_HAND = {
    "cls": [[2, 4], [-1, -2]],
    "mean": [[4, -2], [-3, -5]],
    "max": [[6, 4], [-1, -2]],
}
NAMES = list(BY_HAND)
LEAKS = [np.nan, np.inf, -np.inf, 9e9, -9e9]


@pytest.fixture(scope="module")
def tf():
    environment.prepare()
    import tensorflow

    return tensorflow


def with_padding(value):
    vectors = VECTORS.copy()
    vectors[0, 2] = value
    return vectors


@pytest.mark.parametrize("name", NAMES)
def test_arrays_give_the_vectors_worked_out_by_hand(name):
    pooled = pooling.POOLINGS[name](VECTORS, MASK)
    assert isinstance(pooled, np.ndarray)
    assert pooled.dtype == np.float32
    assert_array_equal(pooled, BY_HAND[name])


@pytest.mark.parametrize("name", NAMES)
def test_tensors_give_the_same_in_a_tensor(name, tf):
    pooled = pooling.POOLINGS[name](tf.constant(VECTORS), tf.constant(MASK))
    assert tf.is_tensor(pooled)
    assert pooled.dtype == tf.float32
    assert_array_equal(pooled, BY_HAND[name])


@pytest.mark.parametrize("name", NAMES)
def test_array_and_tensor_may_be_mixed(name, tf):
    assert_array_equal(pooling.POOLINGS[name](tf.constant(VECTORS), MASK), BY_HAND[name])
    assert_array_equal(pooling.POOLINGS[name](VECTORS, tf.constant(MASK)), BY_HAND[name])
    assert_array_equal(pooling.POOLINGS[name](VECTORS.tolist(), MASK.tolist()), BY_HAND[name])


@pytest.mark.parametrize("name", NAMES)
def test_a_mask_may_be_true_and_false(name, tf):
    for vectors in (VECTORS, tf.constant(VECTORS)):
        for mask in (MASK.astype(bool), tf.constant(MASK.astype(bool))):
            assert_array_equal(pooling.POOLINGS[name](vectors, mask), BY_HAND[name])


@pytest.mark.parametrize("jit_compile", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_graph_gives_the_same_for_shapes_it_does_not_know(name, jit_compile, tf):
    signature = [tf.TensorSpec((None, None, 2), tf.float32), tf.TensorSpec((None, None), tf.int32)]
    graph = tf.function(pooling.POOLINGS[name], input_signature=signature, jit_compile=jit_compile)
    assert_array_equal(graph(with_padding(np.nan), MASK.astype("int32")), BY_HAND[name])


@pytest.mark.parametrize("name", NAMES)
def test_keras_builds_a_model_of_it(name, tf):
    inputs = tf.keras.Input((None, 2)), tf.keras.Input((None,), dtype="int32")
    model = tf.keras.Model(inputs, pooling.POOLINGS[name](*inputs))
    assert_array_equal(model.predict((VECTORS, MASK), verbose=0), BY_HAND[name])


@pytest.mark.parametrize("value", LEAKS)
@pytest.mark.parametrize("name", NAMES)
def test_padding_never_leaks_in(name, value, tf):
    assert_array_equal(pooling.POOLINGS[name](with_padding(value), MASK), BY_HAND[name])
    assert_array_equal(pooling.POOLINGS[name](tf.constant(with_padding(value)), tf.constant(MASK)), BY_HAND[name])


@pytest.mark.parametrize("value", LEAKS)
@pytest.mark.parametrize("name", NAMES)
def test_padding_takes_no_part_in_training(name, value, tf):
    vectors = tf.constant(with_padding(value))
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        total = tf.reduce_sum(pooling.POOLINGS[name](vectors, MASK))
    gradient = tape.gradient(total, vectors).numpy()
    assert_array_equal(gradient[0, 2], [0, 0])
    assert_allclose(gradient.sum(), 4, atol=1e-6)  # each of the 2 x 2 results rests on real tokens with weights that sum to 1


@pytest.mark.parametrize("name", NAMES)
def test_padding_may_stand_on_the_left(name):
    assert_array_equal(pooling.POOLINGS[name](with_padding(np.nan)[:, [2, 0, 1]], MASK[:, [2, 0, 1]])[0], BY_HAND[name][0])


@pytest.mark.parametrize("name", NAMES)
def test_real_nan_is_not_hidden(name):
    vectors = VECTORS.copy()
    vectors[1, 0] = np.nan
    assert np.isnan(pooling.POOLINGS[name](vectors, MASK)[1]).all()


@pytest.mark.parametrize("name", NAMES)
def test_row_of_padding_alone_is_refused(name, tf):
    mask = np.array([[1, 1, 0], [0, 0, 0]])
    for vectors in (VECTORS, tf.constant(VECTORS)):
        with pytest.raises(ValueError, match="Row 1 of attention_mask is 0 throughout"):
            pooling.POOLINGS[name](vectors, mask)


@pytest.mark.parametrize("name", NAMES)
def test_graph_makes_no_plausible_vector_of_padding_alone(name, tf):
    pooled = tf.function(pooling.POOLINGS[name])(tf.constant(VECTORS), tf.constant([[1, 1, 0], [0, 0, 0]])).numpy()
    assert np.isfinite(pooled[0]).all()
    assert not np.isfinite(pooled[1]).any()


@pytest.mark.parametrize(("vectors", "mask"), [
    (VECTORS, MASK[:, :2]), (VECTORS, MASK[:1]), (VECTORS[0], MASK[0]), (VECTORS, MASK[0]), (VECTORS[0], MASK),
])
def test_shapes_that_do_not_belong_together_are_refused(vectors, mask, tf):
    for one, other in ((vectors, mask), (tf.constant(vectors), tf.constant(mask))):
        with pytest.raises(ValueError, match="do not belong together"):
            pooling.mean(one, other)


@pytest.mark.parametrize("name", ["median", "Mean", None, ["mean"]])
def test_unknown_name_is_refused_with_the_choice(name):
    with pytest.raises(ValueError, match="choose cls, mean, max"):
        pooling.named(name)


def test_errors_speak_korean(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    with pytest.raises(ValueError, match="0번 행이 모두 0입니다"):
        pooling.mean(VECTORS, MASK * 0)
    with pytest.raises(ValueError, match="모양이 맞지 않습니다"):
        pooling.mean(VECTORS, MASK[:1])
    with pytest.raises(ValueError, match="그런 풀링은 없습니다"):
        pooling.named("median")


SENTENCE_TRANSFORMERS = """
import sys
import numpy, torch
try:
    from sentence_transformers.sentence_transformer.modules import Pooling
except ImportError:  # before version 5.4
    from sentence_transformers.models import Pooling
given = numpy.load(sys.argv[1])
features = {"token_embeddings": torch.tensor(given["vectors"]), "attention_mask": torch.tensor(given["mask"])}
size = given["vectors"].shape[2]
numpy.savez(sys.argv[2], **{name: Pooling(size, pooling_mode=name)(dict(features))["sentence_embedding"] for name in sys.argv[3:]})
"""


@pytest.mark.skipif(not all(map(importlib.util.find_spec, ["torch", "sentence_transformers"])),
                    reason="needs PyTorch and sentence-transformers: the optional group `bench`")
def test_same_as_sentence_transformers(tmp_path):
    random = np.random.default_rng(3)
    vectors = random.normal(size=(40, 24, 48)).astype("float32")
    mask = (np.arange(24) < random.integers(1, 25, size=(40, 1))).astype("int64")
    np.savez(tmp_path / "given.npz", vectors=vectors, mask=mask)
    # A process of its own: PyTorch and TensorFlow in one can abort.
    subprocess.run([sys.executable, "-c", SENTENCE_TRANSFORMERS, tmp_path / "given.npz", tmp_path / "pooled.npz", *NAMES], check=True,
                   env={**os.environ, "USE_TORCH": "1", "USE_TF": "0"})
    theirs = np.load(tmp_path / "pooled.npz")
    for name in NAMES:
        assert_allclose(pooling.POOLINGS[name](vectors, mask), theirs[name], rtol=0, atol=1e-6, err_msg=name)
