"""`benchmarks.losses`: what is the same for both libraries is the same."""

import hashlib
import importlib.util
import json
import sys

import numpy as np
import pytest

from benchmarks import losses
from helpers import environment

environment.prepare()  # before TensorFlow

from helpers import training


@pytest.mark.parametrize("steps", [1, 7, 100])
def test_both_libraries_get_the_same_learning_rates(steps):
    schedule = training.WarmUpLinearDecay(losses.RATE, steps, round(losses.WARM_UP * steps))
    assert [losses.rate(step, steps) for step in range(steps)] == pytest.approx([float(schedule(step)) for step in range(steps)], rel=1e-5)


def test_both_libraries_take_the_same_steps_where_gradients_are_small():
    import tf_keras

    weight, adam = tf_keras.backend.variable([1.0, 1.0]), tf_keras.optimizers.Adam(losses.RATE)
    gradient, expected, mean, square = np.array([1e-6, 1e-2]), np.ones(2), np.zeros(2), np.zeros(2)
    for step in range(4):
        adam.apply_gradients([(gradient.astype("float32"), weight)])
        mean, square = 0.9 * mean + 0.1 * gradient, losses.BETA_2 * square + (1 - losses.BETA_2) * gradient ** 2
        corrected = mean / (1 - 0.9 ** (step + 1)), square / (1 - losses.BETA_2 ** (step + 1))  # as PyTorch's Adam does
        expected -= losses.RATE * corrected[0] / (np.sqrt(corrected[1]) + losses.epsilon(step))
    assert 1 - weight.numpy() == pytest.approx(1 - expected, rel=2e-3)


def test_pairs_come_from_the_course_where_no_public_set_is(monkeypatch, tmp_path):
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path))
    task = losses.data(8)
    assert {head: [len(column) for column in columns] for head, columns in task["train"].items()} == {head: [8, 8, 8] for head in losses.HEADS}
    assert len(set(map(len, task["dev"]))) == 1
    assert task["used"] == "the course's own train in place of snli dev, the course's own train in place of stsb train, the course's own dev in place of stsb dev"
    assert not set(task["train"]["RegressionHead"][0]) & set(task["dev"][0])


def test_every_seed_of_dropout_is_trained_by_both_and_the_line_tells_how_far_they_go(monkeypatch, tmp_path):
    asked = []

    def run(way, folder, head, task, python, scratch):
        asked.append((way, task["seed"], "given" in task))
        return {"loss": 0.5, "spearman": 60.0 + task["seed"] + (2 if way == losses.THEIRS else 0), "order": [[0], [1]]}

    monkeypatch.setattr(losses, "run", run)
    found = losses.compare(tmp_path, "RegressionHead", {"train": {}, "dev": []}, range(1, 4), sys.executable, tmp_path)
    assert asked == [(way, seed, way == losses.THEIRS) for seed in (1, 2, 3) for way in (losses.OURS, losses.THEIRS)]
    line, difference = losses.row("RegressionHead", 0.1, found)
    assert "| 3 | 2 | 0.50000 | 0.50000 | 62.00 (61.0 – 63.0) | 64.00 (63.0 – 65.0) | -2.00 |" in line and difference == 2


def test_the_page_names_the_weights_and_the_data(monkeypatch, tmp_path):
    def save(checkpoint, folder):
        folder.mkdir()
        (folder / "config.json").write_text('{"hidden_dropout_prob": 0.1}')

    found = {"steps": 2, **{way: {"loss": [0.5], "spearman": [60.0]} for way in (losses.OURS, losses.THEIRS)}}
    monkeypatch.setattr(losses, "save", save)
    monkeypatch.setattr(losses, "compare", lambda *arguments: found)
    monkeypatch.setattr(losses, "data", lambda pairs: {"used": "some pairs"})
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "model.safetensors").write_bytes(b"weights")
    assert losses.main(["--checkpoint", str(tmp_path / "own"), "--seeds", "1", "--output", str(tmp_path / "page.md")]) == 0
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert f"the same start (own, weights with sha256 {hashlib.sha256(b'weights').hexdigest()[:12]}…), pairs (some pairs)" in page
    assert page.count("ClassificationHead") == 2 and "0.00 points; the bar is 1: reached." in page


def test_dropout_is_set_in_a_saved_encoder(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "hidden_size": 4}))
    losses.set_dropout(tmp_path, 0.0)
    assert json.loads((tmp_path / "config.json").read_text()) == {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, "hidden_size": 4}


def test_a_library_that_is_not_there_is_named(tmp_path):
    if importlib.util.find_spec("sentence_transformers"):
        pytest.skip("sentence-transformers is here")
    with pytest.raises(RuntimeError, match="(?s)sentence-transformers, RegressionHead: .*No module named"):
        losses.run(losses.THEIRS, tmp_path, "RegressionHead", {"given": {}}, sys.executable, tmp_path)
