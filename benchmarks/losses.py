"""The two objectives beside sentence-transformers' own: `python -m benchmarks.losses`.

Each head of `helpers.sbert` is trained, and the loss of sentence-transformers that stands for it (`SoftmaxLoss`,
`CosineSimilarityLoss`): the same start (encoder, and W_y), the same pairs in the same batches, the same number of steps, learning
rates and clipping, Adam. Once without dropout, where nothing random is left and the figures have to agree, and with the model's
own dropout, where each library draws its own zeros, with several seeds: their means, and from where to where they go. Both
encoders rank the same development pairs. TensorFlow and PyTorch run in processes of their own, one after the other. Exits
with 1 where the figures without dropout differ by more than a point.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import mean

from benchmarks.encode import positive, save
from helpers import checkpoints

HEADS = {"ClassificationHead": "SoftmaxLoss", "RegressionHead": "CosineSimilarityLoss"}
OURS, THEIRS = "ours", "sentence-transformers"
LARGEST_DIFFERENCE = 1.0  # points of Spearman × 100
RATE, WARM_UP, CLIP, SEED, BATCH = 5e-5, 0.1, 1.0, 1, 16
EPSILON, BETA_2 = 1e-7, 0.999  # Adam's in Keras


def epsilon(step):
    """PyTorch's epsilon that does at a step, counted from 0, what Keras' does, which is added before the bias is corrected."""
    return EPSILON / (1 - BETA_2 ** (step + 1)) ** 0.5


def rate(step, steps):
    """The learning rate of a step, counted from 0: that of `training.WarmUpLinearDecay`."""
    rising = round(WARM_UP * steps)
    return RATE * min((step + 1) / max(1, rising), (steps - step) / max(1, steps + 1 - rising), 1.0)


def ours(folder, head, task):
    """Train with `helpers`; leaves the order of the batches and the first W_y in `task` for the other library.

    Args:
        folder: Path, a saved encoder.
        head: str, one of `HEADS`.
        task: dict of `main`; its `seed` is that of dropout.

    Returns:
        dict: `loss` (mean of the epoch), `spearman` (× 100, development pairs), and for the other library `order`, `targets` and,
        for the classification, `W_y`.
    """
    from helpers import environment

    environment.prepare()
    from helpers import sbert, training
    from helpers.sentence_encoder import SentenceEncoder

    encoder = SentenceEncoder.load(folder)
    model = getattr(sbert, head)(encoder, **({"seed": SEED} if head == "ClassificationHead" else {}))
    batches = model.batches(*task["train"][head], batch_size=BATCH, shuffle=True, seed=SEED)
    given = {"order": [rows.tolist() for rows in batches.order(0)], "targets": batches.targets.tolist()}
    if head == "ClassificationHead":
        given["W_y"] = model.W_y.numpy().tolist()
    history = training.train(model, batches, learning_rate=RATE, warm_up=WARM_UP, clip=CLIP, seed=task["seed"], progress=False)
    return {"loss": float(history["loss"].iloc[0]), "spearman": 100 * sbert.spearman(encoder, *task["dev"]), **given}


def theirs(folder, head, task):
    """The same with sentence-transformers; `task["given"]` is what `ours` returned.

    Returns:
        dict: `loss`, `spearman`.
    """
    import torch
    from scipy.stats import spearmanr
    from sentence_transformers import SentenceTransformer, losses

    torch.manual_seed(task["seed"])
    model, given = SentenceTransformer(str(folder), device="cpu"), task["given"]
    if head == "ClassificationHead":
        start = torch.tensor(given["W_y"])
        loss = losses.SoftmaxLoss(model, sentence_embedding_dimension=start.shape[0] // 3, num_labels=start.shape[1])
        with torch.no_grad():
            loss.classifier.weight.copy_(start.T)
            loss.classifier.bias.zero_()  # the paper's W_y has none; theirs learns one
    else:
        loss = losses.CosineSimilarityLoss(model)
    adam = torch.optim.Adam(loss.parameters(), betas=(0.9, BETA_2))
    first, second, _ = task["train"][head]
    seen, steps = [], len(given["order"])
    model.train()
    for step, rows in enumerate(given["order"]):
        adam.param_groups[0].update(lr=rate(step, steps), eps=epsilon(step))
        adam.zero_grad()
        features = [model.tokenize([side[row] for row in rows]) for side in (first, second)]
        value = loss(features, torch.tensor([given["targets"][row] for row in rows]))
        value.backward()
        torch.nn.utils.clip_grad_norm_(loss.parameters(), CLIP)
        adam.step()
        seen.append(value.item() * len(rows))
    model.eval()
    one, other = (model.encode(side, normalize_embeddings=True) for side in task["dev"][:2])
    count = sum(map(len, given["order"]))
    return {"loss": sum(seen) / count, "spearman": 100 * float(spearmanr((one * other).sum(axis=1), task["dev"][2]).statistic)}


def work(way, folder, head, task_file):
    """The process of one way; prints what it found as JSON in its last line."""
    task = json.loads(Path(task_file).read_text(encoding="utf-8"))
    print(json.dumps({OURS: ours, THEIRS: theirs}[way](Path(folder), head, task)))


def run(way, folder, head, task, python, scratch):
    """One way in a process of its own.

    Raises:
        RuntimeError: it failed; the message holds the end of what it said.
    """
    file = scratch / "task.json"
    file.write_text(json.dumps(task), encoding="utf-8")
    torch = way == THEIRS
    done = subprocess.run([python, "-m", "benchmarks.losses", "--work", way, str(folder), head, str(file)], text=True, capture_output=True,
                          env={**os.environ, "USE_TORCH": str(int(torch)), "USE_TF": str(int(not torch)), "HF_HUB_OFFLINE": "1"})
    if done.returncode:
        raise RuntimeError(f"{way}, {head}: {done.stderr[-1500:]}")
    return json.loads(done.stdout.splitlines()[-1])


def data(pairs):
    """Pairs to train on for each head, and development pairs: the public sets where they are here, else the course's own."""
    from helpers import datasets

    used = []

    def table(name, split, own, own_split):
        here = datasets.is_here(name, split)
        used.append(f"{name} {split}" if here else f"the course's own {own_split} in place of {name} {split}")
        return datasets.public(name, split) if here else own("en", own_split)

    nli = table("snli", "dev", datasets.nli, "train")  # its train part is for `make train-sbert`
    sts, dev = (table("stsb", split, datasets.sts, split) for split in ("train", "dev"))
    nli, sts = (frame.sample(min(pairs, len(frame)), random_state=SEED) for frame in (nli, sts))
    columns = lambda frame, names: [frame[name].tolist() for name in names]
    return {"train": {"ClassificationHead": columns(nli, datasets.NLI), "RegressionHead": columns(sts, datasets.STS)},
            "dev": columns(dev, datasets.STS), "used": ", ".join(used)}


def set_dropout(folder, share):
    """Another dropout for the encoder that is saved there."""
    file = folder / "config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    file.write_text(json.dumps({**settings, "hidden_dropout_prob": share, "attention_probs_dropout_prob": share}), encoding="utf-8")


def compare(folder, head, task, seeds, torch_python, scratch):
    """Train with both libraries, once for each seed of dropout.

    Args:
        folder: Path, a saved encoder.
        head: str, one of `HEADS`.
        task: dict: `train` and `dev` as `data` returns them.
        seeds: list of int.
        torch_python: str, the interpreter that has sentence-transformers.
        scratch: Path, a folder for the files that pass between the processes.

    Returns:
        dict: `steps`, and for each library {"loss": list, "spearman": list (× 100)}, one a seed.
    """
    figures = {way: {"loss": [], "spearman": []} for way in (OURS, THEIRS)}
    for seed in seeds:
        mine = run(OURS, folder, head, {**task, "seed": seed}, sys.executable, scratch)
        other = run(THEIRS, folder, head, {**task, "seed": seed, "given": mine}, torch_python, scratch)
        for way, result in ((OURS, mine), (THEIRS, other)):
            for name, values in figures[way].items():
                values.append(result[name])
    return {"steps": len(mine["order"]), **figures}


def row(head, dropout, found):
    """A line of the table, and how far apart the means of Spearman × 100 are."""
    mine, other = found[OURS], found[THEIRS]
    difference = mean(mine["spearman"]) - mean(other["spearman"])
    cells = [f"{head} / {HEADS[head]}", f"{dropout:g}", str(len(mine["loss"])), str(found["steps"]), f"{mean(mine['loss']):.5f}",
             f"{mean(other['loss']):.5f}", _spread(mine["spearman"]), _spread(other["spearman"]), f"{difference:+.2f}"]
    return "| " + " | ".join(cells) + " |", abs(difference)


def _spread(values):
    """Their mean; of several also the lowest and the highest."""
    return f"{mean(values):.2f}" + (f" ({min(values):.1f} – {max(values):.1f})" if len(values) > 1 else "")


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--work"]:
        return work(*arguments[1:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", default="pocket-english", help="a name that the course knows, or a folder")
    parser.add_argument("--pairs", type=positive, default=1600, help="to train on, one epoch; those of the set are the most")
    parser.add_argument("--seeds", type=positive, default=3, help="how many, with dropout")
    parser.add_argument("--torch-python", default=sys.executable, help="another interpreter for sentence-transformers")
    parser.add_argument("--output", type=Path, help="a Markdown file for the table")
    options = parser.parse_args(arguments)
    folder = options.checkpoint if Path(options.checkpoint).is_dir() else checkpoints.resolve(options.checkpoint)
    start = f"{Path(folder).name}, weights with sha256 {checkpoints.weights_digest(folder)[:12]}…"
    lines = ["| objective | dropout | seeds | steps | loss, ours | loss, theirs | Spearman × 100, ours | theirs | difference |", "|---|" + "---:|" * 8]
    worst = 0.0
    with tempfile.TemporaryDirectory(prefix="bench-losses-") as scratch:
        scratch, task = Path(scratch), data(options.pairs)
        save(folder, scratch / "encoder")
        own = json.loads((scratch / "encoder" / "config.json").read_text(encoding="utf-8"))["hidden_dropout_prob"]
        for head in HEADS:
            for dropout, seeds in ((0.0, 1), (own, options.seeds)):
                set_dropout(scratch / "encoder", dropout)
                found = compare(scratch / "encoder", head, task, range(1, seeds + 1), options.torch_python, scratch)
                line, difference = row(head, dropout, found)
                worst = worst if dropout else max(worst, difference)
                lines.append(line)
                print(line, flush=True)
    verdict = (f"Without dropout, where nothing is left to chance, the largest difference is {worst:.2f} points; the bar is "
               f"{LARGEST_DIFFERENCE:g}: {'reached' if worst <= LARGEST_DIFFERENCE else 'NOT reached'}.")
    print(verdict)
    if options.output:
        from helpers import saving

        saving.write_text(options.output, (
            f"# The objectives beside sentence-transformers' own\n\nWritten by `python -m benchmarks.losses`: the same start ({start}), pairs "
            f"({task['used']}), batches, steps and learning rates; measured on the development pairs. With dropout: the mean of the seeds, and from where to where they go.\n\n"
            + "\n".join(lines) + f"\n\n{verdict}\n"))
    return int(worst > LARGEST_DIFFERENCE)


if __name__ == "__main__":
    sys.exit(main())
