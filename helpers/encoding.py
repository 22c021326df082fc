"""From text to integers: the pieces, ids and masks that BERT sees.

Source: the document, part "The input of BERT" (masked language model), and Devlin et al. 2018 (arXiv 1810.04805),
section 3, "Input/Output Representations".
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from helpers.language import say

FIELDS = ("input_ids", "token_type_ids", "attention_mask")
PIECES_AT_MOST = 512  # BERT has learnt 512 positions; a model's own number is `model.config.max_position_embeddings`


def pieces(text, tokenizer):
    """Cut a text into WordPieces, without the [CLS] and [SEP] that the tokenizer adds.

    Args:
        text: str.
        tokenizer: the tokenizer of the model.

    Returns:
        list of str; a piece that continues a word starts with `##`.

    Raises:
        TypeError, ValueError: the text is not a string, or is empty.
    """
    _check_not_empty(text, tokenizer)
    return tokenizer.tokenize(text)


def table(inputs, tokenizer, row=0):
    """Lay what the tokenizer returns side by side: one line a piece.

    Args:
        inputs: what `tokenizer(...)` returns, with lists or tensors: (tokens,) for one text or (batch, tokens).
        tokenizer: the tokenizer that made it.
        row: int, which text of a batch.

    Returns:
        DataFrame with the columns `piece`, `input_ids`, `token_type_ids`, `attention_mask` (those that `inputs` has).

    Raises:
        TypeError: `inputs` is not what a tokenizer returns.
        IndexError: the batch has no such row.
    """
    if not isinstance(inputs, Mapping) or "input_ids" not in inputs:
        raise TypeError(say(
            f"Expected what tokenizer(...) returns, not {type(inputs).__name__}: write inputs = tokenizer(text) first.",
            f"tokenizer(...)의 결과가 필요한데 {type(inputs).__name__}이(가) 왔습니다: 먼저 inputs = tokenizer(text)를 쓰세요.",
        ))
    columns = {field: _row(inputs[field], row) for field in FIELDS if field in inputs}
    return pd.DataFrame({"piece": tokenizer.convert_ids_to_tokens(columns["input_ids"]), **columns})


def check_text(text, tokenizer, text_pair=None, pieces_at_most=PIECES_AT_MOST):
    """Stop with a kind line before a text reaches the model that the model cannot take.

    Args:
        text: str.
        tokenizer: the tokenizer of the model.
        text_pair: str, the second text of a pair, or None.
        pieces_at_most: int, [CLS] and [SEP] included: the model's `config.max_position_embeddings`.

    Raises:
        TypeError: a text is not a string.
        ValueError: a text is empty, or there are too many pieces.
    """
    _check_not_empty(text, tokenizer)
    if text_pair is not None:
        _check_not_empty(text_pair, tokenizer)
    count = len(tokenizer(text, text_pair, verbose=False)["input_ids"])
    if count > pieces_at_most:
        raise ValueError(say(
            f"{count} pieces with [CLS] and [SEP], but this model reads {pieces_at_most} at most: "
            f"leave out at least {count - pieces_at_most}, or split the text.",
            f"[CLS]와 [SEP]까지 {count}조각인데 이 모델은 {pieces_at_most}조각까지 읽습니다: "
            f"{count - pieces_at_most}조각 이상 줄이거나 글을 나누세요.",
        ))


def check_belong_together(model, tokenizer):
    """Stop where a model is given the tokenizer of another model: its ids would mean other words.

    Args:
        model: a transformers model.
        tokenizer: a transformers tokenizer.

    Raises:
        ValueError: their vocabularies have different sizes.
    """
    of_model, of_tokenizer = model.config.vocab_size, len(tokenizer)
    if of_model != of_tokenizer:
        raise ValueError(say(
            f"Model and tokenizer belong together: this model knows {of_model:,} pieces, this tokenizer {of_tokenizer:,}. "
            "Load both from the same checkpoint.",
            f"모델과 토크나이저는 짝이 맞아야 합니다: 이 모델의 어휘는 {of_model:,}개, 이 토크나이저의 어휘는 {of_tokenizer:,}개입니다. "
            "둘 다 같은 체크포인트에서 불러오세요.",
        ))


def quote(text, characters=60):
    """A learner's own text for an error line: in quotation marks, cut where it is long.

    Args:
        text: str.
        characters: int, how many to keep.

    Returns:
        str on one line.
    """
    line = " ".join(text.split())
    return f"'{line if len(line) <= characters else line[:characters - 1] + '…'}'"


def is_whole(value):
    """Is it a whole number, Python's or NumPy's? True and False are none."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value):
    """Is it a number of any kind? True and False are none."""
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def is_table(values):
    """Is it a whole table, a dict or a set? As a list it would be its names, or stand in no order."""
    return isinstance(values, (Mapping, set, frozenset)) or hasattr(values, "columns")


def one_column(name, values):
    """The line that says so.

    Args:
        name: str, what the caller calls it.
        values: what was given.

    Returns:
        str.
    """
    return say(
        f"{name} should be a list, not {type(values).__name__}: give one column, like table['text'].",
        f"{name}에는 목록이 필요한데 {type(values).__name__}이(가) 왔습니다: table['text']처럼 열 하나를 주세요.",
    )


def check_whole(text):
    """Stop at half a character, which a wrongly decoded file leaves behind.

    Args:
        text: str.

    Raises:
        ValueError: it holds a lone surrogate.
    """
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(say(
            "This text holds half a character (a lone surrogate), which no tokenizer can read: type or read it in again as UTF-8.",
            "이 글에는 반쪽짜리 문자(짝 없는 서러게이트)가 있어 토크나이저가 읽을 수 없습니다: 다시 입력하거나 UTF-8로 읽어 오세요.",
        ))


def _check_not_empty(text, tokenizer):
    if not isinstance(text, str):
        raise TypeError(say(
            f"Expected a text, not {type(text).__name__}: put the sentence in quotation marks, like 'Soccer is fun.'",
            f"글이 필요한데 {type(text).__name__}이(가) 왔습니다: 문장을 '축구는 재미있다.'처럼 따옴표 안에 쓰세요.",
        ))
    check_whole(text)
    # Not only "" and spaces: a text of invisible characters has no piece either.
    if not text.strip() or not tokenizer.tokenize(text, verbose=False):
        raise ValueError(say(
            "This text is empty: write a sentence, like 'Soccer is fun.'",
            "글이 비어 있습니다: '축구는 재미있다.'처럼 문장을 쓰세요.",
        ))


def _row(values, row):
    """One text's integers out of lists or tensors of shape (tokens,) or (batch, tokens)."""
    if len(values) == 0 or np.ndim(values[0]) == 0:  # a single text: no batch around it
        values = [values]
    if not -len(values) <= row < len(values):
        raise IndexError(say(
            f"There is no row {row}: these inputs hold {len(values)}, counted from 0.",
            f"{row}번 행이 없습니다: 이 입력에는 행이 {len(values)}개 있고 0부터 셉니다.",
        ))
    return [int(value) for value in values[row]]
