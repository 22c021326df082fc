"""Sentence-BERT's two objectives as Keras models: one encoder reads both sentences of a pair, a small head compares them.

Source: the document, part "Sentence-BERT", and Reimers & Gurevych 2019 (arXiv 1908.10084), section 3.

    model = sbert.ClassificationHead(encoder)                               # encoder: a SentenceEncoder
    batches = model.batches(nli.premise, nli.hypothesis, nli.label, shuffle=True)
    model.compile(optimizer=keras.optimizers.Adam(2e-5))
    model.fit(batches.dataset(), epochs=1)

`helpers.training.train` does the last two lines with warm-up, a score on held-out pairs, and a way back after an
interruption. The encoder that was trained is `model.encoder`. Importing this module imports TensorFlow: its classes are
Keras models.
"""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
import tf_keras as keras
from scipy.stats import spearmanr

from helpers import encoding, pairs, saving, sentence_encoder
from helpers.language import say

LABELS = ("entailment", "neutral", "contradiction")  # label 0, 1, 2
PARTS = {  # what h can be made of; u and v are float32 (batch, n)
    "u": lambda u, v: u,
    "v": lambda u, v: v,
    "abs(u-v)": lambda u, v: tf.abs(u - v),
    "u*v": lambda u, v: u * v,
}
HIGHEST_SCORE = 5  # STS scores go from 0 to 5
HEAD_FILE, HEAD_WEIGHTS = "sbert_head.json", "sbert_head.safetensors"


class SiamesePair(keras.Model):
    """What both objectives share: the same encoder, with the same weights, reads sentence 1 and sentence 2.

    Args:
        encoder: a `SentenceEncoder`. It is trained, not copied.

    Attributes:
        encoder: the `SentenceEncoder`.
    """

    def __init__(self, encoder):
        super().__init__()
        self.encoder = encoder
        self.bert = encoder.model  # so that Keras finds its weights

    def sentence_vectors(self, inputs, training=False):
        """The vectors u and v of each pair.

        Args:
            inputs: {"input_ids", "attention_mask"}, int32 (batch, 2, tokens); `pairs.Batches` makes them.
            training: bool, with dropout.

        Returns:
            u and v, float32 (batch, n) each.
        """
        tokens = tf.shape(inputs["input_ids"])[2]
        # Both sentences in one pass: rows 0 and 1 are the first pair, rows 2 and 3 the second, and so on.
        input_ids = tf.reshape(inputs["input_ids"], (-1, tokens))
        attention_mask = tf.reshape(inputs["attention_mask"], (-1, tokens))
        vectors = self.encoder.vectors(input_ids, attention_mask, training=training)
        return vectors[0::2], vectors[1::2]

    def batches(self, sentences1, sentences2, targets, batch_size=16, shuffle=False, seed=1):
        """Pairs and their labels or scores as training batches.

        Args:
            sentences1: list of str, or a column of a DataFrame.
            sentences2: as many.
            targets: as many; what `self.targets` takes.
            batch_size, shuffle, seed: as `pairs.Batches`.

        Returns:
            pairs.Batches; give its `dataset()` to `fit` and `evaluate`.

        Raises:
            TypeError, ValueError: as `pairs.Batches` and `self.targets`.
        """
        pairs.check_lengths(sentences1=sentences1, sentences2=sentences2, targets=targets)
        first, second = pairs.sentences(sentences1, "sentences1"), pairs.sentences(sentences2, "sentences2")
        return pairs.Batches(self.encoder, first, second, self.targets(targets), batch_size, shuffle, seed)

    def compile(self, optimizer="adam", loss=None, metrics=None, **settings):
        """As `keras.Model.compile`; `loss` and `metrics` are the objective's own unless you give others."""
        super().compile(optimizer, loss or self.objective(), self.own_metrics() if metrics is None else metrics, **settings)

    def save(self, folder, overwrite=True):
        """Write encoder and head into a folder of safetensors and JSON, all of it or nothing.

        Args:
            folder: str or Path; new, empty, or one that `save` wrote. What stands there stays whole until everything new is written.
            overwrite: bool.

        Raises:
            FileExistsError: it is there, and `overwrite` is False.
            ValueError: the folder holds other files.
            OSError: it cannot be written, a full disk for example; what stood there is untouched.
        """
        folder = Path(folder).expanduser()
        if folder.exists() and not overwrite:
            raise FileExistsError(say(f"{folder} exists: choose another name.", f"{folder}이(가) 이미 있습니다: 다른 이름을 고르세요."))
        with saving.replacing(folder, {*sentence_encoder.OUR_FILES, HEAD_FILE, HEAD_WEIGHTS}, HEAD_FILE) as partial:
            self.encoder.save(partial)
            (partial / HEAD_FILE).write_text(json.dumps({"head": type(self).__name__, **self.settings()}), encoding="utf-8")
            saving.write_weights(partial / HEAD_WEIGHTS, self.head_weights())


class ClassificationHead(SiamesePair):
    """Which of k relations two sentences are in: logits = h W_y with h = (u; v; |u-v|), trained by softmax cross-entropy.

    Source: arXiv 1908.10084, section 3, "Classification Objective Function"; W_y has the shape (3n, k) and no bias.

    Args:
        encoder: a `SentenceEncoder` of n dimensions.
        classes: int, k.
        parts: names from `PARTS`, what h is made of. Others than the paper's are for an ablation.
        seed: int, of the first W_y.

    Raises:
        ValueError: an unknown part, or none; fewer than two classes.
    """

    def __init__(self, encoder, classes=len(LABELS), parts=("u", "v", "abs(u-v)"), seed=1):
        super().__init__(encoder)
        if isinstance(parts, str) or not parts or any(part not in PARTS for part in parts):
            raise ValueError(say(
                f"parts={parts!r}: choose one or more of {', '.join(PARTS)}, like parts=('u', 'v', 'abs(u-v)').",
                f"parts={parts!r}: {', '.join(PARTS)} 가운데 하나 이상을 고르세요. 예: parts=('u', 'v', 'abs(u-v)').",
            ))
        if not encoding.is_whole(classes) or classes < 2:
            raise ValueError(say(
                f"classes={classes!r}: a choice needs at least 2 classes.", f"classes={classes!r}: 클래스는 2개 이상이어야 합니다.",
            ))
        self.classes, self.parts = int(classes), tuple(parts)
        self.output_layer = keras.layers.Dense(
            self.classes, use_bias=False, kernel_initializer=keras.initializers.GlorotUniform(seed=seed), name="W_y"
        )
        with tf.name_scope("W_y"):
            self.output_layer.build((None, len(self.parts) * encoder.hidden))

    @property
    def W_y(self):
        """The head's weights, a variable of float32 (3n, k)."""
        return self.output_layer.kernel

    def h(self, u, v):
        """What the head reads: float32 (batch, 3n) with the paper's three parts."""
        return tf.concat([PARTS[part](u, v) for part in self.parts], axis=-1)

    def call(self, inputs, training=False):
        """Logits, float32 (batch, k); softmax makes probabilities of them."""
        u, v = self.sentence_vectors(inputs, training)
        return self.output_layer(self.h(u, v))

    def targets(self, labels):
        """Labels as int32 (pairs,).

        Args:
            labels: list of int from 0 to k-1, or of the names in `LABELS`.

        Raises:
            TypeError: None, or no list.
            ValueError: any other label; names it and its row.
        """
        pairs.check_lengths(labels=labels)
        numbers = {name: number for number, name in enumerate(LABELS) if number < self.classes}
        found, given = [], np.asarray(labels, dtype=object).tolist()
        for row, label in enumerate(given):  # first: one gap makes floats of a column's other labels, which are not to blame
            if _missing(label):
                raise ValueError(say(
                    f"Label {label!r} in row {row}: there is none, leave this pair out (table.dropna()), or write its label.",
                    f"{row}번 행의 레이블이 {label!r}입니다: 레이블이 없으니 이 쌍을 빼거나(table.dropna()) 레이블을 쓰세요.",
                ))
        if given and all(isinstance(label, float) and label.is_integer() for label in given):
            given = [int(label) for label in given]  # what dropna() leaves of such a column
        for row, label in enumerate(given):
            number = numbers.get(label, label) if isinstance(label, str) else label
            whole = encoding.is_whole(number)
            if not whole or not 0 <= number < self.classes:
                raise ValueError(say(
                    f"Label {label!r} in row {row}: with {self.classes} classes a label is 0 to {self.classes - 1}"
                    + (f" ({', '.join(LABELS)})." if self.classes == len(LABELS) else "."),
                    f"{row}번 행의 레이블이 {label!r}입니다: 클래스가 {self.classes}개면 레이블은 0부터 {self.classes - 1}까지입니다"
                    + (f"({', '.join(LABELS)})." if self.classes == len(LABELS) else "."),
                ))
            found.append(number)
        return np.array(found, dtype="int32")

    def objective(self):
        return keras.losses.SparseCategoricalCrossentropy(from_logits=True)

    def own_metrics(self):
        return [keras.metrics.SparseCategoricalAccuracy(name="accuracy")]

    def settings(self):
        return {"classes": self.classes, "parts": self.parts}

    def head_weights(self):
        return {"W_y": self.W_y.numpy()}


class RegressionHead(SiamesePair):
    """How similar two sentences are: the cosine of u and v, trained by mean squared error against score / 5.

    Source: arXiv 1908.10084, section 3, "Regression Objective Function"; the document divides the scores by 5.

    Args:
        encoder: a `SentenceEncoder`.
    """

    def call(self, inputs, training=False):
        """Cosine of each pair, float32 (batch,), from -1 to 1."""
        return cosine(*self.sentence_vectors(inputs, training))

    def targets(self, scores):
        """Scores from 0 to 5 as float32 (pairs,) from 0 to 1.

        Args:
            scores: list of float.

        Raises:
            TypeError: None, or no list.
            ValueError: a score outside 0 to 5, or no number; names it and its row.
        """
        pairs.check_lengths(scores=scores)
        found = []
        for row, score in enumerate(np.asarray(scores, dtype=object).tolist()):
            if isinstance(score, str):
                raise ValueError(say(
                    f"Score {score!r} in row {row} is a text, not a number: make numbers of the column with pd.to_numeric(scores).",
                    f"{row}번 행의 점수 {score!r}은(는) 수가 아니라 글입니다: pd.to_numeric(scores)로 열을 수로 바꾸세요.",
                ))
            number = score if encoding.is_number(score) else np.nan
            if not 0 <= number <= HIGHEST_SCORE:
                raise ValueError(say(
                    f"Score {score!r} in row {row}: STS scores go from 0 to {HIGHEST_SCORE}; they are divided by {HIGHEST_SCORE} here, not by you.",
                    f"{row}번 행의 점수가 {score!r}입니다: STS 점수는 0부터 {HIGHEST_SCORE}까지이며, {HIGHEST_SCORE}로 나누는 것은 여기서 합니다.",
                ))
            found.append(number)
        return np.array(found, dtype="float32") / np.float32(HIGHEST_SCORE)

    def objective(self):
        return keras.losses.MeanSquaredError()

    def own_metrics(self):
        return []

    def settings(self):
        return {}

    def head_weights(self):
        return {}


def _missing(value):
    """None, NaN or pandas' NA: an empty cell of a table."""
    return value is None or value is pd.NA or isinstance(value, (float, np.floating)) and np.isnan(value)


HEADS = {head.__name__: head for head in (ClassificationHead, RegressionHead)}


def load(folder):
    """What `model.save(folder)` wrote.

    Args:
        folder: str or Path.

    Returns:
        ClassificationHead or RegressionHead.

    Raises:
        OSError: the folder holds no saved head, or may not be read.
        ValueError: head or encoder is damaged.
    """
    folder = Path(folder).expanduser()
    try:
        written = (folder / HEAD_FILE).read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        raise FileNotFoundError(say(
            f"{folder} holds no {HEAD_FILE}: give the folder that model.save(...) wrote.",
            f"{folder}에 {HEAD_FILE} 파일이 없습니다: model.save(...)로 저장한 폴더를 주세요.",
        )) from None
    try:
        settings = json.loads(written)
        head, weights = HEADS[settings.pop("head")], saving.read_weights(folder / HEAD_WEIGHTS)
    except PermissionError:
        raise
    except Exception:  # whatever a damaged file makes a reader raise
        raise ValueError(_damaged(folder)) from None
    encoder = sentence_encoder.SentenceEncoder.load(folder)
    try:
        model = head(encoder, **settings)
        if isinstance(model, ClassificationHead):
            model.W_y.assign(weights["W_y"])
    except (KeyError, TypeError, ValueError):
        raise ValueError(_damaged(folder)) from None
    return model


def _damaged(folder):
    return say(
        f"The head in {folder} ({HEAD_FILE}, {HEAD_WEIGHTS}) is damaged: save it again with model.save(...).",
        f"{folder}의 헤드({HEAD_FILE}, {HEAD_WEIGHTS})가 손상되었습니다: model.save(...)로 다시 저장하세요.",
    )


# --- evaluation ---------------------------------------------------------------------------------------------------


def cosine(u, v):
    """Cosine similarity row by row: tensors of float32 (batch, n) twice, then (batch,). Never batch × batch."""
    return tf.reduce_sum(tf.math.l2_normalize(u, axis=-1) * tf.math.l2_normalize(v, axis=-1), axis=-1)


def spearman(encoder, sentences1, sentences2, scores):
    """How well the cosines rank pairs as people do: Spearman's rank correlation, the measure of arXiv 1908.10084, section 4.

    Args:
        encoder: a `SentenceEncoder`.
        sentences1: list of str.
        sentences2: as many.
        scores: as many numbers, what people gave.

    Returns:
        float from -1 to 1. Papers print it times 100.

    Raises:
        TypeError, ValueError: as `pairs.Batches`; a score that is no number (its row is named); all scores (or all cosines) are the
            same, so that there is no ranking.
    """
    first, second = pairs.sentences(sentences1, "sentences1"), pairs.sentences(sentences2, "sentences2")
    pairs.check_lengths(sentences1=first, sentences2=second, scores=scores)
    scores = np.array([_number(score, row) for row, score in enumerate(scores)])
    vectors = np.asarray(encoder.encode(first + second))
    cosines = np.asarray(cosine(vectors[:len(first)], vectors[len(first):]))
    if len(set(scores)) < 2 or len(set(cosines)) < 2:
        raise ValueError(say(
            "A ranking needs at least two different scores and two different similarities: give more pairs.",
            "순위를 매기려면 서로 다른 점수와 유사도가 둘 이상 있어야 합니다: 쌍을 더 주세요.",
        ))
    return float(spearmanr(cosines, scores).statistic)


def _number(score, row):
    try:
        number = float(score)
    except (TypeError, ValueError):
        number = np.nan
    if np.isnan(number):
        raise ValueError(say(
            f"Score {score!r} in row {row} is no number, so that it has no rank: leave this pair out, or write its score.",
            f"{row}번 행의 점수 {score!r}은(는) 수가 아니어서 순위가 없습니다: 이 쌍을 빼거나 점수를 쓰세요.",
        ))
    return number


def accuracy(model, sentences1, sentences2, labels, batch_size=64):
    """The share of pairs whose most probable label is the right one.

    Args:
        model: a `ClassificationHead`.
        sentences1: list of str.
        sentences2: as many.
        labels: as many, what `model.targets` takes.
        batch_size: int.

    Returns:
        float from 0 to 1.

    Raises:
        TypeError: the model is a `RegressionHead`, which gives no labels.
        TypeError, ValueError: as `pairs.Batches` and `model.targets`.
    """
    if isinstance(model, RegressionHead):
        raise TypeError(say(
            "A RegressionHead gives similarities, not labels: measure it with sbert.spearman(model.encoder, ...).",
            "RegressionHead는 레이블이 아니라 유사도를 냅니다: sbert.spearman(model.encoder, ...)으로 재세요.",
        ))
    pairs.check_lengths(sentences1=sentences1, sentences2=sentences2, labels=labels)
    right = model.targets(labels)
    return float((predict(model, sentences1, sentences2, batch_size).argmax(axis=-1) == right).mean())


def predict(model, sentences1, sentences2, batch_size=64):
    """What the model answers for each pair, in the order given.

    Args:
        model: a `ClassificationHead` or a `RegressionHead`.
        sentences1: list of str.
        sentences2: as many.
        batch_size: int.

    Returns:
        float32 (pairs, k) logits, or (pairs,) cosines.
    """
    nothing = np.zeros(len(sentences1) if hasattr(sentences1, "__len__") else 0, dtype="int32")
    batches = pairs.Batches(model.encoder, sentences1, sentences2, nothing, batch_size)
    by_length = np.argsort(batches.lengths, kind="stable")  # little padding
    answers = None
    for start in range(0, len(by_length), batch_size):
        rows = by_length[start:start + batch_size]
        part = _forward(model)({name: tf.constant(array) for name, array in batches.inputs(rows).items()}).numpy()
        if answers is None:
            answers = np.empty((len(by_length), *part.shape[1:]), dtype=part.dtype)
        answers[rows] = part
    return answers


def _forward(model):
    """The model without dropout as one graph for every length, made once a model."""
    if not hasattr(model, "_course_forward"):
        pieces = tf.TensorSpec((None, 2, None), tf.int32)
        signature = [{"input_ids": pieces, "attention_mask": pieces}]
        model._course_forward = tf.function(lambda inputs: model(inputs, training=False), input_signature=signature)
    return model._course_forward
