"""Quick marks in Compare, a thumb or a score on an answer whose assistant is named: apart from blind votes.

It knows marks by turn and lane. Nothing that is counted for a decision reads them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Engine as Database

from assistant.comparison import HIGHEST_SCORE, LOWEST_SCORE
from assistant.errors import AssistantError
from assistant.lanes import lane_of
from assistant.store import marks, turns

VALUES = {"thumb": (-1, 1), "score": tuple(range(LOWEST_SCORE, HIGHEST_SCORE + 1))}
"""What may be said, by kind of mark."""


@dataclass(frozen=True)
class Mark:
    """What somebody thought of one answer at a glance; None where they did not say."""

    thumb: int | None = None
    """1 is up, -1 is down."""
    score: int | None = None
    """1 to 5."""


class Marks:
    """The quick marks in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, turn_id: int, lane: str, kind: str, value: int | None) -> None:
        """Keep a thumb or a score in place of an earlier one; None takes it back. The other one stays.

        Raises:
            AssistantError: the lane, the kind or the value is none that there is.
        """
        lane_of(lane)
        if kind not in VALUES or value not in (None, *VALUES[kind]):
            raise AssistantError(
                f"{kind} {value} is no mark: a thumb is up or down, a score is 1 to 5. Click again."
            )
        values = {kind: value, "changed": datetime.now(UTC).isoformat()}
        statement = insert(marks).values(turn_id=turn_id, lane=lane, **values)
        with self._database.begin() as connection:
            connection.execute(
                statement.on_conflict_do_update(index_elements=["turn_id", "lane"], set_=values)
            )

    def of_chat(self, chat_id: str) -> dict[tuple[int, str], Mark]:
        """The marks of a chat, by turn and lane."""
        asked = select(marks).join(turns).where(turns.c.chat_id == chat_id)
        with self._database.begin() as connection:
            rows = connection.execute(asked).all()
        return {(row.turn_id, row.lane): Mark(row.thumb, row.score) for row in rows}

    def clear(self, turn_id: int) -> None:
        """Forget the marks of a turn, whose answers are about to be replaced."""
        with self._database.begin() as connection:
            connection.execute(delete(marks).where(marks.c.turn_id == turn_id))
