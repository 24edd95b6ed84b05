"""Which way of taking steps this machine has for a model: the graph where it is there and faster, else torch.

It knows the ways there are. It knows nothing of requests.
"""

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from assistant.engine.eager import EagerRunner
from assistant.engine.graph import GraphRunner, NoGraph, compiled_graph
from assistant.engine.replay import ReplayRunner
from assistant.engine.room import Room, room_for
from assistant.engine.steps import Part, Runner
from assistant.errors import AssistantError
from assistant.weights import Placement, load_model

Report = Callable[[str, float], None]
AnyRunner = TypeVar("AnyRunner", bound=Runner)


def open_runner(
    folder: Path, placement: Placement, report: Report = lambda *_: None, *, eight_bit: bool = False
) -> Runner:
    """The model in a folder, ready to take steps in the fastest way this machine has.

    Args:
        folder: of a transformers model in safetensors.
        placement: device and number format.
        report: told what is being done, and how far it is.
        eight_bit: whether its weights are to have 8 bits, which the compiled graph alone can.

    Raises:
        AssistantError: the model can't be loaded, its attention is of a kind that can't be run here, or 8
            bits are asked for and there is no graph.
    """
    try:
        return _open_graph(folder, placement, report, eight_bit)
    except NoGraph as problem:
        if eight_bit:
            raise AssistantError(_no_eight_bits(str(problem), placement)) from problem
        eager = open_eager(folder, placement, str(problem))
        return _warm(ReplayRunner(eager)) if placement.device.type == "cuda" else eager


def open_eager(folder: Path, placement: Placement, reason: str = "") -> EagerRunner:
    """The model in a folder, run by torch; the reason says why not by its graph."""
    model = load_model(folder, placement)
    room = room_for(folder, placement, loaded=True)
    return _warm(EagerRunner(model, slots=room.slots, capacity=room.capacity, reason=reason))


def _open_graph(folder: Path, placement: Placement, report: Report, eight_bit: bool) -> GraphRunner:
    """The model's compiled graph.

    Raises:
        NoGraph: it can't be had here, or torch is faster.
    """
    if placement.device.type != "cpu" or importlib.util.find_spec("openvino") is None:
        raise NoGraph("")
    kept = compiled_graph(folder, placement, report, eight_bit=eight_bit)
    room = Room.of(folder)
    try:
        return _warm(GraphRunner(kept, slots=room.slots, capacity=room.capacity))
    except Exception as problem:
        words = " ".join(str(problem).split())[:200]
        raise NoGraph(f"its graph in {kept.folder} can't be run: {words}") from problem


def _no_eight_bits(problem: str, placement: Placement) -> str:
    """Why there are no weights in 8 bits, and what to do."""
    if placement.device.type != "cpu":
        why = "are for processors, and this machine has a graphics card. Start"
    elif problem:
        why = f"need the model's compiled graph, which can't be used here: {problem}. Start"
    else:
        why = 'need openvino, which is not there. Install it with `pip install -e ".[cpu]"`, or start'
    return f"Weights in 8 bits {why} without --eight-bit."


def _warm(runner: AnyRunner) -> AnyRunner:
    """Take one step: what can't be run is found, and the first answer need not wait for what happens once."""
    runner.step([Part(0, [0], 0)])
    return runner
