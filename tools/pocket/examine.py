"""Questions to a finished pocket model: the document's sentences, pseudo-perplexity, and what NSP has learnt."""

import csv

import numpy as np
import torch
from scipy.stats import spearmanr

from tools.pocket import objectives


@torch.no_grad()
def top_words(network, tokenizer, text, k=10):
    """The k most probable pieces at the text's `[MASK]`: list of (token, probability)."""
    inputs = tokenizer(text, return_tensors="pt")
    at = (inputs["input_ids"][0] == tokenizer.mask_token_id).nonzero()[0, 0]
    probabilities = network(**inputs).prediction_logits[0, at].softmax(-1)
    best = probabilities.topk(k)
    return [(tokenizer.convert_ids_to_tokens(i.item()), p.item()) for p, i in zip(best.values, best.indices)]


@torch.no_grad()
def follows(network, tokenizer, prompt, next_sentence):
    """Probability that the second sentence follows the first (index 0 of BERT's next-sentence head)."""
    inputs = tokenizer(prompt, next_sentence, return_tensors="pt")
    return network(**inputs).seq_relationship_logits.softmax(-1)[0, 0].item()


@torch.no_grad()
def pseudo_perplexity(network, packed, special, seed, sentences=100, longest=62):
    """exp of the mean negative log-likelihood of each piece, masked one at a time (Salazar et al. 2020, 1910.14659).

    Args:
        network: BertForPreTraining.
        packed: corpus.Packed, held-out text.
        special: dict of `vocabulary.special_ids`.
        seed: int, which sentences are drawn.

    Returns:
        float.
    """
    lengths = np.diff(packed.sentences)
    candidates = np.flatnonzero((lengths >= 6) & (lengths <= longest))
    chosen = np.random.default_rng(seed).choice(candidates, min(sentences, len(candidates)), replace=False)
    total = pieces = 0.0
    for index in chosen:
        row = np.concatenate([[special["[CLS]"]], packed.sentence(index).astype(np.int64), [special["[SEP]"]]])
        inputs = torch.from_numpy(row).repeat(len(row) - 2, 1)
        places = torch.arange(1, len(row) - 1)
        inputs[places - 1, places] = special["[MASK]"]
        hidden = network.bert(input_ids=inputs).last_hidden_state[places - 1, places]
        scores = network.cls.predictions(hidden).log_softmax(-1)
        total -= scores[places - 1, torch.from_numpy(row)[places]].sum().item()
        pieces += len(places)
    return float(np.exp(total / pieces))


@torch.no_grad()
def similarity(network, tokenizer, path, rows=64):
    """Spearman correlation of the cosine of mean-pooled vectors with people's scores; training has shown it none.

    Args:
        network: BertForPreTraining.
        tokenizer: its transformers tokenizer.
        path: Path of STS-B's or KorSTS's file: tab-separated, the score in the fifth column, the sentences after it.
        rows: int, sentences a batch.

    Returns:
        (float, int): Spearman × 100, and how many pairs.
    """
    with open(path, encoding="utf-8", newline="") as file:
        pairs = [row for row in csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE) if len(row) >= 7 and row[4] != "score"]
    vectors = []
    sentences = [row[column] for column in (5, 6) for row in pairs]
    for start in range(0, len(sentences), rows):
        inputs = tokenizer(sentences[start : start + rows], padding=True, truncation=True, max_length=128, return_tensors="pt")
        hidden, mask = network.bert(**inputs).last_hidden_state, inputs["attention_mask"][:, :, None]
        vectors.append(torch.nn.functional.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1))
    one, other = torch.cat(vectors).split(len(pairs))
    return 100 * spearmanr((one * other).sum(1).numpy(), [float(row[4]) for row in pairs]).statistic, len(pairs)


def segment_pairs(packed, random, rows, tokens, special, second):
    """Rows of two segments of one document: the true continuation for label 0, and for label 1 what `second` names.

    Args:
        second: "swapped" (the same two segments in the other order) or "same-document" (a segment from elsewhere in
            the same document).

    Returns:
        objectives.Batch without masks, half of its rows labelled 1.
    """
    lengths = packed.sentences[packed.documents[1:]] - packed.sentences[packed.documents[:-1]]
    sentences = np.diff(packed.documents)
    usable = np.flatnonzero((lengths >= 3 * tokens) & (sentences >= 12))
    input_ids = np.full((rows, tokens), special["[PAD]"], dtype=np.int64)
    types = np.zeros_like(input_ids)
    labels = np.arange(rows) % 2
    half = (tokens - 3) // 2
    for row in range(rows):
        document = random.choice(usable)
        begin, end = packed.documents[document], packed.documents[document + 1]
        first = random.integers(begin, end - 8)
        border = first + 1
        while border < end - 5 and packed.sentences[border + 1] - packed.sentences[first] <= half:
            border += 1

        def piece_ids(start, stop):
            return packed.ids[packed.sentences[start] : min(packed.sentences[stop], packed.sentences[start] + half)]

        a, b = piece_ids(first, border), piece_ids(border, end)
        if labels[row] and second == "swapped":
            a, b = b, a
        elif labels[row]:
            far = [s for s in range(begin, end - 2) if s < first - 6 or s > border + 6] or [begin]
            b = piece_ids(random.choice(far), end)
        objectives.write_row(input_ids[row], types[row], special, a, b)
    attention = (input_ids != special["[PAD]"]).astype(np.int64)
    return objectives.Batch(input_ids, types, attention, np.full_like(input_ids, objectives.IGNORE), labels)


@torch.no_grad()
def order_accuracy(network, packed, special, seed, second, count=12, rows=16, tokens=128, device="cpu"):
    """Next-sentence accuracy on true pairs against `second` (see `segment_pairs`): (accuracy, pairs)."""
    right = total = 0
    for step in range(count):
        batch = segment_pairs(packed, np.random.default_rng([seed, step]), rows, tokens, special, second)
        output = network.bert(
            input_ids=torch.from_numpy(batch.input_ids).to(device),
            token_type_ids=torch.from_numpy(batch.token_type_ids).to(device),
            attention_mask=torch.from_numpy(batch.attention_mask).to(device),
        )
        guesses = network.cls.seq_relationship(output.pooler_output).argmax(-1).cpu().numpy()
        right += (guesses == batch.next_sentence).sum()
        total += rows
    return right / total, total
