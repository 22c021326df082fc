"""What a masked language model puts where [MASK] stands: logits, softmax, the k most probable pieces.

Source: the document, part "Predicting the [MASK] token", and Devlin et al. 2018 (arXiv 1810.04805), section 3.1, task 1.
The same numbers as `transformers.FillMaskPipeline`, worked out by hand.
"""

import re

import numpy as np
import pandas as pd
from scipy.special import softmax

from helpers import encoding
from helpers.language import say

# What people type for [MASK] when they come from another model, or from a worksheet.
OTHER_MASKS = re.compile(r"(?i:[\[<({［＜]\s*mask\s*[\]>)}］＞])|<extra_id_\d+>|_{2,}|\bMASK\b")


def probabilities(model, tokenizer, text):
    """How probable each piece of the vocabulary is at each [MASK].

    Args:
        model: a `TFBertForMaskedLM`.
        tokenizer: its tokenizer.
        text: str with at least one [MASK].

    Returns:
        float32 (masks, vocabulary), each row sums to 1.

    Raises:
        TypeError, ValueError: the text has no [MASK], is empty, too long or not a string; model and tokenizer differ.
    """
    return _probabilities(model, tokenizer, text)[1]


def top_k(model, tokenizer, text, k=5):
    """The k most probable pieces for each [MASK].

    Args:
        model: a `TFBertForMaskedLM`.
        tokenizer: its tokenizer.
        text: str with at least one [MASK].
        k: int, how many.

    Returns:
        What `FillMaskPipeline(model=model, tokenizer=tokenizer, top_k=k)(text)` returns: a list of dictionaries `score`,
        `token`, `token_str`, `sequence`, the most probable first; where the text has several [MASK], a list of such lists.
        A special token that was predicted, like [UNK], is missing from `sequence`.

    Raises:
        TypeError, ValueError: as `probabilities`, or k is not a number from 1 to the size of the vocabulary.
    """
    _check_k(k, model.config.vocab_size)
    input_ids, by_mask = _probabilities(model, tokenizer, text)
    places = np.flatnonzero(input_ids == tokenizer.mask_token_id)
    answers = [
        [_answer(input_ids, place, token, row[token], tokenizer, one_mask=len(places) == 1)
         for token in np.argsort(-row, kind="stable")[:k]]
        for place, row in zip(places, by_mask)
    ]
    return answers[0] if len(places) == 1 else answers


def table(answers):
    """The answers of `top_k` or of `FillMaskPipeline` as a table.

    Args:
        answers: list of dictionaries, or a list of such lists where the text has several [MASK].

    Returns:
        DataFrame with the columns `token_str`, `token`, `score` (3 decimals); before them `mask` (1, 2, …) for several.
    """
    if answers and isinstance(answers[0], list):
        return pd.concat([table(each).assign(mask=number) for number, each in enumerate(answers, start=1)],
                         ignore_index=True)[["mask", "token_str", "token", "score"]]
    return pd.DataFrame(answers, columns=["token_str", "token", "score"]).round({"score": 3})


def rank(model, tokenizer, text, word):
    """At which place of the model's guesses a word stands.

    Args:
        model: a `TFBertForMaskedLM`.
        tokenizer: its tokenizer.
        text: str with exactly one [MASK].
        word: str, one piece of the vocabulary.

    Returns:
        int, 1 for the most probable. Far down the list neighbours are so close that computers may order them differently.

    Raises:
        TypeError, ValueError: as `probabilities`; the word is not one piece; several [MASK].
    """
    return int(probability_of(model, tokenizer, text, [word])["rank"].iloc[0])


def probability_of(model, tokenizer, text, words):
    """How probable the learner's own words are at [MASK].

    Args:
        model: a `TFBertForMaskedLM`.
        tokenizer: its tokenizer.
        text: str with exactly one [MASK].
        words: list of str (or one str), each one piece of the vocabulary; `##` before a piece that continues a word.

    Returns:
        DataFrame with the columns `token_str`, `token`, `score` (4 decimals), `rank`, in the order of `words`.

    Raises:
        TypeError, ValueError: as `rank`.
    """
    words = words if np.iterable(words) and not isinstance(words, str) else [words]
    tokens = [_one_piece(word, tokenizer) for word in words]
    by_mask = probabilities(model, tokenizer, text)
    if len(by_mask) > 1:
        raise ValueError(say(
            f"{len(by_mask)} {tokenizer.mask_token} in {encoding.quote(text)}: keep one, so that it is plain which one is meant.",
            f"{encoding.quote(text)}에 {tokenizer.mask_token}가 {len(by_mask)}개 있습니다: 어느 자리인지 분명하도록 하나만 남기세요.",
        ))
    row = by_mask[0]
    return pd.DataFrame({
        "token_str": tokenizer.convert_ids_to_tokens(tokens),
        "token": tokens,
        "score": [round(float(row[token]), 4) for token in tokens],
        "rank": [1 + int((row > row[token]).sum()) for token in tokens],
    })


def two_digits(number):
    """A probability or a ratio as text, rounded to two digits that count.

    Of a small number something is left, and of a large one nothing is shown that differs from one processor to the next.

    Args:
        number: float.

    Returns:
        str without an exponent, such as "0.000034" or "2600".
    """
    return np.format_float_positional(number, precision=2, fractional=False, trim="-")


def _probabilities(model, tokenizer, text):
    """int (tokens,), the ids that the model read, and float32 (masks, vocabulary)."""
    encoding.check_belong_together(model, tokenizer)
    encoding.check_text(text, tokenizer, pieces_at_most=model.config.max_position_embeddings)
    _check_mask(text, tokenizer)
    inputs = tokenizer(text, return_tensors="tf")
    logits = getattr(model(**inputs), "logits", None)
    if logits is None or len(logits.shape) != 3:
        raise ValueError(say(
            f"{type(model).__name__} does not predict words: load the model with TFBertForMaskedLM.from_pretrained(...).",
            f"{type(model).__name__}은(는) 단어를 예측하지 않습니다: 모델을 TFBertForMaskedLM.from_pretrained(...)로 불러오세요.",
        ))
    input_ids = np.asarray(inputs["input_ids"])[0]
    return input_ids, softmax(np.asarray(logits)[0, input_ids == tokenizer.mask_token_id], axis=-1)


def _answer(input_ids, place, token, score, tokenizer, one_mask):
    """One guess, written as `FillMaskPipeline` writes it."""
    filled = input_ids.copy()
    filled[place] = token
    filled = filled[filled != tokenizer.pad_token_id]
    return {
        "score": float(score),
        "token": int(token),
        "token_str": tokenizer.decode([token]),
        # With several masks the special tokens stay, or the other [MASK] would be gone.
        "sequence": tokenizer.decode(filled, skip_special_tokens=one_mask),
    }


def _one_piece(word, tokenizer):
    """The id of a word that is one piece."""
    pieces = encoding.pieces(word, tokenizer)
    token = tokenizer.convert_tokens_to_ids(pieces[0] if len(pieces) == 1 else word)
    if token != tokenizer.unk_token_id or word == tokenizer.unk_token:
        return token
    if len(pieces) == 1:
        raise ValueError(say(
            f"{encoding.quote(word)} is not in this tokenizer's vocabulary (it becomes {tokenizer.unk_token}): try another word.",
            f"{encoding.quote(word)}은(는) 이 토크나이저의 어휘 집합에 없습니다({tokenizer.unk_token}가 됩니다): 다른 단어로 해 보세요.",
        ))
    raise ValueError(say(
        f"{encoding.quote(word)} is {len(pieces)} pieces here ({' '.join(pieces)}), but one {tokenizer.mask_token} is one piece: "
        "choose a word that is one piece.",
        f"{encoding.quote(word)}은(는) 여기서 {len(pieces)}조각({' '.join(pieces)})인데 {tokenizer.mask_token} 하나는 한 조각입니다: "
        "한 조각인 단어를 고르세요.",
    ))


def _check_mask(text, tokenizer):
    mask = tokenizer.mask_token
    if mask in text:
        return
    other = OTHER_MASKS.search(text)
    if other:
        raise ValueError(say(
            f"{other.group()} in {encoding.quote(text)} is not this tokenizer's mask: write {mask} instead.",
            f"{encoding.quote(text)}의 {other.group()}은(는) 이 토크나이저의 마스크가 아닙니다: 대신 {mask}를 쓰세요.",
        ))
    raise ValueError(say(
        f"No {mask} in {encoding.quote(text)}: put {mask} where the model should guess.",
        f"{encoding.quote(text)}에 {mask}가 없습니다: 모델이 맞힐 자리에 {mask}를 넣으세요.",
    ))


def _check_k(k, vocabulary):
    if not encoding.is_whole(k):
        raise TypeError(say(
            f"k={k!r} is not a whole number: k is how many answers you want, like k=5.",
            f"k={k!r}은(는) 정수가 아닙니다: k는 보고 싶은 답의 개수입니다. 예: k=5.",
        ))
    if not 1 <= k <= vocabulary:
        raise ValueError(say(
            f"k={k} is out of range: choose 1 to {vocabulary:,}, the size of this model's vocabulary.",
            f"k={k}은(는) 범위를 벗어납니다: 1부터 이 모델의 어휘 크기인 {vocabulary:,} 사이에서 고르세요.",
        ))
