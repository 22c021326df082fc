"""Exercises of lesson 10, semantic search."""

import numpy as np

from helpers.exercises.exercise import Exercise

ANSWERS, QUESTIONS, CANDIDATES = 2000, 50, 10


def counts_passes(answer):
    """(passes over single texts, passes over pairs)."""
    return np.shape(answer) == (2,) and tuple(answer) == (ANSWERS + QUESTIONS, QUESTIONS * CANDIDATES)


def finds_top_k(answer):
    """A function from a vector, the vectors of the texts and k to the places of the k largest cosines, best first."""
    cases = [
        ([1.0, 0.0], [[0.0, 2.0], [3.0, 0.1], [0.5, 0.5], [-1.0, 0.0]], 2, [1, 2]),
        ([0.0, 2.0], [[9.0, 1.0], [0.1, 0.2], [0.0, -5.0]], 3, [1, 0, 2]),  # a long vector is no better for being long
    ]
    return callable(answer) and all(
        np.array_equal(answer(np.array(query), np.array(vectors), k), expected) for query, vectors, k, expected in cases
    )


def measures_recall(answer):
    """A function from the places that were found, best first, and the right places to a share."""
    cases = [
        ([[3, 1], [0, 2], [5, 4]], [1, 2, 0], 2 / 3),
        ([[0, 1, 2], [2, 1, 0]], [9, 9], 0.0),
        ([[7]], [7], 1.0),
    ]
    return callable(answer) and all(
        np.ndim(share := answer(np.array(found), np.array(right))) == 0 and not isinstance(share, bool)
        and abs(float(share) - expected) < 1e-6
        for found, right, expected in cases
    )


# Right and wrong answers for the tests.


def _top_k(query, vectors, k):
    cosines = vectors @ query / np.linalg.norm(vectors, axis=1)
    return np.argsort(-cosines)[:k]


def _longest(query, vectors, k):
    return np.argsort(-(vectors @ query))[:k]


def _worst_first(query, vectors, k):
    return _top_k(query, vectors, k)[::-1]


def _recall(found, right):
    return (found == right[:, None]).any(axis=1).mean()


def _accuracy(found, right):
    return (found[:, 0] == right).mean()


EXERCISES = {
    "10.1": Exercise(
        judge=counts_passes,
        why=(
            "the first search reads each text once, and only the ten that it found are read in pairs: 2,550 passes in place of 100,000.",
            "첫 검색은 글을 한 번씩만 읽고, 쌍으로 읽는 것은 찾아낸 열 개뿐입니다. 100,000번이 2,550번으로 줄었습니다.",
        ),
        hints=(
            (
                "Count single texts first: stored answers and questions. Then the pairs: how many are read for one question?",
                "먼저 글 하나씩 읽는 횟수를 세세요. 저장된 답변과 질문입니다. 그다음은 쌍입니다. 질문 하나에 몇 쌍을 읽나요?",
            ),
            (
                "The first number is a sum, 2,000 + 50. The second is 50 questions times the ten candidates of each.",
                "첫째 수는 합 2,000 + 50입니다. 둘째 수는 질문 50개에 후보 열 개씩을 곱한 값입니다.",
            ),
        ),
        answer=("(2050, 500)", "(2050, 500)"),
        accepts=((2050, 500), [2050, 500], np.array([2050, 500])),
        refuses=((500, 2050), (2000, 500), (2050, 100000), 2550, (2050, 500, 0)),
    ),
    "10.2": Exercise(
        judge=finds_top_k,
        why=(
            "a cosine, a sort and a cut: that is the whole search engine.",
            "코사인을 구하고, 정렬하고, 자릅니다. 검색 엔진은 이것이 전부입니다.",
        ),
        hints=(
            (
                "vectors @ query is one number a text. Does a long vector win only because it is long?",
                "vectors @ query를 하면 글마다 수가 하나씩 나옵니다. 벡터가 길다는 이유만으로 앞서고 있지는 않나요?",
            ),
            (
                "Divide by np.linalg.norm(vectors, axis=1), then np.argsort of the negative, then the first k.",
                "np.linalg.norm(vectors, axis=1)로 나누고, 부호를 바꾸어 np.argsort를 한 다음, 앞의 k개를 고르세요.",
            ),
        ),
        answer=(
            "cosines = vectors @ query / np.linalg.norm(vectors, axis=1); return np.argsort(-cosines)[:k]",
            "cosines = vectors @ query / np.linalg.norm(vectors, axis=1); return np.argsort(-cosines)[:k]",
        ),
        accepts=(_top_k,),
        refuses=(_longest, _worst_first, [1, 2]),
    ),
    "10.3": Exercise(
        judge=measures_recall,
        why=(
            "a judge that re-orders the candidates cannot bring back a text that is not among them: recall is its ceiling.",
            "순위를 다시 매기는 모델도 후보에 없는 글을 데려오지는 못합니다. 그래서 재현율이 천장입니다.",
        ),
        hints=(
            (
                "For each row: is the right place anywhere among those found? Then take the mean.",
                "행마다 물어보세요. 찾아낸 자리 어딘가에 정답이 있나요? 그다음 평균을 내세요.",
            ),
            (
                "found == right[:, None] compares each row with its own right place; any(axis=1), then mean().",
                "found == right[:, None]은 행마다 자기 정답과 비교합니다. 이어서 any(axis=1), mean()입니다.",
            ),
        ),
        answer=("return (found == right[:, None]).any(axis=1).mean()", "return (found == right[:, None]).any(axis=1).mean()"),
        accepts=(_recall,),
        refuses=(_accuracy, lambda found, right: (found == right[:, None]).any(axis=1), 0.5),
    ),
}
