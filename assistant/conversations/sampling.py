"""Fair samples: as many as asked for, each as likely as the others, and the same ones every time.

It knows sequences. It does not know what is drawn from them.
"""

import random
from array import array
from collections.abc import Sequence

from assistant.conversations.kept import KeptConversations
from assistant.conversations.model import Conversation


def fair_places(count: int, most: int, *, seed: int = 0) -> Sequence[int]:
    """Numbers from 0 to before `count`: all of them, or a fair sample in ascending order."""
    if count <= most:
        return range(count)
    return array("I", sorted(random.Random(seed).sample(range(count), most)))  # noqa: S311 - repeatable


def fair_sample(conversations: Sequence[Conversation], most: int, *, seed: int = 0) -> list[Conversation]:
    """The conversations, or a fair sample of more than `most`, in their order and in memory."""
    chosen = fair_places(len(conversations), most, seed=seed)
    if isinstance(conversations, KeptConversations):
        return list(conversations.chosen(chosen))  # its files are opened once, not for each
    return [conversations[place] for place in chosen]
