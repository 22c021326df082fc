"""Exercises of lesson 09, strategies."""

import numpy as np

from helpers.exercises.exercise import Exercise

DEVIATIONS = (85.35 - 84.67) / 0.19  # arXiv 1908.10084, table 2: SBERT-NLI-STSb-base and SBERT-STSb-base, test set of STSb


def finds_overlap(answer):
    """A function from two lists of figures to whether the ranges from the lowest to the highest have anything in common."""
    cases = [
        ([70.1, 71.0, 70.5], [71.5, 72.0, 73.1], False),
        ([71.5, 73.1, 72.0], [70.1, 71.0, 70.5], False),  # the other way round
        ([70.0, 74.0, 71.0], [72.0, 73.0, 72.5], True),  # one inside the other
        ([72.0, 73.0, 72.5], [70.0, 74.0, 71.0], True),
        ([70.0, 71.0], [71.0, 72.0], True),  # they touch
        ([70.0, 72.0], [71.0, 73.0], True),
    ]
    return callable(answer) and all(_is(answer(list(one), list(other)), expected) for one, other, expected in cases)


def _is(value, expected):
    return isinstance(value, (bool, np.bool_)) and bool(value) == expected


def counts_deviations(answer):
    """How many standard deviations (the larger of the two) lie between the paper's means, to one decimal."""
    return not isinstance(answer, bool) and np.ndim(answer) == 0 and bool(abs(answer - DEVIATIONS) < 0.06)


def chooses_on_dev(answer):
    """A function from {strategy: figure} on dev and on test to the test figure of the best strategy on dev."""
    cases = [
        ({"a": 60.0, "b": 72.0, "c": 71.0}, {"a": 90.0, "b": 65.0, "c": 70.0}, 65.0),
        ({"a": -1.0, "b": -2.0}, {"a": 1.0, "b": 5.0}, 1.0),
    ]
    return callable(answer) and all(answer(dict(dev), dict(test)) == expected for dev, test, expected in cases)


EXERCISES = {
    "09.1": Exercise(
        judge=finds_overlap,
        why=(
            "two ranges have something in common when neither begins after the other ends.",
            "어느 쪽도 다른 쪽이 끝난 뒤에 시작하지 않으면 두 범위는 겹칩니다.",
        ),
        hints=(
            (
                "Take the lowest and the highest of each list. When do two ranges have nothing in common?",
                "리스트마다 가장 작은 값과 가장 큰 값을 구하세요. 두 범위가 겹치지 않는 것은 어떤 때인가요?",
            ),
            (
                "They overlap when the higher of the two minima is not above the lower of the two maxima. Return True or False.",
                "두 최솟값 중 큰 쪽이 두 최댓값 중 작은 쪽보다 크지 않으면 겹칩니다. True나 False를 돌려주세요.",
            ),
        ),
        answer=("return max(min(one), min(other)) <= min(max(one), max(other))",
                "return max(min(one), min(other)) <= min(max(one), max(other))"),
        accepts=(
            lambda one, other: max(min(one), min(other)) <= min(max(one), max(other)),
            lambda one, other: not (max(one) < min(other) or max(other) < min(one)),
        ),
        refuses=(
            lambda one, other: max(one) >= min(other),  # only right if `one` is the lower
            lambda one, other: bool(set(one) & set(other)),
            lambda one, other: np.mean(one) == np.mean(other),
            lambda one, other: True,
            True, "yes",
        ),
    ),
    "09.2": Exercise(
        judge=counts_deviations,
        why=(
            "0.68 points between the means, 0.19 in a deviation: 3.6 of them. That is a clear difference, and a small one.",
            "평균의 차이는 0.68점, 표준 편차는 0.19점이므로 3.6배입니다. 분명한 차이지만 작은 차이입니다.",
        ),
        hints=(
            (
                "Subtract the two means, then divide by the larger of the two numbers behind ±.",
                "두 평균의 차를 구한 다음, ± 뒤의 두 수 가운데 큰 쪽으로 나누세요.",
            ),
            ("Work out (85.35 - 84.67) / 0.19.", "(85.35 - 84.67) / 0.19를 계산하세요."),
        ),
        answer=("3.6", "3.6"),
        accepts=(3.6, 3.58, DEVIATIONS, np.float64(3.5789)),
        refuses=(0.68, 4.0, 3.0, 0.19, "3.6", [3.6]),
    ),
    "09.3": Exercise(
        judge=chooses_on_dev,
        why=(
            "dev chose, test only reported. Had you taken the highest test figure, it would promise more than the next text will keep.",
            "dev로 고르고 test는 확인에만 썼습니다. test에서 가장 높은 값을 골랐다면, 새 문장에서는 그만한 값이 나오지 않기 쉽습니다.",
        ),
        hints=(
            (
                "Find the strategy with the highest figure on dev; what you return is its figure on test, whatever the others have.",
                "dev에서 값이 가장 높은 전략을 찾으세요. 돌려줄 것은 그 전략의 test 값입니다. 다른 전략의 test 값은 상관없습니다.",
            ),
            (
                "max(dev, key=dev.get) gives the name. Then look that name up in test.",
                "max(dev, key=dev.get)이 이름을 돌려줍니다. 그 이름을 test에서 찾으세요.",
            ),
        ),
        answer=("return test[max(dev, key=dev.get)]", "return test[max(dev, key=dev.get)]"),
        accepts=(
            lambda dev, test: test[max(dev, key=dev.get)],
            lambda dev, test: test[sorted(dev, key=lambda name: -dev[name])[0]],
        ),
        refuses=(
            lambda dev, test: max(test.values()),
            lambda dev, test: max(dev.values()),
            lambda dev, test: test[max(test, key=test.get)],
            lambda dev, test: max(dev, key=dev.get),
            65.0, "b",
        ),
    ),
}
