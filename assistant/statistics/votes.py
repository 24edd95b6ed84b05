"""Votes as arrays: who said what about which question, a column for each lane.

It knows rows and columns. It does not know where votes come from, or what a criterion is called.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.statistics.clusters import Labels
from assistant.statistics.estimates import Scores


@dataclass(frozen=True)
class VoteTable:
    """One row a vote: scores of one criterion, or ranks (1 is best, equal ranks tie).

    `values` is [votes, lanes], nan where the vote says nothing of a lane.
    """

    questions: Labels
    raters: Labels
    values: Scores

    def __len__(self) -> int:
        return len(self.questions)

    def __post_init__(self) -> None:
        rows = {len(self.questions), len(self.raters), len(self.values)}
        if len(rows) != 1 or self.values.ndim != 2:
            raise ValueError(
                f"questions, raters and values have {len(self.questions)}, {len(self.raters)} and "
                f"{self.values.shape} entries; they need one row for each vote"
            )

    def where(self, rows: NDArray[np.bool_] | Labels) -> "VoteTable":
        """The votes of some rows, given as booleans or places."""
        return VoteTable(self.questions[rows], self.raters[rows], self.values[rows])

    def telling(self, lanes: list[int]) -> "VoteTable":
        """The votes that say something of all of these lanes, with those lanes alone."""
        kept = ~np.isnan(self.values[:, lanes]).any(axis=1)
        return VoteTable(self.questions[kept], self.raters[kept], self.values[kept][:, lanes])
