"""How many votes it takes: against a power table found elsewhere, and what is said while a study runs."""

import numpy as np
import pytest

from assistant.statistics import Estimate, effects_of_rankings
from assistant.statistics.estimates import unknown
from assistant.statistics.power import log_odds, plan, power, progress, simulated_rankings

LANES = (0.0, log_odds(0.65), log_odds(0.65), 2 * log_odds(0.65) - 0.62)
"""Either alone wins 65 of 100; both together do no more."""
TABLE = {20: (0.32, 0.20), 40: (0.60, 0.35), 80: (0.86, 0.62), 160: (0.99, 0.87)}
"""Power for what tuning adds alone, and for the interaction, by number of rankings."""


@pytest.mark.parametrize(
    ("contrast", "along"), [(0, (-1, 1, 0, 0)), (1, (1, -1, -1, 1))], ids=["tuning", "both"]
)
def test_power_is_that_of_the_table(contrast, along):
    """At one size; `python -m tests.benchmarks.coverage` looks at all with more studies."""
    alone = {"raters": 1, "per_question": 1, "question_spread": 0.0, "rater_spread": 0.0}
    found = power(LANES, along, questions=80, studies=300, seed=3, **alone)
    assert found == pytest.approx(TABLE[80][contrast], abs=0.07)


def test_without_an_effect_few_studies_find_one():
    found = power((0, 0, 0, 0), (-1, 1, 0, 0), questions=40, raters=4, per_question=2, studies=120)
    assert found < 0.1


@pytest.mark.slow
def test_a_plan_finds_what_it_was_made_for():
    planned = plan(0.7, 4, per_question=2)
    assert planned.rankings == planned.questions * 2
    assert planned.each == -(-planned.rankings // 4)
    effect = log_odds(0.7)
    found = power(
        (0, effect, 0, effect),
        (-0.5, 0.5, -0.5, 0.5),
        questions=planned.questions,
        raters=4,
        per_question=2,
        seed=77,
    )
    assert found == pytest.approx(planned.power, abs=0.1)
    assert planned.power == pytest.approx(0.8, abs=0.03)


@pytest.mark.parametrize("rate", [0.5, 0.51, 1.0])
def test_there_is_no_plan_for_an_effect_that_is_none_or_certain(rate):
    with pytest.raises(ValueError, match="win rate"):
        plan(rate, 3)


def around(value, reach, chance):
    return Estimate(value, value - reach, value + reach, 90, chance, error=reach / 1.959964)


@pytest.mark.parametrize(
    ("effect", "rankings", "state"),
    [
        (around(0.9, 0.5, 1e-5), 30, "waiting"),
        (unknown("nobody voted"), 60, "waiting"),
        (around(0.5, 0.4, 0.02), 60, "going on"),
        (around(0.9, 0.4, 1e-5), 60, "decided"),
        (around(0.4, 0.3, 0.02), 100, "decided"),
        (around(0.1, 0.3, 0.5), 60, "alike"),
        (around(0.4, 0.41, 0.06), 130, "going on"),
    ],
    ids=["too few", "none", "looked too early", "clear early", "clear at the end", "alike", "just not"],
)
def test_a_study_is_told_how_far_it_is(effect, rankings, state):
    found = progress(effect, smallest=log_odds(0.65), rankings=rankings, planned=100)
    assert found.state == state
    assert (found.more > 0) == (state in ("waiting", "going on"))
    assert found.more % 5 == 0


@pytest.mark.parametrize(
    ("reach", "rankings", "planned", "more"),
    # An error of 0.25 now, and 0.619 / 2.8 = 0.221 is small enough: (0.25 / 0.221)² = 1.28 times as many.
    [(0.49, 100, 100, 30), (0.49, 100, 120, 30), (0.49, 100, 180, 80), (0.41, 100, 100, 25)],
    ids=["as many as it takes", "more than planned", "as many as planned", "a quarter"],
)
def test_more_votes_are_asked_for(reach, rankings, planned, more):
    found = progress(around(0.4, reach, 0.1), smallest=log_odds(0.65), rankings=rankings, planned=planned)
    assert (found.state, found.more) == ("going on", more)


def test_other_tests_beside_it_make_a_decision_harder():
    effect = around(0.4, 0.3, 0.02)
    assert progress(effect, smallest=0.6, rankings=130, planned=100, chance=0.12).state != "decided"


def test_looking_again_and_again_finds_no_difference_where_there_is_none():
    claimed = 0
    for seed in range(40):
        dice = np.random.default_rng(seed)
        votes = simulated_rankings((0, 0, 0, 0), questions=120, raters=1, per_question=1, dice=dice)
        looks = [votes.where(np.arange(size)) for size in range(40, 121, 10)]
        claimed += any(
            progress(effects_of_rankings(look).tuning, smallest=0.62, rankings=len(look), planned=999).state
            == "decided"
            for look in looks
        )
    assert claimed <= 3
