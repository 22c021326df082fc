"""The promises of data/README.md: the pairs keep them, and each of them can be broken.

Everything is measured by `tools/check_pairs.py`. The whole of data/ is measured once; what has to fail is shown on a small copy.
"""

import pandas as pd
import pytest

from tools import check_pairs

BLOCKS, STS_ROWS = 2, 6  # of each theme, in the small copy
HYPOTHESIS_ONLY = check_pairs.hypothesis_only


@pytest.fixture(scope="module")
def figures():
    return check_pairs.measure()


def test_the_pairs_keep_every_promise(figures):
    assert check_pairs.broken(figures) == []


def test_the_card_is_current(figures, monkeypatch, capsys):
    monkeypatch.setattr(check_pairs, "measure", lambda: figures)  # measured above
    assert (check_pairs.main(["--check"]), capsys.readouterr().err) == (0, "")


def test_every_label_stands_once_under_every_premise(figures):
    for nli in figures["nli"].values():
        assert (nli.groupby("premise").label.apply(sorted).map(tuple) == tuple(sorted(check_pairs.LABELS))).all()


def test_agreement_is_also_measured_where_the_id_gives_no_hint():
    """Numbered from the closest pair to the farthest in theme a, at random in theme b."""
    sts = pd.DataFrame({
        "id": ["sts-a-01", "sts-a-02", "sts-a-03", "sts-b-01", "sts-b-02", "sts-b-03", "sts-b-04"],
        "theme": list("aaabbbb"),
        "rating1": [5.0, 3.0, 1.0, 2.0, 4.0, 1.0, 3.0],
        "rating2": [5.0, 3.0, 1.0, 2.0, 4.0, 1.5, 3.0],
    })
    left = check_pairs.unhinted(sts)
    assert set(left.theme) == {"b"}
    assert check_pairs.agreement(left) == pytest.approx((1.0, 0.125))


def load(folder, kind, language):
    lines = (folder / f"{kind}.{language}.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def save(folder, kind, language, rows):
    (folder / f"{kind}.{language}.tsv").write_text("".join("\t".join(row) + "\n" for row in rows), encoding="utf-8")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small copy of data/ with its card, in place of data/."""
    for kind, most in (("nli", BLOCKS * 9), ("sts", STS_ROWS)):
        for language in check_pairs.LANGUAGES:
            header, *rows = load(check_pairs.DATA, kind, language)
            taken = {}
            for row in rows:
                taken.setdefault(row[2], []).append(row)
            if kind == "sts":  # some of each score: many themes go from the closest pair to the farthest
                taken = {theme: some[::len(some) // most] for theme, some in taken.items()}
            save(tmp_path, kind, language, [header, *(row for some in taken.values() for row in some[:most])])
            monkeypatch.setitem(check_pairs.PROMISES, f"{kind}_rows", most * len(taken))
    monkeypatch.setattr(check_pairs, "DATA", tmp_path)
    monkeypatch.setattr(check_pairs, "hypothesis_only", lambda *_: 1 / 3)  # most of the time goes there; `judged` brings it back
    (tmp_path / "README.md").write_text(f"# Card\n{check_pairs.BEGIN}\n{check_pairs.END}\nEnd\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def judged(folder, monkeypatch):
    """The small copy, with its labels guessed from the hypothesis alone."""
    monkeypatch.setattr(check_pairs, "hypothesis_only", HYPOTHESIS_ONLY)
    return folder


def change(folder, kind, edit, languages=tuple(check_pairs.LANGUAGES)):
    """Let `edit` change the rows (lists of str, without the header) in these languages."""
    for language in languages:
        header, *rows = load(folder, kind, language)
        edit(rows)
        save(folder, kind, language, [header, *rows])


def complaints():
    return "\n".join(check_pairs.broken(check_pairs.measure()))


def test_the_small_copy_keeps_every_promise(judged):
    """So that a complaint below comes from the change that was made."""
    assert complaints() == ""


def relabel(rows):
    for row in rows[:20]:
        row[5] = "entailment"


def repeat_the_pair(rows):
    rows[4][3:5] = rows[1][3:5]


def repeat_the_pair_the_other_way_round(rows):
    rows[4][3:5] = rows[1][4:2:-1]


def leak(rows):
    """A sentence of train, one letter off, in another split."""
    source = next(row for row in rows if row[1] == "train")
    target = next(row for row in rows if row[1] == "test")
    target[4] = "X" + source[4][1:]


def rate_apart(rows):
    rows[0][5:] = ["1", "2.5", "1.75"]


def rate_out_of_scale(rows):
    rows[0][5:] = ["5", "5.5", "5.25"]


def rate_between_the_steps(rows):
    rows[0][5:] = ["3", "3.25", "3.125"]


def score_wrongly(rows):
    rows[0][5:] = ["1", "2", "1"]


def give_away(rows):
    for row in rows:
        if row[5] == "contradiction":
            row[4] = f"zzz {row[4]}"


def give_away_with_one_letter(rows):
    for row in rows:
        if row[5] == "neutral":
            row[4] = f"{row[4]} 안"


def move_one_row_to_another_split(rows):
    rows[0][1] = "test" if rows[0][1] != "test" else "train"


def empty_a_cell(rows):
    rows[3][3] = ""


def add_a_space(rows):
    rows[3][4] += " "


def repeat_an_id(rows):
    rows[1][0] = rows[0][0]


def lose_a_row(rows):
    del rows[-1]


def lose_a_theme(rows):
    rows[:] = [row for row in rows if row[2] != rows[0][2]]


def lose_a_split(rows):
    for row in rows:
        row[1] = "train" if row[1] == "dev" else row[1]


def invent_a_label(rows):
    rows[0][5] = "maybe"


def rate_all_alike(rows):
    for row in rows:
        row[5:] = ["3", "3", "3"]


@pytest.mark.parametrize(("kind", "edit", "complaint"), [
    ("sts", rate_all_alike, "hardly a score is 0–1 (0.00 of the pairs)"),
    ("nli", relabel, "not balanced"),
    ("nli", repeat_the_pair, "a pair stands twice"),
    ("sts", repeat_the_pair, "a pair stands twice"),
    ("sts", repeat_the_pair_the_other_way_round, "a pair stands twice"),
    ("nli", leak, "near-duplicates in two splits"),
    ("sts", leak, "near-duplicates in two splits"),
    ("sts", rate_apart, "further than 1.0 apart"),
    ("sts", rate_out_of_scale, "not one of 0, 0.5"),
    ("sts", rate_between_the_steps, "not one of 0, 0.5"),
    ("sts", score_wrongly, "not the mean"),
    ("sts", move_one_row_to_another_split, "more than one split"),
    ("nli", empty_a_cell, "an empty cell"),
    ("sts", add_a_space, "a space too many"),
    ("nli", repeat_an_id, "an id stands twice"),
    ("nli", lose_a_row, "rows, at least"),
    ("sts", lose_a_theme, "themes, at least"),
    ("sts", lose_a_split, "the splits are"),
    ("nli", invent_a_label, "the labels are ['contradiction', 'entailment', 'maybe', 'neutral']"),
])
def test_a_broken_promise_is_found(folder, kind, edit, complaint):
    change(folder, kind, edit)
    assert complaint in complaints()


@pytest.mark.parametrize(("edit", "language"), [(give_away, "en"), (give_away_with_one_letter, "ko")])
def test_a_hypothesis_that_gives_the_label_away_is_found(judged, edit, language):
    change(judged, "nli", edit, languages=(language,))
    assert f"nli.{language}.tsv: the hypothesis alone gives the label away" in complaints()


@pytest.mark.parametrize("edit", [move_one_row_to_another_split, relabel, list.reverse])
def test_languages_that_are_not_parallel_are_found(folder, edit):
    change(folder, "nli", edit, languages=("ko",))
    assert "nli: the English and the Korean rows are not parallel" in complaints()


def test_a_sentence_leaks_from_one_kind_of_pair_into_the_other(folder):
    sentence = next(row[3] for row in load(folder, "nli", "en")[1:] if row[1] == "test")

    def take_it(rows):
        next(row for row in rows if row[1] == "train")[3] = sentence

    change(folder, "sts", take_it, languages=("en",))
    assert f"(1.00): {sentence} | {sentence}" in complaints()


def test_a_sentence_in_the_other_language_is_found(folder):
    def translate(rows):
        rows[2][4] = "한국어 문장입니다."

    change(folder, "sts", translate, languages=("en",))
    assert "sts.en.tsv: a sentence in the other language" in complaints()


def test_the_word_none_is_a_sentence_and_a_quotation_mark_is_text(folder):
    def write(rows):
        rows[0][3], rows[1][4] = "None", 'He said "no.'

    change(folder, "sts", write, languages=("en",))
    sts = check_pairs.read("sts", "en")
    assert (sts.sentence1[0], sts.sentence2[1]) == ("None", 'He said "no.')


def test_other_columns_are_named_in_one_line(folder, capsys):
    header, *rows = load(folder, "nli", "ko")
    save(folder, "nli", "ko", [[*header[:5], "gold"], *rows])
    assert check_pairs.main(["--check"]) == 1
    assert capsys.readouterr().err.startswith("nli.ko.tsv: the columns are ['id', 'split', 'theme', 'premise', 'hypothesis', 'gold']")


def test_the_command_writes_the_figures_and_then_finds_the_card_current(folder, capsys):
    assert check_pairs.main(["--check"]) == 1
    assert "out of date" in capsys.readouterr().err
    assert check_pairs.main([]) == 0
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Card\n") and text.endswith("\nEnd\n") and "| figure | value |" in text
    assert check_pairs.main(["--check"]) == 0


@pytest.mark.parametrize("text", ["# Card\n", f"{check_pairs.END} {check_pairs.BEGIN}", f"{check_pairs.BEGIN} {check_pairs.BEGIN} {check_pairs.END}"])
def test_a_card_without_its_markers_is_not_current(folder, text, capsys):
    (folder / "README.md").write_text(text, encoding="utf-8")
    assert check_pairs.main(["--check"]) == 1
    assert check_pairs.BEGIN in capsys.readouterr().err
