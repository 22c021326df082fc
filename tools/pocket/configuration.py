"""Read a pocket model's configuration file (`tools/pocket/pocket-*.toml`)."""

import sys
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
REPLACED = ("start",)  # a start of another kind has other keys
FIGURES = ROOT / "helpers" / "document_figures.json"


def names():
    """The pocket models that have a configuration, sorted."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name):
    """Read one configuration.

    Args:
        name: str, such as "pocket-english".

    Returns:
        dict, the TOML file's tables, with `name` added. A file that names another one in `like` holds only what differs from
        it, see `merged`, and sources to add.

    Raises:
        ValueError: there is no such configuration.
    """
    path = FOLDER / f"{name}.toml"
    if not path.is_file():
        raise ValueError(f"No configuration {name!r}: choose one of {', '.join(names())}.")
    with open(path, "rb") as file:
        written = tomllib.load(file)
    if "like" in written:
        base = load(written.pop("like"))
        written = {**merged(base, {key: value for key, value in written.items() if key != "sources"}), "sources": base["sources"] + written.get("sources", [])}
    return {**written, "name": name}


def merged(configuration, changes):
    """A configuration (dict) with some of its tables' values changed; the table `start` is replaced whole."""
    result = dict(configuration)
    for table, values in changes.items():
        result[table] = dict(values) if table in REPLACED else {**configuration.get(table, {}), **values}
    return result
