"""The slider of lesson 08 shows the recorded step that it stands at, in words and as bars on one scale."""

import html
import re

import ipywidgets
import numpy as np
import pytest

from helpers import widgets

RECORD = np.array([[0.40, 0.90], [0.60, 0.50], [0.80, 0.25]])
TARGETS, LABELS = [1.0, 0.2], ["One. / Two.", "Three & <b>four</b> / Five."]


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


def panel(record=RECORD, targets=TARGETS):
    return widgets.training_steps(record, targets, LABELS)


def slider(panel):
    (found,) = [child for child in panel.children if isinstance(child, ipywidgets.IntSlider)]
    return found


def result(panel):
    return panel.children[-1].value


def cells(panel):
    """{label: [cosine, target]} as they are written."""
    found = {}
    for label, rest in re.findall(r'<tr><th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', result(panel), flags=re.DOTALL):
        written = [re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", rest, flags=re.DOTALL)]
        found[html.unescape(label)] = [cell for cell in written if cell]
    return found


def bars(panel):
    """(left, width) in per cent."""
    return [(float(left), float(width)) for left, width in re.findall(r"left:([\d.]+)%;width:([\d.]+)%", result(panel))]


def marks(panel):
    return [float(place) for place in re.findall(r"calc\(([\d.]+)% - 1px\)", result(panel))]


def test_it_starts_before_the_training():
    assert "before the training" in result(panel())
    assert cells(panel()) == {"One. / Two.": ["0.40", "1.00"], "Three & <b>four</b> / Five.": ["0.90", "0.20"]}
    assert bars(panel()) == [(0.0, 40.0), (0.0, 90.0)]
    assert marks(panel()) == [100.0, 20.0]


def test_the_slider_moves_the_bars_and_leaves_the_marks():
    moved = panel()
    slider(moved).value = 2
    assert "after step 2 of 2" in result(moved)
    assert [numbers[0] for numbers in cells(moved).values()] == ["0.80", "0.25"]
    assert bars(moved) == [(0.0, 80.0), (0.0, 25.0)]
    assert marks(moved) == [100.0, 20.0]


def test_a_cosine_below_zero_goes_left_of_zero_on_a_scale_that_all_steps_share():
    record = RECORD.copy()
    record[2, 0] = -0.5
    one = panel(record)
    assert bars(one) == [(50.0, 20.0), (50.0, 45.0)]
    assert marks(one) == [100.0, 60.0]
    slider(one).value = 2
    assert bars(one)[0] == (25.0, 25.0)


def test_a_tiny_negative_cosine_is_not_written_as_minus_zero():
    assert cells(panel([[-0.001, 0.5]]))["One. / Two."][0] == "0.00"


def test_the_slider_covers_every_step_has_a_name_and_a_tip_and_works_by_keyboard():
    found = slider(panel())
    assert (found.min, found.max, found.step) == (0, 2, 1)
    assert found.description and "arrow keys" in found.tooltip
    assert not found.disabled and found.tabbable is not False
    assert found.continuous_update is True  # the bars follow while it is dragged


def test_labels_are_escaped():
    assert "<b>" not in result(panel()) and "&lt;b&gt;four" in result(panel())


def test_results_are_announced_to_screen_readers():
    assert 'aria-live="polite"' in result(panel())


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_text_form_is_one_fixed_line(language, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    assert repr(panel()) == repr(panel())
    assert re.fullmatch(r"widget: [^\n]{10,90}", repr(panel()))
    assert bool(re.search("[가-힣]", repr(panel()))) == (language == "ko")
    assert bool(re.search("[가-힣]", result(panel()))) == (language == "ko")


def test_a_record_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="give a list of 2 targets"):
        panel(targets=[1.0])
