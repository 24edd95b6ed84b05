"""The 2×2 design: from scores against sums by hand, from rankings against the model they were drawn from."""

import numpy as np
import pytest

from assistant.statistics import VoteTable, effects_of_rankings, effects_of_scores
from assistant.statistics.factorial import (
    lane_means,
    score_differences,
    strength_differences,
    win_rates,
    win_shares,
)
from assistant.statistics.power import log_odds, simulated_rankings
from tests.assistant.statistics.simulated import scored


def votes(values, raters=1):
    values = np.array(values, dtype=float)
    return VoteTable(np.arange(len(values)), np.arange(len(values)) % raters, values)


def test_effects_of_scores_by_hand():
    found = effects_of_scores(votes([[1, 3, 4, 5], [2, 2, 6, 10]]))
    # First vote: ((3 + 5) - (1 + 4)) / 2 = 1.5, ((4 + 5) - (1 + 3)) / 2 = 2.5, (5 - 3) - (4 - 1) = -1.
    # Second: ((2 + 10) - (2 + 6)) / 2 = 2, ((6 + 10) - (2 + 2)) / 2 = 6, (10 - 2) - (6 - 2) = 4.
    assert [each.value for each in found.each] == [1.75, 4.25, 1.5]


def test_how_strict_a_rater_or_how_hard_a_question_is_plays_no_part():
    plain = scored(np.random.default_rng(1), questions=20, raters=4, per_question=3)
    shifts = np.random.default_rng(2).normal(0, 9, (len(plain), 1))
    shifted = VoteTable(plain.questions, plain.raters, plain.values + shifts)
    for one, other in zip(effects_of_scores(plain).each, effects_of_scores(shifted).each, strict=True):
        assert (one.low, one.high) == pytest.approx((other.low, other.high))


def test_a_vote_that_leaves_a_lane_out_says_nothing_of_the_effects_but_counts_for_its_lanes():
    values = [[1, 2, 3, 4], [2, 3, 4, 6], [np.nan, 5, 5, 5]]
    assert effects_of_scores(votes(values)).tuning.count == 2
    assert [mean.count for mean in lane_means(votes(values))] == [2, 3, 3, 3]
    assert score_differences(votes(values))[1, 2].count == 3


def test_a_missing_lane_is_named_and_the_others_stay():
    values = np.random.default_rng(0).integers(1, 6, (20, 4)).astype(float)
    values[:, 1] = np.nan
    found = effects_of_scores(votes(values))
    assert all(each.reason == "no vote scores all four lanes" for each in found.each)
    assert lane_means(votes(values))[1].reason == "no votes"
    assert score_differences(votes(values))[0, 1].reason == "no vote scores both"
    assert score_differences(votes(values))[0, 2].known
    ranked = effects_of_rankings(votes(np.where(np.isnan(values), np.nan, [1, 2, 3, 4])))
    assert "never compared" in ranked.tuning.reason


def test_effects_of_rankings_are_those_the_rankings_were_drawn_with():
    lanes = (0.0, log_odds(0.65), log_odds(0.6), 0.4)
    dice = np.random.default_rng(3)
    drawn = simulated_rankings(lanes, questions=1500, raters=1, per_question=1, dice=dice)
    found = effects_of_rankings(drawn)
    truth = ((0.619 + 0.4 - 0.405) / 2, (0.405 + 0.4 - 0.619) / 2, 0.4 - 0.619 - 0.405)
    for each, true in zip(found.each, truth, strict=True):
        assert each.low < true < each.high
        assert each.high - each.low < 0.4


def test_a_fifth_answer_leaves_the_effects_as_they_are():
    dice = np.random.default_rng(4)
    four = simulated_rankings((0, 1, 0.5, 1), questions=60, raters=1, per_question=1, dice=dice)
    last = VoteTable(four.questions, four.raters, np.column_stack([four.values, np.full(60, 5.0)]))
    with_human = effects_of_rankings(last)
    for one, other in zip(effects_of_rankings(four).each, with_human.each, strict=True):
        assert one.value == pytest.approx(other.value, abs=0.1)


def test_win_shares_by_hand():
    shares = win_shares(np.array([[1, 2, 2, 4], [1, np.nan, 2, np.nan], [3, np.nan, np.nan, np.nan]]))
    assert shares[0] == pytest.approx([1, 0.5, 0.5, 0])
    assert shares[1] == pytest.approx([1, np.nan, 0, np.nan], nan_ok=True)
    assert np.isnan(shares[2]).all()
    assert [rate.value for rate in win_rates(votes([[1, 2, 3, 4], [1, 2, 4, 3]]))] == pytest.approx(
        [1, 2 / 3, 1 / 6, 1 / 6]
    )


def test_the_lane_that_is_ranked_higher_is_the_stronger_of_two():
    drawn = simulated_rankings(
        (0, 0, 0, 2), questions=50, raters=1, per_question=1, dice=np.random.default_rng(5)
    )
    found = strength_differences(drawn)
    assert found[0, 3].decided
    assert found[0, 3].value > 1
    assert not found[0, 1].decided


def test_a_rater_who_always_answers_3_blurs_the_effects_and_breaks_nothing():
    three = votes(np.full((30, 4), 3.0))
    assert [each.value for each in effects_of_scores(three).each] == [0, 0, 0]
    assert not any(each.decided for each in effects_of_scores(three).each)
    careful = scored(np.random.default_rng(6), questions=30, raters=4, per_question=4, rater_spread=0.0)
    mixed = careful.values.copy()
    mixed[careful.raters == 0] = 3.0
    blurred = effects_of_scores(VoteTable(careful.questions, careful.raters, mixed)).tuning
    plain = effects_of_scores(careful).tuning
    assert blurred.value < plain.value
    assert blurred.high - blurred.low > plain.high - plain.low


def test_rows_that_do_not_fit_together_are_refused():
    with pytest.raises(ValueError, match="one row for each vote"):
        VoteTable(np.arange(3), np.arange(2), np.zeros((3, 4)))
