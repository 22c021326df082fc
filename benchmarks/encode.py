"""Sentences a second: `SentenceEncoder.encode`, sentence-transformers, and the document's way, one sentence at a time.

    python -m benchmarks.encode                        # 1,000 sentences, 3 rounds
    python -m benchmarks.encode --sentences 64 --rounds 1

The same weights, the same texts, mean pooling, on the CPU. Each way is a process of its own, because PyTorch and TensorFlow
in one can abort. They take turns, one runs while the others wait, so that a slow minute of the computer hits them all.
The first call of each, which compiles and warms up, stands in a column of its own. Exits with 1 where vectors differ.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

OURS, XLA, THEIRS, DOCUMENT = "ours", "ours, XLA", "sentence-transformers", "document's way"
BARS = {THEIRS: 1.2, DOCUMENT: 4.0}  # how many times as fast `encode` is meant to be
LARGEST_DIFFERENCE = 1e-5
PAUSE = 0.5  # seconds between turns: the threads of the one before spin for a while
REPLY = "@reply "

WORDS = """the a this that every some morning evening teacher student river mountain city garden music story letter window
bread coffee winter summer doctor market train bridge friend brother child dog horse book paper road house school
walks sings reads writes opens closes finds keeps brings buys sells builds paints cleans watches hears follows
old young bright quiet heavy early late small large green red warm cold near under over with without after before and but""".split()


def sentences(count, seed=2024):
    """Different sentences of 6 to 50 words, out of a fixed list: about 30 pieces each.

    Args:
        count: int.
        seed: int.

    Returns:
        list of str.
    """
    random = np.random.default_rng(seed)
    texts = {}
    while len(texts) < count:  # a text that came twice would be encoded once
        texts[" ".join(random.choice(WORDS, random.integers(6, 51))) + "."] = None
    return list(texts)


# --- the ways, each run in a process of its own ---------------------------------------------------------------------


def ours(folder, jit_compile=False):
    """What this project's `encode` does; the folder is a saved encoder."""
    from helpers import environment

    environment.prepare()
    from helpers.sentence_encoder import SentenceEncoder

    encoder = SentenceEncoder(folder, jit_compile=jit_compile)
    return encoder.encode


def theirs(folder):
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(folder, device="cpu")
    return lambda texts: model.encode(texts, batch_size=32)


def document(folder):
    """One sentence at a time, eagerly, as the document runs its models."""
    from helpers import environment

    environment.prepare()
    import tensorflow as tf
    from transformers import AutoTokenizer, TFBertModel

    model, tokenizer = TFBertModel.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)

    def encode(texts):
        vectors = []
        for text in texts:
            inputs = tokenizer(text, return_tensors="tf")
            token_vectors = model(**inputs).last_hidden_state
            vectors.append(tf.reduce_mean(token_vectors, axis=1)[0].numpy())  # no padding: every token is a real one
        return np.stack(vectors)

    return encode


WAYS = {OURS: ours, XLA: lambda folder: ours(folder, jit_compile=True), THEIRS: theirs, DOCUMENT: document}


def work(way, folder, texts_file, vectors_file):
    """The process of one way: for every line that comes in, encode all texts and answer with the seconds it took."""
    texts = json.loads(Path(texts_file).read_text(encoding="utf-8"))
    encode = WAYS[way](folder)
    for _ in sys.stdin:
        start = time.perf_counter()
        vectors = encode(texts)
        seconds = time.perf_counter() - start
        np.save(vectors_file, vectors)
        print(REPLY + json.dumps(seconds), flush=True)


class Worker:
    """One way, waiting in a process of its own for its turn.

    Args:
        way: str, one of `WAYS`.
        folder: Path, a saved encoder.
        texts: list of str, what it encodes at every turn.
        python: str, the interpreter.
        scratch: Path, a folder for the files that pass between the processes.
    """

    def __init__(self, way, folder, texts, python, scratch):
        self.way, self.texts = way, texts
        name = f"{list(WAYS).index(way)}"
        texts_file, self.vectors_file = scratch / f"{name}.json", scratch / f"{name}.npy"
        texts_file.write_text(json.dumps(texts), encoding="utf-8")
        torch = way == THEIRS
        self.process = subprocess.Popen(
            [python, "-m", "benchmarks.encode", "--work", way, folder, texts_file, self.vectors_file], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=None if os.environ.get("BENCH_STDERR") else subprocess.DEVNULL,
            env={**os.environ, "USE_TORCH": str(int(torch)), "USE_TF": str(int(not torch)), "HF_HUB_OFFLINE": "1"},
        )

    def turn(self):
        """Encode the texts once.

        Returns:
            float, seconds.

        Raises:
            RuntimeError: the process ended instead.
        """
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
            for line in self.process.stdout:
                if line.startswith(REPLY):
                    return json.loads(line.removeprefix(REPLY))
        except BrokenPipeError:
            pass
        raise RuntimeError(f"{self.way} ended with status {self.process.wait()}: BENCH_STDERR=1 shows what it said.")

    def vectors(self):
        return np.load(self.vectors_file)

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        self.process.communicate()


# --- the comparison -------------------------------------------------------------------------------------------------


def compare(checkpoint, texts, one_at_a_time, rounds, torch_python):
    """Let every way encode the texts in turns.

    Args:
        checkpoint: str, a name that `checkpoints.resolve` knows, or a folder.
        texts: list of str.
        one_at_a_time: int, how many of the texts the document's way gets; it is the slow one.
        rounds: int, turns of each way after the first.
        torch_python: str, the interpreter that has PyTorch and sentence-transformers.

    Returns:
        list of dictionaries, one a way: `way`, `texts`, `first` (seconds), `rates` (sentences a second, one a round),
        `difference` (largest difference from ours).
    """
    step = max(1, len(texts) // one_at_a_time)
    with tempfile.TemporaryDirectory(prefix="bench-encode-") as scratch:
        scratch = Path(scratch)
        save(checkpoint, scratch / "encoder")
        workers = []
        try:
            for way in WAYS:
                part = texts[::step] if way == DOCUMENT else texts
                python = torch_python if way == THEIRS else sys.executable
                workers.append(Worker(way, scratch / "encoder", part, python, scratch))
            first = [worker.turn() for worker in workers]  # one after the other: loading and compiling are done here
            rates = [[] for _ in workers]
            for _ in range(rounds):
                for worker, own in zip(workers, rates):
                    time.sleep(PAUSE)
                    own.append(len(worker.texts) / worker.turn())
            reference = workers[0].vectors()
            return [
                {"way": worker.way, "texts": len(worker.texts), "first": seconds, "rates": own, "difference": float(np.abs(
                    worker.vectors() - (reference[::step] if worker.way == DOCUMENT else reference)).max())}
                for worker, seconds, own in zip(workers, first, rates)
            ]
        finally:
            for worker in workers:
                worker.stop()


def save(checkpoint, folder):
    """The checkpoint as an encoder that both libraries load; in a process of its own, this one stays without TensorFlow."""
    code = ("import sys; from helpers import checkpoints, environment; environment.prepare(); "
            "from helpers.sentence_encoder import SentenceEncoder; from pathlib import Path; "
            "name, folder = sys.argv[1:]; "
            "SentenceEncoder(name if Path(name).is_dir() else checkpoints.resolve(name)).save(folder)")
    subprocess.run([sys.executable, "-c", code, checkpoint, folder], check=True)


def report(rows):
    """The comparison in words.

    Args:
        rows: list of dict as `compare` returns it, ours first.

    Returns:
        The lines of a Markdown table, a list of verdicts, and whether all vectors agree.
    """
    table = ["| way | texts | first call, s | sentences a second | from – to | ours is | difference |", "|---|" + "---:|" * 6]
    verdicts = []
    for row in rows:
        times = statistics.median(mine / other for mine, other in zip(rows[0]["rates"], row["rates"]))
        table.append(f"| {row['way']} | {row['texts']:,} | {row['first']:.1f} | {statistics.median(row['rates']):.1f} "
                     f"| {min(row['rates']):.1f} – {max(row['rates']):.1f} | {times:.2f}x | {row['difference']:.1e} |")
        if row["way"] in BARS:
            verdict = "reached" if times >= BARS[row["way"]] else "NOT reached"
            verdicts.append(f"{times:.2f} times as fast as {row['way']}; the bar is {BARS[row['way']]:g}: {verdict}.")
    agree = all(row["difference"] <= LARGEST_DIFFERENCE for row in rows)
    verdicts.append(f"Vectors agree to {LARGEST_DIFFERENCE:g}: {'yes' if agree else 'NO'}.")
    return table, verdicts, agree


def positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("give a whole number from 1")
    return number


def main(arguments=None):
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["--work"]:
        return work(*arguments[1:])
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", default="pocket-english", help="a name that the course knows, or a folder")
    parser.add_argument("--sentences", type=positive, default=1000)
    parser.add_argument("--one-at-a-time", type=positive, default=50, help="how many of them the document's way gets")
    parser.add_argument("--rounds", type=positive, default=3)
    parser.add_argument("--torch-python", default=sys.executable, help="another interpreter for sentence-transformers")
    parser.add_argument("--output", type=Path, help="a Markdown file for the table")
    options = parser.parse_args(arguments)
    table, verdicts, agree = report(compare(options.checkpoint, sentences(options.sentences), options.one_at_a_time, options.rounds, options.torch_python))
    print(*table, *verdicts, sep="\n")
    if options.output:
        from helpers import environment, saving

        saving.write_text(options.output, (
            "# Sentences a second\n\nWritten by `python -m benchmarks.encode`: the same weights "
            f"({Path(options.checkpoint).name}), the same {options.sentences:,} sentences, mean pooling, on the CPU ({environment.computer()}). "
            f"The ways take turns, {options.rounds} each after the first call; \"ours is\" is the median of the ratios, turn by turn. "
            "The document's way, one sentence at a time, gets a part of the texts.\n\n"
            + "\n".join(table) + "\n\n" + "\n".join(f"- {verdict}" for verdict in verdicts) + "\n"))
    return int(not agree)


if __name__ == "__main__":
    sys.exit(main())
