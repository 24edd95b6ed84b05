"""A row's tokens as text while they come: no half characters, nothing of a stop string.

It knows a tokenizer's decoding. It knows nothing of models, slots or requests.
"""

from collections.abc import Sequence
from typing import Any

HALF_A_CHARACTER = "\ufffd"


class TextStream:
    """Turns tokens into text piece by piece; decodes the newest ones only, however long the answer is."""

    def __init__(self, tokenizer: Any, stops: Sequence[str] = ()) -> None:
        self._tokenizer = tokenizer
        self._stops = tuple(filter(None, stops))
        self._tokens: list[int] = []
        self._before = 0
        """The tokens from here to `_read` give the newest ones their context, such as a space before them."""
        self._read = 0
        self._held = ""
        """Text that may be the beginning of a stop string."""
        self.stopped = False
        """Whether a stop string came; no more text follows."""

    def add(self, token: int) -> str:
        """The text that can be shown now that this token has come."""
        self._tokens.append(token)
        known = self._decode(self._tokens[self._before : self._read])
        text = self._decode(self._tokens[self._before :])
        if len(text) <= len(known) or text.endswith(HALF_A_CHARACTER):
            return ""
        self._before, self._read = self._read, len(self._tokens)
        return self._before_stop(text[len(known) :])

    def end(self) -> str:
        """The text that was held back and did not become a stop string."""
        held, self._held = self._held, ""
        return held

    def _before_stop(self, new: str) -> str:
        text, self._held = self._held + new, ""
        found = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if found:
            self.stopped = True
            return text[: min(found)]
        keep = max((_overlap(text, stop) for stop in self._stops), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def _decode(self, tokens: Sequence[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True))


def _overlap(text: str, stop: str) -> int:
    """Characters at the text's end that a stop string begins with."""
    return next((size for size in range(len(stop) - 1, 0, -1) if text.endswith(stop[:size])), 0)
