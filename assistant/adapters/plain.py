"""Whether an adapter is of the one kind that is run: plain LoRA on linear layers, of one rank.

It knows an adapter's description and the shapes of its weights, which may come from anywhere. It reads no
files.
"""

import math
from collections.abc import Mapping
from typing import Any

from assistant.errors import AssistantError

BEFORE_NAME = "base_model.model."
A_SIDE, B_SIDE = ".lora_A.weight", ".lora_B.weight"
MOST_RANK = 1024
MOST_SCALING = 1e4
"""What an adapter's part may at most be multiplied by; trained ones have a few times 1."""
OTHER_KINDS = (
    "alora_invocation_tokens",
    "alpha_pattern",
    "fan_in_fan_out",
    "layer_replication",
    "lora_bias",
    "rank_pattern",
    "use_dora",
    "use_qalora",
)
"""What PEFT's description of an adapter names where it is no plain LoRA, or none of one rank."""


def check_plain(config: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]], name: str) -> float:
    """What the product of each layer's two sides is multiplied by.

    Args:
        config: PEFT's description of the adapter.
        shapes: of its weights, by name.
        name: what it is called in a message.

    Raises:
        AssistantError: it is of another kind, or its description and its weights do not agree.
    """
    kind = config.get("peft_type", "LORA")
    if kind != "LORA":
        raise AssistantError(f"{name} is a {kind!r:.40} adapter; Quartet works with LORA alone.")
    layers = {key.removeprefix(BEFORE_NAME).rpartition(".lora_")[0] for key in shapes}
    pairs = {f"{BEFORE_NAME}{layer}{side}" for layer in layers for side in (A_SIDE, B_SIDE)}
    other = [key for key in OTHER_KINDS if config.get(key)]
    if other or config.get("bias", "none") != "none" or pairs != set(shapes) or not shapes:
        raise AssistantError(
            f"{name} is not plain LoRA on linear layers (it uses DoRA, biases, mixed ranks or retrained "
            "layers), and nothing else is run. Train anew."
        )
    scaling = _scaling(config, name)
    for key, shape in shapes.items():
        rank = config["r"]
        if len(shape) != 2 or shape[0 if key.endswith(A_SIDE) else 1] != rank:
            raise AssistantError(
                f"{name} says that its rank is {rank}, and {key} is {shape}. It is damaged, or was changed "
                "by hand. Take another, or train anew."
            )
    return scaling


def _scaling(config: Mapping[str, Any], name: str) -> float:
    rank, alpha = config.get("r"), config.get("lora_alpha")
    sound = type(rank) is int and 1 <= rank <= MOST_RANK and type(alpha) in (int, float)
    if sound and math.isfinite(alpha) and 0 < alpha <= MOST_SCALING * rank:  # type: ignore[arg-type, operator]
        return float(alpha / (rank**0.5 if config.get("use_rslora") else rank))  # type: ignore[operator]
    raise AssistantError(
        f"{name} has r={rank!r:.40} and lora_alpha={alpha!r:.40}. Its rank r has to be a whole number from 1 "
        f"to {MOST_RANK}, and lora_alpha a number above 0, at most {MOST_SCALING:.0f} times the rank. "
        "Take another, or train anew."
    )
