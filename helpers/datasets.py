"""Pairs of sentences to train on: the ones that come with the course, and the public ones by name.

    nli = datasets.nli("en")                   # premise, hypothesis, label; columns split and theme to choose by
    sts = datasets.sts("ko")                   # sentence1, sentence2, score from 0 to 5
    train = datasets.public("korsts", "train")

The public sets are never downloaded unasked. `public` looks into the folder that `COURSE_DATA` names, then among what was
downloaded before:

    python -m helpers.datasets list
    python -m helpers.datasets download korsts

Every download is checked against a pinned hash. A row that is not what it should be is left out, counted and reported.
"""

import difflib
import json
import os
import sys
import tarfile
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from helpers import download as downloads
from helpers.language import LANGUAGES, say

ROOT = Path(__file__).resolve().parent.parent
SPLITS = ("train", "dev", "test")
ANSWERS = ("label", "gold_label", "score")  # what a header calls the third of the columns that are read
NLI, STS = ("premise", "hypothesis", "label"), ("sentence1", "sentence2", "score")
LABELS = ("entailment", "neutral", "contradiction")
HIGHEST_SCORE = 5.0

KORNLU = "https://raw.githubusercontent.com/kakaobrain/kor-nlu-datasets/0df0fe7d496eb61b092e022e238c2230b29f1cbc/"


@dataclass(frozen=True)
class Table:
    """How the rows of one file are laid out.

    Attributes:
        columns: NLI or STS.
        places: the places of those three columns in a row of text, or their keys in a row of JSON.
        widths: how many columns a row of text may have; None for JSON, one object a line.
        header: whether the first line may name the columns.
    """

    columns: tuple
    places: tuple
    widths: tuple | None
    header: bool


SNLI_JSON = Table(NLI, ("sentence1", "sentence2", "gold_label"), None, header=False)
NLI_TEXT = Table(NLI, (0, 1, 2), (3,), header=True)
STS_BENCHMARK = Table(STS, (5, 6, 4), (7, 8, 9), header=False)  # some rows name their sources in columns 8 and 9
KORSTS = Table(STS, (5, 6, 4), (7,), header=True)


@dataclass(frozen=True)
class File:
    """One file of a public set.

    Attributes:
        url: str; where it names a commit, that is the pin, and the hash proves it.
        digest: str, "sha256:…" or "md5:…" of what the address answers.
        table: Table.
        member: str, the file inside an archive, or None.
    """

    url: str
    digest: str
    table: Table
    member: str | None = None


@dataclass(frozen=True)
class PublicSet:
    """A public data set.

    Attributes:
        about: str, what it is, whose, under which licence.
        files: {split: files that make it up}.
        local: {split: the same in a folder of one's own (COURSE_DATA): layouts, each a tuple of (path, Table) that belong
            together; the first layout that is there whole counts}.
    """

    about: str
    files: dict
    local: dict


def _snli(split):
    # The hash is the one that several public projects pin for the authors' archive.
    return (File("https://nlp.stanford.edu/projects/snli/snli_1.0.zip",
                 "sha256:afb3d70a5af5d8de0d9d81e2637e0fb8c22d1235c2749d83125ca43dab0dbd3e",
                 SNLI_JSON, f"snli_1.0/snli_1.0_{split}.jsonl"),)


def _stsb(split):
    # The authors' archive; no sha256 of it is published, torchtext pins this MD5.
    return (File("https://ixa2.si.ehu.eus/stswiki/images/4/48/Stsbenchmark.tar.gz",
                 "md5:4eb0065aba063ef77873d3a9c8088811", STS_BENCHMARK, f"stsbenchmark/sts-{split}.csv"),)


def _kornlu(path, sha256, table):
    return File(KORNLU + path, f"sha256:{sha256}", table)


PUBLIC = {
    "snli": PublicSet(
        "Stanford Natural Language Inference, English (Bowman et al. 2015), CC BY-SA 4.0",
        {split: _snli(split) for split in SPLITS},
        {split: (((f"english/nli/snli_{split}.tsv", NLI_TEXT),), ((f"snli_1.0/snli_1.0_{split}.jsonl", SNLI_JSON),)) for split in SPLITS},
    ),
    "stsb": PublicSet(
        "STS Benchmark, English (Cer et al. 2017), scores CC BY-SA 4.0, texts each their own licence",
        {split: _stsb(split) for split in SPLITS},
        {split: (((f"english/sts/sts-{split}.csv", STS_BENCHMARK),), ((f"stsbenchmark/sts-{split}.csv", STS_BENCHMARK),)) for split in SPLITS},
    ),
    "kornli": PublicSet(
        "KorNLI, Korean (Ham et al. 2020): SNLI and MultiNLI by machine, CC BY-SA 4.0; dev is XNLI by hand, for evaluation only",
        {
            "train": (
                _kornlu("KorNLI/snli_1.0_train.ko.tsv", "aaf12d8955fcda2b14319e5cabb9b31824c6f504aede460c975b518911f484c0", NLI_TEXT),
                _kornlu("KorNLI/multinli.train.ko.tsv", "dca5bf65597af45b139a5fbc8aa3587b612b391446475617b8faa09e5dfcd349", NLI_TEXT),
            ),
            "dev": (_kornlu("KorNLI/xnli.dev.ko.tsv", "821fb1c1c2e538ac2724a6132da36ffa379eb9a542ceb89243b3cf711377382c", NLI_TEXT),),
        },
        {
            "train": (
                (("korean/kornli/snli_train.tsv", NLI_TEXT),),
                (("KorNLI/snli_1.0_train.ko.tsv", NLI_TEXT), ("KorNLI/multinli.train.ko.tsv", NLI_TEXT)),
                (("KorNLI/snli_1.0_train.ko.tsv", NLI_TEXT),),
            ),
            "dev": ((("korean/kornli/xnli_dev.tsv", NLI_TEXT),), (("KorNLI/xnli.dev.ko.tsv", NLI_TEXT),)),
        },
    ),
    "korsts": PublicSet(
        "KorSTS, Korean (Ham et al. 2020): STS Benchmark in translation, dev and test by hand, CC BY-SA 4.0",
        {
            "train": (_kornlu("KorSTS/sts-train.tsv", "b5aaa7f957d6ff46f4b6834a8b0f024a9234a6eefe9289aed66746b4533da3b8", KORSTS),),
            "dev": (_kornlu("KorSTS/sts-dev.tsv", "d835b65b424401fbcce6be28a78159df8d61f5b19977ea7a0b83b8cb6105f393", KORSTS),),
            "test": (_kornlu("KorSTS/sts-test.tsv", "13f83a3440d9db52d134eb40303ce021b03264aa338fbf2871c8786ce04d2105", KORSTS),),
        },
        {split: (((f"korean/korsts/{split}.tsv", KORSTS),), ((f"KorSTS/sts-{split}.tsv", KORSTS),)) for split in SPLITS},
    ),
}


class DatasetError(OSError):
    """A data set is not here, or not what it should be; the message names the fix."""


# --- the pairs that come with the course --------------------------------------------------------------------------


def nli(language, split=None):
    """The course's own pairs for natural language inference.

    Args:
        language: "en" or "ko"; the same `id` is the same pair in both.
        split: "train", "dev", "test", or None for all.

    Returns:
        DataFrame: `id`, `split`, `theme`, `premise`, `hypothesis`, `label` (entailment, neutral, contradiction).

    Raises:
        ValueError: an unknown language or split.
        DatasetError: the file is missing or has other columns.
    """
    return _built_in("nli", language, split, NLI)


def sts(language, split=None):
    """The course's own pairs for semantic textual similarity.

    Args:
        language: "en" or "ko"; the same `id` is the same pair in both.
        split: "train", "dev", "test", or None for all.

    Returns:
        DataFrame: `id`, `split`, `theme`, `sentence1`, `sentence2`, `rating1`, `rating2`, `score` (their mean, 0 to 5).

    Raises:
        ValueError: an unknown language or split.
        DatasetError: the file is missing or has other columns.
    """
    return _built_in("sts", language, split, STS)


def data_folder():
    """Where the course's own pairs lie: `data/` beside `helpers/`."""
    return ROOT / "data"


def _built_in(kind, language, split, columns):
    _check_choice("language", language, LANGUAGES)
    if split is not None:
        _check_choice("split", split, SPLITS)
    path = data_folder() / f"{kind}.{language}.tsv"
    try:
        lines = list(_file_lines(path))
    except OSError:
        raise DatasetError(say(
            f"data/{path.name} is missing: restore it with `git checkout -- data`, or get the course again.",
            f"data/{path.name} 파일이 없습니다: `git checkout -- data`로 되돌리거나 강좌를 다시 받으세요.",
        )) from None
    names = lines[0].decode("utf-8-sig", "replace").rstrip("\r\n").split("\t") if lines else []
    wanted = (*columns, "split")
    if not set(wanted) <= set(names):
        raise DatasetError(say(
            f"data/{path.name} has the columns {', '.join(names)}, not {', '.join(wanted)}: restore it with `git checkout -- data`.",
            f"data/{path.name}의 열이 {', '.join(wanted)}이(가) 아니라 {', '.join(names)}입니다: `git checkout -- data`로 되돌리세요.",
        ))
    table = Table(columns, tuple(names.index(column) for column in columns), (len(names),), header=True)
    rows, left_out = _rows(lines, table, whole=True)
    _report(f"data/{path.name}", len(rows), left_out)
    if not rows:
        raise DatasetError(say(
            f"data/{path.name} holds no pair: restore it with `git checkout -- data`.",
            f"data/{path.name}에 문장 쌍이 없습니다: `git checkout -- data`로 되돌리세요.",
        ))
    frame = pd.DataFrame(rows, columns=names)
    for column in {"rating1", "rating2", "score"} & set(names):
        numbers = pd.to_numeric(frame[column], errors="coerce")
        if numbers.isna().any():
            bad = frame[column][numbers.isna()].iloc[0][:20]
            raise DatasetError(say(
                f"data/{path.name} has {bad!r} as a {column}, which is no number: restore it with `git checkout -- data`.",
                f"data/{path.name}의 {column} 열에 숫자가 아닌 {bad!r}이(가) 있습니다: `git checkout -- data`로 되돌리세요.",
            ))
        frame[column] = numbers
    frame.attrs["left_out"] = dict(left_out)
    return frame if split is None else frame[frame["split"] == split].reset_index(drop=True)


# --- the public sets ----------------------------------------------------------------------------------------------


def public(name, split):
    """A public data set that is on this computer. Uses no network.

    Args:
        name: "snli", "stsb", "kornli" or "korsts".
        split: "train", "dev" or "test" (KorNLI: "train" and "dev").

    Returns:
        DataFrame: `premise`, `hypothesis`, `label`, or `sentence1`, `sentence2`, `score`. Rows that are not what they should
        be are left out; one line says how many and why, and `attrs["left_out"]` holds it as {reason: count}.

    Raises:
        ValueError: an unknown name or split.
        DatasetError: the set is not on this computer, or damaged; names the command that gets it.
    """
    frames, left_out = [], Counter()
    for title, lines, table in _pieces(name, split):
        frame, less = read(lines, table, title)
        if frame.empty:
            raise _no_pair(name, split, title)
        frames.append(frame)
        left_out.update(less)
    frame = pd.concat(frames, ignore_index=True)
    frame.attrs["left_out"] = dict(left_out)
    return frame


def by_source(name, split):
    """The sentence pairs of an STS set by where the authors took them from: KorSTS kept these columns of the STS Benchmark.

    Args:
        name: "stsb" or "korsts".
        split: "train", "dev" or "test".

    Returns:
        {(genre, file, year, number, score): [sentence 1, sentence 2]} of str, and one float, the score.

    Raises:
        ValueError, DatasetError: as `public`; the set has no such columns.
    """
    _check_choice("name", name, [known for known, made in PUBLIC.items() if made.files["train"][0].table.columns == STS])
    found = {}
    for title, lines, table in _pieces(name, split):
        rows, _ = _rows(lines, table, whole=True)
        if not rows:
            raise _no_pair(name, split, title)
        for fields in rows:
            found[(*fields[:4], float(fields[4]))] = [fields[place].strip() for place in table.places[:2]]
    return found


def is_here(name, split):
    """Is the set on this computer, in `COURSE_DATA` or downloaded?"""
    _check(name, split)
    return _local_files(name, split) is not None or all(_cached(file).is_file() for file in PUBLIC[name].files[split])


def download(name):
    """Bring a public set into the cache, every file checked against its hash; an interrupted download goes on.

    Args:
        name: "snli", "stsb", "kornli" or "korsts".

    Raises:
        ValueError: an unknown name.
        DatasetError: no network, not found, too many requests, disk full, a wrong hash; names the fix.
    """
    _check_choice("name", name, PUBLIC)
    for file in {file.url: file for files in PUBLIC[name].files.values() for file in files}.values():
        try:
            downloads.fetch(file.url, file.digest, _cached(file))
        except downloads.DownloadError as error:
            raise DatasetError(f"{name}: {error}") from error


def cache_folder():
    """Where downloads lie: the folder that `COURSE_CACHE` names, else `~/.cache/mask-to-meaning`."""
    return Path(os.environ.get("COURSE_CACHE") or Path.home() / ".cache" / "mask-to-meaning") / "datasets"


def _check(name, split):
    _check_choice("name", name, PUBLIC)
    _check_choice("split", split, PUBLIC[name].files)


def _check_choice(what, value, choices):
    if value in choices:
        return
    close = difflib.get_close_matches(str(value), choices, n=1)
    names = ", ".join(choices)
    raise ValueError(say(
        f"{what}={value!r}: " + (f"did you mean {close[0]!r}? " if close else "") + f"Choose one of {names}.",
        f"{what}={value!r}: " + (f"혹시 {close[0]!r}인가요? " if close else "") + f"{names} 가운데 하나를 고르세요.",
    ))


def _local_files(name, split):
    """[(Path, Table)] of a split in the learner's own folder, or None."""
    folder = os.environ.get("COURSE_DATA", "").strip()
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise DatasetError(say(
            f"COURSE_DATA={folder!r} is not a folder: set it to the folder that holds the data, or unset it.",
            f"COURSE_DATA={folder!r}은(는) 폴더가 아닙니다: 데이터가 있는 폴더로 설정하거나 지우세요.",
        ))
    layouts = ([(Path(folder) / path, table) for path, table in files] for files in PUBLIC[name].local[split])
    return next((files for files in layouts if all(path.is_file() for path, _ in files)), None)


def _pieces(name, split):
    """[(title, lines, Table)] of a split, from COURSE_DATA or else from the cache."""
    pieces = _local(name, split) or _downloaded(name, split)
    if pieces is None:
        raise DatasetError(say(
            f"{name} ({split}) is not on this computer. Get it: python -m helpers.datasets download {name} "
            "(or let COURSE_DATA name a folder that holds it).",
            f"{name}({split})이(가) 이 컴퓨터에 없습니다. 받으려면: python -m helpers.datasets download {name} "
            "(또는 이것이 들어 있는 폴더를 COURSE_DATA로 지정하세요).",
        ))
    return pieces


def _no_pair(name, split, title):
    """A file that is empty, ends after its header, or is laid out in another way."""
    return DatasetError(say(
        f"{title} holds no pair of {name} ({split}): put the whole file there, or remove it and run "
        f"python -m helpers.datasets download {name}.",
        f"{title}에 {name}({split})의 문장 쌍이 하나도 없습니다: 온전한 파일을 두거나, 지운 뒤 "
        f"python -m helpers.datasets download {name}을(를) 실행하세요.",
    ))


def _local(name, split):
    """[(title, lines, Table)] of a split in COURSE_DATA, or None."""
    _check(name, split)
    found = _local_files(name, split)
    return found and [(path.name, _file_lines(path), table) for path, table in found]


def _cached(file):
    """Where a file is kept; the start of its hash keeps two versions apart."""
    return cache_folder() / f"{file.digest.partition(':')[2][:12]}-{file.url.rsplit('/', 1)[1]}"


def _downloaded(name, split):
    """[(title, lines, Table)] of a split in the cache, or None."""
    files = PUBLIC[name].files[split]
    if not all(_cached(file).is_file() for file in files):
        return None
    for file in files:
        if not downloads.is_as_promised(_cached(file), file.digest):
            raise DatasetError(say(
                f"{_cached(file)} is damaged (its hash is not the one the course is pinned to): delete it and run "
                f"python -m helpers.datasets download {name}",
                f"{_cached(file)} 파일이 손상되었습니다(해시가 강좌에 적힌 것과 다름): 지운 뒤 "
                f"python -m helpers.datasets download {name}을(를) 실행하세요.",
            ))
    return [(_title(file), _cached_lines(file), file.table) for file in files]


def _title(file):
    return (file.member or file.url).rsplit("/", 1)[1]


def _cached_lines(file):
    """The lines of a downloaded file, or of its member: read out of the archive, never unpacked (SNLI's would be 490 MB)."""
    path = _cached(file)
    if file.member is None:
        yield from _file_lines(path)
    elif path.name.endswith(".zip"):
        with zipfile.ZipFile(path) as archive, archive.open(file.member) as lines:
            yield from lines
    else:
        with tarfile.open(path) as archive:
            yield from archive.extractfile(file.member)


def _file_lines(path):
    with open(path, "rb") as lines:  # bytes end at \n alone: U+2028 inside a sentence ends no row
        yield from lines


# --- rows ---------------------------------------------------------------------------------------------------------


def read(lines, table, title):
    """Read the pairs out of a file and say what was left out.

    Args:
        lines: iterable of bytes, such as a file opened with "rb".
        table: Table.
        title: str, how the report names the file.

    Returns:
        DataFrame with the table's three columns, and {reason: count} of the rows that were left out.
    """
    rows, left_out = _rows(lines, table)
    _report(title, len(rows), left_out)
    return pd.DataFrame(rows, columns=list(table.columns)), dict(left_out)


def _rows(lines, table, whole=False):
    """The good rows (first, second, label or score), or with `whole` all their fields; and a Counter of reasons."""
    rows, left_out = [], Counter()
    for number, line in enumerate(lines):
        if number == 0:
            line = line.removeprefix(b"\xef\xbb\xbf")
        fields, reason = _fields(line, table)
        pair, reason = (None, reason) if reason else _pair(fields, table)
        if number == 0 and table.header and fields and fields[table.places[2]] in ANSWERS:  # a file without names starts with a pair
            continue
        if reason:
            left_out[reason] += 1
        else:
            rows.append(fields if whole else pair)
    return rows, left_out


def _fields(line, table):
    """The fields of a row and None, or None and why there are none."""
    try:
        text = line.decode("utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        return None, "broken UTF-8"
    if table.widths is not None:
        fields = text.split("\t")  # these files quote nothing: a quotation mark is part of a sentence
        return (fields, None) if len(fields) in table.widths else (None, "wrong number of columns")
    try:
        fields = json.loads(text)
    except ValueError:
        return None, "broken JSON"
    return (fields, None) if isinstance(fields, dict) and set(table.places) <= set(fields) else (None, "wrong columns")


def _pair(fields, table):
    """(first, second, label or score) and None, or None and what is wrong with it."""
    first, second, answer = (fields[place] for place in table.places)
    if not isinstance(first, str) or not isinstance(second, str) or not first.strip() or not second.strip():
        return None, "empty sentence"
    if table.columns == NLI:
        return ((first.strip(), second.strip(), answer), None) if answer in LABELS else (None, f"label {str(answer)[:20]!r}")
    try:
        score = float(answer)
    except ValueError:
        return None, f"score {answer[:20]!r}"
    return ((first.strip(), second.strip(), score), None) if 0 <= score <= HIGHEST_SCORE else (None, f"score {answer[:20]!r}")


REASONS_SHOWN = 5
KOREAN = {
    "broken UTF-8": "깨진 UTF-8", "broken JSON": "깨진 JSON", "wrong number of columns": "열 개수가 다름", "wrong columns": "열이 다름",
    "empty sentence": "빈 문장",
}


def _report(title, kept, left_out):
    """One line where rows were left out."""
    if not left_out:
        return
    common = left_out.most_common(REASONS_SHOWN)
    rest = sum(left_out.values()) - sum(count for _, count in common)
    english = ", ".join([f"{count} × {reason}" for reason, count in common] + [f"{rest} × other"] * bool(rest))
    korean = ", ".join([f"{_in_korean(reason)} {count}개" for reason, count in common] + [f"그 밖 {rest}개"] * bool(rest))
    total = sum(left_out.values())
    print(say(f"{title}: {kept:,} pairs, {total:,} rows left out ({english}).", f"{title}: {kept:,}쌍, 뺀 행 {total:,}개({korean})."))


def _in_korean(reason):
    return KOREAN.get(reason) or reason.replace("label", "레이블").replace("score", "점수")


# --- the command line ---------------------------------------------------------------------------------------------


def _print_list():
    for name, each in PUBLIC.items():
        here = ", ".join(split for split in each.files if is_here(name, split)) or say("not here", "없음")
        print(f"{name:<8} {here:<18} {each.about}")


def main(arguments):
    """`list` or `download NAME`. Returns the exit status."""
    return downloads.command("helpers.datasets", arguments, _print_list, download)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
