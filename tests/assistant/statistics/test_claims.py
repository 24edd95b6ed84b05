"""Many tests at once: Holm's correction against statsmodels, and ranks that overlap."""

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from assistant.statistics import Estimate, holm, rank_ranges


@pytest.mark.parametrize("seed", range(4))
def test_corrected_chances_are_those_of_statsmodels(seed):
    chances = np.random.default_rng(seed).random(9) ** 3
    assert holm(chances.tolist()) == pytest.approx(multipletests(chances, method="holm")[1], abs=1e-12)


def test_nothing_tested_needs_no_correction():
    assert holm([]) == []


def found(value, chance):
    return Estimate(value, value - 1, value + 1, 30, chance)


def test_lanes_that_cannot_be_told_apart_share_their_ranks():
    sure, unsure = 0.0001, 0.4
    differences = {
        (0, 1): found(0.1, unsure),
        (0, 2): found(0.3, unsure),
        (0, 3): found(2.0, sure),
        (1, 2): found(0.2, unsure),
        (1, 3): found(1.9, sure),
        (2, 3): found(0.2, unsure),
    }
    assert rank_ranges(4, differences) == [(2, 4), (2, 4), (1, 4), (1, 2)]


def test_ranks_need_chances_that_hold_beside_each_other():
    pairs = [(0, 1), (0, 2), (1, 2)]
    assert rank_ranges(3, {pair: found(1.0, 0.03) for pair in pairs}) == [(1, 3)] * 3
    assert rank_ranges(3, {pair: found(1.0, 0.01) for pair in pairs}) == [(3, 3), (2, 2), (1, 1)]
