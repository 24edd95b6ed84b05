"""How far a rater can be relied on: the same twice, like the others, and not always the same place.

It knows ranks in the order of lanes and in the order they were shown. It does not know who the raters are.
"""

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from assistant.statistics.clusters import Labels
from assistant.statistics.estimates import Estimate, Scores, unknown
from assistant.statistics.votes import VoteTable

DOUBTFUL = 0.01
"""A rater is doubted when chance alone would show so little care less often than this."""
FEWEST_VOTES = 8
"""Below this many votes nobody is doubted."""


@dataclass(frozen=True)
class Share:
    """`same` of `compared` came out alike; a half is one tie against one order."""

    same: float
    compared: int

    @property
    def value(self) -> float:
        """From 0 to 1; nan where nothing was compared."""
        return self.same / self.compared if self.compared else float("nan")


@dataclass(frozen=True)
class Rater:
    """What is known of one rater's care."""

    rater: int
    votes: int
    agreement: Share
    """Pairs of lanes put in the same order as others did on the same question; chance is 0.5."""
    repeats: Share
    """Pairs put in the same order when a question came again."""
    identical: Share
    """Hidden identical pairs that were given the same rank."""
    doubts: tuple[str, ...]
    """Why this rater should not be relied on, in plain words; none if there is no reason."""


def same_order(first: Scores, second: Scores) -> Share:
    """In how many pairs of lanes two rankings [lanes] agree: same order or both tied; half if one ties."""
    a, b = np.triu_indices(len(first), 1)
    one, other = np.sign(first[a] - first[b]), np.sign(second[a] - second[b])
    both = ~np.isnan(one + other)
    one, other = one[both], other[both]
    half = (one != other) & ((one == 0) | (other == 0))
    return Share(float(np.sum(one == other) + np.sum(half) / 2), len(one))


def care(
    rankings: VoteTable,
    *,
    places: Scores | None = None,
    repeats: list[tuple[int, Scores, Scores]] | None = None,
    identical: list[tuple[int, bool]] | None = None,
) -> list[Rater]:
    """Each rater's care, in the order of their numbers.

    Args:
        rankings: first votes [votes, lanes], without those on items that came again.
        places: where each lane was shown [votes, lanes], 1 for A; None: not looked at.
        repeats: a rater and the two rankings [lanes] of a question that came twice.
        identical: a rater, and whether the two equal answers of an item were given the same rank.
    """
    return [
        _care(rankings, rater, places, repeats or [], identical or []) for rater in np.unique(rankings.raters)
    ]


def _care(
    rankings: VoteTable,
    rater: int,
    places: Scores | None,
    repeats: list[tuple[int, Scores, Scores]],
    identical: list[tuple[int, bool]],
) -> Rater:
    own = np.flatnonzero(rankings.raters == rater)
    again = [same_order(first, second) for who, first, second in repeats if who == rater]
    alike = [tied for who, tied in identical if who == rater]
    agreement = _agreement(rankings, own)
    doubts = [
        *_always_the_same(rankings.values[own], None if places is None else places[own]),
        *_against_chance(agreement),
        *(["gave identical answers different ranks"] if len(alike) > 1 and not any(alike) else []),
    ]
    return Rater(
        int(rater),
        len(own),
        agreement,
        Share(sum(each.same for each in again), sum(each.compared for each in again)),
        Share(float(sum(alike)), len(alike)),
        tuple(doubts) if len(own) >= FEWEST_VOTES else (),
    )


def _agreement(rankings: VoteTable, own: Labels) -> Share:
    """How one rater orders pairs against each other rater of the same question."""
    same, count = 0.0, 0
    for row in own:
        others = (rankings.questions == rankings.questions[row]) & (rankings.raters != rankings.raters[row])
        for other in np.flatnonzero(others):
            found = same_order(rankings.values[row], rankings.values[other])
            same, count = same + found.same, count + found.compared
    return Share(same, count)


def _always_the_same(ranks: Scores, places: Scores | None) -> list[str]:
    """Doubts about a rater who clicks without reading."""
    if np.all((ranks == ranks[:, :1]) | np.isnan(ranks)):
        return ["called every comparison a tie"]
    if places is None:
        return []
    best = np.nanmin(ranks, axis=1, keepdims=True)
    alone = np.sum(ranks == best, axis=1) == 1
    tops = places[alone][(ranks == best)[alone]].astype(int)
    if len(tops) < FEWEST_VOTES:
        return []
    shown, most = ranks.shape[1], int(np.bincount(tops).max())
    chance = binomtest(most, len(tops), 1 / shown, alternative="greater").pvalue * shown
    letter = "ABCDEFGHIJKL"[int(np.bincount(tops).argmax()) - 1]
    return [f"put {letter} first {most} times in {len(tops)}"] if chance < DOUBTFUL else []


def _against_chance(agreement: Share) -> list[str]:
    """A doubt about a rater whose order is no nearer to the others' than dice would be."""
    if agreement.compared < 60 or agreement.value > 0.5:
        return []
    return [f"agrees with the others in {agreement.value:.0%} of pairs, no more than chance"]


def blinding(right: int, guesses: int, chance: float) -> Estimate:
    """How often raters guessed what was hidden, less what chance gives; above 0 the blinding failed.

    An exact binomial test, one guess each, so that few guesses decide nothing.

    Args:
        right: guesses that were right.
        guesses: all guesses.
        chance: the share that blind guessing gets right.
    """
    if guesses < 1:
        return unknown("nobody guessed")
    found = binomtest(right, guesses, chance, alternative="two-sided")
    low, high = found.proportion_ci(0.95, method="wilson")
    return Estimate(right / guesses - chance, low - chance, high - chance, guesses, float(found.pvalue))
