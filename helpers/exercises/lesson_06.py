"""Exercises of lesson 06, sentence vectors."""

import numpy as np

from helpers.exercises.exercise import Exercise

SCORES = (5.0, 4.0, 2.5, 1.0, 0.5)
COSINES = (0.90, 0.95, 0.97, 0.80, 0.85)
SPEARMAN = 0.5  # the ranks of the cosines are 3 2 1 5 4: 1 - 6 * (4 + 0 + 4 + 1 + 1) / (5 * 24)


def averages_real_tokens(answer):
    """A function from (token_vectors, attention_mask) to (batch, hidden), in which padding does not count."""
    cases = [
        ([[[2, 4], [6, 8], [9e9, -9e9]], [[1, 1], [3, 5], [5, 0]]], [[1, 1, 0], [1, 1, 1]], [[4, 6], [3, 2]]),
        ([[[3, 0, 6], [7, 7, 7], [7, 7, 7], [7, 7, 7]]], [[1, 0, 0, 0]], [[3, 0, 6]]),
    ]
    if not callable(answer):
        return False
    for vectors, mask, expected in cases:
        given = np.asarray(answer(np.array(vectors, dtype="float32"), np.array(mask)), dtype=float)
        if given.shape != np.shape(expected) or not np.allclose(given, expected, atol=1e-4):
            return False
    return True


def finds_closest_pair(answer):
    """A function from a similarity matrix to the two indices of its largest value off the diagonal, in either order."""
    cases = [
        ([[1.0, 0.2, 0.9, 0.4], [0.2, 1.0, 0.3, 0.5], [0.9, 0.3, 1.0, 0.1], [0.4, 0.5, 0.1, 1.0]], [0, 2]),
        ([[1.0, -0.5, -0.4], [-0.5, 1.0, -0.1], [-0.4, -0.1, 1.0]], [1, 2]),
    ]
    return callable(answer) and all(sorted(answer(np.array(values))) == pair for values, pair in cases)


def is_spearman(answer):
    """Spearman's correlation of SCORES and COSINES, to two decimals."""
    return not isinstance(answer, bool) and np.ndim(answer) == 0 and bool(abs(answer - SPEARMAN) < 0.006)


EXERCISES = {
    "06.1": Exercise(
        judge=averages_real_tokens,
        why=(
            "padding adds nothing to the sum and is not counted in the division, whatever stands in it.",
            "패딩에 무엇이 들어 있든 합에 더해지지 않고, 나눌 때 개수로도 세지 않습니다.",
        ),
        hints=(
            (
                "Two things have to leave out the padding: the sum, and the number that you divide by.",
                "패딩을 빼야 할 곳은 두 군데입니다. 하나는 합이고, 다른 하나는 나누는 수입니다.",
            ),
            (
                "attention_mask[:, :, None] has shape (batch, tokens, 1): multiply by it, sum over axis 1, "
                "and divide by its own sum over axis 1.",
                "attention_mask[:, :, None]의 모양은 (배치, 토큰, 1)입니다. 이것을 곱해 축 1로 더하고, "
                "마스크 자신을 축 1로 더한 값으로 나누세요.",
            ),
        ),
        answer=(
            "weights = attention_mask[:, :, None]; return (token_vectors * weights).sum(axis=1) / weights.sum(axis=1)",
            "weights = attention_mask[:, :, None]; return (token_vectors * weights).sum(axis=1) / weights.sum(axis=1)",
        ),
        accepts=(
            lambda vectors, mask: (vectors * mask[:, :, None]).sum(axis=1) / mask[:, :, None].sum(axis=1),
            lambda vectors, mask: [row[real == 1].mean(axis=0) for row, real in zip(vectors, mask)],
        ),
        refuses=(
            lambda vectors, mask: vectors.mean(axis=1),  # padding counts
            lambda vectors, mask: (vectors * mask[:, :, None]).mean(axis=1),  # divided by all positions
            lambda vectors, mask: (vectors * mask[:, :, None]).sum(axis=1),  # not divided
            lambda vectors, mask: (vectors * mask[:, :, None]).sum(axis=1) / mask.sum(),  # by the tokens of the whole batch
            lambda vectors, mask: vectors[:, 0],
            lambda vectors, mask: None,
            [[4, 6], [3, 2]],
        ),
    ),
    "06.2": Exercise(
        judge=finds_closest_pair,
        why=(
            "every sentence is most similar to itself, so the diagonal has to leave the race before you look.",
            "문장은 언제나 자기 자신과 가장 비슷하므로, 찾기 전에 대각선을 빼야 합니다.",
        ),
        hints=(
            (
                "Which cells hold a sentence against itself? They must not win.",
                "문장을 자기 자신과 견준 칸은 어디인가요? 그 칸이 이기면 안 됩니다.",
            ),
            (
                "Fill the diagonal of a copy with -np.inf (0 is too high if all others are negative), take argmax, and "
                "np.unravel_index makes a row and a column of it.",
                "복사본의 대각선을 -np.inf로 채우고 argmax를 구하세요(나머지가 모두 음수라면 0으로는 부족합니다). "
                "np.unravel_index가 그 번호를 행과 열로 바꿔 줍니다.",
            ),
        ),
        answer=(
            "others = np.array(similarity); np.fill_diagonal(others, -np.inf); "
            "return np.unravel_index(others.argmax(), others.shape)",
            "others = np.array(similarity); np.fill_diagonal(others, -np.inf); "
            "return np.unravel_index(others.argmax(), others.shape)",
        ),
        accepts=(
            lambda values: np.unravel_index((values - np.where(np.eye(len(values)), np.inf, 0)).argmax(), values.shape),
            lambda values: max(((i, j) for i in range(len(values)) for j in range(i)), key=lambda pair: values[pair]),
        ),
        refuses=(
            lambda values: np.unravel_index(values.argmax(), values.shape),  # a sentence and itself
            lambda values: np.unravel_index((values * (1 - np.eye(len(values)))).argmax(), values.shape),  # 0 beats a negative value
            lambda values: np.unravel_index(values.argmin(), values.shape),
            lambda values: (values - 2 * np.eye(len(values))).argmax(),  # one index
            lambda values: (0, 2),
            lambda values: None,
            (0, 2),
        ),
    ),
    "06.3": Exercise(
        judge=is_spearman,
        why=(
            "only the order counts. Any other cosines in the same order would give 0.5 as well.",
            "순서만 따집니다. 코사인이 다른 값이더라도 순서가 같으면 역시 0.5입니다.",
        ),
        hints=(
            (
                "Write down both ranks first. 0.97 is the highest cosine, so it has rank 1.",
                "순위부터 적어 보세요. 코사인 가운데 0.97이 가장 크므로 1위입니다.",
            ),
            (
                "The ranks of the cosines are 3, 2, 1, 5, 4. Square the five differences and add them up; n is 5.",
                "코사인의 순위는 3, 2, 1, 5, 4입니다. 순위 차 다섯 개를 제곱해 더하세요. n은 5입니다.",
            ),
        ),
        answer=(
            "0.5: the squared differences 4, 0, 4, 1, 1 add up to 10, and 1 - 6 × 10 / (5 × 24) = 0.5.",
            "0.5입니다. 순위 차의 제곱 4, 0, 4, 1, 1을 더하면 10이고, 1 - 6 × 10 / (5 × 24) = 0.5입니다.",
        ),
        accepts=(0.5, 0.499999, np.float64(0.5)),
        refuses=(-0.5, float(np.corrcoef(SCORES, COSINES)[0, 1]), 10, 0.9, "0.5", [0.5]),
    ),
}
