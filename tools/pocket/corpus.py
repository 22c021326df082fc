"""Turn public text into packed token ids, split into training and held-out documents.

A source is a file of lines, a blank line between documents. A source of `unit = "line"` (reviews, chat) has one
document a line; one of `unit = "group"` (a premise and its hypotheses) has lines that belong together but in no order, so
that no next-sentence pair is made of them. `prepare` writes `<split>.npz`: every piece id in one array, with the offsets of sentences and of
documents, so that training needs neither the text nor a tokenizer and travels in a few megabytes.
"""

import csv
import hashlib
import json
import lzma
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.pocket.configuration import ROOT

SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+")
HELD_OUT_PER_MILLE = 30


@dataclass(frozen=True)
class Packed:
    """One split of a corpus as token ids.

    Attributes:
        ids: uint16 (pieces,), all sentences end to end, without special tokens.
        sentences: int64 (sentences + 1,), where each sentence starts in `ids`.
        documents: int64 (documents + 1,), where each document starts in `sentences`.
        source: uint8 (documents,), index into the configuration's sources.
    """

    ids: np.ndarray
    sentences: np.ndarray
    documents: np.ndarray
    source: np.ndarray

    def sentence(self, index):
        """The piece ids of one sentence, uint16 (pieces,)."""
        return self.ids[self.sentences[index] : self.sentences[index + 1]]

    def save(self, path):
        np.savez_compressed(path, ids=self.ids, sentences=self.sentences, documents=self.documents, source=self.source)

    @classmethod
    def load(cls, path):
        with np.load(path, allow_pickle=False) as arrays:
            return cls(**{name: arrays[name] for name in ("ids", "sentences", "documents", "source")})


def is_held_out(document, seed=0):
    """The split rule: a document is held out by the hash of its own text, so that no order or file name matters.

    Args:
        document: list of str, its lines.
        seed: int, another seed holds out another 3 %.
    """
    digest = hashlib.sha256(f"{seed}\n{document[0]}".encode()).digest()
    return int.from_bytes(digest[:4], "big") % 1000 < HELD_OUT_PER_MILLE


def words(text):
    return re.findall(r"\[mask\]\w*|\w+", unicodedata.normalize("NFKC", text).lower())


def document_texts(figures):
    """The texts of the source document that no training line may come near.

    Args:
        figures: dict, the content of `document_figures.json`.

    Returns:
        list of str, the six masked sentences and the sentences of the four next-sentence pairs.
    """
    texts = []
    for part in figures.values():
        if isinstance(part, dict):
            texts += part.get("fill_mask", {})
            texts += [pair[side] for pair in part.get("pairs", []) for side in ("prompt", "next_sentence")]
    return list(dict.fromkeys(texts))


class Excluded:
    """Knows the word n-grams of the document's sentences; `[MASK]` stands for any word.

    A training line that shares `n` consecutive words with one of them is left out: four words in English, three in
    Korean, where a word (eojeol) carries its particles with it.
    """

    def __init__(self, texts):
        patterns = set()
        for text in texts:
            n = 3 if re.search("[가-힣]", text) else 4
            tokens = [re.sub(r"^\[mask\]", "\0", word) for word in words(text)]
            for start in range(len(tokens) - n + 1):
                gram = tokens[start : start + n]
                patterns.add(r"\b" + " ".join(re.escape(word).replace("\0", r"\w+") for word in gram) + r"\b")
        self.pattern = re.compile("|".join(sorted(patterns)))

    def matches(self, line):
        return bool(self.pattern.search(" ".join(words(line))))


def find(folders, path):
    """Where a text lies.

    Args:
        folders: list of Path, looked through in order; this repository, which has a text of its own, comes last.
        path: str, what a configuration calls the text, relative to one of them.

    Raises:
        FileNotFoundError: in none of them; the message says how the texts are brought.
    """
    searched = [*folders, ROOT]
    for folder in searched:
        if (folder / path).is_file():
            return folder / path
    raise FileNotFoundError(
        f"{path} is in none of: {', '.join(map(str, searched))}. python -m tools.pocket.more_texts brings six English texts; add build/texts to --texts."
    )


def read_lines(path):
    if path.suffix == ".xz":
        with lzma.open(path, "rt", encoding="utf-8") as file:
            yield from file
    elif path.suffix == ".csv":
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield f"{row['Q']} {row['A']}"
    elif path.suffix == ".tsv":
        yield from read_pairs(path)
    else:
        with open(path, encoding="utf-8") as file:
            yield from file


EVALUATION_ONLY = ("MSRpar", "MSRvid")  # parts of STS-B whose own licence lets nobody pass on what was trained on them


def read_pairs(path):
    """The sentences of a file of pairs, an empty line between groups that belong together.

    Args:
        path: Path of tab-separated columns: `premise` and `hypothesis` (a premise stands once, then its hypotheses), or
            `sentence1` and `sentence2` of STS-B's layout, without the rows of `EVALUATION_ONLY`.
    """
    premise = None
    with open(path, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if row.get("filename") in EVALUATION_ONLY:
                continue
            first, second = (row["sentence1"], row["sentence2"]) if "sentence1" in row else (row["premise"], row["hypothesis"])
            if first != premise:
                premise = first
                yield ""
                yield first
            yield second


def read_documents(path, unit="document", excluded=None):
    """Read one source.

    Args:
        path: Path of a `.txt`, `.txt.xz`, question-answer `.csv` or inference `.tsv` file.
        unit: "document" or "group" (a blank line between documents) or "line" (each line is one).
        excluded: Excluded or None, lines to leave out.

    Yields:
        list of str, the lines of one document.
    """
    document = []
    for line in read_lines(path):
        line = " ".join(unicodedata.normalize("NFC", line).replace("<unk>", "[UNK]").split())
        if line and not (excluded and excluded.matches(line)):
            document.append(line)
        if document and (not line or unit == "line"):
            yield document
            document = []
    if document:
        yield document


def split_sentences(line):
    return [sentence for sentence in SENTENCE_END.split(line) if sentence]


def prepare(configuration, text_folders, figures, tokenizer, folder):
    """Write `train.npz`, `held_out.npz` and `corpus.json` for a configuration.

    Args:
        configuration: dict of `configuration.load`.
        text_folders: list of Path; under one of them each source's `path` lies.
        figures: dict, `document_figures.json`.
        tokenizer: a fast tokenizer (`tokenizers.Tokenizer`).
        folder: Path to write to.

    Returns:
        dict, the counts written to `corpus.json`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    excluded = Excluded(document_texts(figures))
    seed = configuration["seed"]
    parts = {name: ([], [0], [0], []) for name in ("train", "held_out")}
    counts = []
    for index, source in enumerate(configuration["sources"]):
        documents = list(read_documents(find(text_folders, source["path"]), source.get("unit", "document"), excluded))
        before = {name: part[1][-1] for name, part in parts.items()}
        sentences = [[s for line in document for s in split_sentences(line)] for document in documents]
        encodings = iter(tokenizer.encode_batch([s for document in sentences for s in document], add_special_tokens=False))
        for document, split in zip(documents, sentences):
            ids, starts, borders, kinds = parts["held_out" if is_held_out(document, seed) else "train"]
            for _ in split:
                piece_ids = next(encodings).ids
                if piece_ids:
                    ids.append(np.array(piece_ids, dtype=np.uint16))
                    starts.append(starts[-1] + len(piece_ids))
            if len(starts) - 1 > borders[-1]:
                borders.append(len(starts) - 1)
                kinds.append(index)
        counts.append({"name": source["name"], **{f"{name}_pieces": part[1][-1] - before[name] for name, part in parts.items()}})
    for name, (ids, starts, borders, kinds) in parts.items():
        Packed(
            np.concatenate(ids), np.array(starts, dtype=np.int64), np.array(borders, dtype=np.int64), np.array(kinds, dtype=np.uint8)
        ).save(folder / f"{name}.npz")
    summary = {"name": configuration["name"], "seed": seed, "sources": counts}
    (folder / "corpus.json").write_text(json.dumps(summary, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return summary


def load(folder, split):
    """Read what `prepare` wrote: `split` is "train" or "held_out"."""
    return Packed.load(Path(folder) / f"{split}.npz")
