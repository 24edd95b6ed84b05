"""Steps as one compiled graph on the processor (OpenVINO): the same slots and adapters, with less overhead.

It knows how the graph is run and where it is kept. `tracing.py` knows how it is made of a model, and
`compiling.py` makes it, in a process of its own.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from assistant.engine.eight_bits import GROUP
from assistant.engine.room import Sizes
from assistant.engine.router import Group, Router
from assistant.engine.slots import copied, zeros
from assistant.engine.steps import Part
from assistant.engine.tracing import PAGE, STEP_INPUTS, openvino, read
from assistant.errors import AssistantError
from assistant.weights import Placement, thread_budget
from assistant.workspace import quartet_home, read_json, write_json

LAYOUT = 6
"""Of what is kept; raised when graphs of an earlier Quartet are of no use any more."""
COMPILER = (sys.executable, "-P", "-m", "assistant.engine.compiling")
"""Is given the model's folder, the graph's, the number format, and 8 where weights are to have 8 bits."""
LONGEST = 272
"""Tokens of the longest step that the decoder takes: a chunk of prompts, and a token of each row."""
STOPPED = (-signal.SIGINT, -signal.SIGTERM)
"""How a process ends that somebody stopped, which says nothing of the model."""


class NoGraph(AssistantError):
    """The model has no graph that is worth running; the message says why, in a few words."""


@dataclass(frozen=True)
class KeptGraph:
    """A compiled graph on disk and what was found when it was made, or why it could not be made."""

    folder: Path

    @property
    def notes(self) -> dict[str, Any]:
        """The model's sizes, its groups of layers, and how long steps took."""
        notes: dict[str, Any] = read_json(self.folder / "graph.json")
        return notes

    @property
    def tried(self) -> bool:
        """Whether it was made, or found to be impossible."""
        return (self.folder / "graph.json").exists()

    @property
    def used(self) -> bool:
        """Whether it said the same as torch, and took less time for it or was asked for."""
        return bool(self.notes["used"])

    @property
    def reason(self) -> str:
        """Why it is not used, in a few words, or ""."""
        return str(self.notes.get("reason", ""))

    def load(self) -> Any:
        """The graph, compiled for this processor."""
        ov, notes = openvino(), self.notes
        settings = {
            "INFERENCE_PRECISION_HINT": ov.Type.bf16 if notes["half"] else ov.Type.f32,
            "KV_CACHE_PRECISION": ov.Type.bf16 if notes["half"] else ov.Type.f32,
            "PERFORMANCE_HINT": "LATENCY",
            "NUM_STREAMS": 1,
            "INFERENCE_NUM_THREADS": thread_budget(),
        }
        graph = read(self.folder / "graph.xml", Sizes(**notes["sizes"]))
        if notes["eight_bit"]:
            settings["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = GROUP
        return ov.Core().compile_model(graph, "CPU", settings)

    def groups(self) -> list[Group]:
        """The model's groups of layers, without adapters, in the number format of the graph's steps."""
        like = torch.zeros(0, dtype=torch.bfloat16 if self.notes["half"] else torch.float32)
        return [
            Group(
                {name: (start, stop) for name, (start, stop) in group["members"].items()},
                group["inputs"],
                like.new_zeros(0, group["inputs"]),
                like.new_zeros(group["outputs"], 0),
            )
            for group in self.notes["groups"]
        ]


def compiled_graph(
    folder: Path, placement: Placement, report: Callable[[str, float], None], *, eight_bit: bool = False
) -> KeptGraph:
    """The graph of the model in a folder, made now if it is not kept yet; that takes up to a minute, once.

    Args:
        folder: of the model.
        placement: the processor, and the number format.
        report: told what is being done, and how far it is.
        eight_bit: whether its weights have 8 bits.

    Raises:
        NoGraph: it can't be made, or torch is faster.
    """
    kept = KeptGraph(
        quartet_home() / "graphs" / f"{folder.name}-{_fingerprint(folder, placement, eight_bit)}"
    )
    if not kept.tried:
        report(f"Compiling {folder.name} for this processor, once", 0.98)
        try:
            _compile(folder, kept, placement, eight_bit)
        except OSError as problem:
            raise NoGraph(f"no room for a graph: {problem}") from problem
    if not kept.used:
        raise NoGraph(kept.reason)
    return kept


def _compile(folder: Path, kept: KeptGraph, placement: Placement, eight_bit: bool) -> None:
    """Have the graph made by a process of its own; where that fails, keep the reason in its place."""
    kept.folder.parent.mkdir(parents=True, exist_ok=True)
    log = kept.folder.with_name(f"{kept.folder.name}.log")
    arguments = [str(folder), str(kept.folder), str(placement.dtype).removeprefix("torch.")]
    arguments += ["8"] if eight_bit else []
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
    with log.open("wb") as output:
        child = subprocess.Popen(
            [*COMPILER, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, "PYTHONPATH": paths},
        )
        code = child.wait()
    shutil.rmtree(unfinished(kept.folder, child.pid), ignore_errors=True)
    if kept.tried:
        return
    reason = f"its graph could not be compiled: {_last_words(log, code)}"
    if code in STOPPED:
        raise NoGraph(reason)
    write_json(kept.folder / "graph.json", {"used": False, "reason": reason})


def unfinished(folder: Path, process: int) -> Path:
    """Where a process makes what will be the folder."""
    return folder.with_name(f".{folder.name}.{process}")


def _last_words(log: Path, code: int) -> str:
    """What a process that failed said last, or how it ended."""
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    return next((line.strip()[:200] for line in reversed(lines) if line.strip()), f"it ended with {code}")


def _fingerprint(folder: Path, placement: Placement, eight_bit: bool) -> str:
    """Changes with the model's files, the number format, the bits of weights, and who compiles."""
    files = [
        (path.name, path.stat().st_size, path.stat().st_mtime_ns)
        for pattern in ("*.safetensors", "config.json")
        for path in sorted(folder.glob(pattern))
    ]
    makers = (LAYOUT, version("openvino"), version("transformers"), version("torch"))
    wanted = (str(placement.dtype), eight_bit)
    return hashlib.sha256(repr((str(folder.resolve()), files, makers, wanted)).encode()).hexdigest()[:12]


class GraphRunner:
    """A compiled graph, and slots of pages that it reads and writes."""

    def __init__(self, kept: KeptGraph, *, slots: int, capacity: int) -> None:
        self._ov = openvino()
        self.slots, self.capacity = slots, capacity
        compiled = kept.load()
        self._request = compiled.create_infer_request()
        sizes = Sizes(**kept.notes["sizes"])
        self._vocabulary = int(kept.notes["vocabulary"])
        self._eight_bit = bool(kept.notes["eight_bit"])
        in_half = compiled.inputs[len(STEP_INPUTS)].element_type == self._ov.Type.bf16
        dtype = torch.bfloat16 if in_half else torch.float32
        self.router = Router(kept.groups())
        self._pages = -(-capacity // PAGE)
        """Pages of a slot."""
        # One page more than the slots have, for what fills up a step.
        shape = (sizes.layers, 2, slots * self._pages + 1, sizes.heads, PAGE, sizes.size)
        self._states = zeros(shape, like=torch.zeros(0, dtype=dtype))
        for number, states in enumerate(self._states.flatten(0, 1)):
            self._request.set_input_tensor(len(STEP_INPUTS) + number, self._shared(states))
        self._first_adapter = len(STEP_INPUTS) + 2 * sizes.layers
        self._adapters: list[Any] = []
        self._version = -1

    def describe(self) -> str:
        """How steps are taken."""
        return "compiled graph, weights in 8 bits" if self._eight_bit else "compiled graph"

    def step(self, parts: Sequence[Part]) -> Tensor:
        """Float32 logits [parts, vocabulary] after each part's last token."""
        if self._version != self.router.version:
            self._take_up_adapters()
        for number, value in enumerate(self._inputs(parts)):
            self._request.set_input_tensor(number, self._ov.Tensor(value.numpy()))
        self._request.infer()
        return torch.from_numpy(self._request.get_output_tensor(0).data.copy())

    def warm_up(self) -> list[list[Part]]:
        """A step of every number of rows, and one of every length: operators are made once for each."""
        longest = min(LONGEST, self.capacity)
        lengths = sorted({filled_up(count) for count in range(self.slots + 1, longest + 1)})
        rows = [[Part(slot, [0], 0) for slot in range(count)] for count in range(1, self.slots + 1)]
        return rows + [[Part(0, [0] * count, 0)] for count in lengths]

    def save(self, slot: int, length: int) -> Tensor:
        """A copy of the pages with a slot's first tokens: [layers, 2, pages, heads, PAGE, size]."""
        return copied(self._own(slot, length))

    def load(self, slot: int, saved: Tensor, length: int) -> None:
        """Put the pages with the first tokens at the start of a slot."""
        own = self._own(slot, length)
        own.copy_(saved[:, :, : own.shape[2]])

    def _own(self, slot: int, length: int) -> Tensor:
        first = slot * self._pages
        return self._states[:, :, first : first - (-length // PAGE)]

    def _inputs(self, parts: Sequence[Part]) -> tuple[Tensor, ...]:
        """`STEP_INPUTS` of a step, filled up with a part that nobody asked for."""
        asked, count = len(parts), sum(len(part.tokens) for part in parts)
        if spare := filled_up(count) - count:
            parts = [*parts, Part(self.slots, [0] * spare, 0)]
        tokens = [token for part in parts for token in part.tokens]
        unknown = next((token for token in tokens if token >= self._vocabulary), None)
        if unknown is not None:
            raise IndexError(f"the model has no token {unknown}")
        lengths = [len(part.tokens) for part in parts]
        ends = torch.tensor(lengths).cumsum(0)
        mask = self.router.mask([(part.adapter, part.scale) for part in parts], lengths)
        firsts = [part.slot * self._pages for part in parts]
        pages = [range(first, first - (-part.end // PAGE)) for first, part in zip(firsts, parts, strict=True)]
        return (
            torch.tensor(tokens),
            torch.cat([torch.arange(part.start, part.end) for part in parts]),
            ends[:asked] - 1,
            mask if mask.shape[1] else mask.new_zeros(len(mask), 1),
            _whole([part.start for part in parts]),
            _whole([0, *ends.tolist()]),
            _whole([page for own in pages for page in own]),
            _whole([0, *torch.tensor([len(own) for own in pages]).cumsum(0).tolist()]),
            torch.tensor(max(part.end for part in parts), dtype=torch.int32),
        )

    def _take_up_adapters(self) -> None:
        """Hand the stacked adapters to the graph; with none, one rank of zeros."""
        self._adapters = []
        for group in self.router.groups:
            for stacked in (group.down, group.up) if self.router.widths else _nothing(group):
                shared = self._shared(stacked[None])
                self._request.set_input_tensor(self._first_adapter + len(self._adapters), shared)
                self._adapters.append(shared)
        self._version = self.router.version

    def _shared(self, tensor: Tensor) -> Any:
        """The tensor's memory as the graph's; numpy has no bfloat16, so that goes by as whole numbers."""
        if tensor.dtype == torch.bfloat16:
            return self._ov.Tensor(tensor.view(torch.uint16).numpy(), list(tensor.shape), self._ov.Type.bf16)
        return self._ov.Tensor(tensor.numpy(), list(tensor.shape), self._ov.Type.f32)


def filled_up(count: int) -> int:
    """The number of tokens that a step of so many is filled up to: by less than a quarter, and than a page.

    Operators are made for each number that occurs, which takes time, and kept, which takes megabytes.
    """
    grain = min(PAGE, 1 << max(0, (count - 1).bit_length() - 3))
    return -(-count // grain) * grain


def _nothing(group: Group) -> tuple[Tensor, Tensor]:
    return group.down.new_zeros(1, group.inputs), group.up.new_zeros(group.outputs, 1)


def _whole(values: Sequence[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.int32)
