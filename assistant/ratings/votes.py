"""What raters said of the answers they were shown: each vote stored once, corrected by a new one, never lost.

It knows votes, their history and the guesses after them. It does not know how they are shown or counted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, func, select
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.engine import Engine as Database

from assistant.comparison import HIGHEST_SCORE, LETTERS, LOWEST_SCORE, Criterion, Showing
from assistant.errors import AssistantError
from assistant.prompts import clean
from assistant.store import guesses, raters, showings, studies, votes

MOST_COMMENT = 4000
"""Characters a comment, or a better answer, may have."""


@dataclass(frozen=True)
class Judgement:
    """What a rater said of one showing; lists go by position: answers A, B, C ... as this rater saw them."""

    ranks: tuple[int, ...]
    """1 for the best; answers that tie share a rank, and no rank is left out (1, 2, 2, 3)."""
    scores: Mapping[str, tuple[int, ...]]
    """By criterion key, 1 to 5."""
    unusable: bool = False
    """Whether the rater would send none of the answers to a customer."""
    comment: str = ""
    wrong: tuple[tuple[str, ...], ...] = ()
    """The sentences marked as wrong; empty, or a list for each answer."""
    better: str = ""
    """The answer the rater would have liked, in their words."""
    seconds: float = 0.0
    """Time between being shown the answers and voting."""


@dataclass(frozen=True)
class Vote:
    """A rater's judgement of a showing, as it is after all corrections."""

    id: int
    showing: Showing
    judgement: Judgement
    created: str
    corrections: int = 0
    """How often it was changed."""

    @property
    def counts(self) -> bool:
        """Whether it is about answers seen for the first time, and so counts in the results."""
        return self.showing.kind == "item"

    @property
    def ranks(self) -> dict[str, int]:
        """By system, the rank, 1 for the best. For votes that count: elsewhere a system may stand twice."""
        return dict(zip(self.showing.systems, self.judgement.ranks, strict=True))

    def scores(self, criterion: str) -> dict[str, int]:
        """By system, the score on a criterion. For votes that count: elsewhere a system may stand twice."""
        return dict(zip(self.showing.systems, self.judgement.scores[criterion], strict=True))


@dataclass(frozen=True)
class Guess:
    """What a rater believed afterwards: by position, whether the answer had been looked up."""

    showing: Showing
    looked_up: tuple[bool, ...]
    created: str

    @property
    def by_system(self) -> dict[str, bool]:
        """By system, whether the rater took it for one that looks things up."""
        return dict(zip(self.showing.systems, self.looked_up, strict=True))


class Votes:
    """The votes in a workspace's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def cast(self, showing: Showing, key: str, judgement: Judgement, criteria: Sequence[Criterion]) -> None:
        """Store a vote, or a correction of it; it is on the disk when this returns.

        Args:
            showing: what was judged.
            key: chosen by who sends the vote, the same when it is sent again: nothing is stored twice.
            judgement: what the rater said.
            criteria: what there is to score.

        Raises:
            AssistantError: something is missing or out of range, or the round is closed.
        """
        checked = checked_judgement(judgement, len(showing.systems), criteria)
        row = {"showing_id": showing.id, "key": key, "value": asdict(checked), "created": _now()}
        with self._database.begin() as connection:
            state = select(studies.c.state).join(raters).where(raters.c.id == showing.rater_id)
            if connection.execute(state).scalar_one_or_none() != "open":
                raise AssistantError(
                    "This round is closed, so no vote is taken any more. Thank you for your help."
                )
            connection.execute(insert(votes).values(**row).on_conflict_do_nothing())

    def of_study(self, study_id: str) -> tuple[Vote, ...]:
        """All votes of a study as they are now, by rater and place."""
        return self._current(raters.c.study_id == study_id)

    def of_rater(self, rater_id: int) -> dict[int, Vote]:
        """One rater's votes as they are now, by place on their sheet."""
        return {vote.showing.place: vote for vote in self._current(showings.c.rater_id == rater_id)}

    def counts(self, study_id: str) -> dict[int, tuple[int, int]]:
        """By rater, how many showings are judged, of how many; nothing before the sheets are drawn."""
        asked = (
            select(
                showings.c.rater_id,
                func.count(func.distinct(votes.c.showing_id)).label("judged"),
                func.count(func.distinct(showings.c.id)).label("total"),
            )
            .join_from(showings, raters)
            .outerjoin(votes)
            .where(raters.c.study_id == study_id)
            .group_by(showings.c.rater_id)
        )
        with self._database.begin() as connection:
            rows = connection.execute(asked).all()
        return {row.rater_id: (row.judged, row.total) for row in rows}

    def history(self, showing_id: int) -> tuple[Vote, ...]:
        """All that was ever voted on a showing, the oldest first; the last one is valid."""
        asked = _SELECTED.where(votes.c.showing_id == showing_id).order_by(votes.c.id)
        with self._database.begin() as connection:
            rows = connection.execute(asked).all()
        return tuple(_vote(row, corrections) for corrections, row in enumerate(rows))

    def guess(self, showing: Showing, looked_up: Sequence[bool]) -> None:
        """Store which answers a rater believes were looked up; a later guess takes the place of it.

        Raises:
            AssistantError: it is not about each of the answers.
        """
        if len(looked_up) != len(showing.systems):
            raise AssistantError(
                f"The guess is about {len(looked_up)} answers of {len(showing.systems)}. Load again."
            )
        row = {"showing_id": showing.id, "looked_up": list(looked_up), "created": _now()}
        statement = insert(guesses).values(**row)
        changed = {"looked_up": statement.excluded.looked_up, "created": statement.excluded.created}
        with self._database.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=["showing_id"], set_=changed))

    def guesses(self, study_id: str) -> tuple[Guess, ...]:
        """What the raters of a study believed afterwards."""
        return self._guesses(raters.c.study_id == study_id)

    def guesses_of(self, rater_id: int) -> dict[int, Guess]:
        """What one rater believed afterwards, by place on their sheet."""
        return {guess.showing.place: guess for guess in self._guesses(showings.c.rater_id == rater_id)}

    def _guesses(self, which: ColumnElement[bool]) -> tuple[Guess, ...]:
        asked = (
            select(showings, guesses.c.looked_up, guesses.c.created)
            .join_from(guesses, showings)
            .join(raters)
            .where(which)
            .order_by(showings.c.rater_id, showings.c.place)
        )
        with self._database.begin() as connection:
            rows = connection.execute(asked).all()
        return tuple(Guess(_showing(row), tuple(row.looked_up), row.created) for row in rows)

    def _current(self, which: ColumnElement[bool]) -> tuple[Vote, ...]:
        newest = (
            select(func.max(votes.c.id).label("id"), func.count().label("given"))
            .group_by(votes.c.showing_id)
            .subquery()
        )
        asked = (
            _SELECTED.add_columns(newest.c.given)
            .join(newest, newest.c.id == votes.c.id)
            .join(raters, raters.c.id == showings.c.rater_id)
            .where(which)
            .order_by(showings.c.rater_id, showings.c.place)
        )
        with self._database.begin() as connection:
            rows = connection.execute(asked).all()
        return tuple(_vote(row, row.given - 1) for row in rows)


def checked_judgement(judgement: Judgement, answers: int, criteria: Sequence[Criterion]) -> Judgement:
    """The judgement with its ranks made dense (1, 3, 3 becomes 1, 2, 2) and its texts cleaned.

    Raises:
        AssistantError: something is missing or out of range.
    """
    ranks = judgement.ranks or ((1,) * answers if judgement.unusable else ())
    if len(ranks) != answers or not all(1 <= rank <= len(LETTERS) for rank in ranks):
        raise AssistantError(f"The vote ranks {len(ranks)} of {answers} answers. Give each of them a place.")
    for criterion in criteria:
        given = judgement.scores.get(criterion.key, ())
        if len(given) != answers or not all(LOWEST_SCORE <= score <= HIGHEST_SCORE for score in given):
            raise AssistantError(
                f"{criterion.name}: each of the {answers} answers needs a score from {LOWEST_SCORE} to "
                f"{HIGHEST_SCORE}. Score those that have none."
            )
    for text in (judgement.comment, judgement.better):
        if len(text) > MOST_COMMENT:
            raise AssistantError(
                f"A text has {len(text):,} letters; at most {MOST_COMMENT:,} fit. Shorten it."
            )
    dense = sorted(set(ranks))
    return Judgement(
        tuple(dense.index(rank) + 1 for rank in ranks),
        {criterion.key: tuple(judgement.scores[criterion.key]) for criterion in criteria},
        judgement.unusable,
        clean(judgement.comment).strip(),
        judgement.wrong,
        clean(judgement.better).strip(),
        round(judgement.seconds, 1),
    )


_SELECTED = select(
    showings, votes.c.id.label("vote_id"), votes.c.value, votes.c.created.label("voted")
).join_from(votes, showings)


def _vote(row: Row[Any], corrections: int) -> Vote:
    value = row.value
    judgement = Judgement(
        tuple(value["ranks"]),
        {key: tuple(scores) for key, scores in value["scores"].items()},
        value["unusable"],
        value["comment"],
        tuple(tuple(sentences) for sentences in value["wrong"]),
        value["better"],
        value["seconds"],
    )
    return Vote(row.vote_id, _showing(row), judgement, row.voted, corrections)


def _showing(row: Row[Any]) -> Showing:
    return Showing(row.id, row.rater_id, row.item_id, row.place, row.kind, tuple(row.systems))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")
