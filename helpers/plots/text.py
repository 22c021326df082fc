"""How wide a text is, where it breaks, how a number is written: the words in figures and in their alternative texts."""

import unicodedata
import warnings

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers.language import say
from helpers.plots.style import DOTS_PER_INCH


def read_columns(table, names, source):
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


def two_decimals(value):
    """A number with two decimals, never "-0.00"."""
    text = f"{float(value):.2f}"
    return "0.00" if text == "-0.00" else text


def title_sentence(title):
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


def shorten(text, width):
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


def ruler():
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
