"""Weights in 4 bits (NF4, by bitsandbytes), for small graphics cards: what asks for them, and their size.

It knows the library. When they are of use is decided by those who know how much memory there is.
"""

import importlib.util
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from torch import dtype, nn

from assistant.errors import AssistantError

if TYPE_CHECKING:
    from transformers import BitsAndBytesConfig

BYTES_A_WEIGHT = 0.516
"""Four bits, a scale of 8 bits for 64 weights, and a scale of 32 bits for 256 of those."""


def check_installed() -> None:
    """See that weights can be had in 4 bits.

    Raises:
        AssistantError: they can't, and how to put it right.
    """
    if importlib.util.find_spec("bitsandbytes") is None:
        raise AssistantError(
            "Weights in 4 bits need bitsandbytes, which is not installed. "
            'Install it with `pip install -e ".[cuda]"`, then start again.'
        )


def loading(compute: dtype) -> "BitsAndBytesConfig":
    """What transformers is told to load a model's linear layers in 4 bits; the head and others stay in full.

    Args:
        compute: number format in which the layers compute.

    Raises:
        AssistantError: bitsandbytes is not installed.
    """
    check_installed()
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=compute,
    )


def compute_as_told(model: nn.Module) -> None:
    """Keep the layers from a short cut on processors, which rounds to bfloat16 and has no gradients."""
    layers: Iterable[Any] = model.modules()
    for module in layers:
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
