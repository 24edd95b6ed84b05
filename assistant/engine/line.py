"""The waiting line: bounded, and each owner gets a turn, however much another one asks.

It knows who waits. It knows nothing of slots, models or threads.
"""

from collections import OrderedDict, deque
from collections.abc import Sequence

from assistant.engine.rows import Row

ROOM = 64
"""Rows that may wait; 16 questions to four lanes."""
SHARE = 16
"""Rows that one owner may have waiting."""


class WaitingLine:
    """Rows that wait for a slot, by owner; the owners take turns."""

    def __init__(self, room: int = ROOM, share: int = SHARE) -> None:
        self._room, self._share = room, share
        self._waiting: OrderedDict[str, deque[Row]] = OrderedDict()

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def join(self, rows: Sequence[Row]) -> str:
        """Put one owner's rows at the end of that owner's part of the line.

        Returns:
            Why they can't wait here, or "" if they do. All of them or none are taken.
        """
        owner = rows[0].owner
        own = len(self._waiting.get(owner, ()))
        if own + len(rows) > self._share:
            return (
                f"You may have {self._share} answers waiting, and with these it would be {own + len(rows)}. "
                "Wait for some, or stop them, then ask again."
            )
        if len(self) + len(rows) > self._room:
            return (
                f"Quartet is busy: {len(self)} answers are waiting, and the line has room for {self._room}. "
                "Ask again in a minute."
            )
        self._waiting.setdefault(owner, deque()).extend(rows)
        return ""

    def next(self) -> Row | None:
        """The row whose turn it is, taken out of the line; its owner's next one comes after the others'."""
        if not self._waiting:
            return None
        owner, rows = next(iter(self._waiting.items()))
        row = rows.popleft()
        self._waiting.move_to_end(owner)
        if not rows:
            del self._waiting[owner]
        return row

    def remove(self, row: Row) -> None:
        """Take a row out that does not want to wait any longer."""
        self._waiting[row.owner].remove(row)
        if not self._waiting[row.owner]:
            del self._waiting[row.owner]

    def in_order(self) -> list[Row]:
        """The rows as they will start if nobody else comes: round by round over the owners."""
        rounds = [(turn, row) for rows in self._waiting.values() for turn, row in enumerate(rows)]
        return [row for _, row in sorted(rounds, key=lambda each: each[0])]
