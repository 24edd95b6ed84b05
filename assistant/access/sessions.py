"""Who is logged in. How long wrong passwords have to wait is known by `tries.py`.

Kept in memory: after a restart people log in again. Only hashes of the tokens are kept.
"""

import hashlib
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from assistant.access.accounts import Account, Accounts
from assistant.access.rights import Person
from assistant.access.tries import Tries, is_marked, new_mark

LIFETIME = 12 * 3600
"""Seconds after which a person logs in again."""


@dataclass(frozen=True)
class _Session:
    account: Account
    ends: float


class Sessions:
    """The sessions of one server; all methods may be called from any thread."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts = accounts
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}
        self._tries = Tries(clock)

    def log_in(self, name: str, password: str, *, address: str = "", mark: str = "") -> str | None:
        """The token of a new session, or None where name and password do not fit.

        `address` is where the try comes from, `mark` what the browser was given by `mark_for` before.

        Raises:
            TooManyTriesError: there were too many wrong passwords; this one was not looked at.
        """
        asked = self._accounts.find(name)
        known = mark if asked and is_marked(asked, mark) else ""
        self._tries.count(name, address, known)
        account = self._accounts.verify(name, password)
        if account is None:
            return None
        self._tries.right(name, address, known)
        return self._begin(account)

    def named(self, name: str) -> Person | None:
        """Who has an account of this name."""
        account = self._accounts.find(name)
        return account.person if account else None

    def mark_for(self, name: str) -> str:
        """What to leave in the browser of a person who has logged in, so that it is known next time."""
        account = self._accounts.find(name)
        return new_mark(account) if account else ""

    def let_in(self, name: str) -> str | None:
        """The token of a new session for somebody whom a provider vouches for; None without an account."""
        account = self._accounts.find(name)
        return self._begin(account) if account else None

    def _begin(self, account: Account) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._drop_ended()
            self._sessions[_key(token)] = _Session(account, self._clock() + LIFETIME)
        return token

    def person(self, token: str) -> Person | None:
        """Who holds this token: nobody once it has ended, or the account is gone or has a new password."""
        with self._lock:
            session = self._sessions.get(_key(token))
        if session is None or session.ends <= self._clock():
            return None
        account = self._accounts.find(session.account.name)
        return account.person if account and account == session.account else None

    def log_out(self, token: str) -> None:
        """End a session."""
        with self._lock:
            self._sessions.pop(_key(token), None)

    def _drop_ended(self) -> None:
        now = self._clock()
        self._sessions = {key: session for key, session in self._sessions.items() if session.ends > now}


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
