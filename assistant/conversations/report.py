"""Conversations in numbers, for the page that shows them. It does not know files or splits."""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.conversations.model import Conversation

HISTOGRAM = (10, 20, 40, 80, 160, 320)
"""Upper ends (in words, inclusive) of the bins of `Summary.reply_histogram`; the last bin is open."""


@dataclass(frozen=True)
class Summary:
    """Conversations in numbers; words are those of the assistant's replies."""

    conversations: int
    messages: int
    replies: int
    mean_words: float
    median_words: float
    longest_words: int
    reply_histogram: tuple[int, ...]
    """Replies in each bin of `HISTOGRAM`, and one more for longer ones."""

    @property
    def turns_each(self) -> float:
        """Messages a conversation on average."""
        return self.messages / self.conversations if self.conversations else 0.0


def summary(conversations: Sequence[Conversation]) -> Summary:
    """Conversations in numbers."""
    messages = [message for conversation in conversations for message in conversation.messages]
    lengths = [len(message.content.split()) for message in messages if message.role == "assistant"]
    bins = Counter(sum(length > end for end in HISTOGRAM) for length in lengths)
    return Summary(
        conversations=len(conversations),
        messages=len(messages),
        replies=len(lengths),
        mean_words=statistics.fmean(lengths) if lengths else 0.0,
        median_words=float(statistics.median(lengths)) if lengths else 0.0,
        longest_words=max(lengths, default=0),
        reply_histogram=tuple(bins[index] for index in range(len(HISTOGRAM) + 1)),
    )
