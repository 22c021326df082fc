"""Does the second sentence follow the first? Logits, softmax, label.

Source: the document, part "Next sentence prediction", and Devlin et al. 2018 (arXiv 1810.04805), section 3.1, task 2.
Label 0: it follows. Label 1: it does not, it was drawn at random.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import softmax

from helpers import encoding
from helpers.language import say

PAIRS_AT_ONCE = 8


def predict(model, tokenizer, prompts, next_sentences):
    """Judge pairs of sentences.

    Args:
        model: a `TFBertForNextSentencePrediction`.
        tokenizer: its tokenizer.
        prompts: str, or list of str.
        next_sentences: str, or a list as long as `prompts`.

    Returns:
        DataFrame, one row a pair: `follows` and `random` (float32 probabilities, their sum is 1) and `label`
        (0 = follows, 1 = does not).

    Raises:
        TypeError, ValueError: a text is empty, too long or not a string; the lists differ in length; model and tokenizer
            differ.
    """
    prompts, next_sentences = _pairs(prompts, next_sentences)
    probabilities = _probabilities(model, tokenizer, prompts, next_sentences)
    return pd.DataFrame({
        "follows": probabilities[:, 0],
        "random": probabilities[:, 1],
        "label": probabilities.argmax(axis=-1),
    })


def matrix(model, tokenizer, prompts, next_sentences):
    """Judge every prompt against every next sentence.

    Args:
        model: a `TFBertForNextSentencePrediction`.
        tokenizer: its tokenizer.
        prompts: list of str.
        next_sentences: list of str.

    Returns:
        float32 (prompts, next sentences): the probability that the column's sentence follows the row's.

    Raises:
        TypeError, ValueError: as `predict`; the two lists may differ in length.
    """
    prompts, next_sentences = _sentences(prompts), _sentences(next_sentences)
    pairs = [(prompt, next_sentence) for prompt in prompts for next_sentence in next_sentences]
    probabilities = _probabilities(model, tokenizer, *map(list, zip(*pairs)))
    return probabilities[:, 0].reshape(len(prompts), len(next_sentences))


def _probabilities(model, tokenizer, prompts, next_sentences):
    """float32 (pairs, 2)."""
    encoding.check_belong_together(model, tokenizer)
    for prompt, next_sentence in zip(prompts, next_sentences):
        encoding.check_text(next_sentence, tokenizer)
        encoding.check_text(prompt, tokenizer, next_sentence, model.config.max_position_embeddings)
    batches = []
    for start in range(0, len(prompts), PAIRS_AT_ONCE):
        here = slice(start, start + PAIRS_AT_ONCE)
        inputs = tokenizer(prompts[here], next_sentences[here], padding=True, return_tensors="tf")
        # attention_mask goes along: without it the padding of a shorter pair would be read as text.
        logits = getattr(model(**inputs), "logits", None)
        if logits is None or tuple(logits.shape[1:]) != (2,):
            raise ValueError(say(
                f"{type(model).__name__} does not judge pairs: load the model with TFBertForNextSentencePrediction.from_pretrained(...).",
                f"{type(model).__name__}은(는) 두 문장을 판단하지 않습니다: 모델을 TFBertForNextSentencePrediction.from_pretrained(...)로 불러오세요.",
            ))
        batches.append(softmax(np.asarray(logits), axis=-1))
    return np.concatenate(batches)


def _pairs(prompts, next_sentences):
    """Two lists of the same length."""
    alike = _is_many(prompts) == _is_many(next_sentences)
    prompts, next_sentences = _sentences(prompts), _sentences(next_sentences)
    if not alike:
        raise ValueError(say(
            "One text and a list do not pair up: give two texts, or two lists of equal length (or use matrix).",
            "글 하나와 목록은 짝이 되지 않습니다: 글 두 개나 길이가 같은 목록 두 개를 주세요(아니면 matrix를 쓰세요).",
        ))
    if len(prompts) != len(next_sentences):
        raise ValueError(say(
            f"Prompts: {len(prompts)}, next sentences: {len(next_sentences)}. Give each prompt exactly one next sentence.",
            f"앞 문장 {len(prompts)}개, 다음 문장 {len(next_sentences)}개입니다. 앞 문장마다 다음 문장을 하나씩 주세요.",
        ))
    return prompts, next_sentences


def _is_many(sentences):
    return not isinstance(sentences, (str, bytes)) and hasattr(sentences, "__len__")


def _sentences(sentences):
    """A list of sentences; a single one (of whatever type: `encoding.check_text` judges it) becomes a list of one."""
    found = type(sentences).__name__
    if encoding.is_table(sentences) or getattr(sentences, "ndim", 1) > 1:
        raise TypeError(encoding.one_column("sentences", sentences))
    if isinstance(sentences, Iterator):
        raise TypeError(say(
            f"{found} gives its sentences only once: make it a list first, with list(...).",
            f"{found}은(는) 문장을 한 번만 내줍니다: 먼저 list(...)로 목록을 만드세요.",
        ))
    many = _is_many(sentences)
    sentences = list(sentences) if many else [sentences]
    for row, sentence in enumerate(sentences):
        if many and not isinstance(sentence, str):
            raise TypeError(say(
                f"Row {row} of the sentences is {repr(sentence)[:30]} ({type(sentence).__name__}), not a text: leave this pair out, or write the sentence.",
                f"문장 목록의 {row}번 행이 글이 아니라 {repr(sentence)[:30]}({type(sentence).__name__})입니다: 이 쌍을 빼거나 문장을 쓰세요.",
            ))
    if not sentences:
        raise ValueError(say(
            "There is no sentence in this list: put at least one into it.",
            "이 목록에는 문장이 없습니다: 하나 이상 넣으세요.",
        ))
    return sentences
