"""Accounts: made, changed, removed, and opened by the right password only."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from assistant.access import Accounts, Role
from assistant.errors import AssistantError
from tests.fakes import QUICK_HASHES

PASSWORD = "four random words"


@pytest.fixture
def accounts(tmp_path: Path) -> Accounts:
    return Accounts(tmp_path / "accounts.json", QUICK_HASHES)


def test_an_account_opens_with_its_password_and_no_other(accounts):
    made = accounts.add("ann", Role.MANAGER, PASSWORD)
    assert accounts.verify("ann", PASSWORD) == made
    assert accounts.verify("ann", PASSWORD + ".") is None
    assert accounts.verify("bob", PASSWORD) is None
    assert (made.person.name, made.person.role) == ("ann", Role.MANAGER)


def test_a_name_that_nobody_has_or_a_provider_vouches_for_takes_as_long_and_opens_to_no_password(tmp_path):
    tried = []

    class Hasher:
        hash = QUICK_HASHES.hash

        def verify(self, hashed: str, password: str) -> bool:
            tried.append(hashed)
            return QUICK_HASHES.verify(hashed, password)

    accounts = Accounts(tmp_path / "accounts.json", Hasher())
    accounts.add("ann@example.com", Role.MANAGER, None)
    for name in ("ann@example.com", "nobody"):
        for password in (PASSWORD, "nobody has this password", ""):
            assert accounts.verify(name, password) is None
    assert len(tried) == 6 and all(each.startswith("$argon2id$") for each in tried)


def test_only_a_hash_of_the_password_is_kept_and_each_has_its_own_salt(accounts, tmp_path):
    accounts.add("ann", Role.MANAGER, PASSWORD)
    accounts.add("bob", Role.RATER, PASSWORD)
    text = (tmp_path / "accounts.json").read_text()
    assert PASSWORD not in text
    hashes = [each["password_hash"] for each in json.loads(text)["accounts"]]
    assert all(each.startswith("$argon2id$") for each in hashes) and len(set(hashes)) == 2


def test_a_change_made_elsewhere_counts_at_once(accounts, tmp_path):
    accounts.add("ann", Role.MANAGER, PASSWORD)
    Accounts(tmp_path / "accounts.json").reset("ann", "another password")
    assert accounts.verify("ann", PASSWORD) is None
    assert accounts.verify("ann", "another password")
    accounts.remove("ann")
    assert accounts.all() == ()


@pytest.mark.parametrize(
    ("name", "password", "text"),
    [
        ("ann", PASSWORD, "There is an account ann already"),
        ("", PASSWORD, "can't be used"),
        ("=cmd", PASSWORD, "can't be used"),
        ("a b", PASSWORD, "can't be used"),
        ("x" * 81, PASSWORD, "can't be used"),
        ("bob", "short", "has 5 characters; it needs 10"),
        ("bob", "x" * 257, "has 257 characters"),
    ],
    ids=["taken", "empty", "formula", "space", "long name", "short password", "long password"],
)
def test_what_cant_be_an_account_is_refused_and_nothing_changes(accounts, name, password, text):
    accounts.add("ann", Role.MANAGER, PASSWORD)
    with pytest.raises(AssistantError, match=text):
        accounts.add(name, Role.MANAGER, password)
    assert [account.name for account in accounts.all()] == ["ann"]


def test_the_last_manager_stays_while_others_are_there(accounts):
    accounts.add("ann", Role.MANAGER, PASSWORD)
    accounts.add("bob", Role.PRESENTER, PASSWORD)
    with pytest.raises(AssistantError, match="ann is the last manager"):
        accounts.remove("ann")
    accounts.remove("bob")
    accounts.remove("ann")


@pytest.mark.parametrize("change", ["remove", "reset"])
def test_a_name_that_is_not_there_is_named_with_those_that_are(accounts, change):
    accounts.add("ann", Role.MANAGER, PASSWORD)
    with pytest.raises(AssistantError, match=r"There is no account bob\. There are: ann\."):
        accounts.remove("bob") if change == "remove" else accounts.reset("bob", PASSWORD)


@pytest.mark.parametrize("password", [PASSWORD, None], ids=["password", "provider"])
def test_the_name_of_a_removed_account_goes_to_nobody_but_the_same_person(accounts, tmp_path, password):
    accounts.add("boss", Role.MANAGER, PASSWORD)
    accounts.add("ann@example.com", Role.RATER, password)
    accounts.remove("ann@example.com")
    accounts.reset("boss", "another password")  # which forgets no name
    again = Accounts(tmp_path / "accounts.json", QUICK_HASHES)
    today = datetime.now(UTC).date()
    for other in (PASSWORD, None):
        with pytest.raises(AssistantError, match=f"account ann@example.com was removed on {today}, and"):
            again.add("ann@example.com", Role.RATER, other)
    assert [account.name for account in again.all()] == ["boss"]
    made = again.add("ann@example.com", Role.PRESENTER, password, same_person=True)
    assert again.find("ann@example.com") == made
    again.remove("ann@example.com")
    with pytest.raises(AssistantError, match="choose another name, or add --same-person"):
        again.add("ann@example.com", Role.RATER, password)


def test_the_name_of_the_last_account_is_remembered_too(accounts):
    accounts.add("ann", Role.MANAGER, PASSWORD)
    accounts.remove("ann")
    with pytest.raises(AssistantError, match="An account ann was removed"):
        accounts.add("ann", Role.MANAGER, PASSWORD)


def test_accounts_of_version_1_are_read_and_remember_who_is_removed_from_now_on(accounts, tmp_path):
    made = accounts.add("ann", Role.MANAGER, PASSWORD)
    path = tmp_path / "accounts.json"
    path.write_text(json.dumps({"version": 1, "accounts": json.loads(path.read_text())["accounts"]}))
    assert accounts.all() == (made,)
    accounts.remove("ann")
    assert json.loads(path.read_text())["version"] == 2
    with pytest.raises(AssistantError, match="An account ann was removed"):
        accounts.add("ann", Role.MANAGER, PASSWORD)


def test_accounts_of_a_newer_version_are_refused(accounts, tmp_path):
    (tmp_path / "accounts.json").write_text('{"version": 3, "accounts": [], "removed": {}}')
    with pytest.raises(AssistantError, match="has version 3; this Quartet reads 2"):
        accounts.all()
