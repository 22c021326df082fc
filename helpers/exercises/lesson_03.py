"""Exercises of lesson 03, the masked language model in Korean."""

from helpers.exercises.exercise import Exercise

TEXT = "나는 오늘 아침에 [MASK]에 출근을 했다."
AFTER_CONSONANT = ("학생", "물", "강", "책", "밥")
AFTER_VOWEL = ("친구", "바다", "노래", "영화", "개")


def is_attached(answer):
    """The pieces of TEXT, whichever vocabulary cut it, with 에 glued to [MASK]; [CLS] and [SEP] may stand around them."""
    pieces = list(answer)
    if pieces[:1] == ["[CLS]"] and pieces[-1:] == ["[SEP]"]:
        pieces = pieces[1:-1]
    if pieces.count("[MASK]") != 1 or "##에" not in pieces[pieces.index("[MASK]") + 1:][:1]:
        return False
    return "".join(piece.removeprefix("##") for piece in pieces) == TEXT.replace(" ", "")


def chooses_particle(answer):
    """A function that gives ##을 for a noun with a final consonant, ##를 for one without."""
    if not callable(answer):
        return False
    return all(answer(noun) == "##을" for noun in AFTER_CONSONANT) and all(answer(noun) == "##를" for noun in AFTER_VOWEL)


def has_one_unknown(answer):
    """Three pieces or more, exactly one of them [UNK]."""
    if isinstance(answer, str):
        return False
    pieces = [piece for piece in answer if piece not in ("[CLS]", "[SEP]")]
    return all(isinstance(piece, str) for piece in pieces) and len(pieces) >= 3 and pieces.count("[UNK]") == 1


EXERCISES = {
    "03.1": Exercise(
        judge=is_attached,
        why=(
            "에 goes on with the hidden word now, and decoding would put no space before it.",
            "이제 '에'가 가린 단어에 붙어 있고, decode해도 앞에 공백이 생기지 않습니다.",
        ),
        hints=(
            (
                "Begin with tokenizer.tokenize(...) and look at the piece right after [MASK]. Which sign does it lack?",
                "tokenizer.tokenize(...)에서 시작하세요. [MASK] 바로 뒤의 조각에 어떤 표시가 빠져 있나요?",
            ),
            (
                "Replace 에, right after [MASK], by ##에. Leave all other pieces as they are.",
                "[MASK] 바로 뒤의 '에'를 '##에'로 바꾸세요. 나머지 조각은 그대로 둡니다.",
            ),
        ),
        answer=(
            'pieces = tokenizer.tokenize(...); pieces[pieces.index("[MASK]") + 1] = "##에"',
            'pieces = tokenizer.tokenize(...); pieces[pieces.index("[MASK]") + 1] = "##에"',
        ),
        accepts=(
            ["나는", "오늘", "아침", "##에", "[MASK]", "##에", "출", "##근", "##을", "했다", "."],
            ["나", "##는", "오늘", "아침", "##에", "[MASK]", "##에", "출근", "##을", "했", "##다", "."],
            ["[CLS]", "나는", "오늘", "아침", "##에", "[MASK]", "##에", "출", "##근", "##을", "했다", ".", "[SEP]"],
        ),
        refuses=(
            ["나는", "오늘", "아침", "##에", "[MASK]", "에", "출", "##근", "##을", "했다", "."],
            ["나는", "오늘", "아침", "##에", "[MASK]", "##에"],
            "나는 오늘 아침에 [MASK]에 출근을 했다.",
            ["[MASK]"],
            4,
        ),
    ),
    "03.2": Exercise(
        judge=chooses_particle,
        why=(
            "the rule needs one line. The model has no such line: it had to learn the answer for each piece, from text.",
            "규칙은 한 줄이면 됩니다. 모델에는 그런 한 줄이 없어서, 조각마다 글에서 배워야 합니다.",
        ),
        hints=(
            (
                "Look at the cell with the final consonant: the remainder of (code - 0xAC00) divided by 28. Return text, do not print it.",
                "받침을 계산한 셀을 다시 보세요. (코드 - 0xAC00)을 28로 나눈 나머지입니다. print가 아니라 return으로 돌려주세요.",
            ),
            (
                'If (ord(noun[-1]) - 0xAC00) % 28 is 0, there is no final consonant: return "##를". Else return "##을".',
                '(ord(noun[-1]) - 0xAC00) % 28이 0이면 받침이 없으니 "##를"을, 0이 아니면 "##을"을 돌려주세요.',
            ),
        ),
        answer=(
            'return "##을" if (ord(noun[-1]) - 0xAC00) % 28 else "##를"',
            'return "##을" if (ord(noun[-1]) - 0xAC00) % 28 else "##를"',
        ),
        accepts=(lambda noun: "##을" if (ord(noun[-1]) - 0xAC00) % 28 else "##를",),
        refuses=(
            lambda noun: "##를" if (ord(noun[-1]) - 0xAC00) % 28 else "##을",
            lambda noun: "##을",
            lambda noun: "을" if (ord(noun[-1]) - 0xAC00) % 28 else "를",
            lambda noun: None,
            "##을",
            28,
        ),
    ),
    "03.3": Exercise(
        judge=has_one_unknown,
        why=(
            "one character that the vocabulary lacks turns its whole word into [UNK], and its neighbours stay as they are.",
            "어휘 집합에 없는 글자 하나 때문에 그 어절 전체가 [UNK]가 되고, 이웃한 조각은 그대로입니다.",
        ),
        hints=(
            (
                "Take an everyday sentence and put one very rare syllable or an emoji into it, with spaces around.",
                "평범한 문장에 아주 드문 글자나 이모지 하나를 앞뒤로 띄어서 넣어 보세요.",
            ),
            (
                'Hand in the list that tokenizer.tokenize("...") gives, three pieces or more. 뷁, 꿹 and 쀍 are rare.',
                'tokenizer.tokenize("...")가 돌려준 리스트를 그대로 제출하세요. 조각이 셋 이상이어야 합니다. 뷁, 꿹, 쀍은 드문 글자입니다.',
            ),
        ),
        answer=('tokenizer.tokenize("오늘은 뷁 소리를 들었다.")', 'tokenizer.tokenize("오늘은 뷁 소리를 들었다.")'),
        accepts=(["오늘은", "[UNK]", "소리를", "들", "##었다", "."], ("[UNK]", "좋아", "##요")),
        refuses=(["오늘은", "좋다", "."], ["[UNK]", "[UNK]", "좋아요"], ["[UNK]"], ["[CLS]", "[UNK]", "[SEP]"], "[UNK] 좋아 요", 3),
    ),
}
