"""A training as it goes on, and strategies compared."""

import numpy as np
from matplotlib.ticker import MaxNLocator

from helpers.language import say
from helpers.plots.style import BAR_COLOUR, COLOURS, GREY, WIDTH, new_figure, show, styled
from helpers.plots.text import ruler, title_sentence, two_decimals, wrap

LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1)), (0, (8, 2)))  # each line is told by number and dashes
LINE_COLOURS = tuple(COLOURS[name] for name in ("blue", "vermillion", "bluish green", "reddish purple", "black", "orange"))


def training_steps(similarities, targets, labels, title=None):
    """Show how similar pairs of sentences become while a model is trained.

    Args:
        similarities: float (steps, pairs), the cosine of each pair before the training and after each of its steps.
        targets: list of float, one a pair, what the training aims at: score / 5.
        labels: list of str, one a pair.
        title: str, what stands above.
    """
    show(figure_training_steps(similarities, targets, labels, title), alt_training_steps(similarities, targets, labels, title))


@styled
def figure_training_steps(similarities, targets, labels, title=None):
    """Draw a line a pair over the steps, and at the right edge a diamond at what it aims at.

    Args:
        similarities, targets, labels, title: as in `training_steps`.

    Returns:
        matplotlib Figure.

    Raises:
        ValueError: the numbers are no table of steps and pairs, or there are not as many targets and labels as pairs.
    """
    similarities, targets, labels = recorded_steps(similarities, targets, labels)
    steps, pairs = similarities.shape
    names = [wrap(f"{number}. {label}", 96, lines=2) for number, label in enumerate(labels, 1)]
    lines = wrap(title, 76) if title else []
    above, inner, below = 0.14 + 0.24 * len(lines), 2.6, 0.5
    text = 0.19
    height = above + inner + below + 0.24 + text * sum(map(len, names)) + 0.1
    figure = new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    left, right = 0.6, 0.75
    axes = figure.add_axes((left / WIDTH, 1 - (above + inner) / height, (WIDTH - left - right) / WIDTH, inner / height))
    low = min(0.0, float(similarities.min()), min(targets)) - 0.04
    axes.set_ylim(low, 1.04)
    last = max(steps - 1, 1)
    axes.set_xlim(0, last * 1.03)
    ends = _apart([float(each) for each in similarities[-1]], (1.04 - low) * 0.065, low, 1.04)
    for pair in range(pairs):
        style = {"color": LINE_COLOURS[pair % len(LINE_COLOURS)], "linestyle": LINES[pair % len(LINES)], "linewidth": 1.6}
        axes.plot(range(steps), similarities[:, pair], **style, gid="line", clip_on=False)
        axes.plot([last * 1.03], [targets[pair]], marker="D", color=style["color"], markersize=6, clip_on=False, gid="target")
        axes.annotate(str(pair + 1), (last, float(similarities[-1, pair])), xytext=(last * 1.075, ends[pair]), size=9,
                      va="center_baseline", annotation_clip=False, gid="number")
    axes.set_xlabel(say("steps of the training", "학습 스텝"), size=8.5, color=GREY)
    axes.set_ylabel(say("cosine", "코사인"), size=8.5, color=GREY)
    axes.tick_params(labelsize=8.5, labelcolor=GREY)
    axes.set_xticks(_round_numbers(0, last, integer=True))
    axes.set_yticks(_round_numbers(low, 1))
    y = above + inner + below
    figure.text(0.02, 1 - y / height, say("A diamond stands where the pair should end (score / 5).", "마름모는 쌍이 이르러야 할 값(점수 / 5)입니다."),
                size=8.5, color=GREY, va="top", gid="legend")
    y += 0.24
    for name in names:
        figure.text(0.02, 1 - y / height, "\n".join(name), size=8.5, va="top", linespacing=1.35, gid="label")
        y += text * len(name)
    return figure


def alt_training_steps(similarities, targets, labels, title=None):
    """What `figure_training_steps` shows, in sentences.

    Args:
        similarities, targets, labels, title: as there.

    Returns:
        str.
    """
    similarities, targets, labels = recorded_steps(similarities, targets, labels)
    sentences = title_sentence(title)
    steps = len(similarities) - 1
    sentences.append(say(
        f"A line for each pair of sentences shows its cosine over {steps} steps of a training.",
        f"문장 쌍마다 선 하나로 학습 {steps}스텝 동안의 코사인을 나타냅니다.",
    ))
    for number, (label, target) in enumerate(zip(labels, targets), 1):
        first, last = two_decimals(similarities[0, number - 1]), two_decimals(similarities[-1, number - 1])
        aim = two_decimals(target)
        sentences.append(say(
            f"Pair {number}, “{label}”, goes from {first} to {last}; it should end at {aim}.",
            f"{number}번 쌍 “{label}”: {first}에서 {last}까지 움직였고, 이르러야 할 값은 {aim}입니다.",
        ))
    return " ".join(sentences)


def recorded_steps(similarities, targets, labels):
    """The record of a training, checked.

    Args:
        similarities, targets, labels: as in `training_steps`.

    Returns:
        float array (steps, pairs), list of float, list of str.

    Raises:
        ValueError: as in `figure_training_steps`.
    """
    try:
        table = np.asarray(similarities, dtype=float)
        targets = [float(target) for target in targets]
    except (TypeError, ValueError):
        table = np.empty(0)
    if table.ndim != 2 or not table.size or not np.isfinite(table).all():
        raise ValueError(say(
            "A record of a training is a table of numbers, steps × pairs: append sbert.predict(...) to a list after every step.",
            "학습 기록은 스텝 × 쌍의 숫자 표입니다. 스텝마다 sbert.predict(...)의 결과를 리스트에 덧붙이세요.",
        ))
    for names, what in ((targets, say("targets", "목표값(targets)")), (labels, say("labels", "이름(labels)"))):
        if isinstance(names, str) or len(names) != table.shape[1]:
            raise ValueError(say(
                f"The record holds {table.shape[1]} pairs: give a list of {table.shape[1]} {what}, not {names!r}.",
                f"기록에 쌍이 {table.shape[1]}개 있습니다. {what}도 {table.shape[1]}개가 든 리스트로 주세요. 지금은 {names!r}입니다.",
            ))
    return table, targets, [str(label) for label in labels]


def _round_numbers(low, high, integer=False):
    """Where ticks stand: a few round numbers between the ends of an axis, both included."""
    ticks = MaxNLocator(nbins=6, integer=integer).tick_values(low, high)
    rounding = 1e-9 * (high - low)
    return [tick for tick in ticks if low - rounding <= tick <= high + rounding]


def _apart(places, least, low, high):
    """Places for numbers that would lie on top of each other: in their order, at least so far apart, inside low and high."""
    order = np.argsort(places, kind="stable")
    moved = np.array(places, dtype=float)
    for one, other in zip(order, order[1:]):
        moved[other] = max(moved[other], moved[one] + least)
    top = high
    for one in order[::-1]:  # what was pushed out above comes back down
        moved[one] = min(moved[one], top)
        top = moved[one] - least
    return moved.tolist()


def strategies(scores, floor=None, title=None):
    """Show what several trainings reached, every seed a dot.

    Args:
        scores: {name: list of float}, one number for each seed; a strategy without seeds has one number.
        floor: str, the name whose mean is drawn through all rows as a dashed line, or None.
        title: str, what the numbers are.
    """
    show(figure_strategies(scores, floor, title), alt_strategies(scores, floor, title))


@styled
def figure_strategies(scores, floor=None, title=None):
    """Draw a row a strategy: a dot for each seed, a line from the lowest to the highest, an upright stroke at the mean.

    Args:
        scores, floor, title: as in `strategies`.

    Returns:
        matplotlib Figure.

    Raises:
        ValueError: there is no strategy, one has no number, or `floor` is none of them.
    """
    scores = _scores(scores, floor)
    measure = ruler()
    names = [wrap(name, 26, lines=3) for name in scores]
    lines = wrap(title, 76) if title else []
    row = max(0.5, 0.16 + 0.2 * max(map(len, names)))
    above, below = 0.18 + 0.24 * len(lines), 0.72
    height = above + row * len(names) + below
    figure = new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    left = 0.3 + max(measure(line, 10) for name in names for line in name)
    right = 0.75
    axes = figure.add_axes((left / WIDTH, below / height, (WIDTH - left - right) / WIDTH, row * len(names) / height))
    every = [value for values in scores.values() for value in values]
    room = max(0.1 * (max(every) - min(every)), 0.5)
    axes.set_xlim(min(every) - room, max(every) + room)
    axes.set_ylim(len(names) - 0.5, -0.5)
    if floor is not None:
        axes.axvline(np.mean(scores[floor]), color=GREY, linestyle="--", linewidth=1, gid="floor")
    for place, values in enumerate(scores.values()):
        mean = float(np.mean(values))
        axes.plot([min(values), max(values)], [place, place], color=BAR_COLOUR, linewidth=5, solid_capstyle="round", gid="spread")
        axes.plot(values, [place] * len(values), "o", color=COLOURS["blue"], markersize=6, gid="seeds")
        axes.plot([mean, mean], [place - 0.22, place + 0.22], color="black", linewidth=2, gid="mean")
        axes.text(1.02, place, f"{mean:.1f}", transform=axes.get_yaxis_transform(), va="center_baseline", gid="score")
    axes.set_yticks(range(len(names)), ["\n".join(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8.5, labelcolor=GREY)
    axes.set_xticks(_round_numbers(*axes.get_xlim()))
    axes.set_xlabel(say("dot: one seed · stroke and number: mean", "점: 시드 하나 · 세로줄과 숫자: 평균"), size=8.5, color=GREY)
    return figure


def alt_strategies(scores, floor=None, title=None):
    """What `figure_strategies` shows, in sentences.

    Args:
        scores, floor, title: as there.

    Returns:
        str.
    """
    scores = _scores(scores, floor)
    sentences = title_sentence(title)
    sentences.append(say("A row for each strategy, a dot for each seed.", "전략마다 한 줄, 시드마다 점 하나입니다."))
    for name, values in scores.items():
        if len(values) == 1:
            sentences.append(say(f"{name}: {values[0]:.1f}.", f"{name}: {values[0]:.1f}."))
            continue
        mean, low, high = np.mean(values), min(values), max(values)
        sentences.append(say(
            f"{name}: mean {mean:.1f}, {len(values)} seeds from {low:.1f} to {high:.1f}.",
            f"{name}: 평균 {mean:.1f}, 시드 {len(values)}개가 {low:.1f}부터 {high:.1f}까지입니다.",
        ))
    if floor is not None:
        sentences.append(say(f"A dashed line marks “{floor}”.", f"점선은 “{floor}”의 값입니다."))
    return " ".join(sentences)


def _scores(scores, floor):
    try:
        scores = {str(name): [float(value) for value in values] for name, values in scores.items()}
    except (AttributeError, TypeError, ValueError):
        scores = {}
    if not scores or not all(values and np.isfinite(values).all() for values in scores.values()):
        raise ValueError(say(
            "Each strategy needs a list with a number for each seed, like {'regression': [71.2, 70.8, 71.9]}.",
            "전략마다 시드별 숫자가 든 리스트가 있어야 합니다. 예: {'회귀': [71.2, 70.8, 71.9]}",
        ))
    if floor is not None and floor not in scores:
        raise ValueError(say(
            f"floor={floor!r} is none of the strategies: choose one of {', '.join(scores)}.",
            f"floor={floor!r}: 그런 전략은 없습니다. {', '.join(scores)} 가운데 고르세요.",
        ))
    return scores
