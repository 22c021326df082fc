"""Exercises of lesson 07, Sentence-BERT by classification."""

import numpy as np

from helpers.exercises.exercise import Exercise

HIDDEN, CLASSES = 768, 3  # BERT-base
PARTS = {"u", "v", "abs(u-v)", "u*v"}
SYMMETRIC = {"abs(u-v)", "u*v"}


def is_shape_of_the_head(answer):
    """(rows, columns) of W_y for a BERT-base."""
    return not isinstance(answer, str) and tuple(answer) == (3 * HIDDEN, CLASSES)


def joins_three_parts(answer):
    """A function from u and v, both (batch, n), to (u; v; |u-v|) of (batch, 3n)."""
    cases = [
        ([[1.0, 2.0], [0.0, -1.0]], [[3.0, -2.0], [0.5, -1.0]], [[1, 2, 3, -2, 2, 4], [0, -1, 0.5, -1, 0.5, 0]]),
        ([[4.0]], [[9.0]], [[4, 9, 5]]),
    ]
    if not callable(answer):
        return False
    for u, v, expected in cases:
        given = np.asarray(answer(np.array(u), np.array(v)), dtype=float)
        if given.shape != np.shape(expected) or not np.allclose(given, expected):
            return False
    return True


def are_symmetric_parts(answer):
    """The names of the parts that do not change when u and v change places, in any order."""
    return not isinstance(answer, str) and len(answer) == len(SYMMETRIC) and set(answer) == SYMMETRIC


EXERCISES = {
    "07.1": Exercise(
        judge=is_shape_of_the_head,
        why=(
            f"h holds three vectors of 768 numbers, and there are three labels: {3 * HIDDEN * CLASSES:,} weights in all, "
            f"beside about 110 million in the encoder.",
            f"h는 768개짜리 벡터 세 개를 이은 것이고 레이블은 셋입니다. 가중치는 모두 {3 * HIDDEN * CLASSES:,}개인데, "
            f"인코더의 가중치는 1억 1천만 개쯤입니다.",
        ),
        hints=(
            (
                "How long is h, if u has 768 numbers? And how many logits does it become?",
                "u에 숫자가 768개라면 h의 길이는 얼마일까요? h는 로짓 몇 개가 되나요?",
            ),
            (
                "The document writes 3n × k, with n = 768 and k = 3.",
                "문서에는 3n × k라고 적혀 있습니다. n은 768, k는 3입니다.",
            ),
        ),
        answer=("(2304, 3)", "(2304, 3)"),
        accepts=((2304, 3), [2304, 3], np.array([2304, 3])),
        refuses=((3, 2304), (768, 3), (2304,), 2304, 6912, "2304, 3", (2304, 2)),
    ),
    "07.2": Exercise(
        judge=joins_three_parts,
        why=(
            "the three parts stand side by side along the last axis, and each pair keeps its own row.",
            "세 부분이 마지막 축을 따라 나란히 놓였고, 쌍마다 행이 하나씩 그대로 있습니다.",
        ),
        hints=(
            (
                "np.concatenate puts arrays together. Along which axis do the rows stay rows?",
                "np.concatenate로 배열을 잇습니다. 행이 그대로 행이려면 어느 축을 따라 이어야 할까요?",
            ),
            (
                "np.concatenate([u, v, np.abs(u - v)], axis=-1). Two pairs of n numbers become (2, 3n), not (6, n).",
                "np.concatenate([u, v, np.abs(u - v)], axis=-1)입니다. 길이가 n인 쌍 두 개는 (6, n)이 아니라 (2, 3n)이 됩니다.",
            ),
        ),
        answer=("return np.concatenate([u, v, np.abs(u - v)], axis=-1)", "return np.concatenate([u, v, np.abs(u - v)], axis=-1)"),
        accepts=(
            lambda u, v: np.concatenate([u, v, np.abs(u - v)], axis=-1),
            lambda u, v: np.hstack([u, v, np.maximum(u - v, v - u)]),
        ),
        refuses=(
            lambda u, v: np.concatenate([u, v, np.abs(u - v)], axis=0),
            lambda u, v: np.concatenate([u, v, u - v], axis=-1),
            lambda u, v: np.concatenate([u, v], axis=-1),
            "np.concatenate", (1, 6),
        ),
    ),
    "07.3": Exercise(
        judge=are_symmetric_parts,
        why=(
            "|u-v| = |v-u| and u*v = v*u. A head that sees only these cannot know which sentence was the premise.",
            "|u-v| = |v-u|이고 u*v = v*u입니다. 이 둘만 보는 헤드는 어느 쪽이 전제였는지 알 수 없습니다.",
        ),
        hints=(
            (
                "Two of the four. Take u = 2 and v = 5, work out all four, then exchange the numbers.",
                "넷 가운데 둘입니다. u = 2, v = 5로 넷을 모두 계산한 다음 두 수를 바꾸어 보세요.",
            ),
            (
                "2 and 5 become 5 and 2; but |2-5| and |5-2| are the same, and so are the two products.",
                "2와 5는 5와 2로 바뀌지만, |2-5|와 |5-2|는 같습니다. 곱도 마찬가지입니다.",
            ),
        ),
        answer=('["abs(u-v)", "u*v"]', '["abs(u-v)", "u*v"]'),
        accepts=(["abs(u-v)", "u*v"], ("u*v", "abs(u-v)"), {"u*v", "abs(u-v)"}),
        refuses=(["abs(u-v)"], ["u", "v"], list(PARTS), "abs(u-v)", ["abs(u-v)", "u*v", "u*v"], 2),
    ),
}
