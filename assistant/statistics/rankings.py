"""Strengths from rankings: Plackett-Luce, which for pairs is Bradley-Terry, with ties.

It knows ranks of lanes or systems. It does not know their names or what the ranks are about.

A tie counts as an equal share of every order it allows, which for a pair is half a win each. Whoever came
first, second or last in which order of votes plays no part: unlike Elo, the strengths do not depend on it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from assistant.statistics.clusters import Labels, clustered_mean, discord
from assistant.statistics.estimates import Estimate, Scores, unknown
from assistant.statistics.votes import VoteTable

FARTHEST = 30.0
"""Strengths this far apart (in log-odds) are no longer told apart from endless ones."""
STEPS = 200
"""Newton's steps at most; a dozen are the rule."""
SMALLEST_STEP = 1e-9
ROUNDING = 1e-12
"""What a log-likelihood is off by, of its size, when it is summed up in another order."""
UNIT = 2.0
"""About what a single ranking speaks for, in log-odds."""
IMAGINARY = 0.5
"""What an imaginary tie counts where one lane won every time."""
MOST_TIED = 12
"""Lanes that can share one place in a ranking."""


@dataclass(frozen=True)
class Choices:
    """Rankings taken apart: from each set of lanes, one is chosen as the best, then from those that are left.

    Attributes:
        sets: the distinct sets, as booleans [choices, lanes].
        chosen: the lane chosen from each [choices].
        shares: how much of each choice a ranking of each pattern makes [patterns, choices].
        pattern: the pattern of each vote [votes].
    """

    sets: NDArray[np.bool_]
    chosen: NDArray[np.int64]
    shares: Scores
    pattern: NDArray[np.int64]


@dataclass(frozen=True)
class Strengths:
    """How strong each lane is, in log-odds with mean 0, and what each vote did to that.

    Attributes:
        values: [lanes]; a difference of 0.62 means being preferred 65 times in 100.
        influence: [votes, lanes]; `values` plus a vote's influence, times the number of votes, is the value
            that vote alone would speak for (a pseudo-value), so that means of these give intervals.
        covariance: of the values if all votes were independent [lanes, lanes].
        held: whether a lane won or lost every time, so that only imaginary ties keep its strength from
            being endless.
    """

    votes: VoteTable
    values: Scores
    influence: Scores
    covariance: Scores
    held: bool

    def contrast(self, weights: Sequence[float]) -> Estimate:
        """A weighted sum of strengths with its interval; the weights [lanes] should sum to 0."""
        along = np.asarray(weights, dtype=float)
        pseudo = self.values @ along + len(self.votes) * (self.influence @ along)
        alone = float(along @ self.covariance @ along)
        return clustered_mean(
            pseudo,
            self.votes.questions,
            self.votes.raters,
            unit=UNIT,
            alone=alone,
            elsewhere=self._discord,
        )

    @cached_property
    def _discord(self) -> float:
        return discord(self.influence, self.votes.questions, self.votes.raters)


def strengths(rankings: VoteTable) -> Strengths | Estimate:
    """Fit strengths to rankings [votes, lanes] (1 is best; nan where a lane was not shown).

    Returns:
        The strengths; or an unknown estimate that says why there can be none.
    """
    shown = np.sum(~np.isnan(rankings.values), axis=1)
    rankings = rankings.where(shown > 1)
    lanes = rankings.values.shape[1]
    if len(rankings) < 2 or lanes < 2:
        return unknown(f"{len(rankings)} rankings are too few", count=len(rankings))
    values, choices, counts = _likeliest(rankings.values, np.ones(len(rankings)))
    if _parts(choices.sets) > 1:
        return unknown("some were never compared with the others, not even by way of a third")
    held = values is None
    if values is None:
        ties = _imaginary_ties(choices.sets)
        weights = np.concatenate([np.ones(len(rankings)), np.full(len(ties), IMAGINARY)])
        values, choices, counts = _likeliest(np.concatenate([rankings.values, ties]), weights)
        assert values is not None
    _, slope, curve = _likelihood(choices, counts, values)
    covariance = np.linalg.pinv(curve).astype(np.float64)
    influence = (choices.shares @ slope @ covariance)[choices.pattern[: len(rankings)]]
    if _has_ties(rankings.values):  # shared out, they vary less than the orders that the model knows
        covariance = influence.T @ influence * len(rankings) / (len(rankings) - 1)
    return Strengths(rankings, values, influence - influence.mean(axis=0), covariance, held)


def _has_ties(ranks: Scores) -> bool:
    ordered = np.sort(ranks, axis=1)
    return bool(np.any(ordered[:, 1:] == ordered[:, :-1]))


def take_apart(ranks: Scores) -> Choices:
    """Turn ranks [votes, lanes] into choices; a tie is shared out over the orders it allows."""
    whole = np.nan_to_num(ranks, nan=0.0).astype(np.int64)
    first, pattern = _distinct(whole)
    patterns = whole[first]
    found: dict[tuple[frozenset[int], int], int] = {}
    parts = [_choices_of(tuple(row)) for row in patterns.tolist()]
    for part in parts:
        for choice in part:
            found.setdefault(choice, len(found))
    shares = np.zeros((len(patterns), len(found)))
    for number, part in enumerate(parts):
        for choice, share in part.items():
            shares[number, found[choice]] = share
    sets = np.zeros((len(found), ranks.shape[1]), dtype=bool)
    for (lanes, _), place in found.items():
        sets[place, list(lanes)] = True
    return Choices(sets, np.array([lane for _, lane in found], dtype=np.int64), shares, pattern.ravel())


def _distinct(rows: Labels) -> tuple[Labels, Labels]:
    """Where each distinct row first stands, and which of them each row is."""
    base = int(rows.max()) + 1
    if base ** rows.shape[1] < 2**62:  # a row as one number sorts fastest
        keys = rows @ base ** np.arange(rows.shape[1])
        _, first, pattern = np.unique(keys, return_index=True, return_inverse=True)
    else:
        _, first, pattern = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    return first, pattern.ravel()


@lru_cache(maxsize=4096)
def _choices_of(row: tuple[int, ...]) -> dict[tuple[frozenset[int], int], float]:
    """The choices of one ranking and the share of each: from whom, and who was taken."""
    ranks = sorted(set(row) - {0})
    places = [[lane for lane, rank in enumerate(row) if rank == each] for each in ranks]
    result: dict[tuple[frozenset[int], int], float] = {}
    for number, tied in enumerate(places):
        if len(tied) > MOST_TIED:
            raise ValueError(f"{len(tied)} share one place in a ranking; at most {MOST_TIED} can")
        after = frozenset(lane for place in places[number + 1 :] for lane in place)
        for size in range(len(tied), 0, -1):
            for left in combinations(tied, size):
                lanes = after | frozenset(left)
                if len(lanes) > 1:
                    for lane in left:
                        result[lanes, lane] = 1 / (comb(len(tied), size) * size)
    return result


def _likeliest(ranks: Scores, weights: Scores) -> tuple[Scores | None, Choices, Scores]:
    """The likeliest strengths (None where they run away), the choices, and how often each was made."""
    choices = take_apart(ranks)
    counts = np.bincount(choices.pattern, weights) @ choices.shares
    return (_fit(choices, counts) if _parts(choices.sets) == 1 else None), choices, counts


def _fit(choices: Choices, counts: Scores) -> Scores | None:
    """Newton's method with step halving from equal strengths; None where they run away."""
    values = np.zeros(choices.sets.shape[1])
    level, slope, curve = _likelihood(choices, counts, values)
    for _ in range(STEPS):
        gradient = counts @ slope
        step = np.linalg.lstsq(curve, gradient, rcond=1e-12)[0]
        if np.abs(step).max() < SMALLEST_STEP:
            return values
        scale = 1.0
        found = _likelihood(choices, counts, values + step)
        while found[0] < level - ROUNDING * abs(level) and scale > SMALLEST_STEP:
            scale /= 2
            found = _likelihood(choices, counts, values + scale * step)
        values, (level, slope, curve) = values + scale * step, found
        if np.ptp(values) > FARTHEST:
            return None
    return values


def _likelihood(choices: Choices, counts: Scores, values: Scores) -> tuple[float, Scores, Scores]:
    """Log-likelihood, its slope for each choice [choices, lanes], and minus its second derivative."""
    heights = np.where(choices.sets, values, -np.inf)
    top = heights.max(axis=1, keepdims=True)
    weights = np.exp(heights - top)
    total = weights.sum(axis=1, keepdims=True)
    odds = weights / total
    level = float(counts @ (values[choices.chosen] - (top + np.log(total)).ravel()))
    slope = -odds
    slope[np.arange(len(odds)), choices.chosen] += 1
    curve = np.diag(counts @ odds) - odds.T @ (counts[:, None] * odds)
    return level, slope, curve


def _imaginary_ties(sets: NDArray[np.bool_]) -> Scores:
    """A tie, as ranks, of each two lanes that met."""
    met = sets.T.astype(int) @ sets.astype(int)
    pairs = np.argwhere(np.triu(met, 1))
    ties = np.full((len(pairs), sets.shape[1]), np.nan)
    np.put_along_axis(ties, pairs, 1.0, axis=1)
    return ties


def _parts(sets: NDArray[np.bool_]) -> int:
    """In how many groups the lanes fall that were never compared with one another."""
    links = (sets.T.astype(float) @ sets > 0) | np.eye(sets.shape[1], dtype=bool)
    reached = np.linalg.matrix_power(links.astype(float), sets.shape[1]) > 0
    return len(np.unique(reached, axis=0))
