"""Measure the project's own pairs (`data/*.tsv`) and write the figures into their card, `data/README.md`.

    python -m tools.check_pairs            measure and write
    python -m tools.check_pairs --check    measure, write nothing; fail where a promise of the card is broken or a figure is out of date

The promises are `PROMISES` and the lines of `broken`; `tests/test_pairs_data.py` holds the data to them. Needs scikit-learn (the
list `test` has it).
"""

import argparse
import re
import sys
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import PredefinedSplit, cross_val_score
from sklearn.pipeline import make_pipeline

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
LANGUAGES = {"en": "English", "ko": "Korean"}
LABELS = ("entailment", "neutral", "contradiction")
SPLITS = ("train", "dev", "test")
COLUMNS = {
    "nli": ["id", "split", "theme", "premise", "hypothesis", "label"],
    "sts": ["id", "split", "theme", "sentence1", "sentence2", "rating1", "rating2", "score"],
}
SENTENCES = {kind: columns[3:5] for kind, columns in COLUMNS.items()}
ANSWERS = {kind: columns[5:] for kind, columns in COLUMNS.items()}
BEGIN, END = "<!-- figures:begin -->", "<!-- figures:end -->"
PROMISES = {
    "nli_rows": 600, "sts_rows": 500, "themes": 12, "score_share": 0.1,  # at least; the last in each of the five bands of scores
    "label_share_off": 0.02, "hypothesis_only": 0.45, "ratings_apart": 1.0, "near_duplicate": 0.65,  # at most
}
FOLDS = 6


def read(kind, language, folder=None):
    """One file of pairs.

    Args:
        kind: "nli" or "sts".
        language: "en" or "ko".
        folder: Path; `DATA` where None.

    Returns:
        DataFrame with the columns `COLUMNS[kind]`; a quotation mark is text, and so is the word "None".

    Raises:
        ValueError: the file has other columns, or an answer that is no number where it has to be one.
    """
    path = (folder or DATA) / f"{kind}.{language}.tsv"
    frame = pd.read_csv(path, sep="\t", quoting=3, encoding="utf-8", dtype=str, keep_default_na=False, index_col=False)
    if list(frame.columns) != COLUMNS[kind]:
        raise ValueError(f"{path.name}: the columns are {list(frame.columns)}, not {COLUMNS[kind]}")
    if kind == "sts":
        frame[ANSWERS[kind]] = frame[ANSWERS[kind]].astype(float)
    return frame


def hypothesis_only(nli, analyzer, ngrams):
    """Accuracy of guessing the label from the hypothesis alone: a linear model on tf-idf, folds of whole themes.

    Args:
        nli: DataFrame of one language.
        analyzer, ngrams: as `TfidfVectorizer` takes them.

    Returns:
        float. Chance is 1/3. Source of the test: Gururangan et al. 2018 (arXiv 1803.02324).
    """
    # One-letter words count: Korean negates with one syllable. Folds by number, not GroupKFold: its order of equal groups may vary.
    tfidf = TfidfVectorizer(analyzer=analyzer, ngram_range=ngrams, sublinear_tf=True, token_pattern=r"\w+" if analyzer == "word" else None)
    model = make_pipeline(tfidf, LogisticRegression(C=1.0, max_iter=1000))
    folds = PredefinedSplit(nli.theme.factorize()[0] % FOLDS)
    return float(cross_val_score(model, nli.hypothesis, nli.label, cv=folds).mean())


def trigrams(sentence):
    """The character trigrams of a sentence, without case and punctuation: set of str."""
    text = re.sub(r"\W+", " ", sentence.lower()).strip()
    return {text[at : at + 3] for at in range(max(1, len(text) - 2))}


def nearest_across_splits(frames):
    """The two most similar sentences of different splits, over both kinds of pairs.

    Args:
        frames: dict from kind to DataFrame, of one language.

    Returns:
        (float, str, str): Jaccard index of the character trigrams, and the sentences.
    """
    sentences = {
        split: sorted({each for kind, frame in frames.items() for column in SENTENCES[kind] for each in frame.loc[frame.split == split, column]})
        for split in SPLITS
    }
    vectorizer = CountVectorizer(analyzer=trigrams, binary=True).fit(each for some in sentences.values() for each in some)
    grams = {split: vectorizer.transform(some) if some else None for split, some in sentences.items()}
    best = (0.0, "", "")
    for one, other in combinations(SPLITS, 2):
        if grams[one] is None or grams[other] is None:
            continue
        shared = (grams[one] @ grams[other].T).toarray()
        sizes = [np.asarray(grams[each].sum(axis=1)).ravel() for each in (one, other)]
        index = shared / (sizes[0][:, None] + sizes[1][None, :] - shared)
        row, column = np.unravel_index(index.argmax(), index.shape)
        best = max(best, (float(index[row, column]), sentences[one][row], sentences[other][column]))
    return best


def overlap(nli):
    """How much of the hypothesis stands in its premise, by label: Series of the mean share of its character trigrams."""
    share = [len(trigrams(premise) & trigrams(hypothesis)) / len(trigrams(hypothesis)) for premise, hypothesis in zip(nli.premise, nli.hypothesis)]
    return pd.Series(share, index=nli.index).groupby(nli.label).mean().reindex(LABELS)


def unhinted(sts):
    """The rows whose id says nothing of their score.

    The second rater saw the ids, and in most themes the author had numbered the pairs from the closest to the farthest.

    Args:
        sts: DataFrame of one language.

    Returns:
        DataFrame, the themes in which number and first rating correlate by less than 0.5 (Spearman).
    """
    number = sts.id.str.extract(r"(\d+)$")[0].astype(float)
    hint = sts.assign(number=number).groupby("theme")[["number", "rating1"]].apply(lambda rows: rows.number.corr(rows.rating1, method="spearman"))
    return sts[sts.theme.isin(hint.index[hint.abs() < 0.5])]


def agreement(sts):
    """The two ratings compared: (Spearman correlation, mean distance)."""
    return float(sts.rating1.corr(sts.rating2, method="spearman")), float((sts.rating1 - sts.rating2).abs().mean())


def measure(folder=None):
    """Read the four files and measure them.

    Args:
        folder: Path; `DATA` where None.

    Returns:
        dict: nli, sts (DataFrames by language), only (accuracy from the hypothesis alone), nearest (as `nearest_across_splits` says
        it), overlap, each by language; agreement (Spearman correlation of the two ratings and their mean distance) over all pairs, and
        unhinted, the same over the pairs that `unhinted` leaves, with their number.

    Raises:
        ValueError: as `read`.
    """
    nli, sts = ({language: read(kind, language, folder) for language in LANGUAGES} for kind in COLUMNS)
    first = sts["en"]
    return {
        "nli": nli, "sts": sts,
        "only": {language: max(hypothesis_only(nli[language], "word", (1, 2)), hypothesis_only(nli[language], "char_wb", (2, 4))) for language in LANGUAGES},
        "nearest": {language: nearest_across_splits({"nli": nli[language], "sts": sts[language]}) for language in LANGUAGES},
        "overlap": {language: overlap(nli[language]) for language in LANGUAGES},
        "agreement": agreement(first),
        "unhinted": (*agreement(unhinted(first)), len(unhinted(first))),
    }


def broken(figures):
    """What the data does not keep of its promises.

    Args:
        figures: as `measure` returns them.

    Returns:
        list of str, one line each; empty when all is kept.
    """
    lines = []
    for language in LANGUAGES:
        for kind in COLUMNS:
            lines += [f"{kind}.{language}.tsv: {line}" for line in _broken_table(kind, language, figures[kind][language])]
        if figures["only"][language] > PROMISES["hypothesis_only"]:
            lines.append(f"nli.{language}.tsv: the hypothesis alone gives the label away (accuracy {figures['only'][language]:.3f})")
        index, one, other = figures["nearest"][language]
        if index > PROMISES["near_duplicate"]:
            lines.append(f"{LANGUAGES[language]}: near-duplicates in two splits ({index:.2f}): {one} | {other}")
        lines += [*_broken_labels(language, figures["nli"][language]), *_broken_ratings(language, figures["sts"][language])]
    for kind in COLUMNS:
        one, other = (figures[kind][language][["id", "split", "theme", *ANSWERS[kind]]] for language in LANGUAGES)
        if not one.equals(other):
            lines.append(f"{kind}: the English and the Korean rows are not parallel")
    themes = pd.concat([figures[kind][language][["theme", "split"]] for kind in COLUMNS for language in LANGUAGES])
    astray = sorted(themes.drop_duplicates().theme.value_counts().loc[lambda count: count > 1].index)
    if astray:
        lines.append(f"themes in more than one split: {', '.join(astray)}")
    return lines


def _broken_table(kind, language, frame):
    sentences = frame[SENTENCES[kind]]
    text = frame[COLUMNS[kind][:3] + SENTENCES[kind]]
    if len(frame) < PROMISES[f"{kind}_rows"]:
        yield f"{len(frame)} rows, at least {PROMISES[f'{kind}_rows']} are promised"
    if frame.theme.nunique() < PROMISES["themes"]:
        yield f"{frame.theme.nunique()} themes, at least {PROMISES['themes']} are promised"
    if set(frame.split) != set(SPLITS):
        yield f"the splits are {sorted(set(frame.split))}, not {sorted(SPLITS)}"
    if (text != text.apply(lambda column: column.str.split().str.join(" "))).any(axis=None) or (text == "").any(axis=None) or frame.isna().any(axis=None):
        yield "an empty cell, or a space too many"
    if frame.id.duplicated().any():
        yield f"an id stands twice: {frame.id[frame.id.duplicated()].iloc[0]}"
    # Similarity has no direction; whether one sentence follows from another has.
    pair = sentences.apply(tuple, axis=1) if kind == "nli" else sentences.apply(lambda row: tuple(sorted(row)), axis=1)
    if pair.duplicated().any():
        yield f"a pair stands twice: {' | '.join(pair[pair.duplicated()].iloc[0])}"
    hangul = sentences.apply(lambda column: column.str.contains("[가-힣]"))
    if not (hangul.all(axis=None) if language == "ko" else not hangul.any(axis=None)):
        yield "a sentence in the other language"


def _broken_labels(language, nli):
    if set(nli.label) != set(LABELS):
        yield f"nli.{language}.tsv: the labels are {sorted(set(nli.label))}"
        return
    shares = pd.crosstab(nli.split, nli.label, normalize="index")
    if (shares - 1 / 3).abs().max(axis=None) > PROMISES["label_share_off"]:
        yield f"nli.{language}.tsv: the labels are not balanced: {shares.round(3).to_dict('index')}"


def _broken_ratings(language, sts):
    where, ratings = f"sts.{language}.tsv", sts[["rating1", "rating2"]]
    if (ratings < 0).any(axis=None) or (ratings > 5).any(axis=None) or (ratings * 2 % 1 != 0).any(axis=None):
        yield f"{where}: a rating is not one of 0, 0.5, … 5"
    if ((sts.rating1 - sts.rating2).abs() > PROMISES["ratings_apart"]).any():
        yield f"{where}: two ratings further than {PROMISES['ratings_apart']} apart"
    if not (ratings.sum(axis=1) / 2 == sts.score).all():  # exact: halves and quarters
        yield f"{where}: a score is not the mean of its ratings"
    shares = _bands(sts.score) / len(sts)
    if shares.min() < PROMISES["score_share"]:
        yield f"{where}: hardly a score is {shares.idxmin()} ({shares.min():.2f} of the pairs)"


def _bands(scores):
    """How many pairs have a score in each fifth of the scale."""
    return pd.cut(scores, [-0.1, 1, 2, 3, 4, 5], labels=["0–1", "to 2", "to 3", "to 4", "to 5"]).value_counts(sort=False)


def table(figures):
    """The figures as Markdown."""
    nli, sts = figures["nli"]["en"], figures["sts"]["en"]

    def by_split(frame):
        return " / ".join(str((frame.split == split).sum()) for split in SPLITS)

    labels = nli.groupby("hypothesis").label.nunique()
    bands = _bands(sts.score)
    rows = [
        ("NLI pairs in each language: train / dev / test", by_split(nli)),
        ("entailment / neutral / contradiction", " / ".join(str((nli.label == label).sum()) for label in LABELS)),
        ("themes: train / dev / test", " / ".join(str(nli.theme[nli.split == split].nunique()) for split in SPLITS)),
        ("premises, each with all three labels", str((nli.groupby("premise").label.nunique() == 3).sum())),
        ("English hypotheses that stand, word for word, under 1 / 2 / 3 labels", " / ".join(str((labels == count).sum()) for count in (1, 2, 3))),
        *[(f"label guessed from the hypothesis alone, {name} (chance 0.33)", f"{figures['only'][each]:.2f}") for each, name in LANGUAGES.items()],
        *[(f"share of the hypothesis that stands in the premise, {name} (character trigrams): entailment / neutral / contradiction",
           " / ".join(f"{share:.2f}" for share in figures["overlap"][each])) for each, name in LANGUAGES.items()],
        ("STS pairs in each language: train / dev / test", by_split(sts)),
        ("STS pairs by score " + ", ".join(bands.index), " / ".join(map(str, bands))),
        ("agreement of the two ratings: Spearman correlation / mean distance", "{:.2f} / {:.2f}".format(*figures["agreement"])),
        ("the same where the id says nothing of the score", "{:.2f} / {:.2f} ({} pairs)".format(*figures["unhinted"])),
        *[(f"most similar sentences of two splits, {name} (Jaccard index of character trigrams)", f"{figures['nearest'][each][0]:.2f}")
          for each, name in LANGUAGES.items()],
    ]
    return "\n".join(["| figure | value |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def card(text, figures):
    """The card with these figures between its markers.

    Args:
        text: str, the card as it is.
        figures: as `measure` returns them.

    Returns:
        str.

    Raises:
        ValueError: the card has no pair of markers, or more than one.
    """
    if (text.count(BEGIN), text.count(END)) != (1, 1) or text.index(BEGIN) > text.index(END):
        raise ValueError(f"README.md: it needs {BEGIN} and {END} once each, in this order")
    return f"{text[: text.index(BEGIN)]}{BEGIN}\n{table(figures)}\n{text[text.index(END) :]}"


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a promise is broken or the card is out of date")
    options = parser.parse_args(arguments)
    path = DATA / "README.md"
    try:
        figures = measure()
        lines = broken(figures)
        old = path.read_text(encoding="utf-8")
        new = card(old, figures)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.check:
        lines += [] if new == old else ["README.md: the figures are out of date; run python -m tools.check_pairs"]
    else:
        path.write_text(new, encoding="utf-8", newline="\n")
        print(table(figures))
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
