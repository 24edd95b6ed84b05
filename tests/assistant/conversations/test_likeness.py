"""What is alike is found, by sketches among very many and exactly among those that are split."""

import random
import tracemalloc
from itertools import combinations

import pytest

from assistant.conversations import likeness
from assistant.conversations.likeness import Likeness, alike, sketch_of


def words(*numbers):
    return frozenset(map(str, numbers))


def kin(known, share, *, seed=0):
    """Words of which just `share` are those of `known`, by Jaccard."""
    count = len(known)
    common = round(2 * count * share / (1 + share))
    chance = random.Random(seed)
    return frozenset(
        [*chance.sample(sorted(known), common), *(f"n{seed}x{at}" for at in range(count - common))]
    )


def test_the_first_that_is_alike_is_found():
    known = Likeness(0.9, 10)
    first, other = words(*range(100)), words(*range(200, 300))
    for each in (other, first, kin(first, 0.98, seed=1)):
        known.add(sketch_of(each))
    assert known.find(sketch_of(first)) == 1 and known.find(sketch_of(kin(first, 0.98, seed=2))) == 1
    assert known.find(sketch_of(words(*range(500, 600)))) is None


@pytest.mark.parametrize(("share", "least", "most"), [(1.0, 100, 100), (0.96, 93, 100), (0.7, 0, 2)])
def test_most_that_are_alike_are_found_and_hardly_any_other(share, least, most):
    known, before = Likeness(0.9, 100), [words(*range(200 * at, 200 * at + 120)) for at in range(100)]
    for each in before:
        known.add(sketch_of(each))
    found = [known.find(sketch_of(kin(each, share, seed=at))) == at for at, each in enumerate(before)]
    assert least <= sum(found) <= most


def test_a_sketch_takes_hundreds_of_bytes_not_thousands():
    sketches = [sketch_of(words(*range(at, at + 30))) for at in range(0, 60_000, 30)]
    tracemalloc.start()
    known = Likeness(0.9, len(sketches))
    for sketch in sketches:
        known.add(sketch)
    taken = tracemalloc.get_traced_memory()[0] / len(sketches)
    tracemalloc.stop()
    assert taken < 500


def test_of_thousands_that_are_nearly_alike_a_few_are_compared(monkeypatch):
    monkeypatch.setattr(likeness, "MOST_NEAR", 5)
    known, same = Likeness(1.1, 50), sketch_of(words(*range(20)))
    for _ in range(50):
        known.add(same)
    monkeypatch.setattr(known, "_threshold", 0.9)
    assert known.find(same) == 45


@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.9])
def test_all_pairs_that_are_alike_are_found_and_none_else(threshold):
    chance = random.Random(0)
    sets = [words(*(chance.randrange(14) for _ in range(chance.randrange(1, 20)))) for _ in range(250)]
    sets += [frozenset(), words(1), frozenset()]
    found = set(alike(sets, threshold))
    pairs = combinations(range(len(sets)), 2)
    wanted = {
        (one, two)
        for one, two in pairs
        if len(sets[one] & sets[two]) >= threshold * len(sets[one] | sets[two])
    }
    assert found == wanted and len(wanted) > 10
