"""Write a trained network as an ordinary checkpoint folder: config, tokenizer, fp16 safetensors."""

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import torch
from transformers import BertForPreTraining

WEIGHTS = "model.safetensors"
TOKENIZER = ("vocab.txt", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json")
LOG = "training_log.json"


def write(network, tokenizer_folder, folder):
    """Write the checkpoint folder; each file is replaced whole, a model card that is there stays.

    Args:
        network: BertForPreTraining.
        tokenizer_folder: Path with `vocab.txt`, `tokenizer.json`, `tokenizer_config.json`.
        folder: Path, such as `models/pocket-english`.
    """
    folder = Path(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
        network.config.hidden_dropout_prob = network.config.attention_probs_dropout_prob = 0.1  # for fine-tuning
        network.to(torch.float16).save_pretrained(partial, safe_serialization=True)
        for file in Path(tokenizer_folder).iterdir():
            shutil.copy(file, partial)
        for file in Path(partial).iterdir():
            file.chmod(0o644)
        folder.mkdir(exist_ok=True)
        for file in Path(partial).iterdir():
            os.replace(file, folder / file.name)


def copy_tokenizer(folder, target):
    """Copy the tokenizer's files of a checkpoint folder."""
    target.mkdir(parents=True, exist_ok=True)
    for name in TOKENIZER:
        shutil.copy(Path(folder) / name, target / name)


def write_log(log, folder):
    """Write the held-out figures while training (list of dict with `step` and `tokens`) beside the weights."""
    (Path(folder) / LOG).write_text(json.dumps(log, indent=1) + "\n", encoding="utf-8")


def read_log(folder):
    """What `write_log` wrote."""
    return json.loads((Path(folder) / LOG).read_text(encoding="utf-8"))


def load(folder):
    """The network of a checkpoint folder, float32, ready to evaluate."""
    return BertForPreTraining.from_pretrained(folder, attn_implementation="eager").float().eval()


def write_sums(models):
    """Write `SHA256SUMS` over every file that a checkpoint consists of, in the format of `sha256sum`."""
    files = sorted(path for path in Path(models).glob("*/*") if path.suffix != ".md")
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(models).as_posix()}\n" for path in files]
    partial = Path(models) / "SHA256SUMS.partial"
    partial.write_text("".join(lines), encoding="utf-8")
    os.replace(partial, Path(models) / "SHA256SUMS")
