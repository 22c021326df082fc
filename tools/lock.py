"""Lock the dependencies of `pyproject.toml`, with hashes, into `requirements/*.txt`: `make lock`.

One file serves Python 3.10-3.13 on Linux, macOS and Windows. Versions that are locked stay as they are unless
`--upgrade` asks for the newest. Where the packages come from is not written down: any index with the same files will do.
"""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CPU = ["requirements/cpu.in", "--override", "requirements/cpu-override.in"]
COURSE = ["--constraint", "requirements/course.txt"]  # every list has the course's versions
PYTHONS = ["--python-version", "3.10", "--fork-strategy", "fewest"]  # one version of a package on every Python
LISTS = {  # in this order: the later ones are constrained by the first
    "course": ["pyproject.toml", *CPU, *PYTHONS],
    "test": ["pyproject.toml", "--extra", "test", *CPU, *COURSE, *PYTHONS],
    "train": ["pyproject.toml", "--extra", "train", *CPU, *COURSE, *PYTHONS],
    "gpu": ["pyproject.toml", "--extra", "gpu", *COURSE, *PYTHONS],
    "colab": ["requirements/colab.in", "--no-deps", *COURSE, "--python-version", "3.12"],
    "uv": ["requirements/uv.in", *PYTHONS],
}


def command(name, upgrade=False):
    return [
        sys.executable, "-m", "uv", "pip", "compile", *LISTS[name],
        "--universal", "--generate-hashes", "--no-emit-index-url", "--quiet",
        "--custom-compile-command", "make lock",
        "--output-file", f"requirements/{name}.txt",
        *(["--upgrade"] if upgrade else []),
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml allows")
    upgrade = parser.parse_args().upgrade
    for name in LISTS:
        print(f"requirements/{name}.txt", flush=True)
        subprocess.run(command(name, upgrade), cwd=ROOT, check=True)
