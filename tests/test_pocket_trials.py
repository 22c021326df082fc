"""The trials behind the choices of the pocket models: what differs, and what stays the same."""

import os

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch comes with the training group alone")

os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")  # before the tools import transformers, and it TensorFlow

from tools import try_pocket
from tools.pocket import corpus, objectives, vocabulary

SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "size": 60, "predict_unknown": True, "continues": [False] * 40 + [True] * 20}


@pytest.mark.parametrize("name", ["pocket-english", "pocket-korean", "pocket-korean-starts"])
def test_each_trial_differs_from_the_base_in_one_thing(name):
    (_, chosen), *others = try_pocket.load(name)
    titles = [title for title, _ in try_pocket.load(name)]
    assert len(set(titles)) == len(titles) >= 5
    for title, configuration in others:
        changed = {table for table in configuration if configuration[table] != chosen.get(table)}
        assert len(changed) == 1, title
        assert configuration["training"]["steps"] == chosen["training"]["steps"]


def test_further_trials_are_of_the_model_that_they_name():
    assert {configuration["name"] for _, configuration in try_pocket.load("pocket-korean-starts")} == {"pocket-korean"}


def test_a_start_is_replaced_and_other_tables_are_merged():
    base = {"start": {"kind": "minilm-encoder", "window": 4}, "training": {"a": 1, "b": 2}}
    assert try_pocket.merged(base, {"start": {"kind": "scratch"}, "training": {"b": 3}}) == {"start": {"kind": "scratch"}, "training": {"a": 1, "b": 3}}
    assert base["training"]["b"] == 2


def test_a_kind_of_text_gets_another_weight_and_an_unknown_kind_is_refused():
    base = {"sources": [{"kind": "chat", "weight": 4.0}, {"kind": "speech", "weight": 1.0}]}
    assert try_pocket.merged(base, {"weights": {"chat": 0.0}}) == {"sources": [{"kind": "chat", "weight": 0.0}, {"kind": "speech", "weight": 1.0}]}
    assert base["sources"][0]["weight"] == 4.0
    with pytest.raises(ValueError, match="kind chats"):
        try_pocket.merged(base, {"weights": {"chats": 0.0}})


def test_whole_words_are_hidden_whole_and_as_often():
    ids = np.random.default_rng(0).integers(5, 60, (300, 100))
    ids[:, 0] = SPECIAL["[CLS]"]
    _, labels = objectives.mask_pieces(ids, SPECIAL, np.random.default_rng(1), whole_words=True)
    hidden = labels != objectives.IGNORE
    continues = np.array(SPECIAL["continues"])[ids]
    inside = continues[:, 2:]  # a piece that follows [CLS] directly begins a word, whatever it is
    assert (hidden[:, 2:][inside] == hidden[:, 1:-1][inside]).all()
    assert abs(hidden[:, 1:].mean() - 0.15) < 0.01
    _, pieces = objectives.mask_pieces(ids, SPECIAL, np.random.default_rng(1))
    assert ((pieces != objectives.IGNORE)[:, 2:][inside] != (pieces != objectives.IGNORE)[:, 1:-1][inside]).any()


def test_no_piece_reaches_from_a_stem_into_a_particle():
    lines = ["학교에서 친구를 만났다", "학교에서 밥을 먹었다", "친구에게 학교를 보여 주었다"] * 50
    pieces = vocabulary.train(lines, size=120, alphabet=100).get_vocab()
    cut = vocabulary.train(lines, size=120, alphabet=100, cut_particles=True)
    assert "학교에서" in pieces and "학교에서" not in cut.get_vocab()
    assert cut.encode("학교에서 친구에게").tokens[1:-1] == ["학교", "##에서", "친구", "##에게"]
    assert [cut.token_to_id(token) for token in vocabulary.SPECIAL_TOKENS] == [0, 1, 2, 3, 4]
    assert cut.get_vocab_size() <= 120


def test_a_trial_s_corpus_holds_the_first_documents_of_each_source():
    packed = corpus.Packed(
        np.arange(12, dtype=np.uint16), np.array([0, 2, 4, 7, 9, 12]), np.array([0, 1, 2, 4, 5]), np.array([0, 1, 0, 0], dtype=np.uint8)
    )
    made = try_pocket.shortened(packed, 7)
    assert made.ids.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8]  # the last document of source 0 is one too many
    assert made.sentences.tolist() == [0, 2, 4, 7, 9] and made.documents.tolist() == [0, 1, 2, 4] and made.source.tolist() == [0, 1, 0]


def test_without_texts_and_corpora_the_command_says_what_to_give(tmp_path):
    with pytest.raises(SystemExit, match="give --texts"):
        try_pocket.main(["pocket-korean", "--build", str(tmp_path), "--device", "cpu"])
    assert not list(tmp_path.rglob("*.npz"))


def test_the_table_goes_between_its_marks(tmp_path):
    page = tmp_path / "README.md"
    page.write_text("a\n<!-- trials of x: begin -->\nold\n<!-- trials of x: end -->\nb\n", encoding="utf-8")
    row = {"steps": 1200, "tokens": 5, "mlm": 0.25, "everyday": 0.5, "nsp": 0.75, "same_document": 0.5, "bits": 2.5}
    try_pocket.write("x", try_pocket.table({"base": row}, 8), page)
    text = page.read_text(encoding="utf-8")
    assert text.startswith("a\n") and text.endswith("b\n") and "old" not in text
    assert "| base | 1,200 | 5 | 0.250 | 0.500 | 2.50 | 0.750 | 0.500 |" in text
    with pytest.raises(ValueError, match="no place for the trials of y"):
        try_pocket.write("y", "table", page)


@pytest.mark.parametrize("device, expected", [("cpu", ["prepare", "the trial"]), ("cuda", ["prepare", try_pocket.REHEARSED, "prepare", "the trial"])])
def test_on_a_gpu_a_trial_begins_anew_after_a_rehearsal(tmp_path, monkeypatch, device, expected):
    done = []
    row = {"steps": 1, "tokens": 1, "mlm": 0.1, "everyday": 0.1, "nsp": 0.5, "same_document": 0.5, "bits": 3.0}

    def prepare(configuration, texts, build, folder, origin):
        done.append("prepare")
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "checkpoint.pt").write_bytes(b"")

    def train(configuration, folder, device, within=None, **others):
        done.append("the trial" if within else configuration["training"]["steps"])

    monkeypatch.setattr(try_pocket, "prepare", prepare)
    monkeypatch.setattr(try_pocket.train_pocket, "train", train)
    monkeypatch.setattr(try_pocket, "measured", lambda *arguments: row)
    monkeypatch.setattr(try_pocket, "computer", lambda device: "one computer")
    monkeypatch.setattr(try_pocket.torch, "set_num_threads", lambda count: None)
    try_pocket.main(["pocket-english", "--build", str(tmp_path), "--device", device, "--only", "1"])
    assert done == expected
