"""The texts that packages bring: what is kept of them, and a download that fails."""

import hashlib
import json
import lzma
import os
import zipfile

import pytest

from tools.pocket import corpus, more_texts, packages

DUMP = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/">
<page><title>Lantern</title><revision><text>{{Infobox|a=b}}
A '''lantern''' () is a [[lamp|portable lamp]] with a case that keeps the wind away from its flame.&lt;ref&gt;A book.&lt;/ref&gt;
* An entry of a list that is long enough to be a paragraph, but it is not one, and so it is left out.
Too short.
{| class="wikitable"
| a cell of a table that is long enough to be a paragraph, but it is not one, and so it is left out.
|}
== History ==
Lanterns were carried through the streets at night, long before there were lamps that stood there.
== See also ==
The closing sections hold lists and notes, and a sentence in them that looks like prose is left out too.
</text></revision></page>
<page><title>Lamp</title><revision><text>#REDIRECT [[Lantern]]</text></revision></page>
<page><title>Talk:Lantern</title><revision><text>A discussion that is long enough to be a paragraph, but which nobody would call an article, at all.</text></revision></page>
</mediawiki>"""


def test_an_article_is_its_prose_alone():
    pytest.importorskip("mwparserfromhell", reason="in the group `train`")
    assert more_texts.articles(DUMP) == [[
        "A lantern is a portable lamp with a case that keeps the wind away from its flame.",
        "Lanterns were carried through the streets at night, long before there were lamps that stood there.",
    ]]


def test_film_reviews_are_one_sentence_each_and_product_reviews_keep_their_order():
    assert more_texts.film_reviews("7\t1.5\tA ''quiet'' film. \n\n8\t-2\tToo\tlong.\n") == [['A "quiet" film.'], ["Too"]]
    table = "2_1\t0\tsecond review.\n1_10\t0\tits last sentence.\n1_2\t0\tits second sentence.\n"
    assert more_texts.product_reviews(table) == [["its second sentence.", "its last sentence."], ["second review."]]


def test_a_conversation_is_its_messages_in_order_and_an_empty_one_is_left_out():
    said = lambda *texts: [{"text": text, "sender": "a", "timestamp": "2018"} for text in texts]
    dataset = {"1": {"messages": [said("Hi!", " "), said("Do you\nski?")], "ratings": {}}, "2": {"messages": [said(" ")]}}
    assert more_texts.conversations(json.dumps(dataset)) == [["Hi!", "Do you ski?"]]


def test_how_an_article_begins_is_kept_once():
    text = "A lantern is a portable lamp with a case that keeps the wind away."
    articles = {"Lantern": {"extract": f"{text}\n\n{text} "}, "Lanterns": {"extract": f"{text}\n\n{text}"}, "Lamp": {"extract": "A lamp."}}
    assert more_texts.beginnings(json.dumps(articles)) == [[text, text]]


def test_a_word_s_meaning_and_its_examples():
    data = "\n".join((
        "  1 This software and database is being provided to you | the licensee",
        "00480508 04 n 02 soccer 0 association_football 0 001 @ 00469651 n 0000 | a football game with two teams of 11 players; \"they played soccer\"; \"soccer!\"  ",
        '00004171 29 a 01 lit(p) 0 000 | set afire or burning; "the lit candles glowed"',
        '00004172 29 a 01 bare 0 000 | "the bare walls stood there"',
    ))
    assert more_texts.meanings(data) == [
        ["soccer, association football: a football game with two teams of 11 players.", "they played soccer."],
        ["lit: set afire or burning.", "the lit candles glowed."],
    ]


@pytest.mark.skipif(os.name == "nt", reason="the npm of this test is a shell script")
@pytest.mark.parametrize("script, message", [
    ("echo other.tgz", "other.tgz does not have the sha256:0000: do not use it"),
    ("echo E404 >&2; exit 1", "npm could not fetch tiny@1.0: E404"),
])
def test_npm_brings_another_package_or_none(tmp_path, monkeypatch, script, message):
    programs = tmp_path / "programs"
    programs.mkdir()
    (programs / "npm").write_text(f"#!/bin/sh\n{script}\n")
    (programs / "npm").chmod(0o755)
    (tmp_path / "other.tgz").write_bytes(b"other")
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(RuntimeError, match=message):
        packages.fetch_from_npm("tiny@1.0", "sha256:0000", tmp_path)


def test_without_npm_it_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="install Node.js"):
        packages.fetch_from_npm("tiny@1.0", "sha256:0000", tmp_path)


def test_what_is_written_is_read_as_documents(tmp_path):
    path = tmp_path / "english" / "lm" / "text.txt.xz"
    more_texts.write([["One.", "Two."], ["Three."]], path)
    assert lzma.decompress(path.read_bytes()).decode() == "One.\nTwo.\n\nThree.\n"
    assert list(corpus.read_documents(path)) == [["One.", "Two."], ["Three."]]


@pytest.fixture
def shelf(tmp_path, monkeypatch):
    """A folder that pip looks in instead of the net, with one package; and the package's hash."""
    folder = tmp_path / "shelf"
    folder.mkdir()
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr("tiny-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr("tiny-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("tiny-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_package_is_taken_by_its_hash(shelf, tmp_path):
    path = packages.fetch(f"tiny==1.0 --hash=sha256:{shelf}", tmp_path)
    assert path == tmp_path / "tiny-1.0-py3-none-any.whl"
    assert hashlib.sha256(path.read_bytes()).hexdigest() == shelf


@pytest.mark.parametrize("name, digit", [("tiny", "0"), ("missing", None)])
def test_another_package_or_none_is_an_error(shelf, tmp_path, name, digit):
    other = shelf if digit is None else digit * 64
    with pytest.raises(RuntimeError, match=f"could not fetch {name}==1.0"):
        packages.fetch(f"{name}==1.0 --hash=sha256:{other}", tmp_path)


def test_a_text_is_found_in_the_first_folder_that_has_it(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    (tmp_path / "two" / "text.txt").write_text("here")
    folders = [tmp_path / "one", tmp_path / "two"]
    assert corpus.find(folders, "text.txt") == tmp_path / "two" / "text.txt"
    with pytest.raises(FileNotFoundError, match="other.txt.*more_texts"):
        corpus.find(folders, "other.txt")
    assert corpus.find(folders, "pyproject.toml").is_file()  # of this repository
