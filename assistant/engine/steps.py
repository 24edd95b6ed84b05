"""A step of the model: which tokens go through it for which rows, and what a runner has to offer.

It knows rows as numbers: slots, tokens, positions, adapters. It knows nothing of requests, text or threads.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

from assistant.engine.router import Router


@dataclass(frozen=True)
class Part:
    """One row's share of a step: tokens that follow what its slot holds, run with its adapter."""

    slot: int
    tokens: Sequence[int]
    start: int
    """Position of the first of the tokens: how many the slot holds already."""
    adapter: str | None = None
    scale: float = 0.0

    @property
    def end(self) -> int:
        """Tokens the slot holds after the step."""
        return self.start + len(self.tokens)


class Runner(Protocol):
    """What takes steps: a model, and slots for the keys and values of the rows that run on it."""

    router: Router
    slots: int
    """Rows that have room at the same time."""
    capacity: int
    """Tokens a slot has room for."""

    def step(self, parts: Sequence[Part]) -> Tensor:
        """Float32 logits [parts, vocabulary] after each part's last token; its slot holds its tokens then."""

    def save(self, slot: int, length: int) -> Tensor:
        """A copy of the keys and values of a slot's first `length` tokens."""

    def load(self, slot: int, saved: Tensor, length: int) -> None:
        """Put the first `length` tokens' keys and values of what `save` returned at the start of a slot."""

    def warm_up(self) -> list[list[Part]]:
        """Steps that take longer the first time, and memory for good: worth taking before a slot is used."""

    def describe(self) -> str:
        """How steps are taken, in a few words for people."""
