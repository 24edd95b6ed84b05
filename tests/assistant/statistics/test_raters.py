"""Which raters can be relied on: careful ones are never doubted, careless ones are, with the reason."""

import numpy as np
import pytest

from assistant.statistics import VoteTable
from assistant.statistics.power import simulated_rankings
from assistant.statistics.raters import blinding, care, same_order


def panel(seed=0, questions=30, lazy=None, lanes=(0, 1.5, 1.0, 2.5)):
    """Three raters who see all questions; `lazy` makes ranks of the places for the third."""
    dice = np.random.default_rng(seed)
    votes = simulated_rankings(lanes, questions=questions, raters=3, per_question=3, dice=dice)
    places = np.argsort(dice.random((len(votes), 4)), axis=1) + 1.0
    values = votes.values.copy()
    if lazy:
        values[votes.raters == 2] = lazy(places[votes.raters == 2], dice)
    return VoteTable(votes.questions, votes.raters, values), places


def test_careful_raters_are_not_doubted():
    for seed in range(20):
        votes, places = panel(seed)
        assert [rater.doubts for rater in care(votes, places=places)] == [(), (), ()]


@pytest.mark.parametrize(
    ("lazy", "doubt"),
    [
        (lambda places, dice: places, "put A first 30 times in 30"),
        (lambda places, dice: np.ones_like(places), "called every comparison a tie"),
        (lambda places, dice: np.argsort(dice.random(places.shape), axis=1) + 1.0, "no more than chance ("),
    ],
    ids=["always A first", "always a tie", "by dice"],
)
def test_a_careless_rater_is_doubted_and_the_others_are_not(lazy, doubt):
    votes, places = panel(4, lazy=lazy)
    found = care(votes, places=places)
    assert [bool(rater.doubts) for rater in found] == [False, False, True]
    assert any(doubt in each for each in found[2].doubts)


def test_nobody_is_doubted_over_a_handful_of_votes():
    votes, places = panel(1, questions=7, lazy=lambda places, dice: places)
    assert not any(rater.doubts for rater in care(votes, places=places))


def test_repeats_and_identical_pairs_are_counted():
    votes, _ = panel(2)
    first, second = np.array([1.0, 2, 3, 4]), np.array([2.0, 1, 3, 4])
    found = care(
        votes,
        repeats=[(0, first, first), (0, first, second), (1, first, second)],
        identical=[(0, True), (1, False), (1, False)],
    )
    assert (found[0].repeats.same, found[0].repeats.compared) == (11, 12)
    assert found[0].repeats.value == pytest.approx(11 / 12)
    assert (found[0].identical.value, found[1].identical.value) == (1, 0)
    assert "gave identical answers different ranks" in found[1].doubts
    assert np.isnan(found[2].repeats.value)


@pytest.mark.parametrize(
    ("first", "second", "same", "compared"),
    [
        ([1, 2, 3], [1, 2, 3], 3, 3),
        ([1, 2, 3], [3, 2, 1], 0, 3),
        ([1, 1, 2], [1, 2, 3], 2.5, 3),
        ([1, 1, 1], [1, 1, 1], 3, 3),
        ([1, np.nan, 2], [1, 2, 3], 1, 1),
    ],
    ids=["same", "reversed", "one tie", "all tie", "one not shown"],
)
def test_orders_are_compared_pair_by_pair(first, second, same, compared):
    found = same_order(np.array(first, dtype=float), np.array(second, dtype=float))
    assert (found.same, found.compared) == (same, compared)


HIDDEN = np.array([False, False, True, True])


def guesses(right, wrong, halves=0):
    """So many questions on which a rater found both, neither, or one of the two hidden answers."""
    rows = [HIDDEN] * right + [~HIDDEN] * wrong + [np.array([True, False, True, False])] * halves
    return np.array(rows, dtype=bool).reshape(-1, 4)


def test_guesses_above_chance_say_that_the_blinding_failed():
    assert blinding(guesses(8, 1, 1), HIDDEN).decided
    assert not blinding(guesses(4, 3, 3), HIDDEN).decided
    assert not blinding(guesses(1, 0), HIDDEN).decided
    assert blinding(guesses(0, 0), HIDDEN).reason == "nobody guessed"
    assert blinding(guesses(8, 1, 1), HIDDEN).value == pytest.approx(0.35)


def test_who_marks_all_or_nothing_has_not_told_the_answers_apart():
    assert blinding(np.ones((3, 4), dtype=bool), HIDDEN).reason == "nobody told the answers apart"


def test_blind_guesses_are_taken_for_knowing_ones_no_more_often_than_agreed():
    dice = np.random.default_rng(0)
    rounds = [np.array([dice.permutation(HIDDEN) for _ in range(12)]) for _ in range(1000)]
    found = [blinding(believed, HIDDEN) for believed in rounds]
    assert np.mean([each.chance < 0.05 for each in found]) < 0.06
    assert 0.94 < np.mean([each.low <= 0 <= each.high for each in found]) < 0.99
