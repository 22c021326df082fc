"""Read a lesson's source, `lessons/{en,ko}/NN_name.md`: its front matter and its cells.

The format is MyST Markdown as jupytext reads it. Instructor blocks (`:::{instructor} 3 min` … `:::`) are not part of the
cells: they are written for the instructor guide.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import jupytext
import yaml

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("en", "ko")
FRONT_MATTER = {"lesson": int, "title": str, "minutes": int, "objectives": list, "needs": list, "next": str}
JUPYTEXT_KEYS = {"jupytext", "kernelspec"}  # they let Jupyter open the source itself as a notebook
KINDS = {int: "a whole number", str: "a text", list: "a list of texts"}


class LessonError(Exception):
    """A lesson that cannot be built; one line that names the file and what to mend."""


@dataclass(frozen=True)
class Lesson:
    path: Path
    language: str
    front_matter: dict
    cells: tuple  # nbformat cells, without ids to rely on

    @property
    def label(self):
        """`en/01_integer_encoding`, the name of the lesson in messages."""
        return f"{self.language}/{self.path.stem}"

    @property
    def code_cells(self):
        return [cell for cell in self.cells if cell.cell_type == "code"]


def paths(language=None, only=None, lessons=ROOT / "lessons"):
    """The sources, by lesson and then by language.

    Args:
        language: "en" or "ko"; both when None.
        only: the numbers of the lessons wanted; all when None.

    Raises:
        LessonError: a number that no lesson has.
    """
    wanted = [language] if language else LANGUAGES
    found = sorted((path for each in wanted for path in (lessons / each).glob("[0-9][0-9]_*.md")),
                   key=lambda path: (path.stem, path.parent.name))
    if only is None:
        return found
    unknown = sorted(set(only) - {int(path.stem[:2]) for path in found})
    if unknown:
        raise LessonError(f"{lessons.name}: there is no lesson {unknown[0]:02d}.")
    return [path for path in found if int(path.stem[:2]) in only]


def read(path):
    """The `Lesson` in a file.

    Raises:
        LessonError: the front matter lacks something, an instructor block does not end, a cell cannot be read.
    """
    where = name(path)
    front_matter = read_front_matter(path)
    _, body = split(path.read_text(encoding="utf-8"), where)
    try:
        notebook = jupytext.reads(without_instructor_blocks(body, where), fmt="md:myst")
    except jupytext.myst.MystMetadataParsingError as error:
        raise LessonError(f"{where}: {' '.join(str(error).split())}") from None
    check_markdown(notebook.cells, where)
    return Lesson(path, path.parent.name, front_matter, tuple(notebook.cells))


def read_front_matter(path):
    """The checked front matter (dict) of a lesson's source."""
    front_matter, _ = split(path.read_text(encoding="utf-8"), name(path))
    check_front_matter(front_matter, path)
    return front_matter


def name(path):
    """`lessons/en/01_integer_encoding.md`: how messages call a file, wherever the project lies."""
    return "/".join(path.parts[-3:])


def split(text, where):
    """Front matter (dict) and body (text)."""
    match = re.match(r"---\n(.*?\n)---\n(.*)", text, flags=re.DOTALL)
    if not match:
        raise LessonError(f"{where}: no front matter; start the file with a block between two lines of ---.")
    try:
        front_matter = yaml.safe_load(match[1])
    except yaml.YAMLError as error:
        raise LessonError(f"{where}: front matter: {' '.join(str(error).split())}") from None
    if not isinstance(front_matter, dict):
        raise LessonError(f"{where}: front matter: write it as `key: value` lines.")
    return front_matter, match[2]


def check_front_matter(front_matter, path):
    where = name(path)
    for key, kind in FRONT_MATTER.items():
        if key not in front_matter:
            raise LessonError(f"{where}: front matter: `{key}` is missing.")
        value = front_matter[key]
        if type(value) is not kind or value in ("", []) or kind is list and not all(
                isinstance(item, str) and item.strip() for item in value):
            raise LessonError(f"{where}: front matter: `{key}` has to be {KINDS[kind]}, not {value!r}.")
    unknown = sorted(set(front_matter) - set(FRONT_MATTER) - JUPYTEXT_KEYS)
    if unknown:
        raise LessonError(f"{where}: front matter: `{unknown[0]}` is not a key of ours ({', '.join(FRONT_MATTER)}).")
    if not re.match(rf"{front_matter['lesson']:02d}_", path.name):
        raise LessonError(f"{where}: front matter: `lesson` is {front_matter['lesson']}, the file's name says otherwise.")


def without_instructor_blocks(text, where):
    """The text a learner reads; instructor blocks and the empty lines they leave behind are gone."""
    kept, colons, code_fence = [], None, None
    for line in text.splitlines():
        if colons:
            colons = None if line.strip() == colons else colons
            continue
        fence = re.match(r"\s*(`{3,}|~{3,})", line)
        if fence and code_fence is None:
            code_fence = fence[1]
        elif fence and line.strip() == code_fence:
            code_fence = None
        block = None if code_fence else re.match(r"(:{3,})\{instructor\}", line)
        if block:
            colons = block[1]
            if kept and not kept[-1].strip():
                kept.pop()
            continue
        kept.append(line)
    if colons:
        raise LessonError(f"{where}: an instructor block does not end; close it with a line {colons}.")
    return "\n".join(kept) + "\n"


def check_markdown(cells, where):
    """Notebooks show plain Markdown: a MyST directive would be read as it stands, by a learner."""
    for cell in cells:
        directive = re.search(r"(?m)^\s*(?:`{3,}|:{3,})\{[^}]*\}.*$", cell.source) if cell.cell_type == "markdown" else None
        if directive:
            raise LessonError(f"{where}: notebooks cannot show `{directive[0].strip()}`; write it as plain Markdown.")
