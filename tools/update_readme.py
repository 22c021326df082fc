"""Fill what the READMEs and the citation derive: the table of lessons and the public address.

    python -m tools.update_readme            write them
    python -m tools.update_readme --check    write nothing; fail where they are out of date

The table comes from the front matter of `lessons/`, the address from `pyproject.toml`.
"""

import argparse
import re
import sys
from pathlib import Path

import yaml

from tools import repository

ROOT = Path(__file__).resolve().parent.parent
READMES = {"README.md": "en", "README.ko.md": "ko"}
BEGIN, END = "<!-- lessons:begin -->", "<!-- lessons:end -->"
HEADINGS = {
    "en": ("Lesson", "Afterwards you can", "Minutes", "English", "Korean"),
    "ko": ("레슨", "마치면 할 수 있는 것", "분", "한국어", "영어"),
}
OPEN_IN_COLAB = {"en": "Open in Colab", "ko": "Colab에서 열기"}


def front_matter(path):
    """The YAML block at the top of a lesson; `lesson`, `title`, `minutes` and `objectives` have to be there."""
    match = re.match(r"---\n(.*?)\n---\n", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    entries = yaml.safe_load(match.group(1)) if match else {}
    missing = [key for key in ("lesson", "title", "minutes", "objectives") if key not in entries]
    if missing:
        raise ValueError(f"{path}: no {', '.join(missing)} in the front matter.")
    return entries


def lesson_table(language, repository_name, lessons=ROOT / "lessons"):
    """One row a lesson: title and objectives in `language`, a notebook and a Colab badge in each language."""
    other = {"en": "ko", "ko": "en"}[language]
    rows = ["| {} |".format(" | ".join(HEADINGS[language])), "|---|---|---:|---|---|"]
    for path in sorted((lessons / language).glob("[0-9][0-9]_*.md")):
        entries = front_matter(path)
        notebooks = {each: f"notebooks/{each}/{path.stem}.ipynb" for each in (language, other)}
        title = f"[{path.stem[:2]} {cell(entries['title'])}]({notebooks[language]})"
        objectives = "<br>".join(map(cell, entries["objectives"]))
        badges = [repository.colab_badge(repository_name, notebooks[each], OPEN_IN_COLAB[language]) for each in notebooks]
        rows.append(f"| {title} | {objectives} | {entries['minutes']} | {' | '.join(badges)} |")
    return "\n".join(rows)


def cell(text):
    return str(text).replace("|", "\\|").replace("\n", " ").strip()


def updated(name, text, repository_name):
    """The text of a file with everything derived brought up to date."""
    address = repository.clone_url(repository_name)
    if name == "CITATION.cff":
        return re.sub(r"(?m)^(repository-code: ).*$", rf'\g<1>"{address}"', text)
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    text = f"{before}{BEGIN}\n{lesson_table(READMES[name], repository_name)}\n{END}{after}"
    return re.sub(r"(git clone )https://\S+", rf"\g<1>{address}", text)


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a file is out of date")
    parser.add_argument("--repository", default=repository.name(), metavar="OWNER/NAME", help="a fork's address")
    options = parser.parse_args(arguments)
    stale = []
    for name in (*READMES, "CITATION.cff"):
        path = ROOT / name
        text = path.read_text(encoding="utf-8")
        new = updated(name, text, options.repository)
        if new != text:
            stale.append(name)
            if not options.check:
                path.write_text(new, encoding="utf-8", newline="\n")
    if stale:
        print(f"{'Out of date (run `make readme`)' if options.check else 'Updated'}: {', '.join(stale)}")
    return 1 if options.check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
