"""The lessons' sources: complete, in both languages, with one code. And the reader that sees to it says what is wrong."""

import nbformat
import notebook_checks as checks
import pytest

from tools import lesson_source
from tools.build_notebooks import set_up
from tools.lesson_source import Lesson, LessonError

PATHS = lesson_source.paths()
PAIRS = [(path, path.parents[1] / "ko" / path.name) for path in PATHS if path.parent.name == "en"]


def label(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.mark.parametrize("path", PATHS, ids=label)
def test_lesson_can_be_read(path):
    assert lesson_source.read(path).code_cells


def test_every_lesson_stands_in_both_languages():
    assert checks.without_a_twin([lesson_source.read(path) for path in PATHS]) == []
    assert [path.stem[:2] for path, _ in PAIRS[:6]] == ["00", "01", "02", "03", "04", "05"]


@pytest.mark.parametrize(("english", "korean"), PAIRS, ids=[english.stem for english, _ in PAIRS])
@pytest.mark.parametrize("check", [checks.different_code, checks.different_front_matter], ids=lambda check: check.__name__)
def test_languages_agree(check, english, korean):
    assert check(lesson_source.read(english), lesson_source.read(korean)) == []


@pytest.mark.parametrize("path", PATHS, ids=label)
def test_exercises_have_solutions(path):
    assert checks.exercise_complaints(lesson_source.read(path)) == []


def test_set_up_cells_differ_in_words_only():
    english, korean = (set_up(language, "owner/name") for language in ("en", "ko"))
    assert "language=\"en\"" in english and "language=\"ko\"" in korean
    skeletons = []
    for source, language in ((english, "en"), (korean, "ko")):
        code = [line.split("#")[0].rstrip() for line in source.splitlines() if "raise SystemExit" not in line]
        skeletons.append([line.replace(f'"{language}"', '"…"') for line in code if line])
    assert skeletons[0] == skeletons[1]


# --- each check can fail --------------------------------------------------------------------------------------------


def lesson(language="en", code=("x = 1",), tags=(), name="01_x.md", **front_matter):
    """A `Lesson` in memory; `tags` are those of its last code cell."""
    cells = [nbformat.v4.new_code_cell(source) for source in code]
    if tags:
        cells[-1].metadata["tags"] = list(tags)
    front_matter = {"lesson": 1, "title": "t", "minutes": 5, "objectives": ["a"], "needs": ["b"], "next": "c"} | front_matter
    return Lesson(lesson_source.ROOT / "lessons" / language / name, language, front_matter, tuple(cells))


@pytest.mark.parametrize(("english", "korean"), [
    ("x = 1  # one", "x = 1  # 하나"),
    ("print('one', x)", "print('하나', x)"),
    ("print(f'{a} is in {b}')", "print(f'{b}에 {a}가 있다')"),
    ("plots.top_k(answers, title='Five words')", "plots.top_k(answers, title='다섯 단어')"),
    ("table(rows, caption=f'{n} words')", "table(rows, caption=f'단어 {n}개')"),
])
def test_words_may_differ(english, korean):
    assert checks.different_code(lesson("en", [english]), lesson("ko", [korean])) == []


@pytest.mark.parametrize(("english", "korean"), [
    ("x = 1", "x = 2"),
    ("x = 'one'", "x = '하나'"),
    ("print('one', x)", "print('하나', y)"),
    ("print('one')", "print('하나', x)"),
    ("print(f'{a} is in {b}')", "print(f'{a}에 {c}가 있다')"),
    ("print(f'{a:.2f}')", "print(f'{a:.3f}')"),
    ("plots.top_k(answers, title='Five')", "plots.top_k(others, title='다섯')"),
    ("plots.top_k(answers, label='Five')", "plots.top_k(answers, label='다섯')"),
])
def test_code_may_not_differ(english, korean):
    assert len(checks.different_code(lesson("en", [english]), lesson("ko", [korean]))) == 1


def test_cells_and_tags_may_not_differ():
    assert len(checks.different_code(lesson("en", ["a", "b"]), lesson("ko", ["a"]))) == 1
    assert len(checks.different_code(lesson("en", ["a"], tags=["solution"]), lesson("ko", ["a"]))) == 1


@pytest.mark.parametrize("change", [{"minutes": 6}, {"lesson": 2}, {"objectives": ["a", "b"]}])
def test_front_matter_may_not_differ(change):
    assert checks.different_front_matter(lesson("en"), lesson("ko")) == []
    assert len(checks.different_front_matter(lesson("en"), lesson("ko", **change))) == 1


def test_missing_twin_is_seen():
    lessons = [lesson("en"), lesson("ko"), lesson("ko", name="02_y.md")]
    assert checks.without_a_twin(lessons) == ["02_y.md is missing in en"]


def exercise_lesson(*cells, number=1):
    made = lesson(code=[code for code, _ in cells], lesson=number)
    for cell, (_, tags) in zip(made.code_cells, cells):
        cell.metadata["tags"] = tags
    return made


def test_exercises_without_solution_are_seen():
    first, second = ('exercises.check("01.1", answer)', []), ('exercises.check("01.2", answer)', [])
    solution = ('exercises.check("01.1", 3)', ["solution"])
    assert checks.exercise_complaints(exercise_lesson(first, solution, second, solution)) == []
    assert len(checks.exercise_complaints(exercise_lesson(first, second, solution))) == 1
    assert len(checks.exercise_complaints(exercise_lesson(first, solution))) == 1
    assert len(checks.exercise_complaints(exercise_lesson(first, solution, second, solution, number=2))) == 2


# --- the reader says which file and what ------------------------------------------------------------------------------


GOOD = """\
---
lesson: 1
title: A title
minutes: 5
objectives:
  - see it
needs:
  - nothing
next: More of it.
---

## A section

Before.

:::{instructor} 3 min
Ask for a show of hands.

```python
a_secret = 1
```
:::

After.

```{code-cell}
:tags: [nbval-ignore-output]
:reason: a widget

x = 1
```
"""


@pytest.fixture
def write(tmp_path):
    def _write(text, name="01_x.md"):
        path = tmp_path / "lessons" / "en" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path
    return _write


def test_reader_reads_a_good_lesson(write):
    read = lesson_source.read(write(GOOD))
    markdown, code = read.cells
    assert markdown.source == "## A section\n\nBefore.\n\nAfter."
    assert (code.source, code.metadata.tags, code.metadata.reason) == ("x = 1", ["nbval-ignore-output"], "a widget")
    assert read.front_matter["objectives"] == ["see it"]


@pytest.mark.parametrize("key", list(lesson_source.FRONT_MATTER))
def test_missing_key_is_named(write, key):
    lines, skipping = [], False
    for line in GOOD.splitlines(keepends=True):
        skipping = line.startswith(f"{key}:") or skipping and line.startswith("  ")
        lines += [] if skipping else [line]
    with pytest.raises(LessonError, match=rf"^lessons/en/01_x\.md: front matter: `{key}` is missing\.$"):
        lesson_source.read(write("".join(lines)))


@pytest.mark.parametrize(("old", "new", "message"), [
    ("minutes: 5", "minutes: five", "`minutes` has to be a whole number, not 'five'"),
    ("minutes: 5", "minutes: true", "`minutes` has to be a whole number, not True"),
    ("title: A title", "title:", "`title` has to be a text"),
    ("  - see it", "  - read: it", "`objectives` has to be a list of texts"),
    ("objectives:\n  - see it", "objectives: []", "`objectives` has to be a list of texts"),
    ("next: More of it.", "next: More of it.\nneed: x", "`need` is not a key of ours"),
    ("lesson: 1", "lesson: 2", "`lesson` is 2, the file's name says otherwise"),
    ("title: A title", "title: A: title", "front matter: mapping values are not allowed here"),
    ("---\nlesson", "lesson", "no front matter"),
    (":::\n\nAfter", "After", "an instructor block does not end"),
    ("Before.", "```{note}\nx\n```", "notebooks cannot show ````{note}`"),  # its own three, and one of the quotation
    ("Before.", ":::{tip}\nx\n:::", "notebooks cannot show `:::{tip}`"),
    (":reason: a widget", ":reason: a: widget", "Invalid YAML"),
])
def test_mistakes_are_named_in_one_line(write, old, new, message):
    assert GOOD.count(old) == 1
    with pytest.raises(LessonError) as error:
        lesson_source.read(write(GOOD.replace(old, new)))
    text = str(error.value)
    assert text.startswith("lessons/en/01_x.md: ") and "\n" not in text
    assert message in text


def test_unknown_lesson_number_is_named():
    with pytest.raises(LessonError, match="there is no lesson 77"):
        lesson_source.paths(only=[1, 77])
