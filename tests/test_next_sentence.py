"""Pairs of sentences: probabilities, label, and the same answer in a batch as alone."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose

from helpers import next_sentence
from tests import tiny

PROMPTS = ["soccer is fun", "the sky is blue", "i went to work this morning", "축구는 정말 재미있는 game", "a",
           "this is a really , really fun game of soccer !", "pizza", "the blue sky", "나는 오늘 아침 회사 했다", "work"]
NEXT = ["i play", "pizza", "the sky is really really really blue , a fun morning", "정말 좋다", "is a sport ?",
        "home", "a fun sport is a fun game", "바다 좋다", "went", "."]


@pytest.fixture(params=["en", "ko"])
def language(request, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", request.param)
    return request.param


def test_logits_become_probabilities_and_a_label():
    predictions = next_sentence.predict(model_that_answers([0.0, np.log(3.0)], [np.log(9.0), 0.0]), tiny.tokenizer(),
                                        ["fun", "sky"], ["game", "blue"])
    assert list(predictions.columns) == ["follows", "random", "label"]
    assert_allclose(predictions[["follows", "random"]], [[0.25, 0.75], [0.9, 0.1]], atol=1e-6)
    assert predictions["label"].tolist() == [1, 0]  # 0: it follows


def test_a_pair_is_judged_as_the_document_judges_it():
    """The document passes no attention mask: a single pair has no padding."""
    model, tokenizer = tiny.next_sentence(), tiny.tokenizer()
    import tensorflow as tf

    inputs = tokenizer(PROMPTS[0], NEXT[0], return_tensors="tf")
    logits = model(inputs["input_ids"], token_type_ids=inputs["token_type_ids"])[0]
    expected = tf.keras.layers.Softmax()(logits).numpy()[0]
    predicted = next_sentence.predict(model, tokenizer, PROMPTS[0], NEXT[0])
    assert len(predicted) == 1
    assert_allclose(predicted.loc[0, ["follows", "random"]].astype("float32"), expected, atol=1e-6)
    assert predicted.loc[0, "label"] == expected.argmax()


def test_many_pairs_at_once_equal_one_at_a_time():
    model, tokenizer = tiny.next_sentence(), tiny.tokenizer()
    assert len(PROMPTS) > next_sentence.PAIRS_AT_ONCE
    together = next_sentence.predict(model, tokenizer, PROMPTS, NEXT)
    alone = [next_sentence.predict(model, tokenizer, *pair)["follows"][0] for pair in zip(PROMPTS, NEXT)]
    assert_allclose(together["follows"], alone, rtol=0, atol=1e-5)
    assert np.ptp(together["follows"]) > 0.05  # the pairs do differ


def test_a_matrix_has_prompts_in_rows_and_next_sentences_in_columns():
    model, tokenizer = tiny.next_sentence(), tiny.tokenizer()
    values = next_sentence.matrix(model, tokenizer, PROMPTS[:2], NEXT[:3])
    assert values.shape == (2, 3)
    assert values.dtype == np.float32
    for row in range(2):
        for column in range(3):
            alone = next_sentence.predict(model, tokenizer, PROMPTS[row], NEXT[column])["follows"][0]
            assert values[row, column] == pytest.approx(alone, abs=1e-5)


@pytest.mark.parametrize("prompts, next_sentences", [(PROMPTS[:2], NEXT[:3]), (PROMPTS[:1], NEXT[:2])])
def test_lists_of_different_length_are_refused_with_both_lengths(prompts, next_sentences, language):
    with pytest.raises(ValueError, match=f"{len(prompts)}.*{len(next_sentences)}") as error:
        next_sentence.predict(tiny.next_sentence(), tiny.tokenizer(), prompts, next_sentences)
    assert_kind(error)


@pytest.mark.parametrize("prompts, next_sentences", [("fun", ["game"]), (["fun"], "game")])
def test_one_text_and_a_list_are_refused(prompts, next_sentences, language):
    with pytest.raises(ValueError, match={"en": "two lists of equal length", "ko": "길이가 같은 목록"}[language]) as error:
        next_sentence.predict(tiny.next_sentence(), tiny.tokenizer(), prompts, next_sentences)
    assert_kind(error)


def test_an_empty_list_is_refused(language):
    for judge in (next_sentence.predict, next_sentence.matrix):
        with pytest.raises(ValueError, match={"en": "at least one", "ko": "하나 이상"}[language]) as error:
            judge(tiny.next_sentence(), tiny.tokenizer(), [], [])
        assert_kind(error)


@pytest.mark.parametrize("prompt, sentence", [("", "game"), ("fun", " ")])
def test_an_empty_text_is_refused_on_either_side(prompt, sentence, language):
    with pytest.raises(ValueError, match={"en": "empty", "ko": "비어"}[language]):
        next_sentence.predict(tiny.next_sentence(), tiny.tokenizer(), [prompt], [sentence])


@pytest.mark.parametrize("prompt, sentence, its_type", [(3, "game", "int"), ("fun", None, "NoneType"), (None, None, "NoneType")])
def test_not_a_string_is_refused_on_either_side(prompt, sentence, its_type, language):
    with pytest.raises(TypeError, match=its_type):
        next_sentence.predict(tiny.next_sentence(), tiny.tokenizer(), prompt, sentence)
    with pytest.raises(TypeError, match=its_type):
        next_sentence.predict(tiny.next_sentence(), tiny.tokenizer(), ["soccer", prompt], ["fun", sentence])


@pytest.mark.parametrize("missing", [float("nan"), None])
def test_a_gap_in_a_column_is_named_by_its_row(missing, language):
    for judge in (next_sentence.predict, next_sentence.matrix):
        with pytest.raises(TypeError, match={"en": "^Row 2 of the sentences is", "ko": "2번 행이"}[language]) as error:
            judge(tiny.next_sentence(), tiny.tokenizer(), pd.Series(["fun", "sky", missing]), ["game", "blue", "home"])
        assert_kind(error)


@pytest.mark.parametrize("table", [
    pd.DataFrame({"fun": ["a"], "sky": ["b"]}), {"fun": 1, "sky": 2}, {"fun", "sky"}, np.array([["fun", "sky"], ["a", "b"]]),
])
def test_a_table_or_a_set_is_no_list_of_sentences(table, language):
    for arguments in ((table, ["game", "blue"]), (["game", "blue"], table)):
        with pytest.raises(TypeError, match={"en": r"give one column, like table\['text'\]", "ko": "열 하나를"}[language]) as error:
            next_sentence.predict(tiny.next_sentence(), tiny.tokenizer(), *arguments)
        assert_kind(error)


def test_a_generator_is_told_to_be_a_list(language):
    with pytest.raises(TypeError, match=r"generator.*list\(\.\.\.\)") as error:
        next_sentence.predict(tiny.next_sentence(), tiny.tokenizer(), (text for text in ["fun", "sky"]), ["game", "blue"])
    assert_kind(error)


def test_both_texts_together_must_fit_the_models_positions(language):
    model, tokenizer = tiny.next_sentence(), tiny.tokenizer()
    prompt, fits = "fun " * 20, "fun " * (tiny.POSITIONS - 23)  # and [CLS], [SEP], [SEP]
    assert len(next_sentence.predict(model, tokenizer, prompt, fits)) == 1
    with pytest.raises(ValueError, match=str(tiny.POSITIONS + 1)) as error:
        next_sentence.predict(model, tokenizer, prompt, fits + "fun")
    assert_kind(error)


def test_another_models_tokenizer_is_refused_with_both_sizes(language):
    model = model_that_answers([0.0, 0.0])
    model.config.vocab_size = 32000
    with pytest.raises(ValueError, match="32,000") as error:
        next_sentence.predict(model, tiny.tokenizer(), "fun", "game")
    assert str(len(tiny.VOCABULARY)) in str(error.value)
    assert_kind(error)


def test_a_model_without_the_pair_head_is_told_which_class_has_one(language):
    with pytest.raises(ValueError, match="TFBertForMaskedLM.*TFBertForNextSentencePrediction.from_pretrained") as error:
        next_sentence.predict(tiny.masked_lm(), tiny.tokenizer(), "fun", "game")
    assert_kind(error)


class model_that_answers:
    """Stands where a model stands; gives the logits that it was made with."""

    def __init__(self, *logits):
        self.config = SimpleNamespace(vocab_size=len(tiny.VOCABULARY), max_position_embeddings=tiny.POSITIONS)
        self.logits = np.array(logits, "float32")

    def __call__(self, **_):
        return SimpleNamespace(logits=self.logits)


def assert_kind(error):
    """One line, and no wall."""
    text = str(error.value)
    assert text and "\n" not in text and len(text) <= 160
