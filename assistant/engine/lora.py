"""A LoRA adapter as PEFT keeps it on disk, read and checked. It knows files and nothing of models."""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from assistant.errors import AssistantError

_PREFIX = "base_model.model."


@dataclass(frozen=True)
class LowRank:
    """An adapter's part in one linear layer: `down` [rank, in], and `up` [out, rank] times alpha / rank."""

    down: Tensor
    up: Tensor


def read_lora(folder: Path) -> dict[str, LowRank]:
    """The parts of an adapter in a PEFT folder, by layer name.

    Raises:
        AssistantError: the files are missing, damaged, or of a kind that is not supported.
    """
    try:
        config = dict(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8")))
        tensors = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError, TypeError, SafetensorError) as problem:
        raise AssistantError(
            f"The adapter in {folder} can't be read ({problem}). Roll back, or train anew."
        ) from problem
    mixed = (
        config.get("rank_pattern") or config.get("alpha_pattern") or not {"r", "lora_alpha"} <= set(config)
    )
    layers = {key.removeprefix(_PREFIX).rpartition(".lora_")[0] for key in tensors}
    pairs = {f"{_PREFIX}{layer}.lora_{part}.weight" for layer in layers for part in "AB"}
    if mixed or config.get("use_dora") or config.get("bias", "none") != "none" or pairs != set(tensors):
        raise AssistantError(
            f"The adapter in {folder} is not plain LoRA on linear layers (it uses DoRA, biases, mixed ranks "
            "or retrained layers), and nothing else is run. Train anew."
        )
    broken = [key for key, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise AssistantError(
            f"The adapter in {folder} holds numbers that are not finite (in {broken[0]}): its training went "
            "astray. Train anew with a smaller learning rate."
        )
    rank = config["r"]
    scaling = config["lora_alpha"] / (rank**0.5 if config.get("use_rslora") else rank)
    return {
        layer: LowRank(
            tensors[f"{_PREFIX}{layer}.lora_A.weight"].float(),
            tensors[f"{_PREFIX}{layer}.lora_B.weight"].float() * scaling,
        )
        for layer in sorted(layers)
    }
