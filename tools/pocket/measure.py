"""Held-out figures of a pocket model: masked-LM accuracy by kind of text, next-sentence accuracy."""

import numpy as np
import torch

from tools.pocket import objectives


def bf16_helps(device):
    """Whether matrix products of bfloat16 are faster than those of float32 there: without AVX-512 a CPU takes ten times as long."""
    if torch.device(device).type == "cpu":
        return torch.backends.cpu.get_cpu_capability() == "AVX512"
    return torch.cuda.is_bf16_supported()


def forward(network, batch, device="cpu", bf16=False):
    """Masked positions' logits and next-sentence logits, the decoder run on the masked positions alone.

    Returns:
        (logits (masked, vocabulary), targets (masked,), next-sentence logits (batch, 2), labels (batch,)), tensors.
    """
    rows = {
        name: torch.from_numpy(getattr(batch, name)).to(device)
        for name in ("input_ids", "token_type_ids", "attention_mask", "labels", "next_sentence")
    }
    # Found before the batch goes to the GPU: a selection by mask would wait for everything that is queued there.
    masked = torch.from_numpy(np.flatnonzero(batch.labels != objectives.IGNORE)).to(device)
    with torch.autocast(device_type=torch.device(device).type, dtype=torch.bfloat16, enabled=bf16):
        output = network.bert(
            input_ids=rows["input_ids"], token_type_ids=rows["token_type_ids"], attention_mask=rows["attention_mask"]
        )
        logits = network.cls.predictions(output.last_hidden_state.flatten(0, 1)[masked])
        follows = network.cls.seq_relationship(output.pooler_output)
    return logits.float(), rows["labels"].flatten()[masked], follows.float(), rows["next_sentence"]


def batches(packed, sources, special, seed, count, rows=16, tokens=128):
    """`count` batches of two-segment rows, always the same for the same arguments."""
    sampler = objectives.Sampler(packed, sources, special, seed)
    for step in range(count):
        random = np.random.default_rng([seed, step])
        yield objectives.finish(*sampler.pairs(random, rows, tokens), special, random)


def single_batches(packed, sources, special, seed, count, rows=64, tokens=32):
    """`count` batches of single short texts."""
    sampler = objectives.Sampler(packed, sources, special, seed)
    for step in range(count):
        random = np.random.default_rng([seed, step])
        yield objectives.finish(*sampler.singles(random, rows, tokens), special, random)


@torch.no_grad()
def accuracy(network, batches, device="cpu", bf16=False):
    """Masked-LM and next-sentence accuracy.

    Args:
        network: BertForPreTraining.
        batches: iterable of objectives.Batch.

    Returns:
        dict with `mlm` and `loss` over all masked pieces, `nsp` over all rows with two segments (NaN without such
        rows), and the two counts.
    """
    training = network.training
    network.eval()
    right = total = follow_right = follow_total = 0
    loss = 0.0
    for batch in batches:
        logits, targets, follows, labels = forward(network, batch, device, bf16)
        right += (logits.argmax(-1) == targets).sum().item()
        loss += torch.nn.functional.cross_entropy(logits, targets, reduction="sum").item()
        total += len(targets)
        real = labels != objectives.IGNORE
        follow_right += (follows.argmax(-1) == labels)[real].sum().item()
        follow_total += real.sum().item()
    network.train(training)
    return {
        "mlm": right / total,
        "loss": loss / total,
        "nsp": follow_right / follow_total if follow_total else float("nan"),
        "pieces": total,
        "pairs": follow_total,
    }


BANDS = {"the 100 most frequent": 100, "up to 1,000": 1_000, "up to 5,000": 5_000, "rarer": None}


@torch.no_grad()
def in_detail(network, batches, frequency, bins=10):
    """How often the right piece is among the best, for frequent and rare pieces, and whether probabilities can be trusted.

    Args:
        network: BertForPreTraining.
        batches: iterable of objectives.Batch.
        frequency: int (vocabulary,), how often each piece stands in the training text.
        bins: int, of the calibration error.

    Returns:
        dict with `top_1`, `top_5`, `top_10`; `bands`, band → (accuracy, pieces) by rank of frequency; `calibration_error`,
        the expected calibration error (Guo et al. 2017, arXiv 1706.04599, equation 5).
    """
    network.eval()
    places, targets_of_all, sure = [], [], []
    for batch in batches:
        logits, targets, _, _ = forward(network, batch)
        places.append((logits > logits.gather(1, targets[:, None])).sum(1).numpy())
        targets_of_all.append(targets.numpy())
        sure.append(logits.softmax(-1).amax(-1).numpy())
    places, targets, sure = map(np.concatenate, (places, targets_of_all, sure))
    right = places == 0
    rank = np.empty(len(frequency), dtype=np.int64)
    rank[np.argsort(-frequency, kind="stable")] = np.arange(len(frequency))
    bands, least = {}, 0
    for band, most in BANDS.items():
        inside = (rank[targets] >= least) & (rank[targets] < (most or len(frequency)))
        bands[band] = (float(right[inside].mean()) if inside.any() else float("nan"), int(inside.sum()))
        least = most
    bin_of = np.minimum((sure * bins).astype(int), bins - 1)
    error = sum(abs(right[bin_of == each].mean() - sure[bin_of == each].mean()) * (bin_of == each).mean() for each in np.unique(bin_of))
    return {
        **{f"top_{k}": float((places < k).mean()) for k in (1, 5, 10)},
        "bands": bands, "calibration_error": float(error),
    }


def by_kind(network, packed, sources, special, seed, count, **options):
    """Masked-LM accuracy for each kind of text: dict kind → figures of `accuracy`."""
    figures = {}
    for kind in dict.fromkeys(source["kind"] for source in sources):
        own = [{**source, "weight": source["weight"] if source["kind"] == kind else 0} for source in sources]
        sampler = objectives.Sampler(packed, own, special, seed)
        make = batches if sampler.paired else single_batches
        if sampler.single:
            figures[kind] = accuracy(network, make(packed, own, special, seed, count), **options)
    return figures
