"""Who is logged in, and how long a name has to wait after wrong passwords.

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
from assistant.errors import AssistantError

LIFETIME = 12 * 3600
"""Seconds after which a person logs in again."""
FREE_TRIES = 5
LONGEST_WAIT = 900
"""Seconds that a name has to wait at most after a wrong password."""


class TooManyTriesError(AssistantError):
    """Wrong passwords came too fast; the text says how long to wait."""


@dataclass(frozen=True)
class _Session:
    account: Account
    ends: float


@dataclass
class _Tries:
    wrong: int = 0
    free_at: float = 0.0


class Sessions:
    """The sessions of one server; all methods may be called from any thread."""

    def __init__(self, accounts: Accounts, clock: Callable[[], float] = time.monotonic) -> None:
        self._accounts = accounts
        self._clock = clock
        self._lock = threading.Lock()
        self._sessions: dict[str, _Session] = {}
        self._tries: dict[str, _Tries] = {}

    def log_in(self, name: str, password: str) -> str | None:
        """The token of a new session, or None where name and password do not fit.

        Raises:
            TooManyTriesError: this name has to wait first; the password was not looked at.
        """
        self._count(name)
        account = self._accounts.verify(name, password)
        return self._begin(account) if account else None

    def let_in(self, name: str) -> str | None:
        """The token of a new session for somebody whom a provider vouches for; None without an account."""
        account = self._accounts.find(name)
        return self._begin(account) if account else None

    def _begin(self, account: Account) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._tries.pop(account.name, None)
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

    def _count(self, name: str) -> None:
        """Count a try before it is made, so that many at once are as slow as one after the other."""
        now = self._clock()
        with self._lock:
            tries = self._tries.setdefault(name, _Tries())
            if tries.free_at > now:
                raise TooManyTriesError(
                    f"Too many wrong passwords for this name. Try again in {tries.free_at - now:.0f} seconds."
                )
            tries.wrong += 1
            if tries.wrong >= FREE_TRIES:
                tries.free_at = now + min(2.0 ** (tries.wrong - FREE_TRIES + 1), LONGEST_WAIT)
            self._forget_old_tries(now)

    def _forget_old_tries(self, now: float) -> None:
        if len(self._tries) > 10_000:  # names made up by somebody who tries; their own waits are what counts
            self._tries = {name: tries for name, tries in self._tries.items() if tries.free_at > now}

    def _drop_ended(self) -> None:
        now = self._clock()
        self._sessions = {key: session for key, session in self._sessions.items() if session.ends > now}


def _key(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
