"""Every figure of the document, on the document's own checkpoints.

Needs bert-large-uncased, bert-base-uncased and klue/bert-base, 2.2 GB in all, and about 4 GB of memory:

    python -m helpers.checkpoints download bert-large-uncased     (and the other two)
    python -m pytest -m reference
"""

import pytest

from helpers import document

pytestmark = pytest.mark.reference


@pytest.fixture(scope="module")
def rows(request):
    """All 26 on the reference tier. Asked for with `-m reference`, a checkpoint that is not here is an error, not a skip."""
    if "reference" not in request.config.getoption("markexpr").replace("not reference", ""):
        pytest.skip("needs the document's own checkpoints (2.2 GB): download them, then python -m pytest -m reference")
    from helpers import environment

    environment.prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_MODELS", "reference")
        return {row["figure"]: row for row in document.run_all()}


@pytest.mark.parametrize("figure", document.FIGURES, ids=lambda figure: figure.path)
def test_the_documents_figure_is_met(figure, rows):
    row = rows[figure.path]
    assert row["verdict"] == "equal", f"document {document.brief(row['document'])}\nrun      {document.brief(row['run'])}"
