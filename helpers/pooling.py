"""Turn token vectors into one sentence vector.

Source: the document, part "Sentence-BERT", and Reimers & Gurevych 2019 (arXiv 1908.10084), section 3.

Padding never counts, whatever stands in it. NumPy arrays give a NumPy array; TensorFlow tensors a tensor, in a graph too.
A graph cannot stop for one row: there, a row without a real token becomes NaN (`max`: -inf), never a plausible vector.
"""

from types import SimpleNamespace

import numpy as np

from helpers.language import say


def cls(token_vectors, attention_mask):
    """Take the vector of [CLS], the first real token.

    Args:
        token_vectors: float32 (batch, tokens, hidden), BERT's `last_hidden_state`.
        attention_mask: int (batch, tokens), 1 for a real token and 0 for padding.

    Returns:
        float32 (batch, hidden).

    Raises:
        ValueError: a row has no real token, or the shapes do not belong together.
    """
    library, vectors, weights = _checked(token_vectors, attention_mask)
    # The first real token is not the first one where a tokenizer pads on the left.
    return _average(library, vectors, weights * library.cast(library.cumsum(weights, axis=1) == 1, weights.dtype))


def mean(token_vectors, attention_mask):
    """Average the vectors of real tokens.

    Args:
        token_vectors: float32 (batch, tokens, hidden), BERT's `last_hidden_state`.
        attention_mask: int (batch, tokens), 1 for a real token and 0 for padding.

    Returns:
        float32 (batch, hidden).

    Raises:
        ValueError: a row has no real token, or the shapes do not belong together.
    """
    return _average(*_checked(token_vectors, attention_mask))


def max(token_vectors, attention_mask):
    """Take, in each of the hidden dimensions, the largest value of the real tokens.

    Args:
        token_vectors: float32 (batch, tokens, hidden), BERT's `last_hidden_state`.
        attention_mask: int (batch, tokens), 1 for a real token and 0 for padding.

    Returns:
        float32 (batch, hidden).

    Raises:
        ValueError: a row has no real token, or the shapes do not belong together.
    """
    library, vectors, weights = _checked(token_vectors, attention_mask)
    return library.max(library.where(weights > 0, vectors, library.zeros_like(vectors) - np.inf), axis=1)


POOLINGS = {"cls": cls, "mean": mean, "max": max}


def named(name):
    """The pooling of a name.

    Args:
        name: str, one of `POOLINGS`.

    Returns:
        One of the functions above.

    Raises:
        ValueError: there is none.
    """
    if not isinstance(name, str) or name not in POOLINGS:
        raise ValueError(say(
            f"There is no pooling {name!r}: choose {', '.join(POOLINGS)}.",
            f"{name!r}: 그런 풀링은 없습니다. {', '.join(POOLINGS)} 가운데 고르세요.",
        ))
    return POOLINGS[name]


def _average(library, vectors, weights):
    """float32 (batch, hidden); a weight of 0 hides even a NaN, which a plain product would let through."""
    hidden = library.where(weights > 0, vectors, library.zeros_like(vectors))
    return library.sum(hidden, axis=1) / library.sum(weights, axis=1)


def _checked(token_vectors, attention_mask):
    """The library that does the sums, the vectors, and the mask as float weights (batch, tokens, 1)."""
    if _is_array(token_vectors) and _is_array(attention_mask):
        library = SimpleNamespace(where=np.where, zeros_like=np.zeros_like, sum=np.sum, max=np.max, cumsum=np.cumsum,
                                  cast=lambda values, dtype: values.astype(dtype))
        vectors, mask = _floats(token_vectors), np.asarray(attention_mask)
    else:
        import tensorflow as tf

        library = SimpleNamespace(where=tf.where, zeros_like=tf.zeros_like, sum=tf.reduce_sum, max=tf.reduce_max,
                                  cumsum=tf.cumsum, cast=tf.cast)
        vectors = tf.constant(_floats(token_vectors)) if _is_array(token_vectors) else token_vectors
        mask = tf.constant(np.asarray(attention_mask)) if _is_array(attention_mask) else attention_mask
    _check_shapes(vectors, mask)
    real = library.cast(mask, bool)
    _check_rows(real)
    return library, vectors, library.cast(real, vectors.dtype)[:, :, None]


def _is_array(values):
    return isinstance(values, (np.ndarray, list, tuple))


def _floats(values):
    values = np.asarray(values)
    return values if np.issubdtype(values.dtype, np.floating) else values.astype("float32")


def _check_shapes(vectors, mask):
    of_vectors, of_mask = _shape(vectors), _shape(mask)
    fits = len(of_vectors) == 3 and len(of_mask) == 2 and all(
        None in (one, other) or one == other for one, other in zip(of_vectors, of_mask)
    )
    if not fits:
        raise ValueError(say(
            f"token_vectors {of_vectors} and attention_mask {of_mask} do not belong together: give (batch, tokens, hidden) "
            "and (batch, tokens), both from the same inputs.",
            f"token_vectors {of_vectors}와(과) attention_mask {of_mask}의 모양이 맞지 않습니다: 같은 입력에서 나온 "
            "(batch, tokens, hidden)과 (batch, tokens)를 주세요.",
        ))


def _shape(values):
    """tuple of int; None where a graph does not know it yet."""
    return tuple(values.shape)


def _check_rows(real):
    """Every row has a real token, as far as this can be known now: a graph's tensor has no values yet."""
    if not isinstance(real, np.ndarray):
        if not hasattr(real, "numpy"):
            return
        real = real.numpy()
    empty = np.flatnonzero(~real.any(axis=1))
    if empty.size:
        raise ValueError(say(
            f"Row {empty[0]} of attention_mask is 0 throughout: there is no real token to make a vector of. "
            "Give each row at least one 1.",
            f"attention_mask의 {empty[0]}번 행이 모두 0입니다: 벡터로 만들 실제 토큰이 없습니다. "
            "행마다 1이 하나 이상 있어야 합니다.",
        ))
