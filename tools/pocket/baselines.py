"""What counting alone guesses at the same masked pieces: the yardstick for a pocket model's accuracy."""

import numpy as np


class Counts:
    """The most frequent piece after two, one or no pieces, counted inside the sentences of a corpus.

    Args:
        packed: corpus.Packed, the training split.
        size: int, vocabulary size.
    """

    def __init__(self, packed, size):
        self.size = size
        self.frequency = np.bincount(packed.ids, minlength=size)
        self.unigram = int(self.frequency.argmax())
        ids = packed.ids.astype(np.int64)
        starts = np.zeros(len(ids) + 1, dtype=bool)
        starts[packed.sentences] = True
        self.bigram = self._best(ids[:-1], ids[1:], ~starts[1:-1])
        inside = ~starts[1:-2] & ~starts[2:-1]
        self.trigram = self._best(ids[:-2] * size + ids[1:-1], ids[2:], inside)

    def _best(self, context, following, inside):
        """(contexts, sorted; the most frequent piece after each)."""
        keys, counts = np.unique(context[inside] * self.size + following[inside], return_counts=True)
        context, following = keys // self.size, keys % self.size
        order = np.lexsort((counts, context))
        context, following = context[order], following[order]
        last = np.append(context[1:] != context[:-1], True)
        return context[last], following[last]

    def guess(self, before):
        """One guess a row: after the last two pieces if they were seen, else after the last, else the most frequent.

        Args:
            before: int (rows, 2), the two pieces to the left.

        Returns:
            int64 (rows,).
        """
        before = np.asarray(before, dtype=np.int64)
        guesses = np.full(len(before), self.unigram, dtype=np.int64)
        for (contexts, best), keys in ((self.bigram, before[:, 1]), (self.trigram, before[:, 0] * self.size + before[:, 1])):
            at = np.minimum(np.searchsorted(contexts, keys), len(contexts) - 1)
            seen = contexts[at] == keys
            guesses[seen] = best[at][seen]
        return guesses


def accuracy(counts, batches, ignore):
    """Accuracy of the most frequent piece and of the trigram on the masked pieces of `batches`.

    Args:
        counts: Counts.
        batches: iterable of objectives.Batch.
        ignore: int, the label of pieces that are not predicted.

    Returns:
        dict with `unigram` and `trigram`.
    """
    right = {"unigram": 0, "trigram": 0}
    total = 0
    for batch in batches:
        whole = np.where(batch.labels == ignore, batch.input_ids, batch.labels)
        rows, places = np.nonzero(batch.labels != ignore)
        targets = batch.labels[rows, places]
        before = np.stack([whole[rows, np.maximum(places - 2, 0)], whole[rows, places - 1]], axis=1)
        right["trigram"] += int((counts.guess(before) == targets).sum())
        right["unigram"] += int((targets == counts.unigram).sum())
        total += len(targets)
    return {name: number / total for name, number in right.items()}
