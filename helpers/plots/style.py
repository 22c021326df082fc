"""Size, colours and font of every figure, and how it is shown: a PNG with an alternative text."""

import base64
import functools
import io
import warnings

import matplotlib
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers import fonts
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


def styled(function):
    """Run a function under the course's style and leave the reader's own matplotlib settings as they were."""

    @functools.wraps(function)
    def styled(*arguments, **named):
        fonts.register()
        with matplotlib.rc_context(STYLE):
            return function(*arguments, **named)

    return styled


def new_figure(height):
    figure = Figure(figsize=(WIDTH, height))
    FigureCanvasAgg(figure)  # not pyplot's: nothing is kept open behind the reader's back
    return figure


@styled
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
