"""Train sentence encoders by the full recipe and write the table of strategies: `python -m tools.train_sbert --language en`.

Classification on NLI, regression on STS, and classification followed by regression, each with every seed, beside the
untrained mean pooling. With both languages, distillation follows: the best Korean encoder learns to give a sentence the
vector that the best English one gives its translation. The public sets come from `COURSE_DATA` or from earlier downloads
(`python -m helpers.datasets download NAME`); what is not there is replaced by the course's own pairs, and the table says
what was used.

Every stage keeps its state under `build/sbert/`: after an interruption the same command goes on. The results go to
`docs/sbert/`: one JSON with everything, one Markdown table, one log for each language and for distillation. Seeds that stand
there already and come from the same start, data and recipe stay in the table: `--seeds 2 3` adds to it. The test set is
measured once a stage has ended and chooses nothing; epochs are chosen on held-out NLI pairs (classification), the STS
development set, or the course's own development sentences (distillation).
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

from helpers import checkpoints, datasets, distillation, saving, sbert, search, training
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
        used["NLI training"] = f"the course's own: {len(own_train):,} pairs ({name}'s train part is not on this computer)"
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
        source = f"the course's own ({name} is not on this computer)"
    else:
        sts = {split: datasets.public(name, split) if datasets.is_here(name, split) else None for split in datasets.SPLITS}
        source = name
    return sts, {
        "STS": f"{source}: train {len(sts['train']):,}, dev {len(sts['dev']):,}",
        "STS test": f"{source}: {len(sts['test']):,}" if sts["test"] is not None else f"{name}'s test part is not on this computer",
    }


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
    result = _stage(first, seed, data, checkpoint, _folder(build, first, seed), options, log)
    if strategy == first:
        return {"strategy": strategy, "seed": seed, **result}
    second = _stage("regression", seed, data, _folder(build, first, seed) / "encoder", _folder(build, strategy, seed), options, log)
    return {"strategy": strategy, "seed": seed, **second, "seconds": result["seconds"] + second["seconds"]}


def _folder(build, strategy, seed):
    """Where a strategy's last stage leaves its encoder and its result."""
    return build / f"{'both' if ' then ' in strategy else strategy}-seed{seed}"


def _stage(kind, seed, data, start, folder, options, log):
    """Train one objective from the encoder or checkpoint at `start`; leaves the encoder and the result in `folder`."""
    if (folder / STAGE_DONE).is_file():
        result = json.loads((folder / STAGE_DONE).read_text(encoding="utf-8"))
        if data.sts_test is not None and "test" not in result:  # the test part came to this computer after the training
            result |= measure(SentenceEncoder.load(folder / "encoder"), data)
            saving.write_text(folder / STAGE_DONE, json.dumps(result, indent=1))
            log(f"{folder.name}: measured on the test part, {result['test']:.1f}")
        return result
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
    remarks = " An accuracy near 0.333, that of guessing among three labels, means that nothing was learnt." if accuracies else ""
    if any("held-out" in name for name in accuracies):
        remarks += " The held-out tenth also chose the epoch, so that its accuracy is a little too high."
    return (
        f"# Strategies compared: {results['language']}\n\nWritten by `make train-sbert`. Spearman × 100; starts from "
        f"`{next(iter(results['start']))}` with mean pooling.{remarks}\n\n" + "\n".join(lines) + "\n\n" + _notes(results)
    )


def _start(name, digest):
    """What the page says of the weights a training began from."""
    now = checkpoints.models_folder() / name
    other = now.is_dir() and checkpoints.weights_digest(now) != digest
    return f"sha256 {digest[:12]}…" + (f", an earlier version of {name} than the one that the course has now" if other else "")


def _notes(results):
    """Under a table: what was used, from which weights, with which settings, by which versions."""
    start = {f"start weights, {name}": _start(name, digest) for name, digest in results["start"].items()}
    recipe = ", ".join(f"{name} {value}" for name, value in results["recipe"].items())
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    made = {**results["used"], **start, "recipe": recipe, "versions": versions, "computer": results["computer"]}
    return "".join(f"- {role}: {what}\n" for role, what in made.items())


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
            mean |= {name: float(np.mean([row[name] for row in here])) for name in ("dev", "test") if all(name in row for row in here)}
            if "accuracy" in here[0]:
                mean["accuracy"] = {name: float(np.mean([row["accuracy"][name] for row in here])) for name in here[0]["accuracy"]}
            result.append(mean)
    return result


def write(name, results, output):
    """`<name>.json` with the results and `<name>.md` with the page made of them, each whole or not at all."""
    saving.write_text(output / f"{name}.json", json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    saving.write_text(output / f"{name}.md", page(results))


def page(results):
    """The page that belongs to the results: str."""
    return distillation_markdown(results) if "sentences" in results else markdown(results)


def write_pages(output):
    """Write the pages anew; what they say of the start weights depends on the models that the course has now."""
    for name in (*CHECKPOINTS, "distillation"):
        if (output / f"{name}.json").is_file():
            write(name, json.loads((output / f"{name}.json").read_text(encoding="utf-8")), output)
            print(f"written: {output / name}.md")
    return 0


# --- distillation: Korean into the English space ------------------------------------------------------------------------


def load_parallel(limit=None):
    """Sentences in both languages: the course's own, and with them the STS Benchmark's training part, matched with KorSTS'.

    Args:
        limit: int, at most so many rows of each part, for a quick try; None for all.

    Returns:
        {split: DataFrame with the columns english and korean}, no sentence twice, and {role: where it is from}. What is not
        the course's own is in "train" alone.
    """
    rows = {split: distillation.parallel(split) for split in datasets.SPLITS}
    used = {"parallel training sentences": f"the course's own: {len(rows['train']):,}"}
    if all(datasets.is_here(name, "train") for name in STS_SETS.values()):
        public, left_out = _matched("train")
        known = pd.concat(rows.values())
        public = public[~public["english"].isin(known["english"]) & ~public["korean"].isin(known["korean"])]
        rows["train"] = pd.concat([rows["train"], public], ignore_index=True)
        used["parallel training sentences"] += (
            f"; stsb train and its translation korsts train: {len(public):,} ({left_out:,} pairs without a match left out)"
        )
    else:
        used["parallel training sentences"] += f" ({' or '.join(STS_SETS.values())} is not on this computer)"
    used["parallel sentences choosing the epoch"] = f"the course's own dev: {len(rows['dev']):,}"
    used["parallel sentences measured on"] = f"the course's own test: {len(rows['test']):,}"
    if limit:
        used["limit"] = f"at most {limit} rows of each: a trial, not a result"
    return {split: frame.head(limit) if limit else frame for split, frame in rows.items()}, used


def _matched(split):
    """English and Korean sentences of the two STS sets' common rows, none twice; and how many rows have no counterpart."""
    english, korean = (datasets.by_source(STS_SETS[language], split) for language in ("en", "ko"))
    common = [source for source in english if source in korean]
    rows = [pair for source in common for pair in zip(english[source], korean[source])]
    frame = pd.DataFrame(rows, columns=["english", "korean"]).drop_duplicates("english").drop_duplicates("korean")
    return frame, len(english.keys() | korean.keys()) - len(common)


def run_distillation(runs, options):
    """The best Korean encoder becomes the student of the best English one.

    Args:
        runs: {language: what `run` returned}.
        options: the command's.
    """
    log = _log_to(options.output / "distillation.log")
    best = {language: _best(made["rows"], options.build / language) for language, made in runs.items()}
    teacher, student = (_folder(options.build / language, best[language]["strategy"], best[language]["seed"]) for language in ("en", "ko"))
    build = options.build / f"distillation-{teacher.name}-{student.name}"
    build.mkdir(parents=True, exist_ok=True)
    start = {name: digest for made in runs.values() for name, digest in made["start"].items()}
    parallel, used = load_parallel(options.limit)
    korean = load("ko", options.limit)
    used = {**{role: _chosen(best[language]) for role, language in (("teacher, English", "en"), ("student, Korean", "ko"))},
            **used, "STS": korean.used["STS"], "STS measured on": korean.used["STS test"]}
    for role, what in used.items():
        log(f"{role}: {what}")
    recipe = {"batch_size": options.batch_size, "learning_rate": options.distillation_learning_rate,
              "epochs": options.distillation_epochs, "patience": options.patience}
    _refuse_another_run(build / "run.json", {"start": start, "recipe": recipe, "used": used})
    if not (build / STAGE_DONE).is_file():
        teacher, student = SentenceEncoder.load(teacher / "encoder"), SentenceEncoder.load(student / "encoder")
        made = _distil(teacher, student, parallel, korean, build / "training", best["ko"]["seed"], options)
        saving.write_text(build / STAGE_DONE, json.dumps(made, indent=1))
        shutil.rmtree(build / "training")
    result = json.loads((build / STAGE_DONE).read_text(encoding="utf-8"))
    results = {"start": start, "used": used, "recipe": recipe, "versions": versions(), "computer": environment.computer(), **result}
    write("distillation", results, options.output)
    log(f"written: distillation.json, distillation.md: {json.dumps(result['rows'])}")


def _best(rows, build):
    """The best on dev of the first seed, wherever a later command adds seeds; its encoders have to be in the build folder."""
    here = [row for row in rows if "seed" in row and (_folder(build, row["strategy"], row["seed"]) / "encoder").is_dir()]
    first = min(row["seed"] for row in here)
    return max((row for row in here if row["seed"] == first), key=lambda row: row["dev"])


def _chosen(row):
    return f"{row['strategy']}, seed {row['seed']}, of this run the best on its STS dev ({row['dev']:.1f})"


def _distil(teacher, student, parallel, korean, folder, seed, options):
    """{"rows": the student as it was, behind a linear map, and trained; "history", "seconds"}."""
    vectors = {split: teacher.encode(frame["english"].tolist()) for split, frame in parallel.items()}

    def hits(encoder, split):
        scores = teacher.similarity(encoder.encode(parallel[split]["korean"].tolist()), vectors[split])
        return search.accuracy_at_1(scores, np.arange(len(scores)))

    def measured(name, encoder):
        return {"encoder": name, "accuracy@1": hits(encoder, "test"), **measure(encoder, korean)}

    model = distillation.Distillation(student, hidden=teacher.hidden)
    rows = [measured("Korean encoder, untouched", student)] if student.hidden == teacher.hidden else []
    model.align(parallel["train"]["korean"].tolist(), vectors["train"])
    rows.append(measured("with a linear map", model))
    batches = model.batches(parallel["train"]["korean"].tolist(), vectors["train"], batch_size=options.batch_size, shuffle=True,
                            seed=seed)
    history = training.train(model, batches, epochs=options.distillation_epochs, learning_rate=options.distillation_learning_rate,
                             evaluate=lambda: hits(model, "dev"), patience=options.patience, folder=folder, seed=seed)
    rows.append(measured("with the map, trained by distillation", model))
    model.save(folder.parent / "encoder")
    return {"rows": rows, "sentences": len(parallel["test"]), "history": history.to_dict("records"),
            "seconds": round(history.attrs["seconds"], 1)}


def distillation_markdown(results):
    """The results of distillation as a page.

    Args:
        results: dict as `run_distillation` writes it.

    Returns:
        str.
    """
    lines = ["| Korean encoder | accuracy@1 | STS dev | STS test |", "|---|---:|---:|---:|"]
    for row in results["rows"]:
        lines.append(f"| {row['encoder']} | {row['accuracy@1']:.3f} | {row['dev']:.1f} | {_cell(row.get('test'), '.1f')} |")
    return (
        "# Korean into the English space\n\nWritten by `make train-sbert`. accuracy@1: the share of Korean test sentences whose "
        f"English counterpart is the nearest of {results['sentences']:,}, where guessing finds {1 / results['sentences']:.3f}. "
        f"STS: Korean pairs, Spearman × 100. {results['seconds'] / 60:.1f} minutes of training.\n\n"
        + "\n".join(lines) + "\n\n" + _notes(results)
    )


# --- the command ----------------------------------------------------------------------------------------------------------


def run(language, options):
    """Every strategy and seed of a language; the files are written anew after each of them.

    Returns:
        dict: `start`, {checkpoint: SHA-256 of its weights}, and `rows`, those of the table.
    """
    build, log = options.build / language, _log_to(options.output / f"{language}.log")
    build.mkdir(parents=True, exist_ok=True)
    name = options.checkpoint or CHECKPOINTS[language]
    checkpoint = name if Path(name).is_dir() else checkpoints.resolve(name)
    data = load(language, options.limit)
    for role, what in data.used.items():
        log(f"{role}: {what}")
    recipe = {"batch_size": options.batch_size, "learning_rate": options.learning_rate, "nli_epochs": options.nli_epochs,
              "sts_epochs": options.sts_epochs, "patience": options.patience, "max_length": options.max_length,
              "warm_up": 0.1, "clip": 1.0}
    start = {Path(name).name: checkpoints.weights_digest(checkpoint)}
    _refuse_another_run(build / "run.json", {"start": start, "recipe": recipe, "used": data.used})
    rows = [{"strategy": "untrained mean pooling", **measure(_encoder(checkpoint, options.max_length), data)}]
    log(f"untrained mean pooling: {json.dumps(rows[0])}")
    results = {"language": language, "start": start, "used": data.used, "recipe": recipe, "versions": versions(),
               "computer": environment.computer()}
    known = earlier(options.output / f"{language}.json", results)
    for seed in options.seeds:
        for strategy in options.strategies:
            rows.append(run_strategy(strategy, seed, data, checkpoint, build, options, log))
            results["rows"] = with_means(ordered(rows, known))
            write(language, results, options.output)
    log(f"written: {language}.json, {language}.md")
    return {"start": start, "rows": ordered(rows, known)}


def earlier(path, results):
    """Rows of an earlier run that belong into the same table.

    Args:
        path: Path, the JSON of the earlier run; need not exist.
        results: dict, the run that begins: its start weights, recipe and data have to be the same.

    Returns:
        list of dict, the rows with a seed; empty where the earlier run was another one.
    """
    if not path.is_file():
        return []
    before = json.loads(path.read_text(encoding="utf-8"))
    if _what_makes(before) != _what_makes(results):
        return []
    return [row for row in before["rows"] if "seed" in row]


def ordered(rows, known):
    """The rows by strategy and seed; of the known ones those that the others do not replace."""
    new = {(row["strategy"], row.get("seed")) for row in rows}
    rows = rows + [row for row in known if (row["strategy"], row["seed"]) not in new]
    return sorted(rows, key=lambda row: ([rows[0]["strategy"], *STRATEGIES].index(row["strategy"]), row.get("seed", 0)))


def _log_to(path):
    """A function that prints a line with the time and adds it to the file."""
    path.parent.mkdir(parents=True, exist_ok=True)

    def log(line):
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {line}"
        print(line, flush=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(line + "\n")

    return log


def _refuse_another_run(path, run):
    """What lies in the build folder belongs to one recipe and one choice of data."""
    if path.is_file() and _what_makes(json.loads(path.read_text(encoding="utf-8"))) != _what_makes(run):
        raise SystemExit(f"{path.parent} holds another run (other data, checkpoint or settings): give --build another folder, or delete it.")
    saving.write_text(path, json.dumps(run, indent=1, ensure_ascii=False))


def _what_makes(run):
    """What makes a run the one it is: start weights, recipe, data. Not the test part, which nothing is learnt from or chosen by."""
    return run["start"], run["recipe"], {role: what for role, what in run["used"].items() if role != "STS test"}


def versions():
    from importlib import metadata

    return {"python": platform.python_version(), **{name: metadata.version(name) for name in ("tf-keras", "transformers", "numpy")}}


def command_line():
    """What the command understands."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--language", choices=("en", "ko", "both"), default="both", help="distillation follows where it is both")
    parser.add_argument("--checkpoint", help="a name that the course knows, or a folder; else the pocket model of the language")
    parser.add_argument("--strategies", nargs="+", choices=STRATEGIES, default=list(STRATEGIES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3])
    parser.add_argument("--nli-epochs", type=int, default=2)
    parser.add_argument("--sts-epochs", type=int, default=4)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--learning-rate", type=float, default=5e-5, help="the paper's 2e-5 is for models ten times the size")
    parser.add_argument("--distillation-epochs", type=int, default=6)
    parser.add_argument("--distillation-learning-rate", type=float, default=1e-4)
    parser.add_argument("--patience", type=int, help="stop a stage after so many epochs without progress")
    parser.add_argument("--max-length", type=int, default=128)
    parser.add_argument("--limit", type=int, help="at most so many pairs of each set: a quick try")
    parser.add_argument("--pages", action="store_true", help="train nothing; write the pages anew from the figures that are there")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "sbert")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "sbert")
    return parser


def main(arguments=None):
    options = command_line().parse_args(arguments)
    if options.pages:
        return write_pages(options.output)
    try:
        languages = tuple(CHECKPOINTS) if options.language == "both" else (options.language,)
        runs = {language: run(language, options) for language in languages}
        if options.language == "both":
            run_distillation(runs, options)
    except KeyboardInterrupt:
        print("\nStopped: the same command goes on from here.", file=sys.stderr)
        return 130
    except (datasets.DatasetError, checkpoints.CheckpointError, FloatingPointError, ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
