"""A mean over questions and raters: against analysis of variance by hand, and the truth of simulations."""

import numpy as np
import pytest
from scipy.stats import ttest_1samp
from statsmodels.stats.weightstats import DescrStatsW

from assistant.statistics.clusters import clustered_mean, variance_parts
from tests.assistant.statistics.simulated import shared_out
from tests.benchmarks.coverage import DESIGNS, KINDS, SPREADS, coverage


def drawn(seed, questions=12, raters=5, per_question=5):
    dice = np.random.default_rng(seed)
    question, rater = shared_out(questions, raters, per_question)
    values = dice.normal(0, 1, questions)[question] + dice.normal(0, 1, raters)[rater]
    return values + dice.normal(0.4, 1, len(question)), question, rater


def test_with_one_vote_a_question_it_is_students_interval():
    values = np.random.default_rng(1).normal(0.3, 1, 25)
    found = clustered_mean(values, np.arange(25))
    assert (found.low, found.high) == pytest.approx(DescrStatsW(values).tconfint_mean(), abs=1e-9)
    assert found.chance == pytest.approx(ttest_1samp(values, 0).pvalue, abs=1e-9)
    assert found.count == 25


def test_where_everybody_rates_everything_the_parts_are_those_of_the_analysis_of_variance():
    values, question, rater = drawn(2)
    table = values.reshape(12, 5)
    rows, columns = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    between_rows = 5 * np.sum((rows - table.mean()) ** 2) / 11
    between_columns = 12 * np.sum((columns - table.mean()) ** 2) / 4
    rest = np.sum((table - rows - columns + table.mean()) ** 2) / 44
    found = variance_parts(values, question, rater)
    assert found.rest == pytest.approx(rest, abs=1e-9)
    assert found.question == pytest.approx((between_rows - rest) / 5, abs=1e-9)
    assert found.rater == pytest.approx((between_columns - rest) / 12, abs=1e-9)


def test_the_parts_are_right_on_average_where_raters_share_the_questions_out_unevenly():
    question, rater = np.repeat(np.arange(30), 3), np.random.default_rng(0).integers(0, 7, 90)
    found = []
    for seed in range(300):
        dice = np.random.default_rng(seed)
        values = dice.normal(0, 0.7, 30)[question] + dice.normal(0, 0.5, 7)[rater] + dice.normal(0, 1, 90)
        parts = variance_parts(values, question, rater)
        found.append((parts.question, parts.rater, parts.rest))
    assert np.mean(found, axis=0) == pytest.approx((0.49, 0.25, 1.0), abs=0.05)


def test_few_raters_who_differ_make_it_unsure_and_two_stand_for_themselves():
    question, rater = shared_out(12, 3, 3)
    values = np.random.default_rng(3).normal(0, 1, 36) + np.array([-1.0, 0.0, 1.0])[rater]
    both, alone = clustered_mean(values, question, rater), clustered_mean(values, question)
    assert both.value == alone.value
    assert both.high - both.low > 2 * (alone.high - alone.low)
    some = values[rater < 2], question[rater < 2]
    assert clustered_mean(*some, rater[rater < 2]) == clustered_mean(*some)


def test_neither_the_order_of_votes_nor_names_play_a_part():
    values, question, rater = drawn(4, per_question=3)
    order = np.random.default_rng(0).permutation(len(values))
    found = clustered_mean(values, question, rater)
    moved = clustered_mean(values[order], 900 - 7 * question[order], 5 + 3 * rater[order])
    assert (moved.low, moved.high) == pytest.approx((found.low, found.high), abs=1e-9)


def test_votes_that_are_all_alike_are_no_surer_than_their_number_allows():
    few = clustered_mean(np.full(8, 1.0), np.arange(8))
    many = clustered_mean(np.full(80, 1.0), np.arange(80))
    assert 0.7 < few.low < 0.8
    assert 0.97 < many.low < 0.98
    assert not clustered_mean(np.zeros(30), np.arange(30)).decided


@pytest.mark.parametrize("questions", [0, 1])
def test_one_question_says_nothing_about_others(questions):
    found = clustered_mean(np.arange(4.0)[: 4 * questions], np.zeros(4 * questions, dtype=int))
    assert not found.known
    assert not found.decided
    assert f"only {questions} questions have votes" in found.reason


@pytest.mark.parametrize(
    ("studies", "least", "most"),
    [
        pytest.param(167, 94, 96, marks=pytest.mark.slow, id="two thousand"),
        pytest.param(25, 92, 98, id="300"),
    ],
)
def test_in_simulated_studies_the_intervals_hold_the_truth_95_times_in_100(studies, least, most):
    """Twelve designs: three to eight raters, who are alike, differ, or differ much."""
    draw, analyse, truth = KINDS["scores"]
    held = np.array(
        [
            coverage(draw, analyse, truth, design, spread, studies=studies)
            for design in DESIGNS
            for spread in SPREADS.values()
        ]
    )
    assert least <= held.mean() <= most
    if studies > 100:
        assert held.mean(axis=1).min() > 92
        assert held.min() > 86, "three raters who differ much tell the least of others"
