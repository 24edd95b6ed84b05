"""Sheets: shared out evenly, drawn by chance, and nothing to be read from a number."""

from collections import Counter
from random import Random

import pytest

from assistant.comparison.model import StudySettings
from assistant.comparison.sheets import APART, draw_sheet, share_for_one_more, share_out

SYSTEMS = ("combined", "prompt", "rag", "tuned")


def drawn(items=30, seed=0, share=0.1, systems=SYSTEMS):
    answered = dict.fromkeys(range(items), systems)
    return draw_sheet(range(items), answered, StudySettings(repeat_share=share), Random(seed))


@pytest.mark.parametrize(
    ("items", "raters", "per_item"), [(30, 3, 3), (30, 10, 3), (7, 4, 3), (5, 2, 3), (1, 1, 3)]
)
def test_every_item_has_its_raters_and_no_rater_has_two_more_than_another(items, raters, per_item):
    shared = share_out(range(items), range(raters), per_item, Random(1))
    judged = Counter(item for share in shared.values() for item in share)
    assert judged == dict.fromkeys(range(items), min(per_item, raters))
    assert all(len(set(share)) == len(share) for share in shared.values())
    loads = [len(share) for share in shared.values()]
    assert max(loads) - min(loads) <= 1


def test_who_shares_an_item_is_left_to_chance():
    shared = share_out(range(60), range(6), 3, Random(1))
    together = Counter(
        frozenset(rater for rater, share in shared.items() if item in share) for item in range(60)
    )
    assert len(together) > 10  # of the 20 groups of three; a fixed rotation would make 2 or 6


def test_one_who_joins_later_gets_the_same_share_and_what_was_judged_least():
    judged = {item: 3 if item < 20 else item % 2 for item in range(30)}
    share = share_for_one_more(judged, 5, 3, Random(1))
    assert len(share) == 18
    assert set(range(20, 30)) <= set(share)
    assert set(share[:5]) == {20, 22, 24, 26, 28}


def test_a_sheet_holds_each_item_once_some_again_and_one_identical_pair():
    sheet = drawn()
    kinds = Counter(line.kind for line in sheet)
    assert kinds == {"item": 30, "repeat": 3, "pair": 1}
    assert sorted(line.item for line in sheet if line.kind == "item") == list(range(30))
    assert all(sorted(line.systems) == list(SYSTEMS) for line in sheet if line.kind != "pair")


@pytest.mark.parametrize("systems", [SYSTEMS, ("prompt", "rag"), (*SYSTEMS, "human")])
def test_in_the_pair_one_answer_stands_in_the_place_of_another(systems):
    (pair,) = [line for line in drawn(systems=systems) if line.kind == "pair"]
    assert len(pair.systems) == len(systems)
    assert sorted(Counter(pair.systems).values()) == [1] * (len(systems) - 2) + [2]


@pytest.mark.parametrize("seed", range(20))
def test_what_comes_back_stands_at_a_distance(seed):
    sheet = drawn(items=12, share=0.3, seed=seed)
    places = {line.item: place for place, line in enumerate(sheet) if line.kind == "item"}
    assert all(
        abs(place - places[line.item]) > APART for place, line in enumerate(sheet) if line.kind != "item"
    )


@pytest.mark.parametrize("items", [1, 3, 4, 5])
def test_a_short_sheet_can_be_drawn(items):
    sheet = drawn(items)
    assert len(sheet) == items + (2 if items >= 4 else 0)


def test_each_system_stands_everywhere_alike_and_items_come_in_another_order_for_everybody():
    sheets = [drawn(seed=seed) for seed in range(100)]
    lines = [line for sheet in sheets for line in sheet if line.kind == "item"]
    for position in range(4):
        counts = Counter(line.systems[position] for line in lines)
        assert all(abs(count - 750) < 110 for count in counts.values())  # 4.6 standard deviations
    assert len({tuple(line.item for line in sheet) for sheet in sheets}) == 100


def test_the_seed_decides_so_a_sheet_can_be_drawn_again():
    assert drawn(seed=5) == drawn(seed=5) != drawn(seed=6)
