"""Reads documents in a process of its own, so that a nasty file costs only itself.

It knows how much time and memory a document may take, and what to say where one takes more. It does not know
any file format.
"""

from pathlib import Path
from types import TracebackType
from typing import Any, Self

from knowledge.confined import BrokenOffError, Confined
from knowledge.documents.model import Document, Section
from knowledge.errors import KnowledgeError

SECONDS = 12.0
"""Of work, for a small file."""
SECONDS_A_MEGABYTE = 3.0
MOST_SECONDS = 45.0
MEMORY = 1 << 30


class Guard:
    """One process that reads file after file; it is replaced when a file hangs or kills it."""

    def __init__(self) -> None:
        self.reader = Confined("knowledge.documents", MEMORY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.reader.stop()

    def read(self, path: Path, name: str) -> Document:
        """Read one document, within limits of time and memory.

        Raises:
            KnowledgeError: the file was refused, took too long or too much memory, or crashed its reader.
        """
        seconds = _seconds(path)
        try:
            reply = self.reader.ask({"path": str(path.absolute()), "name": name}, seconds)
        except BrokenOffError as problem:
            raise _broken_off(problem, name, seconds) from problem
        if "refused" in reply:
            raise KnowledgeError(reply["refused"])
        return document_from_json(reply["document"])


def read_guarded(path: Path, name: str) -> Document:
    """Read one document in a process of its own. For many files, keep a `Guard` open.

    Raises:
        KnowledgeError: the file was refused; the text says why and what to do.
    """
    with Guard() as guard:
        return guard.read(path, name)


def _seconds(path: Path) -> float:
    """How long the reading of a file may take: large ones take longer."""
    size = path.stat().st_size if path.exists() else 0
    return min(SECONDS + SECONDS_A_MEGABYTE * size / 1e6, MOST_SECONDS)


def _broken_off(problem: BrokenOffError, name: str, seconds: float) -> KnowledgeError:
    if problem.why == "crash":
        return KnowledgeError(
            f"{name} made its reader stop ({problem.how}). Files that do so are refused. "
            "Save its text as a new document and add that."
        )
    if problem.why == "time":
        took = f"took longer than {seconds:.0f} seconds to read"
    else:
        took = f"needed more than {MEMORY // (1 << 20):,} MB of memory to read"
    return KnowledgeError(
        f"{name} {took}. That is the limit for one document. "
        "Split it, or save its text as a new document, and add that."
    )


def document_to_json(document: Document) -> dict[str, Any]:
    """A document as values JSON can hold; `document_from_json` undoes it."""
    return {
        "name": document.name,
        "title": document.title,
        "digest": document.digest,
        "text": document.text,
        "sections": [
            [section.start, len(section.text), section.body, section.page, list(section.heading)]
            for section in document.sections
        ],
        "unit": document.unit,
        "tables": [list(place) for place in document.tables],
    }


def document_from_json(value: dict[str, Any]) -> Document:
    """A document from the values `document_to_json` made."""
    text = value["text"]
    sections = tuple(
        Section(text[start : start + length], tuple(heading), page, start, body)
        for start, length, body, page, heading in value["sections"]
    )
    tables = tuple((start, end) for start, end in value["tables"])
    return Document(value["name"], text, sections, value["digest"], value["title"], value["unit"], tables)
