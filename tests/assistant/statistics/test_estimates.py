"""Effects and intervals, against sums done by hand and a bootstrap written out plainly."""

import random
from statistics import fmean

import numpy as np
import pytest

from assistant.statistics import Effects, Estimate, effects, mean_with_interval
from assistant.statistics.estimates import unknown


def plain_bootstrap(values: list[float], *, resamples: int = 4000, seed: int = 1) -> tuple[float, float]:
    """The 2.5 % and 97.5 % points of means of values drawn with replacement."""
    dice = random.Random(seed)
    means = sorted(fmean(dice.choices(values, k=len(values))) for _ in range(resamples))
    return means[round(0.025 * resamples)], means[round(0.975 * resamples) - 1]


def drawn(count: int, seed: int) -> list[float]:
    return np.random.default_rng(seed).gamma(2.0, size=count).tolist()


def test_effects_by_hand():
    prompt, tuned, rag, combined = (np.array(each, dtype=float) for each in ([1, 2], [3, 2], [4, 6], [5, 10]))
    found = effects(prompt, tuned, rag, combined)
    # First item: ((3 + 5) - (1 + 4)) / 2 = 1.5, ((4 + 5) - (1 + 3)) / 2 = 2.5, (5 - 3) - (4 - 1) = -1.
    # Second: ((2 + 10) - (2 + 6)) / 2 = 2, ((6 + 10) - (2 + 2)) / 2 = 6, (10 - 2) - (6 - 2) = 4.
    assert (found.tuning.value, found.retrieval.value, found.interaction.value) == (1.75, 4.25, 1.5)
    assert (found.tuning.low, found.tuning.high) == (1.5, 2.0)
    assert (found.retrieval.low, found.retrieval.high) == (2.5, 6.0)
    assert (found.interaction.low, found.interaction.high) == (-1.0, 4.0)
    assert found.tuning.count == 2


def test_whole_numbers_give_the_same_effects_as_decimals():
    lanes = ([1, 2], [3, 2], [4, 6], [5, 10])
    whole, decimal = (effects(*(np.array(each, dtype=kind) for each in lanes)) for kind in (int, float))
    assert whole == decimal


@pytest.mark.parametrize(
    "values", [drawn(8, 1), drawn(60, 2), [0.0] * 15 + [1.0] * 25], ids=["8", "60", "shares"]
)
def test_intervals_agree_with_a_plain_bootstrap_within_its_error(values):
    found = mean_with_interval(np.array(values))
    low, high = plain_bootstrap(values)
    spread = np.std(values) / np.sqrt(len(values))
    assert found.value == pytest.approx(fmean(values))
    assert found.low == pytest.approx(low, abs=0.15 * spread)
    assert found.high == pytest.approx(high, abs=0.15 * spread)


def test_pairs_stay_together():
    """Lanes that differ between items far more than from each other: pairing leaves a narrow interval."""
    hard = np.array(drawn(30, 3)) * 100
    found = effects(hard, hard + 1, hard + 2, hard + 3.5)
    assert (found.tuning.value, found.retrieval.value) == pytest.approx((1.25, 2.25))
    assert found.tuning.high - found.tuning.low < 1e-9
    shuffled = effects(hard, np.roll(hard, 1) + 1, np.roll(hard, 2) + 2, hard + 3.5)
    assert shuffled.tuning.high - shuffled.tuning.low > 10


def test_all_equal_values_have_an_interval_of_no_width():
    assert mean_with_interval(np.array([0.25] * 7)) == Estimate(0.25, 0.25, 0.25, 7)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_items_have_no_interval(count):
    with pytest.raises(ValueError, match=f"{count} items; an interval needs at least 2"):
        mean_with_interval(np.zeros(count))


def test_the_same_seed_gives_the_same_interval_and_another_nearly_the_same():
    values = np.array(drawn(40, 4))
    first, again, other = (mean_with_interval(values, seed=seed) for seed in (3, 3, 4))
    assert first == again != other
    assert first.low == pytest.approx(other.low, abs=0.02)


@pytest.mark.parametrize(
    ("low", "high", "decided"), [(0.1, 0.2, True), (-0.2, -0.1, True), (-0.1, 0.1, False), (0.0, 0.2, False)]
)
def test_an_effect_is_decided_when_its_interval_leaves_out_0(low, high, decided):
    assert Estimate((low + high) / 2, low, high, 9).decided is decided


def test_an_interval_holds_the_truth_about_19_times_in_20():
    held = 0
    for seed in range(40):
        values = np.random.default_rng(seed).normal(0.3, 1.0, size=40)
        found = mean_with_interval(values)
        held += found.low <= 0.3 <= found.high
    assert 33 <= held <= 40


def test_intervals_end_where_the_scale_does_and_what_cannot_be_told_stays_so():
    wide, narrow = Estimate(0.5, -5.9, 6.9, 2), Estimate(0.5, 0.1, 0.9, 2)
    found = Effects(wide, narrow, Estimate(1.0, -24.4, 26.4, 2)).within(4)
    ends = [(each.value, each.low, each.high) for each in found.each]
    assert ends == [(0.5, -4, 4), (0.5, 0.1, 0.9), (1.0, -8, 8)]
    endless = unknown("nobody voted")
    assert endless.within(0, 1) is endless
