"""What many documents of a company repeat at their beginning or end: navigation, footers, disclaimers.

It knows lines and in how many documents they stand. It does not know files, or how passages are cut.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from knowledge.documents import Document, Section
from knowledge.storage import digest_of

REACH = 12
"""Lines looked at, from the beginning and from the end of a document."""
FEWEST = 5
"""Documents that repeat a line at least; what two or three share may be what they are about."""
IN_MANY, IN_MOST = 0.2, 0.6
"""Share of the documents that repeat several lines in a row, or a single one."""
LARGEST_SHARE = 0.5
"""No more than half of a document is left out: where more is repeated, its documents are alike."""

_LINE = re.compile(r"[^\n]*\S[^\n]*")


@dataclass(frozen=True)
class Edges:
    """A document's first and last lines as short hashes, parted by spaces, from its edge inwards."""

    head: str = ""
    tail: str = ""


@dataclass(frozen=True)
class Trim:
    """How many lines are left out at a document's beginning and at its end."""

    head: int = 0
    tail: int = 0


NOTHING = Trim()


def edges_of(document: Document) -> Edges:
    """The lines by which a document is compared with others; capitals and spaces do not count.

    Numbers do: a shop's own telephone number at the end of its page is what the page is for.
    """
    lines = _LINE.findall(document.text)
    return Edges(
        " ".join(map(_short_hash, lines[:REACH])), " ".join(map(_short_hash, reversed(lines[-REACH:])))
    )


def trims_of(edges: Mapping[str, Edges]) -> dict[str, Trim]:
    """What is left out of each document, by its name; each line stays in the first that it stands in."""
    heads = _Repeated({name: each.head.split() for name, each in edges.items()})
    tails = _Repeated({name: each.tail.split() for name, each in edges.items()})
    return {name: Trim(heads.run(name), tails.run(name)) for name in edges}


def trimmed(document: Document, trim: Trim) -> Document:
    """The document with the sections that are to be searched; its text stays whole."""
    spans = [match.span() for match in _LINE.finditer(document.text)]
    kept = spans[trim.head : len(spans) - trim.tail]
    if len(kept) == len(spans) or not kept:
        return document
    start, end = kept[0][0], kept[-1][1]
    if end - start < (1 - LARGEST_SHARE) * len(document.text):
        return document
    sections = (_within(section, start, end) for section in document.sections)
    return replace(document, sections=tuple(section for section in sections if section.text))


class _Repeated:
    """Lines at one edge of all documents, and in how many of them each stands."""

    def __init__(self, lines: Mapping[str, Sequence[str]]) -> None:
        self._lines = lines
        self._counts = Counter(line for each in lines.values() for line in set(each))
        self._keepers = {line: name for name in sorted(lines, reverse=True) for line in lines[name]}
        """The document in which a line stays: the first by name."""

    def run(self, name: str) -> int:
        """How many lines in a row, from the edge inwards, many documents repeat; 0 if too few do."""
        count, in_most = 0, 0
        for line in self._lines[name]:
            if self._counts[line] < self._needed(IN_MANY) or self._keepers[line] == name:
                break
            count += 1
            in_most += self._counts[line] >= self._needed(IN_MOST)
        return count if count > 1 or in_most else 0

    def _needed(self, share: float) -> float:
        return max(FEWEST, share * len(self._lines))


def _within(section: Section, start: int, end: int) -> Section:
    """The part of a section between two places of the document's text, without empty lines around it."""
    first, last = max(section.start, start), min(section.start + len(section.text), end)
    text = section.text[first - section.start : max(last, first) - section.start].rstrip()
    body = max(0, section.start + section.body - first)
    return replace(section, text=text, start=first, body=body if body < len(text) else 0)


def _short_hash(line: str) -> str:
    return digest_of(" ".join(line.casefold().split()).encode())[:8]
