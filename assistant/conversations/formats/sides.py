"""Who writes for the company: columns of a table and names of speakers, guessed from what they are called.

It knows words that help desks use. It does not know files.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assistant.conversations.model import Side

TEAM, CUSTOMERS, BOTS, NOTES = (
    frozenset(words.split())
    for words in (
        "agent agents assistant support representative rep operator staff advisor adviser team company "
        "employee admin outbound outgoing out gpt concierge csr service helpdesk mitarbeiter kundenservice "
        "conseiller agente",
        "customer client user visitor guest enduser requester inbound incoming in human contact lead caller "
        "buyer member kunde kundin cliente",
        "bot chatbot system auto automation automated robot workflow autoresponder",
        "note notes internal private memo whisper",
    )
)
"""Words that tell which side a speaker is on."""
YES = frozenset(("yes", "y", "true", "1", "x", "ja", "oui", "si", "sí"))
NO = frozenset(("no", "n", "false", "0", "nein", "non"))

FIELDS: dict[str, tuple[str, ...]] = {
    "thread": (
        "conversation id",
        "thread id",
        "ticket id",
        "chat id",
        "case id",
        "session id",
        "conversation",
        "thread",
        "ticket",
        "ticket number",
        "case number",
        "case",
        "chat",
        "session",
        "dialogue id",
        "ticket no",
        "id",
    ),
    "speaker": (
        "role",
        "author type",
        "sender type",
        "author role",
        "speaker",
        "direction",
        "sent by",
        "sender",
        "author",
        "from",
        "who",
        "user type",
        "inbound",
        "name",
    ),
    "text": (
        "text",
        "message",
        "body",
        "content",
        "message text",
        "message body",
        "comment",
        "plain body",
        "utterance",
    ),
    "time": (
        "time",
        "timestamp",
        "created at",
        "created",
        "date",
        "sent at",
        "sent",
        "datetime",
        "date time",
        "when",
        "updated at",
    ),
    "question": (
        "question",
        "customer message",
        "customer question",
        "query",
        "request",
        "prompt",
        "instruction",
        "user message",
        "user",
        "customer",
        "inquiry",
        "input",
        "frage",
    ),
    "answer": (
        "answer",
        "reply",
        "response",
        "agent message",
        "agent reply",
        "agent response",
        "completion",
        "output",
        "assistant",
        "agent",
        "support",
        "antwort",
    ),
    "topic": ("topic", "subject", "category", "tag", "tags", "intent", "reason", "about", "type"),
    "customer": (
        "customer id",
        "customer email",
        "customer name",
        "user id",
        "requester",
        "contact id",
        "email",
        "customer",
        "client",
    ),
    "private": (
        "private note",
        "internal note",
        "is private",
        "is internal",
        "private",
        "internal",
        "intern",
        "visibility",
        "is public",
        "public",
    ),
}
"""What the columns of a table may be called, the likeliest first."""
LABELS = {
    "thread": "Conversation",
    "speaker": "Who writes",
    "text": "Text",
    "time": "Time",
    "question": "Question",
    "answer": "Answer",
    "topic": "Topic",
    "customer": "Customer",
    "private": "Private note",
}
"""The fields of a table, for people."""
SHAPES = {"messages": ("thread", "speaker", "text"), "pairs": ("question", "answer")}
"""The two shapes of a table, a row a message or a row a pair, and the columns each can't do without."""


@dataclass(frozen=True)
class Layout:
    """How a file is read: which column is what, and who writes for the company. A person may correct it."""

    shape: str = "messages"
    columns: Mapping[str, str] = field(default_factory=dict)
    """Column names by field."""
    team: tuple[str, ...] = ()
    """Speakers who write for the company; "@shop.com" stands for all addresses there."""
    left_out: tuple[str, ...] = ()
    """Speakers that are bots or private notes."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Layout":
        """A layout from its fields, as JSON holds them."""
        return cls(values["shape"], values["columns"], tuple(values["team"]), tuple(values["left_out"]))

    @property
    def missing(self) -> tuple[str, ...]:
        """The fields that a person has to name first."""
        return tuple(name for name in SHAPES[self.shape] if not self.columns.get(name))

    def side(self, speaker: str) -> Side:
        """Which side a speaker is on."""
        if _among(speaker, self.left_out):
            return "note" if side_of(speaker) == "note" else "bot"
        return "assistant" if _among(speaker, self.team) else "user"


def _among(speaker: str, names: tuple[str, ...]) -> bool:
    domain = "@" + speaker.rpartition("@")[2]
    return speaker in names or ("@" in speaker and domain in names)


def side_of(speaker: str) -> Side | None:
    """The side that a speaker's name tells; None where it tells nothing."""
    words = set(re.findall(r"[^\W\d_]+", speaker.lower().replace("-", "")))
    for side, known in _SIDES.items():
        if words & known:
            return side
    return None


_SIDES: dict[Side, frozenset[str]] = {"note": NOTES, "bot": BOTS, "assistant": TEAM, "user": CUSTOMERS}


def is_private(column: str, cell: str) -> bool:
    """Whether a cell of the column that tells notes from messages says "note": "yes" under "Internal"."""
    said = cell.strip().lower()
    return said in (NO if "public" in column.lower() else YES) or said in NOTES


def called(speakers: Iterable[str]) -> tuple[str, ...]:
    """The speakers that are called by a name, not by what they are."""
    return tuple(speaker for speaker in dict.fromkeys(speakers) if speaker and side_of(speaker) is None)


def guess_columns(columns: Sequence[str]) -> Layout:
    """The layout that column names tell."""
    free, named = list(columns), {}
    found = {name: _column_for(name, free) for name in ("question", "answer", "text", "speaker")}
    pairs = bool(found["question"] and found["answer"] and not (found["text"] and found["speaker"]))
    wanted = (*SHAPES["pairs" if pairs else "messages"], "time", "topic", "customer")
    wanted += () if pairs else ("private",)
    for name in ("text", "speaker", *wanted) if not pairs else wanted:
        if name not in named and (column := _column_for(name, free)):
            named[name] = column
            free.remove(column)
    return Layout("pairs" if pairs else "messages", named)


def _column_for(name: str, columns: Sequence[str]) -> str:
    plain = {" ".join(re.findall(r"[^\W_]+", _split_words(column).lower())): column for column in columns}
    for wanted in FIELDS[name]:
        if wanted in plain:
            return plain[wanted]
    for wanted in FIELDS[name]:
        for words, column in plain.items():
            if len(wanted) > 3 and set(wanted.split()) <= set(words.split()):
                return column
    return ""


def _split_words(name: str) -> str:
    """ "TicketId" and "ticketID" as "Ticket Id" and "ticket ID"."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)


def guess_team(threads: Iterable[Sequence[str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Who of the speakers of these conversations writes for the company, and who is a bot or a note.

    Names that tell it count first; of others, those who answer more often than they ask.
    """
    begun: Counter[str] = Counter()
    written: Counter[str] = Counter()
    for speakers in threads:
        begun.update(speakers[:1])
        written.update(set(speakers))
    told = {speaker: side_of(speaker) for speaker in written}
    left_out = tuple(speaker for speaker, side in told.items() if side in ("note", "bot"))
    team = tuple(speaker for speaker, side in told.items() if side == "assistant")
    if not team:
        silent = [speaker for speaker, side in told.items() if side is None]
        team = tuple(speaker for speaker in silent if begun[speaker] * 2 < written[speaker])
    return team, left_out
