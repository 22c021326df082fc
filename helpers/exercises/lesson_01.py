"""Exercises of lesson 01, integer encoding."""

from helpers.exercises.exercise import Exercise

PIECES_AT_LEAST = 4
POSITIONS = 12
FIRST = ["[CLS]", "do", "you", "like", "pizza", "?", "[SEP]"]
SECOND = ["yes", "!", "[SEP]"]
MYSTERY = "a knife and fork, please."


def is_word_in_pieces(answer):
    """The pieces of one word: the first stands alone, all others are glued to it."""
    if not isinstance(answer, (list, tuple)) or not all(isinstance(piece, str) for piece in answer):
        return False
    if len(answer) < PIECES_AT_LEAST or answer[0].startswith("##"):
        return False
    return all(piece.startswith("##") and len(piece) > 2 for piece in answer[1:])


def is_padded_pair(answer):
    """[token_type_ids, attention_mask] of the pair, padded; padding has type 0."""
    padding = POSITIONS - len(FIRST) - len(SECOND)
    token_type_ids = [0] * len(FIRST) + [1] * len(SECOND) + [0] * padding
    attention_mask = [1] * (len(FIRST) + len(SECOND)) + [0] * padding
    return [list(row) for row in answer] == [token_type_ids, attention_mask]


def is_mystery(answer):
    """The sentence; capitals, outer spaces and special tokens do not matter."""
    if not isinstance(answer, str):
        return False
    said = answer.replace("[CLS]", " ").replace("[SEP]", " ")
    return " ".join(said.lower().split()) == MYSTERY


EXERCISES = {
    "01.1": Exercise(
        judge=is_word_in_pieces,
        why=(
            "one word, one piece at the front and at least three glued to it. The model reads each piece by itself.",
            "한 단어가 맨 앞 조각 하나와, 거기에 붙는 조각 셋 이상으로 나뉘었습니다. 모델은 조각을 하나씩 읽습니다.",
        ),
        hints=(
            (
                "One word without spaces or hyphens, and at least four pieces. Try long words, rare words, foreign names.",
                "띄어쓰기와 붙임표가 없는 한 단어이고 네 조각 이상이어야 합니다. 길거나 드문 단어, 외국 이름을 넣어 보세요.",
            ),
            (
                'Hand in the whole list that tokenizer.tokenize("...") gives. Try a rare animal or an illness.',
                'tokenizer.tokenize("...")가 돌려준 리스트를 그대로 제출하세요. 드문 동물이나 병 이름을 넣어 보세요.',
            ),
        ),
        answer=(
            'for example answer = tokenizer.tokenize("hippopotamus")',
            '예를 들어 answer = tokenizer.tokenize("hippopotamus")',
        ),
        accepts=(["hip", "##pop", "##ota", "##mus"], ("un", "##sl", "##ice", "##d")),
        refuses=("hippopotamus", ["token", "##izer"], ["k", "-", "pop", "!"], ["##un", "##sl", "##ice", "##d"], 4),
    ),
    "01.2": Exercise(
        judge=is_padded_pair,
        why=(
            "seven positions of type 0, three of type 1, two of padding. Padding has type 0 and mask 0.",
            "첫 문장이 일곱 자리, 둘째 문장이 세 자리, 패딩이 두 자리입니다. 패딩은 두 리스트에서 모두 0입니다.",
        ),
        hints=(
            (
                "Write down the pieces first. Did you count [CLS], both [SEP], and the ? and ! as pieces?",
                "먼저 조각을 적어 보세요. [CLS]와 [SEP] 두 개, 그리고 ?와 !도 세었나요?",
            ),
            (
                "[CLS] do you like pizza ? [SEP] are seven, yes ! [SEP] are three; two places stay for padding.",
                "[CLS] do you like pizza ? [SEP]가 일곱, yes ! [SEP]가 셋입니다. 남는 두 자리가 패딩입니다.",
            ),
        ),
        answer=(
            "[[0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]]",
            "[[0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]]",
        ),
        accepts=(
            [[0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]],
            ((0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 0, 0), (1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0)),
        ),
        refuses=(
            [[0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]],  # padding counted as sentence two
            [[0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]],  # [SEP] counted as sentence two
            [[0, 0, 0, 0, 0, 0, 0, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0]],
            12,
        ),
    ),
    "01.3": Exercise(
        judge=is_mystery,
        why=(
            "the ids begin with 101 and end with 102: [CLS] and [SEP] of the English tokenizer.",
            "번호가 101로 시작해서 102로 끝납니다. 영어 토크나이저의 [CLS]와 [SEP]입니다.",
        ),
        hints=(
            (
                "Let both tokenizers decode the ids. Which of the two gives a sentence?",
                "두 토크나이저로 모두 decode해 보세요. 어느 쪽에서 문장이 나오나요?",
            ),
            (
                "The first id is 101, the last 102. You know whose [CLS] and [SEP] these are: tokenizer.decode(mystery_ids).",
                "첫 번호가 101, 마지막 번호가 102입니다. 누구의 [CLS]와 [SEP]인지 알고 있습니다. tokenizer.decode(mystery_ids)",
            ),
        ),
        answer=('"a knife and fork, please."', '"a knife and fork, please."'),
        accepts=("a knife and fork, please.", "A knife and fork, please.", "[CLS] a knife and fork, please. [SEP]"),
        refuses=("a knife and fork", "° 빙 혁신", 101, ["a", "knife"]),
    ),
}
