"""How much memory a training needs, holds and finds. It knows bytes, not what they are for."""

import resource
import sys
from dataclasses import dataclass
from math import prod
from pathlib import Path

import psutil
from safetensors import safe_open

from assistant.errors import AssistantError


@dataclass(frozen=True)
class Room:
    """Memory of the processor or of the card, in bytes."""

    free: int
    total: int


def peak_memory(processes: int = 1) -> int:
    """Bytes that this process held at most on its card; without one, what so many like it held together."""
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return processes * (peak if sys.platform == "darwin" else peak * 1024)


def room() -> Room:
    """What is free now, on the card where there is one."""
    import torch

    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        return Room(free, total)
    memory = psutil.virtual_memory()
    return Room(memory.available, memory.total)


def count_weights(model: Path) -> int:
    """How many weights a model's safetensors files hold, read from their headers."""
    weights = 0
    for path in sorted(model.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            weights += sum(prod(file.get_slice(name).get_shape()) for name in file.keys())  # noqa: SIM118 - no dict
    return weights


def check_fits(model: Path, bytes_a_weight: int, *, copies: int = 1) -> None:
    """See that a model's weights alone fit before they are loaded.

    Args:
        model: its folder.
        bytes_a_weight: of the number format it is loaded in.
        copies: how many processes load it into the same memory.

    Raises:
        AssistantError: they don't.
    """
    needed, found = count_weights(model) * bytes_a_weight * copies, room()
    if needed > found.free:
        times = f", {copies} times," if copies > 1 else ""
        raise AssistantError(
            f"The weights of {model.name} alone{times} take {needed / 1e9:.1f} GB, and "
            f"{found.free / 1e9:.1f} GB of {found.total / 1e9:.1f} GB memory are free. Close what else is "
            "open, or start Quartet with a smaller model (--model)."
        )
