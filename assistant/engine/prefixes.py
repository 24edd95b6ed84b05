"""What rows have read before: keys and values by the tokens they stand for, so that nothing is read twice.

It knows token ids and saved tensors. It knows nothing of slots, models or requests.
"""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

LIMIT = 128 * 1024 * 1024
"""Bytes of keys and values that are kept; the least recently used go first."""
WORTHWHILE = 16
"""Tokens below which copying gains nothing."""

Reader = tuple[str | None, float]
"""The adapter and scale that keys and values were made with; those of another one are of no use."""


@dataclass(frozen=True)
class Prefix:
    """Tokens that were read, and their keys and values."""

    reader: Reader
    tokens: NDArray[np.int64]
    saved: Tensor

    @property
    def bytes(self) -> int:
        """Memory taken."""
        return self.saved.nbytes

    def shared(self, tokens: NDArray[np.int64]) -> int:
        """How many tokens at the start are the same."""
        length = min(len(self.tokens), len(tokens))
        differs = self.tokens[:length] != tokens[:length]
        return int(differs.argmax()) if differs.any() else length


class Prefixes:
    """The prefixes kept, least recently used first."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: OrderedDict[int, Prefix] = OrderedDict()
        self._count = 0

    @property
    def bytes(self) -> int:
        """Memory taken by all."""
        return sum(prefix.bytes for prefix in self._kept.values())

    def find(self, reader: Reader, prompt: list[int]) -> tuple[Prefix, int] | None:
        """The prefix that shares the most of a prompt, and how much; the last token is left to be read."""
        wanted = np.asarray(prompt[:-1], dtype=np.int64)
        shared = {key: prefix.shared(wanted) for key, prefix in self._kept.items() if prefix.reader == reader}
        best = max(shared, key=lambda key: shared[key], default=None)
        if best is None or shared[best] < WORTHWHILE:
            return None
        self._kept.move_to_end(best)
        return self._kept[best], shared[best]

    def lacks(self, reader: Reader, tokens: list[int]) -> bool:
        """Whether keeping these tokens would spare a later row something."""
        wanted = np.asarray(tokens, dtype=np.int64)
        known = max((p.shared(wanted) for p in self._kept.values() if p.reader == reader), default=0)
        return len(tokens) - known >= WORTHWHILE

    def keep(self, reader: Reader, tokens: list[int], saved: Tensor) -> None:
        """Keep what was read; shorter prefixes that it continues are let go, then the least recently used."""
        prefix = Prefix(reader, np.asarray(tokens, dtype=np.int64), saved)
        if prefix.bytes > self._limit:
            return
        within = [
            key
            for key, old in self._kept.items()
            if old.reader == reader and old.shared(prefix.tokens) == len(old.tokens)
        ]
        for key in within:
            del self._kept[key]
        self._count += 1
        self._kept[self._count] = prefix
        while self.bytes > self._limit:
            self._kept.popitem(last=False)

    def forget(self, adapter: str) -> None:
        """Let go of what was read with an adapter that is no longer the same."""
        for key in [key for key, prefix in self._kept.items() if prefix.reader[0] == adapter]:
            del self._kept[key]
