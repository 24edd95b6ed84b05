"""Cuts a document into passages that keep their place.

It knows sections, words, tables and questions with their answers. It does not know how passages are searched.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from semantic_text_splitter import TextSplitter

from knowledge.documents import Document, Section
from knowledge.errors import KnowledgeError
from knowledge.storage import digest_of

CUT_VERSION = 3  # raise it when documents are cut otherwise: indexes made before are then made again
SEPARATOR = " › "
MIN_WORDS, MAX_WORDS = 20, 400
QUESTION_WORDS = 30
TINY_SHARE = 3
LONGEST = 1.2
COLUMN_WORDS = 40
"""A first row of more words names no columns."""

# A character of a script written without spaces counts as a word.
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\s\u3040-\u30ff\u3400-\u9fff]+")
_PARAGRAPH = re.compile(r"[^\n](?:.*?[^\n])??(?=\n|$)")
_LINE = re.compile(r"[^\n]+")
_QUESTION_MARK = re.compile(r"^(q|question)\s*\d*\s*[:.)]\s", re.IGNORECASE)


_Piece = tuple[int, int, str]
"""Where a piece of a section starts and ends, and the names of the columns of the table it continues."""


@dataclass(frozen=True)
class CutSettings:
    """How long a passage may be, and how many words two neighbours share where a section is cut.

    Numbers that make no sense together raise a KnowledgeError.
    """

    words: int = 90
    overlap: int = 20

    def __post_init__(self) -> None:
        """Refuse numbers out of range."""
        if not MIN_WORDS <= self.words <= MAX_WORDS:
            raise KnowledgeError(
                f"Passage length: found {self.words} words. It must be from {MIN_WORDS} to {MAX_WORDS}. "
                "Choose a number in between."
            )
        if not 0 <= self.overlap <= self.words // 2:
            raise KnowledgeError(
                f"Passage overlap: found {self.overlap} words. It must be from 0 to half the passage length "
                f"({self.words // 2}). Choose a number in between."
            )


@dataclass(frozen=True)
class Passage:
    """A stretch of a document: `document_text[start:end] == text`. `title` is where it stands, in words.

    `columns` is the first row of the table it continues, which `title` then ends with.
    """

    id: str
    document: str
    title: str
    text: str
    heading: tuple[str, ...]
    page: int | None
    start: int
    end: int
    unit: str = "page"
    columns: str = ""

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from every other passage, in this version of the index and in others."""
        return self.document, self.id

    @property
    def place(self) -> str:
        """Where a reader finds it: "Returns › Unopened pots, page 2"."""
        title = self.title.removesuffix(SEPARATOR + self.columns) if self.columns else self.title
        return title if self.page is None else f"{title}, {self.unit} {self.page}"

    @property
    def search_text(self) -> str:
        """What is embedded and looked through: the passage with its title and headings in front."""
        title = self.title
        if self.heading and self.text.startswith(self.heading[-1] + "\n"):
            title = title.removesuffix(SEPARATOR + self.heading[-1])
        return f"{title}\n{self.text}"


@dataclass(frozen=True)
class _Span:
    """Part of the document's text on its way to become a passage.

    `tiny` is true of whole sections of a few words; only these may share a passage, and only where they have
    the same `parent` heading.
    """

    start: int
    end: int
    heading: tuple[str, ...]
    parent: tuple[str, ...] | None
    page: int | None
    words: int
    tiny: bool
    columns: str = ""


def count_words(text: str) -> int:
    """Words parted by spaces; in scripts written without spaces every character counts."""
    return len(_WORD.findall(text))


def cut(document: Document, settings: CutSettings) -> tuple[Passage, ...]:
    """Cut a document: never across a heading or a page, except that tiny neighbours share a passage."""
    spans = [span for section in document.sections for span in _spans(document, section, settings)]
    passages = [_passage(document, span) for span in _with_tiny_merged(spans, settings.words)]
    return tuple(_with_own_ids(passages))


def _spans(document: Document, section: Section, settings: CutSettings) -> list[_Span]:
    words = count_words(section.text)
    if words <= settings.words:
        return [_span(section, 0, len(section.text), tiny=words <= settings.words // TINY_SHARE)]
    pieces: list[_Piece] = []
    for start, end, is_table in _stretches(document, section):
        cut_up = _table_pieces if is_table else _text_pieces
        for piece in cut_up(section.text, start, end, settings):
            _append(pieces, piece, section.text, settings.words)
    pieces[0] = (0, *pieces[0][1:])  # the heading line goes with what follows it
    return [_span(section, start, end, tiny=False, columns=columns) for start, end, columns in pieces]


def _span(section: Section, start: int, end: int, *, tiny: bool, columns: str = "") -> _Span:
    parent = section.heading[:-1] if section.heading else None
    words = count_words(section.text[start:end])
    start, end = section.start + start, section.start + end
    return _Span(start, end, section.heading, parent, section.page, words, tiny, columns)


def _stretches(document: Document, section: Section) -> Iterator[tuple[int, int, bool]]:
    """The section's body, its tables apart from the text around them."""
    at, end = section.body, len(section.text)
    for first, last in document.tables:
        first, last = first - section.start, last - section.start
        if at <= first and last <= end:
            if section.text[at:first].strip():
                yield at, first, False
            yield first, last, True
            at = last
    if section.text[at:].strip():
        yield at, end, False


def _append(pieces: list[_Piece], piece: _Piece, text: str, words: int) -> None:
    """One more piece, joined to the one before where a table and the text around it fit together."""
    if pieces and not piece[2] and count_words(text[pieces[-1][0] : piece[1]]) <= words:
        pieces[-1] = (pieces[-1][0], piece[1], pieces[-1][2])
    else:
        pieces.append(piece)


def _text_pieces(text: str, start: int, end: int, settings: CutSettings) -> Iterator[_Piece]:
    for first, last in _packed(text, _questions(text, start, end), settings.words):
        for piece in _split(text, first, last, settings):
            yield *piece, ""


def _table_pieces(text: str, start: int, end: int, settings: CutSettings) -> Iterator[_Piece]:
    """Whole rows, as many as fit; after the first piece the names of the columns go along."""
    rows = [(start + match.start(), start + match.end()) for match in _LINE.finditer(text[start:end])]
    names = text[slice(*rows[0])]
    columns = names if count_words(names) <= min(COLUMN_WORDS, settings.words // 2) else ""
    room = settings.words - count_words(columns)
    for place, (first, last) in enumerate(_packed(text, rows, room)):
        for piece in _split(text, first, last, settings):
            yield *piece, columns if place else ""


def _questions(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """A stretch of text, parted before every question where it reads like a list of questions."""
    paragraphs = [match.span() for match in _PARAGRAPH.finditer(text, start, end)]
    starts = [first for first, last in paragraphs if _is_question(text[first:last])]
    first, last = paragraphs[0][0], paragraphs[-1][1]
    if len(starts) < 2:
        return [(first, last)]
    edges = sorted({first, *starts, last + 1})
    return [(edge, edge + len(text[edge:other].rstrip())) for edge, other in pairwise(edges)]


def _is_question(paragraph: str) -> bool:
    asked = paragraph.endswith("?") or _QUESTION_MARK.match(paragraph) is not None
    return asked and count_words(paragraph) <= QUESTION_WORDS


def _packed(text: str, units: Sequence[tuple[int, int]], words: int) -> Iterator[tuple[int, int]]:
    """Neighbouring units put together as long as they fit."""
    start, end = units[0]
    for unit_start, unit_end in units[1:]:
        if count_words(text[start:unit_end]) > words:
            yield start, end
            start = unit_start
        end = unit_end
    yield start, end


def _split(text: str, start: int, end: int, settings: CutSettings) -> Iterator[tuple[int, int]]:
    """Cut at paragraphs, else sentences, else words, into pieces of about equal length."""
    words = count_words(text[start:end])
    if words <= settings.words:
        yield start, end
        return
    stride = settings.words - settings.overlap
    pieces = max(2, -(-(words - settings.overlap) // stride))
    even = -(-(words - settings.overlap) // pieces) + settings.overlap
    splitter = TextSplitter.from_callback(
        count_words, (min(even, settings.words), settings.words), overlap=settings.overlap
    )
    found = [
        (start + offset, start + offset + len(piece))
        for offset, piece in splitter.chunk_indices(text[start:end])
    ]
    yield from _without_stub(text, found, settings.words)


def _without_stub(text: str, pieces: list[tuple[int, int]], words: int) -> list[tuple[int, int]]:
    """The pieces, a last one of a few words joined to the one before it where that stays near the length."""
    *others, (start, _), (last_start, end) = [(0, 0), *pieces]
    stub = count_words(text[last_start:end]) <= words // TINY_SHARE
    if stub and len(pieces) > 1 and count_words(text[start:end]) <= words * LONGEST:
        return [*others[1:], (start, end)]
    return pieces


def _with_tiny_merged(spans: Sequence[_Span], words: int) -> Iterator[_Span]:
    """Whole sections of a few words each share a passage if they stand side by side under one parent."""
    open_span: _Span | None = None
    for span in spans:
        if open_span is None:
            open_span = span
        elif _belong_together(open_span, span) and open_span.words + span.words <= words:
            heading = open_span.parent or ()
            open_span = replace(open_span, end=span.end, heading=heading, words=open_span.words + span.words)
        else:
            yield open_span
            open_span = span
    if open_span is not None:
        yield open_span


def _belong_together(one: _Span, other: _Span) -> bool:
    siblings = one.parent is not None and (one.parent, one.page) == (other.parent, other.page)
    return siblings and one.tiny and other.tiny


def _passage(document: Document, span: _Span) -> Passage:
    title = SEPARATOR.join(filter(None, (document.title, *span.heading, span.columns)))
    text = document.text[span.start : span.end]
    place = (span.heading, span.page, span.start, span.end, document.unit, span.columns)
    return Passage("", document.name, title, text, *place)


def _with_own_ids(passages: Sequence[Passage]) -> Iterator[Passage]:
    """Ids made of what a passage says, so that a citation still opens it after a change elsewhere."""
    seen: Counter[tuple[str, str]] = Counter()
    for passage in passages:
        repeat = seen[passage.title, passage.text]
        seen[passage.title, passage.text] += 1
        key = "\n".join((passage.document, passage.title, passage.text, str(repeat)))
        yield replace(passage, id=digest_of(key.encode())[:16])
