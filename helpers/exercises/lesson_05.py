"""Exercises of lesson 05, next sentence in Korean."""

import numpy as np

from helpers.exercises.exercise import Exercise

ANSWERS, QUESTIONS = 2000, 50


def counts_passes(answer):
    """(passes of a cross-encoder, passes with one vector a text)."""
    return np.shape(answer) == (2,) and tuple(answer) == (QUESTIONS * ANSWERS, QUESTIONS + ANSWERS)


def finds_best_other(answer):
    """A function from a square matrix to the best column of each row, the diagonal left out, its input unchanged."""
    cases = [
        ([[0.9, 0.2, 0.5], [0.3, 0.9, 0.1], [0.4, 0.6, 0.9]], [2, 0, 1]),
        ([[0.1, 0.0], [-3.0, 5.0]], [1, 0]),
    ]
    if not callable(answer):
        return False
    for values, expected in cases:
        given = np.array(values)
        if not np.array_equal(answer(given), expected) or not np.array_equal(given, values):
            return False
    return True


def subtracts_column_means(answer):
    """A function that takes each column's mean from that column."""
    values = np.array([[0.9, 0.2, 0.4], [0.7, 0.6, 0.1]])
    expected = np.array([[0.1, -0.2, 0.15], [-0.1, 0.2, -0.15]])
    if not callable(answer):
        return False
    given = np.asarray(answer(values.copy()), dtype=float)
    return given.shape == expected.shape and bool(np.allclose(given, expected))


def fills_its_input(values):
    """A wrong answer to 05.2: right indices, but the matrix of the caller has lost its diagonal."""
    np.fill_diagonal(values, -np.inf)
    return values.argmax(axis=1)


EXERCISES = {
    "05.1": Exercise(
        judge=counts_passes,
        why=(
            "pairs multiply and vectors add up; the 2,000 stored vectors can even be kept for tomorrow.",
            "쌍의 수는 곱으로, 벡터의 수는 합으로 늘어납니다. 저장된 답변 2,000개의 벡터는 내일 다시 쓸 수도 있습니다.",
        ),
        hints=(
            (
                "A cross-encoder reads each pair once. How many pairs do 50 questions and 2,000 answers make?",
                "교차 인코더는 쌍 하나를 한 번 읽습니다. 질문 50개와 답변 2,000개로 만들 수 있는 쌍은 몇 개일까요?",
            ),
            (
                "The first number is a product, 50 × 2,000. The second is a sum: each text is read once.",
                "첫째 수는 곱 50 × 2,000입니다. 둘째 수는 합입니다. 글 하나를 한 번씩만 읽기 때문입니다.",
            ),
        ),
        answer=("(100000, 2050)", "(100000, 2050)"),
        accepts=((100000, 2050), [100_000, 2_050], np.array([100000, 2050])),
        refuses=((2050, 100000), (100000, 100000), (100000, 2000), 100000, "(100000, 2050)", (100000, 2050, 0)),
    ),
    "05.2": Exercise(
        judge=finds_best_other,
        why=(
            "the diagonal is out of the race, and the matrix you were given is as it was.",
            "대각선은 후보에서 빠졌고, 받은 행렬도 그대로입니다.",
        ),
        hints=(
            (
                "Copy the matrix, make its diagonal smaller than anything else, then argmax along each row.",
                "행렬을 복사해 대각선을 다른 어떤 값보다 작게 만든 다음, 행마다 argmax를 구하세요.",
            ),
            (
                "np.fill_diagonal(copy, -np.inf), then copy.argmax(axis=1). Does your function change its input?",
                "np.fill_diagonal(copy, -np.inf) 다음에 copy.argmax(axis=1)입니다. 혹시 받은 행렬을 바꾸고 있지는 않나요?",
            ),
        ),
        answer=(
            "candidates = np.array(values, dtype=float); np.fill_diagonal(candidates, -np.inf); "
            "return candidates.argmax(axis=1)",
            "candidates = np.array(values, dtype=float); np.fill_diagonal(candidates, -np.inf); "
            "return candidates.argmax(axis=1)",
        ),
        accepts=(
            lambda values: (values - np.where(np.eye(len(values)), np.inf, 0)).argmax(axis=1),
            lambda values: [max((v, -j) for j, v in enumerate(row) if j != i)[1] * -1 for i, row in enumerate(values.tolist())],
        ),
        refuses=(
            lambda values: values.argmax(axis=1),  # the diagonal is in the race
            lambda values: (values * (1 - np.eye(len(values)))).argmax(axis=1),  # a 0 on the diagonal beats a negative value
            lambda values: (values - np.where(np.eye(len(values)), np.inf, 0)).argmax(axis=0),  # columns
            fills_its_input,
            lambda values: None,
            [2, 0, 1],
        ),
    ),
    "05.3": Exercise(
        judge=subtracts_column_means,
        why=(
            "each column now has mean 0, so that no sentence is ahead only because it suits everybody.",
            "이제 열마다 평균이 0입니다. 아무 데나 어울린다는 이유만으로 앞서는 문장이 없습니다.",
        ),
        hints=(
            (
                "One mean for each column: which axis do you average over?",
                "열마다 평균이 하나씩 필요합니다. 어느 축을 따라 평균을 내야 할까요?",
            ),
            (
                "values.mean(axis=0) has one number a column; numpy subtracts it from each row.",
                "values.mean(axis=0)에는 열마다 수가 하나씩 있습니다. 이것을 values에서 빼면 모든 행에 적용됩니다.",
            ),
        ),
        answer=("return values - values.mean(axis=0)", "return values - values.mean(axis=0)"),
        accepts=(
            lambda values: values - values.mean(axis=0),
            lambda values: [[v - sum(column) / len(column) for v, column in zip(row, zip(*values))] for row in values],
        ),
        refuses=(
            lambda values: values - values.mean(axis=1, keepdims=True),  # the rows' means
            lambda values: values - values.mean(),  # one mean for all
            lambda values: values.mean(axis=0) - values,
            lambda values: values.mean(axis=0),
            lambda values: None,
            [0.8, 0.2, 0.25],
        ),
    ),
}
