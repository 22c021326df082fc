"""The two vocabularies: BERT's own English one, and a cased Korean WordPiece trained here."""

import shutil
from pathlib import Path

from tokenizers import BertWordPieceTokenizer, Tokenizer
from transformers import BertTokenizerFast

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


def train(lines, size, alphabet):
    """Train a cased WordPiece vocabulary.

    Args:
        lines: iterable of str.
        size: int, pieces in all.
        alphabet: int, how many different characters are kept; a word with a rarer one becomes `[UNK]`.

    Returns:
        tokenizers.BertWordPieceTokenizer with `[PAD] [UNK] [CLS] [SEP] [MASK]` = 0…4, as in `klue/bert-base`.
    """
    tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False, handle_chinese_chars=True)
    tokenizer.train_from_iterator(
        lines, vocab_size=size, limit_alphabet=alphabet, min_frequency=2, special_tokens=SPECIAL_TOKENS, show_progress=False
    )
    return tokenizer


def write(tokenizer, folder, lowercase):
    """Write tokenizer files (`vocab.txt`, `tokenizer.json`, `tokenizer_config.json`) that `from_pretrained` loads."""
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = tokenizer.get_vocab()
    (folder / "vocab.txt").write_text("\n".join(sorted(vocabulary, key=vocabulary.get)) + "\n", encoding="utf-8")
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


def special_ids(folder, predict_unknown):
    """What `objectives` and `start` need to know of a vocabulary, so that training needs no tokenizer.

    Args:
        folder: Path of the tokenizer.
        predict_unknown: bool, whether `[UNK]` may be a masked piece (not where a text uses it for words it removed).

    Returns:
        dict of the five special tokens' ids, `size`, `predict_unknown`, and `standalone`: for each id of a `##piece` the id of
        the same piece without `##`, else −1.
    """
    tokenizer = load(folder)
    ids_of = tokenizer.get_vocab()
    standalone = [-1] * len(ids_of)
    for piece, number in ids_of.items():
        if piece.startswith("##"):
            standalone[number] = ids_of.get(piece[2:], -1)
    ids = {token: tokenizer.token_to_id(token) for token in SPECIAL_TOKENS}
    return {**ids, "size": tokenizer.get_vocab_size(), "predict_unknown": predict_unknown, "standalone": standalone}
