"""Ratings of any systems in figures: means, differences and strengths with intervals, and agreement.

It knows a table of ratings. It does not know the four lanes.

Intervals are over items; the raters are taken as they are, for labels such as 1, 2, 3 often stand for whoever
was there. An item's ratings by several people count as one mean.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from math import isfinite, log
from typing import Any

import numpy as np

from assistant.reports.plain_json import to_json
from assistant.reports.tables import Pair, Ratings, Score
from assistant.statistics import (
    Estimate,
    Strengths,
    VoteTable,
    alpha,
    clustered_mean,
    holm,
    rank_ranges,
    strengths,
)
from assistant.statistics.clusters import Labels
from assistant.statistics.estimates import Scores, unknown

ELO = 400 / log(10)
"""Points for a strength of 1 in log-odds, as chess counts them; only the scale is Elo's."""


@dataclass(frozen=True)
class SystemFigures:
    """One system: its mean score over `mean.count` items, its strength, and the ranks it can have."""

    system: str
    mean: Estimate | None
    strength: Estimate
    best_rank: int
    worst_rank: int


@dataclass(frozen=True)
class Difference:
    """How much more `system` has than `other`, on the items that both have.

    `holds` says whether that stays sure beside all the other pairs (Holm's correction).
    """

    system: str
    other: str
    value: Estimate
    holds: bool


@dataclass(frozen=True)
class ScoreFigures:
    """One aspect of a table of scores."""

    aspect: str
    ratings: int
    items: int
    raters: int
    systems: tuple[SystemFigures, ...]
    differences: tuple[Difference, ...]
    agreement: dict[str, Estimate]
    """Krippendorff's alpha by level."""


@dataclass(frozen=True)
class PairFigures:
    """A table of pairs; differences are in points of strength."""

    ratings: int
    items: int
    raters: int
    systems: tuple[SystemFigures, ...]
    differences: tuple[Difference, ...]
    agreement: dict[str, Estimate]
    winners: dict[str, int]
    """How often a, b or neither won."""
    first_wins: Estimate
    """How often the one named first won, of those that were no tie, less one half."""


def figures(ratings: Ratings) -> list[ScoreFigures] | PairFigures:
    """All figures of a table: for scores by aspect, in the order of the file."""
    if ratings.pairs:
        return _pair_figures(ratings.pairs)
    aspects = dict.fromkeys(score.aspect for score in ratings.scores)
    return [_score_figures([s for s in ratings.scores if s.aspect == aspect]) for aspect in aspects]


def _score_figures(scores: Sequence[Score]) -> ScoreFigures:
    items, item = np.unique([each.item for each in scores], return_inverse=True)
    systems, system = np.unique([each.system for each in scores], return_inverse=True)
    raters, rater = np.unique([each.rater for each in scores], return_inverse=True)
    values = np.array([each.score for each in scores])
    units = item * len(systems) + system
    table = _means(units, values, len(items), len(systems))
    differences = {pair: _difference(table, *pair) for pair in combinations(range(len(systems)), 2)}
    means = [_over_items(table[:, place]) for place in range(len(systems))]
    strong = _strengths(_met(item, system, rater, values, len(raters)), len(systems))
    return ScoreFigures(
        scores[0].aspect,
        len(scores),
        len(items),
        len(raters),
        _systems(systems.tolist(), means, strong, differences),
        _differences(systems.tolist(), differences),
        {
            level: alpha(units, values, level=level, questions=item)
            for level in ("ordinal", "interval", "nominal")
        },
    )


def _means(units: Labels, values: Scores, items: int, systems: int) -> Scores:
    """The mean rating of each system's answer to each item; nan where there is none [items, systems]."""
    given = np.bincount(units, minlength=items * systems)
    total = np.bincount(units, values, minlength=items * systems)
    means = np.divide(total, given, out=np.full(len(given), np.nan), where=given > 0)
    return means.reshape(items, systems)


def _over_items(values: Scores) -> Estimate:
    values = values[~np.isnan(values)]
    return clustered_mean(values, np.arange(len(values))) if len(values) else unknown("no ratings")


def _difference(table: Scores, first: int, second: int) -> Estimate:
    found = _over_items(table[:, second] - table[:, first])
    return found if found.count else unknown("no item has ratings of both")


def _met(item: Labels, system: Labels, rater: Labels, values: Scores, raters: int) -> VoteTable:
    """Each two systems that one rater scored on one item, as a ranking of the two; equal scores tie."""
    order = np.lexsort((system, item * raters + rater))
    group, system, values = (item * raters + rater)[order], system[order], values[order]
    sizes = np.bincount(np.unique(group, return_inverse=True)[1])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    lows, highs = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.int64)]
    for size in np.unique(sizes):
        a, b = np.triu_indices(size, 1)
        begin = starts[sizes == size][:, None]
        lows.append((begin + a).ravel())
        highs.append((begin + b).ravel())
    low, high = np.concatenate(lows), np.concatenate(highs)
    ranks = np.full((len(low), int(system.max()) + 1), np.nan)
    rows = np.arange(len(low))
    ranks[rows, system[low]] = 1.0 + (values[high] > values[low])
    ranks[rows, system[high]] = 1.0 + (values[low] > values[high])
    return VoteTable(group[low] // raters, np.zeros(len(low), dtype=np.int64), ranks)


def _pair_figures(pairs: Sequence[Pair]) -> PairFigures:
    items, item = np.unique([each.item for each in pairs], return_inverse=True)
    systems = np.unique([name for each in pairs for name in (each.a, each.b)])
    winner = np.array([each.winner for each in pairs])
    rows, ranks = np.arange(len(pairs)), np.full((len(pairs), len(systems)), np.nan)
    ranks[rows, np.searchsorted(systems, [each.a for each in pairs])] = 1.0 + (winner == 1)
    ranks[rows, np.searchsorted(systems, [each.b for each in pairs])] = 1.0 + (winner == -1)
    strong = _strengths(VoteTable(item, rows * 0, ranks), len(systems))
    found = {pair: strong.difference(*pair) for pair in combinations(range(len(systems)), 2)}
    counted = Counter({-1: "a", 1: "b", 0: "tie"}[int(each)] for each in winner)
    first = clustered_mean((winner[winner != 0] == -1) - 0.5, item[winner != 0])
    units, named = _as_first_named(pairs)
    return PairFigures(
        len(pairs),
        len(items),
        len({each.rater for each in pairs}),
        _systems(systems.tolist(), None, strong, found),
        _differences(systems.tolist(), found),
        {"nominal": alpha(units, named, level="nominal", questions=item)},
        {name: counted[name] for name in ("a", "b", "tie")},
        first,
    )


def _as_first_named(pairs: Sequence[Pair]) -> tuple[Labels, Scores]:
    """For each rating its item and pair as a number, and the winner in the order that came first there."""
    order: dict[tuple[str, frozenset[str]], tuple[int, str]] = {}
    for each in pairs:
        order.setdefault((each.item, frozenset((each.a, each.b))), (len(order), each.a))
    found = [order[each.item, frozenset((each.a, each.b))] for each in pairs]
    turned = [
        each.winner if each.a == first else -each.winner
        for each, (_, first) in zip(pairs, found, strict=True)
    ]
    return np.array([unit for unit, _ in found]), np.array(turned, dtype=float)


@dataclass(frozen=True)
class _Strong:
    """Strengths in points with mean 0, or why there are none."""

    found: Strengths | Estimate
    systems: int

    def of(self, system: int) -> Estimate:
        weights = np.full(self.systems, -1 / self.systems)
        weights[system] += 1
        return self._along(weights)

    def difference(self, first: int, second: int) -> Estimate:
        weights = np.zeros(self.systems)
        weights[[first, second]] = -1.0, 1.0
        return self._along(weights)

    def _along(self, weights: Scores) -> Estimate:
        if isinstance(self.found, Estimate):
            return self.found
        odds = self.found.contrast(weights.tolist())
        return Estimate(
            ELO * odds.value,
            ELO * odds.low,
            ELO * odds.high,
            odds.count,
            odds.chance,
            odds.reason,
            ELO * odds.error,
        )


def _strengths(votes: VoteTable, systems: int) -> _Strong:
    return _Strong(strengths(votes), systems)


def _systems(
    names: list[str],
    means: list[Estimate] | None,
    strong: _Strong,
    differences: dict[tuple[int, int], Estimate],
) -> tuple[SystemFigures, ...]:
    """The systems, best first."""
    ranks = rank_ranges(len(names), differences)
    every = [
        SystemFigures(name, means[place] if means else None, strong.of(place), *ranks[place])
        for place, name in enumerate(names)
    ]
    return tuple(sorted(every, key=lambda each: _height(each.mean or each.strength), reverse=True))


def _height(estimate: Estimate) -> float:
    return estimate.value if isfinite(estimate.value) else float("-inf")


def _differences(names: list[str], found: dict[tuple[int, int], Estimate]) -> tuple[Difference, ...]:
    """Each pair with the higher one first, the largest difference first."""
    corrected = holm([each.chance if each.known else 1.0 for each in found.values()])
    every = [
        Difference(names[b], names[a], each, chance < 0.05)
        if not each.value < 0
        else Difference(names[a], names[b], _turned(each), chance < 0.05)
        for ((a, b), each), chance in zip(found.items(), corrected, strict=True)
    ]
    return tuple(sorted(every, key=lambda each: _height(each.value), reverse=True))


def _turned(estimate: Estimate) -> Estimate:
    turned = (-estimate.value, -estimate.high, -estimate.low)
    return Estimate(*turned, estimate.count, estimate.chance, estimate.reason, estimate.error)


def as_json(found: list[ScoreFigures] | PairFigures, notes: Sequence[str]) -> str:
    """The figures as JSON; what nobody can say is null."""
    value: dict[str, Any] = (
        {"kind": "pairs", **asdict(found)}
        if isinstance(found, PairFigures)
        else {
            "kind": "scores",
            "aspects": [asdict(each) for each in found],
        }
    )
    return to_json(value | {"notes": list(notes)})
