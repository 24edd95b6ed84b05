"""What each role may do, and who is asking now.

It knows pages by their address and handlers by their name. It does not know how anybody logged in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What a person is here for."""

    MANAGER = "manager"
    """Sees and changes everything."""
    PRESENTER = "presenter"
    """Shows the four assistants on the page Compare, and changes nothing but own chats."""
    RATER = "rater"
    """Rates the answers behind the link they were given."""


@dataclass(frozen=True)
class Person:
    """Somebody who is logged in."""

    name: str
    role: Role


ALONE = Person("", Role.MANAGER)
"""Whoever sits at this machine while nobody has to log in."""

PERSON = "quartet.person"
"""Where a request's scope names its person; missing where nobody has to log in."""
COMPARE = ""
"""The address of the page Compare."""
PRESENTING = frozenset(
    {
        "status_compare",
        "instructions_show",
        "chat_load",
        "chat_send",
        "chat_sample",
        "chat_retry",
        "chat_stop",
        "chat_draft",
        "chat_strength",
        "chat_strength_reset",
        "chat_open",
        "chat_follow",
        "chat_remove",
        "chat_mark",
        "source_open",
    }
)
"""The handlers that a presenter may call; what is not named here is for managers."""

_asking: ContextVar[Person] = ContextVar("asking", default=ALONE)


def asking() -> Person:
    """The person for whom the present work is done."""
    return _asking.get()


@contextmanager
def as_person(person: Person) -> Iterator[None]:
    """Do what follows for this person."""
    before = _asking.set(person)
    try:
        yield
    finally:
        _asking.reset(before)


def may_open(person: Person, page: str) -> bool:
    """Whether a person may open the page at this address."""
    return person.role is Role.MANAGER or (person.role is Role.PRESENTER and page == COMPARE)


def may_handle(person: Person, page: str, handler: str, *, draws: bool = False) -> bool:
    """Whether a person may call a handler of a page; one that only draws the page is part of it."""
    if person.role is Role.MANAGER:
        return True
    return may_open(person, page) and (draws or handler in PRESENTING)
