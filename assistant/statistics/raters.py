"""How far a rater can be relied on: the same twice, like the others, and not always the same place.

It knows ranks in the order of lanes and in the order they were shown. It does not know who the raters are.
"""

from dataclasses import dataclass
from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binomtest, hypergeom

from assistant.statistics.estimates import Estimate, Scores, unknown
from assistant.statistics.votes import VoteTable

DOUBTFUL = 0.01
"""A rater is doubted when chance alone would show so little care less often than this."""
FEWEST_VOTES = 8
"""Below this many votes nobody is doubted."""
FEWEST_PAIRS, AGREED = 60, 0.6
"""Who agrees with nobody is doubted only where the others agree, in so many pairs and this share of them."""


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
    again, twins = repeats or [], identical or []
    numbers = [int(rater) for rater in np.unique(rankings.raters)]
    clear = {rater: _clear_doubts(rankings, rater, places, twins) for rater in numbers}
    # Who is paired with a careless rater must not be doubted for agreeing too little.
    sound = rankings.where(np.isin(rankings.raters, [each for each in numbers if not clear[each]]))
    found = []
    for rater in numbers:
        agreement = _agreement(rankings, rater, sound)
        doubts = (*clear[rater], *_against_chance(agreement, rater, rankings, sound))
        own = int(np.sum(rankings.raters == rater))
        same = [same_order(first, second) for who, first, second in again if who == rater]
        alike = [tied for who, tied in twins if who == rater]
        found.append(
            Rater(
                rater,
                own,
                agreement,
                Share(sum(each.same for each in same), sum(each.compared for each in same)),
                Share(float(sum(alike)), len(alike)),
                doubts if own >= FEWEST_VOTES else (),
            )
        )
    return found


def _clear_doubts(
    rankings: VoteTable, rater: int, places: Scores | None, twins: list[tuple[int, bool]]
) -> list[str]:
    """Doubts that need nobody to compare with."""
    own = rankings.raters == rater
    alike = [tied for who, tied in twins if who == rater]
    lost = ["gave identical answers different ranks"] if len(alike) > 1 and not any(alike) else []
    return [*_always_the_same(rankings.values[own], None if places is None else places[own]), *lost]


def _agreement(rankings: VoteTable, rater: int, others: VoteTable) -> Share:
    """How one rater orders pairs against each of some others who saw the same question."""
    same, count = 0.0, 0
    for row in np.flatnonzero(rankings.raters == rater):
        beside = (others.questions == rankings.questions[row]) & (others.raters != rater)
        for other in others.values[beside]:
            found = same_order(rankings.values[row], other)
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


def _against_chance(agreement: Share, rater: int, rankings: VoteTable, sound: VoteTable) -> list[str]:
    """A doubt about a rater who orders as dice would, where the others are near each other."""
    if agreement.compared < FEWEST_PAIRS or agreement.value > 0.5:
        return []
    seen = np.isin(sound.questions, rankings.questions[rankings.raters == rater])
    others = sound.where(sound.raters != rater)
    if len(np.unique(sound.raters[seen & (sound.raters != rater)])) < 2:
        return []  # of two who disagree, nobody knows which one errs
    each = [_agreement(others, int(other), others) for other in np.unique(others.raters)]
    compared = sum(share.compared for share in each)
    if compared < FEWEST_PAIRS or sum(share.same for share in each) < AGREED * compared:
        return []
    return [f"agrees with the others no more than chance ({100 * agreement.value:.0f} of 100 pairs)"]


def blinding(believed: NDArray[np.bool_], hidden: NDArray[np.bool_]) -> Estimate:
    """How often raters guessed what was hidden, less what chance gives; above 0 the blinding failed.

    What a rater marks on one question hangs together: who marks two of four marks no third. So the number
    of marks on each question is taken as given, and the chance is that of hits as unlikely as these where
    marks fall blindly (hypergeometric on each question, exact over all). The interval is Clopper and
    Pearson's, for as many guesses as would vary as much if each stood alone.

    Args:
        believed: whether each answer was marked [questions, systems].
        hidden: whether it should have been [systems].
    """
    if not believed.size:
        return unknown("nobody guessed")
    (questions, systems), share = believed.shape, float(hidden.mean())
    marks = believed.sum(axis=1)
    varying = 4 * share * (1 - share) * float((marks * (systems - marks)).sum()) / (systems - 1)
    if not varying:
        return unknown("nobody told the answers apart")
    guesses, right = questions * systems, float((believed == hidden).mean())
    marked = float(marks.sum()) / guesses
    chance = share * marked + (1 - share) * (1 - marked)
    alone = guesses**2 * chance * (1 - chance) / varying
    hit, missed = right * alone, (1 - right) * alone
    low = float(beta.ppf(0.025, hit, missed + 1)) if hit else 0.0
    high = float(beta.ppf(0.975, hit + 1, missed)) if missed else 1.0
    p_value = _as_unlikely(int((believed & hidden).sum()), marks, hidden)
    return Estimate(right - chance, low - chance, high - chance, guesses, p_value)


def _as_unlikely(hits: int, marks: NDArray[np.int_], hidden: NDArray[np.bool_]) -> float:
    """The chance of hits as unlikely as these or more so, where each question's marks fall blindly."""
    counts = np.arange(len(hidden) + 1)
    each = [hypergeom.pmf(counts, len(hidden), hidden.sum(), mark) for mark in marks]
    sums = reduce(np.convolve, each)
    return float(sums[sums <= sums[hits] * (1 + 1e-7)].sum())
