"""Tiny models of several families with random numbers, and a schedule of steps for four slots."""

import copy
import random
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import (
    GPT2Config,
    GPT2LMHeadModel,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    PreTrainedModel,
    Qwen2Config,
    Qwen2ForCausalLM,
)

from assistant.engine.steps import Part

SMALL = {
    "vocab_size": 259,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "initializer_range": 0.15,
    "bos_token_id": 0,
    "eos_token_id": 2,
    "pad_token_id": 2,
}
TWO = {"num_key_value_heads": 2}
FAMILIES = {
    "Llama": (LlamaForCausalLM, LlamaConfig(**SMALL, **TWO)),
    "Qwen2, with biases": (Qwen2ForCausalLM, Qwen2Config(**SMALL, **TWO)),
    "Mistral, with a window": (MistralForCausalLM, MistralConfig(**SMALL, **TWO, sliding_window=6)),
    "GPT-NeoX": (GPTNeoXForCausalLM, GPTNeoXConfig(**SMALL)),
    "GPT-2": (
        GPT2LMHeadModel,
        GPT2Config(vocab_size=259, n_embd=64, n_layer=2, n_head=4, bos_token_id=0, eos_token_id=2),
    ),
}


def tiny(family: str) -> PreTrainedModel:
    """A model of a family with random numbers everywhere, the biases too."""
    kind, config = FAMILIES[family]
    with torch.random.fork_rng():
        torch.manual_seed(5)
        model = kind(copy.deepcopy(config)).eval()
        for name, weight in model.named_parameters():
            if name.endswith("bias"):
                torch.nn.init.normal_(weight, std=0.2)
    return model


def prompt(seed: int, length: int) -> list[int]:
    dice = random.Random(seed)
    return [dice.randrange(3, 259) for _ in range(length)]


def plain(model: PreTrainedModel, tokens: Sequence[int]) -> Tensor:
    """What the model says after these tokens, each time read anew."""
    with torch.inference_mode():
        return model(input_ids=torch.tensor([list(tokens)])).logits[0, -1]


ROWS = {2: prompt(1, 30), 0: prompt(2, 9), 3: prompt(3, 18)}
"""Rows by slot."""
CUTS = [
    {2: (0, 16)},
    {2: (16, 20), 0: (0, 5)},
    {3: (0, 17), 0: (5, 6), 2: (20, 21)},
    {0: (6, 7), 2: (21, 22), 3: (17, 18)},
    {2: (22, 30), 0: (7, 9)},
]
"""By step, which of their tokens go through the model."""


def steps() -> Iterator[list[Part]]:
    """The parts of each step."""
    for cuts in CUTS:
        yield [Part(slot, ROWS[slot][start:stop], start) for slot, (start, stop) in cuts.items()]
