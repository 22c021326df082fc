"""Open JupyterLab on the start page, in the reader's language: `make lab`, or `python -m tools.lab` inside `.venv`.

Further arguments go to JupyterLab: `python -m tools.lab --no-browser --port 8899`.
"""

import locale
import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = ("en", "ko")


def language(given=os.environ):
    """`COURSE_LANGUAGE`, else Korean where the computer speaks Korean, else English."""
    asked = given.get("COURSE_LANGUAGE", "").strip().lower()
    if asked:
        if asked not in LANGUAGES:
            raise ValueError(f"COURSE_LANGUAGE={asked!r}: choose one of {', '.join(LANGUAGES)}.")
        return asked
    spoken = next((given[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if given.get(name)), None)
    spoken = spoken or locale.getlocale()[0] or ""
    return "ko" if spoken.lower().startswith("ko") else "en"


def environment(given=os.environ):
    """Adds `tools/jupyter`, which turns off JupyterLab's news and update pop-ups: a lesson starts without questions."""
    paths = [str(ROOT / "tools" / "jupyter"), given.get("JUPYTER_CONFIG_PATH")]
    return {**given, "JUPYTER_CONFIG_PATH": os.pathsep.join(filter(None, paths))}


def start_page(spoken):
    """The notebook that opens first, inside the course's folder."""
    return f"notebooks/{spoken}/00_start_here.ipynb"


def command(arguments, root=ROOT, user=getattr(os, "geteuid", lambda: None)()):
    """What starts JupyterLab on the start page; `root` is the folder that holds notebooks/, `user` the user's number.

    Raises:
        ValueError: the user is root, whom JupyterLab does not serve unless asked to.
    """
    if user == 0 and "--allow-root" not in arguments:
        raise ValueError("You are root, and JupyterLab would let every notebook act as root. Start it as another user; "
                         "in a container that is yours alone: make lab ARGS=--allow-root")
    return [
        sys.executable, "-m", "jupyterlab", start_page(language()),
        f"--ServerApp.root_dir={root}",
        "--ServerApp.ip=127.0.0.1",  # this computer only
        *arguments,
    ]


if __name__ == "__main__":
    try:
        lab = command(sys.argv[1:])
    except ValueError as error:
        sys.exit(str(error))
    signal.signal(signal.SIGINT, lambda *_: None)  # Control-C is JupyterLab's to answer: it asks, then shuts its kernels down
    sys.exit(subprocess.call(lab, cwd=ROOT, env=environment()))
