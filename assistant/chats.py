"""The chats people had with the lanes: kept turn by turn, with drafts, so that a reload loses nothing.

It knows questions, answers and their order, and that a chat belongs to who began it: others do not see it.
It does not know who answers.
"""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, delete, insert, or_, select, true, update
from sqlalchemy.dialects.sqlite import insert as upsert
from sqlalchemy.engine import Engine as Database

from assistant.access import ALONE, Role, asking
from assistant.errors import AssistantError
from assistant.lanes import LANES, Answer
from assistant.prompts import Message, clean
from assistant.store import FULL_STRENGTH, answers, chats, turns


@dataclass(frozen=True)
class Turn:
    """One question and what each lane said to it, by lane key."""

    id: int
    question: str
    created: str
    answers: dict[str, Answer]


@dataclass(frozen=True)
class Chat:
    """A conversation with all lanes: each lane keeps its own side of it."""

    id: str
    created: str
    draft: str
    turns: tuple[Turn, ...]
    strength: int = FULL_STRENGTH
    """How strongly the tuned lanes speak in the learned voice, in percent."""

    def history(self, lane: str, *, before: int | None = None) -> tuple[Message, ...]:
        """What this lane has heard and said, oldest first; `before` leaves out that turn and later ones."""
        messages: list[Message] = []
        for turn in self.turns:
            if before is not None and turn.id >= before:
                break
            answer = turn.answers.get(lane)
            if answer and answer.text:
                messages += [Message("user", turn.question), Message("assistant", answer.text)]
        return tuple(messages)


@dataclass(frozen=True)
class ChatSummary:
    """A line in the list of chats."""

    id: str
    created: str
    first_question: str
    turns: int


class Chats:
    """The chats in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def new(self) -> str:
        """Start an empty chat; returns its id."""
        chat_id = uuid.uuid4().hex
        with self._database.begin() as connection:
            values = {"id": chat_id, "created": _now(), "draft": "", "owner": asking().name}
            connection.execute(insert(chats).values(values))
        return chat_id

    def read(self, chat_id: str) -> Chat:
        """The chat with this id.

        Raises:
            AssistantError: there is none that belongs to who asks.
        """
        with self._database.begin() as connection:
            chat = connection.execute(select(chats).where(_own(chat_id))).one_or_none()
            if chat is None:
                raise AssistantError(f"There is no chat {chat_id!r} in this company. Start a new one.")
            asked = connection.execute(
                select(turns).where(turns.c.chat_id == chat_id).order_by(turns.c.id)
            ).all()
            said = connection.execute(
                select(answers.c.turn_id, answers.c.value).join(turns).where(turns.c.chat_id == chat_id)
            ).all()
        by_turn: dict[int, dict[str, Answer]] = {turn.id: {} for turn in asked}
        for turn_id, value in said:
            by_turn[turn_id][value["lane"]] = Answer.from_json(value)
        stored = tuple(Turn(turn.id, turn.question, turn.created, by_turn[turn.id]) for turn in asked)
        return Chat(chat.id, chat.created, chat.draft, stored, chat.strength)

    def latest(self, count: int = 30) -> list[ChatSummary]:
        """The newest chats of who asks that hold a question."""
        with self._database.begin() as connection:
            rows = connection.execute(
                select(chats.c.id, chats.c.created, turns.c.question)
                .join(turns)
                .where(_owned())
                .order_by(chats.c.created.desc(), turns.c.id)
            ).all()
        found: dict[str, ChatSummary] = {}
        for chat_id, created, question in rows:
            seen = found.get(chat_id)
            found[chat_id] = ChatSummary(
                chat_id, created, seen.first_question if seen else question, (seen.turns if seen else 0) + 1
            )
        return list(found.values())[:count]

    def everything(self) -> list[Turn]:
        """All questions of all people with what the grounded lanes said to them, the newest first."""
        grounded = [lane.key for lane in LANES if lane.grounded]
        with self._database.begin() as connection:
            asked = connection.execute(select(turns).order_by(turns.c.id.desc())).all()
            said = connection.execute(
                select(answers.c.turn_id, answers.c.value).where(answers.c.lane.in_(grounded))
            ).all()
        by_turn: dict[int, dict[str, Answer]] = {turn.id: {} for turn in asked}
        for turn_id, value in said:
            by_turn[turn_id][value["lane"]] = Answer.from_json(value)
        return [Turn(turn.id, turn.question, turn.created, by_turn[turn.id]) for turn in asked]

    def add_turn(self, chat_id: str, question: str) -> int:
        """Store a question and empty the draft; returns the turn's id."""
        with self._database.begin() as connection:
            result = connection.execute(
                insert(turns).values(chat_id=chat_id, question=question, created=_now())
            )
            connection.execute(update(chats).where(chats.c.id == chat_id).values(draft=""))
        return int(result.inserted_primary_key[0])  # type: ignore[index]

    def save_answers(self, turn_id: int, given: tuple[Answer, ...]) -> None:
        """Store what the lanes said to a turn, replacing what they had said before."""
        rows = [{"turn_id": turn_id, "lane": answer.lane, "value": answer.to_json()} for answer in given]
        statement = upsert(answers)
        statement = statement.on_conflict_do_update(
            index_elements=["turn_id", "lane"], set_={"value": statement.excluded.value}
        )
        with self._database.begin() as connection:
            connection.execute(statement, rows)

    def save_draft(self, chat_id: str, draft: str) -> None:
        """Keep a message that was typed but not sent."""
        with self._database.begin() as connection:
            connection.execute(update(chats).where(_own(chat_id)).values(draft=clean(draft)))

    def save_strength(self, chat_id: str, percent: int) -> None:
        """Keep how strongly the tuned lanes speak in the learned voice."""
        with self._database.begin() as connection:
            connection.execute(update(chats).where(_own(chat_id)).values(strength=percent))

    def remove_turn(self, turn_id: int) -> None:
        """Remove a turn and its answers."""
        with self._database.begin() as connection:
            connection.execute(delete(turns).where(turns.c.id == turn_id))

    def remove(self, chat_id: str) -> None:
        """Remove a chat with all its turns."""
        with self._database.begin() as connection:
            connection.execute(delete(chats).where(_own(chat_id)))


def _owned() -> ColumnElement[bool]:
    """Of all chats, those of who asks; managers have those too that nobody began by name."""
    person = asking()
    if person is ALONE:
        return true()
    mine = chats.c.owner == person.name
    return or_(mine, chats.c.owner == "") if person.role is Role.MANAGER else mine


def _own(chat_id: str) -> ColumnElement[bool]:
    return and_(chats.c.id == chat_id, _owned())


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
