"""Mail: .mbox files and single .eml messages, joined to threads by their headers.

It knows headers and bodies. Who writes for the company stands in a `Layout`.
"""

import mailbox
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr
from itertools import islice
from typing import Any

from assistant.conversations.formats.sides import Layout
from assistant.conversations.formats.source import Source
from assistant.conversations.formats.spill import Spill
from assistant.conversations.formats.times import iso_time
from assistant.conversations.model import Exported, Refusal, Turn, UnusableError
from knowledge.documents.mail import POLICY

SAMPLE = 500
"""Mails that are looked at to guess which addresses are the company's."""
MAX_MAIL = 25_000_000
_ANSWERED = re.compile(r"^\s*((re|aw|fwd?|wg|sv|antw|r|rif|res)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)


def read_mail(source: Source, layout: Layout, *, limit: int | None = None) -> Iterator[Exported | Refusal]:
    """The threads of mails as conversations; `limit` reads so many mails only."""
    roots: dict[str, str] = {}
    with Spill(source.size) as spill:
        for number, data in islice(_mails(source), limit):
            try:
                message = _parsed(data)
                head = _Head.of(message)
                spill.add(_root(head, roots), [number, *_row(head, _body(message))])
            except UnusableError as problem:
                yield problem.refusal(source.name, number)
        for _, group in spill.groups():
            yield _thread(group, layout)


def look_at_mail(source: Source) -> tuple[list[str], Layout]:
    """The domains and addresses that write, the most frequent first, and the likeliest of the company's.

    The company is whom most threads are first sent to.
    """
    asked: Counter[str] = Counter()
    written: Counter[str] = Counter()
    for _, data in islice(_mails(source), SAMPLE):
        try:
            message = _parsed(data)
        except UnusableError:
            continue
        sender = _sender(message)[1]
        written.update([_domain(sender), sender])
        if not message.get("In-Reply-To") and not message.get("References"):
            asked.update({_domain(address) for address in _receivers(message)} - {_domain(sender)})
    team = tuple(domain for domain, _ in asked.most_common(1))
    others = [speaker for speaker, _ in written.most_common() if speaker not in team]
    return [*team, *others], Layout(team=team)


def _mails(source: Source) -> Iterator[tuple[int, bytes]]:
    if source.head()[:5] == b"From ":
        box = mailbox.mbox(source.path, create=False)
        for number, key in enumerate(box.iterkeys(), start=1):
            yield number, box.get_bytes(key)
    else:
        for number, path in enumerate(source.paths, start=1):
            with source.open(path) as file:
                yield number, file.read(MAX_MAIL + 1)


def _parsed(data: bytes) -> EmailMessage:
    if len(data) > MAX_MAIL:
        raise UnusableError(
            f"found a mail of {len(data) / 1e6:,.0f} MB",
            f"{MAX_MAIL // 1_000_000} MB a mail is the most that is read",
            "Leave out its attachments.",
        )
    try:
        return message_from_bytes(data, policy=POLICY)
    except RecursionError as problem:
        raise UnusableError(
            "found parts nested too deep", "a mail has a few parts", "Leave it out."
        ) from problem


@dataclass(frozen=True)
class _Head:
    """What stands above a mail's text; each line is parsed once, as that takes most of the time."""

    own: str
    named: list[str]
    name: str
    address: str
    receiver: str
    subject: str
    answers: bool
    moment: str
    by_machine: bool

    @classmethod
    def of(cls, message: EmailMessage) -> "_Head":
        """The head of a mail; what can't be parsed in it counts as missing."""
        name, address = _sender(message)
        subject = _header(message, "Subject")
        automatic = _header(message, "Auto-Submitted").lower() not in ("", "no")
        bulk = _header(message, "Precedence").lower() in ("bulk", "auto_reply", "junk")
        named = f"{_header(message, 'References')} {_header(message, 'In-Reply-To')}"
        return cls(
            _header(message, "Message-ID").strip(),
            re.findall(r"<[^<>\s]+>", named),
            name,
            address,
            next(iter(_receivers(message)), ""),
            _ANSWERED.sub("", subject).strip(),
            bool(_ANSWERED.match(subject)),
            iso_time(_header(message, "Date")),
            automatic or bulk,
        )

    @property
    def matter(self) -> str:
        """The subject and the people, which mails of a thread share where they name no other."""
        people = sorted({self.address, *([self.receiver] if self.receiver else [])})
        return f"{self.subject.lower()} {people}"


def _header(message: EmailMessage, name: str) -> str:
    """A header as text; what can't be parsed counts as missing. Plain text is not parsed: that is slow."""
    raw = next((value for key, value in message.raw_items() if key.lower() == name.lower()), "")
    if name != "Date" and isinstance(raw, str) and raw.isascii() and "=?" not in raw:
        return "".join(raw.splitlines())
    try:
        return str(message.get(name) or "")
    except (ValueError, OverflowError, IndexError, AttributeError, MessageError):
        return ""


def _sender(message: EmailMessage) -> tuple[str, str]:
    name, address = parseaddr(_header(message, "From"))
    return name, address.lower()


def _receivers(message: EmailMessage) -> list[str]:
    return [address.lower() for _, address in getaddresses([_header(message, "To")]) if address]


def _domain(address: str) -> str:
    return "@" + address.rpartition("@")[2]


def _body(message: EmailMessage) -> str:
    try:
        part = message.get_body(preferencelist=("plain", "html"))
        return str(part.get_content()) if part else ""
    except (LookupError, ValueError, AttributeError, TypeError, MessageError) as problem:
        raise UnusableError(
            f"found a body that can't be decoded ({problem})",
            "a mail needs a text in a known encoding",
            "Export it again, or leave it out.",
        ) from problem


def _root(head: _Head, roots: dict[str, str]) -> str:
    """What all mails of one thread share: the first mail they refer to, else their subject and people."""
    if not head.named and head.answers:
        root = roots.get(head.matter) or head.matter
    else:
        first = head.named[0] if head.named else head.own
        root = next((roots[name] for name in head.named if name in roots), first)
    for key in filter(None, (head.own, head.matter)):
        roots.setdefault(key, root)
    return root


def _row(head: _Head, body: str) -> list[str]:
    bot = "bot" if head.by_machine else ""
    return [head.name, head.address, head.receiver, head.moment, head.subject, body, bot]


def _thread(group: list[list[Any]], layout: Layout) -> Exported:
    if all(row[4] for row in group):
        group = sorted(group, key=lambda row: str(row[4]))
    turns = tuple(
        Turn(text, "bot" if bot else layout.side(address), name or address, moment)
        for _, name, address, _, moment, _, text, bot in group
    )
    asking = [row for row, turn in zip(group, turns, strict=True) if turn.side == "user"]
    names = tuple(dict.fromkeys(row[1] for row in asking if row[1]))
    return Exported(turns, group[0][0], asking[0][2] if asking else "", group[0][5], names)
