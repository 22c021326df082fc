"""Exercises that check themselves: they hint before they tell.

    exercises.check("01.1", answer)

A wrong answer gets a hint, a second one a stronger hint, a third one the answer. The exercises of a lesson stand in its
module (lesson_01.py); this file only finds them and talks to the learner.
"""

import importlib
import pkgutil
import re

from helpers.exercises.exercise import Exercise
from helpers.language import say

__all__ = ["Exercise", "check"]

_wrong_tries = {}  # exercise id -> how many, since the kernel started or the last right answer


def check(exercise_id, answer):
    """Judge an answer and print one line: right and why, a hint, or, from the third wrong try on, the answer.

    Args:
        exercise_id: str, lesson and number, such as "01.1".
        answer: what the learner found; None while there is no answer yet.

    Raises:
        ValueError: there is no such exercise; the message lists those of the lesson.
    """
    exercise = find(exercise_id)
    print(_verdict(exercise_id, exercise, answer))


def _verdict(exercise_id, exercise, answer):
    """The line for one answer; counts the wrong tries."""
    if answer is None or answer is ...:
        return say(
            f"… {exercise_id} no answer yet: put yours in the line above and run this cell again.",
            f"… {exercise_id} 아직 답이 없습니다. 바로 윗줄에 답을 적고 이 셀을 다시 실행하세요.",
        )
    try:
        right = bool(exercise.judge(answer))
    except Exception as error:  # whatever a judge does with an answer that it does not expect, the learner gets a kind line
        kind = type(answer).__name__
        if callable(answer):  # the judge called the learner's function
            what = " ".join(f"{type(error).__name__}: {error}".split())
            return say(
                f"? {exercise_id} your function stopped when it was tried, with {what}",
                f"? {exercise_id} 함수를 불러 보니 다음 오류로 멈췄습니다. {what}",
            )
        return say(
            f"? {exercise_id} an answer of type {kind} does not fit this question: read once more what it asks for.",
            f"? {exercise_id} {kind} 타입의 답은 이 문제에 맞지 않습니다. 무엇을 묻는지 다시 읽어 보세요.",
        )
    if right:
        _wrong_tries.pop(exercise_id, None)
        return say("✓ {} right: {}", "✓ {} 맞았습니다: {}").format(exercise_id, say(*exercise.why))
    tries = _wrong_tries[exercise_id] = _wrong_tries.get(exercise_id, 0) + 1
    if tries <= len(exercise.hints):
        return say("✗ {} not yet: {}", "✗ {} 아직 아닙니다: {}").format(exercise_id, say(*exercise.hints[tries - 1]))
    return say("✗ {} the answer: {}", "✗ {} 답은 이렇습니다: {}").format(exercise_id, say(*exercise.answer))


def find(exercise_id):
    """The exercise with this id.

    Args:
        exercise_id: str, such as "01.1".

    Returns:
        Exercise.

    Raises:
        ValueError: there is no such exercise; the message lists those of the lesson.
    """
    lesson = re.fullmatch(r"(\d\d)\.\d+", exercise_id) if isinstance(exercise_id, str) else None
    known = lessons()
    if lesson is None or lesson[1] not in known:
        listed = ", ".join(known) or "-"
        raise ValueError(say(
            f"There is no exercise {exercise_id!r}: an id is a lesson and a number, such as \"01.1\", "
            f"and the lessons with exercises are {listed}.",
            f"연습 문제 {exercise_id!r}은(는) 없습니다. \"01.1\"처럼 레슨과 번호를 적으세요. "
            f"연습 문제가 있는 레슨: {listed}.",
        ))
    exercises = of_lesson(lesson[1])
    if exercise_id not in exercises:
        listed = ", ".join(exercises)
        raise ValueError(say(
            f"There is no exercise {exercise_id!r}: lesson {lesson[1]} has {listed}.",
            f"연습 문제 {exercise_id!r}은(는) 없습니다. 레슨 {lesson[1]}에 있는 것: {listed}.",
        ))
    return exercises[exercise_id]


def lessons():
    """The numbers of the lessons that have exercises, such as ["01", "02"]."""
    names = (module.name for module in pkgutil.iter_modules(__path__))
    return sorted(name.removeprefix("lesson_") for name in names if re.fullmatch(r"lesson_\d\d", name))


def of_lesson(lesson):
    """The exercises of one lesson.

    Args:
        lesson: str, such as "01".

    Returns:
        dict, exercise id -> Exercise.
    """
    return importlib.import_module(f"helpers.exercises.lesson_{lesson}").EXERCISES
