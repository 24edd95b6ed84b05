"""Estimates with how sure they are, and the plain ones over items: means and effects by bootstrap.

It knows arrays of numbers. It does not know what they measure or who gave them.
"""

from dataclasses import dataclass, replace
from math import inf, isfinite, nan

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

RESAMPLES = 9_999
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean or an effect with its 95 % interval, from `count` paired items.

    Where nobody can say how sure it is, the interval is endless and `reason` says why.
    """

    value: float
    low: float
    high: float
    count: int
    chance: float = nan
    """How often chance alone would show as much (two-sided p); nan where that was not worked out."""
    reason: str = ""
    error: float = nan
    """The standard error; nan where the interval comes from resampling."""

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0

    @property
    def known(self) -> bool:
        """Whether the interval has ends."""
        return isfinite(self.low) and isfinite(self.high)

    def within(self, lowest: float, highest: float) -> "Estimate":
        """The interval as far as a scale goes: one that is the same to both sides can pass its ends."""
        if not self.known:
            return self
        return replace(self, low=max(self.low, lowest), high=min(self.high, highest))


def unknown(reason: str, *, value: float = nan, count: int = 0) -> Estimate:
    """An estimate that says "cannot say", and why."""
    return Estimate(value, -inf, inf, count, 1.0, reason)


@dataclass(frozen=True)
class Effects:
    """What tuning and retrieval do to one criterion, each over the other, and what they do together."""

    tuning: Estimate
    retrieval: Estimate
    interaction: Estimate

    @property
    def each(self) -> tuple[Estimate, Estimate, Estimate]:
        """The three in their order."""
        return self.tuning, self.retrieval, self.interaction

    def within(self, reach: float) -> "Effects":
        """The intervals as far as they are possible where scores lie at most `reach` apart."""
        return Effects(
            self.tuning.within(-reach, reach),
            self.retrieval.within(-reach, reach),
            self.interaction.within(-2 * reach, 2 * reach),
        )


def mean_with_interval(values: Scores, *, seed: int = 0) -> Estimate:
    """The mean of `values` [items], percentile bootstrap over the items.

    Raises:
        ValueError: fewer than two items.
    """
    if len(values) < 2:
        raise ValueError(f"{len(values)} items; an interval needs at least 2")
    low, high = _interval(np.asarray(values, dtype=float), seed)
    return Estimate(float(np.mean(values)), low, high, len(values))


def effects(prompt: Scores, tuned: Scores, rag: Scores, combined: Scores, *, seed: int = 0) -> Effects:
    """The effects of the 2×2 design from four arrays [items], paired by place.

    Each effect is a mean over items, so resampling items keeps the pairs together.
    """
    tuning = ((tuned + combined) - (prompt + rag)) / 2
    retrieval = ((rag + combined) - (prompt + tuned)) / 2
    interaction = (combined - tuned) - (rag - prompt)
    tuning, retrieval, interaction = (
        np.asarray(each, dtype=float) for each in (tuning, retrieval, interaction)
    )
    return Effects(
        mean_with_interval(tuning, seed=seed),
        mean_with_interval(retrieval, seed=seed),
        mean_with_interval(interaction, seed=seed),
    )


def _interval(values: Scores, seed: int) -> tuple[float, float]:
    if np.ptp(values) == 0:  # every resample has the same mean
        return float(values[0]), float(values[0])
    result = bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(seed)
    )
    return float(result.confidence_interval.low), float(result.confidence_interval.high)
