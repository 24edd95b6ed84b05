"""`python -m assistant.engine.compiling MODEL FOLDER`: compile a model's graph and keep it in FOLDER.

In a process of its own, since it takes a minute and several times the model's memory. Both ways of taking
steps are timed on the same work, and what was found is kept with the graph.
"""

import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

import torch

from assistant.engine.eager import EagerRunner
from assistant.engine.graph import GraphRunner, KeptGraph
from assistant.engine.router import Router
from assistant.engine.steps import Part, Runner
from assistant.engine.tracing import Sizes, openvino, trace
from assistant.weights import Placement, find_placement, load_model
from assistant.workspace import write_json

ROUNDS = 12
"""Steps of four rows by which the two ways are compared."""


def compile_graph(model: Path, folder: Path, placement: Placement) -> KeptGraph:
    """Compile the graph of the model in one folder and keep it in another, which appears when it is whole."""
    beside = folder.with_name(f".{folder.name}")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    loaded: Any = load_model(model, Placement(torch.device("cpu"), torch.float32, "to be traced"))
    router = Router.into(loaded)
    notes = {
        "sizes": asdict(Sizes.of(loaded.config)),
        "half": placement.dtype == torch.bfloat16,
        "vocabulary": len(loaded.get_input_embeddings().weight),
        "groups": [
            {"members": group.members, "inputs": group.inputs, "outputs": group.outputs}
            for group in router.groups
        ],
    }
    # Half-precision weights lose nothing that the number format of the steps would keep.
    openvino().save_model(trace(loaded, router), beside / "graph.xml", compress_to_fp16=notes["half"])
    del loaded
    write_json(beside / "graph.json", notes | {"faster": True})
    seconds = {
        "graph": time_steps(GraphRunner(KeptGraph(beside), slots=4, capacity=512)),
        "torch": time_steps(EagerRunner(load_model(model, placement), slots=4, capacity=512)),
    }
    write_json(
        beside / "graph.json", notes | {"seconds": seconds, "faster": seconds["graph"] < seconds["torch"]}
    )
    shutil.rmtree(folder, ignore_errors=True)
    beside.rename(folder)
    return KeptGraph(folder)


def time_steps(runner: Runner, rounds: int = ROUNDS) -> float:
    """The median seconds of a step of four rows, after two that don't count."""
    took = []
    for number in range(rounds + 2):
        parts: Sequence[Part] = [Part(slot, [1], number) for slot in range(4)]
        began = time.perf_counter()
        runner.step(parts)
        took.append(time.perf_counter() - began)
    return median(took[2:])


if __name__ == "__main__":
    compile_graph(Path(sys.argv[1]), Path(sys.argv[2]), find_placement())
