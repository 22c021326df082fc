"""Train a head of `helpers.sbert` or a `distillation.Distillation` as the paper does, and go on after an interruption.

    history = training.train(model, batches, epochs=4, folder="build/sts",
                             evaluate=lambda: sbert.spearman(encoder, dev.sentence1, dev.sentence2, dev.score))

Adam, warm-up over the first tenth of the steps and then a linear decay to zero (arXiv 1908.10084, section 3.1), gradients
clipped to norm 1. It is `model.compile` and `model.fit` with the callbacks below; use those by themselves where you like.
"""

import gc
import hashlib
import json
import math
import time
import weakref
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
import tf_keras as keras

from helpers import encoding, saving
from helpers.language import say

STATE_FILE, START_FILE, BEST_FILE, BACKUP = "training.json", "start.safetensors", "best.safetensors", "backup"
STARTS = weakref.WeakKeyDictionary()  # {a head or its BERT that this process trained: {folder: what `_mark` gave before}}


def train(model, batches, epochs=1, learning_rate=2e-5, warm_up=0.1, clip=1.0, evaluate=None, patience=None, folder=None,
          seed=1, progress=True):
    """Train a model on pairs; afterwards it holds the weights of its best epoch.

    The same seed gives the same losses to 1e-6. With `folder`, a training that was interrupted goes on from the last
    epoch that was complete and ends at the same weights as one that was not (`keras.callbacks.BackupAndRestore` after
    every epoch; the epoch that was cut off is done again from its beginning).

    Args:
        model: `sbert.ClassificationHead`, `sbert.RegressionHead` or `distillation.Distillation`.
        batches: what `model.batches(..., shuffle=True)` returned.
        epochs: int.
        learning_rate: float, the highest that is reached.
        warm_up: float from 0 to 1, the share of all steps over which it rises.
        clip: float, the norm that all gradients together are clipped to; None clips nothing.
        evaluate: function without arguments, called after every epoch, or None. Returns a float, more is better, measured
            on held-out pairs: a Spearman correlation or an accuracy. The best epoch is chosen by it.
        patience: int, stop after so many epochs without a better value; None never stops early.
        folder: str or Path where the training can be gone on with, or None. It goes on only with the same data,
            settings and start weights. Not for several workers (docs/distributed.md).
        seed: int, of dropout. The order of the pairs has its own seed in `batches`.
        progress: bool, a bar with the remaining time.

    Returns:
        DataFrame, one row an epoch: `epoch` (from 1), `loss`, the model's metrics, and `development` where `evaluate` is given.
        Its `attrs["seconds"]` is the time that was spent training, all sessions together.

    Raises:
        ValueError: a setting makes no sense, like patience without `evaluate`; `folder` holds another training or a damaged one, or
            the weights to start from are no numbers; `evaluate` returned no number.
        PermissionError: `folder` cannot be written to, or is a file.
        FloatingPointError: the loss is no longer a number, the batch is named; or the weights are none after an epoch.
        OSError: the disk is full; the last complete epoch in `folder` is whole.
    """
    _check(epochs, learning_rate, warm_up, clip, patience, seed)
    if patience is not None and evaluate is None:
        raise ValueError(say(
            f"patience={patience} waits for a better value, but nothing is measured: give evaluate=, or leave patience out.",
            f"patience={patience}은(는) 더 좋은 값을 기다리는데 재는 것이 없습니다: evaluate=를 주거나 patience를 빼세요.",
        ))
    strategy = model.distribute_strategy
    if folder and isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        raise ValueError(say(
            "Several workers cannot share this folder: use model.fit with BackupAndRestore, see docs/distributed.md.",
            "여러 워커가 이 폴더를 함께 쓸 수 없습니다: model.fit과 BackupAndRestore를 쓰세요(docs/distributed.md 참고).",
        ))
    folder = Path(folder).expanduser() if folder else None
    start = _start(model, folder) if folder else {}
    record = Record(folder, {
        "head": type(model).__name__, **model.settings(), "pairs": len(batches.targets), "batch_size": batches.batch_size,
        "order_seed": batches.seed, "shuffle": bool(batches.shuffle), "epochs": epochs, "learning_rate": learning_rate,
        "warm_up": warm_up, "clip": clip, "patience": patience, "seed": seed,
        **({**_reading(model), **_data(batches), **{name: mark for name, (_, mark) in start.items()}} if folder else {}),
    })
    for part, mark in start.values():  # the folder is this training's: run again in this process, it is known by its first start
        STARTS.setdefault(part, {})[_place(folder)] = mark
    if record.state["finished"]:
        record.restore(model)
        return record.table()
    seed_everything(seed)
    gc.collect()  # an earlier head and its optimizer's state hold each other, until somebody looks: hundreds of megabytes
    with strategy.scope():
        schedule = WarmUpLinearDecay(learning_rate, epochs * batches.steps, round(warm_up * epochs * batches.steps))
        model.compile(keras.optimizers.Adam(schedule, global_clipnorm=clip))
        model.optimizer.build(model.trainable_variables)
    record.start_from(model)
    callbacks = [SameDropoutOrder(batches, seed), StopAtNaN(batches), KeepBest(record, evaluate, patience)]
    if folder:
        callbacks.append(keras.callbacks.BackupAndRestore(str(record.folder / BACKUP)))
        callbacks.append(GoOn(record, batches))
    bar = ProgressBar()
    if progress:
        callbacks.append(bar)
    try:
        model.fit(batches.dataset(), epochs=epochs, callbacks=callbacks, verbose=0)
    except (OSError, tf.errors.OpError) as error:
        if saving.is_disk_full(error):
            raise OSError(say(
                f"The disk is full: the last complete epoch in {folder} is whole. Free some room and run this again: it goes on from there.",
                f"디스크가 가득 찼습니다: {folder}에 있는 마지막 에포크는 그대로입니다. 자리를 비우고 다시 실행하면 거기서부터 이어집니다.",
            )) from error
        raise
    finally:
        bar.close()
    record.restore(model)
    record.finish()
    return record.table()


def seed_everything(seed):
    """Same seed, same numbers: Python, NumPy and TensorFlow, and TensorFlow's operations in their deterministic form."""
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()


def _check(epochs, learning_rate, warm_up, clip, patience, seed):
    for name, value, fits, example in (
        ("epochs", epochs, encoding.is_whole(epochs) and epochs >= 1, "1"),
        ("learning_rate", learning_rate, encoding.is_number(learning_rate) and 0 < learning_rate < math.inf, "2e-5"),
        ("warm_up", warm_up, encoding.is_number(warm_up) and 0 <= warm_up <= 1, "0.1"),
        ("clip", clip, clip is None or encoding.is_number(clip) and 0 < clip < math.inf, "1.0"),
        ("patience", patience, patience is None or encoding.is_whole(patience) and patience >= 1, "2"),
        ("seed", seed, encoding.is_whole(seed) and 0 <= seed < 2**32, "1"),
    ):
        if not fits:
            raise ValueError(say(f"{name}={value!r} makes no sense here: try {name}={example}.",
                                 f"{name}={value!r}: 쓸 수 없는 값입니다. {name}={example}(으)로 해 보세요."))


def _reading(model):
    """How the encoder that is trained reads a sentence."""
    encoder = model.student if hasattr(model, "student") else model.encoder
    return {"pooling": encoder.pooling, "normalize": encoder.normalize, "max_length": encoder.max_length}


def _data(batches):
    """What is trained on: a digest, and one number for vectors, which are calculated and may differ in their last digits."""
    digest = hashlib.sha256()
    for texts in batches.columns.values():
        for text in texts:
            digest.update(f"{len(text)} {text}".encode())
    vectors = batches.targets.ndim > 1
    if not vectors:
        digest.update(np.ascontiguousarray(batches.targets).data)
    return {"data": digest.hexdigest()[:16], **({"vectors": _mark([batches.targets])} if vectors else {})}


def _start(model, folder):
    """{name: (the BERT or the head, the mark of the weights it starts from)}."""
    of_bert = {id(weight) for weight in model.bert.weights}
    # The pooler is not read, and random where a checkpoint has none.
    both = [(id(weight) in of_bert, array) for weight, array in zip(model.weights, model.get_weights()) if "/pooler/" not in weight.name]
    again, start = (Path(folder) / STATE_FILE).is_file(), {}
    for name, part, inside in (("encoder_weights", model.bert, True), ("head_weights", model, False)):
        known = STARTS.get(part, {}).get(_place(folder)) if again else None
        start[name] = part, _mark([array for of, array in both if of == inside]) if known is None else known
    return start


def _place(folder):
    return str(Path(folder).resolve())


def _mark(arrays):
    """A number that other weights do not have, and that hardly moves where the same ones were rounded otherwise."""
    random, product, square = np.random.default_rng(0), 0.0, 0.0
    for array in arrays:
        for part in np.array_split(np.ravel(array), 1 + np.size(array) // 2**20):
            part = part.astype("float64")
            product, square = product + part @ random.standard_normal(len(part)), square + part @ part
    return float(product + 10 * math.sqrt(square))


class WarmUpLinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """The learning rate rises linearly to its peak, then falls linearly to zero.

    Source: arXiv 1908.10084, section 3.1 (warm-up over 10 % of the training data); Devlin et al. 2018, A.2 (linear decay).

    Args:
        peak: float.
        steps: int, in all.
        warm_up_steps: int, how many of them it rises.
    """

    def __init__(self, peak, steps, warm_up_steps):
        super().__init__()
        self.peak, self.steps, self.warm_up_steps = peak, steps, warm_up_steps

    def __call__(self, step):
        done = tf.cast(step, tf.float32) + 1.0  # so that neither the first nor the last step stands still
        rise = done / max(1, self.warm_up_steps)
        fall = (self.steps + 1.0 - done) / max(1, self.steps + 1 - self.warm_up_steps)
        return self.peak * tf.clip_by_value(tf.minimum(rise, fall), 0.0, 1.0)

    def get_config(self):
        return {"peak": self.peak, "steps": self.steps, "warm_up_steps": self.warm_up_steps}


# --- callbacks ----------------------------------------------------------------------------------------------------


class SameDropoutOrder(keras.callbacks.Callback):
    """Starts dropout's random numbers anew in every epoch, and the first epoch with the first order of the pairs.

    So an epoch does not depend on how many were run before it in this process, which is what lets a training go on after
    an interruption as if there had been none. Every epoch draws the same zeros in the same steps; the pairs they fall on are
    others, because they come in another order.
    """

    def __init__(self, batches, seed):
        super().__init__()
        self.batches, self.seed = batches, seed

    def on_train_begin(self, logs=None):
        self.batches.epoch = 0

    def on_epoch_begin(self, epoch, logs=None):
        tf.random.set_seed(self.seed)  # also resets the counters inside graphs that are compiled already


class StopAtNaN(keras.callbacks.Callback):
    """Stops when the loss is no longer a number, and says at which batch, or when the weights are none at the end of an epoch."""

    def __init__(self, batches):
        super().__init__()
        self.batches, self.epoch = batches, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):  # Keras gives the mean since the epoch began: one NaN and it stays NaN
            return
        rows = self.batches.order(self.epoch)[batch]
        first = encoding.quote(next(iter(self.batches.columns.values()))[rows[0]])
        raise FloatingPointError(say(
            f"The loss is {loss} at batch {batch + 1} of epoch {self.epoch + 1} (rows {_some(rows)}, the first is {first}). "
            "Load the encoder again, its weights are spoilt, and lower the learning rate.",
            f"{self.epoch + 1}번째 에포크의 {batch + 1}번째 배치에서 손실이 {loss}이(가) 되었습니다(행 {_some(rows)}, 첫 문장 {first}). "
            "가중치가 망가졌으니 인코더를 다시 불러오고 학습률을 낮추세요.",
        ))

    def on_epoch_end(self, epoch, logs=None):
        if not _finite(self.model):  # the last step may spoil them, and no later loss shows it
            raise FloatingPointError(say(
                f"The weights are no numbers any more (NaN) after epoch {epoch + 1}: load the encoder again and lower the learning rate.",
                f"{epoch + 1}번째 에포크 뒤에 가중치가 수가 아니게(NaN) 되었습니다: 인코더를 다시 불러오고 학습률을 낮추세요.",
            ))


def _finite(model):
    return all(np.isfinite(array).all() for array in model.get_weights())


def _some(rows, at_most=4):
    return ", ".join(str(row) for row in rows[:at_most]) + ("…" if len(rows) > at_most else "")


class KeepBest(keras.callbacks.Callback):
    """Measures on held-out pairs after every epoch, keeps the best weights, stops when there is no progress."""

    def __init__(self, record, evaluate, patience):
        super().__init__()
        self.record, self.evaluate, self.patience = record, evaluate, patience

    def on_train_begin(self, logs=None):
        self.record.clock = time.monotonic()

    def on_epoch_end(self, epoch, logs=None):
        row = {"epoch": epoch + 1, **{name: float(value) for name, value in (logs or {}).items()}}
        if self.evaluate:
            row["development"] = self._value(epoch)
        self.record.add(row, self.model)
        self._stop_if_no_progress(epoch)

    def _value(self, epoch):
        value = self.evaluate()
        try:
            number = float(value)
        except (TypeError, ValueError):
            number = math.nan
        if math.isnan(number):
            raise ValueError(say(
                f"evaluate() returned {value!r} after epoch {epoch + 1}, so that no epoch can be the best: return a number, more is better.",
                f"{epoch + 1}번째 에포크 뒤에 evaluate()가 {value!r}을(를) 돌려주어 가장 좋은 에포크를 고를 수 없습니다: 클수록 좋은 수를 돌려주세요.",
            ))
        return number

    def _stop_if_no_progress(self, epoch):
        if self.patience is not None and epoch + 1 - self.record.state["best"] >= self.patience:
            self.model.stop_training = True


class GoOn(keras.callbacks.Callback):
    """After `BackupAndRestore` has brought back the weights: the record and the order of the pairs follow."""

    def __init__(self, record, batches):
        super().__init__()
        self.record, self.batches = record, batches

    def on_train_begin(self, logs=None):
        done = int(self.model.optimizer.iterations) // self.batches.steps
        self.record.forget_after(done)
        self.batches.epoch = done


class ProgressBar(keras.callbacks.Callback):
    """A bar over all steps with the loss and the remaining time; it leaves nothing behind in a stored notebook."""

    bar = None

    def on_train_begin(self, logs=None):
        from tqdm.auto import tqdm

        total = self.params["epochs"] * self.params["steps"]
        self.bar = tqdm(total=total, initial=int(self.model.optimizer.iterations), unit="batch", leave=False, mininterval=0.5)

    def on_train_batch_end(self, batch, logs=None):
        if logs:
            self.bar.set_postfix_str(f"loss {logs['loss']:.4f}", refresh=False)
        self.bar.update()

    def on_train_end(self, logs=None):
        self.close()

    def close(self):
        if self.bar is not None:
            self.bar.close()


# --- what is known about a training, in memory and, with a folder, on disk ------------------------------------------


class Record:
    """The epochs so far, which was the best, and its weights.

    Args:
        folder: Path or None for memory alone.
        recipe: dict of what must be the same to go on.

    Raises:
        ValueError: the folder holds a training with another recipe (what differs is named), or a damaged one.
        PermissionError: it cannot be written to, or is a file.
    """

    def __init__(self, folder, recipe):
        self.folder = Path(folder).expanduser() if folder else None
        recipe = json.loads(json.dumps(recipe, default=lambda number: number.item()))  # NumPy's numbers
        self.state = {"recipe": recipe, "history": [], "best": 0, "seconds": 0.0, "finished": False}
        self.clock, self._best = time.monotonic(), None
        if self.folder:
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise (saving.locked(self.folder) if saving.is_locked(error) else error) from None
            if (self.folder / STATE_FILE).is_file():
                found = self._read()
                self._refuse_another(found["recipe"], recipe)
                self.state = found

    def _read(self):
        """The state that an earlier session left."""
        try:
            found = json.loads((self.folder / STATE_FILE).read_text(encoding="utf-8"))
            whole = self.state.keys() <= found.keys() and isinstance(found["recipe"], dict)
            whole = whole and (not found["history"] or (self.folder / BEST_FILE).is_file())
        except (ValueError, AttributeError):  # no JSON, no UTF-8, no object
            whole = False
        if not whole:
            raise ValueError(say(
                f"The training in {self.folder} is damaged and cannot be gone on with: delete the folder to start over, or choose another.",
                f"{self.folder}의 학습 기록이 손상되어 이어서 할 수 없습니다: 처음부터 하려면 폴더를 지우고, 아니면 다른 폴더를 고르세요.",
            ))
        return found

    def _refuse_another(self, found, asked):
        differing = [name for name in {**found, **asked} if not _same(found.get(name), asked.get(name))]
        if differing:
            there = ", ".join(f"{name}={found.get(name)!r}" for name in differing)
            here = ", ".join(f"{name}={asked.get(name)!r}" for name in differing)
            raise ValueError(say(
                f"{self.folder} holds another training ({there}, now {here}): choose another folder, or delete it to start over.",
                f"{self.folder}에는 다른 학습이 들어 있습니다({there}, 지금은 {here}): 다른 폴더를 고르거나, 처음부터 하려면 지우세요.",
            ))

    def start_from(self, model):
        """The weights that the training started from: kept at the first start, brought back at the next one."""
        if self.folder is None:
            return
        if all((self.folder / name).is_file() for name in (START_FILE, STATE_FILE)):  # one alone was cut off before it began
            set_weights(model, saving.read_weights(self.folder / START_FILE))
        else:
            if not _finite(model):
                raise ValueError(say(
                    "The weights to start from hold NaN or infinity, so that nothing can be learnt: load the encoder again.",
                    "학습을 시작할 가중치에 NaN이나 무한대가 있어 아무것도 배울 수 없습니다: 인코더를 다시 불러오세요.",
                ))
            saving.write_weights(self.folder / START_FILE, weights(model))
            self._write()

    def add(self, row, model):
        """One more epoch; its weights are kept if it is the best so far, or if there is nothing to choose by."""
        self.state["history"].append(row)
        self.state["seconds"] += time.monotonic() - self.clock
        self.clock = time.monotonic()
        best = self._best_epoch()
        if best == row["epoch"]:
            if self.folder:
                saving.write_weights(self.folder / BEST_FILE, weights(model))
            else:
                self._best = weights(model) if "development" in row else None  # else the model itself holds them
        self.state["best"] = best
        self._write()

    def _best_epoch(self):
        """The earliest epoch with the highest value; the last one where nothing was measured; 0 before the first."""
        history = self.state["history"]
        if not history or "development" not in history[0]:
            return len(history)
        values = [-math.inf if math.isnan(row["development"]) else row["development"] for row in history]
        return 1 + int(np.argmax(values))

    def forget_after(self, epochs):
        """Epochs whose weights were not backed up any more are done again.

        Doing them again gives the same weights, so the file of the best ones is right even if it is from one of them.
        """
        del self.state["history"][epochs:]
        self.state["best"] = self._best_epoch()

    def restore(self, model):
        """The best weights into the model."""
        if self.folder:
            set_weights(model, saving.read_weights(self.folder / BEST_FILE))
        elif self._best is not None:
            set_weights(model, self._best)

    def finish(self):
        self.state["finished"] = True
        self._write()
        if self.folder:
            (self.folder / START_FILE).unlink(missing_ok=True)

    def table(self):
        table = pd.DataFrame(self.state["history"])
        table.attrs["seconds"] = self.state["seconds"]
        return table

    def _write(self):
        if self.folder:
            saving.write_text(self.folder / STATE_FILE, json.dumps(self.state, indent=1))


def _same(one, other):
    """Floats as well: vectors that are calculated again may differ in their last digits."""
    return one == other or isinstance(one, float) and isinstance(other, float) and math.isclose(one, other, rel_tol=1e-6)


def weights(model):
    """{number: array}: all weights of a model, copied."""
    return {str(number): np.array(array) for number, array in enumerate(model.get_weights())}


def set_weights(model, arrays):
    """What `weights` returned, into a model of the same shape."""
    model.set_weights([arrays[str(number)] for number in range(len(arrays))])
