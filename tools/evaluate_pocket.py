"""Measure a pocket model and write its checkpoint folder and card: `python -m tools.evaluate_pocket pocket-korean`.

Reads the training checkpoint under `build/`, writes `models/<name>/` (weights, tokenizer, card), `models/SHA256SUMS`
and `tests/data/<name>_logits.npz`, the PyTorch logits that the TensorFlow classes must reproduce.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from transformers import BertTokenizerFast

from tools.pocket import baselines, card, corpus, examine, export, measure, objectives, vocabulary
from tools.pocket import configuration as configurations
from tools.pocket import network as networks

PARITY = {
    "en": ("The library opens at [MASK] on Sunday.", "Bring a card with you."),
    "ko": ("도서관은 일요일에 [MASK] 시에 문을 엽니다.", "카드를 꼭 가져오세요."),
}
SIMILARITY = {"en": "english/sts/sts-dev.csv", "ko": "korean/korsts/dev.tsv"}  # under --texts; never trained on
NOT_PROSE = ("reviews", "product reviews", "chat", "documentation", "dictionary", card.WRITTEN_BY_A_MODEL)


def selected(sources, wanted):
    """The sources with the weight of every kind outside `wanted` set to 0."""
    return [{**source, "weight": source["weight"] if wanted(source["kind"]) else 0} for source in sources]


def outside_text(path, tokenizer_folder, source):
    """Pack one text file that no configuration names, all of it as held-out text."""
    tokenizer = vocabulary.load(tokenizer_folder)
    ids, sentences, documents = [], [0], [0]
    for document in corpus.read_documents(path):
        for line in document:
            for sentence in corpus.split_sentences(line):
                piece_ids = tokenizer.encode(sentence, add_special_tokens=False).ids
                if piece_ids:
                    ids.append(np.array(piece_ids, dtype=np.uint16))
                    sentences.append(sentences[-1] + len(piece_ids))
        if sentences[-1] and len(sentences) - 1 > documents[-1]:
            documents.append(len(sentences) - 1)
    return corpus.Packed(np.concatenate(ids), np.array(sentences), np.array(documents), np.full(len(documents) - 1, source, dtype=np.uint8))


def document_figures(network, tokenizer, language):
    """The walkthrough's sentences and pairs of one language, asked of this model."""
    document = json.loads(configurations.FIGURES.read_text(encoding="utf-8"))
    long = {"en": "english", "ko": "korean"}[language]
    sentences = []
    for text, answers in document[f"masked_lm_{long}"]["fill_mask"].items():
        top = examine.top_words(network, tokenizer, text)
        theirs = {answer["token_str"] for answer in answers}
        shared = sum(token in theirs for token, _ in top)
        sentences.append({"text": text, "top": top, "shared": shared})
    pairs = []
    for pair in document[f"next_sentence_{long}"]["pairs"]:
        follows = examine.follows(network, tokenizer, pair["prompt"], pair["next_sentence"])
        pairs.append({**pair, "follows": follows, "label": int(follows < 0.5), "document": pair["label"]})
    return sentences, pairs


def evaluate(configuration, network, build, outside=(), texts=None, count=40):
    """All figures of the card.

    Args:
        configuration: dict of `configuration.load`.
        network: BertForPreTraining, as exported.
        build: Path with the packed corpus and the tokenizer.
        outside: Paths of text files from elsewhere.
        texts: list of Path, folders of the training texts, for the similarity figure; None leaves it out.
        count: int, batches of 16 × 128 tokens a figure.

    Returns:
        dict.
    """
    special = json.loads((build / "special.json").read_text(encoding="utf-8"))
    tokenizer = BertTokenizerFast.from_pretrained(build / "tokenizer")
    held_out, sources, seed = corpus.load(build, "held_out"), configuration["sources"], configuration["seed"]
    prose = selected(sources, lambda kind: kind not in NOT_PROSE)
    figures = {
        "parameters": sum(p.numel() for p in network.parameters()),
        "vocabulary": special["size"],
        "prose": measure.accuracy(network, measure.batches(held_out, prose, special, seed, count)),
        "by_kind": measure.by_kind(network, held_out, sources, special, seed, count // 4),
        "pseudo_perplexity": examine.pseudo_perplexity(network, held_out, special, seed),
        "swapped": examine.order_accuracy(network, held_out, special, seed, "swapped"),
        "same_document": examine.order_accuracy(network, held_out, special, seed, "same-document"),
        "unknown": float((held_out.ids == special["[UNK]"]).mean()),
        "held_out_pieces": len(held_out.ids),
        "outside": [],
    }
    counts = baselines.Counts(corpus.load(build, "train"), special["size"])
    exam = list(measure.batches(held_out, prose, special, seed, count))
    figures["detail"] = measure.in_detail(network, exam, counts.frequency)
    figures["baselines"] = baselines.accuracy(counts, exam, objectives.IGNORE)
    if texts:
        figures["similarity"] = examine.similarity(network, tokenizer, corpus.find(texts, SIMILARITY[configuration["language"]]))
    if any(source["kind"] == "reviews" for source in sources):
        reviews = selected(sources, lambda kind: kind == "reviews")
        figures["reviews"] = measure.accuracy(network, measure.single_batches(held_out, reviews, special, seed, count))
    for path in outside:
        packed = outside_text(path, build / "tokenizer", 0)
        one = [{"name": path.stem, "kind": "outside", "weight": 1.0}]
        row = measure.accuracy(network, measure.batches(packed, one, special, seed, count // 2))
        figures["outside"].append({"name": path.stem.replace("_", " "), **row})
    figures["sentences"], figures["pairs"] = document_figures(network, tokenizer, configuration["language"])
    return figures


@torch.no_grad()
def write_parity(network, tokenizer, language, path):
    """Store this network's logits for one pair of sentences: what TensorFlow must reproduce to 1e-3."""
    prompt, next_sentence = PARITY[language]
    inputs = tokenizer(prompt, next_sentence, return_tensors="pt")
    output = network(**inputs)
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        path,
        input_ids=inputs["input_ids"].numpy(),
        token_type_ids=inputs["token_type_ids"].numpy(),
        prediction_logits=output.prediction_logits[0, :, ::97].numpy(),
        seq_relationship_logits=output.seq_relationship_logits.numpy(),
    )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=configurations.names())
    parser.add_argument("--build", type=Path, default=configurations.ROOT / "build")
    parser.add_argument("--models", type=Path, default=configurations.ROOT / "models")
    parser.add_argument("--outside", type=Path, nargs="*", default=[], help="text files from elsewhere to measure on too")
    parser.add_argument("--texts", type=Path, nargs="+", help="folders of the training texts, to measure sentence similarity too")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args(arguments)
    if options.threads:
        torch.set_num_threads(options.threads)
    configuration = configurations.load(options.name)
    build, folder = options.build / options.name, options.models / options.name
    state = torch.load(build / "checkpoint.pt", map_location="cpu", weights_only=True)
    special = json.loads((build / "special.json").read_text(encoding="utf-8"))
    network = networks.build(configuration, special)
    network.load_state_dict(state["network"])
    export.write(network, build / "tokenizer", folder)
    export.write_log(state["log"], folder)
    network = export.load(folder)
    figures = evaluate(configuration, network, build, options.outside, options.texts)
    figures["bytes"] = (folder / export.WEIGHTS).stat().st_size
    counts = json.loads((build / "corpus.json").read_text(encoding="utf-8"))
    text = card.text(configuration, counts, state["log"], figures)
    (folder / "README.md").write_text(text, encoding="utf-8")
    tokenizer = BertTokenizerFast.from_pretrained(folder)
    tests = options.models.parent / "tests" / "data"
    write_parity(network, tokenizer, configuration["language"], tests / f"{options.name.replace('-', '_')}_logits.npz")
    export.write_sums(options.models)
    print(text)


if __name__ == "__main__":
    main()
