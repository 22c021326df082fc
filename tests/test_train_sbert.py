"""The promises of `tools/train_sbert.py`: takes the data that is there, says which, resumes, never chooses on the test set.

And of the distillation behind it: rows that belong together, a teacher and a student that were chosen on dev.
"""

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from helpers import datasets, environment
from tests import tiny

environment.prepare()

from helpers import checkpoints, distillation, training
from tools import train_sbert

WORDS = ["soccer", "pizza", "work", "home", "sky", "sport", "game", "morning"]


def own_pairs(folder):
    """The course's pairs as they lie in data/, with the tiny tokenizer's words."""
    folder.mkdir()
    nli = ["id\tsplit\ttheme\tpremise\thypothesis\tlabel"]
    sts = ["id\tsplit\ttheme\tsentence1\tsentence2\trating1\trating2\tscore"]
    for number, word in enumerate(WORDS * 2):
        split = ("train", "train", "dev", "test")[number % 4]
        nli.append(f"n{number}\t{split}\tt\tthe {word} is fun {number}\tthe {word}\t{datasets.LABELS[number % 3]}")
        sts.append(f"s{number}\t{split}\tt\tthe {word}\tfun {WORDS[number % 3]}\t{number % 6}\t{number % 6}\t{number % 6}")
    for language in ("en", "ko"):
        (folder / f"nli.{language}.tsv").write_text("\n".join(nli) + "\n", encoding="utf-8")
        (folder / f"sts.{language}.tsv").write_text("\n".join(sts) + "\n", encoding="utf-8")


def use_small_data(folder, monkeypatch):
    """The course's pairs are a few, and no public set is here but what a test puts into `folder / "public"`."""
    own_pairs(folder / "data")
    monkeypatch.setattr(datasets, "data_folder", lambda: folder / "data")
    monkeypatch.setenv("COURSE_CACHE", str(folder / "cache"))
    monkeypatch.setenv("COURSE_DATA", str(folder / "public"))
    (folder / "public").mkdir()


@pytest.fixture(autouse=True)
def small_data(tmp_path, monkeypatch):
    use_small_data(tmp_path, monkeypatch)


def snli_dev(tmp_path, premises=20):
    rows = [f"the game {number}\tfun {label}\t{label}" for number in range(premises) for label in datasets.LABELS]
    path = tmp_path / "public" / "english" / "nli" / "snli_dev.tsv"
    path.parent.mkdir(parents=True)
    path.write_text("premise\thypothesis\tlabel\n" + "\n".join(rows) + "\n", encoding="utf-8")


def arguments(tmp_path, *more):
    """The command with one seed, one epoch, short sentences."""
    return ["--language", "en", "--checkpoint", str(tiny.folder()), "--seeds", "1", "--nli-epochs", "1", "--sts-epochs", "1",
            "--max-length", "32", "--batch-size", "4", "--build", str(tmp_path / "build"), "--output", str(tmp_path / "out"), *more]


def test_snli_dev_is_split_by_premise_and_said_to_stand_in(tmp_path):
    snli_dev(tmp_path)
    data = train_sbert.load("en")
    assert len(data.nli_dev) == 6 and len(data.nli_train) == 54 + 8  # 2 of 20 premises held out; the course's own train pairs join
    assert not set(data.nli_dev["premise"]) & set(data.nli_train["premise"])
    assert "its train part is not on this computer" in data.used["NLI training"]
    assert "snli dev, held-out tenth" in data.nli_report and "snli dev" not in data.nli_report


def test_without_public_data_the_courses_own_is_used_and_said_so():
    data = train_sbert.load("ko")
    assert "kornli's train part is not on this computer" in data.used["NLI training"] and "korsts is not on this computer" in data.used["STS"]
    assert len(data.sts_train) == 8 and len(data.sts_test) == 4


@pytest.fixture(scope="module")
def whole_recipe(tmp_path_factory):
    """Where the whole recipe was run once, and from where its stages took their encoders."""
    folder, starts, real = tmp_path_factory.mktemp("whole"), [], train_sbert._encoder
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_small_data(folder, monkeypatch)
        snli_dev(folder)
        monkeypatch.setattr(train_sbert, "_encoder", lambda start, length: starts.append(Path(start)) or real(start, length))
        assert train_sbert.main(arguments(folder)) == 0
    return folder, starts


@pytest.fixture
def after_the_whole_recipe(whole_recipe, tmp_path):
    """A folder of one's own in the state that the whole recipe leaves."""
    snli_dev(tmp_path)
    for made in ("build", "out"):
        shutil.copytree(whole_recipe[0] / made, tmp_path / made)
    return tmp_path


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def no_training(monkeypatch):
    monkeypatch.setattr(training, "train", lambda *_, **__: pytest.fail("trained again"))


def test_the_whole_recipe_writes_its_table_and_is_not_done_twice(after_the_whole_recipe, monkeypatch):
    results = read(after_the_whole_recipe / "out" / "en.json")
    assert [row["strategy"] for row in results["rows"]] == ["untrained mean pooling", *train_sbert.STRATEGIES]
    assert all("test" in row for row in results["rows"]) and "accuracy" in results["rows"][1]
    table = (after_the_whole_recipe / "out" / "en.md").read_text(encoding="utf-8")
    for row in results["rows"]:
        assert f"| {row['strategy']} |" in table and f"{row['test']:.1f}" in table
    assert "its train part is not on this computer" in table and environment.computer() in table
    no_training(monkeypatch)
    assert train_sbert.main(arguments(after_the_whole_recipe)) == 0
    assert read(after_the_whole_recipe / "out" / "en.json")["rows"] == results["rows"]


def test_the_second_objective_starts_from_what_the_first_one_learnt(whole_recipe):
    folder, starts = whole_recipe
    assert starts == [tiny.folder()] * 3 + [folder / "build" / "en" / "classification-seed1" / "encoder"]


def test_while_training_nothing_is_measured_on_the_test_set(tmp_path, monkeypatch):
    test = datasets.sts("en", "test")["sentence1"].tolist()
    measured, training_now, train, spearman = [], [], training.train, train_sbert.sbert.spearman

    def watched_train(*arguments, **settings):
        training_now.append(True)
        try:
            return train(*arguments, **settings)
        finally:
            training_now.pop()

    def watched_spearman(encoder, sentences1, *more):
        measured.append((bool(training_now), sentences1))
        return spearman(encoder, sentences1, *more)

    monkeypatch.setattr(training, "train", watched_train)
    monkeypatch.setattr(train_sbert.sbert, "spearman", watched_spearman)
    assert train_sbert.main(arguments(tmp_path, "--strategies", "regression", "--sts-epochs", "2")) == 0
    during = [sentences for inside, sentences in measured if inside]
    assert len(during) == 2 and test not in during
    assert [sentences for inside, sentences in measured if not inside].count(test) == 2  # untrained, and after the stage


def test_a_build_folder_of_another_run_is_refused(after_the_whole_recipe):
    with pytest.raises(SystemExit, match="holds another run"):
        train_sbert.main(arguments(after_the_whole_recipe, "--learning-rate", "1e-3"))


def test_a_test_part_that_comes_later_is_measured_on_without_training_anew(tmp_path, monkeypatch):
    folder, rows = tmp_path / "public" / "english" / "sts", datasets.sts("en", "train")
    folder.mkdir(parents=True)
    text = "".join(f"g\tf\ty\t{number}\t{row.score}\t{row.sentence1}\t{row.sentence2}\n" for number, row in enumerate(rows.itertuples()))
    for split in ("train", "dev"):
        (folder / f"sts-{split}.csv").write_text(text, encoding="utf-8")

    def results():
        assert train_sbert.main(arguments(tmp_path, "--strategies", "regression")) == 0
        return read(tmp_path / "out" / "en.json")

    before = results()
    assert all("test" not in row for row in before["rows"]) and before["used"]["STS test"] == "stsb's test part is not on this computer"
    (folder / "sts-test.csv").write_text(text, encoding="utf-8")
    no_training(monkeypatch)
    after = results()
    assert [row["test"] for row in after["rows"]] == pytest.approx([row["dev"] for row in before["rows"]])  # the same pairs here
    assert after["used"]["STS test"] == f"stsb: {len(rows)}"


def test_means_stand_behind_several_seeds():
    rows = [{"strategy": "regression", "seed": 1, "dev": 70.0, "seconds": 60}, {"strategy": "regression", "seed": 2, "dev": 72.0, "seconds": 120}]
    assert train_sbert.with_means(rows)[-1] == {"strategy": "regression, mean of 2", "seconds": 90, "dev": 71.0}
    assert "test" not in train_sbert.with_means([{**rows[0], "test": 60.0}, rows[1]])[-1]  # one of them was never measured on it


def test_a_further_seed_adds_to_the_table_and_another_run_begins_a_new_one(tmp_path, monkeypatch):
    nothing_learnt = pd.DataFrame({"epoch": [1], "loss": [0.5]})  # what the table is made of is tested here, not what it says
    nothing_learnt.attrs["seconds"] = 1.0
    monkeypatch.setattr(training, "train", lambda *_, folder, **__: folder.mkdir(parents=True) or nothing_learnt)

    def seeds():
        return [(row["strategy"], row.get("seed")) for row in read(tmp_path / "out" / "en.json")["rows"]]

    regression = arguments(tmp_path, "--strategies", "regression")
    assert train_sbert.main([*regression, "--seeds", "2"]) == 0
    shutil.rmtree(tmp_path / "build")  # the table is enough, its encoders need not be there any more
    assert train_sbert.main([*regression, "--seeds", "1"]) == 0
    both_seeds = [("untrained mean pooling", None), ("regression", 1), ("regression", 2), ("regression, mean of 2", None)]
    assert seeds() == both_seeds
    again = [*regression, "--build", str(tmp_path / "again")]
    assert train_sbert.main([*again, "--seeds", "2"]) == 0
    assert seeds() == both_seeds, "a seed that was run again stands there once"
    other = [*regression, "--learning-rate", "1e-3", "--build", str(tmp_path / "other")]
    assert train_sbert.main(other) == 0
    assert seeds() == [("untrained mean pooling", None), ("regression", 1)]


def test_rows_of_another_start_do_not_stay(tmp_path):
    run, row = {"start": {"c": "1f"}, "recipe": {}, "used": {}}, {"strategy": "regression", "seed": 1, "dev": 70.0}
    path = tmp_path / "en.json"
    path.write_text(json.dumps({**run, "rows": [{"dev": 50.0}, row]}), encoding="utf-8")
    assert train_sbert.earlier(path, run) == [row]
    assert train_sbert.earlier(path, {**run, "start": {"c": "2e"}}) == []


@pytest.mark.parametrize("name", ["en", "ko", "distillation"])
def test_a_page_says_from_which_weights_its_figures_come(name):
    results = json.loads((train_sbert.ROOT / "docs" / "sbert" / f"{name}.json").read_text(encoding="utf-8"))
    page = (train_sbert.ROOT / "docs" / "sbert" / f"{name}.md").read_text(encoding="utf-8")
    assert page == train_sbert.page(results), "the models or the page have changed: python -m tools.train_sbert --pages"
    for start, digest in results["start"].items():
        now = checkpoints.weights_digest(checkpoints.models_folder() / start)
        assert (digest != now) == (f"an earlier version of {start}" in page)


def test_split_by_premise_shares_no_premise():
    frame = pd.DataFrame({"premise": ["a", "a", "b", "c", "c", "c"], "hypothesis": list("uvwxyz"), "label": ["neutral"] * 6})
    train, held_out = train_sbert.split_by_premise(frame, share=0.34)
    assert len(train) + len(held_out) == 6 and len(set(held_out["premise"])) == 1
    assert not set(train["premise"]) & set(held_out["premise"])


# --- distillation -------------------------------------------------------------------------------------------------------


def sts_files(tmp_path, english, korean):
    """STS Benchmark and KorSTS training parts: rows of (number, score, sentence, sentence)."""
    for path, rows, header in (
        ("english/sts/sts-{}.csv", english, ""),
        ("korean/korsts/{}.tsv", korean, "genre\tfilename\tyear\tid\tscore\tsentence1\tsentence2\n"),
    ):
        for split in ("train", "dev"):
            file = tmp_path / "public" / path.format(split)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(header + "".join(f"news\tsource\t2012\t{number}\t{score}\t{one}\t{other}\n" for number, score, one, other in rows),
                            encoding="utf-8")


def test_sentences_of_the_two_sts_sets_meet_by_their_source_not_by_their_place(tmp_path):
    sts_files(
        tmp_path,
        [(1, "5.000", "a b", "c d"), (2, "1.000", "e f", "g h"), (3, "2.000", "i j", "k l"), (5, "4.000", "m n", "a b")],
        # another order; 2 is missing, 3 has another score, 4 has no English, 5 says one sentence of 1 again
        [(4, "3.000", "없다", "정말"), (5, "4.0", "회사", "하늘"), (3, "2.500", "나는", "오늘"), (1, "5.000", "바다", "축구")],
    )
    rows, used = train_sbert.load_parallel()
    public = rows["train"].iloc[len(distillation.parallel("train")):]
    assert dict(public.itertuples(index=False)) == {"a b": "바다", "c d": "축구", "m n": "회사"}
    assert "3 (4 pairs without a match left out)" in used["parallel training sentences"]


def test_sentences_that_are_measured_on_are_not_trained_on(tmp_path):
    known = distillation.parallel("test").iloc[0]
    sts_files(tmp_path, [(1, "5.000", known["english"], "c d"), (2, "5.000", "e f", "g h")],
              [(1, "5.000", "바다", "축구"), (2, "5.000", known["korean"], "회사")])
    rows, _ = train_sbert.load_parallel()
    public = rows["train"].iloc[len(distillation.parallel("train")):]
    assert public["english"].tolist() == ["c d", "g h"]


def test_without_the_public_sets_the_courses_own_sentences_are_used_and_said_so():
    rows, used = train_sbert.load_parallel()
    assert len(rows["train"]) == len(distillation.parallel("train"))
    assert "stsb or korsts is not on this computer" in used["parallel training sentences"]


def both(tmp_path):
    return arguments(tmp_path, "--language", "both", "--strategies", "regression", "--distillation-epochs", "2")


@pytest.fixture(scope="module")
def distilled(tmp_path_factory):
    """Where both languages were trained and distilled once."""
    folder = tmp_path_factory.mktemp("distilled")
    with pytest.MonkeyPatch.context() as monkeypatch:
        use_small_data(folder, monkeypatch)
        assert train_sbert.main(both(folder)) == 0
    return folder


@pytest.fixture
def before_distillation(distilled, tmp_path):
    """A folder of one's own where both languages are trained, and distillation has yet to begin."""
    shutil.copytree(distilled / "build", tmp_path / "build", ignore=shutil.ignore_patterns("distillation-*"))
    return tmp_path


def test_distillation_follows_writes_its_page_and_is_not_done_twice(distilled, tmp_path, monkeypatch):
    for made in ("build", "out"):
        shutil.copytree(distilled / made, tmp_path / made)
    results = read(tmp_path / "out" / "distillation.json")
    assert len(results["rows"]) == 3 and len(results["history"]) == 2
    assert results["sentences"] == len(distillation.parallel("test"))
    korean = read(tmp_path / "out" / "ko.json")["rows"]
    assert results["rows"][0]["test"] == korean[1]["test"]  # untouched: as the strategy left it
    page = (tmp_path / "out" / "distillation.md").read_text(encoding="utf-8")
    for row in results["rows"]:
        assert f"| {row['encoder']} | {row['accuracy@1']:.3f} | {row['dev']:.1f} | {row['test']:.1f} |" in page
    assert "of this run the best on its STS dev" in page and "is not on this computer" in page
    (folder,) = (tmp_path / "build").glob("distillation-*")
    assert folder.name == "distillation-regression-seed1-regression-seed1"
    kept = distillation.Distillation.load(folder / "encoder")
    pairs = datasets.sts("ko", "test")
    figure = 100 * train_sbert.sbert.spearman(kept, pairs["sentence1"], pairs["sentence2"], pairs["score"])
    assert figure == pytest.approx(results["rows"][-1]["test"], abs=1e-3)
    no_training(monkeypatch)
    assert train_sbert.main(both(tmp_path)) == 0
    assert read(tmp_path / "out" / "distillation.json") == results


def test_an_interrupted_distillation_goes_on_and_leaves_the_same_numbers(distilled, before_distillation, monkeypatch):
    whole = read(distilled / "out" / "distillation.json")
    train, epochs = training.train, []

    def interrupted(model, *more, evaluate, **settings):
        def once():
            if epochs:
                raise KeyboardInterrupt
            epochs.append(evaluate())
            return epochs[-1]
        return train(model, *more, evaluate=once, **settings)

    monkeypatch.setattr(training, "train", interrupted)
    assert train_sbert.main(both(before_distillation)) == 130
    monkeypatch.setattr(training, "train", train)
    assert train_sbert.main(both(before_distillation)) == 0
    again = read(before_distillation / "out" / "distillation.json")
    assert len(epochs) == 1 and [row["epoch"] for row in again["history"]] == [1, 2]
    for one, other in zip(whole["rows"], again["rows"]):
        assert one == pytest.approx(other, abs=1e-3)


def test_teacher_and_student_are_the_best_on_dev_of_the_first_seed(tmp_path, monkeypatch):
    rows = {
        "en": [{"strategy": "untrained mean pooling", "dev": 90.0},
               {"strategy": "classification", "seed": 1, "dev": 60.0, "test": 99.0}, {"strategy": "regression", "seed": 1, "dev": 70.0, "test": 1.0},
               {"strategy": "classification", "seed": 2, "dev": 80.0}],
        "ko": [{"strategy": "regression", "seed": 1, "dev": 50.0}, {"strategy": "classification then regression", "seed": 1, "dev": 55.0}],
    }
    loaded, build = [], tmp_path / "build"
    for folder in ("en/classification-seed1", "en/regression-seed1", "en/classification-seed2", "ko/regression-seed1", "ko/both-seed1"):
        (build / folder / "encoder").mkdir(parents=True)
    monkeypatch.setattr(train_sbert.SentenceEncoder, "load", lambda folder: loaded.append(folder))
    monkeypatch.setattr(train_sbert, "_distil", lambda *_: pytest.fail("stop here"))

    def distil(*more):
        loaded.clear()
        options = train_sbert.command_line().parse_args([*both(tmp_path), *more])
        with pytest.raises(pytest.fail.Exception, match="stop here"):
            train_sbert.run_distillation({language: {"start": {language: "1f"}, "rows": made} for language, made in rows.items()}, options)
        return loaded

    chosen = [build / "en" / "regression-seed1" / "encoder", build / "ko" / "both-seed1" / "encoder"]
    assert distil() == chosen == distil("--seeds", "2")  # seeds that are added later change nothing
    shutil.rmtree(build / "en" / "classification-seed1"), shutil.rmtree(build / "en" / "regression-seed1")
    assert distil() == [build / "en" / "classification-seed2" / "encoder", chosen[1]]  # of what is here


def test_while_distilling_nothing_is_measured_on_the_test_sentences(before_distillation, monkeypatch):
    measured, training_now, train, accuracy = [], [], training.train, train_sbert.search.accuracy_at_1
    parallel, vectors = distillation.parallel, 5
    monkeypatch.setattr(distillation, "parallel", lambda split: parallel(split).head(vectors if split == "test" else 99))  # the count tells them apart

    def watched_train(*more, **settings):
        training_now.append(True)
        try:
            return train(*more, **settings)
        finally:
            training_now.pop()

    def watched_accuracy(scores, answers):
        measured.append((bool(training_now), len(answers)))
        return accuracy(scores, answers)

    monkeypatch.setattr(training, "train", watched_train)
    monkeypatch.setattr(train_sbert.search, "accuracy_at_1", watched_accuracy)
    assert train_sbert.main(both(before_distillation)) == 0
    during = [count for inside, count in measured if inside]
    assert len(during) == 2 and vectors not in during
    assert [count for inside, count in measured if not inside] == [vectors] * 3


def test_one_language_alone_is_not_distilled(whole_recipe):
    assert not (whole_recipe[0] / "out" / "distillation.md").exists()
