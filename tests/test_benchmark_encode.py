"""`benchmarks.encode`: what it says of the times and vectors that it found."""

import sys

import pytest

from benchmarks import encode
from helpers.sentence_encoder import SentenceEncoder
from tests import tiny


def rows(theirs=(50.0, 60.0), difference=1e-7):
    """As `compare` returns them: ours 100 and 90 sentences a second in two rounds."""
    def row(way, rates, apart):
        return {"way": way, "texts": 1000, "first": 2.0, "rates": list(rates), "difference": apart}

    return [row(encode.OURS, (100.0, 90.0), 0.0), row(encode.THEIRS, theirs, difference), row(encode.DOCUMENT, (10.0, 10.0), 1e-7)]


def test_ratios_are_taken_turn_by_turn_and_held_against_their_bars():
    table, verdicts, agree = encode.report(rows())
    assert "| sentence-transformers | 1,000 | 2.0 | 55.0 | 50.0 – 60.0 | 1.75x | 1.0e-07 |" in table  # 100/50 and 90/60
    assert verdicts[0] == "1.75 times as fast as sentence-transformers; the bar is 1.2: reached."
    assert verdicts[1] == "9.50 times as fast as document's way; the bar is 4: reached." and agree
    assert "NOT reached" in encode.report(rows(theirs=(90.0, 90.0)))[1][0]


def test_vectors_that_differ_end_with_1_and_the_page_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(encode, "compare", lambda *_: rows(difference=1e-3))
    assert encode.main(["--checkpoint", str(tiny.folder()), "--sentences", "1000", "--output", str(tmp_path / "page.md")]) == 1
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "Vectors agree to 1e-05: NO." in page and "| sentence-transformers | 1,000 |" in page and " CPU)" in page


def test_texts_are_all_different_and_the_same_each_time():
    texts = encode.sentences(50)
    assert len(set(texts)) == 50 and texts == encode.sentences(50) != encode.sentences(50, seed=1)


@pytest.mark.slow
def test_the_ways_of_this_course_run_in_turns_and_agree(monkeypatch):
    monkeypatch.setattr(encode, "WAYS", {way: encode.WAYS[way] for way in (encode.OURS, encode.DOCUMENT)})
    monkeypatch.setattr(encode, "PAUSE", 0)
    monkeypatch.setattr(encode, "save", lambda checkpoint, folder: SentenceEncoder(checkpoint).save(folder))  # without a process of its own
    made = encode.compare(str(tiny.folder()), ["the sky is blue", "pizza is fun", "i went home"], one_at_a_time=1, rounds=1, torch_python=None)
    assert [row["way"] for row in made] == [encode.OURS, encode.DOCUMENT] and [row["texts"] for row in made] == [3, 1]
    assert all(len(row["rates"]) == 1 and row["rates"][0] > 0 for row in made)
    assert all(row["difference"] < encode.LARGEST_DIFFERENCE for row in made)


def test_a_way_that_ends_instead_is_named(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)  # where Python finds no benchmarks
    monkeypatch.delenv("PYTHONPATH", raising=False)
    worker = encode.Worker(encode.OURS, tmp_path, ["a"], sys.executable, tmp_path)
    try:
        with pytest.raises(RuntimeError, match="ours ended with status 1: BENCH_STDERR=1"):
            worker.turn()
    finally:
        worker.stop()
