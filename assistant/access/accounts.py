"""The people who may log in: name, role and a hash of the password, kept for all companies of this machine.

Passwords are hashed with argon2; nothing else of them is kept. Names of accounts that were removed are
remembered, since chats and drafts belong to a name: who gets it next would see them.
"""

import re
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from assistant.access.rights import Person, Role
from assistant.errors import AssistantError
from assistant.workspace import read_json, write_json

VERSION = 2
"""Of the accounts' file; version 1 did not remember who was removed."""
NAME = re.compile(r"\w[\w.@+-]{0,79}")
SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 256
"""Characters; hashing takes longer with length, which nobody may use against the server."""


@dataclass(frozen=True)
class Account:
    """One person who may log in."""

    name: str
    role: Role
    password_hash: str
    created: str

    @property
    def person(self) -> Person:
        """Who this is, without the hash."""
        return Person(self.name, self.role)


class Accounts:
    """The accounts in a file; read anew at each question, so that a change counts at once."""

    def __init__(self, path: Path, hasher: PasswordHasher | None = None) -> None:
        self._path = path
        self._hasher = hasher or PasswordHasher()

    @cached_property
    def _nobody(self) -> str:
        """The hash that a password is held against where there is no account."""
        return self._hasher.hash("nobody has this password")

    def all(self) -> tuple[Account, ...]:
        """All accounts, by name."""
        accounts = (Account(**{**each, "role": Role(each["role"])}) for each in self._read()["accounts"])
        return tuple(sorted(accounts, key=lambda account: account.name))

    def find(self, name: str) -> Account | None:
        """The account of this name, if there is one."""
        return next((account for account in self.all() if account.name == name), None)

    def add(self, name: str, role: Role, password: str | None, *, same_person: bool = False) -> Account:
        """Make an account; without a password, one for signing in through the company's provider.

        Raises:
            AssistantError: the name can't be had, as `check_name` says, or the password is too short.
        """
        self.check_name(name, same_person=same_person)
        hashed = "" if password is None else self._hash(password)
        made = Account(name, role, hashed, _now())
        removed = {gone: when for gone, when in self._removed().items() if gone != name}
        self._write((*self.all(), made), removed)
        return made

    def check_name(self, name: str, *, same_person: bool = False) -> None:
        """See that an account can be made under a name; `same_person` who had it before may have it again.

        Raises:
            AssistantError: the name holds other characters, is taken, or was somebody else's.
        """
        if not NAME.fullmatch(name):
            raise AssistantError(
                f"The name {name!r} can't be used: a name begins with a letter or digit, and up to 79 more "
                "of them or of . _ @ + - follow."
            )
        if self.find(name):
            raise AssistantError(
                f"There is an account {name} already. Give it a new password with "
                f"`quartet user reset {name}`."
            )
        when = self._removed().get(name)
        if when and not same_person:
            raise AssistantError(
                f"An account {name} was removed on {when[:10]}, and whoever gets the name sees the chats and "
                "drafts of that person: choose another name, or add --same-person if the same person is "
                "coming back."
            )

    def remove(self, name: str) -> None:
        """Remove an account, and remember its name; who is logged in with it is not any more.

        Raises:
            AssistantError: there is none of this name, or it is the last manager of several people.
        """
        gone = self.existing(name)
        rest = tuple(account for account in self.all() if account != gone)
        if rest and not any(account.role is Role.MANAGER for account in rest):
            raise AssistantError(
                f"{name} is the last manager; without one nobody could change anything. "
                "Add another with `quartet user add NAME --role manager` first."
            )
        self._write(rest, {**self._removed(), name: _now()})

    def reset(self, name: str, password: str) -> None:
        """Give an account a new password; whoever is logged in with the old one is not any more.

        Raises:
            AssistantError: there is no account of this name with a password, or the new one is too short.
        """
        changed = replace(self.with_password(name), password_hash=self._hash(password))
        accounts = tuple(changed if account.name == name else account for account in self.all())
        self._write(accounts, self._removed())

    def verify(self, name: str, password: str) -> Account | None:
        """The account that this name and password open; takes as long for a name that nobody has."""
        account, nobody = self.find(name), self._nobody
        hashed = account.password_hash if account else ""  # none either where a provider vouches
        try:
            self._hasher.verify(hashed or nobody, password[:LONGEST_PASSWORD])
        except (VerifyMismatchError, InvalidHashError):
            return None
        return account if hashed else None

    def existing(self, name: str) -> Account:
        """The account of this name.

        Raises:
            AssistantError: there is none.
        """
        account = self.find(name)
        if account is None:
            known = ", ".join(each.name for each in self.all()) or "none yet"
            raise AssistantError(f"There is no account {name}. There are: {known}.")
        return account

    def with_password(self, name: str) -> Account:
        """The account of this name, which logs in with a password.

        Raises:
            AssistantError: there is none, or it is one for signing in through the company's provider.
        """
        account = self.existing(name)
        if not account.password_hash:
            raise AssistantError(
                f"{name} signs in through your company's provider and has no password here; reset it there. "
                f"To let {name} log in with a password, remove the account and add it with "
                "--same-person and without --openid."
            )
        return account

    def _hash(self, password: str) -> str:
        if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
            raise AssistantError(
                f"The password has {len(password)} characters; it needs {SHORTEST_PASSWORD} "
                f"to {LONGEST_PASSWORD}. Take a longer one, such as four random words."
            )
        return self._hasher.hash(password)

    def _removed(self) -> dict[str, str]:
        """When the accounts were removed that are not there any more, by name."""
        removed: dict[str, str] = self._read()["removed"]
        return removed

    def _read(self) -> dict[str, Any]:
        """What the file holds."""
        if not self._path.exists():
            return {"accounts": [], "removed": {}}
        found = read_json(self._path)
        version = found.get("version") if isinstance(found, dict) else found
        if version not in (1, VERSION):
            raise AssistantError(
                f"{self._path} has version {version!r}; this Quartet reads {VERSION}. Update Quartet."
            )
        return {"removed": {}, **found}

    def _write(self, accounts: tuple[Account, ...], removed: dict[str, str]) -> None:
        kept = [asdict(account) for account in accounts]
        write_json(self._path, {"version": VERSION, "accounts": kept, "removed": removed})


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
