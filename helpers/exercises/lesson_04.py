"""Exercises of lesson 04, next sentence in English."""

import numpy as np

from helpers.exercises.exercise import Exercise

LOGITS = (-0.4, 1.2)


def is_probability_of_following(answer):
    """The softmax of LOGITS at label 0, to two decimals."""
    if isinstance(answer, bool) or np.ndim(answer) != 0:
        return False
    exponentials = np.exp(LOGITS)
    expected = exponentials[0] / exponentials.sum()
    return bool(abs(answer - expected) < 0.006)


def counts_wins(answer):
    """A function that counts the places where the first list is larger; a tie is no win."""
    cases = [
        ([0.9, 0.4, 0.8, 0.3], [0.7, 0.6, 0.2, 0.3], 2),
        ([0.8], [0.9], 0),
        ([0.2, 0.1], [0.1, 0.2], 1),
        ([0.95, 0.99, 0.97], [0.90, 0.98, 0.96], 3),
    ]
    return callable(answer) and all(answer(true, swapped) == wins for true, swapped, wins in cases)


def makes_order_pairs(answer):
    """A function that gives both orders of each two neighbours, in any sequence, with label 0 for the right one."""
    texts = [["a", "b", "c"], ["first", "second"], ["alone"]]
    for sentences in texts:
        expected = set()
        for a, b in zip(sentences, sentences[1:]):
            expected |= {(a, b, 0), (b, a, 1)}
        given = [tuple(pair) for pair in answer(list(sentences))] if callable(answer) else [None]
        if len(given) != len(expected) or set(given) != expected:
            return False
    return True


EXERCISES = {
    "04.1": Exercise(
        judge=is_probability_of_following,
        why=(
            "label 0 is 'follows', so it is the first, smaller probability: the model thinks that B is random.",
            "레이블 0이 '이어진다'이므로 앞쪽의 작은 확률이 답입니다. 모델은 B를 무작위 문장으로 보았습니다.",
        ),
        hints=(
            (
                "Softmax gives two probabilities. Which of the two belongs to 'follows'?",
                "소프트맥스를 거치면 확률이 두 개 나옵니다. '이어진다'는 둘 중 어느 쪽일까요?",
            ),
            (
                "'Follows' is label 0: exp(-0.4) divided by exp(-0.4) + exp(1.2).",
                "'이어진다'는 레이블 0입니다. exp(-0.4)를 exp(-0.4) + exp(1.2)로 나누세요.",
            ),
        ),
        answer=(
            "0.17, since exp(-0.4) = 0.67 and exp(1.2) = 3.32, and 0.67 / (0.67 + 3.32) = 0.17.",
            "0.17입니다. exp(-0.4) = 0.67, exp(1.2) = 3.32이고 0.67 / (0.67 + 3.32) = 0.17입니다.",
        ),
        accepts=(0.17, 0.168, np.float32(0.16798161)),
        refuses=(0.83, 0.2, 0.67, 17, "0.17", [0.17, 0.83]),
    ),
    "04.2": Exercise(
        judge=counts_wins,
        why=(
            "a comparison inside each passage does not care how much the model leans towards 'follows'.",
            "글 하나 안에서 두 순서를 비교하므로, 모델이 '이어진다' 쪽으로 치우쳐 있어도 영향을 받지 않습니다.",
        ),
        hints=(
            (
                "Go through both lists side by side with zip, and count where the first number is larger.",
                "zip으로 두 리스트를 나란히 훑으면서 앞의 수가 더 큰 자리를 세세요.",
            ),
            (
                "Compare with > and not with >=: a tie is no win. Return one whole number.",
                ">=가 아니라 >로 비교하세요. 같으면 이긴 것이 아닙니다. 정수 하나를 돌려주면 됩니다.",
            ),
        ),
        answer=(
            "return sum(a > b for a, b in zip(true_follows, swapped_follows))",
            "return sum(a > b for a, b in zip(true_follows, swapped_follows))",
        ),
        accepts=(
            lambda true, swapped: sum(a > b for a, b in zip(true, swapped)),
            lambda true, swapped: (np.array(true) > np.array(swapped)).sum(),
        ),
        refuses=(
            lambda true, swapped: sum(a >= b for a, b in zip(true, swapped)),  # a tie is no win
            lambda true, swapped: sum(a > 0.5 for a in true),  # counts labels
            lambda true, swapped: np.mean([a > b for a, b in zip(true, swapped)]),  # a share, not a number of passages
            lambda true, swapped: [a > b for a, b in zip(true, swapped)],
            lambda true, swapped: None,
            2,
        ),
    ),
    "04.3": Exercise(
        judge=makes_order_pairs,
        why=(
            "both members of a pair speak of the same things, so that topic cannot give the label away.",
            "두 문장의 주제가 같으므로 주제만 보고는 레이블을 맞힐 수 없습니다.",
        ),
        hints=(
            (
                "zip(sentences, sentences[1:]) gives the neighbours. Each two of them make two examples.",
                "zip(sentences, sentences[1:])이 이웃한 두 문장을 줍니다. 이웃 한 쌍에서 예제 두 개가 나옵니다.",
            ),
            (
                "(a, b) in the right order gets label 0, (b, a) gets label 1. Three sentences give four examples.",
                "순서가 맞는 (a, b)는 레이블 0, 뒤집은 (b, a)는 레이블 1입니다. 문장이 셋이면 예제는 넷입니다.",
            ),
        ),
        answer=(
            "return [pair for a, b in zip(sentences, sentences[1:]) for pair in ((a, b, 0), (b, a, 1))]",
            "return [pair for a, b in zip(sentences, sentences[1:]) for pair in ((a, b, 0), (b, a, 1))]",
        ),
        accepts=(
            lambda texts: [pair for a, b in zip(texts, texts[1:]) for pair in ((a, b, 0), (b, a, 1))],
            lambda texts: [(a, b, 0) for a, b in zip(texts, texts[1:])] + [[b, a, 1] for a, b in zip(texts, texts[1:])],
        ),
        refuses=(
            lambda texts: [pair for a, b in zip(texts, texts[1:]) for pair in ((a, b, 1), (b, a, 0))],  # labels the wrong way round
            lambda texts: [(a, b, 0) for a, b in zip(texts, texts[1:])],  # no swapped pairs
            lambda texts: [(a, b, 0) for a in texts for b in texts if a != b],  # not only neighbours
            lambda texts: [],
            lambda texts: None,
            [("a", "b", 0), ("b", "a", 1)],
        ),
    ),
}
