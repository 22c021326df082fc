"""The map of sentence vectors: principal components worked out by hand, groups told by shape and colour, words for all of it."""

import io
import warnings

import numpy as np
import pytest
from matplotlib.text import Text
from numpy.testing import assert_allclose

from helpers import plots

# Three apart on one line, one apart on the other: the directions (3, 4)/5 and (-4, 3)/5 of a plane in three dimensions.
ALONG, ACROSS = np.array([0.6, 0.8, 0]), np.array([-0.8, 0.6, 0])
VECTORS = np.array([5 + a * ALONG + b * ACROSS for a, b in ((3, 0), (-3, 0), (0, 1), (0, -1))])
GROUPS = ["food", "sport", "food", "sport"]


@pytest.fixture(autouse=True)
def english(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "en")


@pytest.fixture(params=["en", "ko"])
def language(request, monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", request.param)
    return request.param


def many(groups=("cooking and food", "sport", "요리와 음식", "날씨"), each=9):
    random = np.random.default_rng(4)
    centres = random.normal(size=(len(groups), 12)) * 2
    vectors = np.concatenate([centre + random.normal(size=(each, 12)) for centre in centres])
    kinds = [group for group in groups for _ in range(each)]
    names = [f"{'축구 경기' if number % 2 else 'a soccer game'} {number}" for number in range(len(vectors))]
    return vectors, kinds, names, "Sentences 문장"


def named(figure, gid):
    return [artist for artist in figure.findobj() if artist.get_gid() == gid]


def test_principal_components_by_hand():
    places, shares = plots.principal_components(VECTORS)
    assert_allclose(places, [[3, 0], [-3, 0], [0, -1], [0, 1]], atol=1e-9)  # the largest part of each direction is positive
    assert_allclose(shares, [18 / 20, 2 / 20])


def test_a_direction_does_not_depend_on_the_order_of_the_sentences():
    vectors, *_ = many()
    places, _ = plots.principal_components(vectors)
    assert_allclose(plots.principal_components(vectors[::-1])[0], places[::-1], atol=1e-9)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_a_vector_that_is_not_finite_is_refused_by_its_place(broken, language):
    vectors = VECTORS.copy()
    vectors[2, 1] = broken
    for draw in (plots.figure_sentence_space, plots.alt_sentence_space):
        with pytest.raises(ValueError, match={"en": "^Vector 2 holds a number that is not finite", "ko": "^2번 벡터에"}[language]):
            draw(vectors, GROUPS)


def test_a_name_that_is_no_text_is_refused_by_its_place(language):
    with pytest.raises(TypeError, match={"en": "^Name 1 is nan, not a text: write None", "ko": "^1번 이름이 글이 아니라 nan"}[language]):
        plots.figure_sentence_space(VECTORS, GROUPS, ["a", float("nan"), None, "b"])


def test_vectors_that_are_all_the_same_have_a_map_too():
    places, shares = plots.principal_components(np.ones((4, 3)))
    assert not places.any() and not shares.any()
    plots.png(plots.figure_sentence_space(np.ones((4, 3)), GROUPS))


def test_each_group_has_its_points_its_shape_and_its_colour():
    figure = plots.figure_sentence_space(VECTORS, GROUPS)
    food, sport = named(figure, "points")
    assert (food.get_label(), sport.get_label()) == ("food", "sport")
    assert_allclose(food.get_offsets(), [[3, 0], [0, -1]], atol=1e-9)
    assert not np.array_equal(food.get_facecolor(), sport.get_facecolor())
    assert food.get_paths()[0].vertices.shape != sport.get_paths()[0].vertices.shape
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["food", "sport"]


def test_names_cover_no_name_no_point_and_no_edge(language):
    figure = plots.figure_sentence_space(*many())
    figure.draw_without_rendering()
    (axes,) = figure.axes
    boxes = [text.get_window_extent() for text in named(figure, "name")]
    assert len(boxes) >= 8
    points = np.concatenate([axes.transData.transform(group.get_offsets()) for group in named(figure, "points")])
    for number, box in enumerate(boxes):
        assert axes.bbox.x0 - 1 <= box.x0 and box.x1 <= axes.bbox.x1 + 1
        assert not any(box.x0 < x < box.x1 and box.y0 < y < box.y1 for x, y in points)
        for other in boxes[:number]:
            assert min(box.x1, other.x1) - max(box.x0, other.x0) <= 1 or min(box.y1, other.y1) - max(box.y0, other.y0) <= 1


def test_it_fits_the_page_and_hangul_is_drawn(language):
    figure = plots.figure_sentence_space(*many())
    assert figure.get_size_inches()[0] == 7
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.savefig(io.BytesIO(), format="png")
    for text in figure.findobj(Text):
        if text.get_visible() and text.get_text().strip():
            box = text.get_window_extent()
            assert box.x0 >= -1 and box.y0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1, text.get_text()
            assert text.get_fontsize() >= 8
    assert plots.png(figure) == plots.png(plots.figure_sentence_space(*many()))


def test_the_words_say_what_the_picture_shows():
    assert plots.alt_sentence_space(VECTORS, GROUPS, title="Two themes") == (
        "Title: Two themes. A map of 4 sentences in 2 groups; from left to right 90 % and from bottom to top 10 % of the variance. "
        "The middle of the 2 of “food” is right, low. The middle of the 2 of “sport” is left, high."
    )


def test_the_words_are_korean_for_a_korean_reader(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert "“food” 2개의 중심은 오른쪽, 아래에 있습니다." in plots.alt_sentence_space(VECTORS, GROUPS)


def test_showing_it_carries_the_words(monkeypatch):
    caught = []
    monkeypatch.setattr("IPython.display.display", lambda data, *, raw, metadata: caught.append((data, metadata)))
    plots.sentence_space(VECTORS, GROUPS, title="Two themes")
    ((data, metadata),) = caught
    assert metadata["image/png"]["alt"] == plots.alt_sentence_space(VECTORS, GROUPS, title="Two themes")
    assert metadata["image/png"]["alt"] in data["text/plain"]


@pytest.mark.parametrize(("vectors", "groups", "names", "message"), [
    (VECTORS[:2], GROUPS[:2], None, "at least three sentences"),
    (["a", "b", "c"], GROUPS[:3], None, "at least three sentences"),
    (VECTORS, GROUPS[:3], None, "4 sentences need 4 groups in a list, these are 3"),
    (VECTORS, "food", None, "4 groups"),
    (VECTORS, GROUPS, ["x"], "4 sentences need 4 names"),
    (np.eye(9), list("abcdefghi"), None, "9 groups cannot be told apart"),
])
def test_what_cannot_be_drawn_is_refused(vectors, groups, names, message):
    with pytest.raises(ValueError, match=message):
        plots.figure_sentence_space(vectors, groups, names)
