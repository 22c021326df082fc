"""One exercise: how an answer is judged, and what the learner is told.

A lesson's module writes its exercises like this:

    EXERCISES = {
        "01.1": Exercise(
            judge=lambda answer: answer == 9,
            why=("two pieces were added: [CLS] and [SEP].", "[CLS]와 [SEP] 두 조각이 더 붙었습니다."),
            hints=(
                ("count the rows of the table.", "표의 줄을 세어 보세요."),
                ("do not forget the two pieces that you did not type.", "입력하지 않은 두 조각도 세세요."),
            ),
            answer=("9, because ...", "9입니다. ..."),
            accepts=(9, 9.0),
            refuses=(7, "nine"),
        ),
    }

`accepts` and `refuses` are examples of right and wrong answers; tests/test_exercises.py tries every one on `judge`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Text = tuple[str, str]  # (English, Korean)


@dataclass(frozen=True)
class Exercise:
    """What the engine needs to know.

    Attributes:
        judge: takes the learner's answer, returns whether it is right. It may raise on an answer of another type than
            the question asks for: the learner is then told kindly, and it does not count as a try.
        why: why the right answer is right.
        hints: what is said after the first wrong try, and more strongly after the second.
        answer: what is said from the third wrong try on.
        accepts: answers that `judge` must call right.
        refuses: answers that `judge` must not call right (returning False or raising).
    """

    judge: Callable[[Any], bool]
    why: Text
    hints: tuple[Text, Text]
    answer: Text
    accepts: tuple = ()
    refuses: tuple = ()
