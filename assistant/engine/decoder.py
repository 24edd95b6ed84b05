"""The decoder: one thread that reads the prompts of rows in chunks and takes all of them a token further.

It knows rows, the waiting line and slots. It knows nothing of chats, templates or how steps are taken.
"""

import atexit
import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from assistant.engine.line import WaitingLine
from assistant.engine.prefixes import WORTHWHILE, Prefixes
from assistant.engine.rows import Row
from assistant.engine.sampling import likeliest
from assistant.engine.steps import Part, Runner
from assistant.errors import AssistantError

logger = logging.getLogger(__name__)

LOOKING_BACK = 1700
"""Tokens that one can look back on in the time that it takes to go through the weights."""


@dataclass(frozen=True)
class Chunks:
    """Prompt tokens read in a step, where they look back on no others; of those that do, fewer."""

    alone: int = 256
    """While no stream is running."""
    beside: int = 28
    """Beside running streams, so that none of them stalls."""
    each: int = 3
    """So many more for each of them: the more there are, the longer a step takes anyway."""
    awaited: int = 4500
    """Not in a step: of other questions, before one is answered that is ready while no stream is running."""

    def room(self, streams: int) -> int:
        """Prompt tokens read beside so many streams."""
        return self.beside + self.each * streams if streams else self.alone


ON_CARD = Chunks(512, 256, 0)
"""On a graphics card, where a step reads so many in about the time its weights take to arrive."""


class Decoder:
    """Runs rows on one runner; everything that touches the model happens in its thread."""

    def __init__(
        self,
        runner: Runner,
        *,
        chunks: Chunks = Chunks(),
        line: WaitingLine | None = None,
        prefixes: Prefixes | None = None,
    ) -> None:
        self._runner = runner
        self._chunks = chunks
        self._line = WaitingLine() if line is None else line
        self._prefixes = Prefixes() if prefixes is None else prefixes
        self._free = list(range(runner.slots))
        self._rows: list[Row] = []
        """The rows that have a slot, in the order they came."""
        self._questions = 0
        """Times that rows were handed in."""
        self._errands: deque[tuple[Callable[[], Any], Future[Any]]] = deque()
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="decoder", daemon=True)
        self._thread.start()
        # A thread that is in torch when the interpreter goes takes the process down with an error.
        atexit.register(self.close)

    def submit(self, rows: Sequence[Row]) -> None:
        """Hand in one owner's rows; they start as slots come free, or end as busy where the line is full."""
        if not rows:
            return
        with self._wake:
            closed = self._closed
            self._questions += 1
            for row in rows:
                row.question = self._questions
            refusal = "" if closed else self._line.join(rows)
            self._wake.notify()
        if closed or refusal:
            for row in rows:
                row.end("cancelled" if closed else "busy", refusal)

    def between_steps(self, errand: Callable[[], Any]) -> Any:
        """Have something done by the decoder's thread when no step is being taken; returns its result."""
        done: Future[Any] = Future()
        with self._wake:
            if self._closed:
                raise RuntimeError("the decoder is closed")
            self._errands.append((errand, done))
            self._wake.notify()
        return done.result()

    def adapters_in_use(self) -> set[str]:
        """The adapters of rows that run or wait; call it between steps."""
        with self._wake:
            rows = [*self._rows, *self._line.in_order()]
        return {row.adapter for row in rows if row.adapter}

    def forget(self, adapter: str) -> None:
        """Let go of what was read with an adapter; call it between steps."""
        self._prefixes.forget(adapter)

    def close(self) -> None:
        """End the thread; rows in flight end as cancelled. Happens at the process's end if not before."""
        atexit.unregister(self.close)
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _work(self) -> None:
        warm_up = self._runner.warm_up()
        while True:
            with self._wake:
                asked = self._wake.wait_for(
                    lambda: self._closed or self._rows or len(self._line) or self._errands,
                    timeout=0 if warm_up else None,
                )
                if self._closed:
                    break
            if not asked:
                self._warm(warm_up)
                continue
            self._run_errands()
            try:
                self._turn()
            except Exception as problem:  # noqa: BLE001 - a fault of our own must not leave rows without an end
                for row in list(self._rows):
                    self._leave(row, "failed", _explain(problem))
        for row in [*self._rows, *self._line.in_order()]:
            row.end("cancelled")
        for _, done in self._errands:
            done.cancel()

    def _warm(self, steps: list[list[Part]]) -> None:
        """Take the first of these steps and leave it out; with one that fails, all of them."""
        try:
            self._runner.step(steps.pop(0))
        except Exception:
            logger.exception("A step of the warm-up failed.")
            steps.clear()

    def _run_errands(self) -> None:
        while self._errands:
            errand, done = self._errands.popleft()
            try:
                done.set_result(errand())
            except Exception as problem:  # noqa: BLE001 - belongs to who asked for the errand
                done.set_exception(problem)

    @torch.inference_mode()
    def _turn(self) -> None:
        """One turn of the loop: let go what is over, let in what has room, take a step for all."""
        self._end_what_is_over()
        self._let_in()
        planned = self._plan()
        for outcome in self._step(planned) if planned else ():
            self._advance(outcome)

    def _end_what_is_over(self) -> None:
        for row in list(self._rows):
            if row.over:
                self._leave(row, row.over)
        with self._wake:
            gone = [row for row in self._line.in_order() if row.over]
            for row in gone:
                self._line.remove(row)
        for row in gone:
            row.end(row.over or "cancelled")

    def _let_in(self) -> None:
        with self._wake:
            while self._free and (row := self._line.next()):
                self._rows.append(row)
                row.slot = self._free.pop(0)
            waiting = self._line.in_order()
        for place, row in enumerate(waiting):
            row.wait(place)

    def _plan(self) -> list[tuple[Row, Part]]:
        """The next token of each running row, and as much of the prompts being read as fits beside them.

        The last token of a prompt waits until those of its question's other rows are due as well: a question
        is answered sooner when all is read before its first token, and its lanes are seen at the same pace.
        Questions that come while no stream is running wait for each other too, unless that would take long.
        """
        running = [row for row in self._rows if row.running]
        planned = [(row, _part(row, row.generated[-1:])) for row in running]
        ends = self._read_on(self._chunks.room(len(running)))
        unread = {row: row.ready - end for row, end in ends.items() if end < row.ready}
        unready = {row.question for row in (ends if self._together(running, unread) else unread)}
        for row, end in ends.items():
            chunk = row.prompt[row.prefilled : end + (row.question not in unready)]
            if chunk:
                planned.append((row, _part(row, chunk)))
        return planned

    def _together(self, running: Sequence[Row], unread: Mapping[Row, int]) -> bool:
        """Whether no row is to begin before all are read that have a slot.

        Reading beside streams goes on in small chunks, each of which costs as much as a step of all rows.
        """
        return not running and 0 < sum(unread.values()) <= self._chunks.awaited

    def _read_on(self, room: float) -> dict[Row, int]:
        """How far to read the prompts that are being read, none of them to its last token."""
        ends: dict[Row, int] = {}
        for row in self._rows:
            if row.running:
                continue
            if room >= 1 and not self._soon_spared(row, ends):
                if not row.prefilled:
                    self._reuse(row)
                work = 1 + row.prefilled / LOOKING_BACK
                ends[row] = min(row.prefilled + max(1, round(room / work)), row.ready)
                room -= (ends[row] - row.prefilled) * work
            else:
                ends[row] = row.prefilled
        return ends

    def _soon_spared(self, row: Row, ends: Mapping[Row, int]) -> bool:
        """Whether this step reads through a prompt that begins like the row's: that part is copied then."""
        return not row.prefilled and any(
            other.prefilled < end == other.ready
            and _reader(other) == _reader(row)
            and _begin_alike(other.prompt, row.prompt)
            for other, end in ends.items()
        )

    def _reuse(self, row: Row) -> None:
        found = self._prefixes.find(_reader(row), row.prompt)
        if found:
            prefix, length = found
            self._runner.load(row.slot, prefix.saved, length)
            row.prefilled = row.reused = length

    def _step(self, planned: list[tuple[Row, Part]]) -> "list[_Outcome]":
        """What the step says for each row; where it fails, each is tried alone and the failing ones end."""
        try:
            logits = self._runner.step([part for _, part in planned])
            tops = likeliest(logits)
        except Exception as problem:  # noqa: BLE001 - one row's trouble must not end the others
            if len(planned) > 1:
                return [outcome for one in planned for outcome in self._step([one])]
            self._leave(planned[0][0], "failed", _explain(problem))
            return []
        return [_Outcome(*each, *said) for each, *said in zip(planned, logits, tops, strict=True)]

    def _advance(self, outcome: "_Outcome") -> None:
        """Note what a step has done for a row, and take its next token if its prompt has been read."""
        row = outcome.row
        if outcome.likeliest is None:
            self._wipe(outcome.part)
            self._leave(row, "failed", _explain(ValueError("its numbers have overflowed")))
            return
        try:
            if not row.running:
                row.prefilled = outcome.part.end
                if outcome.part.start < row.ready <= outcome.part.end:
                    self._keep(row)
            reason = row.take(outcome.choose()) if row.running else None
            if reason:
                self._keep(row)
        except Exception as problem:  # noqa: BLE001 - such as too little memory: ends this row alone
            self._leave(row, "failed", _explain(problem))
            return
        if reason:
            self._leave(row, reason)

    def _keep(self, row: Row) -> None:
        """Keep what a row has read, for rows that begin alike."""
        if self._prefixes.lacks(_reader(row), row.held):
            self._prefixes.keep(_reader(row), row.held, self._runner.save(row.slot, len(row.held)))

    def _wipe(self, part: Part) -> None:
        """Put zeros into a slot: attention counts places that it masks as 0 times what they hold."""
        saved = self._runner.save(part.slot, part.end)
        self._runner.load(part.slot, torch.zeros_like(saved), part.end)

    def _leave(self, row: Row, reason: str, error: str = "") -> None:
        """End a row and free its slot."""
        self._rows.remove(row)
        self._free = sorted([*self._free, row.slot])
        row.end(reason, error)


@dataclass(frozen=True)
class _Outcome:
    """What a step says for one row."""

    row: Row
    part: Part
    logits: Tensor
    likeliest: int | None

    def choose(self) -> int:
        """The row's next token."""
        if self.likeliest is not None and self.row.chooser.greedy:
            return self.likeliest
        return self.row.chooser.choose(self.logits, self.row.generated)


def _part(row: Row, tokens: Sequence[int]) -> Part:
    return Part(row.slot, tokens, row.length, row.adapter, row.request.scale)


def _begin_alike(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether two prompts share enough tokens at the start that copying them pays."""
    return list(one[:WORTHWHILE]) == list(other[:WORTHWHILE])


def _reader(row: Row) -> tuple[str | None, float]:
    return row.adapter, row.request.scale


def _explain(problem: Exception) -> str:
    if isinstance(problem, AssistantError):
        return str(problem)
    if isinstance(problem, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(problem):
        return (
            "There was not enough memory for this answer. "
            "Ask with a shorter conversation, or close other programs."
        )
    return (
        f"The model failed on this answer ({type(problem).__name__}: {problem}). "
        "Ask again; if it stays, start a new chat."
    )
