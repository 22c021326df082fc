"""Is this computer ready for the course? And, if not, what would make it so.

Every notebook's set-up cell calls `prepare()` before the first TensorFlow import. Lesson 00 shows `report()`;
`python -m helpers.environment` prints the same table in a terminal.
"""

import contextlib
import importlib.abc
import importlib.machinery
import logging
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from importlib import metadata
from pathlib import Path

from helpers import fonts  # `checkpoints` needs numpy: imported where the report asks for it
from helpers.language import checked, say

OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 13)  # what TensorFlow 2.21 has wheels for
TRANSFORMERS = "4.54"  # 4.55 and later cannot load these checkpoints into TensorFlow (transformers#40028); 5 has no TensorFlow
MEMORY_NEEDED, DISK_NEEDED = 4, 2  # GB; bert-large-uncased alone asks for more

SETTINGS = {
    "TF_USE_LEGACY_KERAS": "1",  # transformers' TensorFlow classes are Keras 2 models
    "USE_TF": "1",
    "USE_TORCH": "0",  # where PyTorch is installed too, importing both takes twice the time and can abort
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TRANSFORMERS_VERBOSITY": "error",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
LOUD_LOGGERS = ("tensorflow", "absl", "tf_keras")
LOUD_MODULES = ("absl", "google", "huggingface_hub", "jupyter_client", "keras", "tensorflow", "tf_keras", "tqdm", "transformers")
LIBRARIES = (  # the rows of the report, in this order
    "tensorflow", "tf-keras", "transformers", "tokenizers", "huggingface-hub", "safetensors",
    "numpy", "pandas", "matplotlib", "jupyterlab", "ipywidgets",
)
ROOT = Path(__file__).resolve().parent.parent


class NotReady(EnvironmentError):
    """This kernel cannot run the course as it is; the message names the fix."""


# --- the set-up cell ----------------------------------------------------------------------------------------------


def prepare(language=None):
    """Make this kernel ready: settings, quiet libraries, Hangul in figures, tables that fit. Says nothing when all is well.

    Call it before TensorFlow or transformers is imported. Calling it again changes nothing.

    Args:
        language: "ko" or "en", for a notebook that knows its own language; None leaves the choice to `helpers.language`.

    Raises:
        ValueError: `language` is something else.
        NotReady: wrong Python, a library missing or in another version, or Keras 3 is in this kernel already.
    """
    if language is not None:
        os.environ["COURSE_LANGUAGE"] = checked(language)
    _refuse(_python_problem(sys.version_info))
    _refuse(_keras_problem(sys.modules))
    _refuse(_transformers_problem(sys.modules))
    os.environ.update(SETTINGS)
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")  # left alone, TensorFlow uses its faster kernels on the newest processors only
    _quiet()
    fonts.register()
    _fit_tables()


def _refuse(problem):
    if problem:
        raise NotReady(problem)


def _python_problem(version):
    if OLDEST_PYTHON <= tuple(version[:2]) <= NEWEST_PYTHON:
        return None
    here = "{}.{}".format(*version[:2])
    return say(
        f"Python {here} cannot run this course: TensorFlow 2.21 supports Python 3.10 to 3.13. Install one of those, then: "
        "make lab PYTHON=python3.12",
        f"Python {here}에서는 이 강의를 실행할 수 없습니다. TensorFlow 2.21은 Python 3.10–3.13에서 돌아갑니다. 그중 하나를 "
        "설치한 뒤: make lab PYTHON=python3.12",
    )


def _keras_problem(modules):
    """TensorFlow decides at its import which Keras `import tensorflow.keras` is, and at its first use what `tf.keras` is.

    Afterwards no setting helps. `import keras` brings TensorFlow with it, and so decides both.
    """
    tensorflow = modules.get("tensorflow")
    of_tensorflow = vars(tensorflow) if tensorflow else {}
    if of_tensorflow.get("_tf_uses_legacy_keras") is not False and not _is_keras_3(of_tensorflow.get("keras")):
        return None
    return say(
        "Keras 3 is already loaded in this kernel, and these models need Keras 2: restart the kernel and run the set-up "
        "cell first, before any other import.",
        "이 커널에는 이미 Keras 3이 올라와 있는데 이 모델들에는 Keras 2가 필요합니다. 커널을 다시 시작하고, 다른 것을 "
        "가져오기 전에 준비 셀부터 실행하세요.",
    )


def _is_keras_3(keras):
    """Is this, what `tf.keras` stands for, Keras 3? None and a loader that has not been used yet are not."""
    if keras is None:
        return False
    attributes = object.__getattribute__(keras, "__dict__")  # a plain attribute access would make a lazy loader load
    return attributes.get("_tfll_keras_version") == "keras_3" or bool(re.match(r"keras\b", str(attributes.get("__name__", ""))))


def _transformers_problem(modules):
    installed = _version("transformers")
    if installed is None:
        return say(
            "transformers is not installed in this Python: start JupyterLab with `make lab` (on Colab, run the set-up cell).",
            "이 Python에는 transformers가 없습니다. `make lab`으로 JupyterLab을 여세요(Colab에서는 준비 셀을 실행하세요).",
        )
    if not _is_course_version(installed):
        return say(
            f"transformers {installed} is installed, the course needs {TRANSFORMERS}: newer ones cannot load these models "
            "into TensorFlow. Start with `make lab`, or: pip install transformers==4.54.1",
            f"설치된 transformers는 {installed}인데 이 강의에는 {TRANSFORMERS}가 필요합니다. 더 새 판은 이 모델들을 TensorFlow로 "
            "불러오지 못합니다. `make lab`으로 열거나: pip install transformers==4.54.1",
        )
    loaded = getattr(modules.get("transformers"), "__version__", installed)
    if not _is_course_version(loaded):
        return say(
            f"This kernel still holds transformers {loaded}, although {installed} is installed now: restart the kernel and "
            "run the set-up cell again.",
            f"transformers {installed}가 설치되었지만 이 커널에는 아직 {loaded}가 올라와 있습니다. 커널을 다시 시작하고 준비 셀을 "
            "다시 실행하세요.",
        )
    return None


def _is_course_version(version):
    return version == TRANSFORMERS or version.startswith(TRANSFORMERS + ".")


def _version(distribution):
    """The installed version of a library, else None."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def _quiet():
    """Nothing on stderr but real errors: a notebook's stored output must not depend on a library's mood."""
    for name in LOUD_LOGGERS:
        _only_errors(name)
    # A filter that belongs to the message, not the level: matplotlib's other warnings (a missing letter) are ours to see.
    _drop(logging.getLogger("matplotlib.font_manager"), "building the font cache")
    for name in LOUD_MODULES:
        warnings.filterwarnings("ignore", module=rf"{name}(\.|$)")
    warnings.filterwarnings("ignore", message="IProgress not found")
    if not any(isinstance(each, _QuietImport) for each in sys.meta_path):
        sys.meta_path.insert(0, _QuietImport())
    # The library's own switch rather than its environment variable, so that checkpoints.download can show a bar.
    from huggingface_hub.utils import disable_progress_bars

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        disable_progress_bars()
    if "transformers" in sys.modules:  # its environment variables were read when it was imported
        from transformers.utils import logging as transformers_logging

        transformers_logging.set_verbosity_error()


def _only_errors(name):
    """TensorFlow sets its logger's level back to INFO when it is imported in a notebook; a filter stays."""
    logger = logging.getLogger(name)
    if not any(isinstance(each, _ErrorsOnly) for each in logger.filters):
        logger.addFilter(_ErrorsOnly())


class _ErrorsOnly(logging.Filter):
    def filter(self, record):
        return record.levelno >= logging.ERROR


class _Without(logging.Filter):
    def __init__(self, words):
        super().__init__()
        self.words = words

    def filter(self, record):
        return self.words not in record.getMessage()


def _drop(logger, words):
    if not any(isinstance(each, _Without) and each.words == words for each in logger.filters):
        logger.addFilter(_Without(words))


class _QuietImport(importlib.abc.MetaPathFinder):
    """Sets stderr aside while TensorFlow is imported.

    Its C++ parts say there that oneDNN is on, with the time of day, before any log level counts (abseil-cpp#1718).
    """

    def find_spec(self, name, path=None, target=None):
        spec = importlib.machinery.PathFinder.find_spec(name, path) if name == "tensorflow" else None
        if spec and spec.loader:
            run = spec.loader.exec_module

            def run_quietly(module):
                with _stderr_set_aside():
                    run(module)

            spec.loader.exec_module = run_quietly
        return spec


@contextlib.contextmanager
def _stderr_set_aside():
    """Whatever is written to file descriptor 2 is kept, and shown only if the block fails."""
    try:
        stderr = os.dup(2)
    except OSError:  # a process without one
        yield
        return
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            yield
        except BaseException:
            aside.seek(0)
            os.write(stderr, aside.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def _fit_tables():
    """Tables and arrays that fit a page: 80 columns, Hangul counted as the two columns it takes, three decimals."""
    import numpy
    import pandas

    pandas.set_option("display.width", 80)
    pandas.set_option("display.max_columns", 20)
    pandas.set_option("display.max_colwidth", 100)  # five words with their probabilities
    pandas.set_option("display.precision", 3)
    pandas.set_option("display.unicode.east_asian_width", True)
    pandas.set_option("display.html.use_mathjax", False)  # or "$5 and $9" in a text would be set as a formula
    numpy.set_printoptions(precision=3, suppress=True, linewidth=80)


# --- the doctor ---------------------------------------------------------------------------------------------------

FINE, NOTE, WRONG = "fine", "note", "wrong"


def report():
    """What is on this computer, and whether the course can run on it.

    Returns:
        pandas.DataFrame, columns `what`, `here`, `verdict`; a verdict says "fine", or what to do.
    """
    import pandas

    return pandas.DataFrame([(what, here, verdict) for what, here, verdict, _ in _findings()], columns=["what", "here", "verdict"])


def _findings():
    """Rows (what, here, verdict, one of FINE NOTE WRONG)."""
    from helpers import checkpoints

    rows = [_python(), _system(), _memory(), _disk(), _gpu()]
    required = _required()
    rows += [_library(name, required) for name in LIBRARIES]
    rows.append(_keras())
    rows.append(_fonts())
    rows += [_checkpoint(name) for name, each in checkpoints.CHECKPOINTS.items() if each.stand_in]
    return rows


def _fine(what, here):
    return what, here, say("fine", "좋음"), FINE


def _python():
    here = platform.python_version()
    problem = _python_problem(sys.version_info)
    return ("Python", here, problem, WRONG) if problem else _fine("Python", here)


def _system():
    return _fine(say("system", "운영 체제"), computer())


def computer():
    """What times are measured on: operating system, processor, number of its CPUs."""
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} CPU"


def _memory():
    import psutil

    memory = psutil.virtual_memory()
    what, here = say("memory", "메모리"), say(
        f"{memory.total / 1e9:.0f} GB, {memory.available / 1e9:.1f} GB free",
        f"{memory.total / 1e9:.0f} GB, 남은 것 {memory.available / 1e9:.1f} GB",
    )
    if memory.available / 1e9 < MEMORY_NEEDED / 2:
        return what, here, say("little is free: close other notebooks", "여유가 적습니다. 다른 노트북을 닫으세요"), NOTE
    if memory.total / 1e9 < MEMORY_NEEDED * 0.9:
        return what, here, say("enough for the small models", "작은 모델에는 충분합니다"), NOTE
    return _fine(what, here)


def _disk():
    home = Path.home()
    there = next(folder for folder in (home, *home.parents) if folder.exists())  # a container's user may have no home yet
    free = shutil.disk_usage(there).free / 1e9
    what, here = say("disk", "디스크"), say(f"{free:.0f} GB free", f"남은 것 {free:.0f} GB")
    if free < DISK_NEEDED:
        return what, here, say("no room for the document's own models", "문서의 원래 모델을 받을 자리가 없습니다"), NOTE
    return _fine(what, here)


def _gpu():
    """Asks the driver, not TensorFlow: importing that takes many seconds."""
    try:
        answer = subprocess.run(
            ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"], capture_output=True, text=True, timeout=10
        )
        names = answer.stdout.split("\n") if answer.returncode == 0 else []
    except (OSError, subprocess.TimeoutExpired):
        names = []
    names = [name.strip() for name in names if name.strip()]
    return _fine("GPU", ", ".join(names) or say("none, and none is needed", "없음(없어도 됩니다)"))


def _required():
    """{library: version specifier} from pyproject.toml, the one list; {} where it cannot be read."""
    try:
        import tomllib
    except ImportError:  # Python 3.10
        import tomli as tomllib
    from packaging.requirements import Requirement

    try:
        listed = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    except OSError:  # installed without the folder around it
        return {}
    return {requirement.name.lower(): requirement.specifier for requirement in map(Requirement, listed)}


def _library(name, required):
    here = _version(name)
    if here is None and name == "tensorflow":
        here = _version("tensorflow-cpu")
    wanted = required.get(name)
    if here is None:
        return name, say("not installed", "없음"), say("run `make lab`", "`make lab`을 실행하세요"), WRONG
    if wanted is not None and not wanted.contains(here, prereleases=True):
        return name, here, say(f"the course needs {wanted}: run `make lab`", f"{wanted} 판이 필요합니다. `make lab`을 실행하세요"), WRONG
    return _fine(name, here)


def _keras():
    problem = _keras_problem(sys.modules)
    return ("tf.keras", "Keras 3", problem, WRONG) if problem else _fine("tf.keras", "Keras 2 (tf-keras)")


def _fonts():
    what = say("Hangul in figures", "그림 속 한글")
    try:
        fonts.register()
    except (FileNotFoundError, ImportError) as error:
        return what, "–", str(error), WRONG
    if not fonts.has_hangul():
        return what, "–", say("figures would show boxes: run `make lab`", "글자가 네모로 나옵니다. `make lab`을 실행하세요"), WRONG
    return _fine(what, fonts.FAMILY)


def _checkpoint(name):
    from helpers import checkpoints

    try:
        folder, stand_in = checkpoints.locate(name)
    except (checkpoints.CheckpointError, ValueError) as error:
        return name, "–", str(error), WRONG
    if stand_in:
        return name, f"→ {Path(folder).name}", say("fine: a small stand-in", "좋음: 작은 대역 모델"), NOTE
    return _fine(name, say("downloaded", "받아져 있음"))


def main():
    """Print the report. Returns 1 if something is wrong."""
    try:
        rows = _findings()
    except ImportError as error:
        print(_python_problem(sys.version_info) or say(
            f"{error.name} is not installed in this Python: run `make lab`.", f"이 Python에는 {error.name}이(가) 없습니다: `make lab`을 실행하세요.",
        ), file=sys.stderr)
        return 1
    except ValueError as error:  # COURSE_LANGUAGE is neither of the two
        print(error, file=sys.stderr)
        return 1
    width = max(len(what) for what, *_ in rows), max(len(here) for _, here, *_ in rows)
    for what, here, verdict, _ in rows:
        print(f"{what:<{width[0]}}  {here:<{width[1]}}  {verdict}")
    return int(any(status == WRONG for *_, status in rows))


if __name__ == "__main__":
    sys.exit(main())
