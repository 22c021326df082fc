"""Two languages in one space: a student learns to give a sentence the vector that a teacher gives its translation.

    rows = distillation.parallel("train")                   # columns english and korean
    targets = teacher.encode(rows["english"])
    model = distillation.Distillation(student, hidden=teacher.hidden)  # student: a SentenceEncoder, here a Korean one
    model.align(rows["korean"], targets)                    # a linear map between the two spaces, in one step
    training.train(model, model.batches(rows["korean"], targets, shuffle=True), epochs=3, learning_rate=2e-4)
    model.encode(["..."])                                   # vectors that the teacher's can be compared with

Source: Reimers & Gurevych 2020 (arXiv 2004.09813), section 2: the mean squared error between M(s), the teacher's vector of a
sentence, and M̂(t), the student's vector of its translation. The paper's student also learns M̂(s); ours reads one language.
The linear map is that of Mikolov, Le & Sutskever 2013 (arXiv 1309.4168), there between the words of two languages.
Importing this module imports TensorFlow: its class is a Keras model.
"""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
import tf_keras as keras

from helpers import datasets, encoding, pairs, saving, sentence_encoder
from helpers.language import say

MODULES, STUDENT, DENSE = sentence_encoder.MODULES, "student", "2_Dense"
WEIGHTS, KERNEL = "model.safetensors", "linear.weight"  # sentence-transformers' names
OUR_FILES = {  # what may lie in a folder that `save` replaces
    MODULES, STUDENT, *(f"{STUDENT}/{name}" for name in sentence_encoder.OUR_FILES),
    DENSE, f"{DENSE}/config.json", f"{DENSE}/{WEIGHTS}",
}


def parallel(split):
    """The course's own sentences in both languages; a row says the same in English and in Korean.

    Args:
        split: "train", "dev" or "test". Their themes differ.

    Returns:
        DataFrame: `english`, `korean`; no sentence twice. A pair that one language lacks is left out.

    Raises:
        ValueError: an unknown split.
    """
    if split is None:
        raise ValueError(say("split=None: choose one of train, dev, test.", "split=None: train, dev, test 가운데 하나를 고르세요."))
    columns = {"english": [], "korean": []}
    for read, names in ((datasets.sts, datasets.STS), (datasets.nli, datasets.NLI)):
        english, korean = (read(language, split).drop_duplicates("id").set_index("id") for language in ("en", "ko"))
        both = english.index.intersection(korean.index).sort_values()
        for name in names[:2]:  # the two sentences
            columns["english"] += english.loc[both, name].tolist()
            columns["korean"] += korean.loc[both, name].tolist()
    return pd.DataFrame(columns).drop_duplicates("english").drop_duplicates("korean").reset_index(drop=True)


class Distillation(keras.Model):
    """A student, and a linear map from its space to a teacher's; both are trained towards vectors that the teacher made.

    The teacher is not part of it, only its vectors: it cannot move. Asked with `search.Index.query(text, encoder=model)`,
    an index of the teacher's is searched in the student's language.

    Args:
        student: a `SentenceEncoder`. It is trained, not copied.
        hidden: int, how long the teacher's vectors are; as long as the student's if left out.

    Attributes:
        student, hidden: the same.
        tokenizer: the student's.
        to_teacher: Keras Dense layer without bias, kernel float32 (student.hidden, hidden); the identity at first.

    Raises:
        ValueError: hidden is no whole number from 1.
    """

    def __init__(self, student, hidden=None):
        super().__init__()
        self.student = student
        self.bert = student.model  # so that Keras finds its weights
        self.hidden = student.hidden if hidden is None else _size(hidden)
        self.to_teacher = keras.layers.Dense(self.hidden, use_bias=False, kernel_initializer="identity", name="to_teacher")
        with tf.name_scope("to_teacher"):
            self.to_teacher.build((None, student.hidden))

    @property
    def tokenizer(self):
        return self.student.tokenizer

    def call(self, inputs, training=False):
        """Sentence vectors in the teacher's space.

        Args:
            inputs: {"input_ids", "attention_mask"}, int32 (batch, tokens); `Batches` makes them.
            training: bool, with dropout.

        Returns:
            float32 (batch, hidden).
        """
        return self.to_teacher(self.student.vectors(inputs["input_ids"], inputs["attention_mask"], training=training))

    def encode(self, texts, batch_size=32, progress=False):
        """Sentence vectors in the teacher's space; arguments, errors and shapes as `SentenceEncoder.encode`."""
        vectors = self.student.encode(texts, batch_size, progress) @ self.to_teacher.kernel.numpy()
        sentence_encoder.refuse_no_numbers(np.atleast_2d(vectors))
        return vectors

    def align(self, sentences, vectors, ridge=0.1):
        """Set the map, and nothing else, to the one that leaves the least squared error: what training goes on from.

        Ridge regression, in closed form: with the student's vectors S (n, h) and the teacher's T (n, hidden) the map is
        (SᵀS + λI)⁻¹SᵀT, λ = ridge · trace(SᵀS) / h.

        Args:
            sentences: list of str in the student's language, or a column of a DataFrame.
            vectors: float (sentences, hidden), what `teacher.encode(translations)` returned.
            ridge: float from 0, how far large numbers in the map are held back. At 0 it may learn these sentences by heart.

        Raises:
            TypeError, ValueError: no sentences, vectors that do not fit them, or a ridge below 0.
        """
        if not encoding.is_number(ridge) or not 0 <= ridge < math.inf:
            raise ValueError(say(f"ridge={ridge!r}: give a number from 0, like ridge=0.1.", f"ridge={ridge!r}: ridge=0.1처럼 0 이상의 수를 주세요."))
        sentences, vectors = pairs.sentences(sentences), self._targets(vectors).astype("float64")
        pairs.check_lengths(sentences=sentences, vectors=vectors)
        own = self.student.encode(sentences).astype("float64")
        squares = own.T @ own
        held_back = squares + ridge * np.trace(squares) / len(squares) * np.eye(len(squares))
        self.to_teacher.kernel.assign(np.linalg.lstsq(held_back, own.T @ vectors, rcond=None)[0])

    def batches(self, sentences, vectors, batch_size=16, shuffle=False, seed=1):
        """Sentences and the vectors they should get as training batches.

        Args:
            sentences, vectors: as for `align`.
            batch_size, shuffle, seed: as `pairs.Batches`.

        Returns:
            Batches.

        Raises:
            TypeError, ValueError: as `pairs.Batches`; the vectors are not as long as the teacher's.
        """
        return Batches(self.student, sentences, self._targets(vectors), batch_size, shuffle, seed)

    def _targets(self, vectors):
        """float32 (sentences, hidden)."""
        vectors = np.asarray(vectors)
        if vectors.ndim != 2 or not np.issubdtype(vectors.dtype, np.floating) or vectors.shape[1] != self.hidden:
            raise ValueError(say(
                f"This model makes vectors of {self.hidden} numbers, the teacher's have the shape {vectors.shape}: "
                "give what teacher.encode(sentences) returns, and write Distillation(student, hidden=teacher.hidden).",
                f"이 모델의 벡터는 수 {self.hidden}개인데 교사의 벡터는 {vectors.shape} 모양입니다. "
                "teacher.encode(문장들)의 결과를 주고, Distillation(student, hidden=teacher.hidden)이라고 쓰세요.",
            ))
        return vectors.astype("float32")

    def compile(self, optimizer="adam", loss=None, metrics=None, **settings):
        """As `keras.Model.compile`; the loss is the mean squared error unless you give another."""
        super().compile(optimizer, loss or keras.losses.MeanSquaredError(), metrics, **settings)

    def settings(self):
        """What `training.train` writes down about the model."""
        return {"hidden": self.hidden}

    def save(self, folder):
        """Write student and map to a folder, all of it or nothing. sentence-transformers loads it: `SentenceTransformer(folder)`.

        Args:
            folder: str or Path; new, empty, or one that `save` wrote (which is replaced).

        Raises:
            ValueError: the folder holds other files.
            OSError: it cannot be written; what was saved there earlier is whole.
        """
        with saving.replacing(folder, OUR_FILES, f"{DENSE}/{WEIGHTS}") as partial:
            self.student.save(partial / STUDENT)
            modules = json.loads((partial / STUDENT / MODULES).read_text(encoding="utf-8"))
            modules = [{**module, "path": f"{STUDENT}/{module['path']}".rstrip("/")} for module in modules]
            number = len(modules)
            modules.append({"idx": number, "name": str(number), "path": DENSE, "type": "sentence_transformers.models.Dense"})
            (partial / DENSE).mkdir()
            saving.write_text(partial / DENSE / "config.json", json.dumps({
                "in_features": self.student.hidden, "out_features": self.hidden, "bias": False,
                "activation_function": "torch.nn.modules.linear.Identity",
            }, indent=2))
            saving.write_weights(partial / DENSE / WEIGHTS, {KERNEL: self.to_teacher.kernel.numpy().T})  # PyTorch keeps (out, in)
            saving.write_text(partial / MODULES, json.dumps(modules, indent=2))

    @classmethod
    def load(cls, folder):
        """A student and its map that `save` wrote.

        Args:
            folder: str or Path.

        Returns:
            Distillation.

        Raises:
            ValueError: the folder holds none, or a damaged one.
        """
        folder = Path(folder).expanduser()
        try:
            kernel = saving.read_weights(folder / DENSE / WEIGHTS)[KERNEL].T
        except Exception:  # whatever a missing or damaged file makes a reader raise
            raise ValueError(say(
                f"{folder} holds no distilled encoder ({DENSE}/{WEIGHTS} cannot be read): give a folder that Distillation.save wrote.",
                f"{folder}에는 증류한 인코더가 없습니다({DENSE}/{WEIGHTS}을 읽을 수 없음): Distillation.save로 저장한 폴더를 주세요.",
            )) from None
        model = cls(sentence_encoder.SentenceEncoder.load(folder / STUDENT), hidden=kernel.shape[1])
        model.to_teacher.kernel.assign(kernel)
        return model


class Batches(pairs.TextBatches):
    """Sentences and the vectors they should get, ready for `model.fit(batches.dataset())`: int32 (sentences, tokens).

    Args:
        encoder: a `SentenceEncoder`, the student.
        sentences: list of str, or a column of a DataFrame.
        vectors: float32 (sentences, hidden).
        batch_size, shuffle, seed: as `pairs.TextBatches`.

    Raises:
        TypeError, ValueError: as `pairs.TextBatches`.
    """

    shape = (None, None)

    def __init__(self, encoder, sentences, vectors, batch_size=16, shuffle=False, seed=1):
        super().__init__(encoder, {"sentences": sentences}, vectors, batch_size, shuffle, seed)

    def inputs(self, rows):
        """What the student reads: {"input_ids", "attention_mask"}, int32 (sentences, tokens)."""
        return {name: array[:, 0] for name, array in super().inputs(rows).items()}


def _size(hidden):
    if not encoding.is_whole(hidden) or hidden < 1:
        raise ValueError(say(
            f"hidden={hidden!r}: give the length of the teacher's vectors, hidden=teacher.hidden.",
            f"hidden={hidden!r}: 교사의 벡터 길이를 hidden=teacher.hidden처럼 주세요.",
        ))
    return int(hidden)
