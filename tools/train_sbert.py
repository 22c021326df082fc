"""Train sentence encoders by the full recipe and write the table of strategies: `python -m tools.train_sbert --language en`.

Classification on NLI, regression on STS, and classification followed by regression, each with every seed, beside the
untrained mean pooling. The public sets come from `COURSE_DATA` or from earlier downloads (`python -m helpers.datasets
download NAME`); what is not there is replaced by the course's own pairs, and the table says what was used.

Every stage keeps its state under `build/sbert/`: after an interruption the same command goes on. The results go to
`docs/sbert/`: one JSON with everything, one Markdown table, one log for each language. The test set is measured once a
stage has ended and chooses nothing; epochs are chosen on held-out NLI pairs (classification) or the STS development set.
"""

import argparse
import json
import platform
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from helpers import environment

environment.prepare()  # before TensorFlow

import numpy as np
import pandas as pd

from helpers import checkpoints, datasets, saving, sbert, training
from helpers.sentence_encoder import SentenceEncoder

ROOT = Path(__file__).resolve().parent.parent
CHECKPOINTS = {"en": "pocket-english", "ko": "pocket-korean"}
NLI_SETS, STS_SETS = {"en": "snli", "ko": "kornli"}, {"en": "stsb", "ko": "korsts"}
STRATEGIES = ("classification", "regression", "classification then regression")
HELD_OUT = 0.1  # share of the premises that chooses the epoch where NLI comes with no development set of its own
STAGE_DONE = "result.json"


@dataclass
class Data:
    """What a language is trained and measured on.

    Attributes:
        nli_train, nli_dev: DataFrames; `nli_dev` chooses the epoch of the classification.
        nli_report: {name: DataFrame} on which only the final accuracy is measured.
        sts_train, sts_dev: DataFrames.
        sts_test: DataFrame, or None where there is none.
        used: {role: where it is from and how many pairs}.
    """

    nli_train: pd.DataFrame
    nli_dev: pd.DataFrame
    nli_report: dict
    sts_train: pd.DataFrame
    sts_dev: pd.DataFrame
    sts_test: pd.DataFrame | None
    used: dict = field(default_factory=dict)


# --- data ---------------------------------------------------------------------------------------------------------


def load(language, limit=None):
    """Everything that is on this computer for a language.

    Args:
        language: "en" or "ko".
        limit: int, at most so many pairs of each set, for a quick try; None for all.

    Returns:
        Data.
    """
    nli_train, nli_dev, nli_report, used = _nli(language)
    sts, used_sts = _sts(language)
    parts = {"nli_train": nli_train, "nli_dev": nli_dev, "sts_train": sts["train"], "sts_dev": sts["dev"], "sts_test": sts["test"]}
    cut = {name: frame if frame is None or not limit else frame.head(limit) for name, frame in parts.items()}
    report = {name: frame.head(limit) if limit else frame for name, frame in nli_report.items()}
    used = {**used, **used_sts}
    if limit:
        used["limit"] = f"at most {limit} pairs of each: a trial, not a result"
    return Data(nli_report=report, used=used, **cut)


def _nli(language):
    """(train, dev, {name: reported}, used). English without SNLI's training part learns from nine tenths of its dev part."""
    name = NLI_SETS[language]
    own = datasets.nli(language)
    own_train, own_dev, own_test = (own[own["split"] == split][list(datasets.NLI)] for split in datasets.SPLITS)
    report, used = {"course nli test": own_test}, {}
    if datasets.is_here(name, "train"):
        learnt, held_out = split_by_premise(datasets.public(name, "train"), share=0.01)
        source = f"{name} train"
    elif language == "en" and datasets.is_here(name, "dev"):
        learnt, held_out = split_by_premise(datasets.public(name, "dev"), HELD_OUT)
        source = f"{name} dev (its train part is not on this computer)"
        report[f"{name} dev, held-out tenth"] = held_out
    else:
        learnt, held_out = own_train.iloc[:0], own_dev
        source = None
    if source:
        used["NLI training"] = f"{source}: {len(learnt):,} pairs; the course's own: {len(own_train):,}"
        used["NLI choosing the epoch"] = f"{source}, premises held out: {len(held_out):,} pairs"
    else:
        used["NLI training"] = f"the course's own: {len(own_train):,} pairs ({name} is not on this computer)"
        used["NLI choosing the epoch"] = f"the course's own dev: {len(own_dev):,} pairs"
    if datasets.is_here(name, "dev") and not (language == "en" and source and "dev" in source):
        report[f"{name} dev"] = datasets.public(name, "dev")
    return pd.concat([learnt, own_train], ignore_index=True), held_out, report, used


def split_by_premise(frame, share, seed=1):
    """Two parts without a premise in common: SNLI writes three hypotheses to each.

    Args:
        frame: DataFrame with the column `premise`.
        share: float, of the premises in the second part.
        seed: int.

    Returns:
        Two DataFrames.
    """
    premises = np.array(sorted(set(frame["premise"])))
    chosen = set(np.random.default_rng(seed).choice(premises, max(1, round(share * len(premises))), replace=False))
    held_out = frame["premise"].isin(chosen)
    return frame[~held_out].reset_index(drop=True), frame[held_out].reset_index(drop=True)


def _sts(language):
    """({split: DataFrame or None}, used)."""
    name = STS_SETS[language]
    if not (datasets.is_here(name, "train") and datasets.is_here(name, "dev")):
        frame = datasets.sts(language)
        sts = {split: frame[frame["split"] == split][list(datasets.STS)] for split in datasets.SPLITS}
        return sts, {"STS": f"the course's own ({name} is not on this computer): " + _counts(sts)}
    sts = {split: datasets.public(name, split) if datasets.is_here(name, split) else None for split in datasets.SPLITS}
    missing = [split for split, frame in sts.items() if frame is None]
    return sts, {"STS": f"{name}: {_counts(sts)}" + (f"; not on this computer: {', '.join(missing)}" if missing else "")}


def _counts(sts):
    return ", ".join(f"{split} {len(frame):,}" for split, frame in sts.items() if frame is not None)


# --- stages -------------------------------------------------------------------------------------------------------


def run_strategy(strategy, seed, data, checkpoint, build, options, log):
    """One row of the table.

    Args:
        strategy: one of STRATEGIES.
        seed: int.
        data: Data.
        checkpoint: str, the folder that the encoder starts from.
        build: Path, where the stages keep their state.
        options: the command's.
        log: function of a line.

    Returns:
        dict: strategy, seed, figures, seconds of training.
    """
    first = strategy.split(" then ")[0]
    result = _stage(first, seed, data, checkpoint, build / f"{first}-seed{seed}", options, log)
    if strategy == first:
        return {"strategy": strategy, "seed": seed, **result}
    second = _stage("regression", seed, data, build / f"{first}-seed{seed}" / "encoder", build / f"both-seed{seed}", options, log)
    return {"strategy": strategy, "seed": seed, **second, "seconds": result["seconds"] + second["seconds"]}


def _stage(kind, seed, data, start, folder, options, log):
    """Train one objective from the encoder or checkpoint at `start`; leaves the encoder and the result in `folder`."""
    if (folder / STAGE_DONE).is_file():
        return json.loads((folder / STAGE_DONE).read_text(encoding="utf-8"))
    log(f"{folder.name}: starts")
    encoder = _encoder(start, options.max_length)
    dev = data.sts_dev
    if kind == "classification":
        model, epochs = sbert.ClassificationHead(encoder, seed=seed), options.nli_epochs
        pairs, score = data.nli_train, lambda: sbert.accuracy(model, *columns(data.nli_dev, datasets.NLI))
    else:
        model, epochs = sbert.RegressionHead(encoder), options.sts_epochs
        pairs, score = data.sts_train, lambda: sbert.spearman(encoder, *columns(dev, datasets.STS))
    names = datasets.NLI if kind == "classification" else datasets.STS
    batches = model.batches(*columns(pairs, names), batch_size=options.batch_size, shuffle=True, seed=seed)
    history = training.train(model, batches, epochs=epochs, learning_rate=options.learning_rate, evaluate=score,
                             patience=options.patience, folder=folder / "training", seed=seed)
    encoder.save(folder / "encoder")
    result = {"seconds": round(history.attrs["seconds"], 1), "history": history.to_dict("records"), **measure(encoder, data)}
    if kind == "classification":
        result["accuracy"] = {name: sbert.accuracy(model, *columns(frame, datasets.NLI)) for name, frame in data.nli_report.items()}
    saving.write_text(folder / STAGE_DONE, json.dumps(result, indent=1))
    shutil.rmtree(folder / "training")  # the encoder and the result are what the next stage needs
    log(f"{folder.name}: done, {json.dumps({key: value for key, value in result.items() if key != 'history'})}")
    return result


def _encoder(folder, max_length):
    """An encoder that a stage saved, or a checkpoint with mean pooling over it."""
    if (Path(folder) / "modules.json").is_file():
        return SentenceEncoder.load(folder)
    return SentenceEncoder(folder, pooling="mean", max_length=max_length)


def columns(frame, names):
    """The three columns as lists."""
    return [frame[name].tolist() for name in names]


def measure(encoder, data):
    """Spearman × 100 on the STS development set and, where there is one, on the test set."""
    figures = {"dev": 100 * sbert.spearman(encoder, *columns(data.sts_dev, datasets.STS))}
    if data.sts_test is not None:
        figures["test"] = 100 * sbert.spearman(encoder, *columns(data.sts_test, datasets.STS))
    return figures


# --- the table ----------------------------------------------------------------------------------------------------


def markdown(results):
    """The results as a page: what was used, one row a strategy and seed, means over the seeds.

    Args:
        results: dict as `main` writes it.

    Returns:
        str.
    """
    accuracies = sorted({name for row in results["rows"] for name in row.get("accuracy", {})})
    titles = ["strategy", "seed", "STS dev", "STS test", *(f"accuracy, {name}" for name in accuracies), "minutes of training"]
    lines = ["| " + " | ".join(titles) + " |", "|---|" + "---:|" * (len(titles) - 1)]
    for row in results["rows"]:
        cells = [row["strategy"], _cell(row.get("seed"), "d"), _cell(row["dev"], ".1f"), _cell(row.get("test"), ".1f")]
        cells += [_cell(row.get("accuracy", {}).get(name), ".3f") for name in accuracies]
        lines.append("| " + " | ".join([*cells, _cell(row.get("seconds", 0) / 60, ".1f")]) + " |")
    used = "\n".join(f"- {role}: {what}" for role, what in results["used"].items())
    recipe = ", ".join(f"{name} {value}" for name, value in results["recipe"].items())
    return (
        f"# Strategies compared: {results['language']}\n\nWritten by `make train-sbert`. Spearman × 100; starts from "
        f"`{results['checkpoint']}` with mean pooling.\n\n" + "\n".join(lines) + f"\n\n{used}\n- recipe: {recipe}\n"
        f"- versions: {', '.join(f'{name} {version}' for name, version in results['versions'].items())}\n"
    )


def _cell(value, form):
    return "–" if value is None else format(value, form)


def with_means(rows):
    """The rows, and behind each strategy of several seeds a row of means."""
    result = []
    for strategy in dict.fromkeys(row["strategy"] for row in rows):
        here = [row for row in rows if row["strategy"] == strategy]
        result += here
        if len(here) > 1:
            mean = {"strategy": f"{strategy}, mean of {len(here)}", "seconds": sum(row["seconds"] for row in here) / len(here)}
            mean |= {name: float(np.mean([row[name] for row in here])) for name in ("dev", "test") if name in here[0]}
            if "accuracy" in here[0]:
                mean["accuracy"] = {name: float(np.mean([row["accuracy"][name] for row in here])) for name in here[0]["accuracy"]}
            result.append(mean)
    return result


def write(results, output):
    """`<language>.json` and `<language>.md`, each whole or not at all."""
    output.mkdir(parents=True, exist_ok=True)
    saving.write_text(output / f"{results['language']}.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    saving.write_text(output / f"{results['language']}.md", markdown(results))


def run(language, options):
    """Every strategy and seed of a language; the files are written anew after each of them."""
    build = options.build / language
    options.output.mkdir(parents=True, exist_ok=True)
    build.mkdir(parents=True, exist_ok=True)

    def log(line):
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}"
        print(line, flush=True)
        with open(options.output / f"{language}.log", "a", encoding="utf-8") as file:
            file.write(line + "\n")

    name = options.checkpoint or CHECKPOINTS[language]
    checkpoint = name if Path(name).is_dir() else checkpoints.resolve(name)
    data = load(language, options.limit)
    for role, what in data.used.items():
        log(f"{role}: {what}")
    recipe = {"batch_size": options.batch_size, "learning_rate": options.learning_rate, "nli_epochs": options.nli_epochs,
              "sts_epochs": options.sts_epochs, "patience": options.patience, "max_length": options.max_length,
              "warm_up": 0.1, "clip": 1.0}
    _refuse_another_run(build / "run.json", {"checkpoint": Path(name).name, "recipe": recipe, "used": data.used})
    rows = [{"strategy": "untrained mean pooling", **measure(_encoder(checkpoint, options.max_length), data)}]
    log(f"untrained mean pooling: {json.dumps(rows[0])}")
    for seed in options.seeds:
        for strategy in options.strategies:
            rows.append(run_strategy(strategy, seed, data, checkpoint, build, options, log))
            ordered = sorted(rows, key=lambda row: [rows[0]["strategy"], *STRATEGIES].index(row["strategy"]))
            write({"language": language, "checkpoint": Path(name).name, "used": data.used, "recipe": recipe,
                   "versions": versions(), "rows": with_means(ordered)}, options.output)
    log(f"written: {options.output / language}.json, {options.output / language}.md")


def _refuse_another_run(path, run):
    """What lies in the build folder belongs to one recipe and one choice of data."""
    if path.is_file() and json.loads(path.read_text(encoding="utf-8")) != run:
        raise SystemExit(f"{path.parent} holds another run (other data, checkpoint or settings): give --build another folder, or delete it.")
    saving.write_text(path, json.dumps(run, indent=1, ensure_ascii=False))


def versions():
    from importlib import metadata

    return {"python": platform.python_version(), **{name: metadata.version(name) for name in ("tf-keras", "transformers", "numpy")}}


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--language", choices=("en", "ko", "both"), default="both")
    parser.add_argument("--checkpoint", help="a name that the course knows, or a folder; else the pocket model of the language")
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--nli-epochs", type=int, default=2)
    parser.add_argument("--sts-epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=5e-5, help="the paper's 2e-5 is for models ten times the size")
    parser.add_argument("--patience", type=int, help="stop a stage after so many epochs without progress")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--limit", type=int, help="at most so many pairs of each set: a quick try")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "sbert")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "sbert")
    options = parser.parse_args(arguments)
    try:
        for language in ("en", "ko") if options.language == "both" else (options.language,):
            run(language, options)
    except KeyboardInterrupt:
        print("\nStopped: the same command goes on from here.", file=sys.stderr)
        return 130
    except (datasets.DatasetError, checkpoints.CheckpointError, FloatingPointError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
