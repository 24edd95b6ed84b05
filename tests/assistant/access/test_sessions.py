"""Sessions end, and wrong passwords cost time."""

import pytest

from assistant.access import Accounts, Role, Sessions
from assistant.access.sessions import LIFETIME
from assistant.access.tries import OWN, SHARED, TooManyTriesError
from tests.fakes import QUICK_HASHES

PASSWORD = "four random words"


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
def accounts(tmp_path) -> Accounts:
    accounts = Accounts(tmp_path / "accounts.json", QUICK_HASHES)
    accounts.add("ann", Role.MANAGER, PASSWORD)
    accounts.add("bob", Role.PRESENTER, PASSWORD)
    return accounts


@pytest.fixture
def sessions(accounts, clock) -> Sessions:
    return Sessions(accounts, clock)


def test_a_session_names_its_person_until_it_ends(sessions, clock):
    token = sessions.log_in("bob", PASSWORD)
    assert token and len(token) >= 43  # 32 random bytes
    assert sessions.person(token).name == "bob"
    clock.now += LIFETIME - 1
    assert sessions.person(token)
    clock.now += 1
    assert sessions.person(token) is None


def test_a_token_nobody_was_given_names_nobody(sessions):
    token = sessions.log_in("bob", PASSWORD)
    for made_up in ("", token[:-1], token + "a", "\udc80"):
        assert sessions.person(made_up) is None


def test_after_logging_out_the_token_is_worth_nothing(sessions):
    token = sessions.log_in("ann", PASSWORD)
    sessions.log_out(token)
    assert sessions.person(token) is None


@pytest.mark.parametrize("change", ["remove", "reset"])
def test_a_removed_account_or_a_new_password_ends_its_sessions(sessions, accounts, change):
    token = sessions.log_in("bob", PASSWORD)
    accounts.remove("bob") if change == "remove" else accounts.reset("bob", "another password")
    assert sessions.person(token) is None


def test_wrong_passwords_cost_time_and_the_right_one_has_to_wait_too(sessions, clock):
    for _ in range(OWN.free):
        assert sessions.log_in("ann", "a wrong password") is None
    with pytest.raises(TooManyTriesError, match="Try again in 2 seconds"):
        sessions.log_in("ann", PASSWORD)
    clock.now += 2
    assert sessions.log_in("ann", "a wrong password") is None
    with pytest.raises(TooManyTriesError, match="Try again in 4 seconds"):
        sessions.log_in("ann", PASSWORD)
    assert sessions.log_in("bob", PASSWORD)
    clock.now += 4
    assert sessions.log_in("ann", PASSWORD)
    assert sessions.log_in("ann", "a wrong password") is None  # free tries again


def test_a_person_gets_in_with_a_browser_that_is_known_whatever_others_try(sessions):
    mark = sessions.mark_for("ann")
    for number in range(SHARED.free):
        sessions.log_in("ann", "a wrong password", address=f"10.0.0.{number}")
    with pytest.raises(TooManyTriesError):
        sessions.log_in("ann", PASSWORD, address="10.0.1.1")
    with pytest.raises(TooManyTriesError):
        sessions.log_in("ann", PASSWORD, address="10.0.1.1", mark=sessions.mark_for("bob"))
    assert sessions.log_in("ann", PASSWORD, address="10.0.1.1", mark=mark)


def test_nobody_has_no_mark(sessions):
    assert sessions.mark_for("nobody") == ""
