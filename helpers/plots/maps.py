"""Sentences as points: the two directions in which their vectors differ most."""

import numpy as np

from helpers.language import say
from helpers.plots.style import COLOURS, GREY, WIDTH, new_figure, show, styled
from helpers.plots.text import ruler, shorten, title_sentence, wrap

MARKERS = "osD^vPX*"  # a group is told by its shape as well as by its colour


def sentence_space(vectors, groups, names=None, title=None):
    """Show sentence vectors as points of a plane: those with like vectors lie close to each other.

    Args:
        vectors: float (sentences, hidden), such as `SentenceEncoder.encode(...)` returned.
        groups: list of str, one a sentence, such as its theme; at most eight different ones.
        names: list of str or None, one a sentence: what is written at its point, None for nothing. Left out where there is no room.
        title: str.
    """
    show(figure_sentence_space(vectors, groups, names, title), alt_sentence_space(vectors, groups, names, title))


def principal_components(vectors, count=2):
    """Principal component analysis (Pearson 1901): the directions in which the vectors differ most, and where each one lies there.

    Args:
        vectors: float (n, hidden).
        count: int, how many directions.

    Returns:
        float (n, count) coordinates around the mean, and float (count,), the share of all variance that each direction holds.

    Raises:
        ValueError: a vector holds NaN or infinity.
    """
    centred = np.asarray(vectors, dtype=float)
    broken = np.flatnonzero(~np.isfinite(centred).all(axis=-1))
    if len(broken):
        raise ValueError(say(
            f"Vector {broken[0]} holds a number that is not finite (NaN or infinity): leave it out, or encode its sentence again.",
            f"{broken[0]}번 벡터에 유한하지 않은 수(NaN이나 무한대)가 있습니다. 빼거나 그 문장을 다시 인코딩하세요.",
        ))
    centred = centred - centred.mean(axis=0)
    _, lengths, directions = np.linalg.svd(centred, full_matrices=False)
    directions = directions[:count]
    # A direction may point either way: its largest part is made positive, so that every computer draws the same map.
    largest = np.abs(directions).argmax(axis=1)
    directions = directions * np.sign(directions[np.arange(len(directions)), largest])[:, None]
    variance = lengths**2
    return centred @ directions.T, variance[:count] / max(variance.sum(), np.finfo(float).tiny)


@styled
def figure_sentence_space(vectors, groups, names=None, title=None):
    """Draw the first two principal components of sentence vectors.

    Args:
        vectors, groups, names, title: as in `sentence_space`.

    Returns:
        matplotlib Figure; the points of a group carry its name as `label`, the texts at points the `gid` "name".

    Raises:
        TypeError, ValueError: fewer than three vectors, one that is not finite, not as many groups or names as vectors, a name
            that is no text, or more than eight groups.
    """
    places, shares, groups, names = _sentence_space(vectors, groups, names)
    lines = wrap(title, 76) if title else []
    above, square = 0.1 + 0.24 * len(lines), 4.4
    kinds = list(dict.fromkeys(groups))
    legend = 0.28 * -(-len(kinds) // 3) + 0.1
    height = above + legend + square + 0.5
    figure = new_figure(height)
    if lines:
        figure.text(0.02, 1 - 0.08 / height, "\n".join(lines), size=11, va="top", gid="title")
    axes = figure.add_axes((0.4 / WIDTH, 0.45 / height, (WIDTH - 0.5) / WIDTH, square / height))
    colours = [colour for name, colour in COLOURS.items() if name != "yellow"]  # too light for a small mark on white
    colours = colours[1:] + colours[:1]
    for number, kind in enumerate(kinds):
        here = places[[group == kind for group in groups]]
        axes.scatter(*here.T, s=34, marker=MARKERS[number], color=colours[number % len(colours)], edgecolor="white",
                     linewidth=0.5, label=shorten(kind, 28), gid="points")
    axes.margins(0.12)
    axes.set_xticks([])
    axes.set_yticks([])
    first, second = (f"{100 * share:.0f}" for share in shares)
    axes.set_xlabel(say(f"first component ({first} % of the variance)", f"첫째 주성분(분산의 {first} %)"), size=9, color=GREY)
    axes.set_ylabel(say(f"second component ({second} % of the variance)", f"둘째 주성분(분산의 {second} %)"), size=9, color=GREY)
    figure.legend(*axes.get_legend_handles_labels(), loc="upper left", bbox_to_anchor=(0.3 / WIDTH, 1 - above / height),
                  bbox_transform=figure.transFigure, ncols=3, frameon=False, borderaxespad=0.1, borderpad=0.1, fontsize=9)
    _write_names(axes, places, names)
    return figure


def _write_names(axes, places, names):
    """Each name beside its point: right, left, above or below, where it covers no other name, no point and no edge."""
    figure, measure = axes.figure, ruler()
    inch = figure.dpi_scale_trans.inverted()
    axes.autoscale_view()
    points = inch.transform(axes.transData.transform(places))
    left, bottom, right, top = inch.transform_bbox(axes.bbox).extents
    taken = []
    for (x, y), name in zip(points, names):
        if not name:
            continue
        name = shorten(" ".join(name.split()), 30)
        width, high, gap = measure(name, 8.5), 0.15, 0.08
        for x0, y0 in ((x + gap, y - high / 2), (x - gap - width, y - high / 2), (x - width / 2, y + gap), (x - width / 2, y - gap - high)):
            box = (x0, y0, x0 + width, y0 + high)
            inside = left <= box[0] and box[2] <= right and bottom <= box[1] and box[3] <= top
            free = all(box[2] <= o[0] or o[2] <= box[0] or box[3] <= o[1] or o[3] <= box[1] for o in taken)
            clear = not ((box[0] < points[:, 0] + 0.04) & (points[:, 0] - 0.04 < box[2])
                         & (box[1] < points[:, 1] + 0.04) & (points[:, 1] - 0.04 < box[3])).any()
            if inside and free and clear:
                taken.append(box)
                place = axes.transData.inverted().transform(figure.dpi_scale_trans.transform((x0, y0 + high / 2)))
                axes.text(*place, name, size=8.5, va="center_baseline", gid="name")
                break


def alt_sentence_space(vectors, groups, names=None, title=None):
    """What `figure_sentence_space` shows, in sentences: where the middle of each group lies.

    Args:
        vectors, groups, names, title: as there.

    Returns:
        str.
    """
    places, shares, groups, _ = _sentence_space(vectors, groups, names)
    kinds = list(dict.fromkeys(groups))
    first, second = (f"{100 * share:.0f}" for share in shares)
    sentences = [*title_sentence(title), say(
        f"A map of {len(places)} sentences in {len(kinds)} groups; from left to right {first} % and from bottom to top {second} % of the variance.",
        f"문장 {len(places)}개를 {len(kinds)}개 모둠으로 나눈 지도입니다. 가로는 분산의 {first} %, 세로는 {second} %입니다.",
    )]
    half = np.abs(places).max(axis=0) + np.finfo(float).tiny
    across = (say("left", "왼쪽"), say("in the middle", "가운데"), say("right", "오른쪽"))
    upwards = (say("low", "아래"), say("halfway up", "중간 높이"), say("high", "위"))
    for kind in kinds:
        here = places[[group == kind for group in groups]]
        x, y = (0 if part < -0.15 else 2 if part > 0.15 else 1 for part in here.mean(axis=0) / half)
        sentences.append(say(
            f"The middle of the {len(here)} of “{kind}” is {across[x]}, {upwards[y]}.",
            f"“{kind}” {len(here)}개의 중심은 {across[x]}, {upwards[y]}에 있습니다.",
        ))
    return " ".join(sentences)


def _sentence_space(vectors, groups, names):
    """(n, 2) places, two shares, groups and names as lists."""
    vectors = np.asarray(vectors)
    if vectors.ndim != 2 or len(vectors) < 3 or vectors.shape[1] < 2 or not np.issubdtype(vectors.dtype, np.number):
        raise ValueError(say(
            "A map needs the vectors of at least three sentences: pass what encoder.encode(texts) returned.",
            "지도를 그리려면 문장 벡터가 셋 이상 있어야 합니다. encoder.encode(texts)의 결과를 넣으세요.",
        ))
    names = [None] * len(vectors) if names is None else names
    for what, column in (("groups", groups), ("names", names)):
        if isinstance(column, str) or len(column) != len(vectors):
            raise ValueError(say(
                f"{len(vectors)} sentences need {len(vectors)} {what} in a list, these are {len(column)}.",
                f"문장이 {len(vectors)}개이면 {what}도 {len(vectors)}개여야 합니다. 지금은 {len(column)}개입니다.",
            ))
    for row, name in enumerate(names):
        if name is not None and not isinstance(name, str):
            raise TypeError(say(
                f"Name {row} is {name!r}, not a text: write None where nothing should stand at the point.",
                f"{row}번 이름이 글이 아니라 {name!r}입니다. 점에 아무것도 쓰지 않으려면 None을 넣으세요.",
            ))
    groups = [str(group) for group in groups]
    kinds = len(set(groups))
    if kinds > len(MARKERS):
        raise ValueError(say(
            f"{kinds} groups cannot be told apart in one map: choose {len(MARKERS)} at most.",
            f"모둠 {kinds}개는 지도 하나에서 구별할 수 없습니다. {len(MARKERS)}개까지 고르세요.",
        ))
    return *principal_components(vectors), groups, list(names)
