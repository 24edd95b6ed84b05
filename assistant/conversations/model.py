"""What conversations are: as a help desk exported them, and as they are learned from.

It knows shapes alone. It does not know files, formats or cleaning.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from assistant.prompts import Message

Side = Literal["user", "assistant", "system", "note", "bot"]
"""Who wrote a turn: a customer, the company, the instructions; a private note; an automatic message."""


@dataclass(frozen=True)
class Conversation:
    """One chat as the company had it; `source` names file and line ("chats.jsonl:7")."""

    messages: tuple[Message, ...]
    source: str
    topic: str = ""
    time: str = ""
    """When it began, ISO in UTC; empty where nobody says."""
    customer: str = ""
    """Tells customers apart, without their name; empty where nobody says."""
    team: tuple[str, ...] = ()
    """Who replied for the company."""
    place: str = ""
    """Where it stood in the file it came from ("row 12")."""


@dataclass(frozen=True)
class Refusal:
    """A line that can't be used: the value found, the rule it breaks and what to do."""

    file: str
    line: int
    value: str
    rule: str
    advice: str

    @property
    def text(self) -> str:
        """The refusal in one line for people."""
        return f"{self.file}, line {self.line}: {self.value}; {self.rule}. {self.advice}"


@dataclass(frozen=True)
class Reading:
    """What files held: the usable conversations and the refused lines, both in the files' order."""

    conversations: Sequence[Conversation]
    refused: tuple[Refusal, ...]
    excluded: Sequence[Conversation] = ()
    """Conversations that a person took out; nothing is learned from them."""


@dataclass(frozen=True)
class Turn:
    """One message as it was exported."""

    text: str
    side: Side
    author: str = ""
    time: str = ""
    """ISO in UTC; empty where nobody says."""


@dataclass(frozen=True)
class Exported:
    """One conversation as it was exported, before anything is cleaned."""

    turns: tuple[Turn, ...]
    line: int
    """Where it begins in its file: a line, row or record, counted from 1."""
    customer: str = ""
    """What tells this customer from others: an address, an id or a name."""
    topic: str = ""
    names: tuple[str, ...] = ()
    """What the customer is called, for masking."""

    @property
    def time(self) -> str:
        """When it began; empty where nobody says."""
        return next((turn.time for turn in self.turns if turn.time), "")

    def to_json(self) -> dict[str, Any]:
        """Values that JSON can hold; `of` undoes it."""
        turns = [[turn.text, turn.side, turn.author, turn.time] for turn in self.turns]
        return {**vars(self), "turns": turns}

    @classmethod
    def of(cls, values: dict[str, Any]) -> "Exported":
        """What `to_json` gave."""
        turns = tuple(Turn(*turn) for turn in values["turns"])
        return cls(**{**values, "turns": turns, "names": tuple(values["names"])})


class UnusableError(Exception):
    """A line breaks a rule; carries the value found, the rule and the advice."""

    def __init__(self, value: str, rule: str, advice: str) -> None:
        super().__init__(value)
        self.value, self.rule, self.advice = value, rule, advice

    def refusal(self, file: str, line: int) -> Refusal:
        """The refusal that this is, at its place."""
        return Refusal(file, line, self.value, self.rule, self.advice)


LONGEST_MESSAGE = 100_000
"""Characters as they were exported, markup and quoted mails with them."""
LONGEST_CONVERSATION = 1_000_000
MOST_MESSAGES = 2_000


def check_size(exported: Exported) -> None:
    """Check that a conversation is no longer than people's are.

    Raises:
        UnusableError: it is.
    """
    lengths = [len(turn.text) for turn in exported.turns]
    for found, most, what in (
        (max(lengths, default=0), LONGEST_MESSAGE, "characters in a message"),
        (sum(lengths), LONGEST_CONVERSATION, "characters"),
        (len(lengths), MOST_MESSAGES, "messages"),
    ):
        if found > most:
            raise UnusableError(
                f"found {found:,} {what}",
                f"a conversation has at most {most:,}",
                "Split it, or leave it out.",
            )


def check_order(messages: Sequence[Message]) -> None:
    """Check that a model can learn from messages in this order.

    Raises:
        UnusableError: a system message stands late, or nobody answers a customer.
    """
    roles = [message.role for message in messages]
    if "system" in roles[1:]:
        place = roles.index("system", 1) + 1
        rule = "only the first message may be a system message"
        raise UnusableError(
            f"message {place} is a system message", rule, "Remove it, or merge it into the first."
        )
    if "user" not in roles or "assistant" not in roles[roles.index("user") :]:
        found = f"found the roles {cut(', '.join(roles))}"
        rule = "a conversation needs an assistant message after a user message"
        raise UnusableError(found, rule, "Add the reply that was given, or remove the line.")


def cut(text: str) -> str:
    """The text, or its beginning where it is long."""
    return text if len(text) <= 60 else f"{text[:57]}..."
