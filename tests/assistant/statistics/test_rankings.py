"""Strengths from rankings, against choix, a logistic regression of statsmodels, and sums done by hand."""

import choix
import numpy as np
import pytest
import statsmodels.api as sm

from assistant.statistics import VoteTable, strengths
from assistant.statistics.power import log_odds, simulated_rankings
from assistant.statistics.rankings import Strengths


def table(ranks, questions=None, raters=None):
    ranks = np.array(ranks, dtype=float)
    each = np.arange(len(ranks))
    return VoteTable(each if questions is None else questions, each * 0 if raters is None else raters, ranks)


def fitted(votes) -> Strengths:
    found = strengths(votes)
    assert isinstance(found, Strengths)
    return found


def rankings(count, seed=1, lanes=(0.0, 0.6, 0.5, 1.0)):
    dice = np.random.default_rng(seed)
    return simulated_rankings(lanes, questions=count, raters=1, per_question=1, dice=dice)


def test_rankings_give_the_strengths_that_choix_finds():
    votes = rankings(60)
    orders = np.argsort(votes.values, axis=1).tolist()
    expected = choix.opt_rankings(4, orders, tol=1e-12)
    assert fitted(votes).values == pytest.approx(expected - np.mean(expected), abs=1e-6)


def test_parts_of_rankings_give_the_strengths_that_choix_finds():
    votes = rankings(80)
    ranks = votes.values.copy()
    ranks[np.arange(80), np.arange(80) % 4] = np.nan
    orders = [[lane for lane in np.argsort(row) if not np.isnan(row[lane])] for row in ranks]
    expected = choix.opt_rankings(4, orders, tol=1e-12)
    assert fitted(table(ranks)).values == pytest.approx(expected - np.mean(expected), abs=1e-6)


def test_pairs_with_ties_give_the_strengths_of_a_logistic_regression_with_half_wins():
    dice = np.random.default_rng(4)
    rows, design, won = [], [], []
    for _ in range(150):
        first, second = dice.choice(4, 2, replace=False)
        outcome = dice.choice([0.0, 0.5, 1.0])
        ranks = np.full(4, np.nan)
        ranks[[first, second]] = (2 - outcome, 1 + outcome)
        rows.append(ranks)
        design.append(np.eye(4)[first] - np.eye(4)[second])
        won.append(outcome)
    model = sm.GLM(np.array(won), np.array(design)[:, 1:], family=sm.families.Binomial())
    expected = np.array([0.0, *model.fit(tol=1e-14).params])
    assert fitted(table(rows)).values == pytest.approx(expected - expected.mean(), abs=1e-6)


def compared(count=200, ties=0):
    """Pairs as ranks, with the design and outcomes of a logistic regression on them."""
    dice = np.random.default_rng(5)
    design = dice.choice([-1.0, 1.0], size=(count, 1))
    won = (dice.random(count) < 0.6).astype(float)
    won[:ties] = 0.5
    ranks = np.stack([2 - won, 1 + won], axis=1)
    return np.where(design == 1, ranks, ranks[:, ::-1]), design, won


@pytest.mark.parametrize(
    ("ties", "kind", "factor"), [(0, "nonrobust", 1), (60, "HC0", 200 / 199)], ids=["no ties", "ties"]
)
def test_the_interval_is_that_of_a_logistic_regression(ties, kind, factor):
    pairs, design, won = compared(ties=ties)
    expected = sm.GLM(won, design, family=sm.families.Binomial()).fit(cov_type=kind, tol=1e-14)
    found = fitted(table(pairs)).contrast([1.0, -1.0])
    assert found.value == pytest.approx(expected.params[0], abs=1e-6)
    error = (found.high - found.low) / 2 / 1.959963985
    assert error == pytest.approx(expected.bse[0] * np.sqrt(factor), abs=1e-6)


def test_a_win_rate_by_hand():
    found = fitted(table([[1, 2]] * 65 + [[2, 1]] * 35))
    assert found.values[0] - found.values[1] == pytest.approx(log_odds(0.65), abs=1e-9)
    assert found.contrast([1, -1]).decided
    assert not found.contrast([1, -1]).value < 0


def test_a_tie_is_half_of_each_order():
    tied = fitted(table([[1, 1, 2], [2, 1, 3], [1, 3, 2], [3, 1, 2]]))
    shared = fitted(table([[1, 2, 3], [2, 1, 3], *[[2, 1, 3], [1, 3, 2], [3, 1, 2]] * 2]))
    doubled = fitted(table([[1, 1, 2], [2, 1, 3], [1, 3, 2], [3, 1, 2]] * 2))
    assert tied.values == pytest.approx(shared.values, abs=1e-8)
    assert tied.values == pytest.approx(doubled.values, abs=1e-8)


def test_neither_the_order_of_votes_nor_of_lanes_plays_a_part():
    votes = rankings(50)
    order, lanes = np.random.default_rng(2).permutation(50), [2, 0, 3, 1]
    moved = fitted(table(votes.values[order][:, lanes], votes.questions[order]))
    assert moved.values == pytest.approx(fitted(votes).values[lanes], abs=1e-8)
    along = np.array([1.0, -1.0, 0.5, -0.5])
    first, second = fitted(votes).contrast(along), moved.contrast(along[lanes])
    assert (first.low, first.high) == pytest.approx((second.low, second.high), abs=1e-8)


def test_only_ties_leave_all_equal_and_decide_nothing():
    found = fitted(table([[1, 1, 1, 1]] * 40))
    assert found.values == pytest.approx(0)
    effect = found.contrast([-1, 1, 0, 0])
    assert not effect.decided
    assert effect.high > 0.05


def test_a_lane_that_wins_every_time_has_an_end_and_is_said_to():
    found = fitted(table([[1, 2, 3, 4], [1, 3, 2, 4], [1, 4, 3, 2], [1, 2, 4, 3], [1, 3, 4, 2]] * 8))
    assert found.held
    assert 2 < found.values[0] < 8
    assert found.contrast([1, -1, 0, 0]).decided
    assert not fitted(rankings(60)).held


@pytest.mark.parametrize(
    ("ranks", "reason"),
    [
        ([[1, 2]], "1 rankings are too few"),
        ([[1, np.nan], [1, np.nan], [np.nan, 1]], "0 rankings are too few"),
        ([[1, 2, np.nan, np.nan], [np.nan, np.nan, 1, 2]] * 9, "never compared"),
        ([[1, 2, np.nan]] * 9, "never compared"),
    ],
    ids=["one vote", "one lane a vote", "two islands", "a missing lane"],
)
def test_what_can_not_be_said_is_not_said(ranks, reason):
    found = strengths(table(ranks))
    assert not isinstance(found, Strengths)
    assert reason in found.reason
    assert not found.decided


def test_more_than_a_dozen_that_tie_are_refused():
    with pytest.raises(ValueError, match="13 share one place"):
        strengths(table(np.ones((2, 13))))
