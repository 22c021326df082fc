"""Pairs of sentences as training batches: checked, cut into pieces once, padded to the longest of their batch.

    batches = pairs.Batches(encoder, sts.sentence1, sts.sentence2, sts.score / 5, batch_size=16, shuffle=True)
    model.fit(batches.dataset(), epochs=4)

The heads of `helpers.sbert` make them with `model.batches(...)`, which also checks the labels or scores.
"""

import math

import numpy as np

from helpers import encoding
from helpers.language import say

POOL = 50  # batches; pairs are sorted by length inside such a pool, so that a batch holds little padding and stays random
TEXTS_AT_ONCE = 4096  # how many texts the tokenizer gets at a time


class TextBatches:
    """Rows of one or several texts and a target; `Batches` and `distillation.Batches` say how a model gets them.

    In every epoch the pairs come in another order, which depends on `seed` and the number of the epoch alone: an
    interrupted training goes on with the order it would have had.

    Args:
        encoder: a `SentenceEncoder`; its tokenizer and `max_length` are used. Longer sentences are cut, which is announced.
        columns: {name: list of str or a column of a DataFrame}, all of the same length.
        targets: int or float array (rows,) or (rows, numbers), what the model should answer.
        batch_size: int, rows in a batch, over all devices together.
        shuffle: bool, another order in every epoch; False keeps the given order.
        seed: int.

    Attributes:
        columns: {name: list of str}.
        shape: tuple, of the tensors that the model reads; a subclass says it.
        epoch: int, which epoch the next iteration over the dataset is, counted from 0.
        steps: int, batches in an epoch.

    Raises:
        TypeError, ValueError: None, a whole table, an empty list, lists of unequal lengths, an empty sentence, one that no tokenizer
            can read, a batch size below 1, a seed below 0.
    """

    def __init__(self, encoder, columns, targets, batch_size=16, shuffle=False, seed=1):
        self.columns = {name: sentences(texts, name) for name, texts in columns.items()}
        check_lengths(**self.columns, targets=targets)
        if not encoding.is_whole(batch_size) or batch_size < 1:
            raise ValueError(say(
                f"batch_size={batch_size!r}: a batch holds at least one pair, try 16.",
                f"batch_size={batch_size!r}: 배치에는 쌍이 하나 이상 있어야 합니다. 16으로 해 보세요.",
            ))
        if not encoding.is_whole(seed) or seed < 0:
            raise ValueError(say(f"seed={seed!r}: give a whole number from 0, like seed=1.", f"seed={seed!r}: seed=1처럼 0 이상의 정수를 주세요."))
        self.targets, self.batch_size, self.shuffle, self.seed = np.asarray(targets), int(batch_size), shuffle, seed
        self.pad_token_id = encoder.tokenizer.pad_token_id
        self._texts = [_Pieces(encoder, texts) for texts in self.columns.values()]
        for name, texts in zip(self.columns, self._texts):
            nothing = np.flatnonzero(texts.lengths <= encoder.tokenizer.num_special_tokens_to_add())
            if nothing.size:  # invisible characters alone
                raise ValueError(_empty(nothing[0], name))
        self.lengths = np.max([texts.lengths for texts in self._texts], axis=0)
        self.steps = math.ceil(len(self.targets) / self.batch_size)
        self.epoch = 0
        cut = sum(texts.cut for texts in self._texts)
        if cut:
            count = sum(map(len, self.columns.values()))
            print(say(
                f"{cut} of {count} sentences are longer than {encoder.max_length} pieces: only their beginning is read.",
                f"문장 {count}개 가운데 {cut}개가 {encoder.max_length}조각보다 깁니다: 앞부분만 읽습니다.",
            ))

    def order(self, epoch):
        """Which pairs each batch of an epoch holds: list of int arrays."""
        count = len(self.targets)
        if not self.shuffle:
            rows = np.arange(count)
            return [rows[start:start + self.batch_size] for start in range(0, count, self.batch_size)]
        random = np.random.default_rng((self.seed, epoch))
        rows, pool = random.permutation(count), POOL * self.batch_size
        batches = []
        for start in range(0, count, pool):
            here = rows[start:start + pool]
            here = here[np.argsort(self.lengths[here], kind="stable")]
            batches += [here[first:first + self.batch_size] for first in range(0, len(here), self.batch_size)]
        return [batches[number] for number in random.permutation(len(batches))]

    def inputs(self, rows):
        """What the model reads for these rows: {"input_ids", "attention_mask"}, int32 (rows, columns, tokens)."""
        width = int(self.lengths[rows].max())
        input_ids = np.full((len(rows), len(self._texts), width), self.pad_token_id, dtype="int32")
        attention_mask = np.zeros_like(input_ids)
        for place, row in enumerate(rows):
            for side, texts in enumerate(self._texts):
                ids = texts[row]
                input_ids[place, side, :len(ids)] = ids
                attention_mask[place, side, :len(ids)] = 1
        return {"input_ids": input_ids, "attention_mask": attention_mask}

    def dataset(self):
        """A `tf.data.Dataset` of (inputs, targets); iterating over it once is one epoch. Any strategy can distribute it."""
        import tensorflow as tf

        pieces = tf.TensorSpec(self.shape, tf.int32)
        signature = (
            {"input_ids": pieces, "attention_mask": pieces},
            tf.TensorSpec((None, *self.targets.shape[1:]), tf.as_dtype(self.targets.dtype)),
        )
        options = tf.data.Options()
        options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
        dataset = tf.data.Dataset.from_generator(self._iterate, output_signature=signature)
        dataset = dataset.apply(tf.data.experimental.assert_cardinality(self.steps))
        return dataset.with_options(options).prefetch(2)

    def _iterate(self):
        order = self.order(self.epoch)
        self.epoch += 1
        for rows in order:
            yield self.inputs(rows), self.targets[rows]


class Batches(TextBatches):
    """Pairs of sentences, ready for `model.fit(batches.dataset())`: int32 (pairs, 2, tokens).

    Args:
        encoder: a `SentenceEncoder`.
        sentences1: list of str, or a column of a DataFrame.
        sentences2: as many.
        targets: int or float array (pairs,).
        batch_size, shuffle, seed: as `TextBatches`.

    Raises:
        TypeError, ValueError: as `TextBatches`.
    """

    shape = (None, 2, None)

    def __init__(self, encoder, sentences1, sentences2, targets, batch_size=16, shuffle=False, seed=1):
        super().__init__(encoder, {"sentences1": sentences1, "sentences2": sentences2}, targets, batch_size, shuffle, seed)


class _Pieces:
    """The ids of many texts in one flat array: half a million sentences fit in a laptop's memory."""

    def __init__(self, encoder, texts):
        flat, lengths, self.cut = [], [], 0
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            made = encoder.tokenizer(texts[start:start + TEXTS_AT_ONCE], add_special_tokens=True, verbose=False)["input_ids"]
            for ids in made:
                if len(ids) > encoder.max_length:
                    self.cut += 1
                    ids = ids[:encoder.max_length - 1] + ids[-1:]  # [SEP] stays
                lengths.append(len(ids))
                flat.extend(ids)
        self._flat = np.array(flat, dtype="int32")
        self.lengths = np.array(lengths)
        self._starts = np.concatenate([[0], np.cumsum(self.lengths)])

    def __getitem__(self, row):
        return self._flat[self._starts[row]:self._starts[row + 1]]


def sentences(texts, name="sentences"):
    """A list of sentences that can be trained on.

    Args:
        texts: list of str, or a column of a DataFrame.
        name: str, what the caller calls it.

    Raises:
        TypeError: None, one text or a whole table instead of a list, or an entry that is not a text; names its row.
        ValueError: no sentence, an empty one, or one with half a character; names its row.
    """
    if encoding.is_table(texts):
        raise TypeError(encoding.one_column(name, texts))
    if texts is None or isinstance(texts, (str, bytes)) or not hasattr(texts, "__len__"):
        found = encoding.quote(texts) if isinstance(texts, str) else type(texts).__name__
        raise TypeError(say(
            f"{name} should be a list of sentences, not {found}: put the sentences in square brackets.",
            f"{name}에는 문장 목록이 필요한데 {found}이(가) 왔습니다: 문장들을 대괄호 안에 넣으세요.",
        ))
    texts = list(texts)
    if not texts:
        raise ValueError(say(
            f"{name} is empty: put at least one sentence into it.", f"{name}이(가) 비어 있습니다: 문장을 하나 이상 넣으세요.",
        ))
    for row, text in enumerate(texts):
        if not isinstance(text, str):
            raise TypeError(say(
                f"Row {row} of {name} is {text!r}, not a sentence: leave this pair out, or write the sentence.",
                f"{name}의 {row}번 행이 문장이 아니라 {text!r}입니다: 이 쌍을 빼거나 문장을 쓰세요.",
            ))
        if not text.strip():
            raise ValueError(_empty(row, name))
        try:
            encoding.check_whole(text)
        except ValueError as error:
            raise ValueError(say(f"Row {row} of {name}: {error}", f"{name}의 {row}번 행: {error}")) from None
    return texts


def _empty(row, name):
    return say(
        f"Row {row} of {name} is empty: leave this pair out, or write the sentence.",
        f"{name}의 {row}번 행이 비어 있습니다: 이 쌍을 빼거나 문장을 쓰세요.",
    )


def check_lengths(**columns):
    """Stop where columns that belong together have different lengths.

    Args:
        columns: {name: list}.

    Raises:
        TypeError: one is None, a whole table or no list.
        ValueError: the lengths differ; names them all.
    """
    for name, column in columns.items():
        if encoding.is_table(column):
            raise TypeError(encoding.one_column(name, column))
        if not hasattr(column, "__len__") or isinstance(column, (str, bytes)):
            raise TypeError(say(
                f"{name} should be a list with one entry a pair, not {column!r}.",
                f"{name}에는 쌍마다 값이 하나씩 있는 목록이 필요한데 {column!r}이(가) 왔습니다.",
            ))
    if len({len(column) for column in columns.values()}) > 1:
        counts = ", ".join(f"{name} {len(column)}" for name, column in columns.items())
        raise ValueError(say(
            f"These lists belong together but differ in length ({counts}): give each pair one entry in each.",
            f"짝이 맞아야 하는 목록들의 길이가 다릅니다({counts}): 쌍마다 각 목록에 값을 하나씩 두세요.",
        ))
