import importlib.metadata
import logging
import os
import subprocess
import sys
import types
import warnings

import matplotlib
import numpy
import pandas
import pytest
from stand_in_hub import random_checkpoint

from helpers import checkpoints, environment, fonts


@pytest.fixture(autouse=True)
def settings(monkeypatch):
    """What `prepare` sets is put back after each test."""
    for name in environment.SETTINGS:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    monkeypatch.setattr(warnings, "filters", list(warnings.filters))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    with matplotlib.rc_context(), pandas.option_context("display.width", 80), numpy.printoptions():
        yield


# --- what is refused ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0), (2, 7, 18), (4, 0, 0)])
def test_other_pythons_are_refused(version):
    problem = environment._python_problem(version)
    assert problem.startswith("Python {}.{} cannot".format(*version)) and "PYTHON=python3.12" in problem
    assert "\n" not in problem


def test_the_set_up_cell_stops_at_another_python(monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 14, 0))
    with pytest.raises(environment.NotReady, match="Python 3.14 cannot run this course"):
        environment.prepare()


BARE = """
import sys
for library in ("numpy", "pandas", "transformers", "huggingface_hub", "matplotlib"):
    sys.modules[library] = None  # importing it fails
sys.version_info = {version}
from helpers import environment
try:
    environment.prepare("en")
except environment.NotReady as error:
    print(error)
"""


@pytest.mark.parametrize("version, words", [
    ((3, 9, 18), "Python 3.9 cannot run this course"), ((3, 14, 0), "Python 3.14 cannot run this course"),
])
def test_the_set_up_cell_says_so_in_a_python_without_any_library(version, words):
    result = python(BARE.format(version=version))
    assert (result.returncode, result.stderr) == (0, ""), result.stderr
    assert result.stdout.startswith(words) and result.stdout.count("\n") == 1


@pytest.mark.parametrize("version", [(3, 10, 0), (3, 11, 7), (3, 12, 1), (3, 13, 9)])
def test_supported_pythons_are_accepted(version):
    assert environment._python_problem(version) is None


def tensorflow_with(keras, uses_legacy_keras=None):
    module = types.ModuleType("tensorflow")
    module.keras = keras
    if uses_legacy_keras is not None:
        module._tf_uses_legacy_keras = uses_legacy_keras
    return {"tensorflow": module}


class LazyLoader(types.ModuleType):
    """As TensorFlow's: any attribute access loads something."""

    def __init__(self, version):
        super().__init__("keras")
        if version:
            self.__dict__["_tfll_keras_version"] = version
        self.__dict__["__name__"] = "lazy"

    def __getattr__(self, name):
        raise AssertionError("the check made TensorFlow decide which Keras it uses")


@pytest.mark.parametrize("modules, refused", [
    ({}, False),
    ({"keras": types.ModuleType("keras")}, False),  # alone, it does not decide what tf.keras is
    (tensorflow_with(types.ModuleType("keras._tf_keras.keras")), True),
    (tensorflow_with(types.ModuleType("tf_keras.api._v2.keras")), False),
    (tensorflow_with(LazyLoader("keras_3")), True),
    (tensorflow_with(LazyLoader("tf_keras")), False),
    (tensorflow_with(LazyLoader(None)), False),
    (tensorflow_with(LazyLoader(None), uses_legacy_keras=True), False),
    (tensorflow_with(LazyLoader(None), uses_legacy_keras=False), True),  # tf.keras is open, `import tensorflow.keras` is not
])
def test_keras_3_is_refused_where_it_is_what_tensorflow_uses(modules, refused):
    problem = environment._keras_problem(modules)
    assert (problem is not None) == refused
    if refused:
        assert "restart the kernel and run the set-up cell first" in problem


@pytest.mark.slow
@pytest.mark.parametrize("first", ["import keras", "import tensorflow", "import tensorflow as tf; tf.keras.layers"])
def test_keras_3_already_imported_stops_the_set_up_cell(first):
    code = first + "\nfrom helpers import environment\ntry:\n    environment.prepare()\nexcept OSError as e:\n    print(e)"
    said = python(code).stdout
    assert said.startswith("Keras 3 is already loaded in this kernel") and said.count("\n") == 1


@pytest.mark.parametrize("installed, loaded, words", [
    (None, None, "not installed in this Python: start JupyterLab with `make lab`"),
    ("4.55.0", None, "transformers 4.55.0 is installed, the course needs 4.54"),
    ("5.0.0", None, "transformers 5.0.0 is installed"),
    ("4.540.0", None, "transformers 4.540.0 is installed"),
    ("4.54.1", "5.1.0", "still holds transformers 5.1.0.* restart the kernel"),
])
def test_other_transformers_are_refused(monkeypatch, installed, loaded, words):
    monkeypatch.setattr(environment, "_version", lambda name: installed)
    modules = {"transformers": types.SimpleNamespace(__version__=loaded)} if loaded else {}
    monkeypatch.setattr(environment, "_keras_problem", lambda modules: None)
    monkeypatch.setitem(sys.modules, "transformers", modules.get("transformers")) if loaded else monkeypatch.delitem(
        sys.modules, "transformers", raising=False)
    with pytest.raises(EnvironmentError, match=words):
        environment.prepare()


def test_the_course_version_of_transformers_is_accepted(monkeypatch):
    monkeypatch.setattr(environment, "_version", lambda name: "4.54.1")
    assert environment._transformers_problem({"transformers": types.SimpleNamespace(__version__="4.54.1")}) is None


def test_unknown_language_is_refused():
    with pytest.raises(ValueError, match="'fr'"):
        environment.prepare(language="fr")
    assert os.environ["COURSE_LANGUAGE"] == "en"


def test_messages_are_korean_for_a_korean_reader(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert "실행할 수 없습니다" in environment._python_problem((3, 14, 0))


# --- what prepare leaves behind -----------------------------------------------------------------------------------


def test_prepare_says_nothing(capfd):
    environment.prepare()
    environment.prepare()
    assert capfd.readouterr() == ("", "")


def test_prepare_sets_what_libraries_read_at_import():
    environment.prepare(language="ko")
    expected = {"TF_USE_LEGACY_KERAS": "1", "USE_TF": "1", "USE_TORCH": "0", "TF_CPP_MIN_LOG_LEVEL": "3",
                "TRANSFORMERS_VERBOSITY": "error", "HF_HUB_DISABLE_TELEMETRY": "1", "COURSE_LANGUAGE": "ko"}
    assert {name: os.environ.get(name) for name in expected} == expected


@pytest.mark.parametrize("before, after", [(None, "1"), ("1", "1"), ("0", "0")])
def test_prepare_asks_for_onednn_where_nobody_has_decided(before, after, monkeypatch):
    monkeypatch.delenv("TF_ENABLE_ONEDNN_OPTS", raising=False)
    if before:
        monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", before)
    environment.prepare()
    assert os.environ["TF_ENABLE_ONEDNN_OPTS"] == after


def test_prepare_twice_leaves_what_once_leaves():
    def state():
        return (
            [len(logging.getLogger(name).filters) for name in (*environment.LOUD_LOGGERS, "matplotlib.font_manager")],
            len(warnings.filters), len(sys.meta_path), list(matplotlib.rcParams["font.family"]),
        )

    environment.prepare()
    once = state()
    environment.prepare()
    assert state() == once


def test_tables_count_hangul_as_two_columns():
    environment.prepare()
    table = pandas.DataFrame({"piece": ["축구", "ab"], "score": [0.12345, 0.5]})
    assert str(table) == "  piece  score\n0  축구  0.123\n1    ab  0.500"


def test_prices_in_a_table_are_no_formula():
    environment.prepare()
    assert "tex2jax_ignore" in pandas.DataFrame({"text": ["$5 a night, $9 for two"]})._repr_html_()


def test_arrays_print_three_decimals():
    environment.prepare()
    assert str(numpy.array([0.123456, 1e-7])) == "[0.123 0.   ]"


def test_figures_have_hangul_afterwards():
    matplotlib.rcParams["font.family"] = ["DejaVu Sans"]
    environment.prepare()
    assert fonts.has_hangul()


def test_the_learners_own_warnings_stay():
    environment.prepare()
    with pytest.warns(UserWarning, match="mine"):
        warnings.warn_explicit("mine", UserWarning, "<cell>", 1, module="__main__")


@pytest.mark.parametrize("module", ["transformers.pipelines.base", "tensorflow", "tf_keras.src.losses"])
def test_the_libraries_warnings_go(module):
    with warnings.catch_warnings(record=True) as caught:
        environment.prepare()
        warnings.warn_explicit("theirs", FutureWarning, "file.py", 1, module=module)
        warnings.warn_explicit("mine", FutureWarning, "file.py", 1, module="tensorflow_of_mine")
    assert [str(each.message) for each in caught] == ["mine"]


def test_tensorflows_logger_stays_quiet_when_its_level_is_set_back(caplog):
    environment.prepare()
    logger = logging.getLogger("tensorflow")
    with caplog.at_level(logging.INFO, "tensorflow"):
        logger.warning("deprecated")
        logger.error("broken")
    assert [record.message for record in caplog.records] == ["broken"]


def test_what_a_good_import_writes_to_stderr_is_dropped(capfd):
    with environment._stderr_set_aside():
        os.write(2, b"oneDNN custom operations are on\n")
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "later\n"


def test_what_a_failing_import_writes_to_stderr_is_shown(capfd):
    with pytest.raises(ImportError):
        with environment._stderr_set_aside():
            os.write(2, b"undefined symbol\n")
            raise ImportError
    os.write(2, b"later\n")
    assert capfd.readouterr().err == "undefined symbol\nlater\n"


def python(code, **variables):
    kept = {name: value for name, value in os.environ.items() if name not in environment.SETTINGS}
    return subprocess.run(
        [sys.executable, "-c", code], cwd=environment.ROOT, capture_output=True, text=True, timeout=300,
        env={**kept, "COURSE_LANGUAGE": "en", **variables},
    )


LOAD_AND_PREDICT = """
from transformers import BertTokenizerFast, FillMaskPipeline, TFBertForMaskedLM
model, tokenizer = TFBertForMaskedLM.from_pretrained({folder!r}), BertTokenizerFast.from_pretrained({folder!r})
FillMaskPipeline(model=model, tokenizer=tokenizer)("soccer is [MASK].")
import tensorflow as tf
tf.get_logger().warning("deprecated")
import matplotlib.pyplot, tqdm.auto
"""


@pytest.mark.slow
def test_a_model_loads_and_predicts_without_a_word_on_stderr(tmp_path):
    folder = str(random_checkpoint(tmp_path / "tiny"))
    result = python("from helpers import environment; environment.prepare()" + LOAD_AND_PREDICT.format(folder=folder))
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.slow
def test_a_notebook_that_loads_a_model_stores_no_stream(tmp_path):
    """A kernel is not a script: TensorFlow takes it for interactive and logs more, and C++ output reaches the notebook."""
    import nbclient
    import nbformat

    folder = str(random_checkpoint(tmp_path / "tiny"))
    set_up = f"import sys; sys.path.insert(0, {str(environment.ROOT)!r})\nfrom helpers import environment\nenvironment.prepare()"
    cells = [set_up, LOAD_AND_PREDICT.format(folder=folder), "environment.prepare()"]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [output for cell in notebook.cells for output in cell.outputs] == []


# --- the doctor ---------------------------------------------------------------------------------------------------


def row(table, what):
    return dict(table.set_index("what").loc[what])


def test_report_names_python_libraries_and_checkpoints():
    table = environment.report()
    assert list(table.columns) == ["what", "here", "verdict"]
    assert row(table, "Python")["here"] == "{}.{}.{}".format(*sys.version_info[:3])
    assert row(table, "transformers")["here"] == importlib.metadata.version("transformers")
    assert {"GPU", "memory", "Hangul in figures", "tensorflow", "bert-large-uncased", "klue/bert-base"} <= set(table["what"])


def test_report_tells_what_a_library_should_be(monkeypatch):
    versions = {"numpy": "1.26.4", "tokenizers": None}
    real = environment._version
    monkeypatch.setattr(environment, "_version", lambda name: versions.get(name, real(name)) if name in versions else real(name))
    table = environment.report()
    assert "the course needs" in row(table, "numpy")["verdict"] and "make lab" in row(table, "numpy")["verdict"]
    assert row(table, "tokenizers")["here"] == "not installed"
    assert row(table, "pandas")["verdict"] == "fine"


def test_report_tells_which_model_file_is_broken(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_MODELS_FOLDER", str(tmp_path))
    monkeypatch.setenv("COURSE_MODELS", "pocket")
    assert checkpoints.SUMS_FILE in row(environment.report(), "klue/bert-base")["verdict"]


@pytest.mark.parametrize("status, expected", [(environment.FINE, 0), (environment.NOTE, 0), (environment.WRONG, 1)])
def test_the_command_fails_only_if_something_is_wrong(monkeypatch, capsys, status, expected):
    monkeypatch.setattr(environment, "_findings", lambda: [("memory", "1 GB", "little", status)])
    assert environment.main() == expected
    assert capsys.readouterr().out == "memory  1 GB  little\n"


def test_an_unknown_language_is_one_line_and_no_traceback(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_LANGUAGE", "fr")
    assert environment.main() == 1
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.startswith("COURSE_LANGUAGE='fr': choose ko") and printed.err.count("\n") == 1


@pytest.mark.parametrize("version, words", [((3, 11, 0), "is not installed in this Python: run `make lab`."), ((3, 14, 0), "Python 3.14 cannot run")])
def test_the_command_in_a_python_without_the_libraries_is_one_line_and_no_traceback(version, words):
    result = python(f"""
import sys
for library in ("numpy", "pandas", "psutil", "packaging.requirements"):
    sys.modules[library] = None
sys.version_info = {version}
from helpers import environment
sys.exit(environment.main())
""")
    assert (result.returncode, result.stdout) == (1, "") and words in result.stderr and result.stderr.count("\n") == 1


def test_a_home_that_is_not_there_is_measured_where_it_would_be(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "nobody" / "here"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "nobody" / "here"))
    assert environment._disk()[0] == "disk"
