"""What a file is, told by what it holds and never by its name; and the conversations in it.

It knows the formats there are. How each is read stands in a file of its own.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Any

from assistant.conversations.formats import mail, records, tables, transcripts
from assistant.conversations.formats.sides import Layout
from assistant.conversations.formats.source import Source, encoding_of
from assistant.conversations.model import Exported, Refusal, UnusableError, check_size
from assistant.errors import AssistantError

TITLES = {
    "messages": "OpenAI messages",
    "sharegpt": "ShareGPT",
    "alpaca": "Alpaca",
    "zendesk": "Zendesk tickets",
    "intercom": "Intercom conversations",
    "csv": "CSV table",
    "workbook": "Excel workbook",
    "mail": "Mail",
    "transcript": "Transcript",
}
"""The formats there are, for people."""
TABLES = ("csv", "workbook")
ASKED = (*TABLES, "mail", "transcript")
"""Formats where a person may correct who writes for the company."""
SHOWN_ROWS = 5
LINES_TRIED = 20
UNITS = {"csv": "row", "workbook": "row", "mail": "mail", "transcript": "line"}
"""What a file's conversations are counted by; of JSON, by record."""
_HEADER = re.compile(
    rb"^(From|To|Subject|Date|Message-ID|Received|Return-Path|MIME-Version|Delivered-To):", re.M | re.I
)


@dataclass(frozen=True)
class Recognised:
    """What a file was found to be, and how it would be read."""

    kind: str
    layout: Layout = field(default_factory=Layout)
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """The first rows of a table."""
    speakers: tuple[str, ...] = ()
    """Who writes, the most frequent first, where a person may correct it."""
    place: str = ""
    """Where the records of a JSON document are; empty for a record a line."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Recognised":
        """What was found, from its fields, as JSON holds them."""
        return cls(
            values["kind"],
            Layout.of(values["layout"]),
            tuple(values["columns"]),
            tuple(map(tuple, values["rows"])),
            tuple(values["speakers"]),
            values["place"],
        )

    @property
    def title(self) -> str:
        """The format's name for people."""
        return TITLES[self.kind]

    @property
    def unit(self) -> str:
        """What places in it are counted by."""
        return UNITS.get(self.kind, "record")


def recognise(source: Source) -> Recognised:
    """What a file is, with the likeliest layout.

    Raises:
        AssistantError: it is empty, or nothing that is known.
    """
    head = source.head()
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise AssistantError(f"{source.name} is empty. Export it again.")
    if zipfile.is_zipfile(source.path):
        return _table(source, "workbook")
    if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        found = _json(source, head)
    elif head[:5] == b"From " or len(set(_HEADER.findall(head[:8192]))) >= 2:
        speakers, layout = mail.look_at_mail(source)
        found = Recognised("mail", layout, speakers=tuple(speakers))
    elif b"\x00" in head and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
        found = None
    else:
        found = _text(source, head)
    if found is None:
        known = ", ".join(TITLES.values())
        raise AssistantError(f"{source.name} is nothing that is known here. Conversations come as: {known}.")
    return found


def read(source: Source, found: Recognised) -> Iterator[Exported | Refusal]:
    """The conversations of a file, and the places that can't be read, as they come.

    Raises:
        AssistantError: the file can't be read any further, or its layout lacks a column.
    """
    told: Iterator[Exported | Refusal]
    if found.kind in TABLES:
        told = tables.read_table(source, found.layout)
    elif found.kind == "mail":
        told = mail.read_mail(source, found.layout)
    elif found.kind == "transcript":
        told = transcripts.read_transcript(source, found.layout)
    elif found.place != LINES:
        told = records.read_document(source, found.place)
    else:
        told = records.read_lines(source)
    return _of_usual_size(told, source.name)


def _of_usual_size(told: Iterator[Exported | Refusal], name: str) -> Iterator[Exported | Refusal]:
    """What was read, with a refusal in place of a conversation so long that its cleaning would take hours."""
    for each in told:
        try:
            if isinstance(each, Exported):
                check_size(each)
        except UnusableError as problem:
            yield problem.refusal(name, each.line)
        else:
            yield each


LINES = "lines"
"""In place of the place of records: they stand a record a line."""


def sample(source: Source, found: Recognised, count: int) -> list[Exported]:
    """The first conversations of a file, read no further than needed."""
    told: Iterator[Exported | Refusal]
    if found.kind == "mail":
        told = mail.read_mail(source, found.layout, limit=mail.SAMPLE)
    elif found.kind in TABLES:
        told = tables.read_table(source, found.layout, most=tables.SAMPLE)
    else:
        told = read(source, found)
    usual = _of_usual_size(told, source.name)
    return list(islice((each for each in usual if isinstance(each, Exported)), count))


def arranged(source: Source, found: Recognised, layout: Layout) -> Recognised:
    """What a file is under another layout; where its columns changed, who writes is guessed anew."""
    if found.kind not in TABLES or layout.columns == found.layout.columns:
        return replace(found, layout=layout)
    columns, rows, _ = tables.look_at_table(source)
    return replace(
        found, layout=tables.with_team(layout, columns, rows), speakers=_speakers(columns, rows, layout)
    )


def _table(source: Source, kind: str) -> Recognised:
    columns, rows, layout = tables.look_at_table(source)
    shown = tuple(tuple(row) for _, row in rows[:SHOWN_ROWS])
    return Recognised(kind, layout, tuple(columns), shown, _speakers(columns, rows, layout))


def _speakers(columns: Sequence[str], rows: Sequence[tables.Row], layout: Layout) -> tuple[str, ...]:
    column = layout.columns.get("speaker")
    return tuple(tables.speakers_in(list(columns).index(column), rows)) if column else ()


def _json(source: Source, head: bytes) -> Recognised | None:
    for line in head.removeprefix(b"\xef\xbb\xbf").split(b"\n")[:LINES_TRIED]:
        try:
            kind = records.kind_of(json.loads(line))
        except (ValueError, RecursionError):
            continue
        if kind:
            return Recognised(kind, place=LINES)
    found = records.first_record(source)
    return Recognised(records.kind_of(found[0]), place=found[1]) if found else None


def _text(source: Source, head: bytes) -> Recognised | None:
    text = head.decode(encoding_of(head), "replace")
    if transcripts.looks_spoken(text):
        speakers, layout = transcripts.look_at_transcript(source)
        return Recognised("transcript", layout, speakers=tuple(speakers))
    delimiter = tables.delimiter_of(text)
    rows = [row for row in tables.first_rows(text, delimiter, 20) if row]
    wide = [row for row in rows if len(row) > 1]
    return _table(source, "csv") if len(wide) >= 2 and len(wide) > len(rows) / 2 else None
