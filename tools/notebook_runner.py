"""Execute a notebook in a fresh kernel of this Python, in its own folder, on the models that come with the course."""

import os
import tempfile
import threading
import time
from dataclasses import dataclass, field

import psutil
from ipykernel.kernelspec import RESOURCES, get_kernel_dict
from jupyter_client import AsyncKernelManager
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

SECONDS_A_CELL = 600
SECONDS_BETWEEN_MEMORY_SAMPLES = 0.1


class CellFailed(Exception):
    """A cell raised; the message names the cell, the error and the line it starts with."""


class ThisPython(KernelSpecManager):
    """Whatever kernels a computer has registered, lessons run in the Python that runs this file."""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(resource_dir=RESOURCES, **get_kernel_dict())


@dataclass
class Run:
    """What an execution took: seconds of each code cell, and the most memory (bytes) the kernel held."""

    seconds: list = field(default_factory=list)
    peak_memory: int = 0


def kernel_environment(models="pocket"):
    """The environment of a lesson's kernel: this one, without what would change the outputs."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("COURSE_")}
    environment |= {"COURSE_MODELS": models, "PYTHONHASHSEED": "0", "HF_HUB_OFFLINE": "1"}
    if "COURSE_MODELS_FOLDER" in os.environ:
        environment["COURSE_MODELS_FOLDER"] = os.environ["COURSE_MODELS_FOLDER"]
    return environment


def execute(notebook, folder, environment=None, run=None):
    """Run every code cell and put the outputs into `notebook`.

    Args:
        notebook: an nbformat notebook; it is changed.
        folder: the working folder of the kernel.
        environment: dict; `kernel_environment()` when None.
        run: a `Run` to fill, for whoever wants it even when a cell fails.

    Returns:
        The `Run`.

    Raises:
        CellFailed: a cell raised an error, took too long or ended the kernel. Later cells have not run.
    """
    run, running = run or Run(), {}

    def start(cell, cell_index):
        running.update(cell=cell, index=cell_index, since=time.monotonic())

    def stop(cell, cell_index, execute_reply):
        run.seconds.append(time.monotonic() - running["since"])

    sockets = tempfile.TemporaryDirectory(prefix="course-")
    # Named sockets, so that no port is opened and lessons run where even the loopback network is off.
    transport = {} if os.name == "nt" else {"transport": "ipc", "ip": os.path.join(sockets.name, "kernel")}
    client = NotebookClient(
        notebook, km=AsyncKernelManager(kernel_name="python3", kernel_spec_manager=ThisPython(), **transport),
        timeout=SECONDS_A_CELL, record_timing=False, store_widget_state=False,
        on_cell_execute=start, on_cell_executed=stop,
    )
    finished = threading.Event()
    watch = threading.Thread(target=_watch_memory, args=(client, run, finished), daemon=True)
    watch.start()
    try:
        client.execute(cwd=str(folder), env=environment or kernel_environment(), cleanup_kc=True)
    except CellExecutionError as error:
        raise CellFailed(_describe(notebook, running, f"{error.ename}: {_first_line(error.evalue)}")) from None
    except CellTimeoutError:
        raise CellFailed(_describe(notebook, running, f"ran for more than {SECONDS_A_CELL} seconds")) from None
    except DeadKernelError:
        raise CellFailed(_describe(notebook, running, "the kernel ended (out of memory?)")) from None
    finally:
        finished.set()
        watch.join()
        sockets.cleanup()
    return run


def _describe(notebook, running, what):
    number = sum(cell.cell_type == "code" for cell in notebook.cells[:running["index"] + 1])
    return f"code cell {number} (`{_first_line(running['cell'].source)}` …): {what}"


def _first_line(text):
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _watch_memory(client, run, finished):
    """Keep the highest resident memory of the kernel and its children."""
    while not finished.wait(SECONDS_BETWEEN_MEMORY_SAMPLES):
        try:
            kernel = psutil.Process(client.km.provisioner.pid)
            total = sum(process.memory_info().rss for process in [kernel, *kernel.children(recursive=True)])
        except (AttributeError, TypeError, psutil.Error):  # not started yet, or gone already
            continue
        run.peak_memory = max(run.peak_memory, total)
