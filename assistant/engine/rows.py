"""One row of the batch: its tokens so far, how it chooses the next one, and the text it can already show.

It knows one request's state. It knows nothing of the model, the other rows or threads.
"""

import queue
import time
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from assistant.lanes import Finish, Piece, Request

HALF_A_CHARACTER = "\ufffd"


@dataclass(eq=False)
class Row:
    """A request on its way through the engine."""

    index: int
    request: Request
    prompt: list[int]
    tokenizer: Any
    ends: frozenset[int]
    base: str
    pieces: "queue.Queue[Piece]"
    began: float = field(default_factory=time.perf_counter)
    generated: list[int] = field(default_factory=list)
    prefilled: int = 0
    """Prompt tokens whose keys and values are in the slot."""
    cancelled: bool = False
    first_token: float = 0.0
    _shown: str = ""

    def __post_init__(self) -> None:
        self._random = torch.Generator().manual_seed(self.request.sampling.seed)

    @property
    def length(self) -> int:
        """Tokens in the slot: the prompt's that were prefilled, and the generated ones but the last."""
        return self.prefilled + max(len(self.generated) - 1, 0)

    def choose(self, logits: Tensor) -> int:
        """The next token from float32 logits [vocabulary]."""
        sampling = self.request.sampling
        if sampling.repetition_penalty != 1.0 and self.generated:
            seen = torch.tensor(sorted(set(self.generated)), device=logits.device)
            values = logits[seen]
            penalty = sampling.repetition_penalty
            logits = logits.clone()
            logits[seen] = torch.where(values > 0, values / penalty, values * penalty)
        if sampling.temperature <= 0:
            return int(logits.argmax())
        chances = torch.softmax(logits.cpu() / sampling.temperature, dim=-1)
        ordered, tokens = chances.sort(descending=True)
        keep = ordered.cumsum(0) - ordered < sampling.top_p
        pick = torch.multinomial(ordered * keep, 1, generator=self._random)
        return int(tokens[pick])

    def take(self, token: int) -> str | None:
        """Add a generated token; returns why the row has ended, or None."""
        if not self.generated:
            self.first_token = time.perf_counter() - self.began
        self.generated.append(token)
        reason = "end" if token in self.ends else None
        if reason is None and len(self.generated) >= self.request.sampling.max_tokens:
            reason = "length"
        self._show()
        return reason

    def end(self, reason: str, error: str = "") -> None:
        """Send the last piece, with what was observed."""
        finish = Finish(
            reason=reason,
            base=self.base,
            adapter=self.request.adapter,
            scale=self.request.scale if self.request.adapter else 0.0,
            prompt_tokens=len(self.prompt),
            completion_tokens=len(self.generated),
            first_token_seconds=round(self.first_token, 4),
            seconds=round(time.perf_counter() - self.began, 4),
            error=error,
        )
        self.pieces.put(Piece(self.index, "", finish))

    def _show(self) -> None:
        """Send the text that is new; half a character waits for its other bytes."""
        text = self.tokenizer.decode(self.generated, skip_special_tokens=True).rstrip(HALF_A_CHARACTER)
        if len(text) > len(self._shown):
            self.pieces.put(Piece(self.index, text[len(self._shown) :]))
            self._shown = text
