"""What every reader hands over: a document's text and where each part of it came from.

It knows sections, headings, pages and tables. It does not know any file format.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from knowledge.documents.text import clean, one_line, tidy
from knowledge.errors import KnowledgeError

MAX_CHARACTERS = 5_000_000
MAX_CELLS = 1_000_000
"""Of one table."""


@dataclass(frozen=True)
class Section:
    """A stretch of a document under one heading and on one page.

    `text` is `Document.text[start:start + len(text)]`. It opens with its own heading line where there is
    one; `body` is how many characters of it that heading takes.
    """

    text: str
    heading: tuple[str, ...]
    page: int | None
    start: int
    body: int = 0


@dataclass(frozen=True)
class Document:
    """A document as plain text; `digest` is the sha256 of the file's bytes."""

    name: str
    text: str
    sections: tuple[Section, ...]
    digest: str
    title: str
    unit: str = "page"
    """What `Section.page` counts: pages, slides or sheets."""
    tables: tuple[tuple[int, int], ...] = ()
    """Where tables stand in `text`, as (start, end): a line a row, cells parted by bars, names first."""


def title_from_name(name: str) -> str:
    """A readable title for a document that names none: "care/returns_policy.md" gives "Returns policy"."""
    words = " ".join(PurePosixPath(name).stem.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:] if words else name


def table_text(rows: Iterable[Sequence[str]]) -> str:
    """Rows as lines, cells parted by bars; rows and columns without any text are left out."""
    cleaned = [[one_line(cell) for cell in row] for row in rows]
    width = max(map(len, cleaned), default=0)
    used = [place for place in range(width) if any(row[place : place + 1] > [""] for row in cleaned)]
    lines = (" | ".join(row[place] for place in used if place < len(row)) for row in cleaned if any(row))
    return "\n".join(line.strip() for line in lines)


class DocumentBuilder:
    """Takes headings, blocks and pages in reading order and keeps count of where each one lands."""

    def __init__(self, name: str, digest: str, *, unit: str = "page") -> None:
        self._name = name
        self._digest = digest
        self._unit = unit
        self._tables: list[tuple[int, int]] = []
        self._parts: list[str] = []
        self._length = 0
        self._path: list[tuple[int, str]] = []
        self._page: int | None = None
        self._sections: list[Section] = []
        self._levels: list[tuple[int, str]] = []
        self._start: int | None = None  # where the open section begins, once something is in it
        self._first = 0  # the first of its parts
        self._body = 0
        self._has_body = False

    def heading(self, level: int, text: str) -> None:
        """A heading: closes the section before it and opens the next. An empty one is passed over."""
        line = one_line(text)
        if not line:
            return
        self._end_section(deeper=bool(self._path) and level > self._path[-1][0])
        self._path = [(depth, title) for depth, title in self._path if depth < level] + [(level, line)]
        self._levels.append((level, line))
        self._begin_section(len(line))
        self._append(line)

    def mark(self, level: int, name: str) -> None:
        """A heading that is part of the text that follows, and so adds none itself: a function's name."""
        self._end_section(deeper=False)
        self._path = [(depth, title) for depth, title in self._path if depth < level] + [(level, name)]
        self._begin_section(0)

    def block(self, text: str, *, tight: bool = False) -> None:
        """A paragraph, list entry or table; `tight` puts it on the line right after the one before."""
        text = tidy(text)
        if text:
            self._append(text, "\n" if tight else "\n\n")
            self._has_body = True

    def verbatim(self, text: str) -> None:
        """Text whose spaces and line ends mean something, such as code."""
        text = clean(text).strip("\n").rstrip()
        if text.strip():
            self._append(text, "\n\n")
            self._has_body = True

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """A table, the names of its columns first; rows and columns without any text are left out."""
        self.limit(sum(map(len, rows)), MAX_CELLS, "cells in a table")
        text = table_text(rows)
        if text:
            self._append(text, "\n\n")
            self._has_body = True
            self._tables.append((self._length - len(text), self._length))

    def page(self, number: int) -> None:
        """From here on the text is on page `number`, counted from 1; the headings stay in force."""
        self._end_section(deeper=False)
        self._page = number
        self._begin_section(0)

    def limit(self, count: int, most: int, what: str) -> None:
        """Refuse a document that holds more of something than can be read in reasonable time.

        Raises:
            KnowledgeError: `count` is above `most`.
        """
        if count > most:
            raise KnowledgeError(
                f"{self._name} holds more than {most:,} {what}. That is the limit for one document. "
                "Split it into smaller files and add those."
            )

    def finish(self, title: str = "", *, declared: str = "") -> Document:
        """The document so far.

        Without a `title`, its one top heading serves, then the title it `declared`, then its name.

        Raises:
            KnowledgeError: nothing readable came in.
        """
        self._end_section(deeper=False)
        if not self._sections:
            raise KnowledgeError(
                f"{self._name} holds no text. Only text can be searched. "
                "Check that it is the right file; if its text is in pictures, add a version with real text."
            )
        title = one_line(title) or self._top_heading() or one_line(declared) or title_from_name(self._name)
        return Document(
            name=self._name,
            text="".join(self._parts),
            sections=tuple(_without_title(section, title) for section in self._sections),
            digest=self._digest,
            title=title,
            unit=self._unit,
            tables=tuple(self._tables),
        )

    def _append(self, text: str, separator: str = "\n\n") -> None:
        if self._parts:
            self._parts.append(separator)
            self._length += len(separator)
        if self._start is None:
            self._start = self._length
            self._first = len(self._parts)
        self._parts.append(text)
        self._length += len(text)
        self.limit(self._length, MAX_CHARACTERS, "characters of text")

    def _begin_section(self, body: int) -> None:
        self._start = None
        self._body = body
        self._has_body = False

    def _end_section(self, *, deeper: bool) -> None:
        """Keep the open section, unless it is empty or only the heading of what follows below it."""
        if self._start is None or (deeper and not self._has_body):
            return
        text = "".join(self._parts[self._first :])
        heading = tuple(title for _, title in self._path)
        self._sections.append(
            Section(text, heading, self._page, self._start, self._body if self._has_body else 0)
        )

    def _top_heading(self) -> str:
        """The first heading, where it stands above all others."""
        if not self._levels:
            return ""
        level, text = self._levels[0]
        alone = all(other > level for other, _ in self._levels[1:])
        return text if alone else ""


def _without_title(section: Section, title: str) -> Section:
    if section.heading[:1] != (title,):
        return section
    return Section(section.text, section.heading[1:], section.page, section.start, section.body)
