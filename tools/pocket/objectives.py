"""Batches for BERT's two objectives, masked LM and next sentence (arXiv 1810.04805, sections 3.1 and A.1–A.2).

A batch depends on the seed and the step number alone, so a run that is killed and resumed sees the same data in the
same order.
"""

from dataclasses import dataclass, replace

import numpy as np

IGNORE = -100


@dataclass(frozen=True)
class Batch:
    """input_ids, token_type_ids, attention_mask, labels: int64 (batch, tokens), labels −100 where nothing is predicted.

    next_sentence: int64 (batch,), 0 = follows, 1 = does not, −100 = the row has one segment only.
    """

    input_ids: np.ndarray
    token_type_ids: np.ndarray
    attention_mask: np.ndarray
    labels: np.ndarray
    next_sentence: np.ndarray


def mask_pieces(input_ids, special, random, rate=0.15, whole_words=False):
    """Hide 15 % of the pieces: 80 % become `[MASK]`, 10 % a random piece, 10 % stay (arXiv 1810.04805, A.1).

    Args:
        input_ids: int64 (batch, tokens).
        special: dict of `vocabulary.special_ids`.
        random: numpy Generator.
        rate: float, share of the real pieces to predict.
        whole_words: bool, choose all pieces of a word together (the later versions of the authors' code do).

    Returns:
        (input_ids, labels), both int64 (batch, tokens).
    """
    candidates = ~np.isin(input_ids, [special[t] for t in ("[PAD]", "[CLS]", "[SEP]")])
    if not special["predict_unknown"]:
        candidates &= input_ids != special["[UNK]"]
    draw = random.random(input_ids.shape)
    if whole_words:
        begins = ~np.asarray(special["continues"])[input_ids]
        begins[:, 0] = True
        word = np.maximum.accumulate(np.where(begins, np.arange(input_ids.shape[1]), 0), axis=1)
        draw = np.take_along_axis(draw, word, axis=1)
    chosen = candidates & (draw < rate)
    labels = np.where(chosen, input_ids, IGNORE)
    kind = random.random(input_ids.shape)
    masked = np.where(chosen & (kind < 0.8), special["[MASK]"], input_ids)
    replaced = random.integers(len([t for t in special if t.startswith("[")]), special["size"], input_ids.shape)
    return np.where(chosen & (kind >= 0.9), replaced, masked), labels


def detach(input_ids, labels, special, random, rate):
    """Let the piece after a `[MASK]` lose its `##`, as it does where somebody types `[MASK]다`: the tokenizer cuts there.

    Args:
        input_ids, labels: int64 (batch, tokens), as `mask_pieces` returns them.
        special: dict of `vocabulary.special_ids`.
        random: numpy Generator.
        rate: float, the share of such pieces that lose it.

    Returns:
        input_ids, int64 (batch, tokens); pieces that are to be predicted stay as they are.
    """
    standalone = np.asarray(special["standalone"])[input_ids]
    after_mask = np.zeros(input_ids.shape, dtype=bool)
    after_mask[:, 1:] = input_ids[:, :-1] == special["[MASK]"]
    chosen = after_mask & (labels == IGNORE) & (standalone >= 0) & (random.random(input_ids.shape) < rate)
    return np.where(chosen, standalone, input_ids)


class Sampler:
    """Draws segments from a packed corpus, sources by weight.

    Args:
        packed: corpus.Packed.
        sources: list of dict with `weight` and, for texts without an order, `unit = "line"`.
        special: dict of `vocabulary.special_ids`.
        seed: int.
        detached: float, see `detach`.
        same_document: float, share of the random second segments that come from elsewhere in the same document, so that
            the topic alone does not give the label away.
        whole_words: bool, see `mask_pieces`.
    """

    def __init__(self, packed, sources, special, seed, detached=0.0, same_document=0.0, whole_words=False):
        self.packed, self.special, self.seed = packed, special, seed
        self.detached, self.same_document, self.whole_words = detached, same_document, whole_words
        lengths = np.diff(packed.documents)
        pieces = packed.sentences[packed.documents[1:]] - packed.sentences[packed.documents[:-1]]
        self.paired, self.single = {}, {}
        for index, source in enumerate(sources):
            own = np.flatnonzero(packed.source == index)
            if source["weight"] and len(own):
                self.single[index] = (source["weight"], own, np.cumsum(pieces[own]))
                own = own[(lengths[own] >= 4) & (pieces[own] >= 64)]
                if len(own) and source.get("unit", "document") == "document":
                    self.paired[index] = (source["weight"], own, np.cumsum(pieces[own]))

    def draw_document(self, pool, random, source=None):
        if source is None:
            weights = np.array([entry[0] for entry in pool.values()], dtype=float)
            source = list(pool)[random.choice(len(weights), p=weights / weights.sum())]
        _, own, total = pool[source]
        return source, own[np.searchsorted(total, random.integers(total[-1]), side="right")]

    def segment(self, first, last, length):
        """Piece ids from sentence `first` on, whole sentences up to `last`, at most `length` pieces."""
        start, stop = self.packed.sentences[first], self.packed.sentences[last]
        return self.packed.ids[start : min(stop, start + length)]

    def pair(self, random, room):
        """(first segment, second segment, label): half true, half random.

        A random second segment comes from another document, of the same source as often as of another source, or the
        source alone would give the label away; a share of `same_document` comes from elsewhere in the same one.
        """
        packed = self.packed
        source, document = self.draw_document(self.paired, random)
        begin, end = packed.documents[document], packed.documents[document + 1]
        first = random.integers(begin, end - 1)
        share = int(room * random.uniform(0.25, 0.75))
        border = first + 1
        while border < end - 1 and packed.sentences[border + 1] - packed.sentences[first] <= share:
            border += 1
        a = self.segment(first, border, room - 8)
        label = int(random.random() < 0.5)
        elsewhere = np.setdiff1d(np.arange(begin, end), np.arange(first - 1, border + 1)) if label and self.same_document else ()
        if len(elsewhere) and random.random() < self.same_document:
            border = random.choice(elsewhere)
            end = first if border < first else end  # a piece that stands in both would tell too much
        elif label:
            other = document
            others = [key for key in self.paired if key != source]
            while other == document:
                same = random.random() < 0.5 and len(self.paired[source][1]) > 1 or not others
                if same:
                    _, other = self.draw_document(self.paired, random, source)
                else:
                    _, other = self.draw_document({key: self.paired[key] for key in others}, random)
            begin, end = packed.documents[other], packed.documents[other + 1]
            border = random.integers(begin, end)
        return a, self.segment(border, end, room - len(a)), label

    def pairs(self, random, rows, tokens):
        """Unmasked (input_ids, token_type_ids, next_sentence) of two-segment rows."""
        input_ids = np.full((rows, tokens), self.special["[PAD]"], dtype=np.int64)
        types = np.zeros((rows, tokens), dtype=np.int64)
        labels = np.zeros(rows, dtype=np.int64)
        for row in range(rows):
            a, b, labels[row] = self.pair(random, tokens - 3)
            write_row(input_ids[row], types[row], self.special, a, b)
        return input_ids, types, labels

    def singles(self, random, rows, tokens):
        """Unmasked rows of one short text each, as they look when a learner types them.

        Four times as many texts are drawn and sorted by length; the rows are neighbours, so that little is padding.
        """
        packed, texts = self.packed, []
        for _ in range(4 * rows):
            _, document = self.draw_document(self.single, random)
            begin, end = packed.documents[document], packed.documents[document + 1]
            first = random.integers(begin, end)
            last = first + 1
            while last < end and packed.sentences[last + 1] - packed.sentences[first] <= tokens - 2:
                last += 1
            texts.append(self.segment(first, last, tokens - 2))
        texts.sort(key=len)
        begin = random.integers(3 * rows + 1)
        texts = texts[begin : begin + rows]
        input_ids = np.full((rows, len(texts[-1]) + 2), self.special["[PAD]"], dtype=np.int64)
        types = np.zeros_like(input_ids)
        for row, text in enumerate(texts):
            write_row(input_ids[row], types[row], self.special, text)
        return input_ids, types, np.full(rows, IGNORE)

    def batch(self, step, tokens_a_batch, short_share=0.3, pair_tokens=(128,), short=32):
        """The batch of one step.

        Args:
            step: int, with the seed the only thing the batch depends on.
            tokens_a_batch: int, rows × tokens.
            short_share: float, share of the steps that show single short texts.
            pair_tokens: list of int, lengths of the rows with two segments; one is drawn for each such step. Short ones are
                what a learner types (BERT's own data has some too: `short_seq_prob`, arXiv 1810.04805, the authors' code).
            short: int, tokens of a row with a single text.

        Returns:
            Batch.
        """
        random = np.random.default_rng([self.seed, step])
        if random.random() < short_share:
            rows = self.singles(random, tokens_a_batch // short, short)
        else:
            long = pair_tokens[random.integers(len(pair_tokens))]
            rows = self.pairs(random, tokens_a_batch // long, long)
        batch = finish(*rows, self.special, random, self.whole_words)
        if not self.detached:
            return batch
        return replace(batch, input_ids=detach(batch.input_ids, batch.labels, self.special, random, self.detached))


def write_row(input_ids, types, special, *segments):
    """Write `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]` into one row, in place."""
    input_ids[0] = special["[CLS]"]
    at = 1
    for number, segment in enumerate(segments):
        input_ids[at : at + len(segment)] = segment
        input_ids[at + len(segment)] = special["[SEP]"]
        types[at : at + len(segment) + 1] = number
        at += len(segment) + 1


def finish(input_ids, types, next_sentence, special, random, whole_words=False):
    """Mask the rows and add the attention mask: a Batch."""
    attention = (input_ids != special["[PAD]"]).astype(np.int64)
    masked, labels = mask_pieces(input_ids, special, random, whole_words=whole_words)
    return Batch(masked, types, attention, labels, next_sentence)
