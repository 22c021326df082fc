"""Run notebooks the way Colab does: on an image with transformers 5, Keras 3 and PyTorch, from an empty folder.

    python -m tools.try_colab --python python3.12                      makes such an environment, then runs every notebook
    python -m tools.try_colab --environment FOLDER --only 02           uses one that is there

Each notebook is copied alone into an empty folder; its set-up cell has to fetch the course (here: a clone of this commit)
and install what the image lacks. Needs the network, and several GB of disk for PyTorch.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.lesson_source import LANGUAGES, ROOT
from tools.run_course import notebooks

# What of Colab's image matters to the set-up cell: transformers 5, Keras 3, PyTorch, a TensorFlow without tf-keras.
IMAGE = [
    "pip", "tensorflow==2.19.*", "transformers>=5", "torch", "sentence-transformers", "pandas", "matplotlib", "ipywidgets", "scipy",
    "scikit-learn", "psutil", "pyyaml", "ipykernel", "nbconvert",
]


def make_environment(python, folder):
    """A virtual environment with `IMAGE` installed."""
    subprocess.run([python, "-m", "venv", str(folder)], check=True)
    subprocess.run([sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(interpreter(folder)), *IMAGE], check=True)


def interpreter(environment):
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def run(notebook, environment, source):
    """Run one notebook from an empty folder.

    Returns:
        str, the last lines of what went wrong, or None.
    """
    with tempfile.TemporaryDirectory() as folder:
        copied = shutil.copy(notebook, folder)
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("COURSE_", "PYTHONPATH", "VIRTUAL_ENV"))}
        variables |= {"COURSE_SOURCE": source, "PATH": f"{interpreter(environment).parent}{os.pathsep}{os.environ['PATH']}"}
        result = subprocess.run(
            [interpreter(environment), "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", "--ExecutePreprocessor.timeout=600", copied],
            cwd=folder, env=variables, capture_output=True, text=True,
        )
        return "\n".join(result.stderr.splitlines()[-12:]) if result.returncode else None


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--python", default=sys.executable, help="the interpreter to make the environment with (Colab has 3.12)")
    parser.add_argument("--environment", type=Path, help="an environment of that kind that is there already")
    parser.add_argument("--only", type=int, nargs="+", metavar="NN", help="these lessons")
    parser.add_argument("--language", choices=LANGUAGES, help="this language")
    options = parser.parse_args(arguments)
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        environment = options.environment
        if environment is None:
            environment = Path(folder) / "image"
            make_environment(options.python, environment)
        for path in notebooks(options.language, options.only):
            problem = run(path, environment.resolve(), ROOT.as_uri())
            print(f"{path.parent.name}/{path.stem}: {'failed' if problem else 'ok'}", flush=True)
            if problem:
                failed += 1
                print(problem)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
