"""Korean or English: which one this reader reads, and one call that picks a text.

A lesson's code is the same in both languages. What a helper says to the reader (an announcement, an error, a hint, a
label) follows the notebook it is called from; names of the field (`input_ids`, `logits`) stay English.
"""

import os
from pathlib import Path

LANGUAGES = ("ko", "en")
DEFAULT = "en"


def current():
    """Which language the reader reads.

    Returns:
        "ko" or "en": `COURSE_LANGUAGE` if it is set, else the name of the working folder (`notebooks/ko`), else "en".

    Raises:
        ValueError: `COURSE_LANGUAGE` is something else.
    """
    asked = os.environ.get("COURSE_LANGUAGE", "").strip()
    if asked:
        return checked(asked)
    folder = Path.cwd().name
    return folder if folder in LANGUAGES else DEFAULT


def checked(language):
    """`language` in the spelling that the course uses.

    Raises:
        ValueError: it is neither Korean nor English. The reader's language is not known, so it is said in both.
    """
    spelt = str(language).lower()
    if spelt not in LANGUAGES:
        raise ValueError(
            f"COURSE_LANGUAGE={language!r}: choose ko (Korean) or en (English). / ko(한국어)나 en(영어) 가운데 고르세요."
        )
    return spelt


def say(en, ko):
    """The text of the current language.

    Args:
        en: str, the English text.
        ko: str, the Korean text.

    Returns:
        One of the two.
    """
    return ko if current() == "ko" else en
