"""How much of a model's window passages may take, in the model's own tokens, and how many of them that are.

It knows windows and how tokens are counted. It does not know who counts them, or how passages are found.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from assistant.prompts import ShownPassage, passage_text

USUAL_WINDOW = 8192
"""Tokens a chat may have with its answer, where a model server does not tell."""
SHARE = 32
"""A window this many times larger has room for a token more of passages."""
LEAST, MOST = 320, 4096
"""Tokens: small models lose the thread in more than the first, long prompts are slow beyond the second."""
LARGEST_SHARE = 4
"""Of a small window, passages take a quarter at most."""
USUAL_PASSAGE = 80
"""Tokens of a short passage, by which it is told how many are worth looking for."""


@dataclass(frozen=True)
class Budget:
    """Tokens that passages may take, and how a text's tokens are counted."""

    tokens: int
    count: Callable[[str], int]

    @classmethod
    def of(cls, window: int | None, count: Callable[[str], int], *, taken: int = 0) -> "Budget":
        """A share of the window, and never more than is left of it.

        Args:
            window: tokens of a chat with its answer; None where nobody knows.
            count: a text's tokens, by the model's own tokenizer.
            taken: tokens that the rest of the chat and its answer need.
        """
        window = window or USUAL_WINDOW
        share = min(max(window // SHARE, LEAST), window // LARGEST_SHARE, MOST)
        return cls(max(0, min(share, window - taken)), count)

    @property
    def most(self) -> int:
        """How many passages are worth looking for."""
        return max(1, self.tokens // USUAL_PASSAGE)

    def fitting(self, passages: Sequence[ShownPassage]) -> int:
        """How many of the passages fit, best first, with their titles; at least one does."""
        tokens = 0
        for place, passage in enumerate(passages):
            tokens += self.count(passage_text(passage))
            if place and tokens > self.tokens:
                return place
        return len(passages)
