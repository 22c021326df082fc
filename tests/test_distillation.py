"""Distillation: the student and its map move towards the teacher's vectors, nothing else moves, and both come back from a folder."""

import importlib.util
import json
import os
import subprocess
import sys

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import environment
from tests import tiny

environment.prepare()  # before TensorFlow

import tf_keras as keras

from helpers import datasets, distillation, saving, search, training
from helpers.sentence_encoder import SentenceEncoder

ENGLISH = ["soccer is fun", "the sky is blue", "i went home this morning", "pizza is really fun", "soccer is a sport", "i went to work"]
KOREAN = ["축구는 재미있는 게임 이다", "바다는 정말 좋다", "나는 오늘 아침 집에 했다", "정말 재미있는 바다", "축구는 좋다", "나는 회사에 했다"]


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


def encoder(**settings):
    return SentenceEncoder(tiny.folder(), **settings)


def all_weights(of):
    return [np.array(weight) for weight in of.model.get_weights()]


def many(count):
    """Different sentences, more of them than a vector has numbers."""
    random, words = np.random.default_rng(5), [word for word in tiny.VOCABULARY if word.isalpha()]
    return [" ".join(random.choice(words, 6)) for _ in range(count)]


def kernel(hidden):
    return np.random.default_rng(8).normal(size=(tiny.HIDDEN, hidden)).astype("float32")


def without_dropout(made):
    for layer in made.model._flatten_layers():
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    return made


def test_the_loss_is_the_mean_squared_distance_to_the_teachers_vectors():
    teacher, student = encoder(pooling="max"), encoder()
    targets = teacher.encode(ENGLISH)
    model = distillation.Distillation(student)
    model.compile()
    loss = model.evaluate(model.batches(KOREAN, targets, batch_size=6).dataset(), verbose=0)
    assert loss == pytest.approx(np.mean((student.encode(KOREAN) - targets) ** 2), rel=1e-5)


def test_the_loss_falls_and_only_the_student_moves():
    teacher, student = encoder(pooling="max"), without_dropout(encoder())
    targets = teacher.encode(ENGLISH)
    of_teacher, of_student, given = all_weights(teacher), all_weights(student), targets.copy()
    model = distillation.Distillation(student)
    history = training.train(model, model.batches(KOREAN, targets, batch_size=3, shuffle=True), epochs=10, learning_rate=1e-2, progress=False)
    assert history["loss"].iloc[-1] < 0.5 * history["loss"].iloc[0]
    assert np.mean((model.encode(KOREAN) - targets) ** 2) < 0.5 * np.mean((encoder().encode(KOREAN) - targets) ** 2)
    assert not np.array_equal(model.to_teacher.kernel.numpy(), np.eye(tiny.HIDDEN))
    for before, after in zip(of_teacher, all_weights(teacher)):
        assert_array_equal(before, after)
    assert_array_equal(targets, given)
    moved = [not np.array_equal(before, after) for before, after in zip(of_student, all_weights(student))]
    assert sum(moved) >= len(moved) - 2  # all but the pooler, which no pooling uses


def test_a_korean_question_finds_the_english_sentence_it_was_aligned_with():
    teacher, model = encoder(pooling="max"), distillation.Distillation(encoder())
    model.align(KOREAN, teacher.encode(ENGLISH), ridge=1e-4)
    index = search.Index(teacher)
    index.add(ENGLISH)
    assert [index.query(text, k=1, encoder=model)["text"].iloc[0] for text in KOREAN] == ENGLISH


def test_the_best_epoch_can_be_chosen_on_held_out_sentences():
    model = distillation.Distillation(encoder())
    scores = iter([0.2, 0.9, 0.1])
    kept = []

    def evaluate():
        kept.append(all_weights(model.student))
        return next(scores)

    history = training.train(model, model.batches(KOREAN, encoder(pooling="max").encode(ENGLISH), batch_size=3, shuffle=True), epochs=3,
                             learning_rate=1e-3, evaluate=evaluate, progress=False)
    assert history["development"].tolist() == [0.2, 0.9, 0.1]
    for best, now in zip(kept[1], all_weights(model.student)):
        assert_array_equal(best, now)


def test_sentences_and_vectors_stay_together_in_every_order():
    targets = np.arange(6 * tiny.HIDDEN, dtype="float64").reshape(6, tiny.HIDDEN)
    batches = distillation.Distillation(encoder()).batches(KOREAN, targets, batch_size=4, shuffle=True)
    tokenizer, seen = tiny.tokenizer(), 0
    for inputs, vectors in batches.dataset():
        assert inputs["input_ids"].shape == inputs["attention_mask"].shape and vectors.dtype == "float32"
        for ids, mask, vector in zip(*(inputs[name].numpy() for name in ("input_ids", "attention_mask")), vectors.numpy()):
            row = int(vector[0]) // tiny.HIDDEN
            assert ids[mask == 1].tolist() == tokenizer(KOREAN[row])["input_ids"]
            assert_allclose(vector, targets[row])
            seen += 1
    assert seen == 6


def test_a_sentence_that_is_cut_is_counted_once(capsys):
    model = distillation.Distillation(encoder(max_length=8))
    model.batches(["fun " * 20, *KOREAN[1:]], np.ones((6, tiny.HIDDEN)))
    assert "1 of 6 sentences are longer than 8 pieces" in capsys.readouterr().out


@pytest.mark.parametrize(("vectors", "message"), [
    (np.ones((6, tiny.HIDDEN + 1)),
     rf"model makes vectors of {tiny.HIDDEN} numbers, the teacher's have the shape \(6, {tiny.HIDDEN + 1}\): .*hidden=teacher\.hidden"),
    (np.ones(6), r"the shape \(6,\)"),
    (ENGLISH, r"the shape \(6,\)"),
    (np.ones((5, tiny.HIDDEN)), r"sentences 6, \w+ 5"),
])
def test_vectors_that_do_not_fit_are_refused(vectors, message):
    model = distillation.Distillation(encoder())
    for use in (model.batches, model.align):
        with pytest.raises(ValueError, match=message):
            use(KOREAN, vectors)


@pytest.mark.parametrize("hidden", [0, True, 2.5, "many"])
def test_a_length_that_no_vector_has_is_refused(hidden):
    with pytest.raises(ValueError, match=rf"hidden={hidden!r}: .*hidden=teacher\.hidden"):
        distillation.Distillation(encoder(), hidden=hidden)


# --- the map ------------------------------------------------------------------------------------------------------


def test_before_anything_is_learnt_the_model_is_its_student():
    assert_allclose(distillation.Distillation(encoder()).encode(KOREAN), encoder().encode(KOREAN), atol=1e-6)


@pytest.mark.parametrize("hidden", [tiny.HIDDEN, tiny.HIDDEN + 5, tiny.HIDDEN - 5])
def test_align_finds_the_map_that_is_there(hidden):
    student, texts = encoder(), many(80)
    targets = student.encode(texts) @ kernel(hidden)
    model, before = distillation.Distillation(student, hidden=hidden), all_weights(student)
    assert np.abs(model.encode(texts) - targets).max() > 0.5
    model.align(texts, targets, ridge=0)
    assert_allclose(model.encode(texts), targets, atol=1e-3)
    assert model.encode(texts[0]).shape == (hidden,)
    for one, other in zip(before, all_weights(student)):
        assert_array_equal(one, other)


def test_a_ridge_holds_the_map_back():
    own = np.array([[3.0, 0.0], [0.0, 1.0]], "float32")  # trace of SᵀS / h = (9 + 1) / 2 = 5

    class Student:
        hidden, model, tokenizer = 2, keras.Sequential(), tiny.tokenizer()

        def encode(self, texts):
            return own

    model = distillation.Distillation(Student())
    model.align(["a", "b"], np.array([[6.0, 0.0], [0.0, 2.0]]), ridge=0.2)  # λ = 1
    assert_allclose(model.to_teacher.kernel.numpy(), [[18 / 10, 0], [0, 2 / 2]], atol=1e-6)


@pytest.mark.parametrize("ridge", [-0.1, float("nan"), True, "much"])
def test_a_ridge_that_makes_no_sense_is_refused(ridge):
    with pytest.raises(ValueError, match="give a number from 0, like ridge=0.1"):
        distillation.Distillation(encoder()).align(KOREAN, encoder().encode(ENGLISH), ridge=ridge)


def test_training_goes_on_from_the_map():
    teacher, model = encoder(pooling="max"), distillation.Distillation(without_dropout(encoder()))
    targets = teacher.encode(ENGLISH)
    model.align(KOREAN, targets)
    aligned = np.mean((model.encode(KOREAN) - targets) ** 2)
    history = training.train(model, model.batches(KOREAN, targets, batch_size=6), epochs=6, learning_rate=3e-3, warm_up=0, progress=False)
    assert history["loss"].iloc[0] == pytest.approx(aligned, rel=1e-3)
    assert np.mean((model.encode(KOREAN) - targets) ** 2) < 0.8 * aligned


# --- a folder -----------------------------------------------------------------------------------------------------


def distilled():
    """A model whose student and map have both been moved; its teacher's vectors are longer than its own."""
    student = encoder(pooling="max", normalize=True, max_length=20)
    weight = student.model.trainable_variables[0]
    weight.assign(weight + 0.1)
    model = distillation.Distillation(student, hidden=tiny.HIDDEN + 5)
    model.to_teacher.kernel.assign(kernel(tiny.HIDDEN + 5))
    return model


def test_what_was_saved_gives_the_same_vectors(tmp_path):
    model = distilled()
    model.save(tmp_path / "model")
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["2_Dense", "modules.json", "student"]
    loaded = distillation.Distillation.load(tmp_path / "model")
    assert_array_equal(loaded.encode(KOREAN), model.encode(KOREAN))
    assert (loaded.hidden, loaded.student.pooling, loaded.student.normalize, loaded.student.max_length) == (tiny.HIDDEN + 5, "max", True, 20)


def test_every_module_of_the_folder_is_there_with_its_settings(tmp_path):
    distilled().save(tmp_path / "model")
    modules = json.loads((tmp_path / "model" / "modules.json").read_text(encoding="utf-8"))
    assert [(module["idx"], module["type"].split(".")[-1], module["path"]) for module in modules] == [
        (0, "Transformer", "student"), (1, "Pooling", "student/1_Pooling"), (2, "Normalize", "student/2_Normalize"), (3, "Dense", "2_Dense")]
    for module in modules:
        assert (tmp_path / "model" / module["path"]).is_dir()
    dense = json.loads((tmp_path / "model" / "2_Dense" / "config.json").read_text(encoding="utf-8"))
    assert (dense["in_features"], dense["out_features"], dense["bias"]) == (tiny.HIDDEN, tiny.HIDDEN + 5, False)
    written = saving.read_weights(tmp_path / "model" / "2_Dense" / "model.safetensors")["linear.weight"]
    assert_array_equal(written, kernel(tiny.HIDDEN + 5).T)  # PyTorch keeps (out, in)


SENTENCE_TRANSFORMERS = """
import json, sys
import numpy
from sentence_transformers import SentenceTransformer
saved, texts, vectors = sys.argv[1:]
numpy.save(vectors, SentenceTransformer(saved, device="cpu").encode(json.load(open(texts, encoding="utf-8"))))
"""


@pytest.mark.skipif(not all(map(importlib.util.find_spec, ["torch", "sentence_transformers"])),
                    reason="needs PyTorch and sentence-transformers: the optional group `bench`")
@pytest.mark.slow
def test_sentence_transformers_loads_it_and_gives_the_same_vectors(tmp_path):
    model = distilled()
    model.save(tmp_path / "model")
    (tmp_path / "texts.json").write_text(json.dumps(KOREAN), encoding="utf-8")
    # A process of its own: PyTorch and TensorFlow in one can abort.
    subprocess.run([sys.executable, "-c", SENTENCE_TRANSFORMERS, "model", "texts.json", "vectors.npy"], cwd=tmp_path, check=True,
                   env={**os.environ, "USE_TORCH": "1", "USE_TF": "0"})
    assert_allclose(np.load(tmp_path / "vectors.npy"), model.encode(KOREAN), rtol=0, atol=1e-5)


def test_saving_replaces_a_model_and_nothing_else(tmp_path):
    model = distilled()
    model.save(tmp_path / "model")
    model.to_teacher.kernel.assign(2 * model.to_teacher.kernel)
    model.save(tmp_path / "model")
    assert_array_equal(distillation.Distillation.load(tmp_path / "model").encode(KOREAN), model.encode(KOREAN))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary", encoding="utf-8")
    with pytest.raises(ValueError, match=r"diary\.txt"):
        model.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "diary.txt").read_text(encoding="utf-8") == "dear diary"


def test_homework_in_the_student_s_folder_is_not_deleted(tmp_path):
    model = distilled()
    model.save(tmp_path / "model")
    (tmp_path / "model" / "student" / "homework.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=r"student/homework\.txt"):
        model.save(tmp_path / "model")
    assert (tmp_path / "model" / "student" / "homework.txt").read_text(encoding="utf-8") == "mine"


def test_a_folder_without_a_map_is_named(tmp_path):
    encoder().save(tmp_path / "encoder")
    for folder in ("encoder", "nowhere"):
        with pytest.raises(ValueError, match=rf"{folder} holds no distilled encoder .*Distillation\.save"):
            distillation.Distillation.load(tmp_path / folder)


def test_an_index_can_be_made_with_it_and_opens_with_it_alone(tmp_path):
    model = distilled()
    model.save(tmp_path / "model")
    index = search.Index(model)
    index.add(KOREAN)
    assert index.vectors.shape == (len(KOREAN), tiny.HIDDEN + 5)
    index.save(tmp_path / "index")
    assert search.Index.load(tmp_path / "index", distillation.Distillation.load(tmp_path / "model")).query(KOREAN[0], k=1)["text"].iloc[0] == KOREAN[0]
    model.to_teacher.kernel.assign(model.to_teacher.kernel * 1.001)  # another map
    with pytest.raises(ValueError, match="another encoder"):
        search.Index.load(tmp_path / "index", model)


# --- translations -------------------------------------------------------------------------------------------------


def test_parallel_rows_say_the_same_and_splits_share_none():
    rows = {split: distillation.parallel(split) for split in datasets.SPLITS}
    english, korean = (datasets.nli(language).set_index("id") for language in ("en", "ko"))
    test = dict(rows["test"].itertuples(index=False))
    for name in english.index[english["split"] == "test"]:
        assert test[english.loc[name, "hypothesis"]] == korean.loc[name, "hypothesis"]
    for column in ("english", "korean"):
        together = [text for each in rows.values() for text in each[column]]
        assert len(together) == len(set(together))
    with pytest.raises(ValueError, match="did you mean 'train'"):
        distillation.parallel("trian")


def test_parallel_rows_are_matched_by_their_id(monkeypatch):
    whole, read = distillation.parallel("dev"), datasets.sts
    monkeypatch.setattr(datasets, "sts", lambda language, split: read(language, split).drop(index=0 if language == "ko" else []))
    rows = distillation.parallel("dev")
    assert 0 < len(whole) - len(rows) <= 2 and set(rows.itertuples(index=False)) <= set(whole.itertuples(index=False))
    with pytest.raises(ValueError, match="split=None: choose one of train, dev, test"):
        distillation.parallel(None)


# --- interruptions ------------------------------------------------------------------------------------------------


def test_a_folder_knows_its_vectors_though_they_were_rounded_otherwise(tmp_path):
    targets = encoder(pooling="max").encode(ENGLISH)

    def trained(vectors):
        model = distillation.Distillation(encoder())
        model.align(KOREAN, targets)
        return training.train(model, model.batches(KOREAN, vectors, batch_size=6), folder=tmp_path, progress=False)

    history = trained(targets)
    assert trained(targets * (1 + 1e-7)).equals(history)
    with pytest.raises(ValueError, match=r"another training \(vectors="):
        trained(targets[::-1])
