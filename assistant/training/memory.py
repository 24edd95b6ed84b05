"""How much memory a training needs, holds and finds. It knows bytes, not what they are for."""

import resource
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

from assistant.errors import AssistantError

if TYPE_CHECKING:
    from assistant.weights import Placement


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


def check_fits(model: Path, placement: "Placement", *, copies: int = 1) -> None:
    """See that a model's weights alone fit before they are loaded.

    Args:
        model: its folder.
        placement: how it is loaded.
        copies: how many processes load it into the same memory.

    Raises:
        AssistantError: they don't.
    """
    from assistant.weights import weight_bytes

    needed, found = weight_bytes(model, placement) * copies, room()
    if needed > found.free:
        times = f", {copies} times," if copies > 1 else ""
        on_card = placement.device.type == "cuda" and not placement.four_bit
        smaller = "train over its weights in 4 bits (4-bit base), " if on_card else ""
        raise AssistantError(
            f"The weights of {model.name} alone{times} take {needed / 1e9:.1f} GB, and "
            f"{found.free / 1e9:.1f} GB of {found.total / 1e9:.1f} GB memory are free. Close what else is "
            f"open, {smaller}or start Quartet with a smaller model (--model)."
        )
