"""Exercises of lesson 08, Sentence-BERT by regression."""

import numpy as np

from helpers.exercises.exercise import Exercise

COSINES, SCORES = (0.9, 0.2, 0.5), (5.0, 2.0, 2.5)
LOSS = 0.05 / 3  # errors of -0.1, -0.2 and 0.0


def takes_cosines_by_row(answer):
    """A function from two arrays (batch, n) to one cosine a row, (batch,)."""
    cases = [
        ([[1.0, 0.0], [3.0, 4.0], [1.0, 1.0]], [[2.0, 0.0], [-4.0, 3.0], [-2.0, -2.0]], [1.0, 0.0, -1.0]),
        ([[3.0, 4.0, 0.0]], [[4.0, 3.0, 0.0]], [0.96]),
    ]
    if not callable(answer):
        return False
    for u, v, expected in cases:
        given = np.asarray(answer(np.array(u), np.array(v)), dtype=float)
        if given.shape != np.shape(expected) or not np.allclose(given, expected, atol=1e-6):
            return False
    return True


def is_the_loss(answer):
    """The mean squared error of COSINES against SCORES / 5, to three decimals."""
    return not isinstance(answer, bool) and np.ndim(answer) == 0 and bool(abs(answer - LOSS) < 6e-4)


def rescales(answer):
    """A function from scores between 1 and 7 to targets between 0 and 1."""
    if not callable(answer):
        return False
    given = np.asarray(answer(np.array([1.0, 7.0, 4.0, 2.5])), dtype=float)
    return given.shape == (4,) and bool(np.allclose(given, [0.0, 1.0, 0.5, 0.25]))


EXERCISES = {
    "08.1": Exercise(
        judge=takes_cosines_by_row,
        why=(
            "one number for each row, so each sentence meets its own partner only, and the length of the vectors does not count.",
            "행마다 수가 하나입니다. 문장은 자기 짝하고만 비교되고, 벡터의 길이는 영향을 주지 않습니다.",
        ),
        hints=(
            (
                "Multiply u and v number by number and sum along the last axis. Then divide by both lengths.",
                "u와 v를 자리마다 곱해 마지막 축을 따라 더하세요. 그런 다음 두 벡터의 길이로 나눕니다.",
            ),
            (
                "(u * v).sum(axis=-1) over np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1). u @ v.T would give a square.",
                "(u * v).sum(axis=-1)을 np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1)로 나눕니다. u @ v.T는 정사각형이 됩니다.",
            ),
        ),
        answer=(
            "return (u * v).sum(axis=-1) / (np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1))",
            "return (u * v).sum(axis=-1) / (np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1))",
        ),
        accepts=(
            lambda u, v: (u * v).sum(axis=-1) / (np.linalg.norm(u, axis=-1) * np.linalg.norm(v, axis=-1)),
            lambda u, v: [a @ b / np.sqrt(a @ a * (b @ b)) for a, b in zip(u, v)],
        ),
        refuses=(
            lambda u, v: u @ v.T,
            lambda u, v: (u * v).sum(axis=-1),
            lambda u, v: (u * v).sum() / (np.linalg.norm(u) * np.linalg.norm(v)),
            lambda u, v: (u @ v.T) / np.outer(np.linalg.norm(u, axis=-1), np.linalg.norm(v, axis=-1)),
            0.96, "cosine",
        ),
    ),
    "08.2": Exercise(
        judge=is_the_loss,
        why=(
            "the targets are 1.0, 0.4 and 0.5; the errors -0.1, -0.2 and 0; their squares 0.01, 0.04 and 0; the mean 0.0167.",
            "목표는 1.0, 0.4, 0.5이고 오차는 -0.1, -0.2, 0입니다. 제곱하면 0.01, 0.04, 0이고 평균은 0.0167입니다.",
        ),
        hints=(
            (
                "Divide the scores by 5 first. Then: difference, square, mean.",
                "먼저 점수를 5로 나누세요. 그다음은 차이, 제곱, 평균의 순서입니다.",
            ),
            (
                "The squares are 0.01, 0.04 and 0. How many pairs do you divide their sum by?",
                "제곱은 0.01, 0.04, 0입니다. 그 합을 쌍의 수로 나누면 얼마일까요?",
            ),
        ),
        answer=("0.0167", "0.0167"),
        accepts=(0.0167, 0.017, 0.05 / 3, np.float32(0.016666668)),
        refuses=(0.05, 0.1, 0.129, 9.78, "0.0167", [0.01, 0.04, 0.0], 0.0),
    ),
    "08.3": Exercise(
        judge=rescales,
        why=(
            "the lowest score becomes 0 and the highest 1, so that a cosine can reach every target.",
            "가장 낮은 점수가 0, 가장 높은 점수가 1이 됩니다. 그래야 코사인이 모든 목표에 닿을 수 있습니다.",
        ),
        hints=(
            (
                "Dividing by 7 is not enough: what would the lowest score, 1, become?",
                "7로 나누는 것만으로는 모자랍니다. 가장 낮은 점수 1은 무엇이 될까요?",
            ),
            (
                "Take 1 away first, so that the scores go from 0 to 6. What do you divide by then?",
                "먼저 1을 빼면 점수는 0부터 6까지가 됩니다. 이제 무엇으로 나누어야 할까요?",
            ),
        ),
        answer=("return (scores - 1) / 6", "return (scores - 1) / 6"),
        accepts=(lambda scores: (scores - 1) / 6, lambda scores: [(score - 1) / 6 for score in scores]),
        refuses=(lambda scores: scores / 7, lambda scores: scores / 5, lambda scores: (scores - 1) / 7, lambda scores: 0.5, 0.5, "scores / 6"),
    ),
}
