"""Effects and intervals: plain numbers in, plain numbers out.

It knows the 2×2 design and the bootstrap. It does no input or output and knows no models.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import bootstrap

RESAMPLES = 9_999
Scores = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A mean or an effect with its 95 % interval, from `count` paired items."""

    value: float
    low: float
    high: float
    count: int

    @property
    def decided(self) -> bool:
        """Whether the interval excludes 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True)
class Effects:
    """What tuning and retrieval do to one criterion, each over the other, and what they do together."""

    tuning: Estimate
    retrieval: Estimate
    interaction: Estimate


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
