"""Whoever guesses passwords is slowed down, and nobody is shut out by another one's guessing."""

import pytest

from assistant.access.accounts import Account
from assistant.access.rights import Role
from assistant.access.tries import MOST, OWN, SHARED, Rule, TooManyTriesError, Tries, is_marked, new_mark

ANN = Account("ann", Role.MANAGER, "$argon2id$a-salt$a-hash", "2026-01-01T00:00:00+00:00")


class Clock:
    """Seconds, as the test sets them."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tries(clock) -> Tries:
    return Tries(clock)


def tried(tries: Tries, clock: Clock, seconds: int, *whom) -> int:
    """How many tries somebody gets in so many seconds who tries every second."""
    got = 0
    for _ in range(seconds):
        try:
            tries.count(*whom)
            got += 1
        except TooManyTriesError:
            pass
        clock.now += 1
    return got


@pytest.mark.parametrize(
    ("wrong", "seconds"), [(1, 0), (4, 0), (5, 2), (6, 4), (13, 512), (14, 900), (5000, 900)]
)
def test_each_wrong_password_over_the_free_ones_doubles_the_wait_up_to_the_longest(wrong, seconds):
    assert Rule(free=5, longest=900).wait(wrong) == seconds


def test_one_name_from_one_address_has_few_tries_in_an_hour(tries, clock):
    assert tried(tries, clock, 3600, "ann", "10.0.0.1") < 20


def test_another_address_is_not_shut_out_by_the_first(tries, clock):
    tried(tries, clock, 600, "ann", "10.0.0.1")
    with pytest.raises(TooManyTriesError, match=r"Try again in \d+ seconds"):
        tries.count("ann", "10.0.0.1")
    tries.count("ann", "10.0.0.2")


def test_many_addresses_together_are_slow_on_one_name(tries, clock):
    got = sum(tried(tries, clock, 1, "ann", f"10.0.{number // 250}.{number % 250}") for number in range(3600))
    assert got <= SHARED.free + 3600 / SHARED.longest + 6  # the waits before the longest one


def test_many_names_from_one_address_are_slow(tries, clock):
    got = sum(tried(tries, clock, 1, f"name {number}", "10.0.0.1") for number in range(3600))
    assert got <= SHARED.free + 3600 / SHARED.longest + 6


def test_a_known_browser_waits_for_nobody_else_and_has_a_wait_of_its_own(tries, clock):
    for number in range(2000):
        tried(tries, clock, 1, "ann", f"10.0.{number // 250}.{number % 250}")
        tried(tries, clock, 1, "ann", "10.0.0.1")
    tries.count("ann", "10.0.0.1", "a mark")
    for _ in range(OWN.free - 1):
        tries.count("ann", "10.0.0.1", "a mark")
    with pytest.raises(TooManyTriesError):
        tries.count("ann", "10.0.0.1", "a mark")
    tries.count("ann", "10.0.0.1", "another mark")


def test_the_right_password_gives_free_tries_again_but_not_to_other_names(tries, clock):
    for _ in range(OWN.free - 1):
        tries.count("ann", "10.0.0.1")
    tries.count("ann", "10.0.0.1")
    tries.right("ann", "10.0.0.1")
    for _ in range(OWN.free):
        tries.count("ann", "10.0.0.1")
    fresh, got = Tries(clock), 0
    for number in range(600):  # somebody with an account of their own guesses others' passwords between
        try:
            fresh.count(f"name {number}", "10.0.0.9")
            got += 1
            fresh.count("own", "10.0.0.9")
            fresh.right("own", "10.0.0.9")
        except TooManyTriesError:
            clock.now += 1
    assert got <= SHARED.free + 600 / SHARED.longest + 6


def test_what_is_remembered_has_a_limit(tries):
    for number in range(MOST):
        tries.count(f"name {number}" * 1000, f"address {number}")
    assert len(tries._counts) == MOST


def test_a_browsers_mark_is_its_persons_until_the_password_is_another_one():
    mark = new_mark(ANN)
    assert is_marked(ANN, mark) and mark != new_mark(ANN)
    assert not is_marked(Account("bob", ANN.role, ANN.password_hash, ANN.created), mark)
    assert not is_marked(Account("ann", ANN.role, "$argon2id$other", ANN.created), mark)
    for made_up in ("", ".", mark[:-1], mark + "0", "\udc80.\udc80", "x." + mark.partition(".")[2]):
        assert not is_marked(ANN, made_up)


def test_an_account_without_a_password_knows_no_browser():
    ann = Account("ann@example.com", Role.MANAGER, "", ANN.created)
    assert not is_marked(ann, new_mark(ann))
