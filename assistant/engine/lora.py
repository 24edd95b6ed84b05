"""A LoRA adapter as PEFT keeps it on disk, read and checked. It knows files and nothing of models."""

import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from assistant.adapters.plain import A_SIDE, B_SIDE, BEFORE_NAME, check_plain
from assistant.errors import AssistantError


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
    except (OSError, ValueError, TypeError, RecursionError, SafetensorError) as problem:
        raise AssistantError(
            f"The adapter in {folder} can't be read ({problem}). Roll back, or train anew."
        ) from problem
    shapes = {name: tuple(tensor.shape) for name, tensor in tensors.items()}
    scaling = check_plain(config, shapes, f"The adapter in {folder}")
    broken = [key for key, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise AssistantError(
            f"The adapter in {folder} holds numbers that are not finite (in {broken[0]}): its training went "
            "astray. Train anew with a smaller learning rate."
        )
    layers = sorted(name.removesuffix(A_SIDE) for name in tensors if name.endswith(A_SIDE))
    return {
        layer.removeprefix(BEFORE_NAME): LowRank(
            tensors[f"{layer}{A_SIDE}"].float(), tensors[f"{layer}{B_SIDE}"].float() * scaling
        )
        for layer in layers
    }
