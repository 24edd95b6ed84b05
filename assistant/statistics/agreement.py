"""How far raters agree: Krippendorff's alpha with an interval.

It knows values, what they are about and who gave them. It does not know what makes raters disagree.
Source: Krippendorff, Content Analysis (2004), chapter 11.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from assistant.statistics.clusters import Labels
from assistant.statistics.estimates import Estimate, Scores, unknown

RESAMPLES = 1_000
AT_ONCE = 20_000_000
"""Numbers held in memory at once while resampling."""
LEVELS = ("nominal", "ordinal", "interval")


def alpha(
    units: Labels, values: Scores, *, level: str = "ordinal", questions: Labels | None = None, seed: int = 0
) -> Estimate:
    """Krippendorff's alpha: 1 is full agreement, 0 as much as chance gives.

    The interval is a percentile bootstrap over questions. Raters are not drawn anew: one drawn twice would
    agree with themselves.

    Args:
        units: what each value is about, such as one answer [values].
        values: what was said of it; for nominal values any number for each kind.
        level: nominal, ordinal or interval: what a difference between two values counts.
        questions: which question each value belongs to, where several units share one; None: each its own.
        seed: of the resampling.

    Returns:
        The estimate, counting units with two values or more; unknown where there is nothing to compare.
    """
    if level not in LEVELS:
        raise ValueError(f"the level {level!r} is none of {', '.join(LEVELS)}")
    units = np.unique(units, return_inverse=True)[1]
    paired = np.bincount(units)[units] > 1
    if not paired.any():
        return unknown("nothing was rated twice")
    groups = units if questions is None else np.asarray(questions)
    table = _Coincidences.of(units[paired], np.asarray(values, dtype=float)[paired], groups[paired])
    if len(table.values) < 2:
        return unknown("all values are alike, so agreement can't be told from chance", count=table.units)
    found = table.alphas(np.ones((1, table.questions)), level)[0]
    if table.questions < 2:
        return unknown("only one question was rated twice", value=float(found), count=table.units)
    drawn = _resampled(table, level, np.random.default_rng(seed))
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    return Estimate(float(found), float(low), float(high), table.units)


def _resampled(table: "_Coincidences", level: str, dice: np.random.Generator) -> Scores:
    """Alphas of questions drawn with replacement; nan where all values drawn are alike."""
    step = max(1, min(RESAMPLES, AT_ONCE // (table.width + table.questions)))
    drawn: list[Scores] = []
    for start in range(0, RESAMPLES, step):
        rows = min(step, RESAMPLES - start)
        picks = dice.integers(table.questions, size=(rows, table.questions))
        flat = (np.arange(rows)[:, None] * table.questions + picks).ravel()
        weights = np.bincount(flat, minlength=rows * table.questions).reshape(rows, -1)
        drawn.append(table.alphas(weights.astype(float), level))
    return np.concatenate(drawn)


@dataclass(frozen=True)
class _Coincidences:
    """How often two values meet in a unit, for each question, so that questions can be weighted.

    Attributes:
        values: the distinct values [values].
        pairs: places of two distinct values that met, the lower first [pairs, 2].
        met: how often they met, each unit's pairs weighing 1 / (its values - 1) [questions, pairs].
        counts: how often each value was given [questions, values].
        units: how many units have two values or more.
    """

    values: Scores
    pairs: Labels
    met: csr_array
    counts: csr_array
    units: int

    @classmethod
    def of(cls, units: Labels, values: Scores, groups: Labels) -> "_Coincidences":
        kinds, kind = np.unique(values, return_inverse=True)
        questions, question = np.unique(groups, return_inverse=True)
        counts = csr_array((np.ones(len(kind)), (question, kind)), shape=(len(questions), len(kinds)))
        numbers, unit = np.unique(units, return_inverse=True)
        by_unit = csr_array((np.ones(len(kind)), (unit, kind)), shape=(len(numbers), len(kinds)))
        low, high, weight, home = _meetings(by_unit, np.bincount(unit))
        codes, pair = np.unique(low * len(kinds) + high, return_inverse=True)
        question_of_unit = np.zeros(len(numbers), dtype=np.int64)
        question_of_unit[unit] = question
        shape = (len(questions), len(codes))
        met = csr_array((weight, (question_of_unit[home], pair)), shape=shape)
        pairs = np.stack([codes // len(kinds), codes % len(kinds)], axis=1)
        return cls(kinds, pairs, met, counts, len(numbers))

    @property
    def questions(self) -> int:
        return int(self.counts.shape[0])

    @property
    def width(self) -> int:
        return len(self.pairs) + len(self.values)

    def alphas(self, weights: Scores, level: str) -> Scores:
        """Alpha for each way to weight the questions [weightings, questions]."""
        counts, met = weights @ self.counts, weights @ self.met
        total = counts.sum(axis=1)
        places = _PLACES[level](self.values, counts)
        apart = np.ones(met.shape)
        if places is None:
            expected = (total**2 - np.sum(counts**2, axis=1)) / (total - 1)
        else:
            apart = (places[:, self.pairs[:, 1]] - places[:, self.pairs[:, 0]]) ** 2
            squares, sums = np.sum(counts * places**2, axis=1), np.sum(counts * places, axis=1)
            expected = 2 * (total * squares - sums**2) / (total - 1)
        observed = 2 * np.sum(met * apart, axis=1)
        some = expected > 1e-12 * total
        return np.where(some, 1 - observed / np.where(some, expected, 1.0), np.nan)


def _meetings(by_unit: csr_array, sizes: Labels) -> tuple[Labels, Labels, Scores, Labels]:
    """All pairs of distinct values inside units: lower place, higher place, weight, unit."""
    lows, highs, weights, homes = [], [], [], []
    kinds = np.diff(by_unit.indptr)
    for count in np.unique(kinds[kinds > 1]):
        rows = np.flatnonzero(kinds == count)
        at = by_unit.indptr[rows][:, None] + np.arange(count)
        place, often = by_unit.indices[at], by_unit.data[at]
        for first in range(count):
            for second in range(first + 1, count):
                lows.append(np.minimum(place[:, first], place[:, second]))
                highs.append(np.maximum(place[:, first], place[:, second]))
                weights.append(often[:, first] * often[:, second] / (sizes[rows] - 1))
                homes.append(rows)
    if not lows:
        none = np.zeros(0, dtype=np.int64)
        return none, none, np.zeros(0), none
    return (
        np.concatenate(lows).astype(np.int64),
        np.concatenate(highs).astype(np.int64),
        np.concatenate(weights),
        np.concatenate(homes),
    )


_Places = Callable[[Scores, Scores], Scores | None]
_PLACES: dict[str, _Places] = {
    "nominal": lambda values, counts: None,
    "interval": lambda values, counts: np.broadcast_to(values, counts.shape),
    # Values stand at their middle rank: then the squared difference is Krippendorff's ordinal one.
    "ordinal": lambda values, counts: np.cumsum(counts, axis=1) - counts / 2,
}
"""Where each value stands on a line [weightings, values]; None where values only differ or not."""
