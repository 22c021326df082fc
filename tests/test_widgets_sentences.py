"""The map of sentences: each button asks its own encoder, and what is drawn is what the encoder answered.

The encoders are stand-ins that look sentences up in a table of vectors, so no TensorFlow is needed.
"""

import base64
import html
import re

import ipywidgets
import numpy as np
import pytest

from helpers import plots, widgets

SENTENCES = ["A cat sleeps.", "A kitten naps.", "The bank pays."]
# Three directions: in "cls" the first and the last sentence are alike, in "mean" the first two.
VECTORS = {
    "cls": {"A cat sleeps.": (1, 0), "A kitten naps.": (0, 1), "The bank pays.": (0.8, 0.6)},
    "mean": {"A cat sleeps.": (1, 0), "A kitten naps.": (0.6, 0.8), "The bank pays.": (-0.6, 0.8)},
}


class Encoder:
    """Knows the vectors of SENTENCES; any other text points to (0, 1), an empty one is refused."""

    def __init__(self, name):
        self.vectors, self.asked = VECTORS[name], []

    def encode(self, texts):
        self.asked.append(list(texts))
        if "refuse me" in texts:
            raise ValueError("texts[0]: <img src=x onerror=alert(1)>\n& more")
        return np.array([self.vectors.get(text, (0, 1)) for text in texts], dtype="float32")

    def similarity(self, vectors, others):
        return vectors @ others.T


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


@pytest.fixture
def encoders():
    return {name: Encoder(name) for name in VECTORS}


@pytest.fixture
def panel(encoders):
    return widgets.sentence_map(encoders, SENTENCES)


def parts(panel):
    """The buttons, the field, the message as plain text and the result."""
    choice, typed, message, result = panel.children
    return choice, typed, plain(message.value), result.value


def plain(markup):
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def closest(panel):
    """{sentence with its number: (closest other with its number, cosine)}."""
    rows = re.findall(r'<tr><th scope="row"[^>]*>(.*?)</th><td>(.*?)</td><td>(.*?)</td></tr>', parts(panel)[3])
    return {html.unescape(name): (html.unescape(other), cosine) for name, other, cosine in rows}


def test_the_first_pooling_is_drawn_at_the_start(panel, encoders):
    choice, typed, message, _ = parts(panel)
    assert (choice.options, choice.value) == (("cls", "mean"), "cls")
    assert typed.value.splitlines() == SENTENCES
    assert (encoders["cls"].asked, encoders["mean"].asked, message) == ([SENTENCES], [], "")
    assert closest(panel) == {
        "1 A cat sleeps.": ("3 The bank pays.", "0.80"),
        "2 A kitten naps.": ("3 The bank pays.", "0.60"),
        "3 The bank pays.": ("1 A cat sleeps.", "0.80"),
    }


def test_another_pooling_redraws_the_map(panel, encoders):
    before = parts(panel)[3]
    parts(panel)[0].value = "mean"
    assert encoders["mean"].asked == [SENTENCES]
    assert closest(panel)["1 A cat sleeps."] == ("2 A kitten naps.", "0.60")
    pictures = [re.search(r'base64,([^"]*)"', markup)[1] for markup in (before, parts(panel)[3])]
    assert pictures[0] != pictures[1]


def test_the_picture_is_that_of_the_similarities_with_its_alternative_text(panel, encoders):
    parts(panel)[0].value = "mean"
    vectors = encoders["mean"].encode(SENTENCES)
    names = ["1 A cat sleeps.", "2 A kitten naps.", "3 The bank pays."]
    arguments = vectors @ vectors.T, names, ["1", "2", "3"], "Cosine similarity, pooling mean"
    alt, picture = re.search(r'<img alt="([^"]*)" src="data:image/png;base64,([^"]*)"', parts(panel)[3]).groups()
    assert html.unescape(alt) == plots.alt_matrix(*arguments)
    assert base64.b64decode(picture) == plots.png(plots.figure_matrix(*arguments))


def test_typed_sentences_are_encoded_one_a_line_without_the_empty_ones(panel, encoders):
    parts(panel)[1].value = "  One.  \n\n \nTwo & three.\n"
    assert encoders["cls"].asked[-1] == ["One.", "Two & three."]
    assert list(closest(panel)) == ["1 One.", "2 Two & three."]


def test_typed_text_is_escaped(panel):
    attack = '<img src=x onerror="alert(1)">'
    parts(panel)[1].value = f"{attack}\n{attack} twice"
    result = parts(panel)[3]
    assert result.count("<img") == 1 and "onerror=\"" not in result
    assert list(closest(panel)) == [f"1 {attack}", f"2 {attack} twice"]


@pytest.mark.parametrize("typed, count", [("", 0), ("One.\n\n", 1), ("Again.\n" * 13, 13)])
def test_too_few_or_too_many_sentences_get_one_line_and_the_map_stays(panel, typed, count):
    good = parts(panel)[3]
    parts(panel)[1].value = typed
    assert parts(panel)[2:] == (f"Sentences in the field: {count}. Write 2 to 12, one a line.", good)
    parts(panel)[1].value = "Now it\nis well again."
    assert parts(panel)[2] == "" and parts(panel)[3] != good


def test_twelve_sentences_are_drawn(panel):
    parts(panel)[1].value = "\n".join(f"Number {number}." for number in range(12))
    assert parts(panel)[2] == "" and len(closest(panel)) == 12


def test_what_the_encoder_refuses_is_said_in_one_escaped_line(panel):
    good = parts(panel)[3]
    parts(panel)[1].value = "refuse me\nand me"
    assert parts(panel)[2:] == ("texts[0]: <img src=x onerror=alert(1)> & more", good)
    assert "<img" not in panel.children[2].value and 'role="alert"' in panel.children[2].value


def test_a_fault_of_ours_is_not_hidden_as_bad_input(encoders, monkeypatch):
    monkeypatch.setattr(plots, "figure_matrix", lambda *_: {}["missing"])
    with pytest.raises(KeyError):
        widgets.sentence_map(encoders, SENTENCES)


def test_every_control_has_a_name_and_a_tip_and_can_be_reached_with_tab(panel):
    choice, typed, _, result = parts(panel)
    assert type(choice) is ipywidgets.ToggleButtons and type(typed) is ipywidgets.Textarea
    for control in (choice, typed):
        assert control.description and control.tooltip
        assert not control.disabled and control.tabbable is not False
    assert len(choice.tooltips) == len(choice.options) and all("Space" in tip for tip in choice.tooltips)
    assert typed.continuous_update is False and typed.placeholder
    assert 'aria-live="polite"' in result


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_text_form_is_one_fixed_line(language, encoders, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    first, second = (widgets.sentence_map(encoders, SENTENCES) for _ in range(2))
    text = first._repr_mimebundle_()["text/plain"]
    assert text == second._repr_mimebundle_()["text/plain"] == repr(first)
    assert re.fullmatch(r"widget: [^\n]{10,90}", text)
    assert bool(re.search("[가-힣]", text)) == (language == "ko")
    assert bool(re.search("[가-힣]", plain(first.children[3].value))) == (language == "ko")
