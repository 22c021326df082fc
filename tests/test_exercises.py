"""The engine hints before it tells and never stumbles over an answer; each exercise of each lesson judges as it says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from helpers import exercises
from helpers.exercises import exercise as exercise_module

LESSON = '''
import numpy as np

from helpers.exercises.exercise import Exercise

TEXTS = dict(
    why=("two were added.", "두 개가 더 붙었습니다."),
    hints=(("count the rows.", "줄을 세어 보세요."), ("count [CLS] too.", "[CLS]도 세세요.")),
    answer=("it is 9.", "9입니다."),
)


def calls(answer):
    return answer(2) == 4


EXERCISES = {
    "99.1": Exercise(judge=lambda answer: answer == 9, **TEXTS),
    "99.2": Exercise(judge=lambda answer: np.bool_(answer > 3), **TEXTS),
    "99.3": Exercise(judge=calls, **TEXTS),
}
'''


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


@pytest.fixture
def lesson(tmp_path, monkeypatch):
    """A lesson 99 of our own, and nobody has tried anything yet."""
    (tmp_path / "lesson_99.py").write_text(LESSON, encoding="utf-8")
    monkeypatch.setattr(exercises, "__path__", [*exercises.__path__, str(tmp_path)])
    monkeypatch.setattr(exercises, "_wrong_tries", {})
    yield
    sys.modules.pop("helpers.exercises.lesson_99", None)


@pytest.fixture
def said(lesson, capsys):
    """Check an answer and return what was printed."""

    def check(exercise_id, answer):
        assert exercises.check(exercise_id, answer) is None
        printed = capsys.readouterr()
        assert printed.err == ""
        return printed.out

    return check


# ---------------------------------------------------------------------------------------------------------- the engine


def test_a_right_answer_is_told_why(said):
    assert said("99.1", 9) == "✓ 99.1 right: two were added.\n"


def test_hints_come_before_the_answer(said):
    lines = [said("99.1", wrong) for wrong in (7, 8, 10, 11)]
    assert lines == [
        "✗ 99.1 not yet: count the rows.\n",
        "✗ 99.1 not yet: count [CLS] too.\n",
        "✗ 99.1 the answer: it is 9.\n",
        "✗ 99.1 the answer: it is 9.\n",
    ]


def test_wrong_tries_are_counted_for_each_exercise_on_its_own(said):
    said("99.1", 7), said("99.1", 7)
    assert said("99.2", 1) == "✗ 99.2 not yet: count the rows.\n"


def test_after_a_right_answer_the_hints_start_again(said):
    said("99.1", 7), said("99.1", 7), said("99.1", 9)
    assert said("99.1", 7) == "✗ 99.1 not yet: count the rows.\n"


@pytest.mark.parametrize("nothing", [None, ...])
def test_no_answer_yet_is_no_wrong_try(said, nothing):
    for _ in range(3):
        assert said("99.1", nothing) == "… 99.1 no answer yet: put yours in the line above and run this cell again.\n"
    assert said("99.1", 7) == "✗ 99.1 not yet: count the rows.\n"


@pytest.mark.parametrize("odd", ["nine", [9], {"a": 1}, object()], ids=["str", "list", "dict", "object"])
def test_an_answer_of_another_type_gets_a_kind_line_and_is_no_wrong_try(said, odd):
    for _ in range(3):  # exercise 99.2 compares with >, which these cannot
        kind = type(odd).__name__
        assert said("99.2", odd) == f"? 99.2 an answer of type {kind} does not fit this question: read once more what it asks for.\n"
    assert said("99.2", 1) == "✗ 99.2 not yet: count the rows.\n"


def test_an_array_where_a_number_is_asked_for_gets_a_kind_line(said):
    import numpy as np

    assert said("99.1", np.array([9, 9])).startswith("? 99.1 an answer of type ndarray")


def test_a_function_that_stops_says_what_stopped_it(said):
    def divides(number):
        return number / 0

    assert said("99.3", divides) == "? 99.3 your function stopped when it was tried, with ZeroDivisionError: division by zero\n"
    assert said("99.3", lambda number: number * 2).startswith("✓ 99.3 right")


def test_a_numpy_verdict_counts_as_a_verdict(said):
    assert said("99.2", 5).startswith("✓")


def test_the_engine_speaks_korean_to_a_korean_reader(said, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert said("99.1", None) == "… 99.1 아직 답이 없습니다. 바로 윗줄에 답을 적고 이 셀을 다시 실행하세요.\n"
    assert [said("99.1", wrong) for wrong in (7, 7, 7)] == [
        "✗ 99.1 아직 아닙니다: 줄을 세어 보세요.\n", "✗ 99.1 아직 아닙니다: [CLS]도 세세요.\n", "✗ 99.1 답은 이렇습니다: 9입니다.\n",
    ]
    assert said("99.1", 9) == "✓ 99.1 맞았습니다: 두 개가 더 붙었습니다.\n"
    assert said("99.2", "nine") == "? 99.2 str 타입의 답은 이 문제에 맞지 않습니다. 무엇을 묻는지 다시 읽어 보세요.\n"


def test_an_unknown_number_lists_the_exercises_of_the_lesson(lesson):
    with pytest.raises(ValueError, match=r"no exercise '99\.7': lesson 99 has 99\.1, 99\.2, 99\.3"):
        exercises.check("99.7", 9)


@pytest.mark.parametrize("unknown", ["98.1", "1.1", "99", "99.1 ", "", 1.1, None, ["99.1"], "../99.1"])
def test_an_unknown_lesson_lists_the_lessons(lesson, unknown):
    with pytest.raises(ValueError, match=re.escape(f"no exercise {unknown!r}: an id is a lesson and a number") + ".*99"):
        exercises.check(unknown, 9)


def test_lessons_are_imported_only_when_asked_for():
    code = (
        "import sys; from helpers import exercises; exercises.lessons(); "
        "print([name for name in sys.modules if 'lesson_' in name or name in ('numpy', 'tensorflow')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1], check=True
    )
    assert done.stdout == "[]\n"


def test_an_exercise_cannot_be_changed_by_accident():
    with pytest.raises(AttributeError):
        next(iter(exercises.of_lesson("00").values())).judge = None


# --------------------------------------------------------------------------------------------------- the lessons' own


def every_exercise():
    return [
        pytest.param(exercise_id, exercise, id=exercise_id)
        for lesson in exercises.lessons()
        for exercise_id, exercise in exercises.of_lesson(lesson).items()
    ]


EVERY_EXERCISE = pytest.mark.parametrize("exercise_id, exercise", every_exercise())


def judged(exercise, answer):
    """True for right; False for wrong, and for an answer that the judge stumbles over."""
    try:
        return bool(exercise.judge(answer))
    except Exception:
        return False


def test_every_lesson_of_the_course_has_exercises():
    lessons = {path.name[:2] for path in (Path(__file__).parents[1] / "lessons" / "en").glob("*.md")}
    assert lessons and lessons <= set(exercises.lessons())


@pytest.mark.parametrize("lesson_number", exercises.lessons())
def test_ids_count_up_from_1(lesson_number):
    ids = list(exercises.of_lesson(lesson_number))
    assert ids == [f"{lesson_number}.{n}" for n in range(1, len(ids) + 1)]


@EVERY_EXERCISE
def test_right_answers_are_accepted(exercise_id, exercise):
    assert exercise.accepts, f"give {exercise_id} examples of right answers: Exercise(..., accepts=(...))"
    assert [answer for answer in exercise.accepts if not judged(exercise, answer)] == []


@EVERY_EXERCISE
def test_wrong_answers_are_refused(exercise_id, exercise):
    assert exercise.refuses, f"give {exercise_id} examples of wrong answers: Exercise(..., refuses=(...))"
    assert [answer for answer in exercise.refuses if judged(exercise, answer)] == []


@EVERY_EXERCISE
@pytest.mark.parametrize(
    "odd", ["", "?", 0, -1, 1e9, True, float("nan"), [], (), {}, object(), len, lambda *_: None], ids=lambda odd: type(odd).__name__
)
def test_odd_answers_are_refused(exercise_id, exercise, odd):
    assert not judged(exercise, odd)


@EVERY_EXERCISE
def test_texts_stand_in_both_languages_on_one_line_each(exercise_id, exercise):
    first, second = exercise.hints
    for text in (exercise.why, first, second, exercise.answer):
        english, korean = text
        assert english.strip() and korean.strip()
        assert "\n" not in english + korean
    for english, korean in (exercise.why, first, second):  # an answer may be code, the same in both
        assert re.search("[가-힣]", korean), korean
        assert re.search("[A-Za-z]{2}", english), english
        assert english != korean
    assert first != second


def test_judging_needs_no_tensorflow():
    code = """
import sys
from helpers import exercises
for lesson in exercises.lessons():
    for exercise in exercises.of_lesson(lesson).values():
        for answer in (*exercise.accepts, *exercise.refuses):
            try:
                exercise.judge(answer)
            except Exception:
                pass
print([name for name in ("tensorflow", "transformers", "torch") if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[1], check=True
    )
    assert done.stdout == "[]\n"


def test_the_example_in_the_documentation_is_an_exercise():
    """What exercise.py shows is what it takes."""
    source = exercise_module.__doc__.split(":\n\n", 1)[1].split("\n\n`accepts`")[0]
    names = {"Exercise": exercises.Exercise}
    exec("\n".join(line[4:] for line in source.splitlines()), names)
    (example,) = names["EXERCISES"].values()
    assert all(judged(example, answer) for answer in example.accepts)
    assert not any(judged(example, answer) for answer in example.refuses)
