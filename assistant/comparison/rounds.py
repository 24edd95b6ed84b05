"""A study's round: answers are frozen, raters get links and sheets, it is opened and closed.

It knows what may happen in which state. It does not know who answers (`answering.py`) or votes (`ratings`).
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.engine import Connection
from sqlalchemy.engine import Engine as Database

from assistant.comparison.model import Item, Rater, Showing, Study
from assistant.comparison.rows import (
    checked_name,
    digest,
    now,
    read_items,
    read_raters,
    read_study,
    to_rater,
    to_showing,
    write_sheet,
    write_study,
)
from assistant.comparison.sheets import draw_sheet, share_for_one_more, share_out
from assistant.errors import AssistantError
from assistant.lanes import Answer
from assistant.store import raters, showings, study_answers, study_items, votes

TOKEN_BYTES = 24
"""Random bytes in a rater's link: 192 bits, which nobody guesses."""


class Rounds:
    """The rounds of the studies in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # -- raters --

    def raters(self, study_id: str) -> tuple[Rater, ...]:
        """Who judges, in the order they were added."""
        with self._database.begin() as connection:
            return read_raters(connection, study_id)

    def by_token(self, token: str) -> tuple[Study, Rater] | None:
        """The rater whose link holds this token, with their study; None if it is nobody's.

        It is looked up by its hash and then compared in constant time, so the time taken tells nothing.
        """
        with self._database.begin() as connection:
            row = connection.execute(select(raters).where(raters.c.digest == digest(token))).one_or_none()
            if row is None or not secrets.compare_digest(row.token.encode(), token.encode()):
                return None
            return read_study(connection, row.study_id), to_rater(row)

    def sheet(self, rater_id: int) -> tuple[Showing, ...]:
        """What a rater is shown, in order; empty until the round is open."""
        asked = select(showings).where(showings.c.rater_id == rater_id).order_by(showings.c.place)
        with self._database.begin() as connection:
            return tuple(to_showing(row) for row in connection.execute(asked))

    def add_rater(self, study_id: str, name: str) -> Rater:
        """Add a rater with a link of their own; one who joins an open round gets a sheet at once.

        Raises:
            AssistantError: the name is empty, too long or taken, or the round is closed.
        """
        name, token, created = checked_name(name), secrets.token_urlsafe(TOKEN_BYTES), now()
        with self._database.begin() as connection:
            study = read_study(connection, study_id, {"draft", "answering", "open"})
            there = read_raters(connection, study_id)
            if name.lower() in {rater.name.lower() for rater in there}:
                raise AssistantError(
                    f"There is a rater {name!r} already. Choose a name that tells them apart."
                )
            result = connection.execute(
                insert(raters).values(
                    study_id=study_id, name=name, token=token, digest=digest(token), created=created
                )
            )
            rater = Rater(int(result.inserted_primary_key[0]), name, token, created)  # type: ignore[index]
            if study.state == "open":
                _seat_one_more(connection, study, rater, len(there) + 1)
        return rater

    def remove_rater(self, study_id: str, rater_id: int) -> None:
        """Remove a rater and their link.

        Raises:
            AssistantError: they have voted; votes stay.
        """
        with self._database.begin() as connection:
            given = (
                select(func.count()).select_from(votes.join(showings)).where(showings.c.rater_id == rater_id)
            )
            if connection.execute(given).scalar_one():
                raise AssistantError(
                    "This rater has voted, and votes are kept. Leave them in, or close the round."
                )
            connection.execute(delete(raters).where(raters.c.id == rater_id, raters.c.study_id == study_id))

    # -- answers --

    def begin(self, study_id: str, systems: Sequence[str], setup: Mapping[str, Any]) -> Study:
        """Leave the draft: these lanes answer now, with this set-up.

        Raises:
            AssistantError: it is no draft, has no question, or fewer than two would answer.
        """
        with self._database.begin() as connection:
            study = read_study(connection, study_id, {"draft"})
            if not read_items(connection, study_items.c.study_id == study_id):
                raise AssistantError("This study has no question yet. Add some, then start it.")
            if len(systems) < 2:
                raise AssistantError(
                    "Only one assistant can answer, so there is nothing to compare. Train a voice on the "
                    "page Train, or add documents on the page Documents, first."
                )
            begun = replace(study, state="answering", systems=tuple(systems), setup=dict(setup))
            write_study(connection, begun)
        return begun

    def save_answers(self, item_id: int, given: Sequence[Answer]) -> None:
        """Freeze all that was answered to a question, at once.

        Raises:
            AssistantError: it was answered before, and an answer is never replaced; or it was removed.
        """
        rows = [{"item_id": item_id, "system": each.lane, "value": each.to_json()} for each in given]
        with self._database.begin() as connection:
            found = read_items(connection, study_items.c.id == item_id)
            if not found:
                raise AssistantError("This question is no longer in its study. Load the page again.")
            if found[0].answers:
                raise AssistantError(
                    "This question has its answers already, and a study never replaces them."
                )
            connection.execute(insert(study_answers), rows)

    def back_to_draft(self, study_id: str) -> None:
        """Go back to the draft; the answers given so far are forgotten.

        Raises:
            AssistantError: the round has been opened.
        """
        with self._database.begin() as connection:
            study = read_study(connection, study_id, {"answering"})
            ids = select(study_items.c.id).where(study_items.c.study_id == study_id)
            connection.execute(delete(study_answers).where(study_answers.c.item_id.in_(ids)))
            write_study(connection, replace(study, state="draft", systems=(), setup={}))

    # -- votes --

    def open(self, study_id: str) -> Study:
        """Draw every rater's sheet and let them vote.

        Raises:
            AssistantError: not every question has its answers yet.
        """
        with self._database.begin() as connection:
            study = read_study(connection, study_id, {"answering"})
            items = read_items(connection, study_items.c.study_id == study_id)
            missing = sum(not item.answers for item in items)
            if missing:
                raise AssistantError(f"{missing} questions have no answers yet. Let them be answered first.")
            chance = Random(study.settings.seed)  # noqa: S311 - has to be repeatable
            seated = [rater.id for rater in read_raters(connection, study_id)]
            shared = share_out([item.id for item in items], seated, study.settings.raters_per_item, chance)
            for rater_id, share in shared.items():
                _seat(connection, study, rater_id, share, items, chance)
            write_study(connection, replace(study, state="open"))
        return replace(study, state="open")

    def close(self, study_id: str) -> None:
        """End the round for good: no vote is taken or changed any more, and who wrote what is told.

        Raises:
            AssistantError: it is not open.
        """
        with self._database.begin() as connection:
            write_study(connection, replace(read_study(connection, study_id, {"open"}), state="closed"))


def _seat(
    connection: Connection,
    study: Study,
    rater_id: int,
    share: Sequence[int],
    items: Sequence[Item],
    chance: Random,
) -> None:
    answered = {item.id: tuple(item.answers) for item in items}
    write_sheet(connection, rater_id, draw_sheet(share, answered, study.settings, chance))


def _seat_one_more(connection: Connection, study: Study, rater: Rater, raters_now: int) -> None:
    """Draw the sheet of a rater who joins later: what has been judged least comes first."""
    items = read_items(connection, study_items.c.study_id == study.id)
    counted = (
        select(showings.c.item_id, func.count(func.distinct(showings.c.rater_id)).label("raters"))
        .join(votes)
        .where(showings.c.kind == "item")
        .group_by(showings.c.item_id)
    )
    given = {row.item_id: row.raters for row in connection.execute(counted)}
    judged = {item.id: given.get(item.id, 0) for item in items}
    chance = Random(study.settings.seed + rater.id)  # noqa: S311 - has to be repeatable
    share = share_for_one_more(judged, raters_now, study.settings.raters_per_item, chance)
    _seat(connection, study, rater.id, share, items, chance)
