"""What `tools/pocket/texts/README.md` says of the everyday Korean text."""

import csv
import json
import re
import unicodedata

import pytest

from tools.pocket import configuration as configurations
from tools.pocket import corpus

PATH = "tools/pocket/texts/everyday.ko.txt"


@pytest.fixture(scope="module")
def documents():
    return list(corpus.read_documents(corpus.find([], PATH)))


def test_it_stands_in_the_korean_configuration_with_its_licence():
    (source,) = (source for source in configurations.load("pocket-korean")["sources"] if source["path"] == PATH)
    assert source["licence"] == "CC BY 4.0" and source.get("unit", "document") == "document"


def test_documents_are_several_sentences_and_no_line_stands_twice(documents):
    lines = [line for document in documents for line in document]
    assert min(map(len, documents)) >= 3
    assert len(set(lines)) == len(lines)
    assert all(unicodedata.is_normalized("NFC", line) and re.search("[가-힣]", line) for line in lines)
    assert not [line for line in lines if re.search(r"[#*_<>|]|^\d+[.)]", line)], "marks of a list or of markdown"


def test_its_readme_states_its_size(documents):
    path = corpus.find([], PATH)
    characters = len(path.read_text(encoding="utf-8"))
    size = f"{len(documents):,} documents, {sum(map(len, documents)):,} lines, {characters / 1e6:.1f} million characters"
    assert size in path.with_name("README.md").read_text(encoding="utf-8")


def test_nothing_of_the_course_s_pairs_is_in_it(documents):
    plain = lambda line: " ".join(corpus.words(line))
    lines = {plain(line) for document in documents for line in document}
    for name in ("nli.ko.tsv", "sts.ko.tsv"):
        with open(configurations.ROOT / "data" / name, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
                assert not lines & {plain(cell) for cell in row.values() if " " in cell}, row["id"]


def test_hardly_a_line_is_near_the_walkthrough_s_sentences(documents):
    figures = json.loads(configurations.FIGURES.read_text(encoding="utf-8"))
    excluded = corpus.Excluded(corpus.document_texts(figures))
    near = [line for document in documents for line in document if excluded.matches(line)]
    assert len(near) <= 3, near  # and `prepare` leaves these out as well
