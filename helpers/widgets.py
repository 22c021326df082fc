"""Things to play with below a cell: type a sentence, move [MASK], compare two sentences, draw their similarities.

Each widget calls the same helpers as the cells of the lesson (`encoding.table`, `masked_lm.top_k`, `next_sentence.predict`,
`SentenceEncoder.encode`) and shows what they return. Press Enter in a text field to see the change; sliders move with the
arrow keys, buttons with Tab and Space. What is typed is escaped before it becomes HTML. A text that the helpers refuse gives
their one line, and the last good result stays.
"""

import base64
import html
import re

import ipywidgets
import numpy as np

from helpers import encoding, masked_lm
from helpers import next_sentence as next_sentence_helper
from helpers import plots
from helpers.language import say

_CELL = "border:1px solid #595959;padding:2px 6px;text-align:center;color:black;"
_LABELS = "padding:2px 8px 2px 0;text-align:right;font-weight:normal;"


class Panel(ipywidgets.VBox):
    """A VBox whose text form is one fixed line, in a stored notebook and where widgets are not shown."""

    def __init__(self, about, children):
        super().__init__(children)
        self._about = about

    def __repr__(self):
        return f"widget: {self._about}"


def tokens(tokenizer, text=None, text_pair=""):
    """Type a sentence, or two, and see the pieces, ids, segments and mask change.

    Args:
        tokenizer: a transformers tokenizer.
        text: str, what stands in the first field at the start.
        text_pair: str, what stands in the second field; empty for none.

    Returns:
        ipywidgets.VBox.
    """
    if text is None:
        text = say("Soccer is a really fun [MASK].", "축구는 정말 재미있는 [MASK]다.")
    first = _text_field(say("Sentence", "문장"), text, say("type a sentence", "문장을 입력하세요"))
    second = _text_field(
        say("Second sentence", "둘째 문장"), text_pair, say("leave empty for one sentence", "한 문장이면 비워 두세요")
    )
    result, message = ipywidgets.HTML(), ipywidgets.HTML()

    def draw():
        pair = second.value if second.value.strip() else None
        encoding.check_text(first.value, tokenizer, pair)
        return _token_html(encoding.table(tokenizer(first.value, pair), tokenizer))

    def refresh(_=None):
        _update(result, message, draw)

    first.observe(refresh, "value")
    second.observe(refresh, "value")
    refresh()
    about = say("type a sentence and see its pieces (run this cell to use it)", "문장을 입력해 조각을 보는 위젯(셀을 실행하면 쓸 수 있습니다)")
    return Panel(about, [first, second, message, result])


def masks(model, tokenizer, text=None, k=5):
    """Move [MASK] over the words of a sentence and see the model's guesses change.

    Args:
        model: a `TFBertForMaskedLM`.
        tokenizer: its tokenizer.
        text: str, the sentence at the start: a whole one, or one with a [MASK]. What stood in a [MASK] that was typed
            nobody knows, so that the model's best guess stands there while [MASK] is elsewhere.
        k: int, how many guesses.

    Returns:
        ipywidgets.VBox.
    """
    if text is None:
        text = say("Soccer is a really fun sport.", "축구는 정말 재미있는 운동이다.")
    sentence = _text_field(say("Sentence", "문장"), text, say("type a sentence", "문장을 입력하세요"))
    place = ipywidgets.IntSlider(
        value=1, min=1, max=2, description=say("[MASK] at word", "[MASK] 자리"), continuous_update=False,
        tooltip=say("Which word is hidden: move with the arrow keys.", "몇 번째 단어를 가릴지 정합니다. 화살표 키로 움직이세요."),
        style={"description_width": "9em"}, layout={"width": "100%", "max_width": "42em"},
    )
    result, message = ipywidgets.HTML(), ipywidgets.HTML()
    state = {"words": [], "moving": False}

    def draw(words, number):
        hidden = _hide(words, number, tokenizer.mask_token)
        return _guesses_html(hidden, tokenizer.mask_token, masked_lm.top_k(model, tokenizer, hidden, k=k))

    def new_sentence(_=None):
        def draw_first():
            words, number = _words(model, tokenizer, sentence.value)
            drawn = draw(words, number or len(words))
            # Only now that everything is well: from here on the slider moves over the new words.
            state["words"], state["moving"] = words, True
            place.max = len(words)
            place.value = number or len(words)
            state["moving"] = False
            return drawn

        _update(result, message, draw_first)

    def new_place(_=None):
        if not state["moving"] and state["words"]:
            _update(result, message, lambda: draw(state["words"], place.value))

    sentence.observe(new_sentence, "value")
    place.observe(new_place, "value")
    new_sentence()
    about = say("move [MASK] and see the guesses change (run this cell to use it)", "[MASK]를 옮기며 추측을 보는 위젯(셀을 실행하면 쓸 수 있습니다)")
    return Panel(about, [sentence, place, message, result])


def next_sentence(model, tokenizer, prompt=None, next_sentence=None):
    """Type two sentences and see how probable it is that the second follows the first.

    Args:
        model: a `TFBertForNextSentencePrediction`.
        tokenizer: its tokenizer.
        prompt: str, the first sentence at the start.
        next_sentence: str, the second one.

    Returns:
        ipywidgets.VBox.
    """
    if prompt is None:
        prompt = say("I baked bread this morning.", "나는 오늘 아침에 빵을 구웠다.")
    if next_sentence is None:
        next_sentence = say("It came out of the oven warm and soft.", "오븐에서 꺼낸 빵은 따뜻하고 부드러웠다.")
    hint = say("type a sentence", "문장을 입력하세요")
    first = _text_field(say("First sentence", "첫 문장"), prompt, hint)
    second = _text_field(say("Next sentence", "다음 문장"), next_sentence, hint)
    result, message = ipywidgets.HTML(), ipywidgets.HTML()

    def draw():
        return _follows_html(next_sentence_helper.predict(model, tokenizer, first.value, second.value))

    def refresh(_=None):
        _update(result, message, draw)

    first.observe(refresh, "value")
    second.observe(refresh, "value")
    refresh()
    about = say("does the second sentence follow? (run this cell to use it)", "둘째 문장이 이어지는지 보는 위젯(셀을 실행하면 쓸 수 있습니다)")
    return Panel(about, [first, second, message, result])


# --------------------------------------------------------------------------------------------------- sentence vectors

SENTENCES_AT_MOST = 12  # more, and the numbers in the map are too small to read


def sentence_map(encoders, sentences):
    """Choose a pooling and see the map of similarities redrawn; the sentences can be changed, one a line.

    Args:
        encoders: dict of str -> `SentenceEncoder`: what stands on the buttons, and the encoder behind each.
        sentences: list of str, 2 to 12, what stands in the field at the start.

    Returns:
        ipywidgets.VBox.
    """
    choice = ipywidgets.ToggleButtons(
        options=list(encoders), description=say("Pooling", "풀링"), style={"description_width": "9em"},
        tooltips=[say(f"{name}: press Space to see its map.", f"{name}: 스페이스 키를 누르면 지도가 바뀝니다.") for name in encoders],
        tooltip=say("Which vectors are compared: move with Tab, choose with Space.", "어느 벡터를 견줄지 정합니다. Tab 키로 옮기고 스페이스 키로 고르세요."),
    )
    typed = ipywidgets.Textarea(
        value="\n".join(sentences), description=say("Sentences", "문장"), rows=len(sentences) + 1, continuous_update=False,
        placeholder=say("one sentence a line", "한 줄에 한 문장씩 입력하세요"),
        tooltip=say("Sentences: one a line. Press Tab to see the change.", "문장: 한 줄에 하나씩 쓰세요. Tab 키를 누르면 결과가 바뀝니다."),
        style={"description_width": "9em"}, layout={"width": "100%", "max_width": "42em"},
    )
    result, message = ipywidgets.HTML(), ipywidgets.HTML()

    def draw():
        texts = _lines(typed.value)
        encoder = encoders[choice.value]
        vectors = encoder.encode(texts)
        return _map_html(texts, encoder.similarity(vectors, vectors), choice.value)

    def refresh(_=None):
        _update(result, message, draw)

    choice.observe(refresh, "value")
    typed.observe(refresh, "value")
    refresh()
    about = say("choose a pooling and see the map of similarities (run this cell to use it)", "풀링을 골라 유사도 지도를 보는 위젯(셀을 실행하면 쓸 수 있습니다)")
    return Panel(about, [choice, typed, message, result])


def _lines(text):
    """The sentences of a field, one a line; empty lines do not count."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not 2 <= len(lines) <= SENTENCES_AT_MOST:
        raise ValueError(say(
            f"Sentences in the field: {len(lines)}. Write 2 to {SENTENCES_AT_MOST}, one a line.",
            f"입력한 문장은 {len(lines)}개입니다. 한 줄에 하나씩 2–{SENTENCES_AT_MOST}개를 쓰세요.",
        ))
    return lines


def _map_html(texts, similarity, pooling):
    """The map as a picture with its alternative text, and below it the closest other sentence of each."""
    numbers = [str(number) for number in range(1, len(texts) + 1)]
    named = [f"{number} {text}" for number, text in zip(numbers, texts)]
    title = say(f"Cosine similarity, pooling {pooling}", f"코사인 유사도, 풀링 {pooling}")
    picture = base64.b64encode(plots.png(plots.figure_matrix(similarity, named, numbers, title))).decode("ascii")
    alt = html.escape(plots.alt_matrix(similarity, named, numbers, title))
    others = np.array(similarity, dtype=float)
    np.fill_diagonal(others, -np.inf)
    closest = "".join(
        f'<tr><th scope="row" style="{_LABELS}">{html.escape(name)}</th>'
        f"<td>{html.escape(named[other])}</td><td>{others[row, other]:.2f}</td></tr>"
        for row, (name, other) in enumerate(zip(named, others.argmax(axis=1)))
    )
    heads = "".join(f'<th scope="col" style="text-align:left;padding-right:8px">{head}</th>' for head in (
        say("sentence", "문장"), say("closest other", "가장 가까운 다른 문장"), say("cosine", "코사인")))
    return (
        f'<img alt="{alt}" src="data:image/png;base64,{picture}" style="width:100%;max-width:42em">'
        f'<table style="border-collapse:collapse"><tr>{heads}</tr>{closest}</table>'
    )


# --------------------------------------------------------------------------------------------------------------- search


def search_box(index, text=None, k=5):
    """Type a question, press Enter, and see the texts that are nearest in meaning.

    Args:
        index: a `helpers.search.Index`.
        text: str, what is searched for at the start; the first text of the index if left out.
        k: int, how many are shown.

    Returns:
        ipywidgets.VBox.
    """
    if text is None:
        text = index.texts[0] if len(index) else ""
    question = _text_field(say("Search for", "검색"), text, say("type a question or a sentence", "질문이나 문장을 입력하세요"))
    result, message = ipywidgets.HTML(), ipywidgets.HTML()

    def search(_=None):
        _update(result, message, lambda: _found_html(question.value, index.query(question.value, k)))

    question.observe(search, "value")
    search()
    count = len(index)
    about = say(f"search {count} texts by meaning (run this cell to use it)", f"글 {count}개를 뜻으로 찾는 위젯(셀을 실행하면 쓸 수 있습니다)")
    return Panel(about, [question, message, result])


def _found_html(question, found):
    """What a search found, best first: score, text, and source where there is one."""
    columns = [name for name in ("score", "text", "source") if name in found]
    lines = []
    for rank, row in found.iterrows():
        cells = (f"{row[name]:.3f}" if name == "score" else html.escape(str(row[name])) for name in columns)
        drawn = "".join(f'<td style="padding:2px 8px;text-align:left;vertical-align:top">{cell}</td>' for cell in cells)
        lines.append(f'<tr><th scope="row" style="{_LABELS}vertical-align:top">{rank}</th>{drawn}</tr>')
    heads = "".join(f'<th scope="col" style="padding:2px 8px;text-align:left">{name}</th>' for name in ("rank", *columns))
    caption = html.escape(say(f"{len(found)} texts for “{question}”", f"“{question}” 검색 결과 {len(found)}개"))
    return f'<table style="border-collapse:collapse"><caption style="text-align:left">{caption}</caption><tr>{heads}</tr>{"".join(lines)}</table>'


# --------------------------------------------------------------------------------------------------------------- parts


def _text_field(description, value, placeholder):
    """A labelled field that reports its text when Enter is pressed or the field is left."""
    return ipywidgets.Text(
        value=value, description=description, placeholder=placeholder, continuous_update=False,
        tooltip=say(f"{description}: press Enter to see the change.", f"{description}: Enter를 누르면 결과가 바뀝니다."),
        style={"description_width": "9em"}, layout={"width": "100%", "max_width": "42em"},
    )


def _update(result, message, draw):
    """Show what `draw` returns; if a helper refuses the text, show its line instead and leave the last good result."""
    try:
        drawn = draw()
    except (TypeError, ValueError) as error:
        line = html.escape(" ".join(str(error).split()))
        message.value = f'<p role="alert" style="margin:4px 0;border-left:4px solid {plots.COLOURS["vermillion"]};padding-left:8px">{line}</p>'
    else:
        message.value = ""
        result.value = f'<div role="status" aria-live="polite" style="overflow-x:auto">{drawn}</div>'


def _words(model, tokenizer, text):
    """Cut a sentence into words that [MASK] can hide.

    Args:
        model, tokenizer: what guesses the word of a [MASK] that the reader typed.
        text: str.

    Returns:
        list of (before, word, after), where `before` and `after` are punctuation that stays, and the number of the word
        where [MASK] was typed, counted from 1, or None.
    """
    encoding.check_text(text, tokenizer)
    mask = tokenizer.mask_token
    if mask not in text and masked_lm.OTHER_MASKS.search(text):
        masked_lm.top_k(model, tokenizer, text)  # says which mask this model has
    if text.count(mask) > 1:
        raise ValueError(say(
            f"There are {text.count(mask)} {mask} in this sentence: keep one, the slider moves it.",
            f"이 문장에는 {mask}가 {text.count(mask)}개 있습니다. 하나만 남기면 슬라이더로 옮길 수 있습니다.",
        ))
    spaced = text.split()
    if len(spaced) < 2:
        raise ValueError(say(
            "One word alone says nothing about what is hidden: type a sentence of two words or more.",
            "단어 하나만으로는 가린 말을 짐작할 수 없습니다. 두 단어 이상인 문장을 입력하세요.",
        ))
    words, typed = [], None
    for number, word in enumerate(spaced, 1):
        if mask in word:
            before, after = word.split(mask)
            guess = masked_lm.top_k(model, tokenizer, " ".join(spaced), k=1)[0]["token_str"]
            words.append((before, guess.removeprefix("##"), after))
            typed = number
        else:
            before, core, after = re.fullmatch(r"([^\w]*)(.*?)([^\w]*)", word, flags=re.DOTALL).groups()
            words.append((before, core, after) if core else ("", word, ""))
    return words, typed


def _hide(words, number, mask):
    """The sentence with [MASK] in place of one word, counted from 1."""
    return " ".join(
        before + (mask if each == number else word) + after for each, (before, word, after) in enumerate(words, 1)
    )


def _token_html(table):
    """Pieces from left to right over their ids, segments and mask; a long row goes on in a table below."""
    rows = list(zip(*(table[name].tolist() for name in ("piece", "input_ids", "token_type_ids", "attention_mask"))))
    parts, part, width = [], [], 0
    for row in rows:
        wide = max(plots.display_width(row[0]), len(str(row[1])), 2) + 2
        if part and width + wide > 66:
            parts, part, width = [*parts, part], [], 0
        part.append(row)
        width += wide
    parts.append(part)
    count = say(f"{len(rows)} pieces", f"조각 {len(rows)}개")
    drawn = [f'<p style="margin:4px 0">{count}</p>']
    for part in parts:
        lines = []
        for column, name in enumerate(("piece", "input_ids", "token_type_ids", "attention_mask")):
            cells = "".join(_token_cell(column, row) for row in part)
            lines.append(f'<tr><th scope="row" style="{_LABELS}">{name}</th>{cells}</tr>')
        drawn.append(f'<table style="border-collapse:collapse;margin:4px 0 10px">{"".join(lines)}</table>')
    return "".join(drawn)


def _token_cell(column, row):
    value = html.escape(str(row[column]))
    coloured = plots.SEGMENT_COLOURS[row[2] % len(plots.SEGMENT_COLOURS)] if column in (0, 2) else "white"
    return f'<td style="{_CELL}background:{coloured}">{value}</td>'


def _guesses_html(sentence, mask, answers):
    """The sentence with its [MASK] marked, and a bar for each guess."""
    shown = html.escape(sentence).replace(html.escape(mask), f"<strong>{html.escape(mask)}</strong>")
    lines = []
    for answer in answers:
        word, score = html.escape(answer["token_str"]), float(answer["score"])
        bar = f'<div style="width:{15 * score:.2f}em;height:1em;background:{plots.BAR_COLOUR}"></div>'
        lines.append(
            f'<tr><th scope="row" style="{_LABELS}">{word}</th>'
            f'<td style="padding:2px 8px;text-align:right">{score:.3f}</td><td style="width:15em">{bar}</td></tr>'
        )
    return (
        f'<p style="margin:4px 0">{shown}</p><table style="border-collapse:collapse">'
        f'<tr><th scope="col" style="{_LABELS}">token_str</th><th scope="col">score</th><td></td></tr>{"".join(lines)}</table>'
    )


def _follows_html(predictions):
    """One bar in two parts, with both numbers in words."""
    follows, random, label = (predictions[name].iloc[0] for name in ("follows", "random", "label"))
    said = say(
        "the model says that the second sentence follows" if label == 0
        else "the model says that the second sentence does not follow",
        "모델의 답: 이어진다" if label == 0 else "모델의 답: 이어지지 않는다",
    )
    part = "height:1.6em;line-height:1.6em;color:black;overflow:hidden;white-space:nowrap;text-indent:0.4em;"
    return (
        f'<p style="margin:4px 0">follows <strong>{follows:.3f}</strong> · random <strong>{random:.3f}</strong>'
        f" → label {int(label)}: {html.escape(said)}</p>"
        f'<div aria-hidden="true" style="display:flex;width:100%;max-width:42em">'
        f'<div style="{part}width:{100 * follows:.2f}%;background:{plots.FOLLOWS_COLOUR}">follows</div>'
        f'<div style="{part}width:{100 * random:.2f}%;background:{plots.RANDOM_COLOUR}">random</div></div>'
    )


# ------------------------------------------------------------------------------------------------------ training steps


def training_steps(similarities, targets, labels):
    """Drag a slider through the steps of a training and see how similar pairs of sentences become.

    Args:
        similarities: float (steps, pairs), the cosine of each pair before the training and after each of its steps.
        targets: list of float, one a pair, what the training aims at: score / 5.
        labels: list of str, one a pair.

    Returns:
        ipywidgets.VBox.

    Raises:
        ValueError: the numbers are no table of steps and pairs, or there are not as many targets and labels as pairs.
    """
    table, targets, labels = plots.recorded_steps(similarities, targets, labels)
    low = -1.0 if min(table.min(), min(targets)) < 0 else 0.0  # one scale for all steps, so that bars can be compared
    step = ipywidgets.IntSlider(
        value=0, min=0, max=len(table) - 1, description=say("Step", "스텝"), continuous_update=True,
        tooltip=say("After which step of the training: move with the arrow keys.", "학습의 몇 번째 스텝 뒤인지 정합니다. 화살표 키로 움직이세요."),
        style={"description_width": "9em"}, layout={"width": "100%", "max_width": "42em"},
    )
    result, message = ipywidgets.HTML(), ipywidgets.HTML()

    def refresh(_=None):
        _update(result, message, lambda: _steps_html(step.value, len(table) - 1, table[step.value], targets, labels, low))

    step.observe(refresh, "value")
    refresh()
    about = say("drag through the steps of a training (run this cell to use it)", "학습 스텝을 옮겨 가며 보는 위젯(셀을 실행하면 쓸 수 있습니다)")
    return Panel(about, [step, message, result])


def _steps_html(step, steps, cosines, targets, labels, low):
    """A bar a pair from zero to its cosine, and a black mark at what it aims at."""

    def place(value):
        return 100 * (min(max(value, low), 1) - low) / (1 - low)

    lines = []
    for label, cosine, target in zip(labels, cosines, targets):
        start, end = sorted((place(0), place(cosine)))
        track = (
            '<div aria-hidden="true" style="position:relative;width:15em;height:1.1em;background:#f0f0f0">'
            f'<div style="position:absolute;left:{start:.2f}%;width:{end - start:.2f}%;height:100%;background:{plots.BAR_COLOUR}"></div>'
            f'<div style="position:absolute;left:calc({place(target):.2f}% - 1px);width:3px;height:100%;background:black"></div></div>'
        )
        lines.append(
            f'<tr><th scope="row" style="{_LABELS}text-align:left;max-width:24em">{html.escape(label)}</th>'
            f'<td style="padding:2px 8px;text-align:right">{round(float(cosine), 2) + 0.0:.2f}</td><td>{track}</td>'
            f'<td style="padding:2px 8px;text-align:right">{target:.2f}</td></tr>'
        )
    when = say("before the training", "학습 전") if step == 0 else say(f"after step {step} of {steps}", f"{steps}스텝 가운데 {step}스텝 뒤")
    head = "".join(
        f'<th scope="col" style="padding:2px 8px">{name}</th>'
        for name in (say("pair", "문장 쌍"), say("cosine", "코사인"), "", say("target", "목표"))
    )
    return f'<p style="margin:4px 0">{when}</p><table style="border-collapse:collapse"><tr>{head}</tr>{"".join(lines)}</table>'
