"""Repetition: near-duplicates folded, and canned answers capped.

It knows whole conversations. What is alike is told by `likeness.py`.
"""

import re
from collections import Counter
from collections.abc import Callable, Sequence

from assistant.conversations.cleaning.steps import Cleaning, Tally
from assistant.conversations.likeness import Likeness, words_of
from assistant.conversations.model import Conversation

FOLDED = 0.9
"""Share of words two conversations have in common (Jaccard) from which on one of them is left out."""
CANNED = 10
"""Times the same answer is taught; after that, conversations that hold nothing else are left out."""


def without_repeats(
    conversations: Sequence[Conversation],
    there: Sequence[Conversation],
    cleaning: Cleaning,
    tally: Tally,
    each: Callable[[int], None] = lambda number: None,
) -> list[Conversation]:
    """The conversations that teach something new.

    Args:
        conversations: those to choose from, in their order.
        there: those that are kept already.
        cleaning: whether to fold and to cap.
        tally: told what was left out.
        each: told the number of each conversation as its turn comes; may raise to end it.
    """
    likeness = Likeness(FOLDED)
    seen: Counter[frozenset[str]] = Counter()
    if cleaning.folded:
        for known in there:
            likeness.add(words_of(known), known)
    kept = []
    for number, conversation in enumerate(conversations):
        each(number)
        twin = likeness.add(words_of(conversation), conversation) if cleaning.folded else None
        if twin is not None:
            tally.note("folded", _told(conversation), _told(twin))
        elif cleaning.capped and _is_canned(conversation, seen):
            tally.note("capped", _told(conversation), "")
        else:
            kept.append(conversation)
    return kept


def _is_canned(conversation: Conversation, seen: Counter[frozenset[str]]) -> bool:
    """Whether just these replies have been given often; counts them.

    A house whose replies are fixed phrases still says them in ever new turns, which teach its voice.
    """
    replies = (message.content for message in conversation.messages if message.role == "assistant")
    said = frozenset(map(_plainest, replies))
    seen[said] += 1
    return seen[said] > CANNED


def _plainest(text: str) -> str:
    return re.sub(r"\b\d+\b", "0", " ".join(text.lower().split()))


def _told(conversation: Conversation) -> str:
    return "\n".join(f"{message.role}: {message.content}" for message in conversation.messages)
