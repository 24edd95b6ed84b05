"""How long somebody has to wait after wrong passwords: by name and address, by address, and by name.

Whoever guesses is slowed down, from one address or from many; a browser that its person has logged in with
before waits only for what was tried in it, so that nobody can shut a person out by guessing. Kept in memory.
"""

import hashlib
import hmac
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from assistant.access.accounts import Account
from assistant.errors import AssistantError

MOST = 10_000
"""Tries that are remembered; beyond it, those that were counted longest ago are forgotten."""


class TooManyTriesError(AssistantError):
    """Wrong passwords came too fast; the text says how long to wait."""


@dataclass(frozen=True)
class Rule:
    """How many wrong passwords are free, and the seconds one more costs at most; each doubles the wait."""

    free: int
    longest: float

    def wait(self, wrong: int) -> float:
        """Seconds to wait after so many wrong passwords."""
        over = wrong - self.free
        return min(2.0 ** min(over + 1, 20), self.longest) if over >= 0 else 0.0


OWN = Rule(free=5, longest=900)
"""For one name from one address, or from one browser that is known."""
SHARED = Rule(free=50, longest=60)
"""For one address with whatever names, and for one name from whatever addresses."""


@dataclass
class _Count:
    wrong: int = 0
    free_at: float = 0.0


class Tries:
    """The wrong passwords of late; all methods may be called from any thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._counts: OrderedDict[str, _Count] = OrderedDict()

    def count(self, name: str, address: str, known: str = "") -> None:
        """Count a try before it is made, so that many at once are as slow as one after the other.

        Raises:
            TooManyTriesError: there were too many already; this one is not counted.
        """
        now = self._clock()
        with self._lock:
            rules = _rules(name, address, known)
            counts = {key: self._counts.get(key, _Count()) for key in rules}
            left = max(count.free_at for count in counts.values()) - now
            if left > 0:
                raise TooManyTriesError(f"Too many wrong passwords. Try again in {left:.0f} seconds.")
            for key, count in counts.items():
                count.wrong += 1
                count.free_at = now + rules[key].wait(count.wrong)
                self._counts[key] = count
                self._counts.move_to_end(key)
            while len(self._counts) > MOST:
                self._counts.popitem(last=False)

    def right(self, name: str, address: str, known: str = "") -> None:
        """The try that was counted last had the right password: what it cost is given back."""
        with self._lock:
            for key, rule in _rules(name, address, known).items():
                count = self._counts.pop(key, None)
                if count and rule is SHARED:
                    self._counts[key] = _Count(count.wrong - 1)


def new_mark(account: Account) -> str:
    """What a browser keeps to be known as this person's; worth nothing once the password is another one."""
    nonce = secrets.token_urlsafe(16)
    return f"{nonce}.{_seal(account, nonce)}"


def is_marked(account: Account, mark: str) -> bool:
    """Whether a browser's mark is one that this account was given."""
    nonce, _, seal = mark.partition(".")
    return bool(account.password_hash) and hmac.compare_digest(
        _seal(account, nonce).encode(), seal.encode("utf-8", "replace")
    )


def _seal(account: Account, nonce: str) -> str:
    text = f"{account.name}\n{nonce}".encode("utf-8", "replace")
    return hmac.new(account.password_hash.encode(), text, hashlib.sha256).hexdigest()


def _rules(name: str, address: str, known: str) -> Mapping[str, Rule]:
    """The rules for a try, by what they count; a known browser is counted for itself alone."""
    if known:
        return {_key("browser", name, known): OWN}
    return {
        _key("both", name, address): OWN,
        _key("address", address): SHARED,
        _key("name", name): SHARED,
    }


def _key(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode("utf-8", "replace")).hexdigest()
