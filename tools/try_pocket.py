"""Try what a pocket model could be instead, each for the same time: `python -m tools.try_pocket pocket-korean --texts FOLDER`.

The trials stand in `tools/pocket/trials/NAME.toml` (`pocket-korean-starts` are those of the start alone, short enough for a
CPU). Each trains for the same time from its own start, on a GPU or on one processor core, and is then measured on the same
held-out documents; the table goes into `models/README.md`. A trial that is finished is not run again, one that was
interrupted begins anew. `--prepare` writes what all of them read and stops; the trials themselves then need no texts, so that
they can run on another computer.
"""

import argparse
import hashlib
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
PIECES = 2_500_000  # at most so many of a source are in a trial's corpus: more is not read in its time, and the corpus has to travel
EVERYDAY = ("reviews", "chat", "captions", "captions and headlines")
REHEARSED = 60  # steps before the clock on a GPU, which builds its kernels for each new shape: up to a second apiece


def load(name):
    """The trials of a pocket model.

    Args:
        name: str, such as "pocket-korean", or a file of further trials whose `model` names the pocket model.

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
    base = merged(configurations.load(written.get("model", name)), written["base"])
    return [(trial["name"], merged(base, {key: value for key, value in trial.items() if key != "name"})) for trial in written["trials"]]


def merged(configuration, changes):
    """A configuration with some of its tables' values changed, the table `start` whole; `weights` gives the sources of a kind another weight."""
    result = dict(configuration)
    for table, values in changes.items():
        if table == "weights":
            result["sources"] = reweighted(configuration["sources"], values)
        else:
            kept = {} if table == "start" else configuration.get(table, {})  # a start of another kind has other keys
            result[table] = {**kept, **values}
    return result


def reweighted(sources, weights):
    """The sources, those of a kind named in `weights` (dict) with that weight.

    Raises:
        ValueError: no source is of such a kind.
    """
    unknown = sorted(set(weights) - {source["kind"] for source in sources})
    if unknown:
        raise ValueError(f"No source is of the kind {', '.join(unknown)}.")
    return [{**source, "weight": weights.get(source["kind"], source["weight"])} for source in sources]


def prepare_corpus(configuration, texts, build):
    """Write the corpus of a trial's vocabulary, once for all trials that share it: its folder (Path)."""
    common = build / f"corpus-{digest(configuration.get('vocabulary'), configuration['sources'])}"
    if not (common / "special.json").is_file():
        if texts is None:
            raise SystemExit(f"Nothing is prepared in {common}: give --texts, the folders of the texts that the configuration names.")
        train_pocket.prepare_corpus(configuration, texts, common)
        shortened(corpus.load(common, "train"), PIECES).save(common / "train.npz")
        train_pocket.write_special(configuration, common)
    return common


def digest(*parts):
    """A name for what is the same as long as these tables (dict, list or None) are."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def shortened(packed, most):
    """The corpus with at most so many pieces of each source, its first documents."""
    pieces = packed.sentences[packed.documents[1:]] - packed.sentences[packed.documents[:-1]]
    kept = np.zeros(len(pieces), dtype=bool)
    for source in np.unique(packed.source):
        own = packed.source == source
        kept[own] = np.cumsum(pieces[own]) <= most
    sentence = np.repeat(kept, np.diff(packed.documents))
    lengths = np.diff(packed.sentences)
    return corpus.Packed(
        packed.ids[np.repeat(sentence, lengths)],
        np.concatenate([[0], np.cumsum(lengths[sentence])]),
        np.concatenate([[0], np.cumsum(np.diff(packed.documents)[kept])]),
        packed.source[kept],
    )


def prepare(configuration, texts, build, folder, origin=None):
    """Write what the training of one trial starts from."""
    common = prepare_corpus(configuration, texts, build)
    folder.mkdir(parents=True, exist_ok=True)
    for name in SHARED:
        if not (folder / name).exists():
            os.link(common / name, folder / name)
    shutil.copytree(common / "tokenizer", folder / "tokenizer", dirs_exist_ok=True)
    first = common / f"start-{digest(configuration['start'], configuration['network'])}.pt"  # trials may share it: the SVD takes a while
    if not first.is_file():
        train_pocket.write_start(configuration, common, first, origin=origin)
    (folder / "checkpoint.pt").unlink(missing_ok=True)
    os.link(first, folder / "checkpoint.pt")


def rehearse(configuration, folder, device, workers):
    """Train a trial for a moment, so that no part of its time goes into what a GPU does once; `prepare` undoes it."""
    short = merged(configuration, {"training": {"steps": REHEARSED}})
    train_pocket.train(short, folder, device, workers=workers)


def measured(configuration, folder, device="cpu", count=40):
    """Held-out figures of a trial.

    Pieces of two vocabularies are not equally hard to guess: `bits` makes them comparable, the masked-LM loss per
    character of the text instead of per piece.

    Returns:
        dict: `steps`, `tokens`, `mlm`, `everyday`, `nsp`, `same_document` (accuracies), `bits`.
    """
    special = json.loads((folder / "special.json").read_text(encoding="utf-8"))
    state = torch.load(folder / "checkpoint.pt", map_location="cpu", weights_only=True)
    network = networks.build(configuration, special, device)
    network.load_state_dict(state["network"])
    network.to(device).eval()
    held_out, sources, seed = corpus.load(folder, "held_out"), configuration["sources"], configuration["seed"]
    on = {"device": device, "bf16": measure.bf16_helps(device)}
    prose = selected(sources, lambda kind: kind not in NOT_PROSE)
    figures = measure.accuracy(network, measure.batches(held_out, prose, special, seed, count), **on)
    singles = selected(sources, lambda kind: kind in EVERYDAY)
    everyday = measure.accuracy(network, measure.single_batches(held_out, singles, special, seed, count), **on)
    return {
        "steps": state["step"], "tokens": state["tokens"], "mlm": figures["mlm"], "everyday": everyday["mlm"], "nsp": figures["nsp"],
        "same_document": examine.order_accuracy(network, held_out, special, seed, "same-document", device=device)[0],
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


def computer(device):
    """What a trial runs on, as the table says it."""
    return "one processor core" if device == "cpu" else f"one {torch.cuda.get_device_name(device)}"


def table(results, minutes, on="one processor core"):
    """The results as a Markdown table, the first row's figures being what the others are compared with."""
    time_each = f"{minutes:g} minutes" if minutes >= 1 else f"{60 * minutes:g} seconds"
    lines = [
        f"Each trial had {time_each} of {on} from its own start, the learning rate rising, staying and falling to zero in that time. Held-out text; "
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
    parser.add_argument("--texts", type=Path, nargs="+", help="folders that the configuration's paths start from; not read where the corpora are prepared")
    parser.add_argument("--prepare", action="store_true", help="write the corpora that the trials read, and stop")
    parser.add_argument("--build", type=Path, default=configurations.ROOT / "build" / "trials")
    parser.add_argument("--minutes", type=float, default=8, help="for each trial: of the GPU, or processor minutes of one core")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches ahead; a GPU needs a dozen")
    parser.add_argument("--origin", type=Path, metavar="FOLDER", help="as in tools.train_pocket")
    parser.add_argument("--only", type=int, nargs="+", help="these trials, counted from 1")
    options = parser.parse_args(arguments)
    trials = load(options.name)
    build = options.build / trials[0][1]["name"]  # further trials of the same model share its corpora
    if options.prepare:
        for _, configuration in trials:
            prepare_corpus(configuration, options.texts, build)
        return 0
    if options.device == "cpu":
        torch.set_num_threads(1)
    clock = time.process_time if options.device == "cpu" else time.monotonic
    results = {}
    for number, (title, configuration) in enumerate(trials, start=1):
        folder = build / f"{digest(configuration)}-{options.minutes:g}"
        result = folder / "result.json"
        if not result.is_file() and (not options.only or number in options.only):
            print(f"{number}. {title}", flush=True)
            prepare(configuration, options.texts, build, folder, options.origin)
            if options.device != "cpu":
                rehearse(configuration, folder, options.device, options.workers)
                prepare(configuration, options.texts, build, folder, options.origin)
            train_pocket.train(configuration, folder, options.device, clock=clock, within=options.minutes, workers=options.workers)
            figures = {**measured(configuration, folder, options.device), "on": computer(options.device)}
            result.write_text(json.dumps(figures), encoding="utf-8")
            (folder / "checkpoint.pt").unlink()
        if result.is_file():
            results[title] = json.loads(result.read_text(encoding="utf-8"))
    on = sorted({row["on"] for row in results.values()})
    text = table(results, options.minutes, " or ".join(on))
    print(text)
    if len(results) == number and len(on) == 1:
        write(options.name, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
