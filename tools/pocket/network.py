"""The network that both pocket models share: BERT with its two pre-training heads."""

import torch
from transformers import BertConfig, BertForPreTraining


def build(configuration, special):
    """A network of the configured shape with random weights: transformers.BertForPreTraining."""
    torch.manual_seed(configuration["seed"])
    return BertForPreTraining(
        BertConfig(
            vocab_size=special["size"],
            pad_token_id=special["[PAD]"],
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
            attn_implementation="eager",  # faster than the fused kernel on a CPU in bf16
            **configuration["network"],
        )
    )
