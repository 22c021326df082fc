"""Two languages in one space: a student learns to give a sentence the vector that a teacher gives its translation.

    rows = distillation.parallel("train")                   # columns english and korean
    model = distillation.Distillation(student)              # student: a SentenceEncoder, here a Korean one
    batches = model.batches(rows["korean"], teacher.encode(rows["english"]), shuffle=True)
    training.train(model, batches, epochs=4, learning_rate=1e-4)

Source: Reimers & Gurevych 2020 (arXiv 2004.09813), section 2: the mean squared error between M(s), the teacher's vector of a
sentence, and M̂(t), the student's vector of its translation. The paper's student also learns M̂(s); ours reads one language.
Importing this module imports TensorFlow: its class is a Keras model.
"""

import numpy as np
import pandas as pd
import tensorflow as tf
import tf_keras as keras

from helpers import datasets, pairs
from helpers.language import say


def parallel(split):
    """The course's own sentences in both languages; a row says the same in English and in Korean.

    Args:
        split: "train", "dev" or "test". Their themes differ.

    Returns:
        DataFrame: `english`, `korean`; no sentence twice.

    Raises:
        ValueError: an unknown split.
    """
    columns = {}
    for name, language in (("english", "en"), ("korean", "ko")):
        sts, nli = (read(language, split).set_index("id").sort_index() for read in (datasets.sts, datasets.nli))
        columns[name] = pd.concat([sts["sentence1"], sts["sentence2"], nli["premise"], nli["hypothesis"]], ignore_index=True)
    return pd.DataFrame(columns).drop_duplicates("english").drop_duplicates("korean").reset_index(drop=True)


class Distillation(keras.Model):
    """A student that is trained towards given vectors. The teacher is not part of it, only the vectors it made: it cannot move.

    Args:
        student: a `SentenceEncoder`. It is trained, not copied.

    Attributes:
        student: the same.
    """

    def __init__(self, student):
        super().__init__()
        self.student = student
        self.bert = student.model  # so that Keras finds its weights

    def call(self, inputs, training=False):
        """The student's sentence vectors.

        Args:
            inputs: {"input_ids", "attention_mask"}, int32 (batch, tokens); `Batches` makes them.
            training: bool, with dropout.

        Returns:
            float32 (batch, hidden).
        """
        return self.student.vectors(inputs["input_ids"], inputs["attention_mask"], training=training)

    def batches(self, sentences, vectors, batch_size=16, shuffle=False, seed=1):
        """Sentences and the vectors they should get as training batches.

        Args:
            sentences: list of str in the student's language, or a column of a DataFrame.
            vectors: float (sentences, hidden), what `teacher.encode(translations)` returned.
            batch_size, shuffle, seed: as `pairs.Batches`.

        Returns:
            Batches.

        Raises:
            TypeError, ValueError: as `pairs.Batches`; the vectors are of another length than the student's.
        """
        vectors = np.asarray(vectors)
        if vectors.ndim != 2 or not np.issubdtype(vectors.dtype, np.floating) or vectors.shape[1] != self.student.hidden:
            raise ValueError(say(
                f"The student makes vectors of {self.student.hidden} numbers, the teacher's have the shape {vectors.shape}: "
                f"give teacher.encode(sentences) of a teacher with {self.student.hidden}.",
                f"학생의 벡터는 수 {self.student.hidden}개인데 교사의 벡터는 {vectors.shape} 모양입니다. "
                f"벡터 길이가 {self.student.hidden}인 교사의 teacher.encode(문장들)을 주세요.",
            ))
        return Batches(self.student, sentences, vectors.astype("float32"), batch_size, shuffle, seed)

    def compile(self, optimizer="adam", loss=None, metrics=None, **settings):
        """As `keras.Model.compile`; the loss is the mean squared error unless you give another."""
        super().compile(optimizer, loss or keras.losses.MeanSquaredError(), metrics, **settings)

    def settings(self):
        """What `training.train` writes down about the model."""
        return {}


class Batches(pairs.Batches):
    """As `pairs.Batches`, with one sentence and one vector where there are two sentences and one number."""

    def __init__(self, encoder, sentences, vectors, batch_size=16, shuffle=False, seed=1):
        super().__init__(encoder, sentences, sentences, vectors, batch_size, shuffle, seed)

    def inputs(self, rows):
        """What the student reads: {"input_ids", "attention_mask"}, int32 (sentences, tokens)."""
        return {name: array[:, 0] for name, array in super().inputs(rows).items()}

    def dataset(self):
        """A `tf.data.Dataset` of (inputs, vectors); iterating over it once is one epoch."""
        pieces = tf.TensorSpec((None, None), tf.int32)
        signature = (
            {"input_ids": pieces, "attention_mask": pieces},
            tf.TensorSpec((None, self.targets.shape[1]), tf.float32),
        )
        dataset = tf.data.Dataset.from_generator(self._iterate, output_signature=signature)
        return dataset.apply(tf.data.experimental.assert_cardinality(self.steps)).prefetch(2)
