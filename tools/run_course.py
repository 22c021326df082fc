"""Run every lesson from top to bottom without a browser: `make course`.

    python -m tools.run_course                        every notebook of both languages
    python -m tools.run_course --only 01 --language ko

Each notebook runs in a fresh kernel, offline, on the models of COURSE_MODELS (the pocket models unless you say otherwise).
The stored notebooks stay as they are.
"""

import argparse
import os
import sys
import time

import nbformat

from tools import notebook_runner
from tools.lesson_source import LANGUAGES, ROOT

ROW = "{lesson:<34} {language:<8} {cells:>5} {seconds:>8} {memory:>8}  {result}"
TITLES = ROW.format(lesson="lesson", language="language", cells="cells", seconds="seconds", memory="peak GB", result="")


def notebooks(language=None, only=None, folder=ROOT / "notebooks"):
    """The built notebooks, by lesson and then by language."""
    found = [path for each in ([language] if language else LANGUAGES) for path in (folder / each).glob("[0-9][0-9]_*.ipynb")]
    return sorted((path for path in found if only is None or int(path.stem[:2]) in only),
                  key=lambda path: (path.stem, path.parent.name))


def run(path):
    """Execute one notebook.

    Returns:
        dict: lesson, language, cells, seconds, memory (GB), slowest (seconds, cell number), error (None when all is well).
    """
    notebook = nbformat.read(path, as_version=4)
    since = time.monotonic()
    run = notebook_runner.Run()
    error = None
    try:
        notebook_runner.execute(notebook, path.parent, notebook_runner.kernel_environment(os.environ.get("COURSE_MODELS", "pocket")), run)
    except notebook_runner.CellFailed as failure:
        error = str(failure)
    slowest = max(((seconds, number) for number, seconds in enumerate(run.seconds, start=1)), default=(0.0, 0))
    return {
        "lesson": path.stem, "language": path.parent.name, "cells": len(run.seconds), "seconds": time.monotonic() - since,
        "memory": run.peak_memory / 1e9, "slowest": slowest, "error": error,
    }


def row(result):
    return ROW.format(
        lesson=result["lesson"], language=result["language"], cells=result["cells"], seconds=f"{result['seconds']:.1f}",
        memory=f"{result['memory']:.2f}", result="failed" if result["error"] else "ok")


def main(arguments=None, folder=ROOT / "notebooks"):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=int, nargs="+", metavar="NN", help="these lessons")
    parser.add_argument("--language", choices=LANGUAGES, help="this language")
    options = parser.parse_args(arguments)
    paths = notebooks(options.language, options.only, folder)
    if not paths:
        print("No such notebook; build them with `make notebooks`.", file=sys.stderr)
        return 1
    results = []
    for number, path in enumerate(paths, start=1):
        print(f"[{number}/{len(paths)}] {path.parent.name}/{path.stem} … ", end="", flush=True)
        results.append(run(path))
        last = results[-1]
        print(f"{last['cells']} cells, {last['seconds']:.1f} s, {last['memory']:.2f} GB"
              + (f"\n    FAILED {last['error']}" if last["error"] else ""), flush=True)
    print(summary(results))
    return 1 if any(result["error"] for result in results) else 0


def summary(results):
    slowest = max(results, key=lambda result: result["slowest"][0])
    seconds, cell = slowest["slowest"]
    failed = [result for result in results if result["error"]]
    return "\n".join([
        "", TITLES.rstrip(), *map(row, results), "",
        f"Slowest cell: {seconds:.1f} s, code cell {cell} of {slowest['language']}/{slowest['lesson']}.",
        f"Most memory: {max(result['memory'] for result in results):.2f} GB.",
        f"{len(failed)} of {len(results)} notebooks failed." if failed else f"All {len(results)} notebooks ran.",
    ])


if __name__ == "__main__":
    sys.exit(main())
