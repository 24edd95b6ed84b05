"""`python -m assistant.engine.compiling MODEL FOLDER DTYPE`: compile a model's graph and keep it in FOLDER.

In a process of its own, since it takes a minute and several times the model's memory. Both ways of taking
steps do the same work, and how long they took and whether they said the same is kept with the graph.
"""

import os
import shutil
import sys
import time
import traceback
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor

from assistant.engine.eager import EagerRunner
from assistant.engine.graph import GraphRunner, KeptGraph, unfinished
from assistant.engine.room import Sizes
from assistant.engine.router import Router
from assistant.engine.steps import Part, Runner
from assistant.engine.tracing import PAGE, openvino, trace
from assistant.weights import Placement, load_model
from assistant.workspace import write_json

CPU = torch.device("cpu")
ROUNDS = 12
"""Steps of four rows by which the two ways are compared."""
ALIKE = 0.99
"""Cosine of what the two ways say: half precision is above, another computation below."""


def compile_graph(model: Path, folder: Path, placement: Placement) -> KeptGraph:
    """Compile the graph of the model in one folder and keep it in another, which appears when it is whole."""
    beside = unfinished(folder, os.getpid())
    beside.mkdir(parents=True)
    try:
        notes = _make(model, beside, placement.dtype == torch.bfloat16)
        write_json(beside / "graph.json", notes | {"faster": True})
        own = try_out(GraphRunner(KeptGraph(beside), slots=4, capacity=512), notes["vocabulary"])
        runner = EagerRunner(load_model(model, placement), slots=4, capacity=512)
        torchs = try_out(runner, notes["vocabulary"])
        write_json(beside / "graph.json", notes | own.against(torchs))
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return KeptGraph(folder)


def _make(model: Path, folder: Path, half: bool) -> dict[str, Any]:
    """Write the graph of a model into a folder; returns what has to be known to run it."""
    loaded: Any = load_model(model, Placement(CPU, torch.float32, "to be traced"))
    router = Router.into(loaded)
    # Half-precision weights lose nothing that the number format of the steps would keep.
    openvino().save_model(trace(loaded, router), folder / "graph.xml", compress_to_fp16=half)
    return {
        "sizes": asdict(Sizes.of(loaded.config)),
        "half": half,
        "vocabulary": len(loaded.get_input_embeddings().weight),
        "groups": [
            {"members": group.members, "inputs": group.inputs, "outputs": group.outputs}
            for group in router.groups
        ],
    }


@dataclass(frozen=True)
class Trial:
    """How one way of taking steps did."""

    seconds: float
    """The median of its steps."""
    logits: Tensor
    """What it said in the last step."""

    def against(self, torchs: "Trial") -> dict[str, Any]:
        """What is noted of a graph's trial beside torch's."""
        likeness = torch.nn.functional.cosine_similarity(self.logits, torchs.logits).min().item()
        reason = ""
        if not likeness > ALIKE:
            reason = "its compiled graph says something else"
        elif self.seconds >= torchs.seconds:
            reason = "faster here than its compiled graph"
        return {
            "seconds": {"graph": self.seconds, "torch": torchs.seconds},
            "likeness": likeness,
            "faster": not reason,
            "reason": reason,
        }


def try_out(runner: Runner, vocabulary: int, rounds: int = ROUNDS) -> Trial:
    """Read four prompts of more than a page and take steps of a token each; the first two don't count.

    The tokens come from the whole vocabulary: on a few that no text repeats so, half precision itself wavers.
    """
    length = PAGE + PAGE // 2
    text = torch.randint(vocabulary, (4, length + rounds + 2), generator=torch.Generator().manual_seed(0))
    logits = runner.step([Part(slot, text[slot, :length].tolist(), 0) for slot in range(4)])
    took = []
    for place in range(length, text.shape[1]):
        parts = [Part(slot, [int(text[slot, place])], place) for slot in range(4)]
        began = time.perf_counter()
        logits = runner.step(parts)
        took.append(time.perf_counter() - began)
    return Trial(median(took[2:]), logits)


def main(model: str, folder: str, dtype: str) -> None:
    """The process: what it says last is why it failed, in one line."""
    try:
        compile_graph(Path(model), Path(folder), Placement(CPU, getattr(torch, dtype), "as told"))
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is told of and torch does without the graph
        traceback.print_exc()
        sys.exit(" ".join(f"{type(problem).__name__}: {problem}".split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
