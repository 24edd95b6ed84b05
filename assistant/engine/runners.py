"""Which way of taking steps this machine has for a model: the graph where it is there and faster, else torch.

It knows the ways there are. It knows nothing of requests.
"""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from transformers import AutoConfig

from assistant.engine.eager import EagerRunner
from assistant.engine.steps import Part, Runner
from assistant.weights import Placement, load_model

SLOTS = 16
"""Rows that run at the same time: four questions to four lanes; more wait their turn."""
CONTEXT_LIMIT = 8192
"""Tokens a chat may have, where the model itself allows more."""

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Room:
    """The rows that a runner has room for, and the tokens of each."""

    slots: int
    capacity: int

    @classmethod
    def of(cls, folder: Path) -> "Room":
        """As much as the model in a folder allows, up to our limits."""
        allowed = getattr(AutoConfig.from_pretrained(folder), "max_position_embeddings", CONTEXT_LIMIT)
        return cls(SLOTS, min(allowed, CONTEXT_LIMIT))


def open_runner(folder: Path, placement: Placement, report: Report = lambda *_: None) -> Runner:
    """The model in a folder, ready to take steps in the fastest way this machine has.

    Args:
        folder: of a transformers model in safetensors.
        placement: device and number format.
        report: told what is being done, and how far it is.

    Raises:
        AssistantError: the model can't be loaded, or its attention is of a kind that can't be run here.
    """
    runner = _graph(folder, placement, report) or open_eager(folder, placement)
    # What can't be run is found now, and the first answer need not wait for what happens once.
    runner.step([Part(0, [0], 0)])
    return runner


def open_eager(folder: Path, placement: Placement) -> EagerRunner:
    """The model in a folder, run by torch."""
    room = Room.of(folder)
    return EagerRunner(load_model(folder, placement), slots=room.slots, capacity=room.capacity)


def _graph(folder: Path, placement: Placement, report: Report) -> Runner | None:
    """The model's compiled graph; None where it can't be had or is slower."""
    if placement.device.type != "cpu" or importlib.util.find_spec("openvino") is None:
        return None
    from assistant.engine.graph import GraphRunner, compiled_graph

    kept = compiled_graph(folder, placement, report)
    room = Room.of(folder)
    return GraphRunner(kept, slots=room.slots, capacity=room.capacity) if kept.faster else None
