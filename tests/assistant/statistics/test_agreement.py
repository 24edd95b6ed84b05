"""Krippendorff's alpha: his own example, the plain definition, and people's ratings with known values."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from assistant.statistics import alpha

RATINGS = Path(__file__).parents[4] / "shared" / "data" / "ratings"
MISSING = pytest.mark.skipif(not RATINGS.is_dir(), reason="people's ratings are not beside this checkout")


def by_definition(units, values, level):
    """Alpha as its definition says: every pair inside a unit against every pair of all values."""
    kept = [unit for unit in set(units) if units.count(unit) > 1]
    inside = {unit: [value for u, value in zip(units, values, strict=True) if u == unit] for unit in kept}
    everything = [value for unit in kept for value in inside[unit]]

    def apart(one, other):
        if level == "nominal":
            return float(one != other)
        if level == "interval":
            return (one - other) ** 2
        low, high = sorted((one, other))
        between = sum(low <= value <= high for value in everything)
        return (between - (everything.count(low) + everything.count(high)) / 2) ** 2

    observed = sum(
        apart(one, other) / (len(given) - 1)
        for given in inside.values()
        for i, one in enumerate(given)
        for j, other in enumerate(given)
        if i != j
    )
    expected = sum(apart(one, other) for one in everything for other in everything) / (len(everything) - 1)
    return 1 - observed / expected


KRIPPENDORFF = {
    "A": [None, None, None, None, None, 3, 4, 1, 2, 1, 1, 3, 3, None, 3],
    "B": [1, None, 2, 1, 3, 3, 4, 3, None, None, None, None, None, None, None],
    "C": [None, None, 2, 1, 3, 4, 4, None, 2, 1, 1, 3, 3, None, 4],
}
"""The table of his "Computing Krippendorff's Alpha-Reliability" with four values and gaps."""


@pytest.mark.parametrize(("level", "expected"), [("nominal", 0.691), ("ordinal", 0.807), ("interval", 0.811)])
def test_krippendorffs_own_example(level, expected):
    given = [
        (unit, value) for row in KRIPPENDORFF.values() for unit, value in enumerate(row) if value is not None
    ]
    units, values = zip(*given, strict=True)
    found = alpha(np.array(units), np.array(values, dtype=float), level=level)
    assert found.value == pytest.approx(expected, abs=5e-4)
    assert found.low < found.value < found.high <= 1


@pytest.mark.parametrize("level", ["nominal", "ordinal", "interval"])
@pytest.mark.parametrize("kinds", [2, 5, 40], ids=["two values", "five", "forty"])
def test_alpha_is_what_its_definition_says(level, kinds):
    dice = np.random.default_rng(kinds)
    units = dice.integers(0, 25, 70)
    values = dice.integers(0, kinds, 70) ** 1.5
    expected = by_definition(units.tolist(), values.tolist(), level)
    assert alpha(units, values, level=level).value == pytest.approx(expected, abs=1e-9)


def test_the_order_of_values_and_the_names_of_units_play_no_part():
    dice = np.random.default_rng(3)
    units, values, order = dice.integers(0, 30, 90), dice.integers(1, 6, 90) * 1.0, dice.permutation(90)
    found = alpha(units, values)
    assert alpha(100 - units[order], values[order]).value == pytest.approx(found.value)
    assert alpha(units, 10 * values).value == pytest.approx(found.value)


def test_full_agreement_is_1_and_dice_are_near_0():
    units = np.repeat(np.arange(200), 3)
    assert alpha(units, (units % 5).astype(float)).value == 1
    thrown = alpha(units, np.random.default_rng(4).integers(1, 6, 600).astype(float))
    assert thrown.low < 0 < thrown.high
    assert abs(thrown.value) < 0.1


def test_the_interval_grows_where_answers_to_a_question_go_together():
    dice = np.random.default_rng(5)
    units = np.repeat(np.arange(120), 3)
    questions = units // 12
    unsure = (questions % 2).astype(bool)
    values = np.where(unsure, dice.integers(0, 5, 360), units % 5).astype(float)
    together, apart = alpha(units, values, questions=questions), alpha(units, values)
    assert together.value == pytest.approx(apart.value)
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


@pytest.mark.parametrize(
    ("units", "values", "reason"),
    [
        ([1, 2, 3], [1, 2, 3], "nothing was rated twice"),
        ([], [], "nothing was rated twice"),
        ([1, 1, 2, 2], [3, 3, 3, 3], "all values are alike"),
        ([1, 1, 1], [3, 4, 3], "only one question"),
    ],
    ids=["one rater", "no votes", "always 3", "one question"],
)
def test_where_agreement_cannot_be_told_the_reason_is(units, values, reason):
    found = alpha(np.array(units, dtype=int), np.array(values, dtype=float))
    assert not found.known
    assert reason in found.reason


def test_an_unknown_level_is_refused():
    with pytest.raises(ValueError, match="'ratio' is none of nominal, ordinal, interval"):
        alpha(np.zeros(2, dtype=int), np.zeros(2), level="ratio")


@MISSING
@pytest.mark.parametrize("aspect", ["accuracy", "appropriateness"])
def test_people_who_rated_dialogues_agree_as_much_as_was_found_elsewhere(aspect):
    reference = json.loads((RATINGS / "reference.json").read_text())["dstc9"][aspect]
    with (RATINGS / "likert_dstc9.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["aspect"] == aspect]
    items = np.array([int(row["item"]) for row in rows])
    systems = np.unique([row["system"] for row in rows], return_inverse=True)[1]
    scores = np.array([float(row["score"]) for row in rows])
    for level in ("nominal", "ordinal", "interval"):
        found = alpha(items * 100 + systems, scores, level=level, questions=items)
        assert round(found.value, 4) == reference[f"alpha_{level}"]
        assert found.low < found.value < found.high


@MISSING
def test_people_who_compared_pairs_agree_as_much_as_was_found_elsewhere():
    reference = json.loads((RATINGS / "reference.json").read_text())["pandalm"]
    with (RATINGS / "pairwise_pandalm.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    items = np.array([int(row["item"]) for row in rows])
    winners = np.unique([row["winner"] for row in rows], return_inverse=True)[1].astype(float)
    assert round(alpha(items, winners, level="nominal").value, 4) == reference["alpha_nominal"]
