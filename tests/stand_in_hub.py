"""A Hugging Face Hub on this computer, for the download tests, and random checkpoints for it to serve.

    with StandInHub({("klue/bert-base", revision): folder}) as hub:
        ...  # HF_ENDPOINT=hub.address

It answers HEAD and GET on /{name}/resolve/{revision}/{file} the way the real one does (ETag, X-Linked-Etag for large
files, X-Repo-Commit, ranges, X-Error-Code), listens on 127.0.0.1 alone, and can be told to misbehave.
"""

import hashlib
import json
import threading
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np

SECONDS = 20  # a request that takes longer is cut off: no test can hang on this hub
LARGE = (".safetensors",)


class StandInHub:
    """A context manager.

    Args:
        repositories: {(name, revision): folder}, what there is to download.

    Attributes to set during a test:
        status: {file: int}, answer every request for the file with this HTTP status.
        cut_after: {file: int}, close the connection after so many bytes of the body.
        truncated: {file: int}, send so many bytes as if that were all of it; the announced size is the true one.
        altered: set of files whose content arrives with one byte changed.
        pause_after: {file: int}, stop sending after so many bytes, set `paused`, and wait for the client to leave.
        commit: str, answer with this revision instead of the one that was asked for.
    Attributes to read:
        requests: list of (method, path, range header or None).
        sent: {file: bytes of body sent}.
    """

    def __init__(self, repositories):
        self.repositories = {key: Path(folder) for key, folder in repositories.items()}
        self.status, self.cut_after, self.truncated, self.altered, self.commit = {}, {}, {}, set(), None
        self.pause_after, self.paused, self.closing = {}, threading.Event(), threading.Event()
        self.requests, self.sent = [], {}

    def __enter__(self):
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.address = "http://127.0.0.1:{}".format(self.server.server_address[1])
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()

    def find(self, path):
        """(file path, revision, None) or (None, None, the hub's error code) for a request's path."""
        for (name, revision), folder in self.repositories.items():
            if path.startswith(f"/{name}/resolve/"):
                asked, _, file = path.removeprefix(f"/{name}/resolve/").partition("/")
                if asked != revision:
                    return None, None, "RevisionNotFound"
                if not (folder / file).is_file():
                    return None, None, "EntryNotFound"
                return folder / file, revision, None
        return None, None, "RepoNotFound"


def _handler(hub):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = SECONDS

        def log_message(self, *arguments):
            pass

        def do_HEAD(self):
            self.answer(with_body=False)

        def do_GET(self):
            self.answer(with_body=True)

        def answer(self, with_body):
            hub.requests.append((self.command, self.path, self.headers.get("Range")))
            path, revision, problem = hub.find(self.path)
            if problem:
                return self.refuse(404, problem)
            if path.name in hub.status:
                return self.refuse(hub.status[path.name], None)
            start, size = 0, path.stat().st_size
            end = hub.truncated.get(path.name, size)
            asked = self.headers.get("Range")
            if asked:
                start = int(asked.removeprefix("bytes=").partition("-")[0])
                if start >= end:
                    return self.refuse(416, None)
            self.send_response(206 if asked else 200)
            if asked:
                self.send_header("Content-Range", f"bytes {start}-{size - 1}/{size}")
            self.send_header("Content-Length", str(end - start))
            self.send_header("X-Repo-Commit", hub.commit or revision)
            if path.name.endswith(LARGE):
                self.send_header("ETag", '"opaque-to-the-client"')
                self.send_header("X-Linked-Etag", f'"{sha256(path)}"')
                self.send_header("X-Linked-Size", str(size))
            else:
                self.send_header("ETag", f'"{git_sha1(path)}"')
            self.end_headers()
            if with_body:
                self.send_body(path, start, end)

        def refuse(self, status, code):
            self.send_response(status)
            if code:
                self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def send_body(self, path, start, end):
            cut, pause = hub.cut_after.get(path.name), hub.pause_after.get(path.name)
            sent = 0
            with open(path, "rb") as file:
                file.seek(start)
                while block := file.read(min(1 << 16, end - start - sent)):
                    if path.name in hub.altered and sent == 0:
                        block = block[:-1] + bytes([block[-1] ^ 1])  # among the weights: the header stays readable
                    if cut is not None and sent + len(block) > cut:
                        block = block[: cut - sent]
                    self.wfile.write(block)
                    sent += len(block)
                    hub.sent[path.name] = hub.sent.get(path.name, 0) + len(block)
                    if pause is not None and sent >= pause:
                        hub.paused.set()
                        hub.closing.wait(SECONDS)
                        self.close_connection = True
                        return
                    if cut is not None and sent >= cut:
                        self.close_connection = True
                        return

    return Handler


def sha256(path):
    """As the hub's X-Linked-Etag."""
    return _sha256(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=32)  # a full-size checkpoint is asked for several times
def _sha256(path, changed):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def git_sha1(path):
    """As git names a small file's content, and the hub its ETag."""
    content = Path(path).read_bytes()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


# --- checkpoints to serve -----------------------------------------------------------------------------------------

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", "soccer", "is", "fun", "sport"]


def random_checkpoint(folder, words=WORDS, hidden=8, layers=2, heads=2, intermediate=16, positions=32, old_names=False, seed=0):
    """Write a BERT checkpoint folder (config, vocabulary, model.safetensors) with random weights.

    Args:
        old_names: bool, name the layer norms `gamma` and `beta` and leave out the tied decoder, as `bert-base-uncased` does.

    Returns:
        Path, the folder.
    """
    from safetensors.numpy import save_file

    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    config = {
        "architectures": ["BertForPreTraining"], "model_type": "bert", "vocab_size": len(words), "hidden_size": hidden,
        "num_hidden_layers": layers, "num_attention_heads": heads, "intermediate_size": intermediate,
        "max_position_embeddings": positions, "type_vocab_size": 2, "hidden_act": "gelu", "layer_norm_eps": 1e-12,
        "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1, "initializer_range": 0.02, "pad_token_id": 0,
    }
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    (folder / "vocab.txt").write_text("\n".join(words) + "\n", encoding="utf-8")
    (folder / "tokenizer_config.json").write_text('{"do_lower_case": true}', encoding="utf-8")
    random = np.random.default_rng(seed)
    shapes = bert_shapes(config)
    if not old_names:
        shapes["cls.predictions.decoder.bias"] = (len(words),)
    weights = {name: (random.standard_normal(shape, dtype="float32") * 0.02) for name, shape in shapes.items()}
    if old_names:
        weights = {_old(name): array for name, array in weights.items()}
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def _old(name):
    return name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")


def bert_shapes(config):
    """{PyTorch parameter name: shape} of a BERT with both pre-training heads."""
    hidden, intermediate = config["hidden_size"], config["intermediate_size"]
    shapes = {
        "bert.embeddings.word_embeddings.weight": (config["vocab_size"], hidden),
        "bert.embeddings.position_embeddings.weight": (config["max_position_embeddings"], hidden),
        "bert.embeddings.token_type_embeddings.weight": (config["type_vocab_size"], hidden),
        "cls.predictions.bias": (config["vocab_size"],),
    }

    def dense(name, outputs, inputs):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, inputs), (outputs,)

    def layer_norm(name):
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (hidden,), (hidden,)

    layer_norm("bert.embeddings.LayerNorm")
    for number in range(config["num_hidden_layers"]):
        layer = f"bert.encoder.layer.{number}"
        for part in ("query", "key", "value"):
            dense(f"{layer}.attention.self.{part}", hidden, hidden)
        dense(f"{layer}.attention.output.dense", hidden, hidden)
        layer_norm(f"{layer}.attention.output.LayerNorm")
        dense(f"{layer}.intermediate.dense", intermediate, hidden)
        dense(f"{layer}.output.dense", hidden, intermediate)
        layer_norm(f"{layer}.output.LayerNorm")
    dense("bert.pooler.dense", hidden, hidden)
    dense("cls.predictions.transform.dense", hidden, hidden)
    layer_norm("cls.predictions.transform.LayerNorm")
    dense("cls.seq_relationship", 2, hidden)
    return shapes
