"""One row of the batch: a request, how far it is, and what it has said.

It knows one request's state. It knows nothing of the model, the other rows or threads.
"""

import queue
import time
from dataclasses import dataclass, field
from typing import Any

from assistant.engine.sampling import Chooser
from assistant.engine.text import TextStream
from assistant.lanes import Finish, Piece, Request


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
    adapter: str | None = None
    """The request's adapter, as the router has it installed."""
    owner: str = ""
    """Who asks; the line gives each owner its turn."""
    question: int = 0
    """Rows that are asked together have the same number, and begin to answer together."""
    began: float = field(default_factory=time.perf_counter)
    slot: int = -1
    generated: list[int] = field(default_factory=list)
    prefilled: int = 0
    """Prompt tokens whose keys and values are in the slot."""
    reused: int = 0
    """How many of them were kept from an earlier row."""
    cancelled: bool = False
    first_token: float = 0.0
    place: int | None = None
    """Rows that start before this one, while it waits."""

    def __post_init__(self) -> None:
        self.chooser = Chooser(self.request.sampling)
        self._text = TextStream(self.tokenizer, self.request.sampling.stop)

    @property
    def running(self) -> bool:
        """Whether the prompt has been read and tokens are coming."""
        return self.prefilled == len(self.prompt)

    @property
    def ready(self) -> int:
        """Where its prompt has been read but for the last token, which is the first to say something."""
        return len(self.prompt) - 1

    @property
    def length(self) -> int:
        """Tokens in the slot: the prompt's that were prefilled, and the generated ones but the last."""
        return self.prefilled + max(len(self.generated) - 1, 0)

    @property
    def held(self) -> list[int]:
        """The tokens whose keys and values are in the slot."""
        return [*self.prompt[: self.prefilled], *self.generated[:-1]]

    @property
    def over(self) -> str | None:
        """Why the row has to end whatever the model says: cancelled, or out of time."""
        if self.cancelled:
            return "cancelled"
        return "time" if time.perf_counter() - self.began > self.request.sampling.seconds else None

    def wait(self, place: int) -> None:
        """Tell how many rows start before this one, if that is news."""
        if place != self.place:
            self.place = place
            self.pieces.put(Piece(self.index, "", waiting=place))

    def take(self, token: int) -> str | None:
        """Add a generated token; returns why the row has ended, or None."""
        if not self.generated:
            self.first_token = time.perf_counter() - self.began
        self.generated.append(token)
        self._show(self._text.add(token))
        if token in self.ends:
            return "end"
        if self._text.stopped:
            return "stop"
        return "length" if len(self.generated) >= self.request.sampling.max_tokens else None

    def end(self, reason: str, error: str = "") -> None:
        """Send the last piece, with what was observed."""
        self._show(self._text.end())
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
            reused_tokens=self.reused,
        )
        self.pieces.put(Piece(self.index, "", finish))

    def _show(self, text: str) -> None:
        if text:
            self.pieces.put(Piece(self.index, text))
