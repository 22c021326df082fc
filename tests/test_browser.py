"""A lesson works where a learner opens it: JupyterLab in a real browser, started as `make lab` starts it.

The notebooks here are copies. Each lesson runs once; the tests that share it use different parts of its page.
"""

from types import SimpleNamespace

import pytest

from tools import browser, lab
from tools.lesson_source import LANGUAGES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser.find_chromium() is None, reason="no chromium on this computer: `apt-get install chromium`"),
]
MASKS = ("en", "02_masked_lm_english", "widgets.masks(")
TOKENS = ("ko", "01_integer_encoding", "widgets.tokens(")
SECONDS = 60  # for one answer of a widget: a model that runs for the first time on a busy computer


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    browser.copy_notebooks(folder)
    with browser.lab(folder) as address:
        yield address


@pytest.fixture(scope="module")
def chromium():
    with browser.chromium() as running:
        yield running


@pytest.fixture(scope="module")
def lesson(request, address, chromium):
    """A lesson after *Run all cells*: its page, its errors, its cells, and the cell of its widget."""
    language, name, widget = request.param
    with browser.notebook(chromium, address(f"notebooks/{language}/{name}.ipynb")) as page:
        before = browser.state(page)["cells"]
        errors = browser.run_all(page)
        yield SimpleNamespace(page=page, before=before, errors=errors, cells=browser.state(page)["cells"],
                              widget=browser.scroll_to(page, widget))


def type_into(lesson, label, text):
    """Replace what stands in a field of the widget and press Enter, without a mouse."""
    lesson.widget.get_by_label(label, exact=True).focus()
    for key in ("Control+a", "Delete"):
        lesson.page.keyboard.press(key)
    lesson.page.keyboard.type(text)
    lesson.page.keyboard.press("Enter")


def result(lesson):
    return lesson.widget.get_by_role("status")


def wait_for(lesson, text):
    """Wait until the widget's result has `text`, which is compared with what a reader sees, not with HTML."""
    from playwright.sync_api import expect

    expect(result(lesson)).to_contain_text(text, timeout=SECONDS * 1000)


@pytest.mark.parametrize("language", LANGUAGES)
def test_start_page_opens_without_pop_ups(language, address, chromium):
    with browser.notebook(chromium, address(lab.start_page(language))) as page:
        page.wait_for_timeout(2000)  # JupyterLab's news ask a moment after everything else is there
        assert browser.state(page)["path"] == lab.start_page(language)
        assert browser.pop_ups(page) == []


@pytest.mark.parametrize("lesson", [MASKS, TOKENS], indirect=True, ids=lambda each: each[1])
def test_run_all_cells_runs_each_cell_once_and_without_error(lesson):
    code = [cell for cell in lesson.cells if cell["type"] == "code"]
    assert not any(cell["count"] for cell in lesson.before), "the copy has outputs: nothing would be proved"
    assert lesson.errors == []
    assert [cell["count"] for cell in code] == list(range(1, len(code) + 1))
    assert browser.pop_ups(lesson.page) == []


@pytest.mark.parametrize("lesson", [MASKS], indirect=True, ids=lambda each: each[1])
def test_masks_widget_is_worked_by_keyboard(lesson):
    type_into(lesson, "Sentence", "Water is a kind of [MASK].")
    wait_for(lesson, "Water is a kind of [MASK].")
    lesson.page.keyboard.press("Tab")  # to the slider
    lesson.page.keyboard.press("ArrowLeft")
    wait_for(lesson, "Water is a kind [MASK] ")


@pytest.mark.parametrize("lesson", [MASKS], indirect=True, ids=lambda each: each[1])
def test_masks_widget_shows_typed_html_as_text(lesson):
    type_into(lesson, "Sentence", "Water is <b>x</b> and [MASK].")
    wait_for(lesson, "Water is <b>x</b> and [MASK].")
    assert result(lesson).locator("b").count() == 0


@pytest.mark.parametrize("lesson", [TOKENS], indirect=True, ids=lambda each: each[1])
def test_tokens_widget_is_worked_by_keyboard(lesson):
    type_into(lesson, "문장", "Water is wet.")
    wait_for(lesson, "조각 6개")
    lesson.page.keyboard.press("Tab")  # to the second sentence
    lesson.page.keyboard.type("So is rain.")
    lesson.page.keyboard.press("Enter")
    wait_for(lesson, "조각 11개")


@pytest.mark.parametrize("lesson", [TOKENS], indirect=True, ids=lambda each: each[1])
def test_tokens_widget_shows_typed_html_as_text(lesson):
    type_into(lesson, "둘째 문장", "")
    type_into(lesson, "문장", "<b>x</b>")
    pieces = ["[CLS]", "<", "b", ">", "x", "<", "/", "b", ">", "[SEP]"]
    wait_for(lesson, "조각 10개")
    assert result(lesson).locator("tr").first.locator("td").all_inner_texts() == pieces
    assert result(lesson).locator("b").count() == 0
