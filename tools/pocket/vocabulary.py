"""The two vocabularies: BERT's own English one, and a cased Korean WordPiece trained here."""

import re
import shutil
from pathlib import Path

from tokenizers import BertWordPieceTokenizer, Tokenizer
from transformers import BertTokenizerFast

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


# After a noun of two syllables or more, longest first. A cut at them is no morphological analysis: it meets 로 in 서로 as well.
PARTICLES = (
    "에서는", "에게서", "으로는", "이라는", "에서", "에게", "으로", "까지", "부터", "보다", "처럼", "에는", "이나", "라는", "하고", "은", "는", "이", "가", "을", "를", "에", "의", "도", "만", "로", "와", "과", "나",
)
WITH_PARTICLE = re.compile(rf"([가-힣]{{2,}}?)({'|'.join(PARTICLES)})(?![가-힣])")


def by_id(ids_of):
    """The pieces of a vocabulary (dict of piece → id), a list of str in the order of their ids."""
    return sorted(ids_of, key=ids_of.get)


def train(lines, size, alphabet, cut_particles=False):
    """Train a cased WordPiece vocabulary.

    Args:
        lines: iterable of str.
        size: int, pieces in all.
        alphabet: int, how many different characters are kept; a word with a rarer one becomes `[UNK]`.
        cut_particles: bool, learn no piece that reaches from a Korean word's stem into one of `PARTICLES` at its end.

    Returns:
        tokenizers.BertWordPieceTokenizer with `[PAD] [UNK] [CLS] [SEP] [MASK]` = 0…4, as in `klue/bert-base`.
    """
    settings = {"lowercase": False, "strip_accents": False, "handle_chinese_chars": True}
    added = [f"##{particle}" for particle in PARTICLES] if cut_particles else []
    tokenizer = BertWordPieceTokenizer(**settings)
    tokenizer.train_from_iterator(
        (WITH_PARTICLE.sub(r"\1 \2", line) for line in lines) if cut_particles else lines,
        vocab_size=size - len(added), limit_alphabet=alphabet, min_frequency=2, special_tokens=SPECIAL_TOKENS, show_progress=False,
    )
    if not added:
        return tokenizer
    pieces = by_id(tokenizer.get_vocab())
    pieces += [piece for piece in added if piece not in pieces]
    return BertWordPieceTokenizer({piece: number for number, piece in enumerate(pieces)}, **settings)


def write(tokenizer, folder, lowercase):
    """Write tokenizer files (`vocab.txt`, `tokenizer.json`, `tokenizer_config.json`) that `from_pretrained` loads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(by_id(tokenizer.get_vocab())) + "\n", encoding="utf-8")
    BertTokenizerFast(
        vocab_file=str(folder / "vocab.txt"), do_lower_case=lowercase, strip_accents=None if lowercase else False, model_max_length=512
    ).save_pretrained(folder)


def copy(source, folder):
    """Copy MiniLM's vocabulary, which is that of `bert-base-uncased`, into an own tokenizer folder."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(Path(source) / "vocab.txt", folder / "vocab.txt")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), do_lower_case=True, model_max_length=512).save_pretrained(folder)


def load(folder):
    """The `tokenizers.Tokenizer` of a folder."""
    tokenizer = Tokenizer.from_file(str(Path(folder) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def words(folder):
    """The pieces of a folder's tokenizer, a list of str in the order of their ids."""
    return by_id(load(folder).get_vocab())


def special_ids(folder, predict_unknown):
    """What `objectives` and `start` need to know of a vocabulary, so that training needs no tokenizer.

    Args:
        folder: Path of the tokenizer.
        predict_unknown: bool, whether `[UNK]` may be a masked piece (not where a text uses it for words it removed).

    Returns:
        dict of the five special tokens' ids, `size`, `predict_unknown`, and `standalone`: for each id of a `##piece` the id of
        the same piece without `##`, else −1; `continues`: for each id whether it is a `##piece`.
    """
    tokenizer = load(folder)
    ids_of = tokenizer.get_vocab()
    standalone, continues = [-1] * len(ids_of), [False] * len(ids_of)
    for piece, number in ids_of.items():
        if piece.startswith("##"):
            standalone[number], continues[number] = ids_of.get(piece[2:], -1), True
    ids = {token: tokenizer.token_to_id(token) for token in SPECIAL_TOKENS}
    return {
        **ids, "size": tokenizer.get_vocab_size(), "predict_unknown": predict_unknown, "standalone": standalone, "continues": continues,
    }
