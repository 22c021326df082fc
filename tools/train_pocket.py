"""Train a pocket model: `python -m tools.train_pocket pocket-korean`.

First `prepare` writes the vocabulary, the packed corpus and the network at step 0 under `build/`; what is there is kept.
The training itself then needs neither texts nor other models, only that folder, so that it can go on on another computer. It
saves a checkpoint every three minutes and goes on from it after any interruption. After the last step
`tools.evaluate_pocket` writes the checkpoint folder and its card.
"""

import argparse
import itertools
import json
import os
import shutil
import sys
import time
from pathlib import Path

import numpy as np
import torch
from tqdm import tqdm

from tools.pocket import configuration as configurations
from tools.pocket import corpus, export, measure, objectives, vocabulary
from tools.pocket import network as networks

LOOK_EVERY = {"cpu": 1, "cuda": 20}  # steps; looking at the loss waits for everything that is queued on a GPU


def prepare(configuration, text_folders, build, finished=None, origin=None, new_vocabulary=False):
    """Write the vocabulary, the packed corpus and the first network into `build` unless they are there.

    Args:
        configuration: dict of `configuration.load`.
        text_folders: list of Path that the sources' paths start from; not read where `build` is complete.
        build: Path.
        finished: Path of a checkpoint folder that an earlier run wrote: go on from its weights, vocabulary and step
            instead of starting at step 0. The optimizer starts anew.
        origin: Path or None, what the start takes weights from, see `start.model`.
        new_vocabulary: bool, learn the vocabulary from the texts although the finished model has one, see `start.with_vocabulary`.
    """
    checkpoint = build / "checkpoint.pt"
    if not checkpoint.is_file():
        prepare_corpus(configuration, text_folders, build, None if new_vocabulary else finished)
        write_special(configuration, build)
        write_start(configuration, build, checkpoint, finished, origin)


def write_start(configuration, build, checkpoint, finished=None, origin=None):
    """The part of `prepare` that makes the first network and writes it to `checkpoint` (Path)."""
    from tools.pocket import start  # needs SVD and the weights to start from; training alone does not

    special = json.loads((build / "special.json").read_text(encoding="utf-8"))
    words = vocabulary.words(build / "tokenizer")
    if finished:
        network, log, old = export.load(finished), export.read_log(finished), vocabulary.words(finished)
        if old != words:
            network = start.with_vocabulary(network, configuration, special, old, words)
    else:
        network, log = start.model(configuration, corpus.load(build, "train"), special, words, origin), []
    last = log[-1] if log else {"step": 0, "tokens": 0}
    save(checkpoint, network=network.state_dict(), optimizer=None, step=last["step"], tokens=last["tokens"], log=log)


def prepare_corpus(configuration, text_folders, build, finished=None):
    """The part of `prepare` that reads texts: the vocabulary and the packed corpus."""
    tokenizer_folder = build / "tokenizer"
    figures = json.loads(configurations.FIGURES.read_text(encoding="utf-8"))
    if not (tokenizer_folder / "tokenizer.json").is_file():
        if finished:
            export.copy_tokenizer(finished, tokenizer_folder)
        elif "vocabulary" in configuration:
            excluded = corpus.Excluded(corpus.document_texts(figures))
            lines = weighted_lines(configuration, text_folders, excluded)
            made = vocabulary.train(lines, **configuration["vocabulary"])
            vocabulary.write(made, tokenizer_folder, configuration["lowercase"])
        else:
            from tools.pocket import start

            vocabulary.copy(start.minilm_folder(), tokenizer_folder)
    if not (build / "corpus.json").is_file():
        summary = corpus.prepare(configuration, text_folders, figures, vocabulary.load(tokenizer_folder), build)
        print(json.dumps(summary, ensure_ascii=False, indent=1))


def write_special(configuration, build):
    """Write what training needs to know of the vocabulary."""
    special = vocabulary.special_ids(build / "tokenizer", configuration["predict_unknown"])
    (build / "special.json").write_text(json.dumps(special), encoding="utf-8")


def weighted_lines(configuration, text_folders, excluded):
    """Training lines for the vocabulary: each source up to as many characters as its weight allows."""
    for source in configuration["sources"]:
        budget = source["weight"] * 1_500_000
        for document in corpus.read_documents(corpus.find(text_folders, source["path"]), source.get("unit", "document"), excluded):
            if budget <= 0:
                break
            if not corpus.is_held_out(document, configuration["seed"]):
                budget -= sum(map(len, document))
                yield from document


def learning_rate(step, over, training):
    """Warm up, hold, then fall linearly to zero over the last `decay` share of the run.

    Args:
        step: int, from 0, of this optimizer: a run that goes on from a finished model warms up again.
        over: float, the share of the run that is over.
        training: dict, the configuration's table.
    """
    return training["learning_rate"] * min(1.0, (step + 1) / training["warmup"], max(0.0, (1 - over) / training["decay"]))


class Batches(torch.utils.data.Dataset):
    """The sampler's batches by step, so that PyTorch's DataLoader makes them ahead in processes of their own."""

    def __init__(self, sampler, training, pair_tokens):
        self.sampler, self.training, self.pair_tokens = sampler, training, pair_tokens

    def __getitem__(self, step):
        return self.sampler.batch(step, self.training["tokens_a_batch"], self.training["short_share"], self.pair_tokens)


def shows_long_rows(over, training):
    """Whether so much of the run is over that long rows are shown."""
    return over >= 1 - training.get("long_share", 0.0)


def batches(sampler, training, step, long, workers):
    """The batches from `step` on, without end; they are the same with any number of worker processes."""
    made = Batches(sampler, training, training["long_tokens"] if long else training["pair_tokens"])
    if not workers:
        return map(made.__getitem__, itertools.count(step))
    return iter(torch.utils.data.DataLoader(made, sampler=range(step, sys.maxsize), batch_size=None, num_workers=workers, prefetch_factor=4))


def save(path, **state):
    """Write a checkpoint whole or not at all: to a new file, then renamed over the old one."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def average(paths):
    """The mean of some checkpoints' weights, as a checkpoint that can be measured and gone on from.

    What stands at the end of one run and of its continuation is often worse than the mean of both (Izmailov et al. 2018,
    arXiv 1803.05407). Networks that were trained apart from the first step on have no useful mean.

    Args:
        paths: list of Path, checkpoints of one configuration.

    Returns:
        dict with `network` (float32), `optimizer` (None) and, from the checkpoint with the most steps, `step`, `tokens` and `log`.

    Raises:
        ValueError: the networks are not of one shape.
    """
    states = [torch.load(path, map_location="cpu", weights_only=True) for path in paths]
    networks_of_all = [state["network"] for state in states]
    shapes = [{name: tensor.shape for name, tensor in network.items()} for network in networks_of_all]
    for path, shape in zip(paths, shapes):
        if shape != shapes[0]:
            raise ValueError(f"{path} holds a network of another shape than {paths[0]}: only checkpoints of one configuration have a mean.")
    mean = {
        name: torch.stack([network[name].float() for network in networks_of_all]).mean(dim=0) if tensor.is_floating_point() else tensor
        for name, tensor in networks_of_all[0].items()
    }
    last = max(states, key=lambda state: state["step"])
    return {"network": mean, "optimizer": None, "step": last["step"], "tokens": last["tokens"], "log": last["log"]}


def optimiser(network, training):
    """AdamW with weight decay on matrices alone."""
    parameters = [parameter for parameter in network.parameters() if parameter.requires_grad]
    groups = [
        {"params": [p for p in parameters if p.dim() > 1], "weight_decay": training.get("weight_decay", 0.01)},
        {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=training["learning_rate"], betas=(0.9, 0.98), eps=1e-6, fused=True)


def loss_of(network, batch, device, bf16, next_sentence_weight=1.0):
    """Masked-LM loss plus next-sentence loss (arXiv 1810.04805, A.2); single texts have no next-sentence loss.

    A weight above 1 helps a small network off the plateau of the next-sentence loss; the paper has 1.
    """
    logits, targets, follows, labels = measure.forward(network, batch, device, bf16)
    loss = torch.nn.functional.cross_entropy(logits, targets)
    if (batch.next_sentence != objectives.IGNORE).any():
        loss = loss + next_sentence_weight * torch.nn.functional.cross_entropy(follows, labels, ignore_index=objectives.IGNORE)
    return loss


def train(configuration, build, device, minutes=None, clock=time.monotonic, within=None, workers=0, compiled=False):
    """Go on from `build/checkpoint.pt` up to the configured step, or for so many minutes.

    With `long_share` in the configuration, the last so many of the steps show `long_tokens` instead of `pair_tokens`
    (arXiv 1810.04805, A.2: 512 tokens for the last tenth, so that all positions are learnt).

    Args:
        configuration: dict of `configuration.load`.
        build: Path, as `prepare` left it.
        device: str, "cpu" or "cuda".
        minutes: float or None.
        clock: function, what the minutes are counted by, in seconds.
        within: float or None: fit the whole run, warm-up, fall and long rows, into so many minutes, unless the steps end it before.
        workers: int, processes that make batches ahead.
        compiled: bool, let PyTorch compile the encoder; on a CPU that needs a C++ compiler.

    Returns:
        bool, whether the run came to its end.

    Raises:
        FloatingPointError: the loss is no longer a number; the last checkpoint is whole.
    """
    training, sources, seed = configuration["training"], configuration["sources"], configuration["seed"]
    special = json.loads((build / "special.json").read_text(encoding="utf-8"))
    path = build / "checkpoint.pt"
    state = torch.load(path, map_location=device, weights_only=True)
    step, tokens, log = state["step"], state["tokens"], state["log"]
    network = networks.build(configuration, special, device).to(device)
    network.load_state_dict(state["network"])
    if compiled:
        network.bert.encoder.compile(dynamic=True)
    if training.get("heads_only"):
        network.bert.requires_grad_(False)
        network.bert.pooler.requires_grad_(True)
    optimizer = optimiser(network, training)
    if state["optimizer"]:
        optimizer.load_state_dict(state["optimizer"])
    first = step - max((int(seen["step"]) for seen in optimizer.state.values()), default=0)
    bf16 = measure.bf16_helps(device)
    variants = {name: training[name] for name in ("detached", "same_document", "whole_words") if name in training}
    sampler = objectives.Sampler(corpus.load(build, "train"), sources, special, seed, **variants)
    exam = list(measure.batches(corpus.load(build, "held_out"), sources, special, seed, 12))
    before, recent = tokens, []
    over = step / training["steps"]
    stop, long = over >= 1, shows_long_rows(over, training)
    made = batches(sampler, training, step, long, workers)
    made = itertools.chain([next(made)], made)  # when the clock starts, the worker processes are at work
    begun, saved = clock(), time.monotonic()
    with tqdm(total=training["steps"], initial=step, unit="step", file=sys.stdout, mininterval=30, ascii=True) as bar:
        while not stop:
            if shows_long_rows(over, training) is not long:
                long, made = not long, batches(sampler, training, step, not long, workers)
            batch = next(made)
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(step - first, over, training)
            loss = loss_of(network, batch, device, bf16, training.get("next_sentence_weight", 1.0))
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            step += 1
            tokens += int(batch.attention_mask.sum())
            over = max(step / training["steps"], (clock() - begun) / (within * 60) if within else 0.0)
            stop = over >= 1 or (minutes is not None and clock() - begun > minutes * 60)
            due = stop or time.monotonic() - saved > 180
            if due or step % LOOK_EVERY[torch.device(device).type] == 0:
                recent = [*recent[-49:], loss.item()]
                if not np.isfinite(recent[-1]):
                    raise FloatingPointError(f"The loss is {recent[-1]} at step {step - 1}: lower the learning rate; the last checkpoint is whole.")
                bar.set_postfix_str(f"loss {np.mean(recent):.2f}, {(tokens - before) / (clock() - begun):.0f} tokens/s", refresh=False)
            bar.update()
            if step % training["exam_every"] == 0 or over >= 1:
                figures = measure.accuracy(network, exam, device, bf16)
                log.append({"step": step, "tokens": tokens, **{name: round(value, 4) for name, value in figures.items()}})
                bar.write(f"step {step}: held-out MLM accuracy {figures['mlm']:.3f}, loss {figures['loss']:.3f}, NSP accuracy {figures['nsp']:.3f}", file=sys.stdout)
            if due:
                save(path, network=network.state_dict(), optimizer=optimizer.state_dict(), step=step, tokens=tokens, log=log)
                saved = time.monotonic()
    return over >= 1


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", choices=configurations.names())
    parser.add_argument("--texts", type=Path, nargs="+", help="folders that the configuration's paths start from")
    parser.add_argument("--build", type=Path, default=configurations.ROOT / "build")
    parser.add_argument("--go-on-from", type=Path, metavar="FOLDER", help="start from a finished model's weights, such as models/pocket-english")
    parser.add_argument("--new-vocabulary", action="store_true", help="with --go-on-from: learn the vocabulary anew from the texts; pieces that are new start as the mean of what they were cut into")
    parser.add_argument("--average", type=Path, nargs="+", metavar="CHECKPOINT", help="instead of training, let the mean of these checkpoints' weights be the run's")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--steps", type=int, help="total steps, instead of the configuration's")
    parser.add_argument("--minutes", type=float, help="stop (and save) after so many minutes")
    parser.add_argument("--within", type=float, metavar="MINUTES", help="end the whole run after so many minutes, learning rate at zero, steps or not")
    parser.add_argument("--workers", type=int, default=0, help="processes that make batches ahead; a GPU needs a dozen")
    parser.add_argument("--origin", type=Path, metavar="FOLDER", help="where the weights to start from lie, if not where they are put by the commands that bring them")
    parser.add_argument("--compile", action="store_true", help="let PyTorch compile the encoder; on a CPU that needs a C++ compiler")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args(arguments)
    if options.compile and options.device == "cpu" and not any(map(shutil.which, (os.environ.get("CXX", "g++"), "clang++"))):
        parser.error("--compile needs a C++ compiler here: install g++, or leave it out.")
    if options.new_vocabulary and not options.go_on_from:
        parser.error("--new-vocabulary is for a run that goes on: give --go-on-from as well. A run from the start learns its vocabulary anyway.")
    configuration = configurations.load(options.name)
    if options.steps:
        configuration["training"]["steps"] = options.steps
    if options.threads:
        torch.set_num_threads(options.threads)
    build = options.build / options.name
    if options.average:
        for path in (build / "special.json", *options.average):
            if not path.is_file():
                parser.error(f"{path} is missing: name the checkpoint.pt of runs of {options.name}, and with --build a folder in which one was prepared.")
        try:
            save(build / "checkpoint.pt", **average(options.average))
        except ValueError as error:
            parser.error(str(error))
        print(f"averaged; python -m tools.evaluate_pocket {options.name} measures it")
        return
    if not (build / "checkpoint.pt").is_file() and options.texts is None:
        parser.error(f"Nothing is prepared for {options.name}: give --texts, the folders of the texts that its configuration names.")
    prepare(configuration, options.texts, build, options.go_on_from, options.origin, options.new_vocabulary)
    if train(configuration, build, options.device, options.minutes, within=options.within, workers=options.workers, compiled=options.compile):
        from tools import evaluate_pocket

        evaluate_pocket.main([options.name, "--build", str(options.build)])
    else:
        print("stopped early: the same command goes on from here")


if __name__ == "__main__":
    main()
