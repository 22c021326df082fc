"""Widgets call the cells' own helpers, show what they return, and answer bad input with one line.

The tokenizer and the helpers that need a model are stand-ins here, so no TensorFlow is needed.
"""

import html
import re

import ipywidgets
import pandas as pd
import pytest

from helpers import widgets


class Tokenizer:
    """Cuts at spaces; knows every word it has met."""

    mask_token = "[MASK]"

    def __init__(self):
        self.words = ["[CLS]", "[SEP]"]

    def tokenize(self, text, verbose=True):
        return text.split()

    def _id(self, word):
        if word not in self.words:
            self.words.append(word)
        return 100 + self.words.index(word)

    def __call__(self, text, text_pair=None, verbose=True):
        first = ["[CLS]", *text.split(), "[SEP]"]
        second = [*text_pair.split(), "[SEP]"] if text_pair else []
        ids = [self._id(word) for word in first + second]
        return {
            "input_ids": ids,
            "token_type_ids": [0] * len(first) + [1] * len(second),
            "attention_mask": [1] * len(ids),
        }

    def convert_ids_to_tokens(self, ids):
        return [self.words[number - 100] for number in ids]


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


@pytest.fixture
def asked(monkeypatch):
    """The texts that masked_lm.top_k was asked about; its guesses name the place of [MASK]."""
    texts = []

    def top_k(model, tokenizer, text, k=5):
        assert model == "a model" and isinstance(tokenizer, Tokenizer)
        if "[MASK]" not in text:
            raise ValueError(f"No [MASK] in '{text}': put [MASK] where the model should guess.")
        texts.append(text)
        place = next(n for n, word in enumerate(text.split(), 1) if "[MASK]" in word)
        scores = [0.8123, 0.1, 0.05, 0.02, 0.01][:k]
        return [{"score": s, "token": n, "token_str": f"guess{place}{n}", "sequence": ""} for n, s in enumerate(scores, 1)]

    monkeypatch.setattr("helpers.masked_lm.top_k", top_k)
    return texts


@pytest.fixture
def judged(monkeypatch):
    """The pairs that next_sentence.predict was asked about; a longer second text is surer to follow."""
    pairs = []

    def predict(model, tokenizer, prompts, next_sentences):
        assert model == "a model" and isinstance(tokenizer, Tokenizer)
        if not prompts.strip() or not next_sentences.strip():
            raise ValueError("This text is empty: write a sentence.")
        pairs.append((prompts, next_sentences))
        follows = 0.9123 if len(next_sentences) > len(prompts) else 0.25
        return pd.DataFrame({"follows": [follows], "random": [1 - follows], "label": [0 if follows > 0.5 else 1]})

    monkeypatch.setattr("helpers.next_sentence.predict", predict)
    return pairs


def every_widget():
    return {
        "tokens": lambda: widgets.tokens(Tokenizer(), text="Soccer is fun ."),
        "masks": lambda: widgets.masks("a model", Tokenizer(), text="Soccer is fun ."),
        "next_sentence": lambda: widgets.next_sentence("a model", Tokenizer(), prompt="One .", next_sentence="Two and three ."),
    }


EVERY_WIDGET = pytest.mark.parametrize("build", every_widget().values(), ids=every_widget())


def fields(panel, kind=ipywidgets.Text):
    return [child for child in panel.children if type(child) is kind]


def message(panel):
    return plain(panel.children[-2].value)


def result(panel):
    return panel.children[-1].value


def plain(markup):
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


def rows(markup):
    """The tables of a result: row name -> cells, rows of the same name joined."""
    found = {}
    for name, cells in re.findall(r'<tr><th scope="row"[^>]*>(.*?)</th>(.*?)</tr>', markup, flags=re.DOTALL):
        found.setdefault(html.unescape(name), []).extend(map(plain, re.findall(r"<td[^>]*>(.*?)</td>", cells)))
    return found


# -------------------------------------------------------------------------------------------------------- every widget


@EVERY_WIDGET
@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_text_form_is_one_fixed_line(build, language, asked, judged, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    first, second = build(), build()
    assert isinstance(first, ipywidgets.VBox)
    text = first._repr_mimebundle_()["text/plain"]
    assert text == second._repr_mimebundle_()["text/plain"] == repr(first)
    assert re.fullmatch(r"widget: [^\n]{10,90}", text)
    assert not re.search(r"0x|[0-9a-f]{8}|…$|\.\.\.", text)
    assert bool(re.search("[가-힣]", text)) == (language == "ko")


@EVERY_WIDGET
def test_every_control_has_a_name_a_tip_and_waits_for_enter(build, asked, judged):
    controls = fields(build()) + fields(build(), ipywidgets.IntSlider)
    assert controls
    for control in controls:
        assert control.description and control.tooltip
        assert control.continuous_update is False
        assert not control.disabled and control.tabbable is not False
        assert getattr(control, "placeholder", "-")
    names = [control.description for control in fields(build())]
    assert len(set(names)) == len(names)


@EVERY_WIDGET
def test_typed_text_is_escaped(build, asked, judged):
    panel = build()
    attack = '<img src=x onerror="alert(1)"> & <b>bold</b> words follow .'
    for field in fields(panel):
        field.value = attack
    shown = "".join(child.value for child in panel.children if isinstance(child, ipywidgets.HTML))
    assert "<img" not in shown and "<b>" not in shown
    assert message(panel) == ""


@EVERY_WIDGET
def test_a_message_about_typed_text_is_escaped(build, asked, judged, monkeypatch):
    panel = build()

    def refuse(*_, **__):
        raise ValueError("<img src=x onerror=alert(1)>\n& more")

    for name in ("encoding.check_text", "masked_lm.top_k", "next_sentence.predict"):
        monkeypatch.setattr(f"helpers.{name}", refuse)
    fields(panel)[0].value = "something else ."
    assert "<img" not in panel.children[-2].value
    assert message(panel) == "<img src=x onerror=alert(1)> & more"  # one line
    assert 'role="alert"' in panel.children[-2].value


@EVERY_WIDGET
def test_bad_input_gets_one_line_and_the_last_good_result_stays(build, asked, judged):
    panel = build()
    good = result(panel)
    assert good and message(panel) == ""
    fields(panel)[0].value = "   "
    assert "This text is empty" in message(panel)
    assert result(panel) == good
    fields(panel)[0].value = "Now it is well again ."
    assert message(panel) == ""
    assert result(panel) != good


@EVERY_WIDGET
def test_a_fault_of_ours_is_not_hidden_as_bad_input(build, asked, judged, monkeypatch):
    for name in ("encoding.check_text", "masked_lm.top_k", "next_sentence.predict"):
        monkeypatch.setattr(f"helpers.{name}", lambda *_, **__: {}["missing"])
    with pytest.raises(KeyError):
        build()


@EVERY_WIDGET
def test_results_are_announced_to_screen_readers(build, asked, judged):
    assert 'aria-live="polite"' in result(build())


@pytest.mark.parametrize("language, expected", [("en", "Soccer is a really fun [MASK]."), ("ko", "축구는 정말 재미있는 [MASK]다.")])
def test_a_widget_starts_with_a_sentence_of_the_readers_language(language, expected, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", language)
    assert fields(widgets.tokens(Tokenizer()))[0].value == expected


# --------------------------------------------------------------------------------------------------------------- tokens


def test_tokens_shows_pieces_over_ids_segments_and_mask():
    panel = widgets.tokens(Tokenizer(), text="Soccer is fun")
    assert rows(result(panel)) == {
        "piece": ["[CLS]", "Soccer", "is", "fun", "[SEP]"],
        "input_ids": ["100", "102", "103", "104", "101"],
        "token_type_ids": ["0"] * 5,
        "attention_mask": ["1"] * 5,
    }
    assert "5 pieces" in plain(result(panel))


def test_tokens_changes_with_what_is_typed():
    panel = widgets.tokens(Tokenizer(), text="Soccer is fun")
    fields(panel)[0].value = "축구는 재미있다"
    assert rows(result(panel))["piece"] == ["[CLS]", "축구는", "재미있다", "[SEP]"]


def test_tokens_shows_a_second_sentence_as_segment_1_and_drops_it_again():
    panel = widgets.tokens(Tokenizer(), text="A b")
    one = result(panel)
    fields(panel)[1].value = "c"
    assert rows(result(panel))["piece"] == ["[CLS]", "A", "b", "[SEP]", "c", "[SEP]"]
    assert rows(result(panel))["token_type_ids"] == ["0", "0", "0", "0", "1", "1"]
    cells = re.findall(r"<td style=\"([^\"]*)\">", result(panel))
    colours = [re.search("background:(.*)", cell)[1] for cell in cells]
    assert colours[:6] == ["#56B4E9"] * 4 + ["#E69F00"] * 2  # the pieces
    fields(panel)[1].value = "  "
    assert result(panel) == one


def test_tokens_breaks_a_long_row_into_several_tables():
    text = " ".join(f"word{n}" for n in range(40))
    panel = widgets.tokens(Tokenizer(), text=text)
    assert rows(result(panel))["piece"] == ["[CLS]", *text.split(), "[SEP]"]
    tables = re.findall("<table.*?</table>", result(panel))
    assert len(tables) > 4
    assert all(rows(table).keys() == {"piece", "input_ids", "token_type_ids", "attention_mask"} for table in tables)


def test_tokens_refuses_a_text_that_is_too_long_for_the_model():
    panel = widgets.tokens(Tokenizer(), text="short")
    good = result(panel)
    fields(panel)[0].value = "word " * 600
    assert "602 pieces" in message(panel) and "512" in message(panel)
    assert result(panel) == good


# ---------------------------------------------------------------------------------------------------------------- masks


def slider(panel):
    (found,) = fields(panel, ipywidgets.IntSlider)
    return found


def test_masks_hides_the_last_word_first_and_keeps_its_full_stop(asked):
    panel = widgets.masks("a model", Tokenizer(), text="Soccer is fun.")
    assert asked == ["Soccer is [MASK]."]
    assert (slider(panel).min, slider(panel).max, slider(panel).value) == (1, 3, 3)


def test_masks_moves_over_the_words_with_the_slider(asked):
    panel = widgets.masks("a model", Tokenizer(), text="“Soccer” is fun.")
    slider(panel).value = 1
    assert "guess11" in result(panel)
    slider(panel).value = 2
    assert "guess21" in result(panel)
    assert asked[1:] == ["“[MASK]” is fun.", "“Soccer” [MASK] fun."]


def test_masks_shows_each_guess_with_its_score_and_a_bar(asked):
    panel = widgets.masks("a model", Tokenizer(), text="Soccer is fun.", k=2)
    assert rows(result(panel)) == {"guess31": ["0.812", ""], "guess32": ["0.100", ""]}
    widths = [float(width) for width in re.findall(r"width:([\d.]+)em;height", result(panel))]
    assert widths[1] / widths[0] == pytest.approx(0.1 / 0.8123, rel=0.01)
    assert "Soccer is <strong>[MASK]</strong>." in result(panel)


def test_masks_keeps_a_mask_that_was_typed_and_fills_it_when_it_moves_on(asked):
    panel = widgets.masks("a model", Tokenizer(), text="축구는 재미있는 [MASK]다.")
    assert slider(panel).value == 3
    assert asked[-1] == "축구는 재미있는 [MASK]다."
    slider(panel).value = 1
    assert asked[-1] == "[MASK] 재미있는 guess31다."
    slider(panel).value = 3
    assert asked[-1] == "축구는 재미있는 [MASK]다."


def test_masks_joins_a_guess_that_continues_a_word(asked, monkeypatch):
    def top_k(model, tokenizer, text, k=5):
        asked.append(text)
        return [{"score": 0.5, "token": 1, "token_str": "##ing", "sequence": ""}]

    monkeypatch.setattr("helpers.masked_lm.top_k", top_k)
    panel = widgets.masks("a model", Tokenizer(), text="play[MASK] ball")
    slider(panel).value = 2
    assert asked[-1] == "playing [MASK]"


def test_masks_takes_a_new_sentence_and_moves_the_slider_along(asked):
    panel = widgets.masks("a model", Tokenizer(), text="one two three four five six")
    assert slider(panel).value == 6
    before = len(asked)
    fields(panel)[0].value = "seven [MASK] nine"
    assert (slider(panel).max, slider(panel).value) == (3, 2)
    assert set(asked[before:]) == {"seven [MASK] nine"}  # moving the slider itself asked for nothing
    fields(panel)[0].value = "one two three four"
    assert (slider(panel).max, slider(panel).value) == (4, 4)


def test_masks_leaves_the_slider_on_the_last_good_sentence(asked):
    panel = widgets.masks("a model", Tokenizer(), text="one two three")
    fields(panel)[0].value = "alone"
    assert "two words or more" in message(panel)
    assert (slider(panel).max, slider(panel).value) == (3, 3)
    slider(panel).value = 1
    assert asked[-1] == "[MASK] two three"
    assert message(panel) == ""


@pytest.mark.parametrize("typed, expected", [
    ("[MASK] is [MASK] .", "2 [MASK]"),
    ("Soccer is <mask> .", "No [MASK]"),
    ("Soccer is [mask] .", "No [MASK]"),
    ("Soccer is ____ .", "No [MASK]"),
    ("[MASK]", "two words or more"),
    ("", "empty"),
])
def test_masks_says_what_is_wrong_with_a_sentence(asked, typed, expected):
    panel = widgets.masks("a model", Tokenizer(), text="Soccer is fun.")
    good = result(panel)
    fields(panel)[0].value = typed
    assert expected in message(panel)
    assert result(panel) == good


def test_masks_hides_a_word_of_punctuation_alone(asked):
    panel = widgets.masks("a model", Tokenizer(), text="yes — no")
    slider(panel).value = 2
    assert asked[-1] == "yes [MASK] no"


# -------------------------------------------------------------------------------------------------------- next sentence


def test_next_sentence_shows_both_probabilities_and_the_label(judged):
    panel = widgets.next_sentence("a model", Tokenizer(), prompt="One .", next_sentence="Two and three .")
    assert judged == [("One .", "Two and three .")]
    assert "follows 0.912 · random 0.088 → label 0: the model says that the second sentence follows" in plain(result(panel))
    assert re.findall(r"width:([\d.]+)%;background:(#\w+)\">(\w+)<", result(panel)) == [
        ("91.23", "#56B4E9", "follows"), ("8.77", "#E69F00", "random"),
    ]


def test_next_sentence_changes_with_either_field(judged):
    panel = widgets.next_sentence("a model", Tokenizer(), prompt="One .", next_sentence="Two and three .")
    fields(panel)[1].value = "X"
    assert judged[-1] == ("One .", "X")
    assert "label 1: the model says that the second sentence does not follow" in plain(result(panel))
    fields(panel)[0].value = "Y"
    assert judged[-1] == ("Y", "X")


def test_next_sentence_in_korean(judged, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    panel = widgets.next_sentence("a model", Tokenizer())
    assert [field.description for field in fields(panel)] == ["첫 문장", "다음 문장"]
    assert "모델의 답: 이어진다" in plain(result(panel))
