"""Read a pocket model's configuration file (`tools/pocket/pocket-*.toml`)."""

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
FIGURES = ROOT / "helpers" / "document_figures.json"


def names():
    """The pocket models that have a configuration, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name):
    """Read one configuration.

    Args:
        name: str, such as "pocket-english".

    Returns:
        dict, the TOML file's tables, with `name` added.

    Raises:
        ValueError: there is no such configuration.
    """
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise ValueError(f"No configuration {name!r}: choose one of {', '.join(names())}.")
    with open(path, "rb") as file:
        return {**tomllib.load(file), "name": name}
