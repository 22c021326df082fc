import subprocess
import sys
import warnings
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from fontTools.ttLib import TTFont
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from helpers import fonts

SOURCE = Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf")
RESERVED = ("nanum", "나눔")  # names that the font's licence keeps for the original


@pytest.fixture(autouse=True)
def font_settings():
    with matplotlib.rc_context():
        yield


@pytest.fixture(scope="module")
def font():
    return TTFont(fonts.FILE)


@pytest.mark.parametrize("what, characters", [
    ("all 11,172 syllables", range(0xAC00, 0xD7A4)),
    ("single Hangul letters", range(0x3131, 0x318F)),
    ("ASCII", range(0x20, 0x7F)),
    ("punctuation", [ord(character) for character in "–—‘’“”…·※「」"]),
    ("arrows", [ord(character) for character in "←↑→↓⇒"]),
])
def test_font_has(font, what, characters):
    missing = [chr(each) for each in characters if each not in font.getBestCmap()]
    assert missing == [], what


def test_font_is_small_enough_to_come_along():
    assert fonts.FILE.stat().st_size <= 2_000_000


def test_font_does_not_use_the_reserved_name(font):
    names = {record.nameID: str(record) for record in font["name"].names}
    assert names[1] == names[4] == fonts.FAMILY
    assert [text for text in names.values() if any(word in text.lower() for word in RESERVED)] == []


def test_licence_stands_beside_the_font():
    text = (fonts.FILE.parent / "OFL.txt").read_text(encoding="utf-8")
    assert "SIL OPEN FONT LICENSE" in text and "with Reserved Font Name Nanum" in text


@pytest.mark.skipif(not SOURCE.is_file(), reason="the original font is not here (Debian: apt install fonts-nanum)")
def test_tool_makes_this_very_font(tmp_path):
    from tools import subset_font

    subset_font.make(SOURCE, tmp_path / "made.ttf")
    made, kept = TTFont(tmp_path / "made.ttf"), TTFont(fonts.FILE)
    assert made.getBestCmap() == kept.getBestCmap()
    assert [str(record) for record in made["name"].names] == [str(record) for record in kept["name"].names]


def test_register_gives_figures_hangul():
    matplotlib.rcParams["font.family"] = ["DejaVu Sans"]
    assert not fonts.has_hangul()
    fonts.register()
    assert fonts.has_hangul()
    assert matplotlib.rcParams["font.family"][0] == fonts.FAMILY


def test_register_twice_changes_nothing():
    fonts.register()
    before = len(font_manager.fontManager.ttflist), list(matplotlib.rcParams["font.family"])
    fonts.register()
    assert (len(font_manager.fontManager.ttflist), list(matplotlib.rcParams["font.family"])) == before


def drawn(text):
    figure = Figure(figsize=(2, 1))
    canvas = FigureCanvasAgg(figure)  # a figure of its own, without pyplot, has a canvas that draws nothing
    figure.text(0.1, 0.5, text)
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())


def test_two_syllables_look_different():
    fonts.register()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "Glyph 54620 missing from font(s)"
        assert not np.array_equal(drawn("한"), drawn("글"))  # two boxes would be the same


@pytest.mark.parametrize("text", [
    "\N{MINUS SIGN}1 ₩ Ж",
    # NanumGothic has é, ß and ø, but not Å, Ö or ã.
    "".join(chr(each) for each in range(0xC0, 0x100)),
], ids=["signs and another script", "Western Europe"])
def test_a_letter_the_font_lacks_comes_from_matplotlibs_own(font, text):
    assert any(ord(each) not in font.getBestCmap() for each in text)
    fonts.register()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "Glyph 197 (\N{LATIN CAPITAL LETTER A WITH RING ABOVE}) missing from font(s)"
        drawn(text)


def test_register_leaves_pyplot_alone():
    code = "import sys; from helpers import fonts; fonts.register(); sys.exit('matplotlib.pyplot' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=fonts.FILE.parents[2]).returncode == 0


def test_missing_font_file_says_how_to_restore_it(tmp_path, monkeypatch):
    monkeypatch.setattr(fonts, "FILE", tmp_path / "gone.ttf")
    with pytest.raises(FileNotFoundError, match="git checkout -- helpers/assets"):
        fonts.register()
