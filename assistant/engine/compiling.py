"""`python -m assistant.engine.compiling MODEL FOLDER DTYPE [8]`: compile a model's graph, keep it in FOLDER.

In a process of its own, since it takes a minute and several times the model's memory. Both ways of taking
steps do the same work, and how long they took and whether they said the same is kept with the graph.
"""

import os
import shutil
import sys
import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assistant.engine.eager import EagerRunner
from assistant.engine.eight_bits import compress
from assistant.engine.graph import GraphRunner, KeptGraph, unfinished
from assistant.engine.room import Sizes
from assistant.engine.router import Router
from assistant.engine.steps import Part, Runner
from assistant.engine.tracing import PAGE, openvino, trace
from assistant.weights import Placement, load_model
from assistant.workspace import write_json

CPU = torch.device("cpu")
ROUNDS = 24
"""Steps of four rows by which the two ways are compared."""
ALIKE = 0.99
"""Cosine of what the two ways say: half precision is above, another computation below."""


def compile_graph(model: Path, folder: Path, placement: Placement, *, eight_bit: bool = False) -> KeptGraph:
    """Compile the graph of the model in one folder and keep it in another, which appears when it is whole."""
    beside = unfinished(folder, os.getpid())
    beside.mkdir(parents=True)
    try:
        notes = _make(model, beside, half=placement.dtype == torch.bfloat16, eight_bit=eight_bit)
        write_json(beside / "graph.json", notes | {"used": True})
        graph = GraphRunner(KeptGraph(beside), slots=4, capacity=512)
        torchs = EagerRunner(load_model(model, placement), slots=4, capacity=512)
        own, other = try_out((graph, torchs), notes["vocabulary"])
        write_json(beside / "graph.json", notes | own.against(other, wanted=eight_bit))
        beside.rename(folder)
    finally:
        shutil.rmtree(beside, ignore_errors=True)
    return KeptGraph(folder)


def _make(model: Path, folder: Path, *, half: bool, eight_bit: bool) -> dict[str, Any]:
    """Write the graph of a model into a folder; returns what has to be known to run it."""
    loaded: Any = load_model(model, Placement(CPU, torch.float32, "to be traced"))
    router = Router.into(loaded)
    graph = trace(loaded, router, half=half)
    if eight_bit:
        compress(graph)
    # Half-precision weights lose nothing that the number format of the steps would keep.
    openvino().save_model(graph, folder / "graph.xml", compress_to_fp16=half)
    return {
        "sizes": asdict(Sizes.of(loaded.config)),
        "half": half,
        "eight_bit": eight_bit,
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
    """Of its fastest step: whatever else the machine does makes steps longer, never shorter."""
    logits: Tensor
    """What it said in the last step."""

    def against(self, torchs: "Trial", *, wanted: bool) -> dict[str, Any]:
        """What is noted of a graph's trial beside torch's; one that is `wanted` may be slower."""
        likeness = torch.nn.functional.cosine_similarity(self.logits, torchs.logits).min().item()
        reason = ""
        if not likeness > ALIKE:
            reason = "its compiled graph says something else"
        elif self.seconds >= torchs.seconds and not wanted:
            reason = "faster here than its compiled graph"
        return {
            "seconds": {"graph": self.seconds, "torch": torchs.seconds},
            "likeness": likeness,
            "used": not reason,
            "reason": reason,
        }


def try_out(runners: Sequence[Runner], vocabulary: int, rounds: int = ROUNDS) -> list[Trial]:
    """Read four prompts of more than a page, and take steps of a token each, in turns.

    The tokens come from the whole vocabulary: on a few that no text repeats so, half precision itself wavers.
    """
    length = PAGE + PAGE // 2
    text = torch.randint(vocabulary, (4, length + rounds), generator=torch.Generator().manual_seed(0))
    prompts = [Part(slot, text[slot, :length].tolist(), 0) for slot in range(4)]
    logits = [runner.step(prompts) for runner in runners]
    took: list[list[float]] = [[] for _ in runners]
    for place in range(length, text.shape[1]):
        parts = [Part(slot, [int(text[slot, place])], place) for slot in range(4)]
        for number, runner in enumerate(runners):
            began = time.perf_counter()
            logits[number] = runner.step(parts)
            took[number].append(time.perf_counter() - began)
    return [Trial(min(seconds), said) for seconds, said in zip(took, logits, strict=True)]


def main(model: str, folder: str, dtype: str, bits: str = "") -> None:
    """The process: what it says last is why it failed, in one line."""
    try:
        placement = Placement(CPU, getattr(torch, dtype), "as told")
        compile_graph(Path(model), Path(folder), placement, eight_bit=bits == "8")
    except Exception as problem:  # noqa: BLE001 - whatever it is, it is told of and torch does without the graph
        traceback.print_exc()
        sys.exit(" ".join(f"{type(problem).__name__}: {problem}".split()))


if __name__ == "__main__":
    main(*sys.argv[1:])
