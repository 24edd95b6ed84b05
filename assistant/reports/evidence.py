"""What a study has gathered, and the same as arrays for the statistics.

It knows studies, votes and guesses as they are stored. It works nothing out.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assistant.comparison import HUMAN, SYSTEM_NAMES, Item, Rater, Study
from assistant.lanes import LANES
from assistant.ratings import Desk, Guess, Vote
from assistant.statistics import VoteTable
from assistant.statistics.estimates import Scores


@dataclass(frozen=True)
class Evidence:
    """A study with all that was said in it."""

    study: Study
    items: tuple[Item, ...]
    raters: tuple[Rater, ...]
    votes: tuple[Vote, ...]
    guesses: tuple[Guess, ...] = ()

    @classmethod
    def of(cls, desk: Desk, study_id: str) -> "Evidence":
        """Read a study from a company's desk.

        Raises:
            AssistantError: there is none with this id.
        """
        study = desk.studies.read(study_id)
        items, raters = desk.studies.items(study_id), desk.rounds.raters(study_id)
        return cls(study, items, raters, desk.votes.of_study(study_id), desk.votes.guesses(study_id))

    @cached_property
    def systems(self) -> tuple[str, ...]:
        """Who answered, by key: the lanes in their order, then the real agent."""
        answered = {system for item in self.items for system in item.answers}
        return tuple(key for key in (*(lane.key for lane in LANES), HUMAN) if key in answered)

    @property
    def all_lanes(self) -> bool:
        """Whether all four lanes answered, so that effects can be told apart."""
        return set(self.systems) >= {lane.key for lane in LANES}

    @property
    def counted(self) -> tuple[Vote, ...]:
        """The votes that count in the results."""
        return tuple(vote for vote in self.votes if vote.counts)

    @property
    def names(self) -> Mapping[int, str]:
        """The raters' names by id."""
        return {rater.id: rater.name for rater in self.raters}

    @property
    def by_id(self) -> Mapping[int, Item]:
        """The questions by id."""
        return {item.id: item for item in self.items}

    def rankings(self, without: Collection[int] = ()) -> VoteTable:
        """The ranks of the votes that count, a column for each of `systems`."""
        return self._table({vote.id: vote.ranks for vote in self._said(without)}, without)

    def scores(self, criterion: str, without: Collection[int] = ()) -> VoteTable:
        """The scores on a criterion, a column for each of `systems`."""
        said = {
            vote.id: vote.scores(criterion)
            for vote in self._said(without)
            if criterion in vote.judgement.scores
        }
        return self._table(said, without)

    def places(self) -> Scores:
        """Where each system stood in the votes that count, 1 for A [votes, systems]."""
        rows = [{system: place for place, system in enumerate(v.showing.systems, 1)} for v in self.counted]
        return self.columns(rows)

    def _said(self, without: Collection[int]) -> list[Vote]:
        return [vote for vote in self.counted if vote.showing.rater_id not in without]

    def _table(self, values: Mapping[int, Mapping[str, int]], without: Collection[int]) -> VoteTable:
        said = [vote for vote in self._said(without) if vote.id in values]
        return VoteTable(
            np.array([vote.showing.item_id for vote in said], dtype=np.int64),
            np.array([vote.showing.rater_id for vote in said], dtype=np.int64),
            self.columns([values[vote.id] for vote in said]),
        )

    def columns(self, rows: Sequence[Mapping[str, int]]) -> Scores:
        """What is said of each system in a row of its own [rows, systems]; nan where it is not there."""
        table = [[float(row.get(system, np.nan)) for system in self.systems] for row in rows]
        return np.array(table, dtype=np.float64).reshape(len(rows), len(self.systems))


def system_name(key: str) -> str:
    """What people call a system."""
    return SYSTEM_NAMES[key]
