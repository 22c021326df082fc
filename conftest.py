"""What every test needs, nbval's notebooks included; so it stands above both tests/ and notebooks/."""

import os

from nbval.plugin import IPyNbFile

# Left out of the comparison: stderr (no notebook may store any, tests/test_notebooks.py sees to that), and two renderings
# of what text/plain says already.
NOT_COMPARED = ("stderr", "text/html", "image/svg+xml")

# What stored outputs were made with (tools/notebook_runner.py). Kernels inherit it.
POCKET = {"COURSE_MODELS": "pocket", "PYTHONHASHSEED": "0", "HF_HUB_OFFLINE": "1"}

# What takes longest, in this order. It goes first: where two processes share the tests, one would else be alone with it at the end.
LONGEST = (
    "09_strategies.ipynb", "07_sbert_classification.ipynb", "test_train_sbert.py", "08_sbert_regression.ipynb", "10_capstone_search.ipynb",
    "test_sbert.py", "test_distillation.py", "test_browser.py", "06_sentence_vectors.ipynb", "test_notebooks.py",
)


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_configure(config):
    if config.option.markexpr == "reference":  # those tests download the document's own checkpoints
        return
    for name in [name for name in os.environ if name.startswith("COURSE_") and name != "COURSE_SHARED"]:
        del os.environ[name]  # COURSE_SHARED is the tests' own: where public texts lie that some of them read
    os.environ.update(POCKET)
    side_by_side = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 1))
    if side_by_side > 1:  # or each test's TensorFlow would take all processors, and they would wait for one another
        os.environ.setdefault("TF_NUM_INTRAOP_THREADS", str(max(1, (os.cpu_count() or 1) // side_by_side)))


def pytest_collectstart(collector):
    if isinstance(collector, IPyNbFile):
        collector.skip_compare += NOT_COMPARED
