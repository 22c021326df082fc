"""A lesson works where a learner opens it: JupyterLab in a real browser, started as `make lab` starts it.

The notebooks here are copies. Each lesson runs once; the tests that share it use different parts of its page. The widgets
whose lessons train first, or have much else to show, stand in one notebook of their own.
"""

import re
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
from playwright.sync_api import expect

from tools import browser, lab
from tools.lesson_source import LANGUAGES

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    pytest.mark.skipif(browser.find_chromium() is None, reason="no chromium on this computer: `apt-get install chromium`"),
]
MASKS = ("en", "02_masked_lm_english", "widgets.masks(")
TOKENS = ("ko", "01_integer_encoding", "widgets.tokens(")
FURTHER_WIDGETS = """
from helpers import environment
environment.prepare()
---
import numpy as np
from transformers import AutoTokenizer, TFBertForNextSentencePrediction
from helpers import checkpoints, search, widgets
from helpers.sentence_encoder import SentenceEncoder
korean = checkpoints.resolve("pocket-korean")
encoders = {name: SentenceEncoder(korean, pooling=name) for name in ("cls", "mean", "max")}
index = search.Index(encoders["mean"])
index.add(["비가 밤새 내렸다.", "빵에 <b>버터</b>를 발랐다.", "기차가 늦게 도착했다."])
---
widgets.next_sentence(TFBertForNextSentencePrediction.from_pretrained(korean), AutoTokenizer.from_pretrained(korean))
---
widgets.sentence_map(encoders, ["비가 온다.", "비가 내린다.", "빵을 먹는다."])
---
widgets.training_steps(np.array([[0.9, 0.8], [0.6, 0.7], [0.3, 0.6]]), [0.2, 0.6], ["첫 쌍", "<b>둘째</b> 쌍"])
---
widgets.search_box(index)
"""
SECONDS = 60  # for one answer of a widget: a model that runs for the first time on a busy computer


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    browser.copy_notebooks(folder)
    cells = [nbformat.v4.new_code_cell(source.strip()) for source in FURTHER_WIDGETS.split("---")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}  # without it JupyterLab asks
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), Path(folder, "notebooks", "ko", "further_widgets.ipynb"))
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


@pytest.fixture(scope="module")
def further(address, chromium):
    """The notebook of `FURTHER_WIDGETS` after *Run all cells*; `further("search_box")` has the cell of that widget."""
    with browser.notebook(chromium, address("notebooks/ko/further_widgets.ipynb")) as page:
        assert browser.run_all(page) == []
        yield lambda widget: SimpleNamespace(page=page, widget=browser.scroll_to(page, f"widgets.{widget}("))


def type_into(lesson, label, text):
    """Replace what stands in a field of the widget and press Enter, without a mouse."""
    replace(lesson, label, text)
    lesson.page.keyboard.press("Enter")


def replace(lesson, label, text):
    """Replace what stands in a field of the widget, and stay in it."""
    lesson.widget.get_by_label(label, exact=True).focus()
    for key in ("Control+a", "Delete"):
        lesson.page.keyboard.press(key)
    lesson.page.keyboard.type(text)


def result(lesson):
    return lesson.widget.get_by_role("status")


def wait_for(lesson, text):
    """Wait until the widget's result has `text`, which is compared with what a reader sees, not with HTML."""
    expect(result(lesson)).to_contain_text(text, timeout=SECONDS * 1000)


def wait_for_picture(lesson, words, unlike):
    """Wait until the picture of the widget's result has `words` in its alternative text, which was `unlike` before."""
    assert words not in unlike
    expect(result(lesson).locator("img")).to_have_attribute("alt", re.compile(re.escape(words)), timeout=SECONDS * 1000)


def expect_alert(lesson, text):
    """Wait until the widget says, in one line with `text`, what is wrong."""
    alert = lesson.widget.get_by_role("alert")
    expect(alert).to_contain_text(text, timeout=SECONDS * 1000)
    assert len(alert.inner_text().splitlines()) == 1


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


def test_next_sentence_widget_is_worked_by_keyboard(further):
    lesson = further("next_sentence")
    probable = result(lesson).locator("strong").first
    before = probable.inner_text()
    type_into(lesson, "다음 문장", "<b>기차</b>가 늦게 도착했다.")
    expect(probable).not_to_have_text(before, timeout=SECONDS * 1000)
    after = probable.inner_text()
    type_into(lesson, "다음 문장", " ")
    expect_alert(lesson, "비어 있습니다")
    assert probable.inner_text() == after  # the last good answer stays


def test_sentence_map_is_worked_by_keyboard(further):
    lesson = further("sentence_map")
    wait_for(lesson, "빵을 먹는다.")
    first = result(lesson).locator("img").get_attribute("alt")
    lesson.widget.get_by_role("button", name="mean").focus()
    lesson.page.keyboard.press("Space")
    wait_for_picture(lesson, "풀링 mean", unlike=first)
    replace(lesson, "문장", "하나뿐이다.")
    lesson.page.keyboard.press("Tab")
    expect_alert(lesson, "1개입니다")
    wait_for(lesson, "빵을 먹는다.")  # the last good map stays
    replace(lesson, "문장", "물은 <b>차다</b>.\n불은 뜨겁다.")
    lesson.page.keyboard.press("Tab")
    wait_for(lesson, "물은 <b>차다</b>.")
    assert result(lesson).locator("b").count() == 0


def test_training_steps_are_worked_by_keyboard(further):
    lesson = further("training_steps")
    wait_for(lesson, "학습 전")
    wait_for(lesson, "<b>둘째</b> 쌍")
    assert result(lesson).locator("b").count() == 0
    lesson.widget.get_by_role("slider").focus()
    lesson.page.keyboard.press("ArrowRight")
    wait_for(lesson, "2스텝 가운데 1스텝 뒤")
    lesson.page.keyboard.press("ArrowRight")
    wait_for(lesson, "2스텝 가운데 2스텝 뒤")
    assert "0.30" in result(lesson).inner_text()


def test_search_box_is_worked_by_keyboard(further):
    lesson = further("search_box")
    type_into(lesson, "검색", "빵에 버터를 발랐다.")
    wait_for(lesson, "“빵에 버터를 발랐다.” 검색 결과 3개")
    assert "빵에 <b>버터</b>를 발랐다." in result(lesson).locator("tr").nth(1).inner_text()
    assert result(lesson).locator("b").count() == 0
    type_into(lesson, "검색", " ")
    expect_alert(lesson, "비어 있습니다")
    wait_for(lesson, "“빵에 버터를 발랐다.”")
