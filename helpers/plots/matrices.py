"""A heat map of sentences against each other."""

import numpy as np

from helpers.language import say
from helpers.plots.style import MAP, WIDTH, new_figure, show, styled
from helpers.plots.text import ruler, title_sentence, two_decimals, wrap


def matrix(values, rows, columns, title=None):
    """Show a table of numbers as a heat map with the number in each cell.

    Args:
        values: float (rows, columns), such as `next_sentence.matrix(...)` returned.
        rows: list of str, what stands left.
        columns: list of str, what stands above.
        title: str, what the numbers are.
    """
    show(figure_matrix(values, rows, columns, title), alt_matrix(values, rows, columns, title))


@styled
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
    measure = ruler()
    height_of, width_of = values.shape
    side = min(2.6, 0.25 + max(measure(line, 9) for name in rows for line in wrap(name, 30, lines=3)))
    cell = min((WIDTH - side - 0.1) / width_of, 1.5)
    row_names = ["\n".join(wrap(name, 30, lines=3)) for name in rows]
    column_names = ["\n".join(wrap(name, max(4, int(cell / 0.085)), lines=4)) for name in columns]
    tall = max(0.36, 0.1 + 0.19 * max(name.count("\n") + 1 for name in row_names))
    lines = wrap(title, 76) if title else []
    above = 0.12 + 0.22 * len(lines) + 0.14 + 0.18 * max(name.count("\n") + 1 for name in column_names)
    height = above + tall * height_of + 0.1
    figure = new_figure(height)
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
            axes.text(column, row, two_decimals(values[row, column]), size=min(10.0, cell * 22), color=colour,
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
    sentences = title_sentence(title)
    sentences.append(say(
        f"A heat map of {height} × {width} numbers.", f"세로 {height}칸, 가로 {width}칸의 숫자를 색으로 나타낸 표입니다."
    ))
    if values.size <= 36:
        named = ", ".join(f"“{name}”" for name in columns)
        sentences.append(say(f"The columns are, from the left: {named}.", f"칸은 왼쪽부터 다음과 같습니다: {named}."))
        for name, line in zip(rows, values):
            listed = ", ".join(two_decimals(value) for value in line)
            sentences.append(say(f"The row “{name}” has {listed}.", f"“{name}” 줄의 수는 {listed}입니다."))
    else:
        rounded = np.round(values, 2)
        for word, where in (
            (say("highest", "가장 큰"), np.nanargmax(rounded)), (say("lowest", "가장 작은"), np.nanargmin(rounded))
        ):
            row, column = divmod(int(where), width)
            value = two_decimals(values[row, column])
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
