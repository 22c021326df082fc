"""The project's public address, read from the one place where it stands: `pyproject.toml`.

Badges, README tables, set-up cells and the citation derive from it, so a fork changes one line.
"""

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
BRANCH = "main"


def name(pyproject=ROOT / "pyproject.toml"):
    """`owner/name`."""
    urls = tomllib.loads(pyproject.read_text(encoding="utf-8"))["project"]["urls"]
    return "/".join(urls["Repository"].rstrip("/").split("/")[-2:])


def clone_url(repository):
    return f"https://github.com/{repository}"


def colab_url(repository, path):
    """The address that opens a notebook of this project on Colab; `path` is inside the project."""
    return f"https://colab.research.google.com/github/{repository}/blob/{BRANCH}/{path}"


def colab_badge(repository, path, alt="Open in Colab"):
    return f"[![{alt}](https://colab.research.google.com/assets/colab-badge.svg)]({colab_url(repository, path)})"
