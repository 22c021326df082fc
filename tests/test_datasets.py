"""The promises of `helpers/datasets.py` and `helpers/download.py`: pinned, checked, resumed; no bad row is trained on."""

import errno
import hashlib
import io
import json
import os
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from helpers import datasets, download

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("COURSE_SHARED") or ROOT.parent / "shared") / "data"
SNLI_ROWS = "premise\thypothesis\tlabel\nA dog runs.\tAn animal moves.\tentailment\nA dog runs.\tA dog sleeps.\tcontradiction\n"
STS_ROWS = "main\tf\t2012\t1\t4.500\tA \"b\tB c\nmain\tf\t2012\t2\t0.000\tC\tD\tsource\tsource\n"
KORSTS_HEADER, KORSTS_ROW = "genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\n", "g\tf\ty\t2\t3.0\t다\t라\n"


@pytest.fixture(autouse=True)
def own_cache(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_DATA", raising=False)


def put(folder, path, content, monkeypatch=None):
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    if monkeypatch:
        monkeypatch.setenv("COURSE_DATA", str(folder))
    return file


# --- rows ---------------------------------------------------------------------------------------------------------


def test_a_local_folder_is_read_instead_of_a_download(tmp_path, monkeypatch):
    put(tmp_path, "english/nli/snli_dev.tsv", SNLI_ROWS, monkeypatch)
    frame = datasets.public("snli", "dev")
    assert list(frame.columns) == ["premise", "hypothesis", "label"]
    assert frame.values.tolist() == [["A dog runs.", "An animal moves.", "entailment"], ["A dog runs.", "A dog sleeps.", "contradiction"]]


def test_sts_rows_keep_quotation_marks_and_may_name_sources(tmp_path, monkeypatch, capsys):
    put(tmp_path, "english/sts/sts-dev.csv", STS_ROWS, monkeypatch)
    frame = datasets.public("stsb", "dev")
    assert frame.values.tolist() == [['A "b', "B c", 4.5], ["C", "D", 0.0]]
    assert capsys.readouterr().out == ""


def test_sts_pairs_are_found_by_where_they_were_taken_from(tmp_path, monkeypatch):
    put(tmp_path, "english/sts/sts-train.csv", STS_ROWS + "main\tf\t2012\t3\t9\tE\tF\n", monkeypatch)
    assert datasets.by_source("stsb", "train") == {("main", "f", "2012", "1", 4.5): ['A "b', "B c"], ("main", "f", "2012", "2", 0.0): ["C", "D"]}
    with pytest.raises(datasets.DatasetError, match="download korsts"):
        datasets.by_source("korsts", "train")
    with pytest.raises(ValueError, match="stsb.*korsts"):
        datasets.by_source("snli", "train")


@pytest.mark.parametrize("row, reason", [
    (b"only\ttwo", "wrong number of columns"),
    (b"a\tb\tneutral\tmore", "wrong number of columns"),
    (b"a\tb\t-", "label '-'"),
    (b"a\t \tneutral", "empty sentence"),
    (b"a\xff\tb\tneutral", "broken UTF-8"),
    (b"", "wrong number of columns"),
])
def test_a_bad_nli_row_is_left_out_and_counted(row, reason, tmp_path, monkeypatch, capsys):
    put(tmp_path, "english/nli/snli_train.tsv", SNLI_ROWS.encode() + row + b"\n", monkeypatch)
    frame = datasets.public("snli", "train")
    assert len(frame) == 2 and frame.attrs["left_out"] == {reason: 1}
    assert capsys.readouterr().out == f"snli_train.tsv: 2 pairs, 1 rows left out (1 × {reason}).\n"


@pytest.mark.parametrize("score", ["7", "-0.1", "nan", "four", ""])
def test_a_bad_score_is_left_out_and_counted(score, tmp_path, monkeypatch):
    put(tmp_path, "korean/korsts/train.tsv", f"{KORSTS_HEADER}g\tf\ty\t1\t{score}\t가\t나\n{KORSTS_ROW}", monkeypatch)
    frame = datasets.public("korsts", "train")
    assert len(frame) == 1 and frame.attrs["left_out"] == {f"score {score!r}": 1}


@pytest.mark.parametrize("content", ["", KORSTS_HEADER, "sentence1,sentence2,score\n가,나,3\n", "<html>not found</html>\n"])
@pytest.mark.parametrize("read", [datasets.public, datasets.by_source])
def test_a_table_without_a_pair_is_refused(content, read, tmp_path, monkeypatch):
    put(tmp_path, "korean/korsts/dev.tsv", content, monkeypatch)
    with pytest.raises(datasets.DatasetError, match="dev.tsv holds no pair of korsts .dev.: .*helpers.datasets download korsts"):
        read("korsts", "dev")


def test_a_table_whose_header_is_missing_keeps_its_first_pair(tmp_path, monkeypatch):
    put(tmp_path, "korean/korsts/dev.tsv", KORSTS_ROW, monkeypatch)
    assert datasets.public("korsts", "dev").values.tolist() == [["다", "라", 3.0]]


@pytest.mark.parametrize("row, reason", [("가\t나\t-\n", "label '-'"), ("가\t나\n", "wrong number of columns"), ("\t나\tneutral\n", "empty sentence")])
def test_a_bad_first_row_of_a_table_without_header_is_counted(row, reason, tmp_path, monkeypatch):
    put(tmp_path, "korean/kornli/xnli_dev.tsv", f"{row}다\t라\tneutral\n", monkeypatch)
    frame = datasets.public("kornli", "dev")
    assert len(frame) == 1 and frame.attrs["left_out"] == {reason: 1}


@pytest.mark.parametrize("parts", [("snli_1.0_train",), ("snli_1.0_train", "multinli.train")])
def test_all_parts_of_a_local_split_are_read(parts, tmp_path, monkeypatch):
    for part in parts:
        put(tmp_path, f"KorNLI/{part}.ko.tsv", f"sentence1\tsentence2\tgold_label\n{part}\t나\tneutral\n", monkeypatch)
    assert datasets.public("kornli", "train")["premise"].tolist() == list(parts)


def test_one_line_reports_all_reasons_in_the_readers_language(tmp_path, monkeypatch, capsys):
    rows = SNLI_ROWS + "a\tb\t-\nc\td\t-\n\t\tneutral\n"
    put(tmp_path, "english/nli/snli_dev.tsv", rows, monkeypatch)
    datasets.public("snli", "dev")
    assert capsys.readouterr().out == "snli_dev.tsv: 2 pairs, 3 rows left out (2 × label '-', 1 × empty sentence).\n"
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    datasets.public("snli", "dev")
    assert capsys.readouterr().out == "snli_dev.tsv: 2쌍, 뺀 행 3개(레이블 '-' 2개, 빈 문장 1개).\n"


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path, monkeypatch):
    put(tmp_path, "english/sts/sts-train.csv", b"\xef\xbb\xbf" + STS_ROWS.replace("\n", "\r\n").encode(), monkeypatch)
    frame = datasets.public("stsb", "train")
    assert frame["score"].tolist() == [4.5, 0.0] and frame["sentence2"].tolist() == ["B c", "D"]


# --- the pairs that come with the course --------------------------------------------------------------------------


def test_built_in_pairs_are_read_by_split(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(datasets, "data_folder", lambda: tmp_path)
    put(tmp_path, "sts.ko.tsv", "id\tsplit\ttheme\tsentence1\tsentence2\trating1\trating2\tscore\n"
        "s1\ttrain\t시장\t가\t나\t4\t5\t4.5\ns2\ttest\t시장\t다\t라\t0\t0\t0\ns3\ttest\t시장\t다\t라\t6\t6\t6\n")
    assert datasets.sts("ko")["id"].tolist() == ["s1", "s2"]
    test = datasets.sts("ko", "test")
    assert test["score"].tolist() == [0.0] and test["rating1"].dtype.kind in "if"
    assert "data/sts.ko.tsv: 2 pairs, 1 rows left out (1 × score '6')." in capsys.readouterr().out


def test_missing_or_changed_built_in_pairs_name_the_fix(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "data_folder", lambda: tmp_path)
    with pytest.raises(datasets.DatasetError, match="data/nli.en.tsv is missing: restore it with `git checkout -- data`"):
        datasets.nli("en")
    put(tmp_path, "nli.en.tsv", "id\tpremise\n1\ta\n")
    with pytest.raises(datasets.DatasetError, match="has the columns id, premise, not premise, hypothesis, label"):
        datasets.nli("en")


STS_NAMES = "id\tsplit\ttheme\tsentence1\tsentence2\trating1\trating2\tscore\n"


@pytest.mark.parametrize("content, words", [
    (STS_NAMES + "s1\ttrain\tt\ta\tb\tfour\t5\t4.5\n", "has 'four' as a rating1, which is no number: restore it"),
    (STS_NAMES + "s1\ttrain\tt\ta\tb\t4\t\t4.5\n", "has '' as a rating2, which is no number: restore it"),
    (STS_NAMES.replace("split\t", "") + "s1\tt\ta\tb\t4\t5\t4.5\n", "not sentence1, sentence2, score, split: restore it"),
    (STS_NAMES, "holds no pair: restore it"),
])
def test_spoilt_built_in_pairs_name_the_fix(content, words, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "data_folder", lambda: tmp_path)
    put(tmp_path, "sts.en.tsv", content)
    with pytest.raises(datasets.DatasetError, match=words):
        datasets.sts("en", "train")


@pytest.mark.parametrize("call, message", [
    (lambda: datasets.nli("jp"), "language='jp': .*Choose one of ko, en"),
    (lambda: datasets.sts("en", "validation"), "split='validation': Choose one of train, dev, test"),
    (lambda: datasets.public("korst", "dev"), "name='korst': did you mean 'korsts'"),
    (lambda: datasets.public("kornli", "test"), "split='test': Choose one of train, dev"),
    (lambda: datasets.download("sts"), "name='sts': did you mean 'stsb'"),
])
def test_unknown_names_are_answered_with_the_choices(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.skipif(not datasets.data_folder().is_dir(), reason="data/ is not in this checkout yet")
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("kind", ["nli", "sts"])
def test_the_course_files_have_no_bad_row(kind, language, capsys):
    frame = getattr(datasets, kind)(language)
    assert capsys.readouterr().out == "" and set(frame["split"]) == set(datasets.SPLITS)


# --- real files ---------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public data is not on this computer (COURSE_SHARED names its folder)")
@pytest.mark.parametrize("name, split, pairs", [
    ("snli", "dev", 9842), ("stsb", "train", 5749), ("stsb", "dev", 1500), ("kornli", "dev", 2490),
    ("korsts", "train", 5749), ("korsts", "dev", 1500), ("korsts", "test", 1379),
])
def test_the_real_files_are_read_to_the_last_row(name, split, pairs, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(SHARED))
    frame = datasets.public(name, split)
    assert len(frame) + sum(frame.attrs["left_out"].values()) == pairs
    assert sum(frame.attrs["left_out"].values()) <= 10


@pytest.mark.skipif(not SHARED.is_dir(), reason="the public data is not on this computer (COURSE_SHARED names its folder)")
@pytest.mark.parametrize("name, split, path", [
    ("korsts", "train", "korean/korsts/train.tsv"), ("korsts", "dev", "korean/korsts/dev.tsv"),
    ("korsts", "test", "korean/korsts/test.tsv"), ("kornli", "dev", "korean/kornli/xnli_dev.tsv"),
])
def test_pinned_hashes_are_those_of_the_real_files(name, split, path):
    file, = datasets.PUBLIC[name].files[split]
    assert download.is_as_promised(SHARED / path, file.digest)


def test_every_download_is_pinned():
    files = [file for each in datasets.PUBLIC.values() for files in each.files.values() for file in files]
    for file in files:
        algorithm, _, digest = file.digest.partition(":")
        assert file.url.startswith("https://") and len(digest) == {"sha256": 64, "md5": 32}[algorithm]
        assert "githubusercontent" not in file.url or "0df0fe7d496eb61b092e022e238c2230b29f1cbc" in file.url


# --- downloads ----------------------------------------------------------------------------------------------------


class Server:
    """Serves bytes at any path from this computer, and can misbehave as told."""

    def __init__(self, content):
        self.content, self.status, self.cut_after, self.ranges, self.ignore_ranges = content, None, None, [], False

    def __enter__(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 20

            def log_message(self, *_):
                pass

            def do_GET(self):
                asked = self.headers.get("Range")
                outer.ranges.append(asked)
                start = int(asked[6:-1]) if asked and not outer.ignore_ranges else 0
                status = outer.status or (416 if start and start >= len(outer.content) else 206 if start else 200)
                body = outer.content[start:] if status < 400 else b""
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if outer.cut_after is not None and len(body) > outer.cut_after:
                    self.wfile.write(body[:outer.cut_after])
                    self.close_connection = True
                    return
                self.wfile.write(body)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/pairs.tsv"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


CONTENT = SNLI_ROWS.encode() * 2000
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


def test_a_download_is_checked_and_not_repeated(tmp_path):
    with Server(CONTENT) as server:
        download.fetch(server.url, DIGEST, tmp_path / "a" / "pairs.tsv")
        download.fetch(server.url, DIGEST, tmp_path / "a" / "pairs.tsv")
    assert (tmp_path / "a" / "pairs.tsv").read_bytes() == CONTENT
    assert server.ranges == [None] and os.listdir(tmp_path / "a") == ["pairs.tsv"]


def test_an_interrupted_download_goes_on_where_it_stopped(tmp_path):
    with Server(CONTENT) as server:
        server.cut_after = 100_000
        with pytest.raises(download.DownloadError, match="it broke off before .* was complete. Run the same command again"):
            download.fetch(server.url, DIGEST, tmp_path / "pairs.tsv")
        assert not (tmp_path / "pairs.tsv").exists()
        there = (tmp_path / "pairs.tsv.part").stat().st_size
        server.cut_after = None
        download.fetch(server.url, DIGEST, tmp_path / "pairs.tsv")
    assert 0 < there <= 100_000 and server.ranges == [None, f"bytes={there}-"]
    assert (tmp_path / "pairs.tsv").read_bytes() == CONTENT


@pytest.mark.parametrize("left", [b"x" * 50, CONTENT + b"more"])
def test_a_spoilt_rest_of_an_earlier_try_is_thrown_away(left, tmp_path):
    (tmp_path / "pairs.tsv.part").write_bytes(left)
    with Server(CONTENT) as server:
        download.fetch(server.url, DIGEST, tmp_path / "pairs.tsv")
    assert (tmp_path / "pairs.tsv").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(tmp_path):
    (tmp_path / "pairs.tsv.part").write_bytes(CONTENT[:50])
    with Server(CONTENT) as server:
        server.ignore_ranges = True
        download.fetch(server.url, DIGEST, tmp_path / "pairs.tsv")
    assert (tmp_path / "pairs.tsv").read_bytes() == CONTENT and len(server.ranges) == 1


def test_altered_content_is_refused_and_deleted(tmp_path):
    with Server(CONTENT + b"!") as server, pytest.raises(download.DownloadError, match="another content than the course is pinned to"):
        download.fetch(server.url, DIGEST, tmp_path / "pairs.tsv")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("status, message", [(404, "not there any more"), (429, "wait some minutes"), (500, r"an error \(500\)")])
def test_a_refusing_server_is_explained(status, message, tmp_path):
    with Server(CONTENT) as server, pytest.raises(download.DownloadError, match=message):
        server.status = status
        download.fetch(server.url, DIGEST, tmp_path / "pairs.tsv")


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS, errno.ENOTDIR, errno.EEXIST])
def test_a_place_that_cannot_be_written_to_is_explained(code):
    line = download.explain(OSError(code, os.strerror(code), "/data/cache"), "a.csv", "COURSE_CACHE")
    assert line.startswith("/data/cache cannot be written to: set COURSE_CACHE to a folder of your own.")


def test_no_network_is_explained(tmp_path):
    with Server(CONTENT) as server:
        pass
    with pytest.raises(download.DownloadError, match="No connection, or it broke off before"):
        download.fetch(server.url, DIGEST, tmp_path / "pairs.tsv")


def test_a_full_disk_is_explained(tmp_path, monkeypatch):
    monkeypatch.setattr(download.shutil, "disk_usage", lambda _: type("usage", (), {"free": 100}))
    with Server(CONTENT) as server, pytest.raises(download.DownloadError, match="Not enough room on the disk.*COURSE_CACHE"):
        download.fetch(server.url, DIGEST, tmp_path / "pairs.tsv")


def archives():
    """The same row as SNLI packs it and as the STS Benchmark does."""
    snli, sts = io.BytesIO(), io.BytesIO()
    rows = [{"gold_label": "neutral", "sentence1": "A.", "sentence2": "B."}, {"gold_label": "-", "sentence1": "A.", "sentence2": "B."}]
    with zipfile.ZipFile(snli, "w") as archive:
        archive.writestr("snli_1.0/snli_1.0_dev.jsonl", "\n".join(map(json.dumps, rows)) + "\nnot json\n")
    with tarfile.open(fileobj=sts, mode="w:gz") as archive:
        entry = tarfile.TarInfo("stsbenchmark/sts-dev.csv")
        entry.size = len(STS_ROWS.encode())
        archive.addfile(entry, io.BytesIO(STS_ROWS.encode()))
    return {"snli": snli.getvalue(), "stsb": sts.getvalue()}


@pytest.mark.parametrize("name, expected, left_out", [
    ("snli", [["A.", "B.", "neutral"]], {"label '-'": 1, "broken JSON": 1}),
    ("stsb", [['A "b', "B c", 4.5], ["C", "D", 0.0]], {}),
])
def test_a_downloaded_archive_is_read_without_unpacking(name, expected, left_out, monkeypatch):
    content, real = archives()[name], datasets.PUBLIC[name]
    with Server(content) as server:
        ending = ".zip" if name == "snli" else ".tar.gz"
        files = {split: tuple(datasets.File(server.url.replace(".tsv", ending), "sha256:" + hashlib.sha256(content).hexdigest(), file.table, file.member)
                              for file in files) for split, files in real.files.items()}
        monkeypatch.setitem(datasets.PUBLIC, name, datasets.PublicSet(real.about, files, real.local))
        assert not datasets.is_here(name, "dev")
        datasets.download(name)
        assert len(server.ranges) == 1  # one archive holds the three splits
    assert datasets.is_here(name, "dev")
    frame = datasets.public(name, "dev")
    assert frame.values.tolist() == expected and frame.attrs["left_out"] == left_out
    cached, = datasets.cache_folder().iterdir()
    cached.write_bytes(content[:-1] + b"?")
    with pytest.raises(datasets.DatasetError, match="is damaged .*helpers.datasets download"):
        datasets.public(name, "dev")


def test_a_set_that_is_not_here_names_the_command_and_no_download_starts():
    with pytest.raises(datasets.DatasetError, match="python -m helpers.datasets download korsts"):
        datasets.public("korsts", "train")


def test_a_wrong_course_data_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(datasets.DatasetError, match="nowhere' is not a folder"):
        datasets.public("snli", "dev")


def test_the_command_line_lists_what_is_here(capsys, tmp_path, monkeypatch):
    put(tmp_path, "english/nli/snli_dev.tsv", SNLI_ROWS, monkeypatch)
    assert datasets.main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["snli", "dev"] and "not here" in lines[1] and len(lines) == 4
    assert datasets.main(["download", "korst"]) == 1
    assert "did you mean" in capsys.readouterr().err
    assert datasets.main(["what"]) == 2
