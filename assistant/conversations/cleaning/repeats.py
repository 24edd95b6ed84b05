"""Repetition: near-duplicates folded, and canned answers capped.

It knows whole conversations. What is alike is told by `likeness.py`.
"""

import re
from collections import Counter
from collections.abc import Callable
from hashlib import blake2b

from assistant.conversations.cleaning.steps import Cleaning, Tally
from assistant.conversations.likeness import Likeness, sketch_of, words_of
from assistant.conversations.model import Conversation

FOLDED = 0.9
"""Share of words two conversations have in common (Jaccard) from which on one of them is left out."""
CANNED = 10
"""Times the same answer is taught; after that, conversations that hold nothing else are left out."""


class Repeats:
    """What was said already, held in some 500 bytes a conversation; tells what of the next ones is new."""

    def __init__(self, cleaning: Cleaning, tally: Tally, most: int) -> None:
        """For `most` conversations at most; `tally` is told what is left out."""
        self._cleaning, self._tally = cleaning, tally
        self._likeness = Likeness(FOLDED, most if cleaning.folded else 0)
        self._said: Counter[bytes] = Counter()

    def know(self, conversation: Conversation) -> None:
        """Take it for one that is kept already."""
        if self._cleaning.folded:
            self._likeness.add(sketch_of(words_of(conversation)))

    def new(self, conversation: Conversation, told: Callable[[int], Conversation]) -> bool:
        """Whether it teaches something new; it is known from then on.

        Args:
            conversation: the next one.
            told: gives the known one of this number, those that were new among them, for an example.
        """
        sketch = sketch_of(words_of(conversation)) if self._cleaning.folded else None
        twin = self._likeness.find(sketch) if sketch is not None else None
        if twin is not None:
            after = _told(told(twin)) if self._tally.wants("folded") else ""
            self._tally.note("folded", _told(conversation), after)
            return False
        if self._cleaning.capped and self._is_canned(conversation):
            self._tally.note("capped", _told(conversation), "")
            return False
        if sketch is not None:
            self._likeness.add(sketch)
        return True

    def _is_canned(self, conversation: Conversation) -> bool:
        """Whether just these replies have been given often; counts them.

        A house whose replies are fixed phrases still says them in ever new turns, which teach its voice.
        """
        replies = (message.content for message in conversation.messages if message.role == "assistant")
        said = "\n".join(sorted(set(map(_plainest, replies))))
        key = blake2b(said.encode(), digest_size=8).digest()
        self._said[key] += 1
        return self._said[key] > CANNED


def _plainest(text: str) -> str:
    return re.sub(r"\b\d+\b", "0", " ".join(text.lower().split()))


def _told(conversation: Conversation) -> str:
    return "\n".join(f"{message.role}: {message.content}" for message in conversation.messages)
