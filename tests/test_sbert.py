"""The promises of `helpers/sbert.py`, `pairs.py`, `training.py`, `saving.py`: the paper's objectives, trained and resumable."""

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from helpers import environment
from tests import tiny

environment.prepare()  # before TensorFlow

import tensorflow as tf
import tf_keras as keras
from safetensors.numpy import save_file as safetensors_save

from helpers import pairs, saving, sbert, training
from helpers.sentence_encoder import SentenceEncoder

ROOT = Path(__file__).resolve().parent.parent
FIRST = ["soccer is fun", "the sky is blue", "i went home", "pizza is really fun", "a game", "the blue sky", "i play soccer", "i went to work"]
SECOND = ["soccer is a fun sport", "the pizza is blue", "i went to work this morning", "fun pizza", "a soccer game", "sky", "i play", "home"]
LABELS = ["entailment", "contradiction", "contradiction", "entailment", "neutral", "entailment", "neutral", "contradiction"]
SCORES = [4.5, 1.0, 1.5, 4.0, 3.0, 3.5, 4.0, 0.0]


def encoder(**settings):
    return SentenceEncoder(tiny.folder(), **settings)


@cache
def untrained():
    """One encoder for the tests that train nothing."""
    return encoder()


def without_dropout(made):
    for layer in made.model._flatten_layers():
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    return made


def regression(**settings):
    model = sbert.RegressionHead(encoder())
    return model, model.batches(FIRST, SECOND, SCORES, **{"batch_size": 2, "shuffle": True, **settings})


def train(model, batches, **settings):
    return training.train(model, batches, **{"epochs": 3, "learning_rate": 1e-3, "progress": False, **settings})


# --- the objectives, as published ---------------------------------------------------------------------------------


def test_h_is_u_v_and_their_absolute_difference():
    model = sbert.ClassificationHead(encoder())
    h = model.h(tf.constant([[1.0, 5.0]]), tf.constant([[3.0, 2.0]]))
    assert_allclose(h, [[1, 5, 3, 2, 2, 3]])
    assert model.W_y.shape == (3 * tiny.HIDDEN, 3)


def test_logits_are_h_times_W_y_and_the_loss_is_softmax_cross_entropy():
    model = sbert.ClassificationHead(encoder())
    u, v = model.encoder.encode(FIRST), model.encoder.encode(SECOND)
    logits = np.concatenate([u, v, abs(u - v)], axis=1) @ model.W_y.numpy()
    assert_allclose(sbert.predict(model, FIRST, SECOND, batch_size=3), logits, atol=1e-5)
    numbers = [{"entailment": 0, "neutral": 1, "contradiction": 2}[label] for label in LABELS]
    by_hand = np.mean([np.log(np.exp(row).sum()) - row[number] for row, number in zip(logits, numbers)])
    model.compile()
    loss, accuracy = model.evaluate(model.batches(FIRST, SECOND, LABELS, batch_size=4).dataset(), verbose=0)
    assert loss == pytest.approx(by_hand, abs=1e-5)
    assert accuracy == pytest.approx(np.mean(logits.argmax(axis=1) == numbers))
    assert accuracy == pytest.approx(sbert.accuracy(model, FIRST, SECOND, LABELS))


def test_parts_of_h_can_be_left_out_or_multiplied():
    model = sbert.ClassificationHead(encoder(), parts=("abs(u-v)", "u*v"))
    assert_allclose(model.h(tf.constant([[1.0, 5.0]]), tf.constant([[3.0, 2.0]])), [[2, 3, 3, 10]])
    assert model.W_y.shape == (2 * tiny.HIDDEN, 3)


def test_regression_answers_one_cosine_a_pair_and_its_loss_is_the_mean_squared_error():
    model, batches = regression(batch_size=8, shuffle=False)
    inputs, targets = next(iter(batches.dataset()))
    cosines = model(inputs)
    assert cosines.shape == (8,) == targets.shape
    u, v = model.encoder.encode(FIRST), model.encoder.encode(SECOND)
    by_hand = (u * v).sum(axis=1) / np.linalg.norm(u, axis=1) / np.linalg.norm(v, axis=1)
    assert_allclose(cosines, by_hand, atol=1e-5)
    model.compile()
    loss = model.evaluate(batches.dataset(), verbose=0)
    assert loss == pytest.approx(np.mean((by_hand - np.array(SCORES) / 5) ** 2), abs=1e-6)  # batch × batch would give another mean


def test_spearman_compares_rankings():
    class Known:
        """Vectors of unit length at chosen angles from the first axis, so that the cosines are known."""

        def encode(self, texts):
            angles = {"same": 0.0, "near": 0.5, "far": 1.0, "apart": 1.5}
            return np.array([[np.cos(angles[text]), np.sin(angles[text])] for text in texts], dtype="float32")

    made = sbert.spearman(Known(), ["same"] * 3, ["near", "far", "apart"], [4.0, 1.0, 2.0])
    assert made == pytest.approx(0.5)  # ranks 3 2 1 against 3 1 2: 1 - 6·2 / (3·8)


# --- training -----------------------------------------------------------------------------------------------------


def test_training_moves_the_head_and_the_encoder():
    model = sbert.ClassificationHead(encoder())
    batches = model.batches(FIRST, SECOND, LABELS, batch_size=4, shuffle=True)
    before = {weight.name: weight.numpy() for weight in model.trainable_variables}
    history = train(model, batches, epochs=2)
    still = [weight.name for weight in model.trainable_variables if np.array_equal(weight.numpy(), before[weight.name])]
    assert all("/key/bias" in name for name in still)  # softmax takes a constant away, so this one's gradient is next to 0
    assert any("W_y" in name for name in before) and any("word_embeddings" in name for name in before)
    assert list(history.columns) == ["epoch", "loss", "accuracy"] and history["epoch"].tolist() == [1, 2]


def test_training_brings_the_loss_down():
    model, batches = regression(batch_size=4)
    without_dropout(model.encoder)  # whose zeros shake the loss of a network this narrow more than a few steps move it
    history = train(model, batches, epochs=5, learning_rate=3e-3)
    assert history["loss"].iloc[-1] < history["loss"].iloc[0] / 2


def test_both_sentences_go_through_the_same_weights():
    model, _ = regression()
    assert_allclose(sbert.predict(model, FIRST, SECOND), sbert.predict(model, SECOND, FIRST), atol=1e-6)
    assert_allclose(sbert.predict(model, FIRST, FIRST), np.ones(8), atol=1e-6)


def test_the_same_seed_gives_the_same_losses():
    losses = [train(*regression(seed=3), seed=3)["loss"].to_numpy() for _ in range(2)]
    assert_allclose(losses[0], losses[1], atol=1e-6)
    assert not np.allclose(losses[0], train(*regression(seed=4), seed=4)["loss"], atol=1e-6)


def test_learning_rate_warms_up_and_decays_to_nearly_nothing():
    schedule = training.WarmUpLinearDecay(1.0, steps=10, warm_up_steps=2)
    rates = [float(schedule(step)) for step in range(10)]
    assert_allclose(rates, [1 / 2, 1, 8 / 9, 7 / 9, 6 / 9, 5 / 9, 4 / 9, 3 / 9, 2 / 9, 1 / 9], rtol=1e-6)


def test_gradients_are_clipped():
    model, batches = regression()
    before = model.get_weights()

    def movement(**settings):
        model.set_weights(before)
        train(model, batches, epochs=1, warm_up=0.0, **settings)
        return max(np.abs(now - then).max() for now, then in zip(model.get_weights(), before))

    # Adam divides by the size of the gradients, until that is far below its epsilon of 1e-7.
    assert movement(clip=1e-12) < movement(clip=None) / 100


def test_the_best_epoch_is_kept_and_patience_ends_the_training():
    model, batches = regression()
    values, seen = iter([0.3, 0.9, 0.5, 0.4, 0.8]), []

    def evaluate():
        seen.append(sbert.predict(model, FIRST, SECOND))
        return next(values)

    history = train(model, batches, epochs=5, evaluate=evaluate, patience=2)
    assert history["development"].tolist() == [0.3, 0.9, 0.5, 0.4]  # two epochs without progress
    assert_allclose(sbert.predict(model, FIRST, SECOND), seen[1], atol=1e-6)
    assert not np.allclose(seen[1], seen[3], atol=1e-6)


def test_every_epoch_holds_each_pair_once_in_another_order():
    _, batches = regression(batch_size=3)
    orders = [np.concatenate(batches.order(epoch)).tolist() for epoch in range(2)]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(8)) and orders[0] != orders[1]
    assert batches.steps == 3 == len(list(batches.dataset()))


def test_padding_is_short_and_masked():
    model, _ = regression()
    batches = model.batches(["fun", "i went to work this morning the sky is blue"], ["fun", "fun"], [1, 2], batch_size=1)
    shapes = [inputs["input_ids"].shape for inputs, _ in batches.dataset()]
    assert shapes == [(1, 2, 3), (1, 2, 12)]  # as long as the longest of the batch
    inputs = batches.inputs([1])
    assert inputs["attention_mask"].tolist() == [[[1] * 12, [1] * 3 + [0] * 9]]


def test_long_sentences_are_cut_and_this_is_said(capsys):
    model = sbert.RegressionHead(encoder(max_length=8))
    batches = model.batches(["fun " * 10_000], ["fun"], [1])
    assert "1 of 2 sentences are longer than 8 pieces" in capsys.readouterr().out
    ids = batches.inputs([0])["input_ids"][0, 0]
    assert len(ids) == 8 and ids[-1] == model.encoder.tokenizer.sep_token_id


# --- interruptions ------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """Not an Exception: nothing may swallow it."""


class KillAt(keras.callbacks.Callback):
    """Counts batches over all epochs and ends the training, or its whole process, at one of them."""

    def __init__(self, batch, process=False):
        super().__init__()
        self.at, self.process, self.batches = batch, process, 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1
        if self.batches == self.at:
            if self.process:
                os.kill(os.getpid(), signal.SIGKILL)
            raise Killed


def fit_with(callback):
    """`keras.Model.fit` with one callback more."""
    fit = keras.Model.fit
    return lambda self, *arguments, callbacks, **others: fit(self, *arguments, callbacks=[*callbacks, callback], **others)


def killed_after(batch, monkeypatch, **settings):
    """Train until the given batch, counted over all epochs, and be killed there."""
    monkeypatch.setattr(keras.Model, "fit", fit_with(KillAt(batch)))
    with pytest.raises(Killed):
        train(*regression(), **settings)
    monkeypatch.undo()


@pytest.fixture(scope="module")
def uninterrupted():
    """Losses and last weights of a training that nothing disturbs."""
    model, batches = regression()
    return train(model, batches)["loss"], model.get_weights()


@pytest.mark.parametrize("batch", [2, 11])  # 4 batches an epoch, 3 epochs: in the first, in the last
def test_a_killed_training_goes_on_and_ends_at_the_same_weights(batch, uninterrupted, monkeypatch, tmp_path):
    killed_after(batch, monkeypatch, folder=tmp_path)
    assert len(json.loads((tmp_path / "training.json").read_text())["history"]) == (batch - 1) // 4
    model, batches = regression()
    history = train(model, batches, folder=tmp_path)
    assert history["epoch"].tolist() == [1, 2, 3]
    assert_allclose(history["loss"], uninterrupted[0], atol=1e-6)
    for ours, theirs in zip(model.get_weights(), uninterrupted[1]):
        assert_allclose(ours, theirs, atol=1e-6)


KILLED = """
import sys
from tests import test_sbert as here

here.keras.Model.fit = here.fit_with(here.KillAt(6, process=True))
here.train(*here.regression(), folder=sys.argv[1])
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system knows no SIGKILL")
def test_a_training_whose_process_is_killed_goes_on_in_another(uninterrupted, monkeypatch, tmp_path):
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    assert len(json.loads((tmp_path / "training.json").read_text())["history"]) == 1
    watch = KillAt(None)
    monkeypatch.setattr(keras.Model, "fit", fit_with(watch))
    model, batches = regression()
    assert_allclose(train(model, batches, folder=tmp_path)["loss"], uninterrupted[0], atol=1e-6)
    assert watch.batches == 8  # the first epoch is not done again
    for ours, theirs in zip(model.get_weights(), uninterrupted[1]):
        assert_allclose(ours, theirs, atol=1e-6)


def test_the_progress_bar_counts_every_batch_and_shows_the_loss(monkeypatch):
    from tqdm import auto

    class Seen(auto.tqdm):
        bars = []

        def __init__(self, *arguments, **settings):
            super().__init__(*arguments, **settings)
            self.bars.append(self)

    monkeypatch.setattr(auto, "tqdm", Seen)
    history = train(*regression(), progress=True)
    (bar,) = Seen.bars
    assert bar.n == bar.total == 12  # 4 batches an epoch, 3 epochs
    assert bar.postfix.startswith("loss 0.") and len(history) == 3


def test_the_best_epoch_before_the_interruption_is_not_forgotten(monkeypatch, tmp_path):
    killed_after(6, monkeypatch, folder=tmp_path, evaluate=lambda: 0.9)
    best = saving.read_weights(tmp_path / "best.safetensors")  # of epoch 1
    model, batches = regression()
    history = train(model, batches, folder=tmp_path, evaluate=lambda: 0.5)
    assert history["development"].tolist() == [0.9, 0.5, 0.5]
    for number, ours in enumerate(model.get_weights()):
        assert_allclose(ours, best[str(number)], atol=1e-6)


def test_a_finished_training_is_not_done_again(tmp_path, monkeypatch):
    model, batches = regression()
    history = train(model, batches, epochs=1, folder=tmp_path)
    again, batches = regression()
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    assert train(again, batches, epochs=1, folder=tmp_path).equals(history)
    assert_allclose(sbert.predict(again, FIRST, SECOND), sbert.predict(model, FIRST, SECOND), atol=1e-6)


def test_a_folder_of_another_training_is_refused(tmp_path):
    train(*regression(), epochs=1, folder=tmp_path)
    with pytest.raises(ValueError, match=r"another training \(epochs=1, now epochs=2\)"):
        train(*regression(), epochs=2, folder=tmp_path)


def other_start():
    started = encoder()
    started.model.set_weights([weight * 1.001 for weight in started.model.get_weights()])
    return started


@pytest.mark.parametrize("make, first, second, scores, named", [
    (encoder, SECOND, FIRST, SCORES, "data"),
    (encoder, FIRST, SECOND, SCORES[::-1], "data"),
    (encoder, [*FIRST[:7], "a fun game"], SECOND, SCORES, "data"),
    (lambda: encoder(pooling="max"), FIRST, SECOND, SCORES, "pooling='mean', now pooling='max'"),
    (lambda: encoder(max_length=20), FIRST, SECOND, SCORES, "max_length=64, now max_length=20"),
    (other_start, FIRST, SECOND, SCORES, "encoder_weights"),
], ids=["columns", "scores", "sentence", "pooling", "length", "start"])
def test_a_folder_of_other_data_or_another_start_is_refused(make, first, second, scores, named, trained_folder):
    model = sbert.RegressionHead(make())
    with pytest.raises(ValueError, match=rf"another training \({named}"):
        train(model, model.batches(first, second, scores, batch_size=2, shuffle=True), epochs=1, folder=trained_folder)


@pytest.fixture(scope="module")
def trained_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    train(*regression(), epochs=1, folder=folder)
    return folder


def test_the_same_cell_run_again_finds_its_training(monkeypatch, tmp_path):
    model = sbert.ClassificationHead(encoder())
    batches = model.batches(FIRST, SECOND, LABELS, batch_size=2, shuffle=True)
    history = train(model, batches, epochs=1, folder=tmp_path)
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("trained again"))
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    monkeypatch.setenv("USERPROFILE", str(tmp_path.parent))
    for folder in (tmp_path, f"~/{tmp_path.name}"):
        for again in (model, sbert.ClassificationHead(model.encoder)):  # which holds trained weights now
            assert train(again, batches, epochs=1, folder=folder).equals(history)


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff\xfe", b'{"recipe": {}}', None], ids=str)
def test_a_damaged_training_is_named_with_the_fix(content, trained_folder, tmp_path):
    shutil.copytree(trained_folder, tmp_path / "training")
    if content is None:
        (tmp_path / "training" / "best.safetensors").unlink()
    else:
        (tmp_path / "training" / "training.json").write_bytes(content)
    with pytest.raises(ValueError, match=r"training is damaged and cannot be gone on with: delete the folder"):
        train(*regression(), epochs=1, folder=tmp_path / "training")


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(PermissionError, match="file cannot be written to: choose a folder of your own"):
        training.Record(tmp_path / "file", {})


def test_numpys_numbers_are_settings_as_well():
    record = training.Record(None, {"seed": np.int64(3), "learning_rate": np.float32(0.5), "epochs": 2})
    assert record.state["recipe"] == {"seed": 3, "learning_rate": 0.5, "epochs": 2}


def test_an_interrupted_training_goes_on_in_the_model_that_was_interrupted(uninterrupted, monkeypatch, tmp_path):
    made = regression()
    monkeypatch.setattr(sys.modules[__name__], "regression", lambda: made)
    killed_after(6, monkeypatch, folder=tmp_path)
    assert_allclose(train(*made, folder=tmp_path)["loss"], uninterrupted[0], atol=1e-6)


def test_a_loss_that_is_no_number_stops_and_names_the_batch():
    model, batches = regression(shuffle=False)
    batches.targets[4] = np.nan  # the third batch of two
    with pytest.raises(FloatingPointError, match=r"loss is nan at batch 3 of epoch 1 \(rows 4, 5, the first is 'a game'\)"):
        train(model, batches)


def test_weights_that_the_last_step_spoilt_are_not_called_finished(monkeypatch, tmp_path):
    model, batches = regression(batch_size=8)  # one batch: its loss is a number, what comes after is not looked at
    monkeypatch.setattr(training, "_finite", lambda _: not int(model.optimizer.iterations))
    with pytest.raises(FloatingPointError, match="no numbers any more .* after epoch 1"):
        train(model, batches, epochs=1, folder=tmp_path)
    assert not json.loads((tmp_path / "training.json").read_text())["finished"] and not (tmp_path / "best.safetensors").exists()


def test_a_start_that_is_no_number_is_not_written(tmp_path):
    model = sbert.ClassificationHead(untrained())
    model.W_y.assign(model.W_y * np.nan)
    with pytest.raises(ValueError, match="hold NaN or infinity"):
        train(model, model.batches(FIRST, SECOND, LABELS), folder=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_start_whose_training_never_began_is_written_anew(tmp_path):
    model = sbert.ClassificationHead(untrained())
    saving.write_weights(tmp_path / "start.safetensors", {"0": np.zeros(1)})
    training.Record(tmp_path, {}).start_from(model)
    assert len(saving.read_weights(tmp_path / "start.safetensors")) == len(model.get_weights())


@pytest.mark.parametrize("value", [float("nan"), None, "good"])
def test_a_measure_that_is_no_number_stops_the_training(value):
    with pytest.raises(ValueError, match=rf"evaluate\(\) returned {value!r} after epoch 3"):
        training.KeepBest(training.Record(None, {}), lambda: value, None).on_epoch_end(2)


# --- saving -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [lambda: sbert.ClassificationHead(encoder(pooling="max"), parts=("u", "u*v")), lambda: sbert.RegressionHead(encoder())])
def test_what_is_saved_answers_the_same_when_loaded(make, tmp_path):
    model = make()
    model.save(tmp_path / "saved")
    loaded = sbert.load(tmp_path / "saved")
    assert type(loaded) is type(model)
    assert_allclose(sbert.predict(loaded, FIRST, SECOND), sbert.predict(model, FIRST, SECOND), atol=1e-6)
    assert sorted({path.suffix for path in (tmp_path / "saved").rglob("*") if path.is_file()} - {".json", ".safetensors", ".txt"}) == []
    assert os.listdir(tmp_path) == ["saved"]


def test_a_head_is_saved_over_a_head_and_over_nothing_else(tmp_path):
    model = sbert.RegressionHead(encoder())
    for _ in range(2):
        model.save(tmp_path / "saved")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(ValueError, match=r"holds something else \(chapter.txt\)"):
        model.save(tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.txt").read_text("utf-8") == "mine"


def test_the_home_folder_is_spelt_with_a_tilde(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    model = sbert.RegressionHead(untrained())
    model.save("~/saved")
    with pytest.raises(FileExistsError, match="choose another name"):
        model.save("~/saved", overwrite=False)
    assert isinstance(sbert.load("~/saved"), sbert.RegressionHead)
    training.Record("~/training", {})
    assert sorted(os.listdir(tmp_path)) == ["saved", "training"]


def test_a_head_is_not_saved_over_an_encoder(tmp_path):
    untrained().save(tmp_path / "encoder")
    with pytest.raises(ValueError, match=r"holds something else \(1_Pooling\)"):
        sbert.RegressionHead(untrained()).save(tmp_path / "encoder")


def full_disk(arrays, path, *_, **__):
    safetensors_save(arrays, path)
    os.truncate(path, 10)
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_leaves_the_earlier_save_whole(tmp_path, monkeypatch):
    model = sbert.ClassificationHead(encoder())
    model.save(tmp_path / "saved")
    before = {path: path.read_bytes() for path in (tmp_path / "saved").rglob("*") if path.is_file()}
    model.W_y.assign_add(tf.ones_like(model.W_y))
    monkeypatch.setattr("safetensors.numpy.save_file", full_disk)
    with pytest.raises(OSError, match="The disk is full: nothing was written to .*saved"):
        model.save(tmp_path / "saved")
    assert {path: path.read_bytes() for path in (tmp_path / "saved").rglob("*") if path.is_file()} == before
    assert os.listdir(tmp_path) == ["saved"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full here, the device that is always full")
def test_a_really_full_disk_is_explained(tmp_path):
    (tmp_path / "weights").write_text("earlier")
    os.symlink("/dev/full", tmp_path / "weights.partial")
    with pytest.raises(OSError, match="The disk is full"):
        saving.write_text(tmp_path / "weights", "later")
    assert (tmp_path / "weights").read_text() == "earlier"


def test_a_full_disk_while_training_keeps_the_last_epoch(uninterrupted, tmp_path, monkeypatch):
    model, batches = regression()
    calls = []

    def full_at_the_second_epoch(arrays, path, *_, **__):
        calls.append(path)
        return safetensors_save(arrays, path) if len(calls) < 3 else full_disk(arrays, path)  # start, epoch 1, epoch 2

    monkeypatch.setattr("safetensors.numpy.save_file", full_at_the_second_epoch)
    with pytest.raises(OSError, match="The disk is full: the last complete epoch"):
        train(model, batches, folder=tmp_path)
    monkeypatch.undo()
    assert_allclose(train(*regression(), folder=tmp_path)["loss"], uninterrupted[0], atol=1e-6)


def test_a_folder_without_a_head_is_explained(tmp_path):
    with pytest.raises(OSError, match="holds no sbert_head.json"):
        sbert.load(tmp_path)


@pytest.fixture(scope="module")
def saved_head(tmp_path_factory):
    folder = tmp_path_factory.mktemp("head") / "saved"
    sbert.ClassificationHead(untrained()).save(folder)
    return folder


@pytest.mark.parametrize("file, content", [
    ("sbert_head.json", b""), ("sbert_head.json", b'{"head": "Classif'), ("sbert_head.json", b"{}"), ("sbert_head.json", b"[]"),
    ("sbert_head.json", b"\xff\xfe\x00"), ("sbert_head.json", b'{"head": "AnotherHead"}'), ("sbert_head.json", b'{"head": ["RegressionHead"]}'),
    ("sbert_head.safetensors", None), ("sbert_head.safetensors", b""), ("sbert_head.safetensors", b"\x08"),
    # one that loads the encoder: both files are whole, and do not belong together
    ("sbert_head.json", b'{"head": "ClassificationHead", "classes": 2, "parts": ["u", "v", "abs(u-v)"]}'),
    ("sbert_head.json", b'{"head": "RegressionHead", "classes": 3}'),
])
def test_a_damaged_head_is_named(saved_head, tmp_path, file, content):
    shutil.copytree(saved_head, tmp_path / "saved")
    if content is None:
        (tmp_path / "saved" / file).unlink()
    else:
        (tmp_path / "saved" / file).write_bytes(content)
    with pytest.raises(ValueError, match=r"The head in .*saved .* is damaged: save it again"):
        sbert.load(tmp_path / "saved")


def test_a_file_instead_of_a_head_s_folder_is_explained(saved_head):
    with pytest.raises(OSError, match="holds no sbert_head.json: give the folder"):
        sbert.load(saved_head / "sbert_head.json")


# --- bad input ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("labels, message", [
    ([0, 1, 2, 3] * 2, r"Label 3 in row 3: with 3 classes a label is 0 to 2 \(entailment, neutral, contradiction\)"),
    (["entailment"] * 7 + ["-"], r"Label '-' in row 7"),
    ([0, 1.5] * 4, r"Label 1.5 in row 1"),
    ([0, None] * 4, r"Label None in row 1"),
    (pd.Series([0, 1, 2, 0, 1, 2, 0, None]), r"Label nan in row 7: there is none, leave this pair out"),
])
def test_labels_out_of_range_are_named(labels, message):
    with pytest.raises(ValueError, match=message):
        sbert.ClassificationHead(untrained()).batches(FIRST, SECOND, labels)


def test_values_of_a_table_are_named_as_plain_numbers():
    scores = pd.DataFrame({"score": [5.0, 7.0], "label": [0, 3]})
    with pytest.raises(ValueError, match="Score 7.0 in row 1"):
        sbert.RegressionHead(untrained()).batches(["a", "a"], ["a", "a"], scores["score"])
    with pytest.raises(ValueError, match="Label 3 in row 1"):
        sbert.ClassificationHead(untrained()).batches(["a", "a"], ["a", "a"], scores["label"])


@pytest.mark.parametrize("score", [-0.5, 7, float("nan"), None])
def test_scores_out_of_range_are_named(score):
    with pytest.raises(ValueError, match=f"Score {score!r} in row 1: STS scores go from 0 to 5"):
        sbert.RegressionHead(untrained()).batches(["a", "a"], ["a", "a"], [5, score])


def test_a_score_that_is_a_text_is_named_so():
    with pytest.raises(ValueError, match="Score '4' in row 1 is a text, not a number"):
        sbert.RegressionHead(untrained()).batches(["a", "a"], ["a", "a"], [5, "4"])


@pytest.mark.parametrize("head", [sbert.ClassificationHead, sbert.RegressionHead])
def test_no_targets_are_refused(head):
    with pytest.raises(TypeError, match="should be a list with one entry a pair, not None"):
        head(untrained()).targets(None)


@pytest.mark.parametrize("first, second, scores, error, message", [
    ([], [], [], ValueError, "sentences1 is empty"),
    (None, ["a"], [1], TypeError, "sentences1 should be a list .*not None"),
    (["a"], ["a"], None, TypeError, "targets should be a list .*not None"),
    (["a", "a"], ["a"], [1, 2], ValueError, r"sentences1 2, sentences2 1, targets 2"),
    (["a", None], ["a", "a"], [1, 2], TypeError, "Row 1 of sentences1 is None"),
    (["a"], [" "], [1], ValueError, "Row 0 of sentences2 is empty"),
    ("a", ["a"], [1], TypeError, "sentences1 should be a list"),
    (pd.DataFrame({"text": ["a"]}), ["a"], [1], TypeError, r"not DataFrame: give one column, like table\['text'\]"),
    (["a"], {"a": 1}, [1], TypeError, "sentences2 should be a list, not dict: give one column"),
    (["a"], ["a"], {1}, TypeError, "targets should be a list, not set: give one column"),
    (["a", "a"], ["a", "\u200b"], [1, 2], ValueError, "Row 1 of sentences2 is empty"),
    (["a", "\ud800"], ["a", "a"], [1, 2], ValueError, "Row 1 of sentences1: .*holds half a character"),
])
def test_bad_pairs_are_named(first, second, scores, error, message):
    with pytest.raises(error, match=message):
        sbert.RegressionHead(untrained()).batches(first, second, scores)


@pytest.mark.parametrize("seed", [-1, None, 1.5, True, "x"])
def test_an_impossible_seed_of_the_order_is_named_before_the_training(seed):
    with pytest.raises(ValueError, match=f"seed={seed!r}: give a whole number from 0"):
        regression(seed=seed)


@pytest.mark.parametrize("settings, message", [
    ({"parts": ("u", "w")}, "choose one or more of u, v"), ({"parts": ()}, "choose one or more"), ({"classes": 1}, "at least 2 classes"),
])
def test_impossible_heads_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        sbert.ClassificationHead(untrained(), **settings)


@pytest.mark.parametrize("settings", [{"epochs": 0}, {"learning_rate": -1}, {"warm_up": 2}, {"patience": 0}, {"epochs": 1.5},
    {"clip": 0}, {"clip": -1}, {"clip": float("nan")}, {"clip": "x"}, {"seed": -1}, {"seed": None}, {"seed": "x"}, {"seed": 2**32}], ids=str)
def test_impossible_settings_are_refused(settings):
    with pytest.raises(ValueError, match=f"{next(iter(settings))}=.* makes no sense"):
        train(*regression(), **settings)


def test_patience_without_a_measure_is_refused():
    with pytest.raises(ValueError, match="give evaluate="):
        train(*regression(), patience=1)


def test_a_ranking_of_equal_scores_is_refused():
    with pytest.raises(ValueError, match="at least two different scores"):
        sbert.spearman(untrained(), FIRST, SECOND, [3.0] * 8)


@pytest.mark.parametrize("score", [float("nan"), None, pd.NA, "good"])
def test_a_score_without_a_rank_is_named(score):
    with pytest.raises(ValueError, match=rf"Score {score!r} in row 2 is no number"):
        sbert.spearman(untrained(), FIRST, SECOND, [1, 2, score, 3, 4, 5, 0, 1])


def test_scores_that_are_texts_are_ranked_as_numbers():
    scores = [10, 9, 100, 1, 2, 3, 20, 0]
    assert sbert.spearman(untrained(), FIRST, SECOND, [str(score) for score in scores]) == sbert.spearman(untrained(), FIRST, SECOND, scores)


def test_accuracy_refuses_what_it_cannot_count():
    with pytest.raises(ValueError, match="sentences1 2, sentences2 2, labels 1"):
        sbert.accuracy(sbert.ClassificationHead(untrained()), FIRST[:2], SECOND[:2], [0])
    with pytest.raises(TypeError, match="measure it with sbert.spearman"):
        sbert.accuracy(sbert.RegressionHead(untrained()), FIRST[:2], SECOND[:2], [0, 1])


def test_messages_are_korean_for_korean_readers(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    with pytest.raises(ValueError, match="1번 행의 점수가 7"):
        sbert.RegressionHead(untrained()).batches(["a", "a"], ["a", "a"], [5, 7])


# --- several devices ----------------------------------------------------------------------------------------------

TWO_DEVICES = """
import json, sys
from helpers import environment
environment.prepare()
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests import test_sbert as t
losses = []
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    with strategy.scope():
        model = t.sbert.ClassificationHead(t.without_dropout(t.encoder()))
    batches = model.batches(t.FIRST, t.SECOND, t.LABELS, batch_size=4, shuffle=True)
    losses.append(t.train(model, batches, epochs=2)["loss"].tolist())
    replicas = strategy.num_replicas_in_sync
print(json.dumps({"losses": losses, "replicas": replicas}))
"""

WORKER = """
import json, sys
from helpers import environment
environment.prepare()
import tensorflow as tf
strategy = tf.distribute.MultiWorkerMirroredStrategy()
from tests import test_sbert as t
with strategy.scope():
    model = t.sbert.ClassificationHead(t.without_dropout(t.encoder()))
    model.compile(t.keras.optimizers.Adam(1e-3))
batches = model.batches(t.FIRST, t.SECOND, t.LABELS, batch_size=4, shuffle=True)
backup = t.keras.callbacks.BackupAndRestore(sys.argv[1])
history = model.fit(batches.dataset(), epochs=2, callbacks=[backup], verbose=0)
print(json.dumps({"losses": history.history["loss"], "replicas": strategy.num_replicas_in_sync}))
"""


def run(program, *arguments, **variables):
    """A Python of its own, because TensorFlow's devices are fixed at its first use."""
    environment_variables = {**os.environ, "PYTHONPATH": str(ROOT), "CUDA_VISIBLE_DEVICES": "-1", **variables}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], cwd=ROOT, env=environment_variables, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def answer(process):
    try:
        out, err = process.communicate(timeout=850)
    finally:
        process.kill()
    assert process.returncode == 0, err[-3000:]
    return json.loads(out.strip().splitlines()[-1])


def assert_same_losses(several, one):
    """Sums in another order differ in the last digit; Adam, which divides by the gradients' size, lets that grow with every step."""
    assert_allclose(several[0], one[0], atol=1e-5)
    assert_allclose(several[1:], one[1:], atol=1e-3)


@pytest.mark.slow
def test_two_mirrored_devices_give_the_losses_of_one():
    made = answer(run(TWO_DEVICES))
    assert made["replicas"] == 2
    assert_same_losses(made["losses"][1], made["losses"][0])


@pytest.mark.slow
def test_two_workers_give_the_losses_of_one(tmp_path):
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        addresses = [f"127.0.0.1:{each.getsockname()[1]}" for each in (one, other)]
    workers = [
        run(WORKER, str(tmp_path / "backup"), TF_CONFIG=json.dumps({"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}))
        for index in range(2)
    ]
    made = [answer(worker) for worker in workers]
    model = sbert.ClassificationHead(without_dropout(encoder()))
    model.compile(keras.optimizers.Adam(1e-3))
    alone = model.fit(model.batches(FIRST, SECOND, LABELS, batch_size=4, shuffle=True).dataset(), epochs=2, verbose=0)
    for each in made:
        assert each["replicas"] == 2
        assert_same_losses(each["losses"], alone.history["loss"])


def test_several_workers_are_told_that_the_folder_is_not_for_them(monkeypatch, tmp_path):
    model, batches = regression()

    class Several(tf.distribute.MultiWorkerMirroredStrategy):
        def __init__(self):
            pass

    monkeypatch.setattr(type(model), "distribute_strategy", property(lambda _: Several()))
    with pytest.raises(ValueError, match="see docs/distributed.md"):
        train(model, batches, folder=tmp_path)
