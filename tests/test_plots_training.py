"""The figures of lessons 08 and 09 show the numbers they are given, legibly and in both languages."""

import io
import warnings

import numpy as np
import pytest
from matplotlib.text import Text

from helpers import plots

RECORD = np.array([[0.40, 0.41, 0.90, 0.05], [0.60, 0.42, 0.60, 0.00], [0.80, 0.79, 0.31, -0.10]])  # 3 steps, 4 pairs
TARGETS = [1.0, 0.8, 0.2, 0.0]
LABELS = ["The fog had cleared by noon. / At midday the fog was gone.", "짧은 쌍 / 둘째 문장", "A / B", "C / D"]
SCORES = {
    "untrained mean pooling": [70.0],
    "classification only": [66.0, 69.5, 68.0],
    "분류한 다음 회귀": [75.0, 75.0, 75.3],
}
FIGURES = {
    "steps": lambda: plots.figure_training_steps(RECORD, TARGETS, LABELS, "Cosine while the model is trained"),
    "one step": lambda: plots.figure_training_steps(RECORD[:1], TARGETS, LABELS),
    "many steps, long labels": lambda: plots.figure_training_steps(
        np.linspace(0, 1, 89)[:, None] * np.ones(8), [0.5] * 8, ["word " * 40] * 8, "title " * 30),
    "strategies": lambda: plots.figure_strategies(SCORES, floor="untrained mean pooling", title="Spearman × 100"),
    "one strategy": lambda: plots.figure_strategies({"a": [1.0]}),
    "long names": lambda: plots.figure_strategies({"name " * 20: [50.0, 60.0], "이름 " * 20: [-3.0, 55.0]}, title="t " * 90),
}
EVERY_FIGURE = pytest.mark.parametrize("build", FIGURES.values(), ids=FIGURES)


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


@pytest.fixture(params=["en", "ko"])
def language(request, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", request.param)
    return request.param


def named(figure, gid):
    return [artist for artist in figure.findobj() if artist.get_gid() == gid]


# ------------------------------------------------------------------------------------------------------- every figure


@EVERY_FIGURE
def test_a_figure_is_as_wide_as_the_page_cuts_nothing_off_and_overlaps_nothing(build, language):
    figure = build()
    assert figure.get_size_inches()[0] == 7
    figure.draw_without_rendering()
    page, boxes = figure.bbox, []
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1, text.get_text()
            boxes.append((text.get_text(), box))
            assert text.get_fontsize() >= 8
    for n, (text, box) in enumerate(boxes):
        for other, second in boxes[:n]:
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            along = min(box.y1, second.y1) - max(box.y0, second.y0)
            assert across <= 1 or along <= 1, (text, other)


@EVERY_FIGURE
def test_hangul_has_glyphs(build, language):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        build().savefig(io.BytesIO(), format="png")


# ----------------------------------------------------------------------------------------------------- training steps


def test_each_pair_has_its_line_its_target_and_its_label():
    figure = FIGURES["steps"]()
    lines, marks = named(figure, "line"), named(figure, "target")
    assert [line.get_ydata().tolist() for line in lines] == RECORD.T.tolist()
    assert [mark.get_ydata()[0] for mark in marks] == TARGETS
    assert [mark.get_color() for mark in marks] == [line.get_color() for line in lines]
    shown = [text.get_text().replace("\n", " ") for text in named(figure, "label")]
    assert shown == [f"{number}. {label}" for number, label in enumerate(LABELS, 1)]
    assert [text.get_text() for text in named(figure, "number")] == ["1", "2", "3", "4"]


def test_lines_are_told_apart_by_more_than_colour():
    dashes = [(line.get_linestyle(), line._unscaled_dash_pattern) for line in named(FIGURES["many steps, long labels"](), "line")]
    assert len(set(map(str, dashes))) == 8


def test_ticks_go_up_to_a_cosine_of_1():
    assert FIGURES["one step"]().axes[0].get_yticks()[-1] == pytest.approx(1)


def test_a_number_below_zero_stays_inside_the_axes():
    axes = FIGURES["steps"]().axes[0]
    assert axes.get_ylim()[0] < -0.10


def test_numbers_of_lines_that_end_together_are_moved_apart_and_keep_their_order():
    numbers = {text.get_text(): text.xyann[1] for text in named(FIGURES["steps"](), "number")}
    assert numbers["1"] > numbers["2"] > numbers["3"] > numbers["4"]
    assert numbers["1"] - numbers["2"] > 0.05


@pytest.mark.parametrize("end", [0.0, 1.0])
def test_numbers_that_are_moved_apart_stay_beside_the_axes(end):
    figure = plots.figure_training_steps([[end] * 4], [end] * 4, LABELS)
    places = [text.xyann[1] for text in named(figure, "number")]
    low, high = figure.axes[0].get_ylim()
    assert low <= min(places) and max(places) <= high
    assert min(np.diff(sorted(places))) > 0.05


def test_the_alternative_text_says_where_each_pair_came_from_and_went():
    alt = plots.alt_training_steps(RECORD, TARGETS, LABELS, "Cosine")
    assert alt.startswith("Title: Cosine. A line for each pair of sentences shows its cosine over 2 steps of a training. Pair 1, “The fog")
    assert alt.endswith("Pair 4, “C / D”, goes from 0.05 to -0.10; it should end at 0.00.")


def test_the_korean_alternative_text_is_korean(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert "3번 쌍 “A / B”: 0.90에서 0.31까지 움직였고, 이르러야 할 값은 0.20입니다." in plots.alt_training_steps(RECORD, TARGETS, LABELS)


@pytest.mark.parametrize("similarities", [[], [[]], [0.1, 0.2], [["a"]], [[0.1, float("nan")]], None])
def test_what_is_no_record_is_refused_kindly(similarities):
    with pytest.raises(ValueError, match="A record of a training is a table of numbers, steps × pairs"):
        plots.figure_training_steps(similarities, [0.5], ["a"])


@pytest.mark.parametrize(("targets", "labels", "message"), [
    ([0.5], LABELS, r"4 pairs: give a list of 4 targets, not \[0\.5\]"),
    (TARGETS, ["a", "b"], r"4 pairs: give a list of 4 labels, not \['a', 'b'\]"),
    (TARGETS, "abcd", "give a list of 4 labels, not 'abcd'"),
])
def test_lists_that_do_not_fit_are_named(targets, labels, message):
    with pytest.raises(ValueError, match=message):
        plots.recorded_steps(RECORD, targets, labels)


# --------------------------------------------------------------------------------------------------------- strategies


def test_each_strategy_has_a_dot_a_seed_its_spread_and_its_mean():
    figure = FIGURES["strategies"]()
    assert [dots.get_xdata().tolist() for dots in named(figure, "seeds")] == list(SCORES.values())
    assert [line.get_xdata().tolist() for line in named(figure, "spread")] == [[70.0, 70.0], [66.0, 69.5], [75.0, 75.3]]
    assert [line.get_xdata()[0] for line in named(figure, "mean")] == pytest.approx([70.0, 67.8333333, 75.1])
    assert [text.get_text() for text in named(figure, "score")] == ["70.0", "67.8", "75.1"]
    assert [tick.get_text().replace("\n", " ") for tick in figure.axes[0].get_yticklabels()] == list(SCORES)
    (line,) = named(figure, "floor")
    assert line.get_xdata()[0] == 70.0


def test_without_a_floor_there_is_no_line():
    assert named(plots.figure_strategies(SCORES), "floor") == []


def test_the_alternative_text_names_mean_and_spread():
    assert plots.alt_strategies(SCORES, "untrained mean pooling", "Spearman × 100") == (
        "Title: Spearman × 100. A row for each strategy, a dot for each seed. untrained mean pooling: 70.0. "
        "classification only: mean 67.8, 3 seeds from 66.0 to 69.5. 분류한 다음 회귀: mean 75.1, 3 seeds from 75.0 to 75.3. "
        "A dashed line marks “untrained mean pooling”."
    )


@pytest.mark.parametrize("scores", [{}, {"a": []}, {"a": ["x"]}, {"a": [float("nan")]}, [1, 2], None])
def test_scores_that_cannot_be_drawn_are_refused_kindly(scores):
    with pytest.raises(ValueError, match="Each strategy needs a list with a number for each seed"):
        plots.figure_strategies(scores)


def test_an_unknown_floor_is_named():
    with pytest.raises(ValueError, match="floor='b' is none of the strategies: choose one of a"):
        plots.figure_strategies({"a": [1.0]}, floor="b")
