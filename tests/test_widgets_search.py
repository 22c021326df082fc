"""The search box asks the index when Enter is pressed, escapes what it shows, and answers bad input with one line."""

import html
import re

import ipywidgets
import pandas as pd
import pytest

from helpers import widgets


class Index:
    """Finds the texts that have the question in them; knows what it was asked."""

    def __init__(self, texts, sources=None):
        self.texts, self.sources, self.asked = texts, sources, []

    def __len__(self):
        return len(self.texts)

    def query(self, text, k):
        self.asked.append((text, k))
        if not text.strip():
            raise ValueError("This text is empty:\nwrite a sentence.")
        found = [number for number, each in enumerate(self.texts) if text in each][:k]
        table = {"score": [0.9 - number / 10 for number in range(len(found))], "text": [self.texts[number] for number in found]}
        if self.sources:
            table["source"] = [self.sources[number] for number in found]
        return pd.DataFrame(table, index=pd.RangeIndex(1, len(found) + 1, name="rank"))


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


def box(texts=("blue sky", "blue sea", "green hill"), sources=None, **settings):
    index = Index(list(texts), sources)
    panel = widgets.search_box(index, **settings)
    question, message, result = panel.children
    return index, panel, question, message, result


def cells(markup):
    return [[html.unescape(re.sub("<[^>]*>", "", cell)) for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", markup, flags=re.DOTALL)]


def test_enter_searches():
    index, _, question, message, result = box(text="blue", k=2)
    assert index.asked == [("blue", 2)]
    assert cells(result.value) == [["rank", "score", "text"], ["1", "0.900", "blue sky"], ["2", "0.800", "blue sea"]]
    assert isinstance(question, ipywidgets.Text) and question.continuous_update is False  # so that Enter, not each letter, reports
    question.value = "green"
    assert index.asked[1:] == [("green", 2)]
    assert cells(result.value)[1:] == [["1", "0.900", "green hill"]]
    assert message.value == ""


def test_it_starts_with_the_first_text():
    assert box()[0].asked == [("blue sky", 5)]


def test_sources_are_shown_where_there_are_some():
    result = box(sources=["a.txt, 1", "b.txt, 7", "c"], text="sea")[-1]
    assert cells(result.value) == [["rank", "score", "text", "source"], ["1", "0.900", "blue sea", "b.txt, 7"]]


def test_everything_shown_is_escaped():
    attack = '<img src=x onerror="alert(1)">'
    _, _, question, message, result = box([f"{attack} & <b>bold</b>"], [attack], text=attack)
    shown = result.value + message.value
    assert "<img" not in shown and "<b>" not in shown
    assert cells(result.value)[1] == ["1", "0.900", f"{attack} & <b>bold</b>", attack]
    assert html.escape(attack) in re.search("<caption.*?</caption>", result.value)[0]


def test_bad_input_gets_one_line_and_the_last_result_stays():
    _, _, question, message, result = box(text="blue")
    good = result.value
    question.value = "  "
    assert "This text is empty: write a sentence." in message.value and 'role="alert"' in message.value
    assert result.value == good
    question.value = "green"
    assert message.value == "" and result.value != good


def test_a_fault_of_ours_is_not_hidden_as_bad_input(monkeypatch):
    monkeypatch.setattr(Index, "query", lambda *_: {}["missing"])
    with pytest.raises(KeyError):
        box()


def test_the_keyboard_and_a_screen_reader_can_use_it():
    _, _, question, _, result = box()
    assert question.description and question.tooltip and question.placeholder
    assert not question.disabled and question.tabbable is not False
    assert 'aria-live="polite"' in result.value and "<caption" in result.value
    assert 'scope="row"' in result.value and 'scope="col"' in result.value


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_text_form_is_one_fixed_line(language, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    panel = box()[1]
    assert repr(panel) == panel._repr_mimebundle_()["text/plain"] == repr(box()[1])
    assert re.fullmatch(r"widget: [^\n]*\b3\D[^\n]{10,90}", repr(panel))
    assert bool(re.search("[가-힣]", repr(panel))) == (language == "ko")
