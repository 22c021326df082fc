"""Search: the nearest texts come back in order, an index comes back as it was, and the learner's own files are read or refused kindly."""

import json
import os
import sys
import types

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from helpers import saving, search
from helpers.sentence_encoder import SentenceEncoder
from tests import tiny

TEXTS = ["soccer is fun", "the sky is blue", "i went home this morning", "pizza is really fun", "축구는 재미있는 게임이다"]


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


@pytest.fixture(scope="module")
def encoder():
    return SentenceEncoder(tiny.folder())


@pytest.fixture
def index(encoder):
    made = search.Index(encoder)
    made.add(TEXTS)
    return made


class Plane:
    """An encoder whose vectors can be worked out by hand: how often a text has an "a", and a "b"."""

    hidden, tokenizer = 2, tiny.tokenizer()

    def encode(self, texts, progress=False):
        return np.array([[text.count("a"), text.count("b")] for text in texts], "float32")


# --- the index ----------------------------------------------------------------------------------------------------


def test_the_nearest_text_comes_first_with_its_cosine():
    index = search.Index(Plane())
    index.add(["b", "aab", "bbbb", "a"])
    found = index.query("aaaa", k=3)
    assert found["text"].tolist() == ["a", "aab", "b"]
    assert_allclose(found["score"], [1.0, 2 / 5**0.5, 0.0], atol=1e-6)
    assert found.index.tolist() == [1, 2, 3] and found.index.name == "rank"
    assert list(found) == ["score", "text"]


def test_equal_scores_stay_in_the_order_they_were_added():
    index = search.Index(Plane())
    index.add(["b", "aa", "a", "aaa"])
    assert index.query("a", k=4)["text"].tolist() == ["aa", "a", "aaa", "b"]


def test_a_text_finds_itself(index):
    for text in TEXTS:
        found = index.query(text, k=1)
        assert found["text"].tolist() == [text]
        assert found["score"].iloc[0] == pytest.approx(1, abs=1e-5)


def test_scores_are_the_encoders_similarities(index, encoder):
    found = index.query("the blue sky", k=99)
    expected = encoder.similarity(encoder.encode("the blue sky"), encoder.encode(TEXTS))[0]
    assert len(found) == len(TEXTS)
    assert_allclose(found["score"], np.sort(expected)[::-1], atol=1e-5)


def test_sources_come_along_and_an_entry_is_kept_once(encoder):
    index = search.Index(encoder)
    index.add(TEXTS[:2], ["a.txt, 1", "a.txt, 2"])
    index.add(TEXTS[:2], ["a.txt, 1", "a.txt, 2"])  # a cell that is run twice
    index.add(TEXTS[:1], ["b.txt, 1"])
    assert len(index) == 3 and index.vectors.shape == (3, tiny.HIDDEN)
    assert index.query(TEXTS[0], k=2)["source"].tolist() == ["a.txt, 1", "b.txt, 1"]


def test_a_column_of_a_table_can_be_added(encoder):
    index = search.Index(encoder)
    index.add(pd.Series(TEXTS, index=range(10, 15)))
    assert index.texts == TEXTS


@pytest.mark.parametrize(("texts", "message"), [
    ([], "texts is empty"), (None, "list of sentences"), ("one text", "square brackets"), (["fun", " "], "Row 1 of texts is empty"), (["fun", 3.5], "Row 1 of texts is 3.5"),
])
def test_what_cannot_be_added_is_named(encoder, texts, message):
    index = search.Index(encoder)
    with pytest.raises((TypeError, ValueError), match=message):
        index.add(texts)
    assert len(index) == 0


def test_what_cannot_be_read_is_named_by_the_callers_row(index):
    with pytest.raises(ValueError, match=r"texts\[3\]: This text is empty"):
        index.add([TEXTS[0], "a game", "a game", "\u200b"])


def test_vectors_that_are_no_numbers_are_refused(index):
    with pytest.raises(ValueError, match=r"Vector 0 holds NaN or infinity \(1 of 1 do\)"):
        index.nearest(np.full(tiny.HIDDEN, np.nan))


def test_sources_must_be_as_many_as_texts(encoder):
    with pytest.raises(ValueError, match="texts 5, sources 1"):
        search.Index(encoder).add(TEXTS, ["here"])


@pytest.mark.parametrize(("text", "k", "message"), [
    ("  ", 5, "empty"), (None, 5, "None"), ("fun", 0, "k=0"), ("fun", True, "k=True"), ("fun", 2.5, "k=2.5"),
])
def test_a_bad_query_is_refused(index, text, k, message):
    with pytest.raises((TypeError, ValueError), match=message):
        index.query(text, k)


def test_an_empty_index_says_how_to_fill_it(encoder, tmp_path):
    for use in (lambda index: index.query("fun"), lambda index: index.save(tmp_path / "index")):
        with pytest.raises(ValueError, match=r"index\.add\(texts\)"):
            use(search.Index(encoder))


def test_another_encoder_of_the_same_space_can_ask(index):
    class Other:
        tokenizer = tiny.tokenizer()

        def encode(self, texts):
            return index.vectors[1:2] * 7

    assert index.query("이 하늘은 파랗다", k=1, encoder=Other())["text"].tolist() == [TEXTS[1]]


def test_what_asks_reads_the_text_with_its_own_tokenizer():
    class KoreanLetters:
        def tokenize(self, text, verbose):
            return [letter for letter in text if "가" <= letter <= "힣"]

        def __call__(self, text, text_pair, verbose):
            return {"input_ids": self.tokenize(text, verbose)}

    class Other(Plane):
        tokenizer = KoreanLetters()

    index = search.Index(Plane())
    index.add(["a", "b"])
    assert len(index.query("b나", k=1, encoder=Other())) == 1
    with pytest.raises(ValueError, match="This text is empty"):
        index.query("b", k=1, encoder=Other())


def test_vectors_of_another_length_are_refused(index):
    with pytest.raises(ValueError, match=f"have 3 numbers, those of the index {tiny.HIDDEN}"):
        index.nearest(np.ones((1, 3)))


def test_an_encoder_that_was_trained_on_makes_the_index_stale(tmp_path):
    trained = SentenceEncoder(tiny.folder())
    index = search.Index(trained)
    index.add(TEXTS)
    weight = trained.model.trainable_variables[0]
    weight.assign(weight + np.random.default_rng(3).normal(size=weight.shape))
    for use in (lambda: index.query("fun"), lambda: index.add(["fun"]), lambda: index.save(tmp_path / "index")):
        with pytest.raises(ValueError, match="another encoder"):
            use()
    assert len(index) == len(TEXTS)


def test_a_long_text_in_the_index_is_not_announced_with_every_question(encoder, capsys):
    index = search.Index(encoder)
    index.add(["fun " * 2 * tiny.POSITIONS, *TEXTS])
    assert "Texts longer than 64 pieces: 1" in capsys.readouterr().out
    index.query("fun"), index.add(["sky"]), index.query("sky")
    assert capsys.readouterr().out == ""


# --- large ones ---------------------------------------------------------------------------------------------------


def without_faiss(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)  # import raises ImportError


def test_without_faiss_a_large_index_is_compared_in_full(index, monkeypatch):
    expected = index.nearest(index.vectors, 3)
    monkeypatch.setattr(search, "LARGE", 1)
    without_faiss(monkeypatch)
    for one, other in zip(index.nearest(index.vectors, 3), expected):
        assert_array_equal(one, other)


def test_faiss_is_asked_only_where_the_corpus_is_large(index, monkeypatch):
    asked = []

    class Graph:
        def __init__(self, *arguments):
            self.hnsw = types.SimpleNamespace()
            asked.append(("built", *arguments))

        def add(self, vectors):
            asked.append(("added", len(vectors)))

        def search(self, vectors, k):
            return np.ones((len(vectors), k), "float32"), np.zeros((len(vectors), k), int)

    monkeypatch.setitem(sys.modules, "faiss", types.SimpleNamespace(IndexHNSWFlat=Graph, METRIC_INNER_PRODUCT="dot"))
    index.query("fun")
    assert asked == []
    monkeypatch.setattr(search, "LARGE", len(TEXTS))
    index.query("fun"), index.query("blue")
    assert asked == [("built", tiny.HIDDEN, 32, "dot"), ("added", len(TEXTS))]  # once for both
    index.add(["sky"])
    index.query("fun")
    assert asked[-1] == ("added", len(TEXTS) + 1)


def test_where_faiss_finds_too_few_the_matrix_product_is_asked(index, monkeypatch):
    expected = index.nearest(index.vectors, 3)

    class Torn:
        hnsw = types.SimpleNamespace()

        def __init__(self, *_):
            pass

        def add(self, vectors):
            pass

        def search(self, vectors, k):
            scores, places = expected[0].copy(), expected[1].copy()
            scores[1, 2], places[1, 2] = -3.4e38, -1  # what it gives for nothing
            return scores, places

    monkeypatch.setitem(sys.modules, "faiss", types.SimpleNamespace(IndexHNSWFlat=Torn, METRIC_INNER_PRODUCT=None))
    monkeypatch.setattr(search, "LARGE", 1)
    for one, other in zip(index.nearest(index.vectors, 3), expected):
        assert_allclose(one, other, atol=1e-6)


def test_faiss_finds_what_the_matrix_product_finds(encoder, monkeypatch):
    pytest.importorskip("faiss", reason="faiss-cpu is optional")
    random = np.random.default_rng(2)
    index = search.Index(encoder)
    index.vectors = search._unit(random.normal(size=(2000, tiny.HIDDEN)))
    index.texts = index.sources = [str(number) for number in range(2000)]
    queries = search._unit(random.normal(size=(50, tiny.HIDDEN)))
    scores, places = index.nearest(queries, 5)
    monkeypatch.setattr(search, "LARGE", 1000)
    fast_scores, fast_places = index.nearest(queries, 5)
    assert (fast_places[:, 0] == places[:, 0]).mean() >= 0.95
    same = fast_places == places
    assert_allclose(fast_scores[same], scores[same], atol=1e-5)


# --- folders ------------------------------------------------------------------------------------------------------


def test_a_saved_index_answers_as_before(index, encoder, tmp_path):
    index.save(tmp_path / "index")
    loaded = search.Index.load(tmp_path / "index", encoder)
    assert_array_equal(loaded.vectors, index.vectors)
    pd.testing.assert_frame_equal(loaded.query("the blue sky"), index.query("the blue sky"))
    assert sorted(os.listdir(tmp_path / "index")) == ["index.json", "vectors.safetensors"]


def test_the_same_encoder_from_its_own_folder_opens_it(index, encoder, tmp_path):
    index.save(tmp_path / "index")
    encoder.save(tmp_path / "encoder")
    assert search.Index.load(tmp_path / "index", SentenceEncoder.load(tmp_path / "encoder")).texts == TEXTS


@pytest.mark.parametrize("settings", [{"pooling": "max"}, {"normalize": True}, {"max_length": 20}], ids=str)
def test_another_encoder_cannot_open_it(index, tmp_path, settings):
    index.save(tmp_path / "index")
    with pytest.raises(ValueError, match=r"made with another encoder .* index\.add\(texts\)"):
        search.Index.load(tmp_path / "index", SentenceEncoder(tiny.folder(), **settings))


def test_other_weights_cannot_open_it(index, tmp_path):
    index.save(tmp_path / "index")
    other = SentenceEncoder(tiny.folder())
    weight = other.model.trainable_variables[-3]
    weight.assign(weight + 1e-3)
    with pytest.raises(ValueError, match="made with another encoder"):
        search.Index.load(tmp_path / "index", other)


def test_another_tokenizer_cannot_open_it(encoder):
    other = SentenceEncoder(tiny.folder())
    assert search.fingerprint(other) == search.fingerprint(encoder)
    other.tokenizer.backend_tokenizer.normalizer = None
    assert search.fingerprint(other) != search.fingerprint(encoder)


def test_the_pooler_does_not_count():
    one = SentenceEncoder(tiny.folder())
    before = search.fingerprint(one)
    for weight in one.model.bert.pooler.weights:
        weight.assign(weight + 1)
    assert search.fingerprint(one) == before


def test_a_folder_without_an_index_is_named(encoder, tmp_path):
    with pytest.raises(ValueError, match=r"holds no index \(index\.json is missing\)"):
        search.Index.load(tmp_path, encoder)


def test_an_index_with_file_names_in_an_old_encoding_comes_back(encoder, tmp_path):
    sources = [os.fsdecode("한글.txt".encode("cp949")) + ", 1", "글 😀, 1"]
    index = search.Index(encoder)
    index.add(["soccer", "sky"], sources)
    index.save(tmp_path / "index")
    loaded = search.Index.load(tmp_path / "index", encoder)
    assert loaded.sources[0].endswith(".txt, 1") and loaded.sources[1] == "글 😀, 1"
    loaded.add(["soccer"], sources[:1])  # known
    assert len(loaded) == 2


def test_what_is_no_index_is_named(index, encoder, tmp_path):
    index.save(tmp_path / "index")
    with pytest.raises(ValueError, match=r"index\.json is a file, not the folder of an index"):
        search.Index.load(tmp_path / "index" / "index.json", encoder)
    (tmp_path / "index" / "vectors.safetensors").unlink()
    with pytest.raises(ValueError, match=r"holds no index \(vectors\.safetensors is missing\)"):
        search.Index.load(tmp_path / "index", encoder)


def test_an_index_that_may_not_be_read_is_not_called_damaged(index, encoder, tmp_path, monkeypatch):
    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    index.save(tmp_path / "index")
    monkeypatch.setattr(saving, "read_weights", locked)
    with pytest.raises(PermissionError, match=r"vectors\.safetensors"):
        search.Index.load(tmp_path / "index", encoder)


@pytest.mark.parametrize("harm", ["half a file", "other texts", "no vectors inside"])
def test_a_damaged_index_is_refused(index, encoder, tmp_path, harm):
    folder = tmp_path / "index"
    index.save(folder)
    about = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    if harm == "half a file":
        path = folder / "vectors.safetensors"
        path.write_bytes(path.read_bytes()[:-40])
    elif harm == "other texts":
        (folder / "index.json").write_text(json.dumps({**about, "texts": about["texts"][1:]}), encoding="utf-8")
    else:
        (folder / "index.json").write_text("[]", encoding="utf-8")
    with pytest.raises(ValueError, match="damaged"):
        search.Index.load(folder, encoder)


def test_saving_replaces_an_index_and_nothing_else(index, encoder, tmp_path):
    index.save(tmp_path / "index")
    index.add(["sky"])
    index.save(tmp_path / "index")
    assert len(search.Index.load(tmp_path / "index", encoder)) == len(TEXTS) + 1
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "diary.txt").write_text("dear diary", encoding="utf-8")
    with pytest.raises(ValueError, match=r"diary\.txt"):
        index.save(tmp_path / "mine")
    assert (tmp_path / "mine" / "diary.txt").read_text(encoding="utf-8") == "dear diary"


def test_a_full_disk_leaves_the_earlier_index_whole(index, encoder, tmp_path, monkeypatch):
    index.save(tmp_path / "index")
    index.add(["sky"])

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving, "write_text", full)
    with pytest.raises(OSError, match="disk is full"):
        index.save(tmp_path / "index")
    assert search.Index.load(tmp_path / "index", encoder).texts == TEXTS
    assert os.listdir(tmp_path) == ["index"]


# --- the learner's own texts --------------------------------------------------------------------------------------


def test_pasted_lines_become_texts():
    corpus = search.from_text("  One text.\n\n 둘째 글 \r\nLast")
    assert corpus.values.tolist() == [["line 1", "One text."], ["line 3", "둘째 글"], ["line 4", "Last"]]


def test_a_folder_gives_the_paragraphs_of_its_text_files(tmp_path):
    (tmp_path / "deep").mkdir()
    (tmp_path / "b.txt").write_text("\ufeffFirst\nparagraph.\n\n\n Second. \n", encoding="utf-8")
    (tmp_path / "deep" / "a.TXT").write_text("글 하나", encoding="utf-8")
    (tmp_path / "picture.png").write_bytes(b"\xff\xd8")
    (tmp_path / ".ipynb_checkpoints").mkdir()
    for hidden in (".ipynb_checkpoints/b.txt", "deep/._a.txt"):
        (tmp_path / hidden).write_text("hidden", encoding="utf-8")
    corpus = search.from_folder(tmp_path)
    assert corpus.values.tolist() == [["b.txt, 1", "First paragraph."], ["b.txt, 2", "Second."], ["deep/a.TXT, 1", "글 하나"]]


def test_lines_that_only_look_empty_are_empty(tmp_path, capsys):
    for invisible in ("\u200b", "\ufeff", "\u2060 \xad"):
        assert search.from_text(f"one\n{invisible}\ntwo")["source"].tolist() == ["line 1", "line 3"]
        (tmp_path / "blog.txt").write_text(f"one\n{invisible}\ntwo", encoding="utf-8")
        assert search.from_folder(tmp_path)["text"].tolist() == ["one", "two"]
        (tmp_path / "blog.csv").write_text(f"text\none\n{invisible}\n", encoding="utf-8")
        assert search.from_csv(tmp_path / "blog.csv", "text")["text"].tolist() == ["one"]
        assert "1 of 2 rows have no text" in capsys.readouterr().out


@pytest.mark.parametrize("between", ["\n", " "], ids=["lines", "sentences"])
def test_a_long_paragraph_is_divided_and_nothing_of_it_is_lost(tmp_path, between):
    sentences = [f"This is sentence number {number} of a long day." for number in range(100)]
    (tmp_path / "diary.txt").write_text("A short one.\n\n" + between.join(sentences), encoding="utf-8")
    corpus = search.from_folder(tmp_path)
    parts = corpus["text"].tolist()[1:]
    assert " ".join(parts) == " ".join(sentences) and len(parts) > 1
    assert all(search.LONG - 100 < len(part) <= search.LONG for part in parts[:-1]) and all(part.endswith(".") for part in parts)
    assert corpus["source"].tolist() == ["diary.txt, 1"] + ["diary.txt, 2"] * len(parts)


def test_a_column_of_a_csv_file_is_read_and_empty_cells_are_counted(tmp_path, capsys):
    path = tmp_path / "reviews.csv"
    path.write_text('id,review\n1,"Good, very good"\n2,\n3,NA\n4,나쁘지 않다\n', encoding="utf-8-sig")
    corpus = search.from_csv(path, "review")
    assert corpus.values.tolist() == [["row 2", "Good, very good"], ["row 4", "NA"], ["row 5", "나쁘지 않다"]]
    assert capsys.readouterr().out == "reviews.csv: 1 of 4 rows have no text in 'review' and are left out.\n"


def test_rows_are_counted_as_a_spreadsheet_does(tmp_path, capsys):
    path = tmp_path / "notes.csv"
    path.write_text("note\none\n\nthree\n", encoding="utf-8")
    assert search.from_csv(path, "note").values.tolist() == [["row 2", "one"], ["row 4", "three"]]
    assert "1 of 3 rows have no text" in capsys.readouterr().out
    path.write_text("\n\nnote,date\none,today\n", encoding="utf-8")
    assert search.from_csv(path, "note").values.tolist() == [["row 4", "one"]]


def test_a_missing_column_names_those_that_there_are(tmp_path):
    (tmp_path / "reviews.csv").write_text("id,review,date\n1,good,today\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"reviews\.csv has no column 'text': choose one of id, review, date\."):
        search.from_csv(tmp_path / "reviews.csv", "text")


def test_an_undecodable_file_is_named_and_can_be_read_with_its_encoding(tmp_path):
    (tmp_path / "old.txt").write_bytes("오래된 글".encode("cp949"))
    (tmp_path / "old.csv").write_bytes("글\n오래된 글\n".encode("cp949"))
    for read in (lambda **more: search.from_folder(tmp_path, **more), lambda **more: search.from_csv(tmp_path / "old.csv", "글", **more)):
        with pytest.raises(ValueError, match=r"old\.\w+ is not written in utf-8-sig: save it as UTF-8, or name its encoding, like encoding=\"cp949\""):
            read()
        with pytest.raises(ValueError, match="no encoding 'cp99949'"):
            read(encoding="cp99949")
        assert read(encoding="cp949")["text"].tolist() == ["오래된 글"]


def test_a_folder_may_hold_old_files_beside_new_ones(tmp_path):
    (tmp_path / "a.txt").write_bytes("오래된 글".encode("cp949"))
    (tmp_path / "b.txt").write_text("메모", encoding="utf-8")  # as cp949 it would be read as other letters
    assert search.from_folder(tmp_path, encoding="cp949")["text"].tolist() == ["오래된 글", "메모"]
    (tmp_path / "c.txt").write_bytes(b"\xff\xff")
    with pytest.raises(ValueError, match=r"c\.txt is written neither in UTF-8 nor in cp949"):
        search.from_folder(tmp_path, encoding="cp949")
    (tmp_path / "d.csv").write_bytes("text\nplain\n".encode("utf-16-le"))  # which is UTF-8 as well, with a zero behind every letter
    assert search.from_csv(tmp_path / "d.csv", "text", encoding="utf-16-le")["text"].tolist() == ["plain"]


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("text", encoding="utf-8")

    def locked(path):
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(type(tmp_path), "read_bytes", locked)
    with pytest.raises(PermissionError, match=r"^a\.txt cannot be read \(Permission denied\): look at its rights"):
        search.from_folder(tmp_path)


def test_nothing_to_read_is_said(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "blank").mkdir()
    (tmp_path / "blank" / "a.txt").write_text(" \n\n", encoding="utf-8")
    (tmp_path / "blank.csv").write_text("text\n\n", encoding="utf-8")
    (tmp_path / "nothing.csv").write_text("", encoding="utf-8")
    (tmp_path / "shifted.csv").write_text("a,b\n1,2,3\n4,5,6\n", encoding="utf-8")
    (tmp_path / "ragged.csv").write_text("a,b\n1,2\n1,2,3,4\n", encoding="utf-8")
    for read, message in (
        (lambda: search.from_text(" \n "), "There is no text in the pasted text"),
        (lambda: search.from_text(["a"]), "not list"),
        (lambda: search.from_folder(tmp_path / "nowhere"), "There is no folder"),
        (lambda: search.from_folder(tmp_path / "empty"), "no .txt file in 'empty'"),
        (lambda: search.from_folder(tmp_path / "blank"), "There is no text in blank"),
        (lambda: search.from_csv(tmp_path / "nowhere.csv", "text"), "There is no file"),
        (lambda: search.from_csv(tmp_path / "blank.csv", "text"), r"There is no text in blank\.csv, text"),
        (lambda: search.from_csv(tmp_path / "nothing.csv", "text"), r"nothing\.csv is no CSV table"),
        (lambda: search.from_csv(tmp_path / "ragged.csv", "a"), r"ragged\.csv is no CSV table"),
        (lambda: search.from_csv(tmp_path / "shifted.csv", "a"), r"shifted\.csv is no CSV table \(the rows have more cells"),
    ):
        with pytest.raises((TypeError, ValueError), match=message) as caught:
            read()
        assert "\n" not in str(caught.value)


# --- measures -----------------------------------------------------------------------------------------------------


def test_shared_words_are_counted_against_all_words():
    scores = search.shared_words(["The sky is blue.", "축구는 재미있다"], ["the blue SKY", "is it", "나는 축구는 싫다"])
    assert_allclose(scores, [[3 / 4, 1 / 5, 0], [0, 0, 1 / 4]])


def test_accuracy_leaves_the_query_out_and_a_tie_is_no_find():
    scores = [[1.0, 0.9, 0.2], [0.9, 1.0, 0.3], [0.5, 0.5, 0.1], [0.2, 0.4, 0.3]]
    assert search.accuracy_at_1(scores, [1, 0, 0, 2]) == 0.0
    assert search.accuracy_at_1(scores, [1, 0, 0, 2], own=[0, 1, 2, 1]) == 0.75


@pytest.mark.parametrize(("scores", "answers", "own", "message"), [
    ([], [], None, r"the shape \(0,\)"), ([0.1, 0.2], [0, 1], None, r"the shape \(2,\)"), ([[0.1, 0.2]], [0, 1], None, "scores 1, answers 2"),
    ([[0.1, 0.2]], [2], None, r"answers\[0\] is 2: give the number of a column, from 0 to 1"), ([[0.1, 0.2]], [-1], None, r"answers\[0\] is -1"),
    ([[0.1, 0.2]], [0], [0, 1], "scores 1, own 2"), ([[0.1, 0.2]], [0], [float("nan")], r"own\[0\] is nan"),
])
def test_accuracy_refuses_what_it_cannot_count(scores, answers, own, message):
    with pytest.raises(ValueError, match=message):
        search.accuracy_at_1(scores, answers, own)


def test_reranking_follows_the_judge_and_keeps_ties_in_order():
    found = pd.DataFrame({"score": [0.9, 0.8, 0.7], "text": ["x", "yy", "zz"]}, index=pd.RangeIndex(1, 4, name="rank"))
    asked = []

    def judge(queries, texts):
        asked.append((queries, texts))
        return [len(text) for text in texts]

    again = search.rerank("q", found, judge)
    assert asked == [(["q"] * 3, ["x", "yy", "zz"])]
    assert again["text"].tolist() == ["yy", "zz", "x"] and again["judged"].tolist() == [2, 2, 1]
    assert again.index.tolist() == [1, 2, 3] and list(again) == ["judged", "score", "text"]
    assert list(found) == ["score", "text"]  # untouched
    assert search.rerank("q", again, lambda queries, texts: [1, 2, 3])["judged"].tolist() == [3, 2, 1]  # an earlier judge is forgotten
    with pytest.raises(ValueError, match="one number a text"):
        search.rerank("q", found, lambda queries, texts: [1.0])


@pytest.mark.parametrize("language", ["ko", "en"])
def test_messages_follow_the_readers_language(language, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    with pytest.raises(ValueError) as caught:
        search.from_text("")
    assert any("가" <= letter <= "힣" for letter in str(caught.value)) == (language == "ko")
