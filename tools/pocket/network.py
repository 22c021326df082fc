"""The network that both pocket models share: BERT with its two pre-training heads."""

import torch
from transformers import BertConfig, BertForPreTraining


def build(configuration, special, device="cpu"):
    """A network of the configured shape with random weights: transformers.BertForPreTraining, on the CPU.

    Args:
        configuration: dict of `configuration.load`; its table `network` goes into BertConfig, where dropout is 0 unless it says more.
        special: dict of `vocabulary.special_ids`.
        device: str, where it is going to run: on a CPU in bf16 plain attention is faster than the fused kernel.
    """
    torch.manual_seed(configuration["seed"])
    return BertForPreTraining(
        BertConfig(
            vocab_size=special["size"],
            pad_token_id=special["[PAD]"],
            attn_implementation="eager" if device == "cpu" else "sdpa",
            **{"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0, **configuration["network"]},
        )
    )
