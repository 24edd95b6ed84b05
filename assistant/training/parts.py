"""What each process takes of a training on which several work: its batches, its threads, its card.

It knows shares. It does not know processes (`followers.py`) or what they add up (`team.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.training.batches import Batch, shares
from assistant.training.settings import TrainingSettings

if TYPE_CHECKING:
    from assistant.weights import Placement


@dataclass(frozen=True)
class Part:
    """What a process needs to take its share of every step."""

    run: Path
    """Folder of the training."""
    model: Path
    settings: TrainingSettings
    steps: Sequence[Sequence[Batch]]
    """Its batches of each step."""
    checkpoint: Path | None
    """Where it goes on."""
    threads: int
    rank: int = 0
    size: int = 1
    card: str | None = None
    """The graphics card that it sees, as CUDA names it."""


def placement_for(settings: TrainingSettings) -> "Placement":
    """Where the base model runs, and in what number format.

    Raises:
        AssistantError: its weights are wanted in 4 bits, and bitsandbytes is missing.
    """
    from assistant.four_bits import check_installed
    from assistant.weights import find_placement

    if settings.four_bit:
        check_installed()
    return replace(find_placement(), four_bit=settings.four_bit)


def deal(whole: Part, cards: Sequence[str]) -> list[Part]:
    """The parts that the processes take of a training, the leader's first.

    Args:
        whole: with all batches of each step.
        cards: names of the graphics cards; empty on a processor.
    """
    return [
        replace(whole, steps=steps, rank=rank, card=cards[rank] if cards else None)
        for rank, steps in enumerate(shares(whole.steps, whole.size))
    ]
