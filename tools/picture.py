"""Make the pictures of the READMEs, docs/images/lesson_02_{en,ko}.png: `python -m tools.picture`, after `make notebooks`.

A picture is the page of lesson 02 in JupyterLab after *Run all cells*, so it shows what a learner sees, in both languages.
It carries the hash of the weights that gave the words in it: with others it has to be made anew (`tests/test_packaging.py`).
"""

import argparse
import sys
import tempfile

from PIL import Image, PngImagePlugin

from helpers import checkpoints
from tools import browser
from tools.lesson_source import LANGUAGES, ROOT

LESSON = "02_masked_lm_english"
TOP = "widgets.masks("  # the cell at the top of the picture: the widget with the five words, and the figure below it
FOLDER = ROOT / "docs" / "images"
# GitHub shows a README about 900 pixels wide; twice as many dots keep the letters sharp on good screens.
SIZE = {"width": 900, "height": 740}
SCALE = 2


def weights():
    """The SHA-256 (str) of the weights that lesson 02 runs with."""
    return checkpoints.weights_digest(checkpoints.models_folder() / "pocket-english")


def weights_in(file):
    """The hash (str) that a picture carries, None where it carries none."""
    with Image.open(file) as picture:
        return picture.text.get("weights")


def take(chromium, address, file):
    """Run lesson 02 and photograph the page.

    Args:
        chromium: playwright's Browser.
        address: str, of the notebook.
        file: the PNG file to write.

    Raises:
        RuntimeError: a cell of the lesson failed.
    """
    with browser.notebook(chromium, address, viewport=SIZE, device_scale_factor=SCALE) as page:
        errors = browser.run_all(page)
        if errors:
            raise RuntimeError(f"{file.stem}: {errors[0]}")
        browser.fold_away(page)
        browser.save(page)  # or a dot on the tab says that there is something to save
        browser.scroll_to(page, TOP)
        page.screenshot(path=file, animations="disabled")
    note = PngImagePlugin.PngInfo()
    note.add_text("weights", weights())
    with Image.open(file) as picture:
        picture.load()
    picture.save(file, pnginfo=note, optimize=True)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--language", choices=LANGUAGES, help="this language; both without it")
    options = parser.parse_args(arguments)
    notebooks = {language: f"notebooks/{language}/{LESSON}.ipynb" for language in ([options.language] if options.language else LANGUAGES)}
    for path in notebooks.values():
        if not (ROOT / path).is_file():
            print(f"{path} is not there yet: `make notebooks` builds it.", file=sys.stderr)
            return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory() as folder:
            browser.copy_notebooks(folder)
            with browser.lab(folder) as address, browser.chromium() as chromium:
                for language, path in notebooks.items():
                    file = FOLDER / f"lesson_02_{language}.png"
                    take(chromium, address(path), file)
                    print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1000:.0f} kB")
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
