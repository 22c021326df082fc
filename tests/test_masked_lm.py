"""The top k by hand: the numbers of `FillMaskPipeline`, and a kind line for what has no answer."""

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from helpers import masked_lm
from tests import tiny

TEXTS = [
    "Soccer is a really fun [MASK].",
    "[MASK]",
    "축구는 정말 재미있는 [MASK]다.",
    "I went to [MASK] this morning [SEP] the sky is blue",
    "a xylophone is [MASK] [PAD] [PAD]",
    "[MASK] is a really fun [MASK].",
    "[MASK] [MASK] [MASK] 바다",
]


@pytest.fixture(params=["en", "ko"])
def language(request, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", request.param)
    return request.param


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("k", [1, 5, len(tiny.VOCABULARY)])
def test_top_k_gives_what_the_pipeline_gives(text, k):
    model, tokenizer = tiny.masked_lm(), tiny.tokenizer()
    from transformers import FillMaskPipeline

    of_pipeline = as_lists(FillMaskPipeline(model=model, tokenizer=tokenizer, top_k=k)(text))
    by_hand = masked_lm.top_k(model, tokenizer, text, k=k)
    assert isinstance(by_hand[0], list) == (text.count("[MASK]") > 1)
    by_hand = as_lists(by_hand)
    assert len(by_hand) == len(of_pipeline) == text.count("[MASK]")
    for ours, theirs in zip(by_hand, of_pipeline):
        for field in ("token", "token_str", "sequence"):
            assert [answer[field] for answer in ours] == [answer[field] for answer in theirs]
        assert_allclose([answer["score"] for answer in ours], [answer["score"] for answer in theirs], rtol=0, atol=1e-6)
        assert all(list(answer) == ["score", "token", "token_str", "sequence"] for answer in ours)
        assert all(type(answer["score"]) is float and type(answer["token"]) is int for answer in ours)


def test_a_predicted_unk_is_a_guess_but_not_in_the_sequence():
    answers = masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), "soccer is really [MASK] fun.", k=len(tiny.VOCABULARY))
    unknown = next(answer for answer in answers if answer["token_str"] == "[UNK]")
    assert unknown["token"] == 1
    assert unknown["sequence"] == "soccer is really fun."


def test_scores_are_the_softmax_of_the_logits_at_the_mask():
    model = model_that_answers({"fun": np.log(6.0), "game": np.log(3.0), "sport": np.log(1.0)})
    answers = masked_lm.top_k(model, tiny.tokenizer(), "soccer is [MASK] .", k=3)
    assert [answer["token_str"] for answer in answers] == ["fun", "game", "sport"]
    assert_allclose([answer["score"] for answer in answers], [0.6, 0.3, 0.1], atol=1e-6)
    assert answers[0]["sequence"] == "soccer is fun."


def test_probabilities_have_one_row_a_mask_and_one_column_a_piece():
    rows = masked_lm.probabilities(tiny.masked_lm(), tiny.tokenizer(), "[MASK] is [MASK].")
    assert rows.dtype == np.float32
    assert rows.shape == (2, len(tiny.VOCABULARY))
    assert_allclose(rows.sum(axis=-1), [1, 1], atol=1e-6)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


def test_large_logits_stay_finite():
    answers = masked_lm.top_k(model_that_answers({"fun": 900.0, "game": 900.0}), tiny.tokenizer(), "[MASK]", k=2)
    assert [answer["score"] for answer in answers] == [0.5, 0.5]


def test_of_equal_scores_the_smaller_id_comes_first_as_in_the_pipeline():
    first, second = sorted(["fun", "game"], key=tiny.VOCABULARY.index)
    answers = masked_lm.top_k(model_that_answers({second: 2.0, first: 2.0}), tiny.tokenizer(), "[MASK]", k=2)
    assert [answer["token_str"] for answer in answers] == [first, second]


def test_table_shows_word_id_and_three_decimals():
    table = masked_lm.table([{"score": 0.76211, "token": 4368, "token_str": "sport", "sequence": "a sport"},
                             {"score": 0.00051, "token": 2208, "token_str": "game", "sequence": "a game"}])
    assert list(table.columns) == ["token_str", "token", "score"]
    assert table.values.tolist() == [["sport", 4368, 0.762], ["game", 2208, 0.001]]


def test_table_of_several_masks_numbers_them():
    def one(word, score):
        return {"score": score, "token": 1, "token_str": word, "sequence": ""}

    table = masked_lm.table([[one("a", 0.5), one("b", 0.25)], [one("c", 0.75), one("d", 0.125)]])
    assert list(table.columns) == ["mask", "token_str", "token", "score"]
    assert table[["mask", "token_str"]].values.tolist() == [[1, "a"], [1, "b"], [2, "c"], [2, "d"]]
    assert table.index.tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(("number", "text"), [
    (0.00003389, "0.000034"), (np.float32(2624.85), "2600"), (np.float32(2624.84), "2600"), (0.0891, "0.089"), (1.0, "1"), (0.0, "0")])
def test_two_digits_that_count_are_kept_without_an_exponent(number, text):
    assert masked_lm.two_digits(number) == text


def test_rank_counts_from_one():
    model = model_that_answers({"fun": np.log(6.0), "game": np.log(3.0), "sport": np.log(1.0)})
    text = "soccer is [MASK] ."
    assert [masked_lm.rank(model, tiny.tokenizer(), text, word) for word in ("fun", "game", "sport")] == [1, 2, 3]
    assert isinstance(masked_lm.rank(model, tiny.tokenizer(), text, "fun"), int)


def test_probability_of_keeps_the_learners_order():
    model = model_that_answers({"fun": np.log(6.0), "##er": np.log(3.0), "[UNK]": np.log(1.0)})
    table = masked_lm.probability_of(model, tiny.tokenizer(), "[MASK]", ["[UNK]", "Fun", "##er"])
    assert list(table.columns) == ["token_str", "token", "score", "rank"]
    assert table["token_str"].tolist() == ["[UNK]", "fun", "##er"]
    assert table["score"].tolist() == [0.1, 0.6, 0.3]
    assert table["rank"].tolist() == [3, 1, 2]
    assert table["token"].tolist() == [tiny.VOCABULARY.index(piece) for piece in ("[UNK]", "fun", "##er")]


def test_probability_of_takes_one_word_without_a_list():
    table = masked_lm.probability_of(model_that_answers({"fun": 1.0}), tiny.tokenizer(), "[MASK]", "fun")
    assert table["token_str"].tolist() == ["fun"]


def test_a_word_of_several_pieces_is_refused_with_its_pieces(language):
    with pytest.raises(ValueError, match="play ##er ##s") as error:
        masked_lm.rank(tiny.masked_lm(), tiny.tokenizer(), "[MASK]", "players")
    assert_kind(error)


def test_a_word_outside_the_vocabulary_is_refused(language):
    with pytest.raises(ValueError, match={"en": "'xylophone' is not in this", "ko": "'xylophone'.*어휘 집합에 없습니다"}[language]) as error:
        masked_lm.rank(tiny.masked_lm(), tiny.tokenizer(), "[MASK]", "xylophone")
    assert_kind(error)


@pytest.mark.parametrize("words", [3, None, [3], [["fun"]]])
def test_a_word_that_is_no_string_is_a_type_error_that_names_its_type(words, language):
    kind = type(words[0] if isinstance(words, list) else words).__name__
    with pytest.raises(TypeError, match=kind) as error:
        masked_lm.probability_of(tiny.masked_lm(), tiny.tokenizer(), "[MASK]", words)
    assert_kind(error)


def test_probing_needs_one_mask(language):
    with pytest.raises(ValueError, match="2") as error:
        masked_lm.rank(tiny.masked_lm(), tiny.tokenizer(), "[MASK] is [MASK]", "fun")
    assert_kind(error)


def test_no_mask_says_where_it_belongs(language):
    expected = {
        "en": "No [MASK] in 'Soccer is fun.': put [MASK] where the model should guess.",
        "ko": "'Soccer is fun.'에 [MASK]가 없습니다: 모델이 맞힐 자리에 [MASK]를 넣으세요.",
    }
    with pytest.raises(ValueError) as error:
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), "Soccer is fun.")
    assert str(error.value) == expected[language]


@pytest.mark.parametrize("typed, named", [
    ("Soccer is <mask>.", "<mask>"),
    ("Soccer is [mask].", "[mask]"),
    ("Soccer is [Mask].", "[Mask]"),
    ("Soccer is [ MASK ].", "[ MASK ]"),
    ("Soccer is [MASK", "MASK"),
    ("Soccer is ［MASK］.", "［MASK］"),
    ("Soccer is MASK.", "MASK"),
    ("Soccer is <extra_id_0>.", "<extra_id_0>"),
    ("Soccer is ___.", "___"),
    ("Soccer is __ .", "__"),
])
def test_the_mask_of_another_tokenizer_is_named(typed, named, language):
    with pytest.raises(ValueError) as error:
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), typed)
    assert {"en": f"{named} in ", "ko": f"의 {named}은(는)"}[language] in str(error.value)
    assert {"en": "write [MASK] instead", "ko": "대신 [MASK]를 쓰세요"}[language] in str(error.value)
    assert_kind(error)


@pytest.mark.parametrize("ordinary", ["She wore a mask.", "snake_case is fun", "a_b"])
def test_an_ordinary_word_is_not_taken_for_a_mask(ordinary, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    with pytest.raises(ValueError, match=r"^No \[MASK\] in"):
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), ordinary)


def test_empty_and_not_a_string_are_said_before_the_missing_mask(language):
    with pytest.raises(ValueError, match={"en": "empty", "ko": "비어"}[language]):
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), "  ")
    with pytest.raises(ValueError, match={"en": "empty", "ko": "비어"}[language]):
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), "\u200b")
    with pytest.raises(TypeError, match="int"):
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), 3)


@pytest.mark.parametrize("text", ["\ud800", "soccer \udfff is", "soccer \ud800 is [MASK]."])
def test_half_a_character_is_refused_in_a_line_that_can_be_printed(text, language):
    with pytest.raises(ValueError, match={"en": "half a character", "ko": "반쪽짜리"}[language]) as error:
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), text)
    str(error.value).encode("utf-8")


def test_the_models_own_number_of_positions_is_the_limit(language):
    model, tokenizer = tiny.masked_lm(), tiny.tokenizer()
    fits = "[MASK] " + "fun " * (tiny.POSITIONS - 3)  # and [CLS], [SEP]
    assert len(masked_lm.top_k(model, tokenizer, fits, k=1)) == 1
    with pytest.raises(ValueError, match=str(tiny.POSITIONS + 1)) as error:
        masked_lm.top_k(model, tokenizer, fits + "fun")
    assert str(tiny.POSITIONS) in str(error.value).replace(str(tiny.POSITIONS + 1), "")
    assert_kind(error)


@pytest.mark.parametrize("k", [0, -1, len(tiny.VOCABULARY) + 1])
def test_k_out_of_range_names_the_range(k, language):
    with pytest.raises(ValueError, match=f"k={k}") as error:
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), "[MASK]", k=k)
    assert str(len(tiny.VOCABULARY)) in str(error.value)
    assert_kind(error)


@pytest.mark.parametrize("k", [2.5, "5", None, True])
def test_k_that_is_no_whole_number_is_a_type_error(k, language):
    with pytest.raises(TypeError, match="k=5") as error:
        masked_lm.top_k(tiny.masked_lm(), tiny.tokenizer(), "[MASK]", k=k)
    assert_kind(error)


def test_another_models_tokenizer_is_refused_with_both_sizes(language):
    model = model_that_answers({"fun": 1.0})
    model.config.vocab_size = 32000
    with pytest.raises(ValueError, match="32,000") as error:
        masked_lm.top_k(model, tiny.tokenizer(), "[MASK]")
    assert str(len(tiny.VOCABULARY)) in str(error.value)
    assert_kind(error)


def test_a_model_without_the_word_head_is_told_which_class_has_one(language):
    with pytest.raises(ValueError, match="TFBertForNextSentencePrediction.*TFBertForMaskedLM.from_pretrained") as error:
        masked_lm.top_k(tiny.next_sentence(), tiny.tokenizer(), "[MASK]")
    assert_kind(error)


class model_that_answers:
    """Stands where a model stands; gives the logits of a dictionary at every place, and -1000 to all other pieces."""

    def __init__(self, logits):
        self.config = SimpleNamespace(vocab_size=len(tiny.VOCABULARY), max_position_embeddings=tiny.POSITIONS)
        self.row = np.full(len(tiny.VOCABULARY), -1000.0, "float32")
        for piece, logit in logits.items():
            self.row[tiny.VOCABULARY.index(piece)] = logit

    def __call__(self, input_ids, **_):
        return SimpleNamespace(logits=np.tile(self.row, (*np.shape(input_ids), 1)))


def as_lists(answers):
    return answers if isinstance(answers[0], list) else [answers]


def assert_kind(error):
    """One line, and no wall."""
    text = str(error.value)
    assert text and "\n" not in text and len(text) <= 160
