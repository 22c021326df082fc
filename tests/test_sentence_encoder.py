"""The encoder: the same vector for a text wherever it stands, and a saved encoder that is the same encoder, here and elsewhere."""

import atexit
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import pooling, sentence_encoder
from helpers.sentence_encoder import SentenceEncoder
from tests import tiny

WORDS = [word for word in tiny.VOCABULARY if word.isalpha()]
POOLINGS = list(pooling.POOLINGS)


@cache
def encoder(name="mean", normalize=False):
    return SentenceEncoder(tiny.folder(), name, normalize)


def sentences(count, longest=40):
    """Different sentences of 1 to `longest` words, in no order."""
    random = np.random.default_rng(5)
    return [" ".join([WORDS[number % len(WORDS)], *random.choice(WORDS, random.integers(0, longest))]) + " !" * (number // len(WORDS))
            for number in range(count)]


@cache  # eager calls are slow, and every pooling asks for the same
def token_vectors_of(text):
    inputs = tiny.tokenizer()(text, return_tensors="tf", truncation=True, max_length=tiny.POSITIONS)
    return encoder().model(**inputs).last_hidden_state.numpy()


def as_the_document_does(text, name="mean"):
    """One text at a time, eagerly, without padding."""
    token_vectors = token_vectors_of(text)
    return pooling.POOLINGS[name](token_vectors, np.ones(token_vectors.shape[:2]))[0]


# Vectors


@pytest.mark.parametrize("name", POOLINGS)
def test_vectors_are_those_of_one_text_at_a_time(name):
    texts = sentences(40)
    vectors = encoder(name).encode(texts)
    assert vectors.shape == (40, tiny.HIDDEN)
    assert vectors.dtype == np.float32
    assert_allclose(vectors, [as_the_document_does(text, name) for text in texts], rtol=0, atol=1e-5)
    assert np.linalg.norm(vectors[:, None] - vectors, axis=2)[np.triu_indices(40, 1)].min() > 1e-3  # none is another's


def test_batch_of_one_gives_what_a_batch_of_64_gives():
    texts = sentences(130)
    together = encoder().encode(texts, batch_size=64)
    assert_allclose(encoder().encode(texts, batch_size=1), together, rtol=0, atol=1e-5)
    assert_allclose([encoder().encode(text) for text in texts[:10]], together[:10], rtol=0, atol=1e-5)


def test_order_of_the_texts_changes_nothing():
    texts = sentences(50)
    order = np.random.default_rng(1).permutation(50)
    assert_allclose(encoder().encode([texts[place] for place in order], batch_size=8), encoder().encode(texts)[order], rtol=0, atol=1e-5)


@pytest.mark.parametrize("padding", [0, 1, 30])
def test_padding_changes_nothing(padding):
    import tensorflow as tf

    inputs = tiny.tokenizer()(["soccer is fun", "the sky"], padding=True, return_tensors="np")
    ids, mask = (np.pad(inputs[field], ((0, 0), (0, padding))).astype("int32") for field in ("input_ids", "attention_mask"))
    vectors = encoder().vectors(tf.constant(ids), tf.constant(mask))
    assert_allclose(vectors, [as_the_document_does(text) for text in ("soccer is fun", "the sky")], rtol=0, atol=1e-5)


def test_same_text_twice_gives_the_same_vector_to_the_bit():
    texts = sentences(40)
    texts = [texts[3], *texts, *texts]
    vectors = encoder().encode(texts, batch_size=7)
    assert_array_equal(vectors[1:41], vectors[41:])
    assert_array_equal(vectors[0], vectors[4])
    assert_array_equal(encoder().encode(texts, batch_size=7), vectors)


def test_text_that_comes_often_is_encoded_once(capsys):
    encoder().encode(["soccer is fun", "a"] * 20, batch_size=1, progress=True)
    assert "2/2" in capsys.readouterr().err


def test_one_text_gives_one_vector():
    vector = encoder().encode("soccer is fun")
    assert vector.shape == (tiny.HIDDEN,)
    assert_array_equal(vector, encoder().encode(["soccer is fun"])[0])


def test_nothing_in_nothing_out():
    vectors = encoder().encode([])
    assert vectors.shape == (0, tiny.HIDDEN)
    assert vectors.dtype == np.float32
    assert encoder().similarity(vectors, encoder().encode(["a"])).shape == (0, 1)


@pytest.mark.parametrize("wrapped", [tuple, np.array, iter])
def test_texts_may_come_in_any_sequence(wrapped):
    texts = sentences(3)
    assert_array_equal(encoder().encode(wrapped(texts)), encoder().encode(texts))


@pytest.mark.parametrize("name", POOLINGS)
def test_normalized_vectors_point_the_same_way_and_have_length_1(name):
    texts = sentences(20)
    vectors, plain = encoder(name, normalize=True).encode(texts), encoder(name).encode(texts)
    assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert_allclose(vectors * np.linalg.norm(plain, axis=1, keepdims=True), plain, rtol=0, atol=1e-5)


def test_xla_gives_the_same_vectors_with_few_shapes():
    compiled = SentenceEncoder(tiny.folder(), jit_compile=True)
    shapes = set()
    padded = compiled._padded
    compiled._padded = lambda *arguments: (inputs := padded(*arguments), shapes.add(inputs[0].shape))[0]
    for count in (1, 6, 30):
        texts = sentences(count, longest=12)
        assert_allclose(compiled.encode(texts, batch_size=12), encoder().encode(texts), rtol=0, atol=1e-5)
    assert {rows for rows, _ in shapes} <= {1, 2, 4, 8, 12}
    assert {tokens for _, tokens in shapes} <= {8, 16, 24}


def test_batches_hold_little_padding_and_nothing_beyond_the_limit():
    few_long = ["a fun game " * 30, *(f"{word} {other}" for word in WORDS[:8] for other in WORDS[:4])][:32]
    shapes, own = [], encoder()._padded
    encoder()._padded = lambda *arguments: (inputs := own(*arguments), shapes.append(inputs[0].shape))[0]
    try:
        encoder().encode(few_long, batch_size=4)
    finally:
        del encoder()._padded
    assert sorted(shapes) == [(4, 4)] * 7 + [(4, 64)]  # two threads fill the batches, so that their order is not given


def test_two_batches_are_computed_at_once():
    own, both = SentenceEncoder(tiny.folder()), threading.Barrier(2, timeout=30)
    graph = own._graph
    own._graph = lambda *inputs: (both.wait(), graph(*inputs))[1]  # breaks where the other does not come
    texts = sentences(8)
    assert_allclose(own.encode(texts, batch_size=2), encoder().encode(texts), rtol=0, atol=1e-5)


def test_large_batches_are_computed_one_after_the_other(monkeypatch):
    monkeypatch.setattr(sentence_encoder, "PIECES_AT_ONCE", 7)
    own, running, most = SentenceEncoder(tiny.folder()), [], []
    graph = own._graph

    def observed(*inputs):
        running.append(inputs)
        most.append(len(running))
        time.sleep(0.02)
        running.pop()
        return graph(*inputs)

    own._graph = observed
    own.encode(["soccer is fun", "fun", "game", "pizza", "play", "soccer"], batch_size=2)  # 2 times 5 pieces in the first
    assert most == [1, 1, 1]


def test_an_interruption_leaves_no_batch_to_be_computed():
    own, started = SentenceEncoder(tiny.folder()), []

    def stopped(input_ids, attention_mask):
        started.append(len(input_ids))
        time.sleep(0.02)
        raise KeyboardInterrupt

    own._graph = stopped
    with pytest.raises(KeyboardInterrupt):
        own.encode(sentences(200), batch_size=1)
    assert len(started) < 10


def test_training_goes_through_the_same_vectors_and_shows_in_encode():
    import tensorflow as tf

    own = SentenceEncoder(tiny.folder())
    before = own.encode("soccer is fun")
    inputs = own.tokenizer(["soccer is fun"], return_tensors="tf")
    weights = own.model.trainable_weights
    with tf.GradientTape() as tape:
        vectors = own.vectors(inputs["input_ids"], inputs["attention_mask"], training=False)
        loss = tf.reduce_sum(vectors ** 2)
    assert_allclose(vectors[0], before, rtol=0, atol=1e-5)
    gradients = tape.gradient(loss, weights)
    assert [weight.name for weight, gradient in zip(weights, gradients) if gradient is None] == []
    for weight, gradient in zip(weights, gradients):
        weight.assign_sub(0.01 * tf.convert_to_tensor(gradient))
    assert np.linalg.norm(own.encode("soccer is fun")) < np.linalg.norm(before) - 0.05  # not what an earlier graph remembers


def test_dropout_is_on_in_training_only():
    inputs = tiny.tokenizer()(["soccer is fun"], return_tensors="tf")
    arguments = inputs["input_ids"], inputs["attention_mask"]
    quiet, noisy = encoder().vectors(*arguments), encoder().vectors(*arguments, training=True)
    assert_array_equal(quiet, encoder().vectors(*arguments))
    assert np.abs(noisy - quiet).max() > 1e-3


# Long texts


def test_long_texts_are_cut_and_this_is_said_once(capsys):
    long, cut = "soccer is fun . " * 2_500, "soccer is fun . " * 15 + "soccer is"  # 62 pieces between [CLS] and [SEP]
    vectors = encoder().encode([long, "a", long + "!", long, cut])
    assert capsys.readouterr().out == "Texts longer than 64 pieces: 3. Only their beginning is read.\n"
    assert_allclose(vectors[0], vectors[4], rtol=0, atol=1e-5)
    encoder().encode([cut])
    assert capsys.readouterr().out == ""


def test_max_length_is_the_readers_to_choose(capsys):
    short = SentenceEncoder(tiny.folder(), max_length=5)
    assert_allclose(short.encode("soccer is fun game play pizza"), as_the_document_does("soccer is fun"), rtol=0, atol=1e-5)
    assert "longer than 5 pieces: 1" in capsys.readouterr().out
    assert encoder().max_length == tiny.POSITIONS


@pytest.mark.parametrize("wrong", [2, 65, 0, -1, 5.5, "5", True])
def test_impossible_max_length_is_refused(wrong):
    with pytest.raises(ValueError, match="this BERT reads 3 to 64 pieces"):
        SentenceEncoder(tiny.folder(), max_length=wrong)


def test_progress_bar_shows_only_when_asked(capsys):
    encoder().encode(sentences(9), batch_size=2)
    assert capsys.readouterr() == ("", "")
    encoder().encode(sentences(9), batch_size=2, progress=True)
    assert "5/5" in capsys.readouterr().err


# Similarity


def test_similarity_is_the_cosine():
    rows = [[3, 4], [0, 2], [0, 0]]
    others = [[3, 4], [-6, -8]]
    cosines = encoder().similarity(np.array(rows), np.array(others))
    assert cosines.dtype == np.float32
    assert_allclose(cosines, [[1, -1], [0.8, -0.8], [0, 0]], atol=1e-6)  # a vector of zeros points nowhere
    assert_allclose(encoder().similarity([3, 4], [4, 3]), [[0.96]], atol=1e-6)


@pytest.mark.parametrize(("vectors", "message"), [
    (["soccer is fun"], "give it what encoder.encode"), ("soccer", "give it what encoder.encode"), ([None], "give it what encoder.encode"),
    (np.zeros((1, 2, 3)), "give it what encoder.encode"), (np.zeros((1, 3)), "length 2 and 3 cannot be compared"),
])
def test_similarity_of_something_else_is_refused(vectors, message):
    with pytest.raises(ValueError, match=message):
        encoder().similarity(np.zeros((1, 2)), vectors)


def test_vectors_of_spoilt_weights_are_refused():
    spoilt = SentenceEncoder(tiny.folder())
    spoilt.model.set_weights([weight * np.nan for weight in spoilt.model.get_weights()])
    with pytest.raises(ValueError, match=r"Vector 0 holds NaN or infinity \(2 of 2 do\): the encoder's weights are spoilt"):
        spoilt.encode(["fun", "sky"])
    with pytest.raises(ValueError, match=r"Vector 1 holds NaN or infinity \(1 of 2 do\)"):
        encoder().similarity([[1, 0]], [[1, 0], [np.nan, 0]])


# Bad texts


@pytest.mark.parametrize(("texts", "message"), [
    (None, "not NoneType"), (7, "not int"), (b"fun", "not bytes"), ({"a": "b"}, "not dict"),
    ({"a", "b"}, r"not set: give one column, like table\['text'\]"), (pd.DataFrame({"text": ["a"]}), "not DataFrame: give one column"),
    ("", r"texts\[0\]: This text is empty"), ([""], r"texts\[0\]: This text is empty"), (["a", "  \n"], r"texts\[1\]: This text is empty"),
    (["a", "\u200b"], r"texts\[1\]: This text is empty"), (["a", "a", None], r"texts\[2\] is None"),
    (["a", float("nan")], r"texts\[1\] is nan"), ([["a"]], r"texts\[0\] is \['a'\]"), ([3], r"texts\[0\] is 3"),
    (["a", "sky", "\ud800"], r"texts\[2\]: This text holds half a character"),
])
def test_what_is_no_text_is_named_with_its_place(texts, message):
    with pytest.raises(ValueError, match=message):
        encoder().encode(texts)


@pytest.mark.parametrize("wrong", [0, -3, 2.5, "32", None, True])
def test_impossible_batch_size_is_refused(wrong):
    with pytest.raises(ValueError, match="give a whole number from 1"):
        encoder().encode(["a"], batch_size=wrong)


def test_errors_speak_korean(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    for call, message in [
        (lambda: encoder().encode([None]), r"texts\[0\]이\(가\) 글이 아니라"),
        (lambda: encoder().encode([" "]), r"texts\[0\]: 글이 비어 있습니다"),
        (lambda: SentenceEncoder.load(tmp_path), "문장 인코더가 없습니다"),
        (lambda: SentenceEncoder(tmp_path), "BERT가 없습니다"),
    ]:
        with pytest.raises(ValueError, match=message):
            call()


# What an encoder is made of


def test_unknown_pooling_is_refused_before_anything_is_loaded():
    with pytest.raises(ValueError, match="There is no pooling 'median': choose cls, mean, max"):
        SentenceEncoder("nowhere", pooling="median")


@pytest.mark.parametrize(("name", "value"), [("pooling", "max"), ("normalize", True), ("max_length", 1000)])
def test_what_vectors_depend_on_cannot_be_changed_behind_the_graphs_back(name, value):
    with pytest.raises(AttributeError):
        setattr(encoder(), name, value)


def test_name_instead_of_a_folder_is_refused_with_the_way_to_it():
    with pytest.raises(ValueError, match=r"write SentenceEncoder\(checkpoints.resolve\(name\)\) with one of bert-large-uncased"):
        SentenceEncoder("bert-base-uncased")


def test_folder_of_another_model_is_refused(tmp_path):
    shutil.copytree(tiny.folder(), tmp_path / "other")
    config = tmp_path / "other" / "config.json"
    config.write_text(config.read_text(encoding="utf-8").replace('"bert"', '"roberta"'), encoding="utf-8")
    with pytest.raises(ValueError, match="holds no BERT"):
        SentenceEncoder(tmp_path / "other")


@pytest.mark.parametrize(("part", "refused"), [("attention.self.query", True), ("word_embeddings", True), ("pooler", False), ("cls.", False)])
def test_missing_weights_are_not_replaced_by_random_ones(part, refused, tmp_path):
    from safetensors.numpy import load_file, save_file

    shutil.copytree(tiny.folder(), tmp_path / "part")
    weights = tmp_path / "part" / "model.safetensors"
    save_file({name: value for name, value in load_file(weights).items() if part not in name}, weights, metadata={"format": "pt"})
    if refused:
        with pytest.raises(ValueError, match="holds no BERT"):
            SentenceEncoder(tmp_path / "part")
    else:  # no pooling here uses them
        assert_allclose(SentenceEncoder(tmp_path / "part").encode("a"), encoder().encode("a"), rtol=0, atol=1e-6)


def test_pickle_is_not_opened(tmp_path):
    shutil.copytree(tiny.folder(), tmp_path / "pickled")
    (tmp_path / "pickled" / "model.safetensors").rename(tmp_path / "pickled" / "pytorch_model.bin")
    with pytest.raises(ValueError, match="holds no BERT"):
        SentenceEncoder(tmp_path / "pickled")


# Saving and loading


def changed(own):
    """Weights that no checkpoint holds, so that nothing but the saved file can bring them back."""
    for number, weight in enumerate(own.model.weights):
        weight.assign(weight * (1 + 0.01 * number))
    return own


def content(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("name", "normalize"), [("mean", True), ("cls", False), ("max", False)])
def test_saved_encoder_is_the_same_encoder(name, normalize, tmp_path):
    own = changed(SentenceEncoder(tiny.folder(), name, normalize, max_length=20))
    own.save(tmp_path / "encoder")
    loaded = SentenceEncoder.load(tmp_path / "encoder")
    assert (loaded.pooling, loaded.normalize, loaded.max_length) == (name, normalize, 20)
    texts = sentences(20, longest=15)
    assert_array_equal(loaded.encode(texts), own.encode(texts))
    for one, other in zip(own.model.weights, loaded.model.weights):  # the pooler's, too
        assert_array_equal(one, other, err_msg=one.name)


def test_saved_encoder_is_an_ordinary_checkpoint_too(tmp_path):
    own = changed(SentenceEncoder(tiny.folder()))
    own.save(tmp_path / "encoder")
    from transformers import TFBertModel

    inputs = own.tokenizer("soccer is fun", return_tensors="tf")
    plain = TFBertModel.from_pretrained(tmp_path / "encoder")(**inputs)
    assert_allclose(plain.pooler_output, own.model(**inputs).pooler_output, rtol=0, atol=1e-6)
    config = json.loads((tmp_path / "encoder" / "config.json").read_text(encoding="utf-8"))
    assert (config["architectures"], config["torch_dtype"]) == (["BertModel"], "float32")


def test_weights_stand_in_the_file_as_pytorch_names_and_lays_them(tmp_path):
    from safetensors import safe_open
    from safetensors.numpy import load_file

    SentenceEncoder(tiny.folder()).save(tmp_path / "encoder")
    saved, original = load_file(tmp_path / "encoder" / "model.safetensors"), load_file(tiny.folder() / "model.safetensors")
    expected = {name.removeprefix("bert."): value for name, value in original.items() if name.startswith("bert.")}
    assert saved.keys() == expected.keys()
    for name, value in expected.items():
        assert_array_equal(saved[name], value, err_msg=name)
    with safe_open(tmp_path / "encoder" / "model.safetensors", "np") as file:
        assert file.metadata() == {"format": "pt"}


def test_everything_saved_is_safetensors_json_or_text(tmp_path):
    SentenceEncoder(tiny.folder(), normalize=True).save(tmp_path / "encoder")
    files = content(tmp_path / "encoder")
    assert {name.rsplit(".", 1)[1] for name in files} == {"safetensors", "json", "txt"}
    assert {*files, "1_Pooling", "2_Normalize"} == sentence_encoder.OUR_FILES
    modes = {path.stat().st_mode & 0o777 for path in (tmp_path / "encoder").rglob("*.*") if path.is_file()}
    assert len(modes) == 1  # whoever may read one may read all


def test_saving_again_replaces_what_was_there_and_leaves_nothing_beside_it(tmp_path):
    SentenceEncoder(tiny.folder(), "max", normalize=True).save(tmp_path / "encoder")
    changed(SentenceEncoder(tiny.folder(), "cls")).save(tmp_path / "encoder")
    changed(SentenceEncoder(tiny.folder(), "cls")).save(tmp_path / "fresh")
    assert content(tmp_path / "encoder") == content(tmp_path / "fresh")
    assert not (tmp_path / "encoder" / "2_Normalize").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encoder", "fresh"]


@pytest.mark.parametrize("bytes_at_most", [100, 3_000, 10_000])  # stops in a small file, in the tokenizer, in the weights
def test_earlier_save_stays_whole_when_writing_stops_halfway(bytes_at_most, tmp_path):
    resource = pytest.importorskip("resource", reason="limits the size of a file as Unix does")
    from safetensors import SafetensorError

    encoder().save(tmp_path / "encoder")
    before = content(tmp_path / "encoder")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_at_most, limits[1]))
    try:
        for folder in (tmp_path / "encoder", tmp_path / "new"):
            with pytest.raises((OSError, SafetensorError), match="(?i)file too large"):
                encoder("max").save(folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert content(tmp_path / "encoder") == before
    assert [path.name for path in tmp_path.iterdir()] == ["encoder"]


def test_full_disk_is_named_with_the_fix(tmp_path, monkeypatch):
    from safetensors import SafetensorError, numpy

    def full(*arguments, **options):
        raise SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)")

    monkeypatch.setattr(numpy, "save_file", full)
    with pytest.raises(OSError, match="Free some room and save again"):
        encoder().save(tmp_path / "encoder")
    assert list(tmp_path.iterdir()) == []


def test_folder_with_other_files_is_not_replaced(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    for folder in (tmp_path, tmp_path / "thesis.txt"):
        with pytest.raises(ValueError, match=r"holds something else \(thesis.txt\)"):
            encoder().save(folder)
    assert content(tmp_path) == {"thesis.txt": b"years of work"}


@pytest.mark.parametrize("own", ["README.md", "config_sentence_transformers.json", "1_Pooling/mine.txt"])
def test_encoder_with_a_file_of_the_reader_s_is_not_replaced(own, tmp_path):
    encoder().save(tmp_path / "encoder")
    (tmp_path / "encoder" / own).write_text("my notes")
    with pytest.raises(ValueError, match=rf"holds something else \({own}\)"):
        encoder().save(tmp_path / "encoder")
    assert (tmp_path / "encoder" / own).read_text() == "my notes"


def test_checkpoint_is_not_replaced_by_an_encoder(tmp_path):
    shutil.copytree(tiny.folder(), tmp_path / "bert")
    before = content(tmp_path / "bert")
    with pytest.raises(ValueError, match=r"holds something else \(config.json\)"):
        encoder().save(tmp_path / "bert")
    assert content(tmp_path / "bert") == before


@pytest.mark.parametrize("modules", [None, "{", "[]", "{}", "[1]", '[{"type": "x.Transformer"}]'])
def test_folder_that_is_no_encoder_is_refused(modules, tmp_path):
    shutil.copytree(tiny.folder(), tmp_path / "plain")
    if modules is not None:
        (tmp_path / "plain" / "modules.json").write_text(modules)
    with pytest.raises(ValueError, match="holds no sentence encoder"):
        SentenceEncoder.load(tmp_path / "plain")
    with pytest.raises(ValueError, match="holds no sentence encoder"):
        SentenceEncoder.load(tmp_path / "nowhere")


@pytest.mark.parametrize("kept", [5, -1])
def test_a_saved_encoder_that_was_cut_off_says_so(tmp_path, kept):
    encoder().save(tmp_path / "mine")
    weights = tmp_path / "mine" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:kept])
    with pytest.raises(ValueError, match="model.safetensors is cut off or altered"):
        SentenceEncoder.load(tmp_path / "mine")


@cache
def saved():
    """One saved encoder, to be copied and harmed."""
    folder = Path(tempfile.mkdtemp(prefix="saved-encoder-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    encoder().save(folder)
    return folder


@pytest.mark.parametrize("file", ["config.json", "tokenizer.json", "tokenizer_config.json", "sentence_bert_config.json", "1_Pooling/config.json"])
@pytest.mark.parametrize("content", ["[]", "null", "", '{"half": '])
def test_a_saved_encoder_with_a_damaged_json_file_names_it(file, content, tmp_path):
    shutil.copytree(saved(), tmp_path / "mine")
    (tmp_path / "mine" / file).write_text(content)
    with pytest.raises(ValueError, match=f"mine/{file} is damaged.*: save the encoder again"):
        SentenceEncoder.load(tmp_path / "mine")


def test_a_saved_encoder_without_its_pooling_or_with_half_a_tokenizer_is_damaged(tmp_path):
    for file, content in (("tokenizer.json", "{}"), ("1_Pooling/config.json", None)):
        shutil.copytree(saved(), tmp_path / "mine", dirs_exist_ok=True)
        (tmp_path / "mine" / file).unlink() if content is None else (tmp_path / "mine" / file).write_text(content)
        with pytest.raises(ValueError, match=f"mine/{file} is damaged"):
            SentenceEncoder.load(tmp_path / "mine")


@pytest.mark.parametrize("other", [
    {"hidden_size": 32}, {"vocab_size": 10}, {"vocab_size": 1000}, {"num_hidden_layers": 0}, {"max_position_embeddings": 512},
    {"intermediate_size": 8}, {"num_attention_heads": 3}, {"num_attention_heads": 0}, {"hidden_size": "wide"}, {"hidden_act": "none"},
], ids=str)
def test_a_config_that_does_not_fit_the_weights_is_damaged(other, tmp_path):
    shutil.copytree(saved(), tmp_path / "mine")
    file = tmp_path / "mine" / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **other}))
    with pytest.raises(ValueError, match="config.json is damaged, or belongs to another encoder"):
        SentenceEncoder.load(tmp_path / "mine")


def test_encoder_with_parts_that_we_do_not_have_is_refused(tmp_path):
    encoder().save(tmp_path / "encoder")
    file = tmp_path / "encoder" / "modules.json"
    modules = json.loads(file.read_text())
    file.write_text(json.dumps([*modules, {"idx": 2, "name": "2", "path": "2_Dense", "type": "sentence_transformers.models.Dense"}]))
    with pytest.raises(ValueError, match="is made of Transformer, Pooling, Dense"):
        SentenceEncoder.load(tmp_path / "encoder")


@pytest.mark.parametrize(("config", "named"), [
    ({"pooling_mode": "weightedmean"}, "weightedmean"), ({"pooling_mode": ["cls", "mean"]}, "cls', 'mean"), ({}, r"\[\]"),
    ({"pooling_mode_lasttoken": True}, "lasttoken"), ({"pooling_mode_cls_token": True, "pooling_mode_max_tokens": True}, "cls', 'max"),
])
def test_saved_pooling_that_we_do_not_have_is_refused(config, named, tmp_path):
    encoder().save(tmp_path / "encoder")
    (tmp_path / "encoder" / "1_Pooling" / "config.json").write_text(json.dumps(config))
    with pytest.raises(ValueError, match=f"There is no pooling .*{named}"):
        SentenceEncoder.load(tmp_path / "encoder")


SENTENCE_TRANSFORMERS = """
import json, sys
import numpy
from sentence_transformers import SentenceTransformer
saved, texts, vectors, again = sys.argv[1:]
model = SentenceTransformer(saved, device="cpu")
numpy.save(vectors, model.encode(json.load(open(texts, encoding="utf-8"))))
model.save(again)
"""


@pytest.mark.skipif(not all(map(importlib.util.find_spec, ["torch", "sentence_transformers"])),
                    reason="needs PyTorch and sentence-transformers: the optional group `bench`")
@pytest.mark.slow
@pytest.mark.parametrize(("name", "normalize", "max_length"), [("mean", True, None), ("cls", False, 9), ("max", False, None)])
def test_sentence_transformers_loads_it_and_gives_the_same_vectors(name, normalize, max_length, tmp_path):
    own = changed(SentenceEncoder(tiny.folder(), name, normalize, max_length))
    own.save(tmp_path / "ours")
    texts = sentences(40, longest=70)
    (tmp_path / "texts.json").write_text(json.dumps(texts), encoding="utf-8")
    # A process of its own: PyTorch and TensorFlow in one can abort.
    subprocess.run([sys.executable, "-c", SENTENCE_TRANSFORMERS, "ours", "texts.json", "vectors.npy", "theirs"], cwd=tmp_path, check=True,
                   env={**os.environ, "USE_TORCH": "1", "USE_TF": "0"})
    assert_allclose(np.load(tmp_path / "vectors.npy"), own.encode(texts), rtol=0, atol=1e-5)
    # And the way back: what sentence-transformers saves, this class loads.
    back = SentenceEncoder.load(tmp_path / "theirs")
    assert (back.pooling, back.normalize, back.max_length) == (name, normalize, max_length or tiny.POSITIONS)
    assert_allclose(back.encode(texts), own.encode(texts), rtol=0, atol=1e-5)
