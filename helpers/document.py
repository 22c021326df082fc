"""The figures that the document prints, each beside what this computer gets.

The document is the Korean walkthrough that this course reproduces; `document_figures.json` holds what it prints. A figure's
name is its path in that file (a JSON Pointer, RFC 6901), like `/masked_lm_english/special_ids/[CLS]`.

`python -m helpers.document` prints all 26; `--json FILE` writes them.
"""

import argparse
import difflib
import gc
import json
import sys
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import pandas as pd

from helpers import masked_lm, next_sentence, saving
from helpers.language import current, say

PRINTED = json.loads(Path(__file__).with_name("document_figures.json").read_text(encoding="utf-8"))
TOLERANCE = 5e-3  # of a probability: other versions and processors than the document's move the third decimal
ROUNDING = 1e-9  # what binary fractions add to a difference that is exactly the tolerance


@dataclass(frozen=True)
class Figure:
    """One output that the document prints."""

    path: str  # JSON Pointer into document_figures.json
    lesson: str  # the lesson that reproduces it, "01"
    language: str  # of the sentences and the model: "en" or "ko"
    checkpoint: str  # the document's own
    depends_on_weights: bool  # False: the tokenizer alone decides it
    value: object  # what the document prints: int, str, list, or a dictionary of lists


def _figures():
    """The 26, lesson by lesson, in the order of the document."""
    by_lesson = {
        "01": [
            "/masked_lm_english/special_ids/[CLS]",
            "/masked_lm_english/special_ids/[SEP]",
            "/masked_lm_english/special_ids/[MASK]",
            "/masked_lm_english/encoding",  # the whole dictionary, printed once before its parts
            "/masked_lm_english/encoding/input_ids",
            "/masked_lm_english/encoding/token_type_ids",
            "/masked_lm_english/encoding/attention_mask",
            "/next_sentence_english/encoding/input_ids",
            "/next_sentence_english/encoding/input_ids/0",  # printed again as "[CLS] : 101"
            "/next_sentence_english/encoding/input_ids/23",  # printed again as "[SEP] : 102"
            "/next_sentence_english/encoding/decoded",
            "/next_sentence_english/encoding/token_type_ids",
            "/masked_lm_korean/encoding/input_ids",
            "/masked_lm_korean/encoding/token_type_ids",
            "/masked_lm_korean/encoding/attention_mask",
        ],
        "02": [f"/masked_lm_english/fill_mask/{text}" for text in PRINTED["masked_lm_english"]["fill_mask"]],
        "03": [f"/masked_lm_korean/fill_mask/{text}" for text in PRINTED["masked_lm_korean"]["fill_mask"]],
        "04": [
            "/next_sentence_english/pairs/0/probabilities",
            "/next_sentence_english/pairs/0/label",
            "/next_sentence_english/pairs/1/label",
        ],
        "05": ["/next_sentence_korean/pairs/0/label", "/next_sentence_korean/pairs/1/label"],
    }
    return tuple(
        Figure(
            path=path,
            lesson=lesson,
            language="ko" if "_korean/" in path else "en",
            checkpoint=PRINTED[path.split("/")[1]]["checkpoint"],
            depends_on_weights=lesson != "01",
            value=_at(path),
        )
        for lesson, paths in by_lesson.items() for path in paths
    )


def _at(path):
    """What stands at a JSON Pointer in document_figures.json."""
    value = PRINTED
    for step in path.split("/")[1:]:
        step = step.replace("~1", "/").replace("~0", "~")
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


FIGURES = _figures()
CHECKPOINTS = tuple(dict.fromkeys(figure.checkpoint for figure in FIGURES))


def compare(path, run, checkpoint):
    """Show figures of the document beside this run.

    Args:
        path: str, a figure's path, or the beginning that several share (`"masked_lm_english/fill_mask"`).
        run: what this run got: the value of the one figure; or a dictionary from the rest of each path to its value
            (`{"input_ids": …, "token_type_ids": …}`). Tensors and a batch of one are taken as they are.
        checkpoint: the folder that `checkpoints.resolve` gave.

    Returns:
        DataFrame with the columns `figure`, `document`, `run`, `verdict`: `equal`; `stand-in` (not equal, and the checkpoint
        is a stand-in, so nobody expects it); `differs`.

    Raises:
        TypeError, ValueError: the document prints no such figure; `checkpoint` is no folder.
    """
    from helpers import checkpoints

    _check_folder(checkpoint)
    stand_in = checkpoints.is_stand_in(checkpoint)
    rows = [_row(figure, plain(value, figure), stand_in) for figure, value in _matched(path, run)]
    return pd.DataFrame([_shortened(row) for row in rows], columns=["figure", "document", "run", "verdict"])


def _check_folder(checkpoint):
    """Only the folder tells whether a stand-in was loaded; a name would make every difference look like a mistake."""
    if not isinstance(checkpoint, (str, Path)):
        raise TypeError(say(
            f"checkpoint is {type(checkpoint).__name__}, not a folder: pass what checkpoints.resolve(...) returned.",
            f"checkpoint가 폴더가 아니라 {type(checkpoint).__name__}입니다: checkpoints.resolve(...)의 결과를 넣으세요.",
        ))
    if not Path(checkpoint).is_dir():
        raise ValueError(say(
            f"checkpoint={str(checkpoint)!r} is not a folder: pass what checkpoints.resolve({str(checkpoint)!r}) returned.",
            f"checkpoint={str(checkpoint)!r}은(는) 폴더가 아닙니다: checkpoints.resolve({str(checkpoint)!r})의 결과를 넣으세요.",
        ))


def verdict(figure, run, stand_in):
    """Judge one figure.

    Args:
        figure: a `Figure`.
        run: what this run got, as `plain` makes it.
        stand_in: bool, whether another checkpoint stood in for the document's.

    Returns:
        "equal": the same ids, labels and text; probabilities within `TOLERANCE`, the same five words in the same order.
        "stand-in" or "differs" otherwise.
    """
    if _equal(figure.value, run):
        return "equal"
    return "stand-in" if stand_in else "differs"


def _equal(document, run):
    """The same ids, labels, text and order; the same probabilities within the tolerance."""
    if isinstance(document, Mapping):
        return isinstance(run, Mapping) and document.keys() == run.keys() and all(
            _equal(document[name], run[name]) for name in document)
    if isinstance(document, (list, tuple)):
        return isinstance(run, (list, tuple)) and len(document) == len(run) and all(map(_equal, document, run))
    if isinstance(document, float):
        return isinstance(run, (int, float)) and abs(document - run) <= TOLERANCE + ROUNDING
    return type(document) is type(run) and document == run


def plain(value, figure):
    """What a cell holds, as the numbers and lists that the document prints.

    Args:
        value: tensor, array, tokenizer output, list, number or str.
        figure: the `Figure` it is for: a batch of one is unwrapped where the document prints one text or one label.

    Returns:
        int, float, str, list or dict.
    """
    if hasattr(value, "numpy"):
        value = value.numpy()
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        value = {name: plain(each, figure) for name, each in value.items()}
        if isinstance(figure.value, Mapping) and "text" in figure.value:  # printed without the text it was made from
            value = {"text": figure.value["text"], **value}
        return value
    if isinstance(value, (list, tuple)):
        value = [plain(each, figure) for each in value]
        one_of_many = len(value) == 1 and (isinstance(value[0], list) or not isinstance(figure.value, (list, Mapping)))
        return value[0] if one_of_many else value
    return value


def _matched(path, run):
    """Pairs of a figure and what this run got for it."""
    path = "/" + path.strip("/")
    exact = [figure for figure in FIGURES if figure.path == path]
    if exact:
        return [(exact[0], run)]
    below = {figure.path[len(path) + 1:]: figure for figure in FIGURES if figure.path.startswith(path + "/")}
    if not below:
        raise _no_figure(path)
    if not isinstance(run, Mapping):
        keys = ", ".join(below)
        raise ValueError(say(
            f"The document prints {len(below)} figures under {path}: give a dictionary with the keys {keys}.",
            f"문서의 {path} 아래에는 값이 {len(below)}개 있습니다: 키가 {keys}인 딕셔너리를 주세요.",
        ))
    run = {str(rest).strip("/"): value for rest, value in run.items()
           # A tokenizer also returns what the document does not print.
           if isinstance(run, dict) or rest in below}
    for rest in run:
        if rest not in below:
            raise _no_figure(f"{path}/{rest}")
    return [(figure, run[rest]) for rest, figure in below.items() if rest in run]


def _no_figure(path):
    close = difflib.get_close_matches(path, [figure.path for figure in FIGURES], n=1, cutoff=0)[0]
    return ValueError(say(
        f"The document prints no figure {path}. The closest is {close}; document.FIGURES holds all {len(FIGURES)}.",
        f"문서에는 {path} 값이 없습니다. 가장 비슷한 것은 {close}이고, 모두 {len(FIGURES)}개가 document.FIGURES에 있습니다.",
    ))


def brief(value):
    """A figure in a few words, for one cell of a table.

    Args:
        value: what a figure or `plain` holds.

    Returns:
        str: five words with their probabilities, the ends of a long list, how often a value repeats.
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{len(each)} {name}" for name, each in value.items() if isinstance(each, list))
    if isinstance(value, (list, tuple)):
        if value and all(isinstance(each, Mapping) for each in value):
            return " · ".join(f"{each['token_str']} {each['score']:.2f}" for each in value)
        texts = [f"{each:.3f}" if isinstance(each, float) else str(each) for each in value]
        if len(texts) <= 10:
            return " ".join(texts)
        runs = [(text, len(list(same))) for text, same in groupby(texts)]
        if len(runs) <= 4:
            return ", ".join(f"{count} × {text}" for text, count in runs)
        return f"{' '.join(texts[:4])} … {' '.join(texts[-2:])} ({len(texts)})"
    if isinstance(value, float):
        return f"{value:.3f}"
    text = str(value)
    return text if len(text) <= 56 else f"{text[:32]} … {text[-20:]}"


def run_all():
    """Get every figure on this computer. Loads one model after another and lets each go before the next.

    Returns:
        list of 26 dictionaries `figure`, `language`, `lesson`, `document`, `run`, `verdict`, in the order of `FIGURES`.
    """
    from helpers import checkpoints

    folders = {name: checkpoints.resolve(name) for name in CHECKPOINTS}  # one that is missing is said before the work starts
    runs = {}
    for name, folder in folders.items():
        runs.update(_run(name, folder))
    return [_row(figure, runs[figure.path], checkpoints.is_stand_in(folders[figure.checkpoint])) for figure in FIGURES]


def _row(figure, run, stand_in):
    """One figure as `run_all` returns it."""
    return {
        "figure": figure.path,
        "language": figure.language,
        "lesson": figure.lesson,
        "document": figure.value,
        "run": run,
        "verdict": verdict(figure, run, stand_in),
    }


def _shortened(row):
    """The same row with text that fits a table; `≠` where shortening hid the difference."""
    document, run = brief(row["document"]), brief(row["run"])
    hidden = row["verdict"] != "equal" and document == run
    return {**row, "document": document, "run": f"{run} ≠" if hidden else run}


def _run(checkpoint, folder):
    """This computer's values of one checkpoint's figures: a dictionary from path to value."""
    from transformers import AutoTokenizer, TFBertForMaskedLM, TFBertForNextSentencePrediction

    tokenizer = AutoTokenizer.from_pretrained(folder)
    figures = {figure.path: figure for figure in FIGURES if figure.checkpoint == checkpoint}
    runs = {path: _run_tokenizer(path, tokenizer) for path, figure in figures.items() if not figure.depends_on_weights}
    for kind, model_class, ask in (
        ("/fill_mask/", TFBertForMaskedLM, _run_masked_lm),
        ("/pairs/", TFBertForNextSentencePrediction, _run_next_sentence),
    ):
        asked = [path for path in figures if kind in path]
        if asked:
            model = model_class.from_pretrained(folder)
            runs.update({path: ask(path, model, tokenizer) for path in asked})
            del model
            _let_go()
    return {path: plain(value, figures[path]) for path, value in runs.items()}


def _run_tokenizer(path, tokenizer):
    """One figure that needs no model."""
    _, section, what, *rest = path.split("/")
    if what == "special_ids":
        return tokenizer.convert_tokens_to_ids(rest[0])
    printed = PRINTED[section]["encoding"]
    texts = [printed["text"]] if "text" in printed else [printed["prompt"], printed["next_sentence"]]
    inputs = tokenizer(*texts)
    if not rest:
        return inputs
    field, *place = rest
    if field == "decoded":
        return tokenizer.decode(inputs["input_ids"])
    # Another tokenizer may cut the sentence into fewer pieces: then there is nothing at that place.
    return inputs[field] if not place else next(iter(inputs[field][int(place[0]):]), None)


def _run_masked_lm(path, model, tokenizer):
    """The top five for one sentence."""
    return masked_lm.top_k(model, tokenizer, path.split("/fill_mask/")[1])


def _run_next_sentence(path, model, tokenizer):
    """The probabilities or the label of one pair."""
    pair_path, field = path.rsplit("/", 1)
    pair = _at(pair_path)
    judged = next_sentence.predict(model, tokenizer, pair["prompt"], pair["next_sentence"]).iloc[0]
    return int(judged["label"]) if field == "label" else [float(judged["follows"]), float(judged["random"])]


def _let_go():
    """Give the memory of a model back that nobody holds any more."""
    import tf_keras

    tf_keras.backend.clear_session()
    gc.collect()


def main(arguments=None):
    """The command line; returns the exit code: 1 if a figure differs, 2 if nothing could be run or written."""
    try:
        current()
    except ValueError as error:  # COURSE_LANGUAGE is neither of the two: even the help has no language to be written in
        print(error, file=sys.stderr)
        return 2
    parser = argparse.ArgumentParser(prog="python -m helpers.document", description=say(
        "The 26 figures of the document beside the ones of this computer.", "문서의 값 26개와 이 컴퓨터의 값을 나란히 봅니다."))
    parser.add_argument("--json", metavar="FILE", type=Path, help=say("write them into FILE", "FILE에 저장합니다"))
    options = parser.parse_args(arguments)
    if options.json and not options.json.parent.is_dir():  # now, not after a minute's work
        parser.error(say(f"there is no folder {options.json.parent}: make it first", f"{options.json.parent} 폴더가 없습니다: 먼저 만드세요"))
    if options.json and options.json.exists() and not options.json.is_file():
        parser.error(say(f"{options.json} is not a file: give the name of one", f"{options.json}은(는) 파일이 아닙니다: 파일 이름을 주세요"))

    from helpers import checkpoints, environment

    try:
        environment.prepare()
        for name in CHECKPOINTS:
            checkpoints.resolve(name)
    except (OSError, ValueError) as error:  # their messages name the fix
        print(error, file=sys.stderr)
        return 2
    rows = run_all()
    _print(rows)
    if options.json:
        text = json.dumps(rows, ensure_ascii=False, indent=1, allow_nan=False)
        try:
            saving.write_text(options.json, text + "\n")
        except OSError as error:
            print(error, file=sys.stderr)
            return 2
    return int(any(row["verdict"] == "differs" for row in rows))


def _print(rows):
    """One line a figure, columns aligned, then a sum."""
    head = ["lesson", "language", "verdict", "figure", "document", "run"]
    lines = [head] + [[row[name] for name in head] for row in map(_shortened, rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(head))]
    for line in lines:
        print("  ".join(cell + " " * (width - _width(cell)) for cell, width in zip(line, widths)).rstrip())
    counts = ", ".join(f"{sum(row['verdict'] == each for row in rows)} {each}" for each in ("equal", "stand-in", "differs"))
    print(f"\n{len(rows)}: {counts}")


def _width(text):
    """Columns of a terminal: Hangul takes two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


if __name__ == "__main__":
    sys.exit(main())
