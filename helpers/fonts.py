"""Hangul in figures: matplotlib's own font has none and draws boxes.

The course brings a font with every Korean syllable, Latin letters, common punctuation and arrows: a subset of
NanumGothic (SIL Open Font License, assets/OFL.txt), renamed because the licence reserves the name. `tools/subset_font.py`
makes it.
"""

from pathlib import Path

FAMILY = "Course Hangul"
FILE = Path(__file__).parent / "assets" / "CourseHangul-Regular.ttf"
FALLBACK = "DejaVu Sans"  # matplotlib's own font: draws what a Korean font lacks


def register():
    """Make every figure from here on use the course's font; calling it again changes nothing.

    Raises:
        FileNotFoundError: the font file is missing.
    """
    if not FILE.is_file():
        from helpers.language import say

        raise FileNotFoundError(say(
            f"The course's font helpers/assets/{FILE.name} is missing: restore it with `git checkout -- helpers/assets`.",
            f"강의의 글꼴 helpers/assets/{FILE.name} 파일이 없습니다. `git checkout -- helpers/assets`로 되돌리세요.",
        ))
    import matplotlib
    from matplotlib import font_manager

    if FAMILY not in font_manager.fontManager.get_font_names():
        font_manager.fontManager.addfont(FILE)
    matplotlib.rcParams["font.family"] = [FAMILY, FALLBACK]


def has_hangul():
    """Would a figure that is drawn now show Hangul?

    Returns:
        bool: one of the font families that matplotlib is set to has the syllable 한.
    """
    import matplotlib
    from matplotlib import font_manager

    for family in matplotlib.rcParams["font.family"]:
        try:
            path = font_manager.findfont(family, fallback_to_default=False)
        except ValueError:  # that family is not on this computer
            continue
        if font_manager.get_font(path).get_char_index(ord("한")):
            return True
    return False
