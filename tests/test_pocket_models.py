"""What the two pocket models in `models/` must be able to do, asked of the files that a learner gets."""

import hashlib
import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import yaml

ROOT = Path(__file__).parents[1]
MODELS = ROOT / "models"
FIGURES = json.loads((ROOT / "helpers" / "document_figures.json").read_text(encoding="utf-8"))
NAMES = {"pocket-english": "english", "pocket-korean": "korean"}
STARTS = {"pocket-english": "sentence-transformers/all-MiniLM-L6-v2", "pocket-korean": "intfloat/multilingual-e5-small"}
SMALLEST_SHARED = {"pocket-english": 3, "pocket-korean": 2}
LARGEST = {"pocket-english": 46e6, "pocket-korean": 32e6}


def tokenizer(name):
    from helpers import environment

    environment.prepare()
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(MODELS / name)


def cases(section, texts):
    """One case a model and text of the document."""
    return [(name, text) for name, language in NAMES.items() for text in texts(FIGURES[f"{section}_{language}"])]


@cache
def loaded(name):
    """One model's tokenizer and two TensorFlow heads, loaded as a lesson loads them."""
    from helpers import environment

    environment.prepare()
    from transformers import TFBertForMaskedLM, TFBertForNextSentencePrediction

    folder = MODELS / name
    return tokenizer(name), TFBertForMaskedLM.from_pretrained(folder), TFBertForNextSentencePrediction.from_pretrained(folder)


def test_sums_cover_every_file_and_hold():
    sums = dict(reversed(line.split("  ")) for line in (MODELS / "SHA256SUMS").read_text(encoding="utf-8").splitlines())
    assert set(sums) == {p.relative_to(MODELS).as_posix() for p in MODELS.glob("*/*") if p.suffix != ".md"}
    for name, digest in sums.items():
        assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.parametrize("name", NAMES)
def test_weights_fit_in_a_pocket(name):
    assert (MODELS / name / "model.safetensors").stat().st_size <= LARGEST[name]


@pytest.mark.parametrize("name", NAMES)
def test_card_states_licence_data_and_figures(name):
    card = (MODELS / name / "README.md").read_text(encoding="utf-8")
    metadata = yaml.safe_load(card.split("---")[1])
    assert metadata["license"] == "cc-by-sa-4.0" and metadata["base_model"] == STARTS[name]
    for part in ("## Figures", "## Data", "## Use and limits", "masked-LM accuracy, prose", "true/swapped", "Licence of the weights"):
        assert part in card, part


def test_english_ids_are_the_document_s():
    english = tokenizer("pocket-english")
    for part, arguments in (("masked_lm_english", ("text",)), ("next_sentence_english", ("prompt", "next_sentence"))):
        stored = FIGURES[part]["encoding"]
        assert english(*[stored[name] for name in arguments])["input_ids"] == stored["input_ids"]


def test_korean_special_ids_are_those_of_klue():
    korean = tokenizer("pocket-korean")
    assert korean.convert_tokens_to_ids(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("name", NAMES)
def test_no_unknown_piece_in_the_document_s_sentences(name):
    pieces = tokenizer(name)
    texts = list(FIGURES[f"masked_lm_{NAMES[name]}"]["fill_mask"])
    texts += [pair[side] for pair in FIGURES[f"next_sentence_{NAMES[name]}"]["pairs"] for side in ("prompt", "next_sentence")]
    for text in texts:
        assert pieces.unk_token_id not in pieces(text)["input_ids"], text


@pytest.mark.parametrize("name", NAMES)
def test_tensorflow_reproduces_the_logits_of_pytorch(name):
    _, masked_lm, next_sentence = loaded(name)
    with np.load(ROOT / "tests" / "data" / f"{name.replace('-', '_')}_logits.npz") as stored:
        inputs = {key: stored[key] for key in ("input_ids", "token_type_ids")}
        np.testing.assert_allclose(masked_lm(**inputs).logits[0, :, ::97], stored["prediction_logits"], atol=1e-3)
        np.testing.assert_allclose(next_sentence(**inputs).logits, stored["seq_relationship_logits"], atol=1e-3)


@pytest.mark.parametrize(("name", "text"), cases("masked_lm", lambda part: part["fill_mask"]))
def test_the_document_s_words_are_among_the_first_ten(name, text):
    pieces, model, _ = loaded(name)
    inputs = pieces(text, return_tensors="tf")
    at = int(np.flatnonzero(inputs["input_ids"][0].numpy() == pieces.mask_token_id)[0])
    best = np.argsort(-model(**inputs).logits[0, at].numpy())[:10]
    answers = FIGURES[f"masked_lm_{NAMES[name]}"]["fill_mask"][text]
    shared = {answer["token_str"] for answer in answers} & set(pieces.convert_ids_to_tokens(best))
    assert len(shared) >= SMALLEST_SHARED[name], pieces.convert_ids_to_tokens(best)


@pytest.mark.parametrize(("name", "second"), cases("next_sentence", lambda part: [pair["next_sentence"] for pair in part["pairs"]]))
def test_the_document_s_pairs_get_the_document_s_labels(name, second):
    pieces, _, model = loaded(name)
    pair = next(pair for pair in FIGURES[f"next_sentence_{NAMES[name]}"]["pairs"] if pair["next_sentence"] == second)
    logits = model(**pieces(pair["prompt"], second, return_tensors="tf")).logits
    assert int(np.argmax(logits)) == pair["label"]
