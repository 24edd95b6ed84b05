"""The decoder: one thread that prefills rows in chunks and takes all running rows a token further each step.

It knows the model, the slots and the router. It knows nothing of chats, templates or lanes.
"""

import threading
from collections import deque

import torch
from torch import Tensor
from transformers import PreTrainedModel

from assistant.engine.cache import SlotCache
from assistant.engine.router import Router
from assistant.engine.rows import Row

SLOTS = 8
"""Rows that run at the same time; more wait their turn."""
CHUNK = 256
"""Prompt tokens prefilled between two steps of the running rows."""


class Decoder:
    """Runs rows on one model; everything that touches the model happens in its thread."""

    def __init__(self, model: PreTrainedModel, *, slots: int = SLOTS, chunk: int = CHUNK) -> None:
        self.router = Router(model)
        self._model = model
        self._device = next(model.parameters()).device
        self._cache = SlotCache(model.config, slots)
        self._chunk = chunk
        self._waiting: deque[Row] = deque()
        self._prefilling: Row | None = None
        self._running: list[Row] = []
        """The row at place i owns slot i; a row that is being prefilled owns the slot after the last."""
        self._wake = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="decoder", daemon=True)
        self._thread.start()

    def submit(self, rows: list[Row]) -> None:
        """Hand rows in; they start as slots come free, in this order."""
        with self._wake:
            self._waiting.extend(rows)
            self._wake.notify()

    def close(self) -> None:
        """End the thread; rows in flight end as cancelled."""
        with self._wake:
            self._closed = True
            self._wake.notify()
        self._thread.join()

    def _work(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._closed or self._busy)
                if self._closed:
                    break
            self._step()
        for row in [*self._waiting, *self._running, *([self._prefilling] if self._prefilling else [])]:
            row.end("cancelled")

    @property
    def _busy(self) -> bool:
        return bool(self._waiting or self._running or self._prefilling)

    @torch.inference_mode()
    def _step(self) -> None:
        """One turn of the loop: let cancelled rows go, prefill a chunk, decode a token for all running."""
        self._drop_cancelled()
        self._prefill()
        self._decode()

    def _drop_cancelled(self) -> None:
        for row in [row for row in self._running if row.cancelled]:
            self._leave(row)
            row.end("cancelled")
        with self._wake:
            gone = [row for row in self._waiting if row.cancelled]
            for row in gone:
                self._waiting.remove(row)
        for row in gone:
            row.end("cancelled")

    def _prefill(self) -> None:
        row = self._prefilling or self._admit()
        if row is None:
            return
        self._prefilling = None
        if row.cancelled:
            row.end("cancelled")
            return
        try:
            logits = self._prefill_chunk(row)
        except Exception as problem:  # noqa: BLE001 - ends this row alone, whatever went wrong in it
            row.end("failed", _explain(problem))
            return
        if row.prefilled < len(row.prompt):
            self._prefilling = row
            return
        self._running.append(row)
        self._advance([row], logits)

    def _admit(self) -> Row | None:
        with self._wake:
            if self._waiting and len(self._running) < self._cache.slots:
                return self._waiting.popleft()
        return None

    def _prefill_chunk(self, row: Row) -> Tensor:
        slot = len(self._running)
        chunk = row.prompt[row.prefilled : row.prefilled + self._chunk]
        positions = torch.arange(row.prefilled, row.prefilled + len(chunk), device=self._device)[None]
        logits = self._forward([row], slice(slot, slot + 1), [chunk], positions)
        row.prefilled += len(chunk)
        return logits

    def _decode(self) -> None:
        rows = list(self._running)
        if not rows:
            return
        positions = torch.tensor([[row.length] for row in rows], device=self._device)
        try:
            logits = self._forward(
                rows, slice(0, len(rows)), [[row.generated[-1]] for row in rows], positions
            )
        except Exception as problem:  # noqa: BLE001 - the batch failed as a whole; the engine stays alive
            for row in rows:
                self._leave(row)
                row.end("failed", _explain(problem))
            return
        self._advance(rows, logits)

    def _forward(self, rows: list[Row], window: slice, tokens: list[list[int]], positions: Tensor) -> Tensor:
        """Float32 logits [rows, vocabulary] after the last of `tokens`."""
        self.router.route([(row.request.adapter, row.request.scale) for row in rows], self._device)
        out = self._model(
            input_ids=torch.tensor(tokens, device=self._device),
            attention_mask=self._cache.open(window, positions),
            position_ids=positions,
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1].float()

    def _advance(self, rows: list[Row], logits: Tensor) -> None:
        """Add a token to each row; the ended ones leave when all have theirs, since moving goes by length."""
        endings = [(row, *_take(row, scores)) for row, scores in zip(rows, logits, strict=True)]
        for row, reason, problem in endings:
            if reason:
                self._leave(row)
                row.end(reason, problem)

    def _leave(self, row: Row) -> None:
        """Free a row's slot: the last running row moves into it, and one in prefill moves up behind."""
        place, last = self._running.index(row), len(self._running) - 1
        if place != last:
            self._running[place] = self._running[last]
            self._cache.move(last, place, self._running[place].length)
        self._running.pop()
        if self._prefilling:
            self._cache.move(last + 1, last, self._prefilling.prefilled)


def _take(row: Row, logits: Tensor) -> tuple[str | None, str]:
    """Choose and add a row's next token: why it has ended, or None, and what went wrong."""
    try:
        return row.take(row.choose(logits)), ""
    except Exception as problem:  # noqa: BLE001 - such as logits that are no numbers: ends this row alone
        return "failed", _explain(problem)


def _explain(problem: Exception) -> str:
    if isinstance(problem, (MemoryError, torch.OutOfMemoryError)) or "allocate memory" in str(problem):
        return (
            "There was not enough memory for this answer. "
            "Ask with a shorter conversation, or close other programs."
        )
    return (
        f"The model failed on this answer ({type(problem).__name__}: {problem}). "
        "Ask again; if it stays, start a new chat."
    )
