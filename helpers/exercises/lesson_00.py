"""Exercises of lesson 00, start here."""

from helpers.exercises.exercise import Exercise

WORDS_AT_LEAST = 4


def has_one_gap(answer):
    """A sentence of at least four words, one [MASK] among them."""
    return isinstance(answer, str) and answer.count("[MASK]") == 1 and len(answer.split()) >= WORDS_AT_LEAST


EXERCISES = {
    "00.1": Exercise(
        judge=has_one_gap,
        why=(
            "one gap, and enough words around it to guess from. Now try fill_mask(answer).",
            "빈칸이 하나이고, 실마리가 될 단어도 충분합니다. 이제 fill_mask(answer)를 실행해 보세요.",
        ),
        hints=(
            (
                "Count: is [MASK] in it exactly once, in capitals and square brackets? Are there four words or more?",
                "세어 보세요. 대괄호와 대문자로 쓴 [MASK]가 정확히 한 번 있나요? 단어가 네 개 이상인가요?",
            ),
            (
                "Take any English sentence, put quotation marks around it, and write [MASK] in place of one word.",
                "아무 영어 문장이나 따옴표로 감싸고, 그중 단어 하나를 [MASK]로 바꿔 보세요.",
            ),
        ),
        answer=(
            'for example answer = "The children played in the [MASK] all day."',
            '예를 들어 answer = "The children played in the [MASK] all day."',
        ),
        accepts=("The children played in the [MASK] all day.", "I drink [MASK] now."),
        refuses=("I drink tea now.", "[MASK] and [MASK] are fine friends.", "I drink [mask] now.", "Drink [MASK].", 1),
    ),
}
