"""What a model predicts: guesses for a gap, and whether the next sentence follows."""

from helpers.language import say
from helpers.plots.style import BAR_COLOUR, FOLLOWS_COLOUR, GREY, RANDOM_COLOUR, WIDTH, new_figure, show, styled
from helpers.plots.text import read_columns, ruler, shorten, title_sentence, two_decimals, wrap


def top_k(answers, title=None):
    """Show the guesses for each [MASK] as bars with their probabilities.

    Args:
        answers: what `masked_lm.top_k(...)` or a `FillMaskPipeline` returned: a list of dicts with `token_str` and
            `score`, or a list of such lists when the text has several masks.
        title: str, what stands above, such as the sentence.
    """
    show(figure_top_k(answers, title), alt_top_k(answers, title))


@styled
def figure_top_k(answers, title=None):
    """Draw the guesses for each [MASK]: bars from 0 to 1, so that two figures can be compared.

    Args:
        answers, title: as in `top_k`.

    Returns:
        matplotlib Figure with one axes a mask.

    Raises:
        ValueError: there is no guess, or it has no `token_str` and `score`.
    """
    masks = _masks(answers)
    measure = ruler()
    bar, head, below = 0.3, 0.42 if len(masks) > 1 else 0.06, 0.46
    lines = wrap(title, 76) if title else []
    above = 0.1 + 0.24 * len(lines)
    height = above + sum(head + bar * len(guesses) for guesses in masks) + below
    figure = new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    words = [shorten(word, 24) for guesses in masks for word, _ in guesses]
    left = min(0.35 + max(measure(word, 10) for word in words), 2.6)
    y = above
    for number, guesses in enumerate(masks, 1):
        inner = bar * len(guesses)
        y += head
        axes = figure.add_axes((left / WIDTH, 1 - (y + inner) / height, (WIDTH - left - 0.7) / WIDTH, inner / height))
        places = range(len(guesses))
        axes.barh(places, [score for _, score in guesses], height=0.72, color=BAR_COLOUR, gid="bar")
        for place, (_, score) in zip(places, guesses):
            axes.text(score + 0.012, place, f"{score:.3f}", va="center_baseline", gid="score")
        axes.set_yticks(places, [shorten(word, 24) for word, _ in guesses])
        axes.set_ylim(len(guesses) - 0.5, -0.5)  # the best guess on top
        axes.set_xlim(0, 1)
        axes.tick_params(axis="y", length=0)
        axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"], size=8.5, color=GREY)
        if len(masks) > 1:
            axes.set_title(say(f"[MASK] number {number}", f"{number}번 [MASK]"), size=10)
        if number < len(masks):
            axes.set_xticks([])
        y += inner
    axes.set_xlabel(say("probability", "확률"), size=8.5, color=GREY)
    return figure


def alt_top_k(answers, title=None):
    """What `figure_top_k` shows, in sentences.

    Args:
        answers, title: as there.

    Returns:
        str.
    """
    masks = _masks(answers)
    sentences = title_sentence(title)
    for number, guesses in enumerate(masks, 1):
        listed = ", ".join(f"{word} {two_decimals(score)}" for word, score in guesses)
        if len(masks) == 1:
            sentences.append(say(
                f"Bars show the model's guesses for [MASK] with their probabilities: {listed}.",
                f"막대는 [MASK] 자리에 대한 모델의 추측과 확률입니다: {listed}.",
            ))
        else:
            sentences.append(say(
                f"Bars show the guesses for [MASK] number {number} with their probabilities: {listed}.",
                f"막대는 {number}번 [MASK] 자리에 대한 추측과 확률입니다: {listed}.",
            ))
    return " ".join(sentences)


def _masks(answers):
    """Guesses as a list (masks) of lists (guesses) of (word, score), whether the text had one mask or several."""
    wrong = ValueError(say(
        "These are no guesses to draw: pass what masked_lm.top_k(model, tokenizer, text) returned.",
        "그릴 수 있는 추측이 아닙니다. masked_lm.top_k(model, tokenizer, text)의 결과를 넣으세요.",
    ))
    try:
        masks = [answers] if isinstance(answers[0], dict) else answers
        masks = [[(str(guess["token_str"]), float(guess["score"])) for guess in guesses] for guesses in masks]
    except (TypeError, KeyError, IndexError, ValueError):
        raise wrong from None
    if not all(masks):
        raise wrong
    return masks


def next_sentence(predictions, labels=None):
    """Show for each pair of sentences how probable it is that the second follows the first.

    Args:
        predictions: what `next_sentence.predict(...)` returned: DataFrame with the columns `follows, random, label`.
        labels: list of str, one a pair; "pair 1", "pair 2", ... if left out.
    """
    show(figure_next_sentence(predictions, labels), alt_next_sentence(predictions, labels))


@styled
def figure_next_sentence(predictions, labels=None):
    """Draw a bar a pair: the left part is the probability of "follows", the right part that of "random".

    Args:
        predictions, labels: as in `next_sentence`.

    Returns:
        matplotlib Figure.

    Raises:
        ValueError: a column is missing, there is no row, or there are not as many labels as rows.
    """
    pairs = _pairs(predictions, labels)
    measure = ruler()
    names = [wrap(name, 28, lines=3) for name, *_ in pairs]
    bar = max(0.44, 0.14 + 0.2 * max(len(name) for name in names))
    above, below = 0.4, 0.5
    height = above + bar * len(pairs) + below
    figure = new_figure(height)
    left = min(0.75 + max(measure(line, 10) for name in names for line in name), 3.2)
    axes = figure.add_axes((left / WIDTH, below / height, (WIDTH - left - 0.6) / WIDTH, bar * len(pairs) / height))
    places = range(len(pairs))
    follows = [pair[1] for pair in pairs]
    random = [pair[2] for pair in pairs]
    thick = min(0.66, 0.34 / bar)
    axes.barh(places, follows, height=thick, color=FOLLOWS_COLOUR, edgecolor="white", label="follows", gid="follows")
    axes.barh(places, random, left=follows, height=thick, color=RANDOM_COLOUR, edgecolor="white", label="random", gid="random")
    for place, (_, one, two, _) in zip(places, pairs):
        # A number stands inside its part where there is room, else just outside the bar.
        inside = {"va": "center_baseline", "ha": "center"}
        if one >= 0.12:
            axes.text(one / 2, place, f"{one:.2f}", **inside, gid="number")
        else:
            axes.text(-0.012, place, f"{one:.2f}", va="center_baseline", ha="right", gid="number")
        if two >= 0.12:
            axes.text(one + two / 2, place, f"{two:.2f}", **inside, gid="number")
        else:
            axes.text(one + two + 0.012, place, f"{two:.2f}", va="center_baseline", ha="left", gid="number")
    axes.set_yticks(places, ["\n".join(name) for name in names])
    axes.set_ylim(len(pairs) - 0.5, -0.5)
    axes.set_xlim(0, 1)
    axes.tick_params(axis="y", length=0, pad=34)  # room for a number left of the bar
    axes.spines["left"].set_visible(False)
    axes.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0", "0.25", "0.5", "0.75", "1"], size=8.5, color=GREY)
    axes.set_xlabel(say("probability", "확률"), size=8.5, color=GREY)
    names = [say("follows (left)", "follows: 이어진다(왼쪽)"), say("random (right)", "random: 이어지지 않는다(오른쪽)")]
    figure.legend(
        axes.containers, names, loc="upper left", bbox_to_anchor=(left / WIDTH, 1), bbox_transform=figure.transFigure,
        ncols=2, frameon=False, borderaxespad=0.3, borderpad=0.2, handlelength=1.0, fontsize=9,
    )
    return figure


def alt_next_sentence(predictions, labels=None):
    """What `figure_next_sentence` shows, in sentences.

    Args:
        predictions, labels: as there.

    Returns:
        str.
    """
    sentences = []
    for name, follows, random, label in _pairs(predictions, labels):
        name, follows, random = name.rstrip("."), two_decimals(follows), two_decimals(random)
        said = say(
            "the model says that it follows" if label == 0 else "the model says that it does not follow",
            "모델의 답은 ‘이어진다’" if label == 0 else "모델의 답은 ‘이어지지 않는다’",
        )
        sentences.append(say(
            f"{name}: the second sentence follows with probability {follows} and is random with probability {random}; {said}.",
            f"{name}: 둘째 문장이 이어질 확률은 {follows}, 아닐 확률은 {random}입니다. {said}입니다.",
        ))
    return " ".join(sentences)


def _pairs(predictions, labels):
    """Rows as (name, follows, random, label)."""
    rows = read_columns(predictions, ("follows", "random", "label"), "next_sentence.predict(...)")
    if labels is None:
        labels = [say(f"pair {n}", f"{n}번 쌍") for n in range(1, len(rows) + 1)]
    if isinstance(labels, str) or len(labels) != len(rows):
        raise ValueError(say(
            f"{len(rows)} pairs need {len(rows)} labels in a list, these are {labels!r}.",
            f"문장 쌍이 {len(rows)}개이면 이름도 {len(rows)}개가 든 리스트여야 합니다. 지금은 {labels!r}입니다.",
        ))
    return [(str(name), float(follows), float(random), int(label))
            for name, (follows, random, label) in zip(labels, rows)]
