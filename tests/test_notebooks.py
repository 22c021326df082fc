"""The stored notebooks can be trusted: nbval compares every cell of them, and nothing of the builder's computer is in them.

nbval itself runs on notebooks/ beside these tests (pyproject.toml, conftest.py).
"""

import copy
import re
import shutil
import subprocess
import sys

import nbformat
import notebook_checks as checks
import pytest

from helpers import document
from tools import build_notebooks, lesson_source, repository
from tools.lesson_source import ROOT

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*/*.ipynb"))
CHECKS = (
    checks.not_executed_in_order, checks.empty_code_cells, checks.stored_errors, checks.stored_stderr, checks.widget_state,
    checks.absolute_paths, checks.untold_exemptions, checks.trailing_semicolons, checks.instructor_blocks,
    checks.figures_without_words, checks.random_addresses, checks.too_many_digits,
)


def label(value):
    return f"{value.parent.name}/{value.stem}" if hasattr(value, "stem") else value.__name__


@pytest.mark.parametrize("path", NOTEBOOKS, ids=label)
@pytest.mark.parametrize("check", CHECKS, ids=label)
def test_stored_notebook(check, path):
    assert check(nbformat.read(path, as_version=4)) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=label)
def test_links_lead_somewhere(path):
    assert checks.links_to_nowhere(nbformat.read(path, as_version=4), path.parent) == []


@pytest.mark.parametrize("path", lesson_source.paths(), ids=label)
def test_notebook_equals_its_source(path):
    assert build_notebooks.difference(path, repository.name()) is None


def test_every_notebook_has_a_source():
    assert NOTEBOOKS, "no notebooks at all"
    assert build_notebooks.orphans(lesson_source.paths(), ROOT / "notebooks") == []


@pytest.mark.parametrize("language", lesson_source.LANGUAGES)
def test_every_figure_of_the_document_is_shown_in_its_lesson(language):
    shown = {path.stem[:2]: checks.figures_shown(nbformat.read(path, as_version=4))
             for path in NOTEBOOKS if path.parent.name == language}
    missing = [figure.path for figure in document.FIGURES if not is_shown(figure.path, shown.get(figure.lesson, ()))]
    assert len(document.FIGURES) == 26
    assert missing == []


def is_shown(path, cells):
    """pandas cuts a long text and ends it with dots."""
    return any(cell == path or cell.endswith("...") and path.startswith(cell[:-3]) for cell in cells)


# --- each check can fail --------------------------------------------------------------------------------------------


def good_notebook():
    """A head, and three cells that every check lets pass: text, a figure, a cell that is exempt for a reason."""
    def output(**data):
        return nbformat.v4.new_output("display_data", data=data)

    figure = output(**{"image/png": "AAAA/home/AAAA", "text/plain": "figure: two bars"})
    figure.metadata = {"image/png": {"alt": "two bars"}}
    notebook = nbformat.v4.new_notebook(cells=[
        nbformat.v4.new_markdown_cell("# A title\n\n[a link](https://example.org/home/x) and `/home` and [[MASK]]"),
        nbformat.v4.new_code_cell("print(1)  # one; two;", execution_count=1,
                                  outputs=[nbformat.v4.new_output("stream", text="models/pocket-english: 1/2\n")]),
        nbformat.v4.new_code_cell("plots.top_k(answers)", execution_count=2, outputs=[figure]),
        nbformat.v4.new_code_cell("widget", execution_count=3,
                                  metadata={"tags": ["nbval-ignore-output"], "reason": "a widget"}),
    ])
    return notebook


def set_source(number, source):
    return lambda notebook: notebook.cells[number].update(source=source)


def add_output(number, kind, **content):
    return lambda notebook: notebook.cells[number].outputs.append(nbformat.v4.new_output(kind, **content))


def set_metadata(number, **metadata):
    return lambda notebook: notebook.cells[number].update(metadata=nbformat.from_dict(metadata))


BROKEN = [
    (checks.not_executed_in_order, lambda notebook: notebook.cells[2].update(execution_count=None)),
    (checks.not_executed_in_order, lambda notebook: notebook.cells[3].update(execution_count=7)),
    (checks.empty_code_cells, set_source(1, "  \n")),
    (checks.stored_errors, add_output(1, "error", ename="ValueError", evalue="", traceback=[])),
    (checks.stored_stderr, add_output(1, "stream", name="stderr", text="a warning")),
    (checks.widget_state, lambda notebook: notebook.metadata.update(widgets={})),
    (checks.widget_state, add_output(3, "display_data", data={build_notebooks.WIDGET_VIEW: {"model_id": "1"}})),
    (checks.absolute_paths, add_output(1, "stream", text="loaded from /home/anna/models")),
    (checks.absolute_paths, add_output(1, "stream", text="'/content/course/models'")),
    (checks.absolute_paths, add_output(1, "display_data", data={"text/plain": r"WindowsPath('C:\Users\anna')"})),
    (checks.absolute_paths, add_output(1, "display_data", data={"text/html": "<td>/Users/anna/models</td>"})),
    (checks.absolute_paths, set_source(1, "open('/usr/share/dict/words')")),
    (checks.absolute_paths, set_source(0, "Look into ~/models.")),
    (checks.untold_exemptions, set_metadata(3, tags=["nbval-ignore-output"])),
    (checks.untold_exemptions, set_metadata(3, tags=["nbval-ignore-output"], reason=" ")),
    (checks.untold_exemptions, set_metadata(1, tags=["nbval-skip"], reason="slow")),
    (checks.untold_exemptions, set_metadata(1, tags=["raises-exception"], reason="shows an error")),
    (checks.untold_exemptions, set_source(1, "# NBVAL_IGNORE_OUTPUT\nprint(1)")),
    (checks.trailing_semicolons, set_source(1, "x = 1\nx;")),
    (checks.instructor_blocks, set_source(0, "text\n\n:::{instructor} 3 min\nAsk.\n:::")),
    (checks.figures_without_words, lambda notebook: notebook.cells[2].outputs[0].update(metadata={})),
    (checks.figures_without_words, lambda notebook: notebook.cells[2].outputs[0].data.update({"text/plain": "<Figure>"})),
    (checks.random_addresses, add_output(1, "stream", text="<function f at 0x7f00a1b2c3d4>")),
    (checks.too_many_digits, add_output(1, "stream", text="2624.85, 0.012345, -1.2345, 30522")),
]


@pytest.mark.parametrize("check", CHECKS, ids=label)
def test_check_lets_a_good_notebook_pass(check):
    assert check(good_notebook()) == []


@pytest.mark.parametrize(("check", "spoil"), BROKEN, ids=[f"{check.__name__}-{n}" for n, (check, _) in enumerate(BROKEN)])
def test_check_sees_a_broken_notebook(check, spoil):
    notebook = good_notebook()
    spoil(notebook)
    assert len(check(notebook)) == 1


def test_every_check_has_a_broken_example():
    assert {check for check, _ in BROKEN} == set(CHECKS)


def test_link_check_sees_a_missing_file(tmp_path):
    (tmp_path / "there.ipynb").touch()
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(
        "[a](there.ipynb#part), [b](not_there.ipynb), [c](https://example.org), [d](#part), `[e](code.py)`")])
    assert checks.links_to_nowhere(notebook, tmp_path) == ["cell 1: not_there.ipynb is not there"]


def test_figure_check_reads_tables_only():
    notebook = good_notebook()
    table = "<tr><td>/masked_lm_english/fill_mask/a &amp; b</td><td>equal</td></tr>"
    notebook.cells[1].outputs.append(nbformat.v4.new_output("execute_result", data={"text/html": table}))
    shown = checks.figures_shown(notebook)
    assert shown == {"/masked_lm_english/fill_mask/a & b"}
    assert is_shown("/masked_lm_english/fill_mask/a & b", shown)
    assert not is_shown("/masked_lm_english/fill_mask/a", shown)
    assert is_shown("/masked_lm_english/fill_mask/long sentence", {"/masked_lm_english/fill_mask/long..."})


# --- the builder -----------------------------------------------------------------------------------------------------


LESSON = """\
---
lesson: 1
title: A title
minutes: 5
objectives: [see it]
needs: [nothing]
next: More of it.
---

Before.

```{code-cell}
1 + 1
```
"""


@pytest.fixture
def small_project(tmp_path):
    """(main of the builder, source, notebook) of a project with one lesson, whose notebook holds an output."""
    source = tmp_path / "lessons" / "en" / "01_x.md"
    source.parent.mkdir(parents=True)
    source.write_text(LESSON, encoding="utf-8")
    notebook = build_notebooks.assemble(lesson_source.read(source), repository.name())
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    for number, cell in enumerate(code, start=1):
        cell.execution_count = number
    code[-1].outputs = [nbformat.v4.new_output("execute_result", data={"text/plain": "2"}, execution_count=2)]
    path = build_notebooks.notebook_path(source)
    path.parent.mkdir(parents=True)
    build_notebooks.write(notebook, path)
    return lambda *arguments: build_notebooks.main(arguments, project=tmp_path), source, path


def test_changed_prose_goes_into_the_notebook_and_the_outputs_stay(small_project, monkeypatch):
    build, source, path = small_project
    monkeypatch.setattr(build_notebooks.notebook_runner, "execute", lambda *_: pytest.fail("executed"))
    before = nbformat.read(path, as_version=4)
    source.write_text(LESSON.replace("Before.", "Before, in other words."), encoding="utf-8")
    assert build("--check") == 1
    assert build("--prose") == 0 and build("--check") == 0
    after = nbformat.read(path, as_version=4)
    assert [cell for cell in after.cells if cell.cell_type == "code"] == [cell for cell in before.cells if cell.cell_type == "code"]
    assert after.cells[2].source == "Before, in other words."


def test_a_cell_that_shows_files_is_executed_behind_the_imports_alone(small_project, monkeypatch):
    build, source, path = small_project
    text = LESSON + "\n```{code-cell}\nraise SystemError\n```\n\n```{code-cell}\n:tags: [shows-files]\n\n3\n```\n"
    source.write_text(text, encoding="utf-8")
    notebook = build_notebooks.assemble(lesson_source.read(source), repository.name())
    notebook.cells[1].source = "0"
    monkeypatch.setattr(build_notebooks, "set_up", lambda *_: "0")
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        cell.execution_count = number
    build_notebooks.name_cells(notebook, 1)
    build_notebooks.write(notebook, path)
    assert build("--prose") == 0
    *_, error, shown = (cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code")
    assert error.outputs == [] and error.execution_count == 3
    assert shown.outputs[0].data["text/plain"] == "3" and shown.outputs[0].execution_count == shown.execution_count == 4


def test_changed_code_or_a_new_lesson_is_not_taken_for_prose(small_project, capsys):
    build, source, path = small_project
    before = path.read_bytes()
    source.write_text(LESSON.replace("1 + 1", "1 + 2"), encoding="utf-8")
    assert build("--prose") == 1
    assert "a code cell has changed" in capsys.readouterr().err and path.read_bytes() == before
    path.unlink()
    assert build("--prose") == 1
    assert "not built yet" in capsys.readouterr().err and not path.exists()


# --- nbval compares --------------------------------------------------------------------------------------------------


def first_printed_number(notebook):
    """(place of the cell, output, text) of the first stored output with a number in it that nbval compares."""
    for place, cell in enumerate(notebook.cells):
        if cell.cell_type == "code" and "nbval-ignore-output" not in cell.metadata.get("tags", []):
            for output in cell.outputs:
                holder, key = (output, "text") if "text" in output else (output.get("data", {}), "text/plain")
                if re.search(r"\d", holder.get(key, "")):
                    return place, holder, key
    raise AssertionError("no printed number in this notebook")


@pytest.mark.slow
def test_one_changed_number_makes_nbval_fail(tmp_path, monkeypatch):
    """Under the project's own settings: a stored notebook passes, and fails once a single digit of an output is another."""
    stored = nbformat.read(ROOT / "notebooks" / "en" / "01_integer_encoding.ipynb", as_version=4)
    place, *_ = first_printed_number(stored)
    stored.cells = stored.cells[:place + 1]
    changed = copy.deepcopy(stored)
    _, holder, key = first_printed_number(changed)
    holder[key] = re.sub(r"\d", lambda digit: str((int(digit[0]) + 1) % 10), holder[key], count=1)

    for name in ("conftest.py", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    results = {}
    for name, notebook in {"stored": stored, "changed": changed}.items():
        folder = tmp_path / "notebooks" / name / "en"
        folder.mkdir(parents=True)
        nbformat.write(notebook, folder / "01_integer_encoding.ipynb")
        results[name] = subprocess.run(
            [sys.executable, "-m", "pytest", str(folder), "-p", "no:cacheprovider", "--color=no"],
            cwd=tmp_path, capture_output=True, text=True)
    assert results["stored"].returncode == 0, results["stored"].stdout
    assert results["changed"].returncode == 1, results["changed"].stdout
    assert "Cell outputs differ" in results["changed"].stdout
    assert "1 failed" in results["changed"].stdout
