"""Pieces, ids and masks; and the kind line for a text that no model can take."""

from types import SimpleNamespace

import numpy as np
import pytest

from helpers import encoding
from tests import tiny


@pytest.fixture(params=["en", "ko"])
def language(request, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", request.param)
    return request.param


def ids(*pieces):
    return [tiny.VOCABULARY.index(piece) for piece in pieces]


def test_pieces_are_the_words_parts_without_special_tokens():
    assert encoding.pieces("Players went home.", tiny.tokenizer()) == ["play", "##er", "##s", "went", "home", "."]


def test_table_lays_piece_id_segment_and_mask_side_by_side():
    table = encoding.table(tiny.tokenizer()("soccer is fun", "축구는"), tiny.tokenizer())
    pieces = ["[CLS]", "soccer", "is", "fun", "[SEP]", "축구", "##는", "[SEP]"]
    assert list(table.columns) == ["piece", "input_ids", "token_type_ids", "attention_mask"]
    assert list(table["piece"]) == pieces
    assert list(table["input_ids"]) == ids(*pieces)
    assert list(table["token_type_ids"]) == [0, 0, 0, 0, 0, 1, 1, 1]
    assert list(table["attention_mask"]) == [1] * 8


def test_table_of_a_batch_shows_the_row_asked_for_with_its_padding():
    batch = tiny.tokenizer()(["soccer is really fun", "fun"], padding=True)
    table = encoding.table(batch, tiny.tokenizer(), row=1)
    assert list(table["piece"]) == ["[CLS]", "fun", "[SEP]", "[PAD]", "[PAD]", "[PAD]"]
    assert list(table["attention_mask"]) == [1, 1, 1, 0, 0, 0]
    assert encoding.table(batch, tiny.tokenizer())["piece"].tolist() == ["[CLS]", "soccer", "is", "really", "fun", "[SEP]"]


def test_table_reads_a_batch_of_unequal_lists():
    batch = tiny.tokenizer()(["fun", "soccer is fun"])
    assert encoding.table(batch, tiny.tokenizer(), row=1)["piece"].tolist() == ["[CLS]", "soccer", "is", "fun", "[SEP]"]


@pytest.mark.parametrize("kind", ["np", "tf"])
def test_table_reads_tensors_as_it_reads_lists(kind):
    tokenizer = tiny.tokenizer()
    from_lists = encoding.table(tokenizer("축구는 정말 재미있는 [MASK]다."), tokenizer)
    from_tensors = encoding.table(tokenizer("축구는 정말 재미있는 [MASK]다.", return_tensors=kind), tokenizer)
    assert from_tensors.equals(from_lists)


@pytest.mark.parametrize("row", [2, -3])
def test_table_says_how_many_rows_there_are(row, language):
    batch = tiny.tokenizer()(["fun", "soccer"])
    with pytest.raises(IndexError, match={"en": "hold 2, counted from 0", "ko": "행이 2개"}[language]):
        encoding.table(batch, tiny.tokenizer(), row=row)


@pytest.mark.parametrize("not_inputs", ["soccer is fun", [2, 3, 4], None, {"logits": [1]}])
def test_table_says_what_it_needs(not_inputs, language):
    with pytest.raises(TypeError, match=r"inputs = tokenizer\(text\)"):
        encoding.table(not_inputs, tiny.tokenizer())


@pytest.mark.parametrize("not_a_text, its_type", [(5, "int"), (None, "NoneType"), (["a"], "list"), (b"a", "bytes"), (np.nan, "float")])
def test_not_a_string_is_a_type_error_that_names_its_type(not_a_text, its_type, language):
    with pytest.raises(TypeError, match=its_type) as error:
        encoding.check_text(not_a_text, tiny.tokenizer())
    assert "'" in str(error.value)  # shows a sentence in quotation marks
    assert_kind(error)


@pytest.mark.parametrize("empty", ["", " ", "\n\t ", "\u3000", "\u200b", "\ufeff", "\x00"])
def test_a_text_without_anything_to_read_is_called_empty(empty, language):
    with pytest.raises(ValueError, match={"en": "is empty: write a sentence", "ko": "비어 있습니다"}[language]) as error:
        encoding.check_text(empty, tiny.tokenizer())
    assert_kind(error)


def test_the_second_text_is_checked_as_the_first_is():
    with pytest.raises(ValueError, match="empty"):
        encoding.check_text("fun", tiny.tokenizer(), text_pair=" ")
    with pytest.raises(TypeError, match="int"):
        encoding.check_text("fun", tiny.tokenizer(), text_pair=7)


def test_half_a_character_is_explained(language):
    with pytest.raises(ValueError, match="UTF-8") as error:
        encoding.check_text("fun \ud83d", tiny.tokenizer())
    assert_kind(error)


def test_512_pieces_pass_and_513_are_counted(language):
    encoding.check_text("fun " * 510, tiny.tokenizer())  # [CLS] and [SEP] make 512
    with pytest.raises(ValueError, match="513") as error:
        encoding.check_text("fun " * 511, tiny.tokenizer())
    assert "512" in str(error.value)
    assert_kind(error)


def test_a_pair_has_three_special_tokens():
    encoding.check_text("fun " * 300, tiny.tokenizer(), text_pair="fun " * 209)
    with pytest.raises(ValueError, match="513"):
        encoding.check_text("fun " * 300, tiny.tokenizer(), text_pair="fun " * 210)


def test_a_model_with_fewer_positions_takes_fewer_pieces():
    encoding.check_text("fun " * 38, tiny.tokenizer(), pieces_at_most=40)
    with pytest.raises(ValueError, match="41 pieces.* 40 at most: leave out at least 1"):
        encoding.check_text("fun " * 39, tiny.tokenizer(), pieces_at_most=40)


def test_model_and_tokenizer_of_different_vocabularies_are_refused_with_both_sizes(language):
    size = len(tiny.VOCABULARY)
    encoding.check_belong_together(SimpleNamespace(config=SimpleNamespace(vocab_size=size)), tiny.tokenizer())
    with pytest.raises(ValueError, match="30,522") as error:
        encoding.check_belong_together(SimpleNamespace(config=SimpleNamespace(vocab_size=30522)), tiny.tokenizer())
    assert str(size) in str(error.value)
    assert {"en": "belong together", "ko": "짝이 맞아야"}[language] in str(error.value)
    assert_kind(error)


def test_a_long_text_is_cut_and_a_broken_line_joined_where_it_is_quoted():
    assert encoding.quote("two\n lines") == "'two lines'"
    assert encoding.quote("x" * 60) == "'" + "x" * 60 + "'"
    assert encoding.quote("x" * 61) == "'" + "x" * 59 + "…'"


def assert_kind(error):
    """One line, and no wall."""
    text = str(error.value)
    assert text and "\n" not in text and len(text) <= 160
