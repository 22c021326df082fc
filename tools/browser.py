"""The course in JupyterLab in a real browser: what tests/test_browser.py and tools/picture.py share.

    browser.copy_notebooks(folder)
    with browser.lab(folder) as address, browser.chromium() as chromium:
        with browser.notebook(chromium, address("notebooks/en/01_integer_encoding.ipynb")) as page:
            errors = browser.run_all(page)

JupyterLab starts as `make lab` starts it, on a copy of the notebooks and with settings of its own, so nothing that happens
here reaches the reader's files. Chromium finds no computer but this one, and the course's font where there is no Hangul.
Needs the `test` list (playwright) and a chromium on the PATH; playwright is imported only when a browser starts.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote
from xml.sax.saxutils import escape

import nbformat

from helpers import fonts
from tools import lab as course_lab
from tools import notebook_runner

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
# Generous: a busy computer with two slow cores takes half a minute where an idle one takes two seconds.
SECONDS_TO_START = 120
SECONDS_TO_RUN = 600
SECONDS_TO_STOP = 30
POP_UPS = ".jp-Dialog, .Toastify__toast"


def find_chromium():
    """The path (str) of a chromium on this computer, or None."""
    return next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


def copy_notebooks(folder):
    """Copy notebooks/ into `folder`, without outputs: every output seen there later comes from running there."""
    for source in sorted((course_lab.ROOT / "notebooks").glob("*/*.ipynb")):
        notebook = nbformat.read(source, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        copy = Path(folder, "notebooks", source.parent.name, source.name)
        copy.parent.mkdir(parents=True, exist_ok=True)
        nbformat.write(notebook, copy)


# -------------------------------------------------------------------------------------------------------------- the lab


@contextlib.contextmanager
def lab(folder):
    """Start JupyterLab as `make lab` does, on a folder that holds notebooks/, and stop it and its kernels at the end.

    Args:
        folder: what `copy_notebooks` filled. It also takes JupyterLab's settings and log, in `.jupyter`.

    Yields:
        A function: the path (str) of a file inside the folder -> the address that opens it, in an empty workspace.

    Raises:
        RuntimeError: JupyterLab ended or did not answer; the message has the end of its log.
    """
    settings = Path(folder, ".jupyter")
    settings.mkdir()
    log = settings / "log.txt"
    arguments = ["--no-browser", f"--ServerApp.port={_free_port()}", "--LabApp.expose_app_in_browser=True"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # as in a container; JupyterLab wants to be told
        arguments.append("--allow-root")
    environment = course_lab.environment(notebook_runner.kernel_environment())
    environment |= {"JUPYTER_CONFIG_DIR": str(settings / "config"), "JUPYTER_RUNTIME_DIR": str(settings / "runtime"),
                    "IPYTHONDIR": str(settings / "ipython")}
    with log.open("wb") as output:
        server = subprocess.Popen(course_lab.command(arguments, root=folder), cwd=folder, env=environment,
                                  stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT)
    try:
        running = _answer_of(server, settings / "runtime" / f"jpserver-{server.pid}.json", log)
        yield lambda path: f"{running['url']}lab/tree/{quote(path)}?token={running['token']}&reset"
    finally:
        server.terminate()  # it shuts its kernels down first
        try:
            server.wait(SECONDS_TO_STOP)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _free_port():
    with socket.socket() as each:
        each.bind(("127.0.0.1", 0))
        return each.getsockname()[1]


def _answer_of(server, file, log):
    """What a server writes down about itself once it listens: its address and its token (dict)."""
    until = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < until and server.poll() is None:
        with contextlib.suppress(FileNotFoundError, json.JSONDecodeError):  # not there yet, or half written
            return json.loads(file.read_text(encoding="utf-8"))
        time.sleep(0.2)
    what = "did not start in time" if server.poll() is None else "ended"
    raise RuntimeError(f"JupyterLab {what}:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")


# ---------------------------------------------------------------------------------------------------------- the browser


@contextlib.contextmanager
def chromium():
    """Start a headless chromium and end it.

    Yields:
        playwright's Browser.

    Raises:
        RuntimeError: there is no chromium here.
    """
    from playwright.sync_api import sync_playwright

    path = find_chromium()
    if path is None:
        raise RuntimeError(f"No browser: install chromium (looked for {', '.join(CHROMIUM_NAMES)}).")
    arguments = ["--disable-background-networking", "--disable-component-update", "--no-first-run",
                 "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]  # the same page with a network and without
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=arguments, env={**os.environ, **_with_hangul(folder)},
            chromium_sandbox=not (hasattr(os, "geteuid") and os.geteuid() == 0),  # the sandbox does not start for root
            timeout=SECONDS_TO_START * 1000,
        )
        try:
            yield browser
        finally:
            browser.close()


def _with_hangul(folder):
    """Let a browser on Linux draw Hangul with the course's font where the computer has no Korean one (dict)."""
    if not sys.platform.startswith("linux"):
        return {}
    configuration = Path(folder, "fonts.conf")
    configuration.write_text(
        '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "fonts.dtd">\n<fontconfig>'
        '<include ignore_missing="yes">/etc/fonts/fonts.conf</include>'
        f"<dir>{escape(str(fonts.FILE.parent))}</dir><cachedir>{escape(folder)}</cachedir></fontconfig>\n", encoding="utf-8")
    return {"FONTCONFIG_FILE": str(configuration)}


# ------------------------------------------------------------------------------------------------------------- the page

_STATE = """() => {
    const panel = window.jupyterapp?.shell.currentWidget;
    const cells = Array.from(panel?.content?.model?.cells ?? []).map(cell => ({
        type: cell.type, source: cell.sharedModel.getSource(), count: cell.executionCount ?? null,
        errors: cell.type === 'code' ? cell.outputs.toJSON().filter(each => each.output_type === 'error')
                                           .map(each => `${each.ename}: ${each.evalue}`) : [],
    }));
    return { path: panel?.context?.path ?? null, kernel: panel?.sessionContext?.session?.kernel?.status ?? null, cells };
}"""


@contextlib.contextmanager
def notebook(chromium, address, **options):
    """Open a notebook and wait until its kernel is ready; at the end close it and give the kernel's memory back.

    Args:
        chromium: playwright's Browser.
        address: str, from `lab`.
        options: what playwright's `new_page` takes, such as `viewport`.

    Yields:
        playwright's Page.
    """
    page = chromium.new_page(**options)
    try:
        page.set_default_timeout(SECONDS_TO_START * 1000)
        page.goto(address)
        page.wait_for_function(f"() => {{ const now = ({_STATE})(); return now.cells.length && now.kernel === 'idle' }}")
        page.evaluate("() => window.jupyterapp.restored")
        yield page
        page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    finally:
        page.close()


def state(page):
    """What JupyterLab knows of the open notebook, whether it is in view or not.

    Returns:
        dict: path; kernel ("idle", "busy", …); cells, a list of dicts with type, source, count (None where a cell has
        not run) and errors (list of str).
    """
    return page.evaluate(_STATE)


def run_all(page):
    """Run all cells, as in the menu, and wait until each code cell has its number or one of them failed.

    Returns:
        list of str: the errors, with the number of the code cell; empty when all is well.

    Raises:
        playwright's TimeoutError: it took longer than SECONDS_TO_RUN.
    """
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells') }")
    page.wait_for_function(
        f"""() => {{
            const now = ({_STATE})(), code = now.cells.filter(cell => cell.type === 'code');
            return now.kernel === 'idle' && (code.every(cell => cell.count) || code.some(cell => cell.errors.length));
        }}""",
        polling=500, timeout=SECONDS_TO_RUN * 1000,
    )
    code = [cell for cell in state(page)["cells"] if cell["type"] == "code"]
    return [f"code cell {number}: {error}" for number, cell in enumerate(code, 1) for error in cell["errors"]]


def scroll_to(page, text):
    """Bring the first cell whose source has `text` to the top of the page.

    Returns:
        playwright's Locator of that cell.
    """
    number = next(number for number, cell in enumerate(state(page)["cells"]) if text in cell["source"])
    cell = page.locator(f'.jp-Notebook:visible .jp-Cell[data-windowed-list-index="{number}"]')
    # JupyterLab draws a cell when it comes near, and cells above that are drawn later push it away: go there until it stays.
    places = [None]
    while len(places) < 4 or len(set(places[-3:])) > 1:
        page.evaluate("number => window.jupyterapp.shell.currentWidget.content.scrollToItem(number, 'start')", number)
        cell.evaluate("cell => cell.scrollIntoView({ block: 'start', behavior: 'instant' })")
        page.wait_for_timeout(300)
        places.append(cell.bounding_box()["y"])
    return cell


def pop_ups(page):
    """The texts (list of str) of the dialogs and notifications that stand on the page."""
    return page.locator(POP_UPS).all_inner_texts()


def fold_away(page):
    """Fold the file browser and the status bar away, so that the notebook has the page."""
    for bar, command in (("#jp-left-stack", "application:toggle-left-area"), ("#jp-main-statusbar", "statusbar:toggle")):
        if page.locator(bar).is_visible():
            page.evaluate("command => window.jupyterapp.commands.execute(command)", command)


def save(page):
    """Save the open notebook, which is a copy."""
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
