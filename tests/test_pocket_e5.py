"""The promises of `tools/pocket/e5.py`: another model's file is read right, checked, and its pieces become our words."""

import struct

import numpy as np
import pytest

from tools.pocket import e5

HIDDEN, INNER, POSITIONS, LAYERS = 32, 64, 6, 2
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "축구", "##구", "출근"]
SPECIAL = {"[PAD]": 0, "size": len(WORDS)}
PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), (".", -3.0), ("▁", -4.0), ("▁축구", -9.0), ("구", -8.0), ("장", -8.5), ("▁출", -9.0), ("근", -9.5), ("\u1100\u1100", -9.0), ("▁...", -9.0), ("<mask>", 0.0)]
MATRICES = {**{f"{part}.w": (HIDDEN, HIDDEN) for part in ("q", "k", "v", "ao")}, "fi.w": (INNER, HIDDEN), "fo.w": (HIDDEN, INNER)}
VECTORS = {**{f"{part}.b": HIDDEN for part in ("q", "k", "v", "ao", "fo")}, "fi.b": INNER, **{f"{part}.{kind}": HIDDEN for part in ("aln", "oln") for kind in "wb"}}


def tensors():
    """All arrays of a network of two layers, by the package's names; its matrices are such as four bits hold exactly."""
    random = np.random.default_rng(5)
    made = {"emb.word": (len(PIECES), HIDDEN), **{f"l{layer}.{name}": shape for layer in range(LAYERS) for name, shape in MATRICES.items()}}
    made = {name: random.integers(-8, 8, shape).astype(np.float32) / 4 for name, shape in made.items()}
    made["emb.pos"], made["emb.type"] = random.normal(size=(POSITIONS, HIDDEN)), random.normal(size=(2, HIDDEN))
    made["emb.ln.w"], made["emb.ln.b"] = random.normal(size=HIDDEN), random.normal(size=HIDDEN)
    made.update({f"l{layer}.{name}": random.normal(size=size) for layer in range(LAYERS) for name, size in VECTORS.items()})
    return {name: array.astype("<f4") for name, array in made.items()}


def packed(array):
    """An array in blocks of four bits: a scale of two bytes, here 1/4, then 16 bytes with weights 0–15 low and 16–31 high."""
    return b"".join(
        struct.pack("<e", 0.25) + bytes(int(low) | int(high) << 4 for low, high in zip(block[:16], block[16:]))
        for block in (array.reshape(-1, 32) * 4 + 8).astype(int)
    )


def file_of(arrays):
    """The bytes of a file as the package holds it."""
    texts = [piece.encode() for piece, _ in PIECES]
    ends = np.cumsum([0, *map(len, texts)]).astype("<u4")
    head = b"E5S1" + struct.pack("<I7ifi5iQ", 1, HIDDEN, LAYERS, 4, INNER, len(PIECES), POSITIONS, 2, 1e-12, 32, len(PIECES), 0, 2, 1, 3, int(ends[-1]))
    head += ends.tobytes() + np.array([score for _, score in PIECES], "<f4").tobytes() + b"".join(texts)
    head += struct.pack("<iI", 1, 9) + b"\0" * 9 + struct.pack("<i", len(arrays))
    raws = {name: packed(array) if name == "emb.word" or name[3:] in MATRICES else array.tobytes() for name, array in arrays.items()}
    place = len(head) + sum(2 + len(name) + 21 for name in arrays)
    table = b""
    for name, raw in raws.items():
        table += struct.pack("<H", len(name)) + name.encode() + struct.pack("<BIQQ", 0, arrays[name].size, place, len(raw))
        place += len(raw)
    return head + table + b"".join(raws.values())


def test_weights_and_pieces_are_read_back():
    arrays = tensors()
    weights, pieces = e5.read(file_of(arrays))
    assert [piece for piece, _ in pieces] == [piece for piece, _ in PIECES] and pieces[6][1] == -9.0
    assert len(weights) == len(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(weights[e5.bert_name(name)], array, err_msg=name)


@pytest.mark.parametrize(
    "name, expected",
    [
        ("emb.ln.b", "embeddings.LayerNorm.bias"), ("l0.q.w", "encoder.layer.0.attention.self.query.weight"),
        ("l0.k.b", "encoder.layer.0.attention.self.key.bias"), ("l1.v.w", "encoder.layer.1.attention.self.value.weight"),
        ("l1.ao.w", "encoder.layer.1.attention.output.dense.weight"), ("l11.oln.w", "encoder.layer.11.output.LayerNorm.weight"),
    ],
)
def test_names_are_bert_s(name, expected):
    assert e5.bert_name(name) == expected


def test_another_file_is_refused(tmp_path):
    with pytest.raises(ValueError, match="begins with b'PK"):
        e5.read(b"PK\x03\x04 a wheel")
    (tmp_path / e5.FILE).write_bytes(file_of(tensors()))
    with pytest.raises(ValueError, match="do not use it"):
        e5.load(tmp_path)


def test_a_missing_file_names_the_command(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"run python -m tools\.pocket\.e5"):
        e5.load(tmp_path)


@pytest.mark.skipif(not (e5.FOLDER / e5.FILE).is_file(), reason="e5 is not here: python -m tools.pocket.e5 brings it")
def test_the_real_file_is_read_whole():
    weights, pieces = e5.load()
    assert len(pieces) == 250_002 and len(weights) == 5 + 12 * 16
    assert weights["encoder.layer.11.output.dense.weight"].shape == (384, 1536)
    assert weights["embeddings.word_embeddings.weight"].shape == (250_037, 384)


@pytest.mark.parametrize(
    "word, parts",
    [
        ("축구", ["▁축구"]), ("##구", ["구"]), ("출근", ["▁출", "근"]), ("##구장", ["구", "장"]),
        (".", ["."]), ("##ㄱㄱ", ["\u1100\u1100"]), ("…", ["▁..."]), ("[MASK]", ["<mask>"]), ("[CLS]", ["<s>"]), ("##탉", ["<unk>"]),
    ],
)
def test_a_word_begins_as_the_mean_of_its_pieces(word, parts):
    vectors = np.random.default_rng(1).normal(size=(len(PIECES), HIDDEN)).astype(np.float32)
    names = [piece for piece, _ in PIECES]
    expected = np.mean([vectors[names.index(part)] for part in parts], axis=0)
    np.testing.assert_allclose(e5.embeddings([word], PIECES, vectors)[0], expected, atol=1e-6)


def test_the_encoder_reads_what_e5_s_would_and_the_decoder_tells_words_apart(monkeypatch):
    torch, start, read = prepared(monkeypatch)
    model = start.model(configuration(1), packed_words(), SPECIAL, WORDS)
    own, theirs = model.bert.state_dict(), read[0]
    theirs_words = e5.embeddings(WORDS, read[1], theirs["embeddings.word_embeddings.weight"])
    for row in (0, 1):
        sums = own["embeddings.word_embeddings.weight"] + own["embeddings.token_type_embeddings.weight"][row]
        np.testing.assert_allclose(sums.numpy(), theirs_words + theirs["embeddings.token_type_embeddings.weight"][0], atol=1e-5)
    assert own["embeddings.word_embeddings.weight"].mean(dim=0).abs().max() < 1e-6
    for name in ("encoder.layer.0.output.dense.weight", "embeddings.position_embeddings.weight"):
        np.testing.assert_array_equal(own[name].numpy(), theirs[name])
    assert torch.equal(model.cls.predictions.transform.dense.weight, torch.eye(HIDDEN)) and torch.equal(model.bert.pooler.dense.weight, torch.eye(HIDDEN))
    assert model.cls.predictions.decoder.weight is model.bert.embeddings.word_embeddings.weight
    assert model.cls.predictions.bias.argmax() == WORDS.index("축구")  # the most frequent piece of the corpus


@pytest.mark.parametrize("layers, changes", [(3, {}), (1, {"hidden_size": 64}), (1, {"intermediate_size": 32})])
def test_a_network_that_e5_does_not_fit_is_refused(monkeypatch, layers, changes):
    _, start, _ = prepared(monkeypatch)
    with pytest.raises(ValueError, match="e5 has nothing of that shape for .*; set"):
        start.model(configuration(layers, **changes), packed_words(), SPECIAL, WORDS)


@pytest.mark.parametrize("kind, message", [({"kind": "e5", "window": 4}, "leave out `window`"), ({"kind": "e6"}, "choose minilm, minilm-encoder, e5 or scratch")])
def test_another_start_is_refused(monkeypatch, kind, message):
    _, start, _ = prepared(monkeypatch)
    with pytest.raises(ValueError, match=message):
        start.model({**configuration(1), "start": kind}, packed_words(), SPECIAL, WORDS)


def prepared(monkeypatch):
    """(torch, tools.pocket.start, what the small file holds), with that file in place of the real one."""
    torch = pytest.importorskip("torch", reason="PyTorch is in the groups `train` and `bench`")
    pytest.importorskip("sklearn")
    monkeypatch.setenv("TF_USE_LEGACY_KERAS", "1")  # transformers imports TensorFlow as well, which decides on its Keras there
    from tools.pocket import start

    read = e5.read(file_of(tensors()))
    monkeypatch.setattr(e5, "load", lambda folder=None: read)
    return torch, start, read


def configuration(layers, **changes):
    shape = {"num_hidden_layers": layers, "hidden_size": HIDDEN, "num_attention_heads": 4, "intermediate_size": INNER, "max_position_embeddings": POSITIONS}
    return {"seed": 1, "start": {"kind": "e5"}, "network": {**shape, **changes}}


def packed_words():
    """A corpus in which one word is the most frequent."""
    from tools.pocket import corpus

    ids = np.array([5, 6, 6, 6, 7], dtype=np.uint16)
    return corpus.Packed(ids, np.array([0, 5]), np.array([0, 1]), np.array([0], dtype=np.uint8))
