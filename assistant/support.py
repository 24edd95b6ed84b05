"""Which sentences of an answer no document supports, held against the same documents for all four lanes.

It knows answers and what a brand always says. How a sentence is judged is known by `knowledge.support`.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from assistant.brand import Brand
from assistant.lanes import Answer


class Judge(Protocol):
    """What holds an answer against the documents."""

    def unsupported(self, text: str, *, ignoring: Sequence[str] = ()) -> tuple[str, ...]:
        """The sentences that no document supports; those that hold an ignored phrase are passed over."""


def phrases(brand: Brand) -> tuple[str, ...]:
    """What the brand says in any answer, whatever the documents hold."""
    said = (brand.greeting, brand.sign_off, brand.decline)
    return tuple(filter(None, (phrase.strip().rstrip(".") for phrase in said)))


def checked(answers: Sequence[Answer], brand: Brand, judge: Judge) -> tuple[Answer, ...]:
    """The answers, each with the sentences that no document supports."""
    ignoring = phrases(brand)
    return tuple(
        replace(answer, unsupported=judge.unsupported(answer.text, ignoring=ignoring))
        if answer.text
        else answer
        for answer in answers
    )
