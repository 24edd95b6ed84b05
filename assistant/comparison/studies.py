"""The studies of a company, kept in its database: listed, read, and drafted.

What follows the draft is known by `rounds.py`.
"""

import secrets
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import asdict, replace

from sqlalchemy import delete, insert, select
from sqlalchemy.engine import Engine as Database

from assistant.comparison.model import CRITERIA, Criterion, Item, Study, StudySettings, check_criteria
from assistant.comparison.rows import (
    checked_name,
    item_row,
    now,
    read_items,
    read_study,
    to_study,
    write_study,
)
from assistant.errors import AssistantError
from assistant.prompts import check_question, clean
from assistant.store import studies, study_items

MOST_ITEMS = 500
"""Questions a study may hold."""


class Studies:
    """The studies in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> "list[Study]":
        """All studies, newest first."""
        with self._database.begin() as connection:
            rows = connection.execute(select(studies).order_by(studies.c.created.desc())).all()
        return [to_study(row) for row in rows]

    def read(self, study_id: str) -> Study:
        """The study with this id.

        Raises:
            AssistantError: there is none.
        """
        with self._database.begin() as connection:
            return read_study(connection, study_id)

    def items(self, study_id: str) -> tuple[Item, ...]:
        """The study's questions with the answers given so far, in the order they were added."""
        with self._database.begin() as connection:
            return read_items(connection, study_items.c.study_id == study_id)

    def item(self, item_id: int) -> Item:
        """One question with its answers.

        Raises:
            AssistantError: there is none.
        """
        with self._database.begin() as connection:
            found = read_items(connection, study_items.c.id == item_id)
        if not found:
            raise AssistantError("This question is no longer in its study. Load the page again.")
        return found[0]

    def new(self, name: str) -> Study:
        """Begin a study, with the usual criteria.

        Raises:
            AssistantError: the name is empty or too long.
        """
        settings = StudySettings(seed=secrets.randbelow(2**31))
        study = Study(uuid.uuid4().hex, checked_name(name), now(), "draft", CRITERIA, settings)
        with self._database.begin() as connection:
            connection.execute(insert(studies).values(**asdict(study)))
        return study

    def rename(self, study_id: str, name: str) -> None:
        """Call a study something else, in any state."""
        name = checked_name(name)
        with self._database.begin() as connection:
            write_study(connection, replace(read_study(connection, study_id), name=name))

    def save_settings(self, study_id: str, settings: StudySettings) -> None:
        """Change how the study is shared out.

        Raises:
            AssistantError: it is no draft any more.
        """
        with self._database.begin() as connection:
            write_study(connection, replace(read_study(connection, study_id, {"draft"}), settings=settings))

    def save_criteria(self, study_id: str, criteria: Sequence[Criterion]) -> None:
        """Change what the answers are scored on.

        Raises:
            AssistantError: it is no draft any more, there is no criterion, or one lacks a text.
        """
        checked = check_criteria(criteria)
        with self._database.begin() as connection:
            write_study(connection, replace(read_study(connection, study_id, {"draft"}), criteria=checked))

    def add_items(self, study_id: str, added: Iterable[Item]) -> int:
        """Add questions that are not there yet; returns how many were.

        Raises:
            AssistantError: it is no draft any more, a question can't be used, or there would be too many.
        """
        fresh = {_likeness(item): item for item in map(_checked, added)}
        with self._database.begin() as connection:
            read_study(connection, study_id, {"draft"})
            there = {_likeness(item) for item in read_items(connection, study_items.c.study_id == study_id)}
            rows = [item_row(study_id, item) for key, item in fresh.items() if key not in there]
            if len(there) + len(rows) > MOST_ITEMS:
                raise AssistantError(
                    f"{len(there) + len(rows)} questions are too many for one study; it holds {MOST_ITEMS}. "
                    "Take fewer: thirty to a hundred usually decide."
                )
            if rows:
                connection.execute(insert(study_items), rows)
        return len(rows)

    def remove_items(self, study_id: str, item_ids: Sequence[int]) -> None:
        """Take questions out of a draft.

        Raises:
            AssistantError: it is no draft any more.
        """
        with self._database.begin() as connection:
            read_study(connection, study_id, {"draft"})
            connection.execute(
                delete(study_items).where(study_items.c.id.in_(item_ids), study_items.c.study_id == study_id)
            )

    def remove(self, study_id: str) -> None:
        """Remove a study with everything in it, its votes too."""
        with self._database.begin() as connection:
            connection.execute(delete(studies).where(studies.c.id == study_id))


def _checked(item: Item) -> Item:
    return replace(
        item,
        question=check_question(item.question),
        history=tuple(replace(turn, content=clean(turn.content)) for turn in item.history),
        reference=clean(item.reference).strip(),
        topic=" ".join(clean(item.topic).split()),
        origin=clean(item.origin),
    )


def _likeness(item: Item) -> object:
    """What tells two questions apart."""
    return item.question, item.history
