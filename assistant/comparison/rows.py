"""Studies as rows of the database: read and written inside a transaction that somebody else opened."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, insert, select, update
from sqlalchemy.engine import Connection

from assistant.comparison.model import Criterion, Item, Rater, Showing, State, Study, StudySettings
from assistant.comparison.sheets import Drawn
from assistant.errors import AssistantError
from assistant.lanes import Answer
from assistant.prompts import Message, clean
from assistant.store import raters, showings, studies, study_answers, study_items

MOST_NAME = 80
STATES = {"draft": "a draft", "answering": "being answered", "open": "open for votes", "closed": "closed"}


def now() -> str:
    """The time as it is stored."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def digest(token: str) -> str:
    """What a rater's token is looked up by."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def checked_name(name: str) -> str:
    """A name of a study or rater, cleaned.

    Raises:
        AssistantError: it is empty or too long.
    """
    name = " ".join(clean(name).split())
    if not 0 < len(name) <= MOST_NAME:
        raise AssistantError(f"The name has {len(name)} letters; it needs 1 to {MOST_NAME}. Type another.")
    return name


def read_study(connection: Connection, study_id: str, states: Collection[State] = ()) -> Study:
    """The study with this id, in one of the states if any are named.

    Raises:
        AssistantError: there is none, or it is in another state.
    """
    row = connection.execute(select(studies).where(studies.c.id == study_id)).one_or_none()
    if row is None:
        raise AssistantError(f"There is no study {study_id!r} in this company. Choose one of the list.")
    study = to_study(row)
    if states and study.state not in states:
        allowed = " or ".join(STATES[state] for state in STATES if state in states)
        raise AssistantError(
            f"The study {study.name!r} is {STATES[study.state]}; this can only be done while it is {allowed}."
            " Load the page again to see what it is now."
        )
    return study


def to_study(row: Row[Any]) -> Study:
    """A row of `studies`."""
    criteria = tuple(Criterion(**value) for value in row.criteria)
    settings = StudySettings(**row.settings)
    return Study(row.id, row.name, row.created, row.state, criteria, settings, tuple(row.systems), row.setup)


def write_study(connection: Connection, study: Study) -> None:
    """Write a study's new values over the old ones."""
    connection.execute(update(studies).where(studies.c.id == study.id).values(**asdict(study)))


def read_items(connection: Connection, which: ColumnElement[bool]) -> tuple[Item, ...]:
    """Questions with their answers, in the order they were added."""
    rows = connection.execute(select(study_items).where(which).order_by(study_items.c.id)).all()
    given = connection.execute(
        select(study_answers).join(study_items).where(which).order_by(study_answers.c.system)
    ).all()
    answers: dict[int, dict[str, Answer]] = {row.id: {} for row in rows}
    for row in given:
        answers[row.item_id][row.system] = Answer.from_json(row.value)
    return tuple(_item(row, answers[row.id]) for row in rows)


def _item(row: Row[Any], answers: dict[str, Answer]) -> Item:
    history = tuple(Message(**turn) for turn in row.history)
    return Item(row.id, row.question, history, row.reference, row.topic, row.origin, answers)


def item_row(study_id: str, item: Item) -> dict[str, Any]:
    """A question as a row of `study_items`, without its answers."""
    return {
        "study_id": study_id,
        "question": item.question,
        "history": [asdict(turn) for turn in item.history],
        "reference": item.reference,
        "topic": item.topic,
        "origin": item.origin,
    }


def read_raters(connection: Connection, study_id: str) -> tuple[Rater, ...]:
    """A study's raters, in the order they were added."""
    rows = connection.execute(select(raters).where(raters.c.study_id == study_id).order_by(raters.c.id)).all()
    return tuple(to_rater(row) for row in rows)


def to_rater(row: Row[Any]) -> Rater:
    """A row of `raters`."""
    return Rater(row.id, row.name, row.token, row.created)


def to_showing(row: Row[Any]) -> Showing:
    """A row of `showings`."""
    return Showing(row.id, row.rater_id, row.item_id, row.place, row.kind, tuple(row.systems))


def write_sheet(connection: Connection, rater_id: int, sheet: Sequence[Drawn]) -> None:
    """Keep a rater's sheet, numbered in its order."""
    rows = [
        {
            "rater_id": rater_id,
            "item_id": drawn.item,
            "place": place,
            "kind": drawn.kind,
            "systems": drawn.systems,
        }
        for place, drawn in enumerate(sheet, 1)
    ]
    if rows:
        connection.execute(insert(showings), rows)
