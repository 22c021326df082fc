"""A BERT small enough to build in a test: 1 layer, 16 wide, a vocabulary of some English and some Korean pieces.

Its weights are drawn at random (seeded), so it knows nothing; what is tested with it is arithmetic. They are stored as
the Hub's checkpoints are, in PyTorch's names and a safetensors file that TensorFlow classes load. Built once per session.
"""

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

VOCABULARY = """[PAD] [UNK] [CLS] [SEP] [MASK]
. , ! ? ' a is the really fun soccer game sport i went to work home this morning ##s ##er play pizza sky blue
축구 ##는 ##은 ##이 ##다 ##에 정말 재미있는 나는 오늘 아침 회사 바다 좋다 했다""".split()
POSITIONS = 64  # far from 512, so that a test sees where the limit comes from
HIDDEN, LAYERS, HEADS, INNER = 16, 1, 2, 32


@cache
def folder():
    """A checkpoint folder: config, tokenizer, weights with the masked-language and the next-sentence head."""
    from helpers import environment

    environment.prepare()  # before the first import of transformers
    from safetensors.numpy import save_file
    from transformers import BertTokenizerFast

    here = Path(tempfile.mkdtemp(prefix="tiny-bert-"))
    atexit.register(shutil.rmtree, here, ignore_errors=True)
    (here / "vocab.txt").write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
    BertTokenizerFast(str(here / "vocab.txt"), do_lower_case=True, strip_accents=False).save_pretrained(here)
    config = {
        "model_type": "bert", "architectures": ["BertForPreTraining"], "vocab_size": len(VOCABULARY),
        "hidden_size": HIDDEN, "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "intermediate_size": INNER,
        "max_position_embeddings": POSITIONS,
    }
    (here / "config.json").write_text(json.dumps(config), encoding="utf-8")
    save_file(_weights(), here / "model.safetensors", metadata={"format": "pt"})
    return here


@cache
def tokenizer():
    here = folder()
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(here)


@cache
def masked_lm():
    return _load("TFBertForMaskedLM")


@cache
def next_sentence():
    return _load("TFBertForNextSentencePrediction")


def _load(class_name):
    here = folder()
    import transformers

    return getattr(transformers, class_name).from_pretrained(here)


def _weights():
    """Random weights under the names of `BertForPreTraining`."""
    random = np.random.default_rng(7)
    weights = {}

    def add(name, *shape):
        weights[name] = random.normal(scale=0.4, size=shape).astype("float32")

    def add_dense(name, inputs, outputs):
        add(f"{name}.weight", outputs, inputs)
        add(f"{name}.bias", outputs)

    def add_norm(name):
        weights[f"{name}.weight"], weights[f"{name}.bias"] = np.ones(HIDDEN, "float32"), np.zeros(HIDDEN, "float32")

    add("bert.embeddings.word_embeddings.weight", len(VOCABULARY), HIDDEN)
    add("bert.embeddings.position_embeddings.weight", POSITIONS, HIDDEN)
    add("bert.embeddings.token_type_embeddings.weight", 2, HIDDEN)
    add_norm("bert.embeddings.LayerNorm")
    for layer in (f"bert.encoder.layer.{number}" for number in range(LAYERS)):
        for part in ("query", "key", "value"):
            add_dense(f"{layer}.attention.self.{part}", HIDDEN, HIDDEN)
        add_dense(f"{layer}.attention.output.dense", HIDDEN, HIDDEN)
        add_norm(f"{layer}.attention.output.LayerNorm")
        add_dense(f"{layer}.intermediate.dense", HIDDEN, INNER)
        add_dense(f"{layer}.output.dense", INNER, HIDDEN)
        add_norm(f"{layer}.output.LayerNorm")
    add_dense("bert.pooler.dense", HIDDEN, HIDDEN)
    add_dense("cls.predictions.transform.dense", HIDDEN, HIDDEN)
    add_norm("cls.predictions.transform.LayerNorm")
    add("cls.predictions.bias", len(VOCABULARY))
    weights["cls.predictions.bias"][VOCABULARY.index("[UNK]")] = 4.0  # so that [UNK] is among the guesses
    add_dense("cls.seq_relationship", HIDDEN, 2)
    return weights
