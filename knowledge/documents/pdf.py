"""Reads PDF files (.pdf): text, page numbers, and headings told by the size and weight of their letters.

It knows how a page's lines become paragraphs. It reads no pictures: a scan has no text.
"""

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pypdf import PageObject, PdfReader
from pypdf.errors import DependencyError, FileNotDecryptedError

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.text import one_line
from knowledge.errors import KnowledgeError

MIN_CHARACTERS = 20  # fewer than this in a whole file is a stamp or a page number on a scan
HEADING_SCALE = 1.15
HEADING_WORDS = 15

_ENDS_SENTENCE = re.compile(r"[.!?:;\u2026\"”’)]$")
_OPENS_ENTRY = re.compile(r"^([-–•·*▪●◦]|\d{1,3}[.)]|[a-z][.)])\s")
_SPLIT_WORD = re.compile(r"(\w*[a-z])-$")


@dataclass(frozen=True)
class Line:
    """A line as it stands on the page; `size` is the height of its letters in points."""

    text: str
    size: float
    bold: bool


def read_pdf(data: bytes, name: str, digest: str) -> Document:
    """A PDF file, a section for every heading and page.

    Raises:
        KnowledgeError: it is locked with a password, or it holds no text.
    """
    reader = PdfReader(io.BytesIO(data))
    pages = _pages(reader, name)
    if sum(len("".join(line.text.split())) for page in pages for line in page) < MIN_CHARACTERS:
        raise KnowledgeError(
            f"{name} holds no text: {_all_of(len(pages))}, probably a scan. Only text can be "
            "searched. Run text recognition (OCR) over it, or add the document it was printed from."
        )
    builder = DocumentBuilder(name, digest)
    levels = _heading_levels(pages)
    for number, page in enumerate(_without_running_lines(pages), start=1):
        builder.page(number)
        _write_page(page, levels, builder)
    return builder.finish(declared=_declared_title(reader))


def _all_of(pages: int) -> str:
    return "its one page is a picture" if pages == 1 else f"its {pages} pages are pictures"


def _pages(reader: PdfReader, name: str) -> list[list[Line]]:
    try:
        if reader.is_encrypted:
            reader.decrypt("")  # many files are locked against changes only and open without a password
        return [_lines(page) for page in reader.pages]
    except (FileNotDecryptedError, DependencyError) as problem:
        raise KnowledgeError(
            f"{name} is locked with a password. Only PDF files that open without one can be read. "
            "Open it with its password, print or save it as a new PDF, and add that."
        ) from problem


def _lines(page: PageObject) -> list[Line]:
    """The page's lines in the order its text is drawn."""
    lines: list[Line] = []
    pieces: list[tuple[str, float, bool]] = []

    def visit(text: str, cm: Sequence[float], tm: Sequence[float], font: object, size: float) -> None:
        weight = "bold" in str(font.get("/BaseFont", "")).lower() if isinstance(font, dict) else False
        height = abs(size * tm[3] * cm[3])
        first, *others = text.split("\n")
        pieces.append((first, height, weight))
        for other in others:
            lines.append(_join_pieces(pieces))
            pieces[:] = [(other, height, weight)]

    page.extract_text(visitor_text=visit)
    lines.append(_join_pieces(pieces))
    return [line for line in lines if line.text]


def _join_pieces(pieces: Sequence[tuple[str, float, bool]]) -> Line:
    """One line from its pieces: its size is that of most letters, bold only if all of them are."""
    written = [(text, size, bold) for text, size, bold in pieces if text.strip()]
    sizes: Counter[float] = Counter()
    for text, size, _ in written:
        sizes[round(size, 1)] += len(text)
    size = sizes.most_common(1)[0][0] if sizes else 0.0
    return Line(one_line("".join(text for text, _, _ in pieces)), size, all(bold for _, _, bold in written))


def _heading_levels(pages: Sequence[Sequence[Line]]) -> dict[tuple[float, bool], int]:
    """Which kinds of line are headings, and how high: larger than the body, or bold at its size."""
    letters: Counter[tuple[float, bool]] = Counter()
    for page in pages:
        for line in page:
            letters[line.size, line.bold] += len(line.text)
    body_size, body_bold = letters.most_common(1)[0][0]
    kinds = {(size, bold) for size, bold in letters if size >= body_size * HEADING_SCALE}
    if not body_bold:
        kinds |= {(size, bold) for size, bold in letters if bold and size >= body_size}
    return {kind: level for level, kind in enumerate(sorted(kinds, reverse=True), start=1)}


def _is_heading(line: Line, levels: dict[tuple[float, bool], int]) -> bool:
    return (
        (line.size, line.bold) in levels
        and len(line.text.split()) <= HEADING_WORDS
        and line.text[-1] not in ".,;:"
        and sum(letter.isalpha() for letter in line.text) > 1
    )


def _without_running_lines(pages: Sequence[Sequence[Line]]) -> list[list[Line]]:
    """The pages without the header or footer that most of them repeat, page numbers aside."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_shape(line) for line in (*page[:1], *page[-1:])})
    running = {shape for shape, count in seen.items() if count >= 3 and count > len(pages) / 2}
    kept = []
    for page in pages:
        first = 1 if page and _shape(page[0]) in running else 0
        last = len(page) - 1 if len(page) > 1 and _shape(page[-1]) in running else len(page)
        kept.append(list(page[first:last]))
    return kept


def _shape(line: Line) -> str:
    return re.sub(r"\d+", "#", line.text)


def _write_page(
    lines: Sequence[Line], levels: dict[tuple[float, bool], int], builder: DocumentBuilder
) -> None:
    widest = max((len(line.text) for line in lines), default=0)
    for group in _groups(lines, levels):
        text = " ".join(line.text for line in group)
        if _is_heading(group[0], levels) and len(text.split()) <= HEADING_WORDS:
            builder.heading(levels[group[0].size, group[0].bold], text)
        else:
            builder.block("\n".join(_paragraphs([line.text for line in group], widest)))


def _groups(lines: Sequence[Line], levels: dict[tuple[float, bool], int]) -> Iterator[list[Line]]:
    """Neighbouring body lines, and neighbouring heading lines of one kind (a heading that wraps)."""
    group: list[Line] = []
    for line in lines:
        if group and _kind(line, levels) != _kind(group[-1], levels):
            yield group
            group = []
        group.append(line)
    if group:
        yield group


def _kind(line: Line, levels: dict[tuple[float, bool], int]) -> tuple[float, bool] | None:
    return (line.size, line.bold) if _is_heading(line, levels) else None


def _paragraphs(lines: Sequence[str], widest: int) -> list[str]:
    """Lines of the page put back together into paragraphs and list entries, a line each."""
    paragraphs: list[str] = []
    previous = ""
    for line in lines:
        if previous and _goes_on(previous, line, widest):
            paragraphs[-1] = _join(paragraphs[-1], line)
        else:
            paragraphs.append(line)
        previous = line
    return paragraphs


def _goes_on(previous: str, line: str, widest: int) -> bool:
    """Whether `line` continues the sentence of the line above it."""
    if _OPENS_ENTRY.match(line):
        return False
    if line[0].islower():
        return True
    full = len(previous) >= 0.75 * widest
    return full and not _ENDS_SENTENCE.search(previous)


def _join(paragraph: str, line: str) -> str:
    """Join two lines; a word split by a hyphen at the line's end becomes whole again."""
    if _SPLIT_WORD.search(paragraph) and line[0].islower():
        return paragraph[:-1] + line
    return f"{paragraph} {line}"


def _declared_title(reader: PdfReader) -> str:
    """The title in the file's properties, unless a program put the file's name there."""
    title = one_line(str(reader.metadata.title or "")) if reader.metadata else ""
    made_up = title.lower().startswith(("microsoft word", "untitled")) or re.search(r"\.\w{2,5}$", title)
    return "" if made_up else title
