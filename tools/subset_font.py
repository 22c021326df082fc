"""Make the course's font, helpers/assets/CourseHangul-Regular.ttf, out of NanumGothic.

    python -m tools.subset_font [NanumGothic.ttf]

NanumGothic comes with Debian's fonts-nanum under the SIL Open Font License, which allows a subset but reserves the
name: the subset is called "Course Hangul". The same input gives the same bytes.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

SOURCE = Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf")
TARGET = Path(__file__).resolve().parent.parent / "helpers" / "assets" / "CourseHangul-Regular.ttf"
FAMILY = "Course Hangul"
CHARACTERS = (
    range(0x20, 0x7F),  # ASCII
    range(0xA0, 0x100),  # Latin-1
    range(0x1100, 0x1200),  # Hangul jamo
    range(0x2010, 0x2040),  # dashes, quotation marks, ellipsis
    range(0x2190, 0x21E0),  # arrows
    range(0x2200, 0x2270),  # mathematical operators
    range(0x3000, 0x3020),  # Korean brackets and full stop
    range(0x3130, 0x3190),  # Hangul letters on their own
    range(0xAC00, 0xD7A4),  # all 11,172 syllables
)
NAMES = {  # by the font format's numbers
    1: FAMILY, 2: "Regular", 3: "Course Hangul Regular 1.0", 4: FAMILY, 6: "CourseHangul-Regular",
    13: "This Font Software is licensed under the SIL Open Font License, Version 1.1.", 14: "https://openfontlicense.org",
}
KEPT = (0, 5, 9)  # copyright, version, designers
ENGLISH_ON_WINDOWS = (3, 1, 0x409)


def make(source=SOURCE, target=TARGET):
    """Write the subset. Returns its size in bytes."""
    font = TTFont(source, recalcTimestamp=False)
    options = subset.Options(hinting=False, layout_features=[], name_IDs=["*"], name_languages=["*"], notdef_outline=True)
    options.drop_tables += ["kern", "TSI0", "TSI1", "TSI2", "TSI3", "TSI5"]
    options.recalc_timestamp = False
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[character for block in CHARACTERS for character in block])
    subsetter.subset(font)
    rename(font["name"])
    font.save(target)
    return target.stat().st_size


def rename(table):
    """Leave no reserved name where a reader would see it: one English record of each kind, the copyright line as it was."""
    kept = {number: table.getDebugName(number) for number in KEPT}
    table.names = []
    for number, text in sorted({**kept, **NAMES}.items()):
        if text:
            table.setName(text, number, *ENGLISH_ON_WINDOWS)


if __name__ == "__main__":
    size = make(*map(Path, sys.argv[1:2]))
    print(f"{TARGET.name}: {size:,} bytes")
