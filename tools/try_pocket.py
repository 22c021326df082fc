"""Try what a pocket model could be instead, each for the same time: `python -m tools.try_pocket pocket-korean --texts FOLDER`.

The trials stand in `tools/pocket/trials/NAME.toml`. Each trains for the same processor time from its own start and is then
measured on the same held-out documents; the table goes into `models/README.md`. A trial that is finished is not run
again, one that was interrupted begins anew.
"""

import argparse
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch

from tools import train_pocket
from tools.evaluate_pocket import NOT_PROSE, selected
from tools.pocket import configuration as configurations
from tools.pocket import corpus, examine, measure, vocabulary
from tools.pocket import network as networks

TRIALS = configurations.FOLDER / "trials"
PAGE = configurations.ROOT / "models" / "README.md"
SHARED = ("corpus.json", "train.npz", "held_out.npz", "special.json")  # the same for every trial with one vocabulary
EVERYDAY = ("reviews", "chat", "captions", "captions and headlines")
REPLACED = ("start",)  # a trial's table stands in place of the base's; other tables are merged into it


def load(name):
    """The trials of a pocket model.

    Args:
        name: str, such as "pocket-korean".

    Returns:
        list of (title, configuration), in the file's order.

    Raises:
        ValueError: there are no trials for it.
    """
    path = TRIALS / f"{name}.toml"
    if not path.is_file():
        raise ValueError(f"No trials for {name!r}: they would stand in {path.relative_to(configurations.ROOT)}.")
    with open(path, "rb") as file:
        written = configurations.tomllib.load(file)
    base = merged(configurations.load(name), written["base"])
    return [(trial["name"], merged(base, {key: value for key, value in trial.items() if key != "name"})) for trial in written["trials"]]


def merged(configuration, changes):
    """A configuration with some of its tables' values changed."""
    result = dict(configuration)
    for table, values in changes.items():
        result[table] = dict(values) if table in REPLACED else {**configuration.get(table, {}), **values}
    return result


def prepare(configuration, texts, build, folder):
    """Write what the training of one trial starts from; the corpus of one vocabulary is written once."""
    size = "-".join(f"{key}-{value}" for key, value in sorted(configuration.get("vocabulary", {}).items()))
    common = build / f"corpus-{size}"
    if not (common / "special.json").is_file():
        train_pocket.prepare(configuration, texts, common)
        (common / "checkpoint.pt").unlink()
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        if not (folder / name).exists():
            os.link(common / name, folder / name)
    shutil.copytree(common / "tokenizer", folder / "tokenizer", dirs_exist_ok=True)
    train_pocket.prepare(configuration, texts, folder)


def measured(configuration, folder, count=40):
    """Held-out figures of a trial.

    Pieces of two vocabularies are not equally hard to guess: `bits` makes them comparable, the masked-LM loss per
    character of the text instead of per piece.

    Returns:
        dict: `steps`, `tokens`, `mlm`, `everyday`, `nsp`, `same_document` (accuracies), `bits`.
    """
    special = json.loads((folder / "special.json").read_text(encoding="utf-8"))
    state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    network = networks.build(configuration, special)
    network.load_state_dict(state["network"])
    network.eval()
    held_out, sources, seed = corpus.load(folder, "held_out"), configuration["sources"], configuration["seed"]
    bf16 = measure.bf16_helps("cpu")
    prose = selected(sources, lambda kind: kind not in NOT_PROSE)
    figures = measure.accuracy(network, measure.batches(held_out, prose, special, seed, count), bf16=bf16)
    singles = selected(sources, lambda kind: kind in EVERYDAY)
    everyday = measure.accuracy(network, measure.single_batches(held_out, singles, special, seed, count), bf16=bf16)
    return {
        "steps": state["step"], "tokens": state["tokens"], "mlm": figures["mlm"], "everyday": everyday["mlm"], "nsp": figures["nsp"],
        "same_document": examine.order_accuracy(network, held_out, special, seed, "same-document")[0],
        "bits": figures["loss"] / np.log(2) / characters_a_piece(held_out, folder, prose),
    }


def characters_a_piece(held_out, folder, sources):
    """Mean number of characters of a held-out piece of these sources, `##` and spaces not counted."""
    wanted = [number for number, source in enumerate(sources) if source["weight"]]
    pieces = vocabulary.load(folder / "tokenizer").get_vocab()
    length = np.zeros(len(pieces))
    for piece, number in pieces.items():
        length[number] = len(piece.removeprefix("##"))
    inside = np.zeros(len(held_out.ids), dtype=bool)
    for document in np.flatnonzero(np.isin(held_out.source, wanted)):
        begin, end = held_out.sentences[held_out.documents[document]], held_out.sentences[held_out.documents[document + 1]]
        inside[begin:end] = True
    return float(length[held_out.ids[inside]].mean())


def table(results, minutes):
    """The results as a Markdown table, the first row's figures being what the others are compared with."""
    lines = [
        f"Each trial had {minutes:g} minutes of one processor core from its own start, the learning rate rising and then staying. Held-out text; "
        "everyday: short texts from reviews, chat and captions; bits a character: the masked-LM loss in a form that does not depend on the vocabulary (less is better). One seed each: a difference "
        "in the third decimal means nothing.",
        "",
        "| trial | steps | tokens seen | masked LM, prose | masked LM, everyday | bits a character | next sentence, true/random | true/same document |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in results.items():
        lines.append(
            f"| {name} | {row['steps']:,} | {row['tokens']:,} | {row['mlm']:.3f} | {row['everyday']:.3f} | {row['bits']:.2f} "
            f"| {row['nsp']:.3f} | {row['same_document']:.3f} |"
        )
    return "\n".join(lines)


def write(name, text, page=PAGE):
    """Put a model's table between its marks in `models/README.md`."""
    begin, end = f"<!-- trials of {name}: begin -->", f"<!-- trials of {name}: end -->"
    before = page.read_text(encoding="utf-8")
    if begin not in before:
        raise ValueError(f"{page.name} has no place for the trials of {name}: it needs a line {begin} and a line {end}.")
    after = re.sub(f"{re.escape(begin)}.*?{re.escape(end)}", lambda _: f"{begin}\n{text}\n{end}", before, flags=re.DOTALL)
    page.write_text(after, encoding="utf-8")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=sorted(path.stem for path in TRIALS.glob("*.toml")))
    parser.add_argument("--texts", type=Path, nargs="+", required=True, help="folders that the configuration's paths start from")
    parser.add_argument("--build", type=Path, default=configurations.ROOT / "build" / "trials")
    parser.add_argument("--minutes", type=float, default=8, help="processor minutes of one core for each trial")
    parser.add_argument("--only", type=int, nargs="+", help="these trials, counted from 1")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    results = {}
    for number, (title, configuration) in enumerate(load(options.name), start=1):
        folder = options.build / options.name / f"{number:02d}-{options.minutes:g}"
        result = folder / "result.json"
        if not result.is_file() and (not options.only or number in options.only):
            print(f"{number}. {title}", flush=True)
            (folder / "checkpoint.pt").unlink(missing_ok=True)
            prepare(configuration, options.texts, options.build / options.name, folder)
            train_pocket.train(configuration, folder, "cpu", options.minutes, clock=time.process_time)
            result.write_text(json.dumps(measured(configuration, folder)), encoding="utf-8")
            (folder / "checkpoint.pt").unlink()
        if result.is_file():
            results[title] = json.loads(result.read_text(encoding="utf-8"))
    text = table(results, options.minutes)
    print(text)
    if len(results) == number:
        write(options.name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
