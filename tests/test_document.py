"""The document's 26 figures: all there, fairly judged, and found again on this computer."""

import json
import os
import subprocess
import sys
from pathlib import Path
from unicodedata import east_asian_width

import numpy as np
import pandas as pd
import pytest
from jsonpointer import resolve_pointer

from helpers import checkpoints, document
from helpers.document import Figure
from tests import tiny

ROOT = Path(__file__).resolve().parent.parent
PRINTED = json.loads((ROOT / "helpers" / "document_figures.json").read_text(encoding="utf-8"))
SOCCER = "/masked_lm_english/fill_mask/Soccer is a really fun [MASK]."
REAL, STAND_IN = str(ROOT / "tests"), str(ROOT / "models" / "pocket-english")  # any folder that holds no pocket model is real


@pytest.fixture(params=["en", "ko"])
def language(request, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", request.param)
    return request.param


def soccer():
    """The document's five answers, to be changed freely."""
    return [dict(answer) for answer in PRINTED["masked_lm_english"]["fill_mask"]["Soccer is a really fun [MASK]."]]


# --- which figures -------------------------------------------------------------------------------------------------


def test_there_are_26_and_each_stands_in_its_lesson():
    by_lesson = [(figure.lesson, figure.language) for figure in document.FIGURES]
    assert {each: by_lesson.count(each) for each in dict.fromkeys(by_lesson)} == {
        ("01", "en"): 12, ("01", "ko"): 3, ("02", "en"): 3, ("03", "ko"): 3, ("04", "en"): 3, ("05", "ko"): 2}
    assert len({figure.path for figure in document.FIGURES}) == 26


def test_every_path_points_at_its_value():
    for figure in document.FIGURES:
        assert resolve_pointer(PRINTED, figure.path) == figure.value, figure.path


def test_every_checkpoint_is_the_documents_own():
    for figure in document.FIGURES:
        assert figure.checkpoint == resolve_pointer(PRINTED, "/" + figure.path.split("/")[1])["checkpoint"]
        assert figure.checkpoint in checkpoints.CHECKPOINTS


def test_twelve_english_and_three_korean_ones_need_no_weights():
    without = [figure.language for figure in document.FIGURES if not figure.depends_on_weights]
    assert (without.count("en"), without.count("ko")) == (12, 3)
    for figure in document.FIGURES:
        assert figure.depends_on_weights == ("/fill_mask/" in figure.path or "/pairs/" in figure.path)


# --- the verdict -----------------------------------------------------------------------------------------------------


def figure(value):
    return Figure("/x", "01", "en", "bert-large-uncased", True, value)


@pytest.mark.parametrize("printed, run, equal", [
    (101, 101, True),
    (101, 102, False),
    (1, True, False),
    (101, "101", False),
    ("[CLS] a [SEP]", "[CLS] a [SEP]", True),
    ("[CLS] a [SEP]", "[CLS] b [SEP]", False),
    ([101, 5, 102], [101, 5, 102], True),
    ([101, 5, 102], [101, 6, 102], False),
    ([101, 5, 102], [101, 5, 102, 0], False),
    ([101, 5, 102], None, False),
    ({"a": [1], "b": [2]}, {"a": [1], "b": [2]}, True),
    ({"a": [1], "b": [2]}, {"a": [1], "b": [3]}, False),
    ({"a": [1], "b": [2]}, {"a": [1]}, False),
])
def test_ids_labels_and_text_are_equal_or_not(printed, run, equal):
    assert document.verdict(figure(printed), run, stand_in=False) == ("equal" if equal else "differs")


@pytest.mark.parametrize("printed, run, equal", [
    ([0.5, 0.5], [0.505, 0.495], True),  # five thousandths are within
    ([0.5, 0.5], [0.5051, 0.4949], False),
    ([1.0, 0.0], [0.995, 0.005], True),
    ([1.0, 0.0], [0.9949, 0.0051], False),
    ([0.5, 0.5], [0.5, 0.5051], False),  # each of them
    ([1.0, 0.0], [1, 0], True),
    ([0.5, 0.5], [float("nan"), 0.5], False),
])
def test_probabilities_are_equal_within_five_thousandths(printed, run, equal):
    assert document.verdict(figure(printed), run, stand_in=False) == ("equal" if equal else "differs")


def judged(answers):
    return document.compare(SOCCER, answers, REAL)["verdict"].tolist()


def test_the_documents_own_answers_are_equal():
    assert judged(soccer()) == ["equal"]


@pytest.mark.parametrize("moved, expected", [(0.0049, "equal"), (-0.0049, "equal"), (0.0051, "differs"), (-0.0051, "differs")])
def test_one_score_may_move_by_five_thousandths(moved, expected):
    answers = soccer()
    answers[1]["score"] += moved
    assert judged(answers) == [expected]


def test_the_five_words_must_stand_in_the_same_order():
    answers = soccer()
    answers[3], answers[4] = answers[4], answers[3]  # 0.0019 and 0.0013: the scores alone are within the tolerance
    assert judged(answers) == ["differs"]


def test_five_words_are_five():
    assert judged(soccer()[:4]) == ["differs"]
    assert judged(soccer() + soccer()[:1]) == ["differs"]


@pytest.mark.parametrize("field, other", [("token", 4369), ("token_str", "Sport"), ("sequence", "soccer is a really fun sport .")])
def test_each_field_of_an_answer_counts(field, other):
    answers = soccer()
    answers[0][field] = other
    assert judged(answers) == ["differs"]


def test_a_stand_in_is_excused_only_where_it_is_not_equal():
    answers = soccer()
    assert document.compare(SOCCER, answers, STAND_IN)["verdict"].tolist() == ["equal"]
    answers[0]["score"] = 0.5
    assert document.compare(SOCCER, answers, STAND_IN)["verdict"].tolist() == ["stand-in"]
    assert document.compare(SOCCER, answers, REAL)["verdict"].tolist() == ["differs"]


# --- compare: what a lesson's cell passes ------------------------------------------------------------------------------


def test_a_single_figure_is_compared_by_its_path():
    table = document.compare("/masked_lm_english/special_ids/[CLS]", 101, REAL)
    assert list(table.columns) == ["figure", "document", "run", "verdict"]
    assert table.values.tolist() == [["/masked_lm_english/special_ids/[CLS]", "101", "101", "equal"]]


@pytest.mark.parametrize("path", ["masked_lm_english/special_ids", "/masked_lm_english/special_ids", "/masked_lm_english/special_ids/"])
@pytest.mark.parametrize("slash", ["", "/"])
def test_several_figures_are_compared_by_the_rest_of_their_paths(path, slash):
    run = {f"{slash}[MASK]": 104, f"{slash}[CLS]": 101}
    table = document.compare(path, run, REAL)
    assert table[["figure", "run", "verdict"]].values.tolist() == [
        ["/masked_lm_english/special_ids/[CLS]", "101", "equal"],  # in the document's order
        ["/masked_lm_english/special_ids/[MASK]", "104", "differs"],
    ]


def test_arrays_and_a_batch_of_one_are_taken_as_they_are():
    printed = PRINTED["masked_lm_english"]["encoding"]
    for wrapped in ([printed["input_ids"]], np.array(printed["input_ids"]), np.array([printed["input_ids"]], "int32"), tuple(printed["input_ids"])):
        assert document.compare("/masked_lm_english/encoding/input_ids", wrapped, REAL)["verdict"].tolist() == ["equal"]
    for label in (0, [0], np.array([0]), np.int64(0), np.array([[0]])):
        assert document.compare("/next_sentence_english/pairs/0/label", label, REAL)["verdict"].tolist() == ["equal"]
    for pair in ([0.99999714, 2.8e-06], np.array([[0.99999714, 2.8e-06]], "float32")):
        assert document.compare("/next_sentence_english/pairs/0/probabilities", pair, REAL)["verdict"].tolist() == ["equal"]


def test_two_rows_are_not_taken_for_one():
    ids = PRINTED["masked_lm_english"]["encoding"]["input_ids"]
    assert document.compare("/masked_lm_english/encoding/input_ids", [ids, ids], REAL)["verdict"].tolist() == ["differs"]


def test_tensors_of_a_tokenizer_are_compared_whole_and_in_parts():
    tokenizer = tiny.tokenizer()
    inputs = tokenizer("축구는 정말 재미있는 [MASK]다.", return_tensors="tf")
    whole = document.compare("/masked_lm_english/encoding", inputs, REAL)
    assert whole["run"].tolist() == ["9 input_ids, 9 token_type_ids, 9 attention_mask ≠"]  # as many, but not the same
    parts = document.compare("/masked_lm_korean/encoding", inputs, REAL)
    assert parts["figure"].str.rsplit("/").str[-1].tolist() == ["input_ids", "token_type_ids", "attention_mask"]
    assert parts["run"][0] == " ".join(map(str, inputs["input_ids"].numpy()[0]))


def test_the_whole_encoding_is_equal_without_the_text_it_was_made_from():
    printed = dict(PRINTED["masked_lm_english"]["encoding"])
    del printed["text"]
    assert document.compare("/masked_lm_english/encoding", printed, REAL)["verdict"].tolist() == ["equal"]
    printed["attention_mask"] = [1] * 8 + [0]
    assert document.compare("/masked_lm_english/encoding", printed, REAL)["verdict"].tolist() == ["differs"]


@pytest.mark.parametrize("path, run, named", [
    ("/masked_lm_english/special_ids/[MSK]", 103, "/masked_lm_english/special_ids/[MASK]"),
    ("/masked_lm_english/special_ids", {"[CSL]": 101}, "/masked_lm_english/special_ids/[CLS]"),
    ("/next_sentence_korean/pair/0/label", 0, "/next_sentence_korean/pairs/0/label"),
    ("/masked_lm_english/special_ids", 101, "[CLS], [SEP], [MASK]"),
])
def test_a_figure_that_the_document_does_not_print_is_refused_with_one_that_it_does(path, run, named, language):
    with pytest.raises(ValueError) as error:
        document.compare(path, run, REAL)
    assert named in str(error.value)
    assert path in str(error.value)


# --- the short form of a value -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("value, text", [
    (101, "101"),
    ([101, 4715, 102], "101 4715 102"),
    (list(range(11)), "0 1 2 3 … 9 10 (11)"),
    ([0] * 24 + [1] * 34, "24 × 0, 34 × 1"),
    ([0.99999714, 2.8e-06], "1.000 0.000"),
    ({"text": "a", "input_ids": [1, 2], "attention_mask": [1, 1]}, "2 input_ids, 2 attention_mask"),
    ([{"token_str": "sport", "score": 0.7621}, {"token_str": ",", "score": 0.2034}], "sport 0.76 · , 0.20"),
    ("x" * 56, "x" * 56),
    ("a" * 32 + "b" * 30 + "c" * 20, "a" * 32 + " … " + "c" * 20),
    (None, "None"),
])
def test_a_value_in_a_few_words(value, text):
    assert document.brief(value) == text


def test_a_difference_that_shortening_hides_is_marked():
    ids = list(PRINTED["next_sentence_english"]["encoding"]["input_ids"])
    ids[30] += 1
    table = document.compare("/next_sentence_english/encoding/input_ids", ids, REAL)
    assert table[["run", "verdict"]].values.tolist() == [["101 1999 3304 1010 … 1012 102 (58) ≠", "differs"]]


def test_a_table_of_every_figure_fits_a_page():
    with pd.option_context("display.max_colwidth", None, "display.unicode.east_asian_width", True):
        for figure in document.FIGURES:
            text = document.compare(figure.path, figure.value, REAL).to_string(line_width=80)
            columns = [sum(1 + (east_asian_width(each) in "WF") for each in line) for line in text.splitlines()]
            assert max(columns) <= 80, text


# --- all figures on this computer --------------------------------------------------------------------------------------


@pytest.fixture
def tiny_checkpoints(monkeypatch):
    """Every checkpoint is the tiny model; returns what was resolved and loaded, in order."""
    folder = str(tiny.folder())
    done = []
    monkeypatch.setattr(checkpoints, "resolve", lambda name: done.append(name) or folder)
    monkeypatch.setattr(checkpoints, "is_stand_in", lambda asked: asked == folder)
    return done


def test_run_all_returns_each_figure_in_order_with_its_six_keys(tiny_checkpoints):
    rows = document.run_all()
    assert [row["figure"] for row in rows] == [figure.path for figure in document.FIGURES]
    assert all(list(row) == ["figure", "language", "lesson", "document", "run", "verdict"] for row in rows)
    by_path = {row["figure"]: row for row in rows}
    assert by_path["/masked_lm_english/special_ids/[MASK]"]["run"] == tiny.VOCABULARY.index("[MASK]")
    assert by_path["/masked_lm_english/encoding"]["run"].keys() == PRINTED["masked_lm_english"]["encoding"].keys()
    segments = by_path["/next_sentence_english/encoding/token_type_ids"]["run"]
    assert (segments[0], segments[-1]) == (0, 1)
    probabilities = by_path["/next_sentence_english/pairs/0/probabilities"]["run"]
    assert sum(probabilities) == pytest.approx(1, abs=1e-6)
    assert by_path["/next_sentence_english/pairs/0/label"]["run"] == int(probabilities[1] > probabilities[0])
    assert len(by_path[SOCCER]["run"]) == 5
    assert {row["verdict"] for row in rows} == {"equal", "stand-in"}  # segments and labels agree by chance


def test_run_all_resolves_every_checkpoint_once_and_before_the_work(tiny_checkpoints, monkeypatch):
    monkeypatch.setattr(document, "_run", lambda name, _: tiny_checkpoints.append(f"run {name}") or {
        figure.path: None for figure in document.FIGURES if figure.checkpoint == name})
    document.run_all()
    names = ["bert-large-uncased", "bert-base-uncased", "klue/bert-base"]
    assert tiny_checkpoints == [*names, *(f"run {name}" for name in names)]


def test_run_all_holds_one_model_at_a_time(tiny_checkpoints, monkeypatch):
    import gc
    import weakref

    import transformers

    alive, at_load = [], []

    def watched(model_class):
        class Watched:
            @staticmethod
            def from_pretrained(folder):
                gc.collect()
                at_load.append(sum(reference() is not None for reference in alive))
                model = model_class.from_pretrained(folder)
                alive.append(weakref.ref(model))
                return model
        return Watched

    tiny.masked_lm(), tiny.next_sentence()  # the classes themselves, before they are watched
    for name in ("TFBertForMaskedLM", "TFBertForNextSentencePrediction"):
        monkeypatch.setattr(transformers, name, watched(getattr(transformers, name)))
    document.run_all()
    assert at_load == [0, 0, 0, 0]  # large for words; base for pairs; Korean for words, then for pairs


def rows_with(*verdicts):
    return [{"figure": f"/축구/{number}", "language": "ko", "lesson": "03", "document": [{"token_str": "스포츠", "score": 0.9}],
             "run": 0.25, "verdict": each} for number, each in enumerate(verdicts)]


@pytest.mark.parametrize("verdicts, status", [(("equal", "stand-in"), 0), (("equal", "differs"), 1)])
def test_the_command_exits_with_1_if_a_figure_differs(verdicts, status, tiny_checkpoints, monkeypatch, capsys):
    monkeypatch.setattr(document, "run_all", lambda: rows_with(*verdicts))
    assert document.main([]) == status
    assert capsys.readouterr().out.splitlines()[-1] == {
        0: "2: 1 equal, 1 stand-in, 0 differs", 1: "2: 1 equal, 0 stand-in, 1 differs"}[status]


def test_the_json_file_is_strict_and_utf8(tiny_checkpoints, monkeypatch, tmp_path):
    rows = rows_with("equal", "stand-in")
    monkeypatch.setattr(document, "run_all", lambda: rows)
    document.main(["--json", str(tmp_path / "rows.json")])
    raw = (tmp_path / "rows.json").read_bytes()
    assert "스포츠".encode() in raw  # readable, not escaped

    def no_constant(name):
        raise AssertionError(f"{name} is not JSON")

    assert json.loads(raw.decode("utf-8"), parse_constant=no_constant) == rows


def test_a_missing_folder_is_said_before_the_work(tiny_checkpoints, monkeypatch, tmp_path, capsys, language):
    monkeypatch.setattr(document, "run_all", lambda: pytest.fail("started to work"))
    with pytest.raises(SystemExit) as exit:
        document.main(["--json", str(tmp_path / "nowhere" / "rows.json")])
    assert exit.value.code == 2
    assert "nowhere" in capsys.readouterr().err


def test_a_folder_is_no_file_to_write_into_and_that_is_said_before_the_work(tiny_checkpoints, monkeypatch, tmp_path, capsys, language):
    monkeypatch.setattr(document, "run_all", lambda: pytest.fail("started to work"))
    with pytest.raises(SystemExit) as exit:
        document.main(["--json", str(tmp_path)])
    assert exit.value.code == 2
    assert {"en": "is not a file: give the name of one", "ko": "파일 이름을 주세요"}[language] in capsys.readouterr().err


def test_what_stood_in_the_json_file_stays_where_the_disk_is_full(tiny_checkpoints, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(document, "run_all", lambda: rows_with("equal"))
    (tmp_path / "rows.json").write_text("[]")

    def full(path, content):
        with open(path, "wb"):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr(Path, "write_text", full)
    assert document.main(["--json", str(tmp_path / "rows.json")]) == 2
    assert "The disk is full" in capsys.readouterr().err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("rows.json", "[]")]


def test_an_unknown_language_is_one_line_and_no_traceback(monkeypatch, capsys):
    monkeypatch.setenv("COURSE_LANGUAGE", "fr")
    assert document.main([]) == 2
    assert capsys.readouterr().err.startswith("COURSE_LANGUAGE='fr': choose ko (Korean) or en (English).")


def test_a_missing_checkpoint_is_one_line_and_no_traceback(monkeypatch, capsys):
    def missing(name):
        raise checkpoints.CheckpointError(f"{name} is not on this computer yet. Get it: …")

    monkeypatch.setattr(checkpoints, "resolve", missing)
    monkeypatch.setattr(document, "run_all", lambda: pytest.fail("started to work"))
    assert document.main([]) == 2
    assert capsys.readouterr().err == "bert-large-uncased is not on this computer yet. Get it: …\n"


@pytest.fixture(scope="module")
def pocket_run(tmp_path_factory):
    """`python -m helpers.document --json` on the pocket models, in a process of its own: exit code, lines, rows, peak memory."""
    folder = tmp_path_factory.mktemp("pocket")
    environment = {**os.environ, "COURSE_MODELS": "pocket", "COURSE_LANGUAGE": "en", "PYTHONIOENCODING": "utf-8"}
    with open(folder / "out.txt", "wb") as out:
        command = [sys.executable, "-m", "helpers.document", "--json", str(folder / "rows.json")]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
        if hasattr(os, "wait4"):
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            peak = usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
        else:
            process.wait()
            peak = None
    text = (folder / "out.txt").read_text(encoding="utf-8")
    assert process.returncode == 0, text
    return text.splitlines(), json.loads((folder / "rows.json").read_text(encoding="utf-8")), peak


@pytest.mark.slow
def test_on_the_pocket_models_everything_that_the_english_tokenizer_decides_is_equal(pocket_run):
    _, rows, _ = pocket_run
    without_weights = {figure.path for figure in document.FIGURES if not figure.depends_on_weights}
    english = {row["figure"]: row["verdict"] for row in rows if row["language"] == "en" and row["figure"] in without_weights}
    assert english == dict.fromkeys(english, "equal")
    assert len(english) == 12


@pytest.mark.slow
def test_on_the_pocket_models_all_26_are_printed_and_none_differs(pocket_run):
    lines, rows, _ = pocket_run
    assert [row["figure"] for row in rows] == [figure.path for figure in document.FIGURES]
    assert {row["verdict"] for row in rows} <= {"equal", "stand-in"}
    for row in rows:
        assert sum(row["figure"] + "  " in line for line in lines) == 1, row["figure"]


@pytest.mark.slow
def test_the_pocket_run_fits_a_small_laptop(pocket_run):
    _, _, peak = pocket_run
    if peak is None:
        pytest.skip("this system does not say how much memory a process took")
    assert peak <= 1.6e9


@pytest.mark.parametrize("checkpoint, kind, words", [
    ("bert-large-uncased", ValueError, {"en": "is not a folder: pass what checkpoints.resolve('bert-large-uncased') returned",
                                        "ko": "폴더가 아닙니다: checkpoints.resolve('bert-large-uncased')의 결과를"}),
    (None, TypeError, {"en": "checkpoint is NoneType, not a folder", "ko": "폴더가 아니라 NoneType입니다"}),
])
def test_a_checkpoint_that_is_no_folder_is_refused(checkpoint, kind, words, language):
    with pytest.raises(kind) as error:
        document.compare("/masked_lm_english/special_ids/[CLS]", 101, checkpoint)
    assert words[language] in str(error.value) and "checkpoints.resolve(" in str(error.value) and "\n" not in str(error.value)


# --- the Korean ids, on the document's own vocabulary ------------------------------------------------------------------


def test_the_korean_encoding_is_equal_on_the_vocabulary_of_klue_bert_base():
    shared = Path(os.environ.get("COURSE_SHARED") or ROOT.parent / "shared")
    vocabulary = shared / "data" / "vocab" / "klue-bert-base-vocab.txt"
    if not vocabulary.is_file():
        pytest.skip("needs data/vocab/klue-bert-base-vocab.txt of klue/bert-base in the folder that COURSE_SHARED names")
    from transformers import BertTokenizerFast

    tokenizer = BertTokenizerFast(str(vocabulary), do_lower_case=False)
    table = document.compare("/masked_lm_korean/encoding", tokenizer("축구는 정말 재미있는 [MASK]다."), REAL)
    assert table["verdict"].tolist() == ["equal"] * 3
