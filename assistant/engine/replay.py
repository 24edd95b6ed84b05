"""Steps of a token each, recorded once as CUDA graphs and repeated, for models that wait for their launches.

Recorded is everything between token ids and logits, slots and adapters included, once for each number of
slots (1, 2, 4, ... in use) and each length that is looked at. Not recorded are steps in which prompts are
read: no two have the same shapes, and they keep a card busy anyway. Inputs are copied into the recording's
own tensors before it is repeated, and what it says is copied out.

No recording is used before it has said, and written, the same as the plain step on the same inputs, on the
very card it will run on, since it has to be right on cards nobody has tried. It is made with empty rows and
held against real ones, so one that does not read its inputs anew is found. Where recording fails, or comes
to something else, plain steps go on and the log says why.
"""

import logging
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from assistant.engine.eager import EagerRunner
from assistant.engine.slots import Plan, Run
from assistant.engine.steps import Part
from assistant.errors import AssistantError

logger = logging.getLogger(__name__)

Computation = Callable[[], Tensor]
Recorder = Callable[[Computation], Computation]
"""Takes a computation on tensors that stay where they are; gives what repeats it on what they hold then."""

SHORTEST = 256
"""Places of the slots that are looked at, at least; twice as many each time they are too few."""
DIFFERENCE = 0.05
"""Of what two ways say, relative: rounding in bfloat16 comes to 0.02 at most with the starter model, a
position off by one to 0.07 or more."""
WARM_UP = 3
"""Times that libraries are given to set themselves up before a recording."""


class ReplayRunner:
    """Repeats recorded steps where each row has one token, and leaves the others to a plain runner."""

    def __init__(self, eager: EagerRunner, new_recorder: Callable[[], Recorder] | None = None) -> None:
        """`new_recorder` makes what records; the graphics card's, if none is given."""
        self.router, self.slots, self.capacity = eager.router, eager.slots, eager.capacity
        self.save, self.load, self.warm_up = eager.save, eager.load, eager.warm_up
        self._eager = eager
        self._new_recorder = new_recorder or CardRecorder
        self._forget()
        self._reason = ""
        """Why recordings are not used any more."""

    def describe(self) -> str:
        """How steps are taken."""
        return f"torch ({self._reason})" if self._reason else "torch, tokens by CUDA graphs"

    @torch.inference_mode()
    def step(self, parts: Sequence[Part]) -> Tensor:
        """Float32 logits [parts, vocabulary] after each part's last token."""
        if self._reason or any(len(part.tokens) > 1 for part in parts):
            return self._eager.step(parts)
        self._eager.check(parts)
        if self._version != self.router.version:  # the adapters lie in other tensors now
            self._forget()
        shape = self._shape(parts)
        if shape not in self._recordings:
            return self._first(shape, parts)
        try:
            return self._recordings[shape].step(parts)
        except AssistantError:  # of one of the rows
            raise
        except Exception as problem:  # noqa: BLE001 - whatever it is, plain steps may still be possible
            self._give_up(f"a recorded step failed: {problem}")
            return self._eager.step(parts)

    def _forget(self) -> None:
        """Begin anew, without recordings."""
        self._recordings: dict[tuple[int, int], Recording] = {}
        """By rows and length."""
        self._version = self.router.version
        self._recorder = self._new_recorder()  # memory that recordings shared is gone with them

    def _shape(self, parts: Sequence[Part]) -> tuple[int, int]:
        """How many rows and places a recording for these parts has."""
        rows, length = 1, SHORTEST
        while rows <= max(part.slot for part in parts):
            rows *= 2
        while length < max(part.end for part in parts):
            length *= 2
        return min(rows, self.slots), min(length, self.capacity)

    def _first(self, shape: tuple[int, int], parts: Sequence[Part]) -> Tensor:
        """A plain step, and a recording that is held against it."""
        said = self._eager.step(parts)
        if not said.isfinite().all():  # nothing can be held against what has overflowed
            return said
        try:
            recording = Recording(self._eager, *shape, self._recorder)
            if self._same(recording, parts, said):
                self._recordings[shape] = recording
            else:
                self._give_up("a recorded step comes to something else here")
        except Exception as problem:  # noqa: BLE001 - whatever it is, it is told of and plain steps go on
            self._give_up(f"steps can't be recorded here: {problem}")
        return said

    def _same(self, recording: "Recording", parts: Sequence[Part], said: Tensor) -> bool:
        """Whether a recording says and writes what the plain step has; what that wrote stays."""
        states = self._eager.cache.states
        slots = torch.tensor([part.slot for part in parts], device=states.device)
        places = torch.tensor([part.start for part in parts], device=states.device)
        written = states[:, :, slots, :, places]
        states[:, :, slots, :, places] = 0.0
        try:
            found, rewritten = recording.step(parts), states[:, :, slots, :, places]
        finally:
            states[:, :, slots, :, places] = written
        return _alike(found, said) and _alike(rewritten.flatten(-2), written.flatten(-2))

    def _give_up(self, reason: str) -> None:
        self._forget()
        self._reason = " ".join(reason.split())[:300]
        logger.warning("Tokens are computed without CUDA graphs: %s.", self._reason)


class Recording:
    """The step in which each of the first slots takes a token, with tensors of its own for what changes."""

    def __init__(self, eager: EagerRunner, rows: int, length: int, recorder: Recorder) -> None:
        """Record it with empty rows, which write where nobody reads: behind the last place of their slots."""
        device = eager.cache.states.device
        self._eager, self._rows = eager, rows
        self._tokens = torch.zeros(1, rows, dtype=torch.long, device=device)
        every = slice(0, rows)
        self._plan = Plan(
            tuple(range(rows)),
            torch.arange(rows, device=device),
            torch.full((rows,), eager.capacity, device=device),
            (Run(every, every, length),),
        )
        self._mask = eager.router.mask([(None, 0.0)] * rows, [1] * rows).to(eager.cache.states)
        self._repeat = recorder(self._compute)

    def step(self, parts: Sequence[Part]) -> Tensor:
        """Repeat it for parts of one token each; slots without a part stay as they are."""
        by_slot = {part.slot: part for part in parts}
        rows = [by_slot.get(slot) for slot in range(self._rows)]
        uses = [(row.adapter, row.scale) if row else (None, 0.0) for row in rows]
        self._tokens.copy_(torch.tensor([[row.tokens[0] if row else 0 for row in rows]]))
        self._plan.positions.copy_(torch.tensor([row.start if row else self._eager.capacity for row in rows]))
        self._mask.copy_(self._eager.router.mask(uses, [1] * self._rows))
        return self._repeat()[[part.slot for part in parts]].float()

    def _compute(self) -> Tensor:
        self._eager.router.use(self._mask if self._mask.numel() else None)
        return self._eager.compute(self._tokens, self._plan, 0)


class CardRecorder:
    """Records what a graphics card computes, as a CUDA graph.

    All graphs share their memory, so each overwrites what another has said: read it before the next is run.
    """

    def __init__(self) -> None:
        self._memory: Any = None
        """Is taken with the first graph, and gone with the last."""

    def __call__(self, compute: Computation) -> Computation:
        """What repeats the computation."""
        self._memory = self._memory or torch.cuda.graph_pool_handle()
        beside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        beside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(beside):
            for _ in range(WARM_UP):
                compute()
        torch.cuda.current_stream().wait_stream(beside)
        graph = torch.cuda.CUDAGraph()
        # Other threads may use the card meanwhile, to embed a question, say.
        with torch.cuda.graph(graph, pool=self._memory, capture_error_mode="thread_local"):
            said = compute()

        def repeat() -> Tensor:
            graph.replay()
            return said

        return repeat


def _alike(found: Tensor, expected: Tensor) -> bool:
    """Whether numbers differ by no more than rounding in half precision, along the last dimension."""
    found, expected = (each.float() - each.float().mean(-1, keepdim=True) for each in (found, expected))
    return bool(((found - expected).norm(dim=-1) <= DIFFERENCE * expected.norm(dim=-1)).all())
