"""Figures of what the other helpers return: token tables, guesses for a gap, next-sentence bars, heat maps.

Each figure has two functions. `figure_top_k(...)` builds it from data and returns it; `top_k(...)` builds it and shows it
with an alternative text made from the same data. Size, colours and font are set here, once: Okabe & Ito's colours, which
colour-blind readers can tell apart (jfly.uni-koeln.de/color), and the course's font for Hangul. Nothing is said by colour
alone.
"""

import base64
import functools
import io
import unicodedata
import warnings

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from helpers import encoding, fonts
from helpers.language import say

WIDTH = 7.0  # inches: the width of a notebook page
DOTS_PER_INCH = 144  # twice as sharp as it is shown, for good screens
SHOWN_PER_INCH = 96  # a browser's inch

# Okabe & Ito. Black text is legible on each of the light ones that carry text here.
COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "bluish green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "reddish purple": "#CC79A7",
}
SEGMENT_COLOURS = (COLOURS["sky blue"], COLOURS["orange"])
FOLLOWS_COLOUR, RANDOM_COLOUR = COLOURS["sky blue"], COLOURS["orange"]
BAR_COLOUR = COLOURS["sky blue"]
GREY = "#595959"  # for what stands back; 7:1 on white
MAP = "cividis"  # one lightness scale from dark to bright, the same with and without colour vision

STYLE = {
    "font.family": [fonts.FAMILY, fonts.FALLBACK],
    "font.size": 10.0,
    "axes.titlesize": 11.0,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "text.parse_math": False,  # "$5 and $6" is a price, not a formula
    "hatch.linewidth": 0.6,
}


def _styled(function):
    """Run a function under the course's style and leave the reader's own matplotlib settings as they were."""

    @functools.wraps(function)
    def styled(*arguments, **named):
        fonts.register()
        with matplotlib.rc_context(STYLE):
            return function(*arguments, **named)

    return styled


def _new_figure(height):
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)  # not pyplot's: nothing is kept open behind the reader's back
    return figure


# ------------------------------------------------------------------------------------------------------------- showing


@_styled
def png(figure):
    """A figure as a PNG file: the same bytes for the same figure, with no date and no program name inside.

    Args:
        figure: matplotlib Figure.

    Returns:
        bytes.
    """
    file = io.BytesIO()
    with warnings.catch_warnings():
        # A reader may type a character that no font here has (an emoji): a box is drawn, no warning is needed.
        warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    return file.getvalue()


def show(figure, alt):
    """Show a figure below the cell, with an alternative text, and close it.

    Args:
        figure: matplotlib Figure.
        alt: str, what a reader who does not see the figure should read: complete sentences, numbers rounded.

    Raises:
        TypeError: `figure` is not a matplotlib Figure.
        ValueError: `alt` is empty.
    """
    from IPython.display import display

    if not isinstance(figure, matplotlib.figure.FigureBase):
        raise TypeError(say(
            f"A figure is needed, this is {type(figure).__name__}: build one with plots.figure_... or plt.figure().",
            f"그림(Figure)이 필요한데 {type(figure).__name__} 값입니다. plots.figure_... 나 plt.figure()로 만드세요.",
        ))
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError(say(
            "A figure needs an alternative text: say in a sentence what it shows.",
            "그림에는 대체 텍스트가 필요합니다. 무엇을 보여 주는지 한 문장으로 적으세요.",
        ))
    alt = " ".join(alt.split())
    data = base64.b64encode(png(figure)).decode("ascii")
    width, height = (round(float(inches) * SHOWN_PER_INCH) for inches in figure.get_size_inches())
    _close(figure)
    display(
        {"image/png": data, "text/plain": f"figure: {alt}"},
        raw=True,
        metadata={"image/png": {"alt": alt, "width": width, "height": height}},
    )


def _close(figure):
    """Forget a figure, or the backend of the notebook would show it a second time."""
    from matplotlib import pyplot

    pyplot.close(figure)


# --------------------------------------------------------------------------------------------------------- token table


def token_table(inputs, tokenizer, row=0):
    """Show one encoded row: each piece in a box, and below it its id, its segment and its attention mask.

    Args:
        inputs: what `tokenizer(...)` returned: `input_ids`, `token_type_ids`, `attention_mask`, each (rows, pieces).
        tokenizer: the tokenizer that made them.
        row: int, which row of the batch.
    """
    table = encoding.table(inputs, tokenizer, row)
    show(figure_token_table(table), alt_token_table(table))


@_styled
def figure_token_table(table):
    """Draw `encoding.table(...)`; a long row goes on below, so that each piece stays legible.

    Args:
        table: DataFrame with the columns `piece, input_ids, token_type_ids, attention_mask`, one row a piece.

    Returns:
        matplotlib Figure; its artists carry the name of their column as `gid`.

    Raises:
        ValueError: a column is missing, or the table is empty.
    """
    columns = ("piece", "input_ids", "token_type_ids", "attention_mask")
    tokens = _columns(table, columns, "encoding.table(inputs, tokenizer)")
    left, right, gap = 1.25, WIDTH - 0.05, 0.05
    line, lines_below = 0.24, 3
    block = 0.34 + lines_below * line + 0.16

    # Which piece stands where: from left to right, and on to the next line when the next one does not fit.
    measure = _ruler()
    places, x, at = [], left, 0
    for piece, number, _, _ in tokens:
        width = max(measure(piece, 10), measure(str(number), 8.5), 0.22) + 0.16
        width = min(width, right - left)
        if x + width > right and x > left:
            x, at = left, at + 1
        places.append((x, at, width))
        x += width + gap

    segments = sorted({segment for _, _, segment, _ in tokens})
    padded = any(mask == 0 for *_, mask in tokens)
    top = 0.34 if len(segments) > 1 or padded else 0.05
    figure = _new_figure(top + (at + 1) * block)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, WIDTH)
    axes.set_ylim(top + (at + 1) * block, 0)  # inches, downwards
    axes.set_axis_off()

    if top > 0.1:
        x = left
        for segment in segments:
            name = say(f"segment {segment}", f"세그먼트 {segment}")
            axes.add_patch(Rectangle((x, 0.07), 0.17, 0.17, **_box(segment, 1), gid="legend"))
            axes.text(x + 0.23, 0.16, name, size=8.5, va="center", gid="legend")
            x += measure(name, 8.5) + 0.45
        if padded:
            axes.add_patch(Rectangle((x, 0.07), 0.17, 0.17, **_box(0, 0), gid="legend"))
            axes.text(x + 0.23, 0.16, say("padding (not read)", "채움(읽지 않음)"), size=8.5, va="center", gid="legend")

    for each in range(at + 1):
        y = top + each * block
        for name, height in zip(columns, (0.17, *(0.34 + line * (n + 0.55) for n in range(lines_below)))):
            axes.text(left - 0.1, y + height, name, size=8.5, color=GREY, ha="right", va="center", gid="row name")
    for (piece, number, segment, mask), (x, each, width) in zip(tokens, places):
        y, middle = top + each * block, x + width / 2
        axes.add_patch(Rectangle((x, y), width, 0.34, **_box(segment, mask), gid="piece box"))
        behind = None if mask else {"facecolor": "white", "edgecolor": "none", "pad": 1.0}  # legible on the hatching
        axes.text(middle, y + 0.17, piece, ha="center", va="center_baseline", bbox=behind, gid="piece")
        for n, (name, value) in enumerate(zip(columns[1:], (number, segment, mask))):
            height = y + 0.34 + line * (n + 0.55)
            axes.text(middle, height, str(value), size=8.5, ha="center", va="center", gid=name)
    return figure


def _box(segment, mask):
    """How the box of a piece looks: the segment's colour, or hatched and white where it is padding."""
    if not mask:
        return {"facecolor": "white", "edgecolor": GREY, "hatch": "////", "linewidth": 0.8, "linestyle": "--"}
    return {"facecolor": SEGMENT_COLOURS[segment % len(SEGMENT_COLOURS)], "edgecolor": "black", "linewidth": 0.8}


def alt_token_table(table):
    """What `figure_token_table` shows, in sentences.

    Args:
        table: as there.

    Returns:
        str.
    """
    tokens = _columns(
        table, ("piece", "input_ids", "token_type_ids", "attention_mask"), "encoding.table(inputs, tokenizer)"
    )
    pieces = " ".join(piece for piece, *_ in tokens)  # a comma is a piece, so commas cannot stand between them
    count = len(tokens)
    sentences = [say(f"The table has {count} pieces: {pieces}.", f"조각은 {count}개입니다: {pieces}.")]
    for segment in sorted({segment for _, _, segment, _ in tokens}):
        where = _ranges([n for n, token in enumerate(tokens, 1) if token[2] == segment])
        sentences.append(say(f"Segment {segment} has {where}.", f"세그먼트 {segment}에 드는 것은 {where} 조각입니다."))
    padding = [n for n, token in enumerate(tokens, 1) if token[3] == 0]
    if padding:
        where = _ranges(padding)
        sentences.append(say(f"Padding that the model does not read is {where}.", f"모델이 읽지 않는 채움은 {where} 조각입니다."))
    else:
        sentences.append(say("None of them is padding.", "채움은 없습니다."))
    return " ".join(sentences)


def _ranges(numbers):
    """[1, 2, 3, 7] -> "pieces 1 to 3 and 7", in the current language."""
    runs = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    one = len(numbers) == 1
    parts = [str(a) if a == b else say(f"{a} to {b}", f"{a}–{b}") for a, b in runs]
    listed = say(" and ", "번, ").join(parts)
    return say(f"piece {listed}" if one else f"pieces {listed}", f"{listed}번")


# --------------------------------------------------------------------------------------------------- guesses for a gap


def top_k(answers, title=None):
    """Show the guesses for each [MASK] as bars with their probabilities.

    Args:
        answers: what `masked_lm.top_k(...)` or a `FillMaskPipeline` returned: a list of dicts with `token_str` and
            `score`, or a list of such lists when the text has several masks.
        title: str, what stands above, such as the sentence.
    """
    show(figure_top_k(answers, title), alt_top_k(answers, title))


@_styled
def figure_top_k(answers, title=None):
    """Draw the guesses for each [MASK]: bars from 0 to 1, so that two figures can be compared.

    Args:
        answers, title: as in `top_k`.

    Returns:
        matplotlib Figure with one axes a mask.

    Raises:
        ValueError: there is no guess, or it has no `token_str` and `score`.
    """
    masks = _masks(answers)
    measure = _ruler()
    bar, head, below = 0.3, 0.42 if len(masks) > 1 else 0.06, 0.46
    lines = wrap(title, 76) if title else []
    above = 0.1 + 0.24 * len(lines)
    height = above + sum(head + bar * len(guesses) for guesses in masks) + below
    figure = _new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    words = [_cut(word, 24) for guesses in masks for word, _ in guesses]
    left = min(0.35 + max(measure(word, 10) for word in words), 2.6)
    y = above
    for number, guesses in enumerate(masks, 1):
        inner = bar * len(guesses)
        y += head
        axes = figure.add_axes((left / WIDTH, 1 - (y + inner) / height, (WIDTH - left - 0.7) / WIDTH, inner / height))
        places = range(len(guesses))
        axes.barh(places, [score for _, score in guesses], height=0.72, color=BAR_COLOUR, gid="bar")
        for place, (_, score) in zip(places, guesses):
            axes.text(score + 0.012, place, f"{score:.3f}", va="center_baseline", gid="score")
        axes.set_yticks(places, [_cut(word, 24) for word, _ in guesses])
        axes.set_ylim(len(guesses) - 0.5, -0.5)  # the best guess on top
        axes.set_xlim(0, 1)
        axes.tick_params(axis="y", length=0)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"], size=8.5, color=GREY)
        if len(masks) > 1:
            axes.set_title(say(f"[MASK] number {number}", f"{number}번 [MASK]"), size=10)
        if number < len(masks):
            axes.set_xticks([])
        y += inner
    axes.set_xlabel(say("probability", "확률"), size=8.5, color=GREY)
    return figure


def alt_top_k(answers, title=None):
    """What `figure_top_k` shows, in sentences.

    Args:
        answers, title: as there.

    Returns:
        str.
    """
    masks = _masks(answers)
    sentences = _title_sentence(title)
    for number, guesses in enumerate(masks, 1):
        listed = ", ".join(f"{word} {_number(score)}" for word, score in guesses)
        if len(masks) == 1:
            sentences.append(say(
                f"Bars show the model's guesses for [MASK] with their probabilities: {listed}.",
                f"막대는 [MASK] 자리에 대한 모델의 추측과 확률입니다: {listed}.",
            ))
        else:
            sentences.append(say(
                f"Bars show the guesses for [MASK] number {number} with their probabilities: {listed}.",
                f"막대는 {number}번 [MASK] 자리에 대한 추측과 확률입니다: {listed}.",
            ))
    return " ".join(sentences)


def _masks(answers):
    """Guesses as a list (masks) of lists (guesses) of (word, score), whether the text had one mask or several."""
    wrong = ValueError(say(
        "These are no guesses to draw: pass what masked_lm.top_k(model, tokenizer, text) returned.",
        "그릴 수 있는 추측이 아닙니다. masked_lm.top_k(model, tokenizer, text)의 결과를 넣으세요.",
    ))
    try:
        masks = [answers] if isinstance(answers[0], dict) else answers
        masks = [[(str(guess["token_str"]), float(guess["score"])) for guess in guesses] for guesses in masks]
    except (TypeError, KeyError, IndexError, ValueError):
        raise wrong from None
    if not all(masks):
        raise wrong
    return masks


# ------------------------------------------------------------------------------------------------------- next sentence


def next_sentence(predictions, labels=None):
    """Show for each pair of sentences how probable it is that the second follows the first.

    Args:
        predictions: what `next_sentence.predict(...)` returned: DataFrame with the columns `follows, random, label`.
        labels: list of str, one a pair; "pair 1", "pair 2", ... if left out.
    """
    show(figure_next_sentence(predictions, labels), alt_next_sentence(predictions, labels))


@_styled
def figure_next_sentence(predictions, labels=None):
    """Draw a bar a pair: the left part is the probability of "follows", the right part that of "random".

    Args:
        predictions, labels: as in `next_sentence`.

    Returns:
        matplotlib Figure.

    Raises:
        ValueError: a column is missing, there is no row, or there are not as many labels as rows.
    """
    pairs = _pairs(predictions, labels)
    measure = _ruler()
    names = [wrap(name, 28, lines=3) for name, *_ in pairs]
    bar = max(0.44, 0.14 + 0.2 * max(len(name) for name in names))
    above, below = 0.4, 0.5
    height = above + bar * len(pairs) + below
    figure = _new_figure(height)
    left = min(0.75 + max(measure(line, 10) for name in names for line in name), 3.2)
    axes = figure.add_axes((left / WIDTH, below / height, (WIDTH - left - 0.6) / WIDTH, bar * len(pairs) / height))
    places = range(len(pairs))
    follows = [pair[1] for pair in pairs]
    random = [pair[2] for pair in pairs]
    thick = min(0.66, 0.34 / bar)
    axes.barh(places, follows, height=thick, color=FOLLOWS_COLOUR, edgecolor="white", label="follows", gid="follows")
    axes.barh(places, random, left=follows, height=thick, color=RANDOM_COLOUR, edgecolor="white", label="random", gid="random")
    for place, (_, one, two, _) in zip(places, pairs):
        # A number stands inside its part where there is room, else just outside the bar.
        inside = {"va": "center_baseline", "ha": "center"}
        if one >= 0.12:
            axes.text(one / 2, place, f"{one:.2f}", **inside, gid="number")
        else:
            axes.text(-0.012, place, f"{one:.2f}", va="center_baseline", ha="right", gid="number")
        if two >= 0.12:
            axes.text(one + two / 2, place, f"{two:.2f}", **inside, gid="number")
        else:
            axes.text(one + two + 0.012, place, f"{two:.2f}", va="center_baseline", ha="left", gid="number")
    axes.set_yticks(places, ["\n".join(name) for name in names])
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0, pad=34)  # room for a number left of the bar
    axes.spines["left"].set_visible(False)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"], size=8.5, color=GREY)
    axes.set_xlabel(say("probability", "확률"), size=8.5, color=GREY)
    names = [say("follows (left)", "follows: 이어진다(왼쪽)"), say("random (right)", "random: 이어지지 않는다(오른쪽)")]
    figure.legend(
        axes.containers, names, loc="upper left", bbox_to_anchor=(left / WIDTH, 1), bbox_transform=figure.transFigure,
        ncols=2, frameon=False, borderaxespad=0.3, borderpad=0.2, handlelength=1.0, fontsize=9,
    )
    return figure


def alt_next_sentence(predictions, labels=None):
    """What `figure_next_sentence` shows, in sentences.

    Args:
        predictions, labels: as there.

    Returns:
        str.
    """
    sentences = []
    for name, follows, random, label in _pairs(predictions, labels):
        name, follows, random = name.rstrip("."), _number(follows), _number(random)
        said = say(
            "the model says that it follows" if label == 0 else "the model says that it does not follow",
            "모델의 답은 ‘이어진다’" if label == 0 else "모델의 답은 ‘이어지지 않는다’",
        )
        sentences.append(say(
            f"{name}: the second sentence follows with probability {follows} and is random with probability {random}; {said}.",
            f"{name}: 둘째 문장이 이어질 확률은 {follows}, 아닐 확률은 {random}입니다. {said}입니다.",
        ))
    return " ".join(sentences)


def _pairs(predictions, labels):
    """Rows as (name, follows, random, label)."""
    rows = _columns(predictions, ("follows", "random", "label"), "next_sentence.predict(...)")
    if labels is None:
        labels = [say(f"pair {n}", f"{n}번 쌍") for n in range(1, len(rows) + 1)]
    if isinstance(labels, str) or len(labels) != len(rows):
        raise ValueError(say(
            f"{len(rows)} pairs need {len(rows)} labels in a list, these are {labels!r}.",
            f"문장 쌍이 {len(rows)}개이면 이름도 {len(rows)}개가 든 리스트여야 합니다. 지금은 {labels!r}입니다.",
        ))
    return [(str(name), float(follows), float(random), int(label))
            for name, (follows, random, label) in zip(labels, rows)]


# ------------------------------------------------------------------------------------------------------------ heat map


def matrix(values, rows, columns, title=None):
    """Show a table of numbers as a heat map with the number in each cell.

    Args:
        values: float (rows, columns), such as `next_sentence.matrix(...)` returned.
        rows: list of str, what stands left.
        columns: list of str, what stands above.
        title: str, what the numbers are.
    """
    show(figure_matrix(values, rows, columns, title), alt_matrix(values, rows, columns, title))


@_styled
def figure_matrix(values, rows, columns, title=None):
    """Draw a heat map; brighter is more. Numbers between 0 and 1 are always coloured on that scale.

    Args:
        values, rows, columns, title: as in `matrix`.

    Returns:
        matplotlib Figure.

    Raises:
        ValueError: the values are no table of numbers, or the names do not fit its shape.
    """
    values = _grid(values, rows, columns)
    measure = _ruler()
    height_of, width_of = values.shape
    side = min(2.6, 0.25 + max(measure(line, 9) for name in rows for line in wrap(name, 30, lines=3)))
    cell = min((WIDTH - side - 0.1) / width_of, 1.5)
    row_names = ["\n".join(wrap(name, 30, lines=3)) for name in rows]
    column_names = ["\n".join(wrap(name, max(4, int(cell / 0.085)), lines=4)) for name in columns]
    tall = max(0.36, 0.1 + 0.19 * max(name.count("\n") + 1 for name in row_names))
    lines = wrap(title, 76) if title else []
    above = 0.12 + 0.22 * len(lines) + 0.14 + 0.18 * max(name.count("\n") + 1 for name in column_names)
    height = above + tall * height_of + 0.1
    figure = _new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    axes = figure.add_axes((side / WIDTH, 0.1 / height, cell * width_of / WIDTH, tall * height_of / height))
    low, high = (round(float(end), 6) for end in (np.nanmin(values), np.nanmax(values)))  # a cosine may be 1.0000001
    if 0 <= low and high <= 1:
        low, high = 0.0, 1.0
    image = axes.imshow(values, cmap=MAP, vmin=low, vmax=high, aspect="auto", interpolation="nearest")
    for row in range(height_of):
        for column in range(width_of):
            colour = _text_colour(image.cmap(image.norm(values[row, column])))
            axes.text(column, row, _number(values[row, column]), size=min(10.0, cell * 22), color=colour,
                      ha="center", va="center_baseline", gid="cell")
    axes.set_yticks(range(height_of), row_names, size=9)
    axes.set_xticks(range(width_of), column_names, size=9)
    axes.xaxis.tick_top()
    axes.tick_params(length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)
    for line in range(1, height_of):
        axes.axhline(line - 0.5, color="white", linewidth=1.5)
    for line in range(1, width_of):
        axes.axvline(line - 0.5, color="white", linewidth=1.5)
    return figure


def alt_matrix(values, rows, columns, title=None):
    """What `figure_matrix` shows, in sentences: every row of a small table, the ends of a big one.

    Args:
        values, rows, columns, title: as there.

    Returns:
        str.
    """
    values = _grid(values, rows, columns)
    height, width = values.shape
    sentences = _title_sentence(title)
    sentences.append(say(
        f"A heat map of {height} × {width} numbers.", f"세로 {height}칸, 가로 {width}칸의 숫자를 색으로 나타낸 표입니다."
    ))
    if values.size <= 36:
        named = ", ".join(f"“{name}”" for name in columns)
        sentences.append(say(f"The columns are, from the left: {named}.", f"칸은 왼쪽부터 다음과 같습니다: {named}."))
        for name, line in zip(rows, values):
            listed = ", ".join(_number(value) for value in line)
            sentences.append(say(f"The row “{name}” has {listed}.", f"“{name}” 줄의 수는 {listed}입니다."))
    else:
        rounded = np.round(values, 2)
        for word, where in (
            (say("highest", "가장 큰"), np.nanargmax(rounded)), (say("lowest", "가장 작은"), np.nanargmin(rounded))
        ):
            row, column = divmod(int(where), width)
            value = _number(values[row, column])
            sentences.append(say(
                f"The {word} number is {value}, in row “{rows[row]}”, column “{columns[column]}”.",
                f"{word} 수는 “{rows[row]}” 줄, “{columns[column]}” 칸의 {value}입니다.",
            ))
    return " ".join(sentences)


def _grid(values, rows, columns):
    try:
        grid = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        grid = np.empty(0)
    if grid.ndim != 2 or not grid.size or not np.isfinite(grid).any():
        raise ValueError(say(
            "A heat map needs a table of numbers, rows × columns: pass a two-dimensional array.",
            "색 지도에는 줄 × 칸의 숫자 표가 필요합니다. 2차원 배열을 넣으세요.",
        ))
    for names, count, what in ((rows, grid.shape[0], say("rows", "줄")), (columns, grid.shape[1], say("columns", "칸"))):
        if isinstance(names, str) or len(names) != count:
            raise ValueError(say(
                f"The table has {count} {what}: give a list of {count} names for them, not {names!r}.",
                f"표의 {what} 수는 {count}입니다. 이름도 {count}개가 든 리스트로 주세요. 지금은 {names!r}입니다.",
            ))
    return grid


def _text_colour(colour):
    """Black or white, whichever is easier to read on `colour` (WCAG 2.1, relative luminance): at least 4.5:1 either way."""
    channels = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
    return "black" if (luminance + 0.05) / 0.05 >= 1.05 / (luminance + 0.05) else "white"


# ------------------------------------------------------------------------------------------------------------ training

LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)), (0, (8, 2)))  # each line is told by number and dashes
LINE_COLOURS = tuple(COLOURS[name] for name in ("blue", "vermillion", "bluish green", "reddish purple", "black", "orange"))


def training_steps(similarities, targets, labels, title=None):
    """Show how similar pairs of sentences become while a model is trained.

    Args:
        similarities: float (steps, pairs), the cosine of each pair before the training and after each of its steps.
        targets: list of float, one a pair, what the training aims at: score / 5.
        labels: list of str, one a pair.
        title: str, what stands above.
    """
    show(figure_training_steps(similarities, targets, labels, title), alt_training_steps(similarities, targets, labels, title))


@_styled
def figure_training_steps(similarities, targets, labels, title=None):
    """Draw a line a pair over the steps, and at the right edge a diamond at what it aims at.

    Args:
        similarities, targets, labels, title: as in `training_steps`.

    Returns:
        matplotlib Figure.

    Raises:
        ValueError: the numbers are no table of steps and pairs, or there are not as many targets and labels as pairs.
    """
    similarities, targets, labels = recorded_steps(similarities, targets, labels)
    steps, pairs = similarities.shape
    names = [wrap(f"{number}. {label}", 96, lines=2) for number, label in enumerate(labels, 1)]
    lines = wrap(title, 76) if title else []
    above, inner, below = 0.14 + 0.24 * len(lines), 2.6, 0.5
    text = 0.19
    height = above + inner + below + 0.24 + text * sum(map(len, names)) + 0.1
    figure = _new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    left, right = 0.6, 0.75
    axes = figure.add_axes((left / WIDTH, 1 - (above + inner) / height, (WIDTH - left - right) / WIDTH, inner / height))
    low = min(0.0, float(similarities.min()), min(targets)) - 0.04
    axes.set_ylim(low, 1.04)
    last = max(steps - 1, 1)
    axes.set_xlim(0, last * 1.03)
    ends = _apart([float(each) for each in similarities[-1]], (1.04 - low) * 0.065, low, 1.04)
    for pair in range(pairs):
        style = {"color": LINE_COLOURS[pair % len(LINE_COLOURS)], "linestyle": LINES[pair % len(LINES)], "linewidth": 1.6}
        axes.plot(range(steps), similarities[:, pair], **style, gid="line", clip_on=False)
        axes.plot([last * 1.03], [targets[pair]], marker="D", color=style["color"], markersize=6, clip_on=False, gid="target")
        axes.annotate(str(pair + 1), (last, float(similarities[-1, pair])), xytext=(last * 1.075, ends[pair]), size=9,
                      va="center_baseline", annotation_clip=False, gid="number")
    axes.set_xlabel(say("steps of the training", "학습 스텝"), size=8.5, color=GREY)
    axes.set_ylabel(say("cosine", "코사인"), size=8.5, color=GREY)
    axes.tick_params(labelsize=8.5, labelcolor=GREY)
    axes.set_xticks(_round_numbers(0, last, integer=True))
    axes.set_yticks(_round_numbers(low, 1))
    y = above + inner + below
    figure.text(0.02, 1 - y / height, say("A diamond stands where the pair should end (score / 5).", "마름모는 쌍이 이르러야 할 값(점수 / 5)입니다."),
                size=8.5, color=GREY, va="top", gid="legend")
    y += 0.24
    for name in names:
        figure.text(0.02, 1 - y / height, "\n".join(name), size=8.5, va="top", linespacing=1.35, gid="label")
        y += text * len(name)
    return figure


def alt_training_steps(similarities, targets, labels, title=None):
    """What `figure_training_steps` shows, in sentences.

    Args:
        similarities, targets, labels, title: as there.

    Returns:
        str.
    """
    similarities, targets, labels = recorded_steps(similarities, targets, labels)
    sentences = _title_sentence(title)
    steps = len(similarities) - 1
    sentences.append(say(
        f"A line for each pair of sentences shows its cosine over {steps} steps of a training.",
        f"문장 쌍마다 선 하나로 학습 {steps}스텝 동안의 코사인을 나타냅니다.",
    ))
    for number, (label, target) in enumerate(zip(labels, targets), 1):
        first, last = _number(similarities[0, number - 1]), _number(similarities[-1, number - 1])
        aim = _number(target)
        sentences.append(say(
            f"Pair {number}, “{label}”, goes from {first} to {last}; it should end at {aim}.",
            f"{number}번 쌍 “{label}”: {first}에서 {last}까지 움직였고, 이르러야 할 값은 {aim}입니다.",
        ))
    return " ".join(sentences)


def recorded_steps(similarities, targets, labels):
    """The record of a training, checked.

    Args:
        similarities, targets, labels: as in `training_steps`.

    Returns:
        float array (steps, pairs), list of float, list of str.

    Raises:
        ValueError: as in `figure_training_steps`.
    """
    try:
        table = np.asarray(similarities, dtype=float)
        targets = [float(target) for target in targets]
    except (TypeError, ValueError):
        table = np.empty(0)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ValueError(say(
            "A record of a training is a table of numbers, steps × pairs: append sbert.predict(...) to a list after every step.",
            "학습 기록은 스텝 × 쌍의 숫자 표입니다. 스텝마다 sbert.predict(...)의 결과를 리스트에 덧붙이세요.",
        ))
    for names, what in ((targets, say("targets", "목표값(targets)")), (labels, say("labels", "이름(labels)"))):
        if isinstance(names, str) or len(names) != table.shape[1]:
            raise ValueError(say(
                f"The record holds {table.shape[1]} pairs: give a list of {table.shape[1]} {what}, not {names!r}.",
                f"기록에 쌍이 {table.shape[1]}개 있습니다. {what}도 {table.shape[1]}개가 든 리스트로 주세요. 지금은 {names!r}입니다.",
            ))
    return table, targets, [str(label) for label in labels]


def _round_numbers(low, high, integer=False):
    """Where ticks stand: a few round numbers between the ends of an axis, both included."""
    ticks = MaxNLocator(nbins=6, integer=integer).tick_values(low, high)
    rounding = 1e-9 * (high - low)
    return [tick for tick in ticks if low - rounding <= tick <= high + rounding]


def _apart(places, least, low, high):
    """Places for numbers that would lie on top of each other: in their order, at least so far apart, inside low and high."""
    order = np.argsort(places, kind="stable")
    moved = np.array(places, dtype=float)
    for one, other in zip(order, order[1:]):
        moved[other] = max(moved[other], moved[one] + least)
    top = high
    for one in order[::-1]:  # what was pushed out above comes back down
        moved[one] = min(moved[one], top)
        top = moved[one] - least
    return moved.tolist()


def strategies(scores, floor=None, title=None):
    """Show what several trainings reached, every seed a dot.

    Args:
        scores: {name: list of float}, one number for each seed; a strategy without seeds has one number.
        floor: str, the name whose mean is drawn through all rows as a dashed line, or None.
        title: str, what the numbers are.
    """
    show(figure_strategies(scores, floor, title), alt_strategies(scores, floor, title))


@_styled
def figure_strategies(scores, floor=None, title=None):
    """Draw a row a strategy: a dot for each seed, a line from the lowest to the highest, an upright stroke at the mean.

    Args:
        scores, floor, title: as in `strategies`.

    Returns:
        matplotlib Figure.

    Raises:
        ValueError: there is no strategy, one has no number, or `floor` is none of them.
    """
    scores = _scores(scores, floor)
    measure = _ruler()
    names = [wrap(name, 26, lines=3) for name in scores]
    lines = wrap(title, 76) if title else []
    row = max(0.5, 0.16 + 0.2 * max(map(len, names)))
    above, below = 0.18 + 0.24 * len(lines), 0.72
    height = above + row * len(names) + below
    figure = _new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    left = 0.3 + max(measure(line, 10) for name in names for line in name)
    right = 0.75
    axes = figure.add_axes((left / WIDTH, below / height, (WIDTH - left - right) / WIDTH, row * len(names) / height))
    every = [value for values in scores.values() for value in values]
    room = max(0.1 * (max(every) - min(every)), 0.5)
    axes.set_xlim(min(every) - room, max(every) + room)
    axes.set_ylim(len(names) - 0.5, -0.5)
    if floor is not None:
        axes.axvline(np.mean(scores[floor]), color=GREY, linestyle="--", linewidth=1, gid="floor")
    for place, values in enumerate(scores.values()):
        mean = float(np.mean(values))
        axes.plot([min(values), max(values)], [place, place], color=BAR_COLOUR, linewidth=5, solid_capstyle="round", gid="spread")
        axes.plot(values, [place] * len(values), "o", color=COLOURS["blue"], markersize=6, gid="seeds")
        axes.plot([mean, mean], [place - 0.22, place + 0.22], color="black", linewidth=2, gid="mean")
        axes.text(1.02, place, f"{mean:.1f}", transform=axes.get_yaxis_transform(), va="center_baseline", gid="score")
    axes.set_yticks(range(len(names)), ["\n".join(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8.5, labelcolor=GREY)
    axes.set_xticks(_round_numbers(*axes.get_xlim()))
    axes.set_xlabel(say("dot: one seed · stroke and number: mean", "점: 시드 하나 · 세로줄과 숫자: 평균"), size=8.5, color=GREY)
    return figure


def alt_strategies(scores, floor=None, title=None):
    """What `figure_strategies` shows, in sentences.

    Args:
        scores, floor, title: as there.

    Returns:
        str.
    """
    scores = _scores(scores, floor)
    sentences = _title_sentence(title)
    sentences.append(say("A row for each strategy, a dot for each seed.", "전략마다 한 줄, 시드마다 점 하나입니다."))
    for name, values in scores.items():
        if len(values) == 1:
            sentences.append(say(f"{name}: {values[0]:.1f}.", f"{name}: {values[0]:.1f}."))
            continue
        mean, low, high = np.mean(values), min(values), max(values)
        sentences.append(say(
            f"{name}: mean {mean:.1f}, {len(values)} seeds from {low:.1f} to {high:.1f}.",
            f"{name}: 평균 {mean:.1f}, 시드 {len(values)}개가 {low:.1f}부터 {high:.1f}까지입니다.",
        ))
    if floor is not None:
        sentences.append(say(f"A dashed line marks “{floor}”.", f"점선은 “{floor}”의 값입니다."))
    return " ".join(sentences)


def _scores(scores, floor):
    try:
        scores = {str(name): [float(value) for value in values] for name, values in scores.items()}
    except (AttributeError, TypeError, ValueError):
        scores = {}
    if not scores or not all(values and np.isfinite(values).all() for values in scores.values()):
        raise ValueError(say(
            "Each strategy needs a list with a number for each seed, like {'regression': [71.2, 70.8, 71.9]}.",
            "전략마다 시드별 숫자가 든 리스트가 있어야 합니다. 예: {'회귀': [71.2, 70.8, 71.9]}",
        ))
    if floor is not None and floor not in scores:
        raise ValueError(say(
            f"floor={floor!r} is none of the strategies: choose one of {', '.join(scores)}.",
            f"floor={floor!r}: 그런 전략은 없습니다. {', '.join(scores)} 가운데 고르세요.",
        ))
    return scores


# ----------------------------------------------------------------------------------------------------- map of sentences


MARKERS = "osD^vPX*"  # a group is told by its shape as well as by its colour


def sentence_space(vectors, groups, names=None, title=None):
    """Show sentence vectors as points of a plane: those with like vectors lie close to each other.

    Args:
        vectors: float (sentences, hidden), such as `SentenceEncoder.encode(...)` returned.
        groups: list of str, one a sentence, such as its theme; at most eight different ones.
        names: list of str or None, one a sentence: what is written at its point, None for nothing. Left out where there is no room.
        title: str.
    """
    show(figure_sentence_space(vectors, groups, names, title), alt_sentence_space(vectors, groups, names, title))


def principal_components(vectors, count=2):
    """Principal component analysis (Pearson 1901): the directions in which the vectors differ most, and where each one lies there.

    Args:
        vectors: float (n, hidden).
        count: int, how many directions.

    Returns:
        float (n, count) coordinates around the mean, and float (count,), the share of all variance that each direction holds.
    """
    centred = np.asarray(vectors, dtype=float)
    centred = centred - centred.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:count]
    # A direction may point either way: its largest part is made positive, so that every computer draws the same map.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    variance = lengths**2
    return centred @ directions.T, variance[:count] / max(variance.sum(), np.finfo(float).tiny)


@_styled
def figure_sentence_space(vectors, groups, names=None, title=None):
    """Draw the first two principal components of sentence vectors.

    Args:
        vectors, groups, names, title: as in `sentence_space`.

    Returns:
        matplotlib Figure; the points of a group carry its name as `label`, the texts at points the `gid` "name".

    Raises:
        ValueError: fewer than three vectors, not as many groups or names as vectors, or more than eight groups.
    """
    places, shares, groups, names = _sentence_space(vectors, groups, names)
    lines = wrap(title, 76) if title else []
    above, square = 0.1 + 0.24 * len(lines), 4.4
    kinds = list(dict.fromkeys(groups))
    legend = 0.28 * -(-len(kinds) // 3) + 0.1
    height = above + legend + square + 0.5
    figure = _new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    axes = figure.add_axes((0.4 / WIDTH, 0.45 / height, (WIDTH - 0.5) / WIDTH, square / height))
    colours = [colour for name, colour in COLOURS.items() if name != "yellow"]  # too light for a small mark on white
    colours = colours[1:] + colours[:1]
    for number, kind in enumerate(kinds):
        here = places[[group == kind for group in groups]]
        axes.scatter(*here.T, s=34, marker=MARKERS[number], color=colours[number % len(colours)], edgecolor="white",
                     linewidth=0.5, label=_cut(kind, 28), gid="points")
    axes.margins(0.12)
    axes.set_xticks([])
    axes.set_yticks([])
    first, second = (f"{100 * share:.0f}" for share in shares)
    axes.set_xlabel(say(f"first component ({first} % of the variance)", f"첫째 주성분(분산의 {first} %)"), size=9, color=GREY)
    axes.set_ylabel(say(f"second component ({second} % of the variance)", f"둘째 주성분(분산의 {second} %)"), size=9, color=GREY)
    figure.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0.3 / WIDTH, 1 - above / height),
                  bbox_transform=figure.transFigure, ncols=3, frameon=False, borderaxespad=0.1, borderpad=0.1, fontsize=9)
    _write_names(axes, places, names)
    return figure


def _write_names(axes, places, names):
    """Each name beside its point: right, left, above or below, where it covers no other name, no point and no edge."""
    figure, measure = axes.figure, _ruler()
    inch = figure.dpi_scale_trans.inverted()
    axes.autoscale_view()
    points = inch.transform(axes.transData.transform(places))
    left, bottom, right, top = inch.transform_bbox(axes.bbox).extents
    taken = []
    for (x, y), name in zip(points, names):
        if not name:
            continue
        name = _cut(" ".join(name.split()), 30)
        width, high, gap = measure(name, 8.5), 0.15, 0.08
        for x0, y0 in ((x + gap, y - high / 2), (x - gap - width, y - high / 2), (x - width / 2, y + gap), (x - width / 2, y - gap - high)):
            box = (x0, y0, x0 + width, y0 + high)
            inside = left <= box[0] and box[2] <= right and bottom <= box[1] and box[3] <= top
            free = all(box[2] <= o[0] or o[2] <= box[0] or box[3] <= o[1] or o[3] <= box[1] for o in taken)
            clear = not ((box[0] < points[:, 0] + 0.04) & (points[:, 0] - 0.04 < box[2])
                         & (box[1] < points[:, 1] + 0.04) & (points[:, 1] - 0.04 < box[3])).any()
            if inside and free and clear:
                taken.append(box)
                place = axes.transData.inverted().transform(figure.dpi_scale_trans.transform((x0, y0 + high / 2)))
                axes.text(*place, name, size=8.5, va="center_baseline", gid="name")
                break


def alt_sentence_space(vectors, groups, names=None, title=None):
    """What `figure_sentence_space` shows, in sentences: where the middle of each group lies.

    Args:
        vectors, groups, names, title: as there.

    Returns:
        str.
    """
    places, shares, groups, _ = _sentence_space(vectors, groups, names)
    kinds = list(dict.fromkeys(groups))
    first, second = (f"{100 * share:.0f}" for share in shares)
    sentences = [*_title_sentence(title), say(
        f"A map of {len(places)} sentences in {len(kinds)} groups; from left to right {first} % and from bottom to top {second} % of the variance.",
        f"문장 {len(places)}개를 {len(kinds)}개 모둠으로 나눈 지도입니다. 가로는 분산의 {first} %, 세로는 {second} %입니다.",
    )]
    half = np.abs(places).max(axis=0) + np.finfo(float).tiny
    across = (say("left", "왼쪽"), say("in the middle", "가운데"), say("right", "오른쪽"))
    upwards = (say("low", "아래"), say("halfway up", "중간 높이"), say("high", "위"))
    for kind in kinds:
        here = places[[group == kind for group in groups]]
        x, y = (0 if part < -0.15 else 2 if part > 0.15 else 1 for part in here.mean(axis=0) / half)
        sentences.append(say(
            f"The middle of the {len(here)} of “{kind}” is {across[x]}, {upwards[y]}.",
            f"“{kind}” {len(here)}개의 중심은 {across[x]}, {upwards[y]}에 있습니다.",
        ))
    return " ".join(sentences)


def _sentence_space(vectors, groups, names):
    """(n, 2) places, two shares, groups and names as lists."""
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or len(vectors) < 3 or vectors.shape[1] < 2 or not np.issubdtype(vectors.dtype, np.number):
        raise ValueError(say(
            "A map needs the vectors of at least three sentences: pass what encoder.encode(texts) returned.",
            "지도를 그리려면 문장 벡터가 셋 이상 있어야 합니다. encoder.encode(texts)의 결과를 넣으세요.",
        ))
    names = [None] * len(vectors) if names is None else names
    for what, column in (("groups", groups), ("names", names)):
        if isinstance(column, str) or len(column) != len(vectors):
            raise ValueError(say(
                f"{len(vectors)} sentences need {len(vectors)} {what} in a list, these are {len(column)}.",
                f"문장이 {len(vectors)}개이면 {what}도 {len(vectors)}개여야 합니다. 지금은 {len(column)}개입니다.",
            ))
    groups = [str(group) for group in groups]
    kinds = len(set(groups))
    if kinds > len(MARKERS):
        raise ValueError(say(
            f"{kinds} groups cannot be told apart in one map: choose {len(MARKERS)} at most.",
            f"모둠 {kinds}개는 지도 하나에서 구별할 수 없습니다. {len(MARKERS)}개까지 고르세요.",
        ))
    return *principal_components(vectors), groups, list(names)


# ---------------------------------------------------------------------------------------------------------- small parts


def _columns(table, names, source):
    """The rows of a DataFrame as tuples of plain Python values, in the order of `names`."""
    missing = [name for name in names if name not in getattr(table, "columns", ())]
    if missing:
        raise ValueError(say(
            f"This {type(table).__name__} has no column {', '.join(missing)}: pass what {source} returned.",
            f"이 {type(table).__name__} 값에는 {', '.join(missing)} 열이 없습니다. {source}의 결과를 넣으세요.",
        ))
    if not len(table):
        raise ValueError(say(
            f"There is no row to draw in this table: pass what {source} returned.",
            f"이 표에는 그릴 줄이 없습니다. {source}의 결과를 넣으세요.",
        ))
    return list(zip(*(table[name].tolist() for name in names)))


def _number(value):
    """A number with two decimals, never "-0.00"."""
    text = f"{float(value):.2f}"
    return "0.00" if text == "-0.00" else text


def _title_sentence(title):
    """The title as the first sentence of an alternative text; nothing if there is none."""
    title = str(title or "").strip()
    if not title:
        return []
    stopped = title if title[-1] in ".!?…" else title + "."
    return [say(f"Title: {stopped}", f"제목: {stopped}")]


def _character_width(character):
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def display_width(text):
    """How many Latin letters wide a text is: a Hangul syllable counts as two."""
    return sum(_character_width(character) for character in text)


def _cut(text, width):
    """The beginning of a text, with an ellipsis if something was cut off."""
    if display_width(text) <= width:
        return text
    kept = ""
    for character in text:
        if display_width(kept + character) > width - 1:
            break
        kept += character
    return kept.rstrip() + "…"


def wrap(text, width, lines=None):
    """Break a text into lines, at spaces where possible.

    Args:
        text: str.
        width: int, how many Latin letters fit in a line; a Hangul syllable counts as two.
        lines: int, at most so many lines; the last one ends in an ellipsis if the text goes on.

    Returns:
        list of str, at least one.
    """
    done, current = [], ""
    for word in str(text).split():
        while display_width(word) > width:  # a word that is longer than a line is cut
            if current:
                done, current = [*done, current], ""
            size = 1
            while display_width(word[: size + 1]) <= width:
                size += 1
            done, word = [*done, word[:size]], word[size:]
        longer = f"{current} {word}" if current else word
        if display_width(longer) > width:
            done, current = [*done, current], word
        else:
            current = longer
    if current or not done:
        done.append(current)
    if lines and len(done) > lines:
        last = done[lines - 1]
        while display_width(last) > width - 2:
            last = last[:-1]
        done = [*done[: lines - 1], f"{last.rstrip()} …"]
    return done


def _ruler():
    """A function that says how wide a text will be drawn, in inches."""
    figure = Figure(figsize=(1, 1), dpi=DOTS_PER_INCH)
    renderer = FigureCanvasAgg(figure).get_renderer()
    artist = figure.text(0, 0, "")

    def measure(text, size):
        artist.set_text(text)
        artist.set_fontsize(size)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=r"Glyph \d+ .* missing from")
            return artist.get_window_extent(renderer).width / DOTS_PER_INCH

    return measure
