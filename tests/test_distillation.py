"""Distillation: the student moves towards the teacher's vectors, and nothing else moves."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import environment
from tests import tiny

environment.prepare()  # before TensorFlow

import tf_keras as keras

from helpers import datasets, distillation, search, training
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
    distance = np.mean((student.encode(KOREAN) - targets) ** 2)
    model = distillation.Distillation(student)
    history = training.train(model, model.batches(KOREAN, targets, batch_size=3, shuffle=True), epochs=20, learning_rate=3e-3, progress=False)
    assert history["loss"].iloc[-1] < 0.5 * history["loss"].iloc[0]
    assert np.mean((student.encode(KOREAN) - targets) ** 2) < 0.5 * distance
    for before, after in zip(of_teacher, all_weights(teacher)):
        assert_array_equal(before, after)
    assert_array_equal(targets, given)
    moved = [not np.array_equal(before, after) for before, after in zip(of_student, all_weights(student))]
    assert sum(moved) >= len(moved) - 2  # all but the pooler, which no pooling uses


def test_a_korean_question_finds_the_english_sentence_it_was_trained_towards():
    teacher, student = encoder(pooling="max"), without_dropout(encoder())
    model = distillation.Distillation(student)
    training.train(model, model.batches(KOREAN, teacher.encode(ENGLISH), batch_size=3, shuffle=True), epochs=40, learning_rate=5e-3, progress=False)
    index = search.Index(teacher)
    index.add(ENGLISH)
    assert [index.query(text, k=1, encoder=student)["text"].iloc[0] for text in KOREAN] == ENGLISH


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


@pytest.mark.parametrize(("vectors", "message"), [
    (np.ones((6, tiny.HIDDEN + 1)), rf"student makes vectors of {tiny.HIDDEN} numbers, the teacher's have the shape \(6, {tiny.HIDDEN + 1}\)"),
    (np.ones(6), r"the shape \(6,\)"),
    (ENGLISH, r"the shape \(6,\)"),
    (np.ones((5, tiny.HIDDEN)), "sentences2 6, targets 5"),
])
def test_vectors_that_do_not_fit_are_refused(vectors, message):
    with pytest.raises(ValueError, match=message):
        distillation.Distillation(encoder()).batches(KOREAN, vectors)


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
