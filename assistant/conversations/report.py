"""Conversations in numbers, for the page that shows them, and whether they are enough to learn a voice from.

It does not know files, models or documents.
"""

import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.conversations.model import Conversation
from assistant.conversations.sampling import fair_sample
from assistant.conversations.splits import SMALLEST_TO_SPLIT

HISTOGRAM = (10, 20, 40, 80, 160, 320)
"""Upper ends (in words, inclusive) of the bins of `Summary.reply_histogram`; the last bin is open."""
MESSAGES = (2, 4, 6, 10, 16, 30)
"""Upper ends of the bins of `Summary.message_histogram`."""
TOKENS = (64, 128, 256, 512, 1024, 2048)
"""Upper ends of the bins of `Summary.token_histogram`."""
LETTERS_A_TOKEN = 4
"""As tokenizers of Western languages come to; a training counts its own model's tokens."""
PLENTY = 300
"""Conversations from which on more of them hardly change the voice that is learned."""
SHORT_REPLY = 5
"""Words of a reply below which it hardly shows a voice."""


MOST_COUNTED = 20_000
"""Conversations that are counted: a fair sample where there are more, told as such."""


@dataclass(frozen=True)
class Summary:
    """Conversations in numbers; words are those of the assistant's replies."""

    conversations: int
    """All of them; the other numbers are those of `counted`."""
    messages: int
    replies: int
    mean_words: float
    median_words: float
    longest_words: int
    reply_histogram: tuple[int, ...]
    """Replies in each bin of `HISTOGRAM`, and one more for longer ones."""
    message_histogram: tuple[int, ...] = ()
    """Conversations by their messages, in the bins of `MESSAGES`."""
    token_histogram: tuple[int, ...] = ()
    """Conversations by their tokens, about, in the bins of `TOKENS`."""
    team: tuple[tuple[str, int], ...] = ()
    """Who replied for the company, and in how many conversations; the busiest first."""
    dated: int = 0
    """Conversations that have a time."""
    counted: int = 0
    """Conversations that were counted: all, or a fair sample of very many."""

    @property
    def turns_each(self) -> float:
        """Messages a conversation on average."""
        return self.messages / self.counted if self.counted else 0.0


@dataclass(frozen=True)
class Judgement:
    """One thing that speaks for or against training on these conversations."""

    good: bool
    text: str


def summary(conversations: Sequence[Conversation]) -> Summary:
    """Conversations in numbers, of very many a fair sample."""
    some = fair_sample(conversations, MOST_COUNTED)
    messages = [len(each.messages) for each in some]
    lengths = [
        len(message.content.split())
        for conversation in some
        for message in conversation.messages
        if message.role == "assistant"
    ]
    team = Counter(name for conversation in some for name in conversation.team)
    return Summary(
        conversations=len(conversations),
        messages=sum(messages),
        replies=len(lengths),
        mean_words=statistics.fmean(lengths) if lengths else 0.0,
        median_words=float(statistics.median(lengths)) if lengths else 0.0,
        longest_words=max(lengths, default=0),
        reply_histogram=_histogram(lengths, HISTOGRAM),
        message_histogram=_histogram(messages, MESSAGES),
        token_histogram=_histogram([_tokens(each) for each in some], TOKENS),
        team=tuple(team.most_common()),
        dated=sum(bool(each.time) for each in some),
        counted=len(some),
    )


def verdict(told: Summary, duplicates: float | None = None) -> tuple[Judgement, ...]:
    """Whether these conversations are enough to learn a voice from, and what is missing; worst first."""
    found = [_of_number(told.conversations)]
    if told.median_words < SHORT_REPLY:
        found.append(
            Judgement(
                False, f"Half of the replies have under {SHORT_REPLY} words, which show little of a voice."
            )
        )
    if duplicates is not None and duplicates > 0.3:
        found.append(
            Judgement(
                False, f"{100 * duplicates:.0f} % are nearly the same as another; add some that differ."
            )
        )
    if len(told.team) > 1 and told.team[0][1] < 0.5 * told.counted:
        found.append(
            Judgement(
                True,
                f"{len(told.team)} people reply, so what is learned is what their voices have in common.",
            )
        )
    if told.dated:
        found.append(Judgement(True, "There are times: the oldest are learned, the newest are the test."))
    return tuple(sorted(found, key=lambda each: each.good))


def _of_number(count: int) -> Judgement:
    if count < SMALLEST_TO_SPLIT:
        return Judgement(
            False,
            f"{count} conversations are too few to hold some out, so nothing would measure what was learned. "
            f"Add {SMALLEST_TO_SPLIT - count} more at least.",
        )
    if count < PLENTY:
        return Judgement(
            True, f"{count} conversations are enough to begin; some {PLENTY} are enough for most voices."
        )
    return Judgement(True, f"{count:,} conversations are enough.")


def _tokens(conversation: Conversation) -> int:
    return sum(len(message.content) for message in conversation.messages) // LETTERS_A_TOKEN


def _histogram(values: Sequence[int], ends: Sequence[int]) -> tuple[int, ...]:
    bins = Counter(sum(value > end for end in ends) for value in values)
    return tuple(bins[index] for index in range(len(ends) + 1))
