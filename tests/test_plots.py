"""Figures show the numbers they are given, legibly, in both languages, and the same bytes every time."""

import base64
import io
import struct
import warnings

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.colors import to_hex
from matplotlib.text import Text

from helpers import plots

ANSWERS = [
    {"score": 0.7621, "token": 4368, "token_str": "sport", "sequence": "soccer is a really fun sport."},
    {"score": 0.2034, "token": 2208, "token_str": "game", "sequence": "soccer is a really fun game."},
    {"score": 0.0122, "token": 2518, "token_str": "thing", "sequence": "soccer is a really fun thing."},
]
KOREAN_ANSWERS = [
    {"score": 0.8963, "token": 4559, "token_str": "스포츠", "sequence": "축구는 정말 재미있는 스포츠 다."},
    {"score": 0.0259, "token": 568, "token_str": "거", "sequence": "축구는 정말 재미있는 거 다."},
]
PREDICTIONS = pd.DataFrame({"follows": [0.98, 0.03, 0.55], "random": [0.02, 0.97, 0.45], "label": [0, 1, 0]})
SENTENCES = [
    "여행을 가보니 한국의 2002년 월드컵 축구대회의 준비는 완벽했습니다.",
    "The sky is blue due to the shorter wavelength of blue light.",
    "pizza",
]
VALUES = np.array([[0.64, 0.27, 0.04], [0.81, 0.91, 0.61], [0.0, 0.5, 1.0]])


def tokens(pieces, ids=None, segments=None, mask=None):
    count = len(pieces)
    return pd.DataFrame({
        "piece": pieces,
        "input_ids": ids or list(range(100, 100 + count)),
        "token_type_ids": segments or [0] * count,
        "attention_mask": mask or [1] * count,
    })


SHORT = tokens(["[CLS]", "축구", "##는", "[MASK]", "[SEP]", "[PAD]"], mask=[1, 1, 1, 1, 1, 0])
PIZZA = (
    "[CLS] in italy , pizza served in formal settings , such as at a restaurant , is presented un ##sl ##ice ##d . [SEP] "
    "pizza is eaten with the use of a knife and fork . in casual settings , however , it is cut into wedge ##s to be eaten "
    "while held in the hand . [SEP]"
).split()
LONG = tokens(PIZZA, segments=[0] * 24 + [1] * 34)


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


@pytest.fixture
def shown(monkeypatch):
    """What reaches the notebook, as (data, metadata)."""
    caught = []

    def display(data, *, raw, metadata):
        assert raw
        caught.append((data, metadata))

    monkeypatch.setattr("IPython.display.display", display)
    return caught


def named(figure, gid):
    """The artists of a figure that carry this name."""
    return [artist for artist in figure.findobj() if artist.get_gid() == gid]


def texts(figure, gid):
    return [artist.get_text() for artist in named(figure, gid)]


def bars(figure, gid):
    """(left, width) of the bars with this name, from top to bottom."""
    (axes,) = figure.axes
    container = next(each for each in axes.containers if each.patches[0].get_gid() == gid)
    return [(round(bar.get_x(), 6), round(bar.get_width(), 6)) for bar in container]


FIGURES = {
    "short table": lambda: plots.figure_token_table(SHORT),
    "58 pieces": lambda: plots.figure_token_table(LONG),
    "a very long piece": lambda: plots.figure_token_table(tokens(["[CLS]", "x" * 50, "[SEP]"])),
    "guesses": lambda: plots.figure_top_k(ANSWERS, "Soccer is a really fun [MASK]."),
    "guesses with a long title": lambda: plots.figure_top_k(ANSWERS, " ".join(SENTENCES)),
    "sure guess": lambda: plots.figure_top_k([{"token_str": "스포츠", "score": 1.0}]),
    "several masks": lambda: plots.figure_top_k([ANSWERS, KOREAN_ANSWERS], "Two"),
    "pairs": lambda: plots.figure_next_sentence(PREDICTIONS),
    "pairs with long names": lambda: plots.figure_next_sentence(PREDICTIONS, SENTENCES),
    "matrix": lambda: plots.figure_matrix(VALUES, SENTENCES, SENTENCES, "Does the column follow the row?"),
    "wide matrix": lambda: plots.figure_matrix(np.eye(10), list("가나다라마바사아자차"), [f"word {n}" for n in range(10)]),
    "one cell": lambda: plots.figure_matrix([[1.0]], ["row"], ["column"], ""),
}
EVERY_FIGURE = pytest.mark.parametrize("build", FIGURES.values(), ids=FIGURES)


@pytest.fixture(params=["en", "ko"])
def language(request, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", request.param)
    return request.param


# ------------------------------------------------------------------------------------------------------- every figure


@EVERY_FIGURE
def test_every_figure_is_as_wide_as_the_page_and_cuts_no_text_off(build, language):
    figure = build()
    assert figure.get_size_inches()[0] == 7
    figure.draw_without_rendering()
    page = figure.bbox
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= page.x1 + 1 and box.y1 <= page.y1 + 1, text.get_text()


@EVERY_FIGURE
def test_no_two_texts_overlap(build, language):
    figure = build()
    figure.draw_without_rendering()
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()
    ]
    for n, (text, box) in enumerate(boxes):
        for other, second in boxes[:n]:
            across = min(box.x1, second.x1) - max(box.x0, second.x0)
            along = min(box.y1, second.y1) - max(box.y0, second.y0)
            assert across <= 1 or along <= 1, (text, other)


@EVERY_FIGURE
def test_no_text_is_too_small_to_read(build):
    figure = build()
    figure.draw_without_rendering()
    assert min(text.get_fontsize() for text in figure.findobj(Text) if text.get_text().strip()) >= 8


@EVERY_FIGURE
def test_hangul_and_latin_have_glyphs(build, language):
    figure = build()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")


def test_a_character_that_no_font_has_draws_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.png(plots.figure_token_table(tokens(["[CLS]", "\U0001f355", "[SEP]"])))


def test_dollar_signs_are_text_and_no_formula():
    figure = plots.figure_token_table(tokens(["$x_1$", "$"]))
    assert texts(figure, "piece") == ["$x_1$", "$"]
    assert not any(text.get_parse_math() for text in named(figure, "piece"))
    title = plots.figure_top_k([{"token_str": "$a^2$", "score": 0.5}], "$5 and $6")
    assert not any(text.get_parse_math() for text in title.findobj(Text))


def test_a_figure_leaves_the_readers_own_settings_alone():
    with matplotlib.rc_context():
        matplotlib.rcParams["font.size"] = 23.0
        matplotlib.rcParams["axes.spines.top"] = True
        plots.png(plots.figure_top_k(ANSWERS))
        assert matplotlib.rcParams["font.size"] == 23.0
        assert matplotlib.rcParams["axes.spines.top"] is True


def test_a_figure_looks_the_same_whatever_the_reader_has_set():
    usual = plots.png(plots.figure_top_k(ANSWERS, "title"))
    with matplotlib.rc_context({"font.size": 23.0, "axes.facecolor": "black", "font.family": ["serif"], "lines.linewidth": 9}):
        figure = plots.figure_top_k(ANSWERS, "title")
        assert figure.axes[0].get_yticklabels()[0].get_fontsize() == 10
        assert figure.axes[0].get_yticklabels()[0].get_fontfamily()[0] == "Course Hangul"
    assert usual == plots.png(plots.figure_top_k(ANSWERS, "title"))


# ------------------------------------------------------------------------------------------------------- token table


def test_token_table_writes_each_piece_over_its_own_numbers():
    figure = plots.figure_token_table(LONG)
    assert texts(figure, "piece") == PIZZA
    assert texts(figure, "input_ids") == [str(number) for number in range(100, 158)]
    assert texts(figure, "token_type_ids") == ["0"] * 24 + ["1"] * 34
    assert texts(figure, "attention_mask") == ["1"] * 58
    columns = [named(figure, gid) for gid in ("piece", "input_ids", "token_type_ids", "attention_mask")]
    for piece, *below in zip(*columns):
        x, y = piece.get_position()
        heights = [number.get_position()[1] for number in below]
        assert [number.get_position()[0] for number in below] == [x] * 3
        assert y < heights[0] < heights[1] < heights[2] < y + 1.1  # the axis points down


def test_token_table_goes_on_below_when_a_row_is_full():
    assert len({text.get_position()[1] for text in named(plots.figure_token_table(SHORT), "piece")}) == 1
    figure = plots.figure_token_table(LONG)
    lines = sorted({text.get_position()[1] for text in named(figure, "piece")})
    assert 5 <= len(lines) <= 7
    assert texts(figure, "row name") == ["piece", "input_ids", "token_type_ids", "attention_mask"] * len(lines)


def test_token_table_tells_segments_apart_by_colour_number_and_name():
    figure = plots.figure_token_table(LONG)
    colours = [to_hex(box.get_facecolor()).upper() for box in named(figure, "piece box")]
    assert colours == ["#56B4E9"] * 24 + ["#E69F00"] * 34
    assert [artist.get_text() for artist in named(figure, "legend") if isinstance(artist, Text)] == ["segment 0", "segment 1"]


def test_token_table_shows_padding_hatched_and_names_it():
    figure = plots.figure_token_table(SHORT)
    boxes = named(figure, "piece box")
    assert [bool(box.get_hatch()) for box in boxes] == [False] * 5 + [True]
    assert texts(figure, "attention_mask")[-1] == "0"
    legend = [artist.get_text() for artist in named(figure, "legend") if isinstance(artist, Text)]
    assert legend == ["segment 0", "padding (not read)"]


def test_token_table_of_one_segment_needs_no_legend():
    assert not named(plots.figure_token_table(tokens(["[CLS]", "hi", "[SEP]"])), "legend")


def test_alt_text_of_a_token_table():
    assert plots.alt_token_table(SHORT) == (
        "The table has 6 pieces: [CLS] 축구 ##는 [MASK] [SEP] [PAD]. Segment 0 has pieces 1 to 6. "
        "Padding that the model does not read is piece 6."
    )
    alt = plots.alt_token_table(LONG)
    assert alt.endswith("Segment 0 has pieces 1 to 24. Segment 1 has pieces 25 to 58. None of them is padding.")


def test_alt_text_of_a_token_table_in_korean(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert plots.alt_token_table(SHORT) == (
        "조각은 6개입니다: [CLS] 축구 ##는 [MASK] [SEP] [PAD]. 세그먼트 0에 드는 것은 1–6번 조각입니다. "
        "모델이 읽지 않는 채움은 6번 조각입니다."
    )


def test_alt_text_names_segments_that_are_interrupted():
    table = tokens(["a", "b", "c", "d", "e"], segments=[0, 1, 0, 0, 1])
    assert "Segment 0 has pieces 1 and 3 to 4. Segment 1 has pieces 2 and 5." in plots.alt_token_table(table)


# ------------------------------------------------------------------------------------------------------------- guesses


def test_top_k_draws_bars_as_long_as_the_scores_with_the_best_on_top():
    figure = plots.figure_top_k(ANSWERS)
    (axes,) = figure.axes
    assert bars(figure, "bar") == [(0, 0.7621), (0, 0.2034), (0, 0.0122)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["sport", "game", "thing"]
    assert texts(figure, "score") == ["0.762", "0.203", "0.012"]
    assert axes.get_xlim() == (0, 1)
    bottom, top = axes.get_ylim()
    assert bottom > top  # place 0 is above place 2


def test_top_k_draws_one_panel_for_each_mask():
    figure = plots.figure_top_k([ANSWERS, KOREAN_ANSWERS])
    labels = [[label.get_text() for label in axes.get_yticklabels()] for axes in figure.axes]
    assert labels == [["sport", "game", "thing"], ["스포츠", "거"]]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["[MASK] number 1", "[MASK] number 2"]
    assert figure.axes[0].get_position().y0 > figure.axes[1].get_position().y1


def test_top_k_writes_the_title_above():
    assert texts(plots.figure_top_k(ANSWERS, "Soccer is a really fun [MASK]."), "title") == ["Soccer is a really fun [MASK]."]
    assert not named(plots.figure_top_k(ANSWERS), "title")


def test_alt_text_of_guesses(monkeypatch):
    assert plots.alt_top_k(ANSWERS, "Soccer is a really fun [MASK].") == (
        "Title: Soccer is a really fun [MASK]. "
        "Bars show the model's guesses for [MASK] with their probabilities: sport 0.76, game 0.20, thing 0.01."
    )
    assert plots.alt_top_k([ANSWERS[:1], ANSWERS[1:2]]) == (
        "Bars show the guesses for [MASK] number 1 with their probabilities: sport 0.76. "
        "Bars show the guesses for [MASK] number 2 with their probabilities: game 0.20."
    )
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert plots.alt_top_k(KOREAN_ANSWERS, "제목 없음") == (
        "제목: 제목 없음. 막대는 [MASK] 자리에 대한 모델의 추측과 확률입니다: 스포츠 0.90, 거 0.03."
    )


# ------------------------------------------------------------------------------------------------------- next sentence


def test_next_sentence_stacks_follows_and_random():
    figure = plots.figure_next_sentence(PREDICTIONS)
    assert bars(figure, "follows") == [(0, 0.98), (0, 0.03), (0, 0.55)]
    assert bars(figure, "random") == [(0.98, 0.02), (0.03, 0.97), (0.55, 0.45)]
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["pair 1", "pair 2", "pair 3"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["follows (left)", "random (right)"]
    colours = {container.patches[0].get_gid(): to_hex(container.patches[0].get_facecolor()) for container in figure.axes[0].containers}
    assert colours == {"follows": "#56b4e9", "random": "#e69f00"}


def test_next_sentence_writes_both_numbers_of_each_pair():
    figure = plots.figure_next_sentence(PREDICTIONS)
    assert texts(figure, "number") == ["0.98", "0.02", "0.03", "0.97", "0.55", "0.45"]
    where = [text.get_position()[0] for text in named(figure, "number")]
    assert where[0] == pytest.approx(0.49) and where[3] == pytest.approx(0.515)  # in the middle of its part
    assert where[1] > 1 and where[2] < 0  # no room inside: beside the bar


def test_next_sentence_labels_each_pair():
    labels = [label.get_text() for label in plots.figure_next_sentence(PREDICTIONS, ["a", "b", "c"]).axes[0].get_yticklabels()]
    assert labels == ["a", "b", "c"]


def test_alt_text_of_pairs(monkeypatch):
    assert plots.alt_next_sentence(PREDICTIONS.head(2)) == (
        "pair 1: the second sentence follows with probability 0.98 and is random with probability 0.02; "
        "the model says that it follows. "
        "pair 2: the second sentence follows with probability 0.03 and is random with probability 0.97; "
        "the model says that it does not follow."
    )
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert plots.alt_next_sentence(PREDICTIONS.iloc[1:2], ["피자"]) == (
        "피자: 둘째 문장이 이어질 확률은 0.03, 아닐 확률은 0.97입니다. 모델의 답은 ‘이어지지 않는다’입니다."
    )


# ------------------------------------------------------------------------------------------------------------ heat map


def test_matrix_writes_each_number_into_its_cell():
    figure = plots.figure_matrix(VALUES, ["a", "b", "c"], ["x", "y", "z"], "title")
    cells = {tuple(reversed(text.get_position())): text.get_text() for text in named(figure, "cell")}
    assert cells == {(row, column): f"{VALUES[row, column]:.2f}" for row in range(3) for column in range(3)}
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["a", "b", "c"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["x", "y", "z"]
    np.testing.assert_array_equal(axes.images[0].get_array(), VALUES)
    assert texts(figure, "title") == ["title"]


def test_matrix_colours_probabilities_from_0_to_1_and_other_numbers_from_least_to_most():
    image = plots.figure_matrix([[0.4, 0.5]], ["a"], ["x", "y"]).axes[0].images[0]
    assert image.get_clim() == (0, 1)
    image = plots.figure_matrix([[-0.5, 2.0]], ["a"], ["x", "y"]).axes[0].images[0]
    assert image.get_clim() == (-0.5, 2.0)


def test_matrix_colours_grow_lighter_with_the_number():
    """So they are told apart without colour vision, and on a grey print."""
    image = plots.figure_matrix(VALUES, ["a", "b", "c"], ["x", "y", "z"]).axes[0].images[0]
    red, green, blue, _ = image.cmap(np.linspace(0, 1, 50)).T
    assert (np.diff(0.299 * red + 0.587 * green + 0.114 * blue) > 0).all()


def test_matrix_numbers_stand_out_from_their_cell():
    values = np.linspace(0, 1, 60).reshape(6, 10)
    figure = plots.figure_matrix(values, list("abcdef"), [str(n) for n in range(10)])
    image = figure.axes[0].images[0]

    def luminance(colour):
        linear = np.where(np.array(colour) <= 0.04045, np.array(colour) / 12.92, ((np.array(colour) + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722]

    for text in named(figure, "cell"):
        column, row = text.get_position()
        background = luminance(image.cmap(image.norm(values[row, column]))[:3])
        foreground = luminance(matplotlib.colors.to_rgb(text.get_color()))
        light, dark = max(background, foreground), min(background, foreground)
        assert (light + 0.05) / (dark + 0.05) >= 4.5


@pytest.mark.parametrize("colour", ["SEGMENT_COLOURS", "FOLLOWS_COLOUR", "RANDOM_COLOUR"])
def test_black_text_is_legible_on_the_colours_that_carry_it(colour):
    value = getattr(plots, colour)
    for each in [value] if isinstance(value, str) else value:
        red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in matplotlib.colors.to_rgb(each))
        assert (0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05) / 0.05 >= 7


def test_alt_text_of_a_small_matrix_has_every_number(monkeypatch):
    assert plots.alt_matrix([[0.641, -0.001], [1, 0.5]], ["a", "b"], ["x", "y."], "P") == (
        "Title: P. A heat map of 2 × 2 numbers. The columns are, from the left: “x”, “y.”. "
        "The row “a” has 0.64, 0.00. The row “b” has 1.00, 0.50."
    )
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert plots.alt_matrix([[0.25]], ["가"], ["나"]) == (
        "세로 1칸, 가로 1칸의 숫자를 색으로 나타낸 표입니다. 칸은 왼쪽부터 다음과 같습니다: “나”. “가” 줄의 수는 0.25입니다."
    )


def test_alt_text_of_a_big_matrix_has_its_ends():
    values = np.full((7, 7), 0.5)
    values[2, 3], values[6, 0] = 0.9, 0.1
    names = [f"s{n}" for n in range(7)]
    assert plots.alt_matrix(values, names, names) == (
        "A heat map of 7 × 7 numbers. The highest number is 0.90, in row “s2”, column “s3”. "
        "The lowest number is 0.10, in row “s6”, column “s0”."
    )


# ------------------------------------------------------------------------------------------------------------- showing


def test_show_gives_a_png_with_its_alternative_text(shown):
    assert plots.show(plots.figure_top_k(ANSWERS), "Three  bars.\nSport leads.") is None
    ((data, metadata),) = shown
    assert data["text/plain"] == "figure: Three bars. Sport leads."
    assert set(data) == {"image/png", "text/plain"}
    assert base64.b64decode(data["image/png"]).startswith(b"\x89PNG")
    assert metadata["image/png"]["alt"] == "Three bars. Sport leads."
    assert metadata["image/png"]["width"] == 672  # 7 inches of a browser


@pytest.mark.parametrize("call, alt", [
    (lambda: plots.top_k(ANSWERS, "S"), lambda: plots.alt_top_k(ANSWERS, "S")),
    (lambda: plots.next_sentence(PREDICTIONS, ["a", "b", "c"]), lambda: plots.alt_next_sentence(PREDICTIONS, ["a", "b", "c"])),
    (lambda: plots.matrix(VALUES, SENTENCES, SENTENCES, "t"), lambda: plots.alt_matrix(VALUES, SENTENCES, SENTENCES, "t")),
])
def test_each_plot_shows_itself_once_and_returns_nothing(shown, call, alt):
    assert call() is None
    assert [data["text/plain"] for data, _ in shown] == ["figure: " + alt()]


def test_token_table_shows_the_row_that_was_asked_for(shown):
    class Tokenizer:
        def convert_ids_to_tokens(self, ids):
            return [f"piece{number}" for number in ids]

    inputs = {"input_ids": [[1, 2], [3, 4]], "token_type_ids": [[0, 0], [0, 1]], "attention_mask": [[1, 1], [1, 1]]}
    assert plots.token_table(inputs, Tokenizer(), row=1) is None
    ((data, _),) = shown
    assert data["text/plain"] == (
        "figure: The table has 2 pieces: piece3 piece4. Segment 0 has piece 1. Segment 1 has piece 2. None of them is padding."
    )


def test_show_closes_the_figure(shown):
    matplotlib.use("agg")
    figure = pyplot.figure()
    assert pyplot.fignum_exists(figure.number)
    plots.show(figure, "An empty figure.")
    assert not pyplot.fignum_exists(figure.number)


def test_figures_are_never_left_open():
    before = pyplot.get_fignums()
    for build in FIGURES.values():
        plots.png(build())
    assert pyplot.get_fignums() == before


@EVERY_FIGURE
def test_the_same_figure_is_the_same_bytes_and_carries_no_date(build):
    first, second = plots.png(build()), plots.png(build())
    assert first == second
    kinds, at = [], 8
    while at < len(first):
        (length,) = struct.unpack(">I", first[at:at + 4])
        kinds.append(first[at + 4:at + 8])
        at += length + 12
    assert set(kinds) == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


@pytest.mark.parametrize("alt", ["", "  \n", None])
def test_show_insists_on_an_alternative_text(shown, alt):
    with pytest.raises(ValueError, match="alternative text"):
        plots.show(plots.figure_top_k(ANSWERS), alt)
    assert not shown


def test_show_refuses_what_is_no_figure(shown):
    with pytest.raises(TypeError, match="this is list"):
        plots.show(ANSWERS, "Bars.")
    assert not shown


# ----------------------------------------------------------------------------------------------------------- bad input


@pytest.mark.parametrize("build", [plots.figure_token_table, plots.alt_token_table])
def test_token_tables_need_their_columns_and_a_row(build):
    with pytest.raises(ValueError, match="no column token_type_ids, attention_mask.*encoding.table"):
        build(pd.DataFrame({"piece": ["a"], "input_ids": [1]}))
    with pytest.raises(ValueError, match="no row.*encoding.table"):
        build(SHORT.head(0))


@pytest.mark.parametrize("build", [plots.figure_top_k, plots.alt_top_k])
@pytest.mark.parametrize("answers", [[], [[]], None, "sport", [{"score": 0.5}], [{"score": "high", "token_str": "a"}], 3, [ANSWERS, []]])
def test_guesses_must_be_guesses(build, answers):
    with pytest.raises(ValueError, match="masked_lm.top_k"):
        build(answers)


@pytest.mark.parametrize("build", [plots.figure_next_sentence, plots.alt_next_sentence])
def test_pairs_must_be_predictions_with_as_many_labels(build):
    with pytest.raises(ValueError, match="next_sentence.predict"):
        build([0.98, 0.02])
    with pytest.raises(ValueError, match="3 pairs need 3 labels"):
        build(PREDICTIONS, ["one"])
    with pytest.raises(ValueError, match="3 pairs need 3 labels"):
        build(PREDICTIONS, "abc")


@pytest.mark.parametrize("build", [plots.figure_matrix, plots.alt_matrix])
@pytest.mark.parametrize("values", [[0.5, 0.5], [["a"]], [], [[float("nan")]], None])
def test_a_matrix_must_be_a_table_of_numbers(build, values):
    with pytest.raises(ValueError, match="table of numbers"):
        build(values, ["a"], ["x"])


@pytest.mark.parametrize("build", [plots.figure_matrix, plots.alt_matrix])
def test_a_matrix_needs_a_name_for_each_row_and_column(build):
    with pytest.raises(ValueError, match="has 3 columns: give a list of 3 names"):
        build(VALUES, ["a", "b", "c"], ["x"])
    with pytest.raises(ValueError, match="has 3 rows"):
        build(VALUES, "abc", ["x", "y", "z"])


def test_errors_speak_korean_to_a_korean_reader(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    with pytest.raises(ValueError, match="추측이 아닙니다"):
        plots.figure_top_k([])


# ---------------------------------------------------------------------------------------------------------- small parts


@pytest.mark.parametrize("text, width, lines, expected", [
    ("one two three", 7, None, ["one two", "three"]),
    ("가나 다라 마바", 9, None, ["가나 다라", "마바"]),  # a Hangul syllable is two letters wide
    ("abcdefghij", 4, None, ["abcd", "efgh", "ij"]),
    ("one two three four", 7, 2, ["one two", "three …"]),
    ("one two-and-three four", 7, 2, ["one", "two-a …"]),
    ("", 7, None, [""]),
])
def test_wrap_breaks_at_spaces_and_by_width(text, width, lines, expected):
    assert plots.wrap(text, width, lines) == expected
