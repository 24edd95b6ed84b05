"""What every reader hands over: a document's text and where each part of it came from.

It knows sections, headings and pages. It does not know any file format.
"""

from dataclasses import dataclass
from pathlib import PurePosixPath

from knowledge.documents.text import one_line, tidy
from knowledge.errors import KnowledgeError

MAX_CHARACTERS = 5_000_000


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


def title_from_name(name: str) -> str:
    """A readable title for a document that names none: "care/returns_policy.md" gives "Returns policy"."""
    words = " ".join(PurePosixPath(name).stem.replace("_", " ").replace("-", " ").split())
    return words[:1].upper() + words[1:] if words else name


class DocumentBuilder:
    """Takes headings, blocks and pages in reading order and keeps count of where each one lands."""

    def __init__(self, name: str, digest: str) -> None:
        self._name = name
        self._digest = digest
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

    def block(self, text: str, *, tight: bool = False) -> None:
        """A paragraph, list entry or table; `tight` puts it on the line right after the one before."""
        text = tidy(text)
        if text:
            self._append(text, "\n" if tight else "\n\n")
            self._has_body = True

    def page(self, number: int) -> None:
        """From here on the text is on page `number`, counted from 1; the headings stay in force."""
        self._end_section(deeper=False)
        self._page = number
        self._begin_section(0)

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
        if self._length > MAX_CHARACTERS:
            raise KnowledgeError(
                f"{self._name} holds more than {MAX_CHARACTERS:,} characters of text. That is the limit "
                "for one document. Split it into smaller files and add those."
            )

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
