"""What was read before: found by its tokens and its reader, within a limit of memory."""

import pytest
import torch

from assistant.engine.prefixes import WORTHWHILE, Prefixes

BASE = (None, 0.0)
BYTES = 40 * 4


def saved(number: float = 0.0) -> torch.Tensor:
    """Stands for the keys and values of anything; 160 bytes."""
    return torch.full((40,), float(number))


def tokens(*runs: range) -> list[int]:
    return [token for run in runs for token in run]


SYSTEM = range(100, 120)
FIRST, SECOND = tokens(SYSTEM, range(30)), tokens(SYSTEM, range(50, 80))


@pytest.fixture
def prefixes() -> Prefixes:
    prefixes = Prefixes()
    prefixes.keep(BASE, FIRST, saved(1))
    prefixes.keep(BASE, SECOND, saved(2))
    return prefixes


FOUND = {
    "as-it-was-but-the-last": (FIRST, 1, 49),
    "goes-on": ([*FIRST, 7, 8], 1, 50),
    "the-longest-of-two": (tokens(SYSTEM, range(50, 60), range(5)), 2, 30),
    "the-shorter-of-both": (FIRST[:30], 1, 29),
    "just-worthwhile": ([*SYSTEM[:WORTHWHILE], 1, 2], None, WORTHWHILE),
}


@pytest.mark.parametrize(("prompt", "number", "length"), FOUND.values(), ids=FOUND)
def test_the_longest_match_is_found_and_how_much_of_it_holds(prefixes, prompt, number, length):
    prefix, shared = prefixes.find(BASE, prompt)
    assert shared == length
    assert number is None or prefix.saved[0] == number
    assert prefix.tokens[:shared].tolist() == prompt[:shared]


NOT_FOUND = {
    "nothing": [],
    "one-token": [100],
    "another-begin": [1, *FIRST],
    "too-little": [*SYSTEM[: WORTHWHILE - 1], 1, 2],
    "too-little-but-the-last": list(SYSTEM[:WORTHWHILE]),
}


@pytest.mark.parametrize("prompt", NOT_FOUND.values(), ids=NOT_FOUND)
def test_what_is_not_worth_copying_is_not_found(prefixes, prompt):
    assert prefixes.find(BASE, prompt) is None


@pytest.mark.parametrize("reader", [("0001", 1.0), ("0001", 0.5), ("0002", 0.5)], ids=str)
def test_a_prefix_serves_its_own_reader_only(prefixes, reader):
    assert prefixes.find(reader, FIRST) is None
    assert prefixes.lacks(reader, FIRST)
    prefixes.keep(reader, FIRST, saved(9))
    assert prefixes.find(reader, FIRST)[0].saved[0] == 9
    assert prefixes.find(BASE, FIRST)[0].saved[0] == 1


LACKS = {
    "known": (FIRST, False),
    "begins-so": (FIRST[:40], False),
    "a-little-more": ([*FIRST, *range(WORTHWHILE - 1)], False),
    "enough-more": ([*FIRST, *range(WORTHWHILE)], True),
    "another": (list(range(WORTHWHILE)), True),
}


@pytest.mark.parametrize(("read", "lacks"), LACKS.values(), ids=LACKS)
def test_only_what_spares_enough_is_worth_keeping(prefixes, read, lacks):
    assert prefixes.lacks(BASE, read) == lacks


def test_what_goes_on_takes_the_place_of_what_it_continues(prefixes):
    assert prefixes.bytes == 2 * BYTES
    prefixes.keep(BASE, [*FIRST, *range(20)], saved(3))
    assert prefixes.bytes == 2 * BYTES
    assert prefixes.find(BASE, [*FIRST, 0])[0].saved[0] == 3
    prefixes.keep(("0001", 1.0), [*SECOND, *range(20)], saved(4))
    assert prefixes.bytes == 3 * BYTES


def test_the_least_recently_used_go_where_the_limit_is_reached():
    prefixes = Prefixes(limit=2 * BYTES)
    prefixes.keep(BASE, FIRST, saved())
    prefixes.keep(BASE, SECOND, saved())
    prefixes.find(BASE, FIRST)
    prefixes.keep(BASE, list(range(40)), saved())
    assert prefixes.bytes == 2 * BYTES
    assert not prefixes.lacks(BASE, FIRST)
    assert prefixes.lacks(BASE, SECOND)


def test_what_is_larger_than_the_limit_is_not_kept_and_costs_nobody_a_place():
    prefixes = Prefixes(limit=BYTES)
    prefixes.keep(BASE, FIRST, saved())
    prefixes.keep(BASE, [*FIRST, *range(20)], torch.zeros(41))
    assert prefixes.bytes == BYTES
    assert prefixes.find(BASE, FIRST)[1] == 49


def test_an_adapter_that_is_forgotten_is_forgotten_at_every_scale(prefixes):
    for scale in (0.5, 1.0):
        prefixes.keep(("0001", scale), FIRST, saved())
    prefixes.keep(("0002", 1.0), FIRST, saved())
    prefixes.forget("0001")
    assert prefixes.lacks(("0001", 0.5), FIRST)
    assert prefixes.lacks(("0001", 1.0), FIRST)
    assert not prefixes.lacks(("0002", 1.0), FIRST)
    assert not prefixes.lacks(BASE, FIRST)
