"""Conversations become labelled token examples, written as the lanes will ask: bare, or with passages shown.

It knows windows and which passages to show. It does not know templates, torch, or where passages come from.
"""

import random
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Protocol

from assistant.brand import Brand
from assistant.budget import Budget
from assistant.conversations import Conversation
from assistant.prompts import Message, chat_messages
from assistant.training.labels import Example, Tokenizer, label, rewrites
from assistant.training.settings import TrainingSettings
from knowledge.retrieval import Findings, Found, joined


class Library(Protocol):
    """What finds passages."""

    def search(self, question: str, history: Sequence[tuple[str, str]] = (), *, count: int = 10) -> Findings:
        """The passages that fit best, best first."""


@dataclass(frozen=True)
class Turn:
    """One reply to learn: what was said before, the question and the answer."""

    history: tuple[Message, ...]
    question: str
    answer: str


@dataclass(frozen=True)
class ExampleSet:
    """Examples, and what was done to fit the length."""

    examples: tuple[Example, ...]
    cut: int = 0
    """Conversations too long for one example, which became several windows."""
    windows: int = 0
    """Examples that those conversations became."""
    dropped_turns: int = 0
    """Earlier messages left out of grounded examples that were too long."""
    dropped_examples: int = 0
    """Replies left out because they and their question alone were too long."""

    @property
    def tokens(self) -> int:
        """Tokens of all examples."""
        return sum(map(len, self.examples))

    @property
    def grounded(self) -> int:
        """How many examples show passages."""
        return sum(example.grounded for example in self.examples)


class TooLong(Exception):
    """The last question and answer do not fit, even without history."""


@dataclass(frozen=True)
class Draft:
    """What an example will show: a reply with all before it; passages are None where it is bare."""

    turn: Turn
    passages: tuple[Found, ...] | None = None
    last_only: bool = False
    """Whether the last reply alone is learned, as in every example that shows passages."""


@dataclass(frozen=True)
class Writer:
    """Writes examples for one model and one brand."""

    tokenizer: Tokenizer
    special: tuple[str, ...]
    """The model's special tokens, kept plain text wherever they occur in data."""
    brand: Brand
    max_length: int
    window: int | None = None
    """Tokens that a chat and its answer may have where the model will answer; None for the usual."""

    @property
    def budget(self) -> Budget:
        """What passages may take, as the lanes will show them."""
        return Budget.of(
            self.window, lambda text: len(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        )

    def write(self, draft: Draft) -> tuple[Example, int]:
        """The draft as tokens, and how many of its oldest messages were left out to make it fit.

        What is learned is never cut: in a grounded example only the last reply, else all that are left.

        Raises:
            TooLong: the last question and answer do not fit, even without history.
        """
        history = draft.turn.history
        whole = self._without(draft, 0)
        if len(whole) <= self.max_length:
            return whole, 0
        exchanges = range(1, len(history) // 2 + 1)
        left_out = 1 + bisect_left(
            exchanges, True, key=lambda count: len(self._without(draft, count)) <= self.max_length
        )
        if left_out > len(exchanges):
            raise TooLong
        return self._without(draft, left_out), 2 * left_out

    def windows(self, turns: Sequence[Turn]) -> Iterator[Example | None]:
        """A conversation's replies, each learned once: in one example or, if it is long, window by window.

        A window has the brand's instructions and as many exchanges as fit, the last window first. None
        stands for a reply that does not fit even alone. Where the template rewrites history, each reply has
        an example of its own, which reads as it will be asked.
        """
        end = len(turns)
        while end:
            try:
                example, left_out = self.write(Draft(turns[end - 1], last_only=self.one_by_one))
            except TooLong:
                yield None
                end -= 1
            else:
                yield example
                end = end - 1 if self.one_by_one else left_out // 2

    @cached_property
    def one_by_one(self) -> bool:
        """Whether each reply needs an example of its own."""
        return rewrites(self.tokenizer)

    def _without(self, draft: Draft, exchanges: int) -> Example:
        """The draft without its first exchanges."""
        turn = replace(draft.turn, history=draft.turn.history[2 * exchanges :])
        grounded = draft.passages is not None
        last_only = grounded or draft.last_only
        example = label(self.tokenizer, self._messages(turn, draft.passages), last_only=last_only)
        return replace(example, grounded=grounded)

    def _messages(self, turn: Turn, passages: Sequence[Found] | None) -> tuple[Message, ...]:
        shown = None if passages is None else [found.passage for found in passages]
        asked = chat_messages(self.brand, turn.question, turn.history, passages=shown, special=self.special)
        # The reply goes through the same cleaning as the history before it.
        reply = chat_messages(self.brand, "", [Message("assistant", turn.answer)], special=self.special)[1]
        return (*asked, reply)


def turns_of(conversation: Conversation) -> list[Turn]:
    """The replies of a conversation, roles strictly alternating from the first user message on.

    The system message is left out (the brand's takes its place); neighbours of one role become one message.
    """
    merged: list[Message] = []
    for message in conversation.messages:
        if message.role == "system" or (not merged and message.role == "assistant"):
            continue
        if merged and merged[-1].role == message.role:
            merged[-1] = Message(message.role, f"{merged[-1].content}\n\n{message.content}")
        else:
            merged.append(message)
    return [
        Turn(tuple(merged[: index - 1]), merged[index - 1].content, merged[index].content)
        for index in range(1, len(merged), 2)
    ]


def decline_in_voice(brand: Brand, *, first: bool) -> str:
    """How the brand says that it does not know, with its greeting in a first reply and its sign-off."""
    sentence = brand.decline.strip()
    sentence += "." if sentence and sentence[-1].isalnum() else ""
    parts = [brand.greeting if first else "", sentence, brand.sign_off]
    return " ".join(part.strip() for part in parts if part.strip())


def build_examples(
    conversations: Sequence[Conversation],
    writer: Writer,
    settings: TrainingSettings,
    *,
    library: Library | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> ExampleSet:
    """All examples of these conversations: bare ones and, where there is a library, grounded ones.

    Args:
        conversations: what to learn from.
        writer: writes chats as tokens.
        settings: shares, lengths and seed.
        library: where passages are found; None for bare examples only.
        progress: told how many grounded examples are done, of how many.
    """
    chats = [turns_of(conversation) for conversation in conversations]
    examples: list[Example] = []
    cut = windows = dropped_turns = dropped_examples = 0
    for turns in chats:
        written = list(writer.windows(turns))
        kept = [example for example in written if example is not None]
        examples += kept
        dropped_examples += len(written) - len(kept)
        long = len(written) > 1 and not writer.one_by_one
        cut += long
        windows += len(kept) if long else 0
    for draft in _grounded_drafts(chats, writer, settings, library, progress) if library else ():
        try:
            example, dropped = writer.write(draft)
        except TooLong:
            dropped_examples += 1
        else:
            examples.append(example)
            dropped_turns += dropped
    return ExampleSet(tuple(examples), cut, windows, dropped_turns, dropped_examples)


def _grounded_drafts(
    chats: Sequence[Sequence[Turn]],
    writer: Writer,
    settings: TrainingSettings,
    library: Library,
    progress: Callable[[int, int], None],
) -> Iterator[Draft]:
    chance = random.Random(settings.seed + 1)  # noqa: S311 - has to be repeatable
    chosen = _choose(chats, settings)
    for number, turn in enumerate(chosen, start=1):
        yield _with_passages(turn, writer, settings, library, chance)
        progress(number, len(chosen))


def _choose(chats: Sequence[Sequence[Turn]], settings: TrainingSettings) -> list[Turn]:
    """A seeded share of the replies.

    Those that decline come in as often as in the conversations: with more of them a small model declines
    what the passages answer.
    """
    turns = [turn for chat in chats for turn in chat]
    chance = random.Random(settings.seed)  # noqa: S311 - has to be repeatable
    return chance.sample(turns, round(settings.grounded_share * len(turns)))


def _with_passages(
    turn: Turn, writer: Writer, settings: TrainingSettings, library: Library, chance: random.Random
) -> Draft:
    """The turn as the lanes will ask it: with passages in a shuffled order, or told that nothing fits.

    That nothing fits is always followed by a reply that declines, so that the model learns what it means: a
    person's own where one declined and nothing fits, and a `missing_share` of the others, put in the brand's
    words. A reply that answers shows the passage it rests on, also where the search had missed it.
    """
    history = [(message.role, message.content) for message in turn.history]
    brand, budget = writer.brand, writer.budget
    findings = library.search(turn.question, history, count=budget.most)
    found = list(findings.found[: budget.fitting([each.passage for each in findings.found])])
    if brand.decline and brand.decline in turn.answer:
        found = found if findings.fits else []
    elif brand.decline and chance.random() < settings.missing_share:
        return Draft(replace(turn, answer=decline_in_voice(brand, first=not turn.history)), ())
    else:
        best = library.search(f"{turn.question}\n{turn.answer}", count=1).found
        if best and _key(best[0]) not in map(_key, found):
            found = [*found[:-1], best[0]]
    found = list(joined(found))
    chance.shuffle(found)
    return Draft(turn, tuple(found))


def _key(found: Found) -> tuple[str, str]:
    return found.passage.document, found.passage.id
