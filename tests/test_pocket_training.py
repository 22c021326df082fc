"""The promises of `tools/train_pocket.py`: objectives as published, honest split, resumable to the last bit."""

import json
import os
import re
from pathlib import Path

import numpy as np
import pytest

from tools.pocket import configuration as configurations
from tools.pocket import corpus, more_texts, objectives, outside

SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3, "[MASK]": 4, "size": 400, "predict_unknown": True}
SOURCES = [{"name": "news", "weight": 2.0}, {"name": "tales", "weight": 1.0}, {"name": "reviews", "weight": 1.0, "unit": "line"}]
SHARED = Path(os.environ.get("COURSE_SHARED", configurations.ROOT.parent / "shared"))


def packed_corpus():
    """Twelve documents of two ordered sources and twenty reviews; a piece's id tells which document it is from."""
    ids, sentences, documents, source = [], [0], [0], []
    for document in range(32):
        review = document >= 24
        for _ in range(1 if review else 30):
            ids += [10 + document] * 9
            sentences.append(len(ids))
        documents.append(len(sentences) - 1)
        source.append(2 if review else document % 2)
    return corpus.Packed(
        np.array(ids, dtype=np.uint16), np.array(sentences), np.array(documents), np.array(source, dtype=np.uint8)
    )


def sampler(seed=3):
    return objectives.Sampler(packed_corpus(), SOURCES, SPECIAL, seed)


def test_masking_hides_fifteen_percent_in_80_10_10():
    ids = np.full((400, 128), 50)
    ids[:, 0], ids[:, -20:] = SPECIAL["[CLS]"], SPECIAL["[PAD]"]
    masked, labels = objectives.mask_pieces(ids, SPECIAL, np.random.default_rng(0))
    chosen = labels != objectives.IGNORE
    assert abs(chosen[:, 1:-20].mean() - 0.15) < 0.005
    assert not chosen[:, 0].any() and not chosen[:, -20:].any()
    assert abs((masked[chosen] == SPECIAL["[MASK]"]).mean() - 0.8) < 0.02
    assert abs((masked[chosen] == 50).mean() - 0.1) < 0.02
    assert (masked[~chosen] == ids[~chosen]).all()


def test_removed_words_are_never_predicted():
    ids = np.full((50, 64), SPECIAL["[UNK]"])
    _, labels = objectives.mask_pieces(ids, {**SPECIAL, "predict_unknown": False}, np.random.default_rng(0))
    assert (labels == objectives.IGNORE).all()


def test_half_of_the_second_segments_follow_and_half_come_from_another_document():
    input_ids, types, labels = sampler().pairs(np.random.default_rng(1), 600, 64)
    assert abs(labels.mean() - 0.5) < 0.06
    same_source = []
    for row, kind, label in zip(input_ids, types, labels):
        first = row[(kind == 0) & (row >= 10)][0] - 10
        second = row[(kind == 1) & (row >= 10)][0] - 10
        assert (first == second) == (label == 0)
        if label:
            same_source.append(first % 2 == second % 2)
    assert abs(np.mean(same_source) - 0.5) < 0.08


def test_a_share_of_the_random_second_segments_stays_in_the_document_but_does_not_follow():
    packed = packed_corpus()
    packed = corpus.Packed(np.arange(len(packed.ids), dtype=np.uint16) + 10, packed.sentences, packed.documents, packed.source)
    made = objectives.Sampler(packed, SOURCES, SPECIAL, 3, same_document=0.4)
    input_ids, types, labels = made.pairs(np.random.default_rng(1), 600, 64)
    document_of = np.searchsorted(packed.sentences[packed.documents], np.arange(len(packed.ids)), side="right")
    stayed = []
    for row, kind, label in zip(input_ids, types, labels):
        a, b = row[(kind == 0) & (row >= 10)] - 10, row[(kind == 1) & (row >= 10)] - 10
        follows = b[0] == a[-1] + 1
        assert follows == (label == 0) or label == 0
        if label:
            assert not follows and not set(a) & set(b)
            stayed.append(document_of[a[0]] == document_of[b[0]])
    assert abs(np.mean(stayed) - 0.4) < 0.08


def test_what_follows_a_mask_loses_its_hashes():
    special = {**SPECIAL, "standalone": [-1] * 6 + [20, -1]}  # piece 6 is ##x, and 20 is x
    input_ids = np.array([[2, 4, 6, 6, 4, 7, 4, 6, 3]])
    labels = np.full_like(input_ids, objectives.IGNORE)
    labels[0, [1, 4, 6, 7]] = 5  # the last 6 is to be predicted itself
    changed = objectives.detach(input_ids, labels, special, np.random.default_rng(0), rate=1.0)
    assert changed.tolist() == [[2, 4, 20, 6, 4, 7, 4, 6, 3]]
    assert objectives.detach(input_ids, labels, special, np.random.default_rng(0), rate=0.0).tolist() == input_ids.tolist()


def test_rows_are_cls_a_sep_b_sep():
    input_ids, types, _ = sampler().pairs(np.random.default_rng(1), 8, 64)
    for row, kind in zip(input_ids, types):
        ends = np.flatnonzero(row == SPECIAL["[SEP]"])
        assert row[0] == SPECIAL["[CLS]"] and len(ends) == 2
        assert (kind[: ends[0] + 1] == 0).all() and (kind[ends[0] + 1 : ends[1] + 1] == 1).all()
        assert (row[ends[1] + 1 :] == SPECIAL["[PAD]"]).all()


def test_a_resumed_run_sees_the_same_batch():
    straight = sampler()
    for step in range(5):
        straight.batch(step, 512, pair_tokens=(64, 32), short=16)
    resumed = sampler()
    for name in ("input_ids", "labels", "next_sentence"):
        assert (getattr(straight.batch(5, 512, pair_tokens=(64, 32), short=16), name) == getattr(resumed.batch(5, 512, pair_tokens=(64, 32), short=16), name)).all()
    assert (straight.batch(5, 512, pair_tokens=(64, 32), short=16).labels.tolist() != straight.batch(6, 512, pair_tokens=(64, 32), short=16).labels.tolist())


def test_three_percent_of_documents_are_held_out_whatever_their_order():
    documents = [[f"document {number}"] for number in range(20_000)]
    held_out = [corpus.is_held_out(document) for document in documents]
    assert abs(np.mean(held_out) - 0.03) < 0.004
    assert held_out == [corpus.is_held_out(document) for document in documents[::-1]][::-1]
    assert held_out != [corpus.is_held_out(document, seed=1) for document in documents]


@pytest.mark.parametrize(
    ("line", "near"),
    [
        ("This is a really fun hobby for everyone.", True),
        ("I went to court this morning with my sister.", True),
        ("The sky is blue due to dust.", True),
        ("Soccer is really fun.", False),
        ("정말 재미있는 영화다", True),
        ("오늘 아침에 빵집에 출근을 했다", True),
        ("정말 재미있게 본 영화", False),
    ],
)
def test_lines_near_the_document_s_sentences_are_left_out(line, near):
    figures = json.loads(configurations.FIGURES.read_text(encoding="utf-8"))
    assert corpus.Excluded(corpus.document_texts(figures)).matches(line) is near


TEXTS = [(name, source) for name in configurations.names() for source in configurations.load(name)["sources"]]


@pytest.mark.parametrize("name, source", TEXTS, ids=[f"{name}: {source['name']}" for name, source in TEXTS])
def test_no_training_text_comes_near_the_document_s_sentences(name, source):
    try:
        path = corpus.find([SHARED / "data", more_texts.FOLDER], source["path"])
    except FileNotFoundError:
        pytest.skip(f"{source['path']} is not on this computer (COURSE_SHARED names its folder, or tools.pocket.more_texts brings it)")
    figures = json.loads(configurations.FIGURES.read_text(encoding="utf-8"))
    excluded = corpus.Excluded(corpus.document_texts(figures))
    # Written out by hand, independent of the n-grams that leave lines out.
    forbidden = re.compile(
        r"is a really fun \w|soccer is a really|went to \w+ this morning|knife and fork in casual settings|"
        r"정말 재미있는 [가-힣]+다\b|오늘 아침에 [가-힣]+에 출근|일본과 공동으로 개최|극장가서 로맨스 영화"
    )
    lines = (line for document in corpus.read_documents(path, source.get("unit", "document"), excluded) for line in document)
    assert [line for line in lines if forbidden.search(re.sub(r"[^\w\s]", "", line.lower()))] == []


def test_blank_lines_part_documents_and_lines_part_reviews(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("A b.\nC d.\n\nE f.\n", encoding="utf-8")
    assert list(corpus.read_documents(path)) == [["A b.", "C d."], ["E f."]]
    assert list(corpus.read_documents(path, unit="line")) == [["A b."], ["C d."], ["E f."]]


def test_a_premise_stands_once_before_its_hypotheses(tmp_path):
    path = tmp_path / "pairs.tsv"
    path.write_text('premise\thypothesis\tlabel\nA "b.\tC.\tneutral\nA "b.\tD.\tentailment\nE.\tF.\tneutral\n', encoding="utf-8")
    assert list(corpus.read_documents(path, unit="group")) == [['A "b.', "C.", "D."], ["E.", "F."]]


def test_similarity_pairs_stand_together_without_what_is_for_evaluation_only(tmp_path):
    path = tmp_path / "sts.tsv"
    path.write_text("genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\nx\timages\t1\t1\t5.0\tA.\tB.\n"
                    "x\tMSRvid\t1\t2\t5.0\tC.\tD.\nx\theadlines\t1\t3\t0.0\tE.\tF.\n", encoding="utf-8")
    assert list(corpus.read_documents(path, unit="group")) == [["A.", "B."], ["E.", "F."]]


def test_a_group_makes_no_next_sentence_pair():
    sources = [SOURCES[0], {**SOURCES[1], "unit": "group"}, SOURCES[2]]
    made = objectives.Sampler(packed_corpus(), sources, SPECIAL, 3)
    assert set(made.paired) == {0} and set(made.single) == {0, 1, 2}


def test_pages_become_paragraphs_without_code_and_labels():
    long = "A paragraph that is long enough to be text and no label."
    page = f"<h1>{long}</h1><p>{long[:20]}\n <em>{long[20:]}</em></p><pre>{long}</pre><p>short</p><li>{long}</li>"
    assert outside.paragraphs(page) == [long]


def test_every_source_states_its_licence_and_kind():
    for name in configurations.names():
        for source in configurations.load(name)["sources"]:
            assert source["licence"] and source["kind"] and source["weight"] > 0


def test_the_card_tells_dropout_weight_decay_and_long_rows():
    from tools.pocket import card

    training = {"long_share": 0.1, "long_tokens": [512, 256], "pair_tokens": [128, 64], "weight_decay": 0.05}
    told = card.settings({"network": {"hidden_dropout_prob": 0.1}, "training": training})
    assert told == "dropout 0.1, weight decay 0.05, rows of up to 512 tokens in the last 10%, of up to 128 before"
    assert card.settings({"network": {}, "training": {}}) == "dropout 0, weight decay 0.01"


def test_the_card_tells_where_the_weights_and_the_words_are_from():
    from tools.pocket import card

    value, row = {"mlm": 0.5, "nsp": 0.5, "pieces": 9, "pairs": 9}, (0.5, 9)
    figures = {
        "parameters": 1e6, "bytes": 2e6, "vocabulary": 400, "prose": value, "by_kind": {}, "swapped": row, "same_document": row, "unknown": 0.0, "held_out_pieces": 9,
        "pseudo_perplexity": 9.0, "detail": {"top_5": 0.6, "top_10": 0.7, "calibration_error": 0.1, "bands": {}}, "baselines": {"unigram": 0.1, "trigram": 0.2},
        "outside": [], "sentences": [], "pairs": [],
    }
    log = [{"step": 1, "tokens": 9, "mlm": 0.5, "loss": 1.0, "nsp": 0.5}]
    texts = {}
    former = {**configurations.load("pocket-korean"), "start": {"kind": "minilm-encoder"}}
    for name, configuration in {"former": former, **{name: configurations.load(name) for name in configurations.names()}}.items():
        counts = {"sources": [{"name": source["name"], "train_pieces": 1, "held_out_pieces": 1} for source in configuration["sources"]]}
        texts[name] = card.text(configuration, counts, log, figures)
    assert "base_model: intfloat/multilingual-e5-small\n" in texts["pocket-korean"] and "the first 6 of its 12" in texts["pocket-korean"]
    assert "base_model: sentence-transformers/all-MiniLM-L6-v2\n" in texts["pocket-english"] and "both losses summed" in texts["pocket-english"]
    assert "base_model: sentence-transformers/all-MiniLM-L6-v2\n" in texts["former"] and "start from the corpus itself" in texts["former"]
    assert "the second one counted 2 times" in texts["pocket-korean"]
    assert [name for name, text in texts.items() if "itself written by a language model (Everyday texts" in text] == ["former", "pocket-korean"]


def test_unknown_configuration_names_the_choices():
    with pytest.raises(ValueError, match="pocket-english, pocket-korean"):
        configurations.load("pocket-klingon")


@pytest.fixture
def tiny_build(tmp_path, monkeypatch):
    """A prepared folder: packed corpus, special ids, and a two-layer network at step 0."""
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")  # transformers imports TensorFlow as well, which decides on its Keras there
    from tools.pocket import network

    configuration = {
        "name": "tiny", "seed": 5, "sources": SOURCES,
        "network": {"num_hidden_layers": 2, "hidden_size": 16, "num_attention_heads": 2, "intermediate_size": 32},
        "training": {"steps": 8, "decay": 0.5, "warmup": 2, "exam_every": 4, "learning_rate": 1e-3, "tokens_a_batch": 512, "short_share": 0.3, "pair_tokens": [64, 32]},
    }
    for split in ("train", "held_out"):
        packed_corpus().save(tmp_path / f"{split}.npz")
    (tmp_path / "special.json").write_text(json.dumps(SPECIAL), encoding="utf-8")
    state = network.build(configuration, SPECIAL).state_dict()
    torch.save({"network": state, "optimizer": None, "step": 0, "tokens": 0, "log": []}, tmp_path / "checkpoint.pt")
    return configuration, tmp_path


def test_an_interrupted_run_ends_at_the_same_weights(tiny_build, tmp_path):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    import shutil

    from tools import train_pocket

    configuration, build = tiny_build
    straight = tmp_path / "straight"
    shutil.copytree(build, straight, ignore=shutil.ignore_patterns("straight"))
    assert train_pocket.train(configuration, straight, "cpu")
    assert not train_pocket.train(configuration, build, "cpu", minutes=0)  # stops after one step
    assert torch.load(build / "checkpoint.pt", weights_only=True)["step"] == 1
    assert train_pocket.train(configuration, build, "cpu")
    ends = [torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (straight, build)]
    assert ends[0]["log"] == ends[1]["log"] and ends[0]["tokens"] == ends[1]["tokens"]
    for name, tensor in ends[0]["network"].items():
        assert torch.equal(tensor, ends[1]["network"][name]), name


def test_worker_processes_make_the_same_run(tiny_build, tmp_path):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    import shutil

    from tools import train_pocket

    configuration, build = tiny_build
    configuration["training"] |= {"long_share": 0.3, "long_tokens": [128]}
    other = tmp_path / "other"
    shutil.copytree(build, other, ignore=shutil.ignore_patterns("other"))
    assert train_pocket.train(configuration, build, "cpu")
    assert train_pocket.train(configuration, other, "cpu", workers=2)
    ends = [torch.load(folder / "checkpoint.pt", weights_only=True) for folder in (build, other)]
    for name, tensor in ends[0]["network"].items():
        assert torch.equal(tensor, ends[1]["network"][name]), name


def test_a_compiled_encoder_leaves_the_checkpoint_as_it_is(tiny_build, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    configuration, build = tiny_build
    before = torch.load(build / "checkpoint.pt", weights_only=True)["network"].keys()
    compiled = []
    monkeypatch.setattr(torch.nn.Module, "compile", lambda module, **how: compiled.append((type(module).__name__, how)))
    train_pocket.train(configuration, build, "cpu", compiled=True)
    assert compiled == [("BertEncoder", {"dynamic": True})]
    assert torch.load(build / "checkpoint.pt", weights_only=True)["network"].keys() == before


def test_compiling_without_a_compiler_is_refused_in_a_line(monkeypatch, tmp_path, capsys):
    pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CXX", raising=False)
    with pytest.raises(SystemExit):
        train_pocket.main(["pocket-korean", "--compile", "--device", "cpu", "--build", str(tmp_path)])
    assert "--compile needs a C++ compiler here" in capsys.readouterr().err


def test_the_last_steps_show_long_rows(tiny_build, monkeypatch):
    pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    configuration, build = tiny_build
    configuration["training"] |= {"long_share": 0.3, "long_tokens": [128], "short_share": 0.0}
    seen, loss_of = [], train_pocket.loss_of

    def watched(network, batch, *rest):
        seen.append(batch.input_ids.shape[1])
        return loss_of(network, batch, *rest)

    monkeypatch.setattr(train_pocket, "loss_of", watched)
    train_pocket.train(configuration, build, "cpu")
    assert len(seen) == 8 and seen[-2:] == [128, 128] and max(seen[:-2]) == 64


def test_a_run_fits_into_its_time(tiny_build, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    configuration, build = tiny_build
    configuration["training"]["steps"] = 1000
    rates, optimiser = [], train_pocket.optimiser

    def watched(network, training):
        made = optimiser(network, training)
        step = made.step
        made.step = lambda *arguments: (rates.append(made.param_groups[0]["lr"]), step(*arguments))[1]
        return made

    monkeypatch.setattr(train_pocket, "optimiser", watched)
    ticks = iter(range(0, 10_000, 6))  # each look at the clock is 6 seconds later
    assert train_pocket.train(configuration, build, "cpu", clock=lambda: next(ticks), within=2)
    state = torch.load(build / "checkpoint.pt", weights_only=True)
    assert 5 < state["step"] < 25 and state["log"][-1]["step"] == state["step"]
    assert rates[1] == max(rates) and rates[-1] < 0.3 * max(rates)  # warm-up of two steps, then the fall


def test_dropout_is_the_configuration_s(tiny_build):
    pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools.pocket import network

    configuration, _ = tiny_build
    assert network.build(configuration, SPECIAL).config.hidden_dropout_prob == 0.0
    configuration["network"]["hidden_dropout_prob"] = 0.1
    made = network.build(configuration, SPECIAL, device="cuda").config
    assert made.hidden_dropout_prob == 0.1 and made._attn_implementation == "sdpa"


def test_a_broken_loss_stops_the_run_and_keeps_the_checkpoint(tiny_build, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    configuration, build = tiny_build
    before = (build / "checkpoint.pt").read_bytes()
    monkeypatch.setattr(train_pocket, "loss_of", lambda *_: torch.tensor(float("nan"), requires_grad=True))
    with pytest.raises(FloatingPointError, match="step 0"):
        train_pocket.train(configuration, build, "cpu")
    assert (build / "checkpoint.pt").read_bytes() == before


def test_a_loss_that_breaks_between_two_looks_is_not_saved(tiny_build, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    configuration, build = tiny_build
    before, steps, loss_of = (build / "checkpoint.pt").read_bytes(), iter(range(8)), train_pocket.loss_of
    monkeypatch.setitem(train_pocket.LOOK_EVERY, "cpu", 20)
    monkeypatch.setattr(train_pocket, "loss_of", lambda *given: loss_of(*given) * (float("nan") if next(steps) > 4 else 1.0))
    with pytest.raises(FloatingPointError, match="step 7"):
        train_pocket.train(configuration, build, "cpu")
    assert (build / "checkpoint.pt").read_bytes() == before


def test_a_run_goes_on_from_a_finished_model(tiny_build, tmp_path):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    import shutil

    from tests import tiny
    from tools import train_pocket
    from tools.pocket import export

    configuration, build = tiny_build
    finished = tmp_path / "finished"
    shutil.copytree(tiny.folder(), finished)
    export.write_log([{"step": 20, "tokens": 500}, {"step": 40, "tokens": 900}], finished)
    (build / "checkpoint.pt").unlink()
    (build / "corpus.json").write_text("{}", encoding="utf-8")  # the corpus is there already
    train_pocket.prepare({**configuration, "predict_unknown": True}, None, build, finished)
    state = torch.load(build / "checkpoint.pt", weights_only=True)
    assert (state["step"], state["tokens"], len(state["log"])) == (40, 900, 2)
    for name, tensor in export.load(finished).state_dict().items():
        assert torch.equal(state["network"][name], tensor), name
    assert (build / "tokenizer" / "vocab.txt").read_text("utf-8") == (finished / "vocab.txt").read_text("utf-8")


def test_a_run_goes_on_with_another_vocabulary(tiny_build, tmp_path):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    import shutil

    from transformers import BertTokenizerFast

    from tests import tiny
    from tools import train_pocket
    from tools.pocket import export, vocabulary

    configuration, build = tiny_build
    configuration["network"]["max_position_embeddings"] = tiny.POSITIONS
    finished = tmp_path / "finished"
    shutil.copytree(tiny.folder(), finished)
    export.write_log([{"step": 40, "tokens": 900}], finished)
    words = [*tiny.VOCABULARY[:5], *reversed(tiny.VOCABULARY[5:]), "축구는", "##ers", "ω"]
    (tmp_path / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    BertTokenizerFast(str(tmp_path / "vocab.txt"), do_lower_case=False, strip_accents=False).save_pretrained(build / "tokenizer")
    (build / "checkpoint.pt").unlink()
    (build / "corpus.json").write_text("{}", encoding="utf-8")  # the corpus is there already
    train_pocket.prepare({**configuration, "predict_unknown": True}, None, build, finished, new_vocabulary=True)
    state = torch.load(build / "checkpoint.pt", weights_only=True)
    assert state["step"] == 40 and vocabulary.words(build / "tokenizer") == words
    trained = export.load(finished).state_dict()
    for name in ("bert.embeddings.word_embeddings.weight", "cls.predictions.decoder.weight", "cls.predictions.bias", "cls.predictions.decoder.bias"):
        old = dict(zip(tiny.VOCABULARY, trained[name]))
        new = dict(zip(words, state["network"][name]))
        assert all(torch.equal(new[word], old[word]) for word in tiny.VOCABULARY)
        for word, parts in {"축구는": ["축구", "##는"], "##ers": ["##er", "##s"], "ω": ["[UNK]"]}.items():
            assert torch.allclose(new[word], torch.stack([old[part] for part in parts]).mean(dim=0)), (name, word)
    for name in ("bert.encoder.layer.1.output.dense.weight", "bert.pooler.dense.bias"):
        assert torch.equal(state["network"][name], trained[name])


def test_a_run_that_goes_on_warms_up_again(tiny_build, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    configuration, build = tiny_build
    state = torch.load(build / "checkpoint.pt", weights_only=True)
    train_pocket.save(build / "checkpoint.pt", **{**state, "step": 4})
    steps, own = [], train_pocket.learning_rate
    monkeypatch.setattr(train_pocket, "learning_rate", lambda step, over, training: (steps.append(step), own(step, over, training))[1])
    assert train_pocket.train(configuration, build, "cpu") and sorted(set(steps)) == [0, 1, 2, 3]


def test_the_mean_of_two_checkpoints_takes_the_place_of_the_run(tiny_build, tmp_path, monkeypatch, capsys):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    configuration, build = tiny_build
    monkeypatch.setattr(configurations, "load", lambda name: configuration)
    first = torch.load(build / "checkpoint.pt", weights_only=True)
    second = {**first, "network": {name: 3 * tensor + 1 for name, tensor in first["network"].items()}, "step": 7, "tokens": 70, "log": [{"step": 7}]}
    (tmp_path / "runs" / "pocket-korean").mkdir(parents=True)
    (tmp_path / "runs" / "pocket-korean" / "special.json").write_text("{}", encoding="utf-8")
    for number, state in enumerate((second, first)):
        train_pocket.save(tmp_path / f"{number}.pt", **state)
    train_pocket.main(["pocket-korean", "--build", str(tmp_path / "runs"), "--average", str(tmp_path / "0.pt"), str(tmp_path / "1.pt")])
    mean = torch.load(tmp_path / "runs" / "pocket-korean" / "checkpoint.pt", weights_only=True)
    assert (mean["step"], mean["tokens"], mean["log"], mean["optimizer"]) == (7, 70, [{"step": 7}], None)
    for name, tensor in first["network"].items():
        assert torch.allclose(mean["network"][name], 2 * tensor + 0.5, atol=1e-6), name
    assert "evaluate_pocket pocket-korean" in capsys.readouterr().out


def test_checkpoints_without_a_mean_are_refused_and_nothing_is_written(tiny_build, tmp_path, capsys):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    _, build = tiny_build
    state = torch.load(build / "checkpoint.pt", weights_only=True)
    train_pocket.save(tmp_path / "wide.pt", **{**state, "network": {name: tensor[:1] for name, tensor in state["network"].items()}})
    prepared = tmp_path / "pocket-korean"
    prepared.mkdir()
    for other, said in (("wide.pt", "special.json is missing"), ("wide.pt", "another shape"), ("none.pt", "none.pt is missing")):
        with pytest.raises(SystemExit):
            train_pocket.main(["pocket-korean", "--build", str(tmp_path), "--average", str(build / "checkpoint.pt"), str(tmp_path / other)])
        assert said in capsys.readouterr().err
        (prepared / "special.json").write_text("{}", encoding="utf-8")
    assert not (prepared / "checkpoint.pt").exists()


def test_a_new_vocabulary_without_a_finished_model_is_refused(capsys):
    pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools import train_pocket

    with pytest.raises(SystemExit):
        train_pocket.main(["pocket-korean", "--new-vocabulary"])
    assert "give --go-on-from" in capsys.readouterr().err


def test_the_trigram_backs_off_to_fewer_pieces():
    from tools.pocket import baselines

    ids = np.array([5, 6, 7, 5, 6, 7, 5, 6, 8, 6, 8, 6, 8, 9, 9, 9, 9, 9, 9, 9, 9], dtype=np.uint16)
    packed = corpus.Packed(ids, np.array([0, 9, 11, 13, 21]), np.array([0, 4]), np.zeros(1, dtype=np.uint8))
    counts = baselines.Counts(packed, 20)
    # After 5 6 comes 7 twice and 8 once; after 6 alone 8 three times and 7 twice; 9 is the most frequent of all.
    assert counts.guess([[5, 6], [9, 6], [1, 2]]).tolist() == [7, 8, 9]
    labels = np.full((1, 5), objectives.IGNORE)
    labels[0, [3, 4]] = 7, 9
    batch = objectives.Batch(np.array([[2, 5, 6, 4, 4]]), None, None, labels, None)
    assert baselines.accuracy(counts, [batch], objectives.IGNORE) == {"unigram": 0.5, "trigram": 0.5}


def test_detail_counts_places_bands_and_trust(monkeypatch):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools.pocket import measure

    logits = torch.tensor([[9.0, 0, 0, 0], [9.0, 0, 0, 0], [0, 9.0, 0, 0], [9.0, 0, 0, 1.0]])
    monkeypatch.setattr(measure, "forward", lambda *_: (logits, torch.tensor([0, 0, 1, 3]), None, None))
    monkeypatch.setattr(measure, "BANDS", {"frequent": 1, "rare": None})
    network = type("Network", (), {"eval": lambda self: None})()
    figures = measure.in_detail(network, [None], np.array([10, 5, 1, 1]))
    assert (figures["top_1"], figures["top_5"]) == (0.75, 1.0)
    assert figures["bands"] == {"frequent": (1.0, 2), "rare": (0.5, 2)}
    assert figures["calibration_error"] == pytest.approx(0.25, abs=0.01)  # sure of all four, right in three


@pytest.mark.parametrize("capability, helps", [("AVX512", True), ("AVX2", False), ("DEFAULT", False)])
def test_bf16_is_used_where_the_processor_has_it(capability, helps, monkeypatch):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools.pocket import measure

    monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: capability)
    assert measure.bf16_helps("cpu") is helps


@pytest.mark.parametrize("mode", [True, False])
def test_measuring_leaves_dropout_as_it_was(tiny_build, mode):
    torch = pytest.importorskip("torch", reason="torch comes with the training group alone")
    from tools.pocket import measure, network

    configuration, _ = tiny_build
    made = network.build(configuration, SPECIAL).train(mode)
    measure.accuracy(made, measure.batches(packed_corpus(), SOURCES, SPECIAL, 1, 1, rows=4, tokens=64))
    assert made.training is mode and torch.is_grad_enabled()
