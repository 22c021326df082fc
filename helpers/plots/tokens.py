"""The token table as a figure: pieces, ids, segments and mask, one column a piece."""

from matplotlib.patches import Rectangle

from helpers import encoding
from helpers.language import say
from helpers.plots.style import GREY, SEGMENT_COLOURS, WIDTH, new_figure, show, styled
from helpers.plots.text import read_columns, ruler


def token_table(inputs, tokenizer, row=0):
    """Show one encoded row: each piece in a box, and below it its id, its segment and its attention mask.

    Args:
        inputs: what `tokenizer(...)` returned: `input_ids`, `token_type_ids`, `attention_mask`, each (rows, pieces).
        tokenizer: the tokenizer that made them.
        row: int, which row of the batch.
    """
    table = encoding.table(inputs, tokenizer, row)
    show(figure_token_table(table), alt_token_table(table))


@styled
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
    tokens = read_columns(table, columns, "encoding.table(inputs, tokenizer)")
    left, right, gap = 1.25, WIDTH - 0.05, 0.05
    line, lines_below = 0.24, 3
    block = 0.34 + lines_below * line + 0.16

    # Which piece stands where: from left to right, and on to the next line when the next one does not fit.
    measure = ruler()
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
    figure = new_figure(top + (at + 1) * block)
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
    tokens = read_columns(
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
