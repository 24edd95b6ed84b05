"""Figures of rated systems: people's ratings against values found elsewhere, and what cannot be told."""

import json
from pathlib import Path

import numpy as np
import pytest

from assistant.reports.lines import as_text
from assistant.reports.systems import PairFigures, as_json, figures
from assistant.reports.tables import Pair, Ratings, Score, read_ratings

RATINGS = Path(__file__).parents[4] / "shared" / "data" / "ratings"
MISSING = pytest.mark.skipif(not RATINGS.is_dir(), reason="people's ratings are not beside this checkout")


def scored(table, raters=("kim", "lee")):
    """Ratings from {system: [score of item 0, ...]}; the second rater is a point stricter on odd items."""
    return Ratings(
        tuple(
            Score(str(item), system, "voice", rater, float(value - (place and item % 2)))
            for place, rater in enumerate(raters)
            for system, values in table.items()
            for item, value in enumerate(values)
            if value is not None
        )
    )


def of_scores(ratings):
    found = figures(ratings)
    assert isinstance(found, list)
    return found


def of_pairs(*rows):
    found = figures(Ratings(pairs=tuple(Pair(str(item), *row) for item, row in enumerate(rows))))
    assert isinstance(found, PairFigures)
    return found


def test_means_and_differences_by_hand():
    found = of_scores(scored({"x": [5, 4, 5, 4], "y": [2, 3, 3, None]}))[0]
    # x: items 5, 3.5, 5, 3.5; y: 2, 2.5, 3.
    assert [(each.system, each.mean.value, each.mean.count) for each in found.systems] == [
        ("x", 4.25, 4),
        ("y", 2.5, 3),
    ]
    (only,) = found.differences
    assert (only.system, only.other, only.value.count) == ("x", "y", 3)
    assert only.value.value == pytest.approx((3 + 1 + 2) / 3)
    assert (found.ratings, found.items, found.raters) == (14, 4, 2)


def test_systems_that_differ_by_chance_are_not_told_apart():
    dice = np.random.default_rng(1)
    found = of_scores(scored({name: dice.integers(1, 6, 40).tolist() for name in "abcdef"}))[0]
    assert not any(each.holds for each in found.differences)
    assert all((each.best_rank, each.worst_rank) == (1, 6) for each in found.systems)


def test_strengths_of_scores_count_who_scored_higher_on_the_same_item():
    found = of_scores(scored({"x": [5] * 9 + [1] * 3, "y": [4] * 12}, raters=("kim",)))[0]
    # x wins 9 of 12 pairs: 400 · log10(9 / 3) points apart.
    apart = found.systems[0].strength.value - found.systems[1].strength.value
    assert abs(apart) == pytest.approx(400 * np.log10(3), abs=1e-6)


def test_several_aspects_keep_the_order_of_the_file():
    both = (Score("1", "x", "voice", "kim", 4), Score("1", "x", "accuracy", "kim", 4))
    assert [each.aspect for each in of_scores(Ratings(both))] == ["voice", "accuracy"]


@pytest.mark.parametrize(
    "ratings",
    [
        Ratings((Score("1", "x", "v", "kim", 4),)),
        scored({"x": [3, 3, 3], "y": [3, 3, 3]}, raters=("kim",)),
        scored({"x": [3, None], "y": [None, 4]}),
        Ratings(pairs=(Pair("1", "x", "y", "kim", 0),)),
        Ratings(pairs=(Pair("1", "x", "y", "kim", -1), Pair("2", "z", "w", "kim", -1))),
        Ratings(pairs=tuple(Pair(str(item), "x", "y", "kim", -1) for item in range(9))),
    ],
    ids=["one rating", "always 3", "no item of both", "one tie", "two islands", "always a"],
)
def test_tables_that_say_little_give_figures_that_say_so(ratings):
    found = figures(ratings)
    text, value = as_text(found), json.loads(as_json(found, ["a note"]))
    assert "can't be told" in text
    assert value["notes"] == ["a note"]
    assert "NaN" not in as_json(found, []) and "Infinity" not in as_json(found, [])


def test_pairs_are_the_same_however_they_are_named():
    rows = [("x", "y", "kim", -1), ("x", "y", "kim", 1), ("x", "y", "lee", -1), ("x", "z", "kim", -1)] * 5
    rows += [("z", "y", "kim", 0), ("z", "x", "lee", -1)] * 3
    turned = [(b, a, rater, -winner) for a, b, rater, winner in rows]
    assert of_pairs(*rows).systems == of_pairs(*turned).systems
    assert of_pairs(*rows).winners["a"] == of_pairs(*turned).winners["b"]


def test_raters_who_saw_a_pair_in_other_orders_agree_when_they_prefer_the_same():
    same = tuple(
        row
        for item in range(8)
        for best in ["xy"[item % 2]]
        for row in (
            Pair(str(item), "x", "y", "kim", -1 if best == "x" else 1),
            Pair(str(item), "y", "x", "lee", 1 if best == "x" else -1),
        )
    )
    found = figures(Ratings(pairs=same))
    assert isinstance(found, PairFigures)
    assert found.agreement["nominal"].value == 1


@MISSING
@pytest.mark.parametrize("place", [0, 1], ids=["accuracy", "appropriateness"])
def test_people_who_rated_dialogues_give_the_figures_found_elsewhere(place, dialogues):
    found = dialogues[place]
    reference = json.loads((RATINGS / "reference.json").read_text())["dstc9"][found.aspect]
    for each in found.systems:
        expected = reference["systems"][each.system]
        assert (each.mean.count, round(each.mean.value, 4)) == (expected["n_items"], expected["mean"])
        width = expected["ci95"][1] - expected["ci95"][0]
        assert (each.mean.low, each.mean.high) == pytest.approx(expected["ci95"], abs=0.08 * width)
    apart = sum(each.value.decided for each in found.differences)
    assert len(found.differences) == reference["system_pairs"]
    assert apart == pytest.approx(reference["pairs_whose_paired_bootstrap_CI_excludes_0"], abs=3)


@pytest.fixture(scope="module")
def dialogues():
    return of_scores(read_ratings(RATINGS / "likert_dstc9.csv"))


@MISSING
def test_people_who_compared_pairs_give_the_figures_found_elsewhere():
    found = figures(read_ratings(RATINGS / "pairwise_pandalm.csv"))
    assert isinstance(found, PairFigures)
    reference = json.loads((RATINGS / "reference.json").read_text())["pandalm"]
    strengths = {each.system: each.strength.value for each in found.systems}
    assert strengths == pytest.approx(reference["BT_elo_ties_half"], abs=6e-4)
    assert found.winners == reference["votes"]
    assert found.items == reference["items"]
    assert round(found.agreement["nominal"].value, 4) == reference["alpha_nominal"]
    assert round(0.5 + found.first_wins.value, 4) == reference["first_position_win_share"]
    assert "llama-7b           1         120.8" in as_text(found)
