"""Exercises of lesson 02, the masked language model in English."""

import numpy as np

from helpers.exercises.exercise import Exercise

PIECES = ["[CLS]", "my", "dog", "likes", "to", "[MASK]", ".", "[SEP]"]
VOCABULARY = 30522
LOGITS = (2.0, 1.0, 0.0)


def is_shape_of_logits(answer):
    """(texts, pieces, vocabulary) of one text of PIECES."""
    return tuple(answer) == (1, len(PIECES), VOCABULARY)


def is_softmax(answer):
    """The softmax of LOGITS, to two decimals."""
    powers = np.exp(LOGITS)
    given = np.asarray(answer, dtype=float)
    return given.shape == powers.shape and bool(np.allclose(given, powers / powers.sum(), rtol=0, atol=0.006))


def is_minimal_pair(answer):
    """Two texts, each with one [MASK], as many words, and exactly one word that is not the same (never that of [MASK])."""
    if isinstance(answer, str):
        return False
    first, second = answer
    if first.count("[MASK]") != 1 or second.count("[MASK]") != 1:
        return False
    words, others = first.lower().split(), second.lower().split()
    different = [pair for pair in zip(words, others) if pair[0] != pair[1]]
    return len(words) == len(others) and len(different) == 1 and not any("[mask]" in word for word in different[0])


EXERCISES = {
    "02.1": Exercise(
        judge=is_shape_of_logits,
        why=(
            "one text, eight pieces ([CLS], the full stop and [SEP] count), and one number for each piece of the vocabulary.",
            "텍스트가 하나, 조각이 여덟 개([CLS], 마침표, [SEP]도 셉니다), 그리고 조각 자리마다 점수가 어휘 집합의 조각 수만큼 있습니다.",
        ),
        hints=(
            (
                "(texts, pieces, vocabulary). The model answers at every piece, so count all of them.",
                "(텍스트, 조각, 어휘) 순서입니다. 모델은 모든 조각 자리에서 답하므로 조각을 빠짐없이 세세요.",
            ),
            (
                "Five words, counting [MASK] as one; then the full stop; then two pieces that you did not type. 30,522 comes last.",
                "[MASK]까지 다섯 단어, 마침표 하나, 그리고 여러분이 입력하지 않은 조각 둘입니다. 마지막 수는 30,522입니다.",
            ),
        ),
        answer=("(1, 8, 30522)", "(1, 8, 30522)"),
        accepts=((1, 8, 30522), [1, 8, 30522], np.array([1, 8, 30522])),
        refuses=((1, 6, 30522), (1, 8), (8, 30522), (1, 8, 5), "1, 8, 30522", 8),
    ),
    "02.2": Exercise(
        judge=is_softmax,
        why=(
            "they sum to 1 and keep the order. Adding 10 to all three logits would change nothing: only differences count.",
            "더하면 1이고 순서는 그대로입니다. 세 로짓에 모두 10을 더해도 결과는 같습니다. 로짓은 차이만 뜻이 있습니다.",
        ),
        hints=(
            (
                "Take np.exp of each logit first. What do you have to divide by so that the sum is 1?",
                "먼저 로짓마다 np.exp를 구하세요. 합이 1이 되려면 무엇으로 나누어야 할까요?",
            ),
            (
                "np.exp gives 7.39, 2.72 and 1.00. Divide each of them by their sum, 11.11.",
                "np.exp를 구하면 7.39, 2.72, 1.00입니다. 각각을 세 수의 합 11.11로 나누세요.",
            ),
        ),
        answer=("[0.665, 0.245, 0.090]", "[0.665, 0.245, 0.090]"),
        accepts=([0.665, 0.245, 0.09], (0.67, 0.24, 0.09), np.array([0.66524096, 0.24472847, 0.09003057])),
        refuses=([2 / 3, 1 / 3, 0.0], [7.39, 2.72, 1.0], [0.09, 0.245, 0.665], [0.665, 0.245], 0.665, "0.665"),
    ),
    "02.3": Exercise(
        judge=is_minimal_pair,
        why=(
            "only one word differs, so whatever changes in the model's answer, that word changed it.",
            "단어 하나만 다르므로, 모델의 답이 달라졌다면 그 단어 때문입니다.",
        ),
        hints=(
            (
                "Is [MASK] in each text exactly once? Count the words: the same number in both, and one of them different?",
                "[MASK]가 두 문장에 정확히 한 번씩 있나요? 단어 수가 같고, 그중 하나만 다른가요?",
            ),
            (
                "Copy your first text, change one word of it that is not [MASK], and write (first, second).",
                "첫 문장을 복사해서 [MASK]가 아닌 단어 하나만 바꾼 뒤 (첫 문장, 둘째 문장)으로 묶으세요.",
            ),
        ),
        answer=(
            'for example ("She drinks [MASK] every morning.", "She reads [MASK] every morning.")',
            '예를 들면 ("She drinks [MASK] every morning.", "She reads [MASK] every morning.")입니다.',
        ),
        accepts=(
            ("She drinks [MASK] every morning.", "She reads [MASK] every morning."),
            ["The dog [MASK] tired.", "The dogs [MASK] tired."],
        ),
        refuses=(
            ("The dog [MASK] tired.", "The dog [MASK] tired."),
            ("The dog [MASK] tired.", "The dogs [MASK] very tired."),
            ("The dog [MASK] tired.", "The cats [MASK] hungry."),
            ("The dog was [MASK].", "The dog [MASK] tired."),
            ("The dog is tired.", "The dogs is tired."),
            "The dog [MASK] tired.",
            3,
        ),
    ),
}
