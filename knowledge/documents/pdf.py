"""Reads PDF files (.pdf): text, page numbers, and headings told by the size and weight of their letters.

It knows how a page's lines become paragraphs. It reads no pictures: a scan has no text.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from knowledge.documents.glyphs import rules_on, words_on
from knowledge.documents.layout import Line, Part, arrange
from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.refusals import locked, no_text
from knowledge.documents.ruled import Grid
from knowledge.documents.tables import write_sheet
from knowledge.documents.text import clean, one_line

MIN_CHARACTERS = 20  # fewer than this in a whole file is a stamp or a page number on a scan
MOST_PAGES = 5_000
HEADING_SCALE = 1.15
HEADING_WORDS = 15
EDGE_LINES = 2
"""Lines at the top and bottom of a page that may be its running header or footer."""
PARAGRAPH_GAP = 0.75
"""Of the letters' height: more room than this above a line, and a new paragraph begins."""

_ENDS_SENTENCE = re.compile(r"[.!?:;\u2026\"”’)]$")
_OPENS_ENTRY = re.compile(r"^([-–•·*▪●◦]|\d{1,3}[.)]|[a-z][.)])\s")
_SPLIT_WORD = re.compile(r"(\w*[a-z])[-\u2010]$")


def read_pdf(data: bytes, name: str, digest: str) -> Document:
    """A PDF file, a section for every heading and page.

    Raises:
        KnowledgeError: it is locked with a password, or it holds no text.
    """
    builder = DocumentBuilder(name, digest)
    with _open(data, name) as file:
        builder.limit(len(file), MOST_PAGES, "pages")
        pages = [_parts(page) for page in file]
        declared = _declared_title(file)
    if sum(map(_letters, pages)) < MIN_CHARACTERS:
        raise no_text(name, f"{_all_of(len(pages))}, probably a scan")
    levels = _heading_levels(pages)
    for number, page in enumerate(_without_running_lines(pages, levels), start=1):
        builder.page(number)
        _write_page(page, levels, builder)
    return builder.finish(declared=declared)


def _open(data: bytes, name: str) -> pdfium.PdfDocument:
    """The file; many are locked against changes only, and those open without a password."""
    try:
        return pdfium.PdfDocument(data)
    except pdfium.PdfiumError as problem:
        if raw.FPDF_GetLastError() == raw.FPDF_ERR_PASSWORD:
            raise locked(name, "a PDF viewer") from problem
        raise


def _all_of(pages: int) -> str:
    return "its one page is a picture" if pages == 1 else f"its {pages} pages are pictures"


def _parts(page: pdfium.PdfPage) -> list[Part]:
    """What a page says, in reading order; of a page that is turned, its lines as they are drawn."""
    words, upright = words_on(page)
    if upright:
        return arrange(words, rules_on(page))
    lines = clean(page.get_textpage().get_text_range()).split("\n")
    return [Line(text, 0.0, False) for line in lines if (text := one_line(line))]


def _letters(page: Sequence[Part]) -> int:
    texts = (part.text if isinstance(part, Line) else "".join(map("".join, part.rows)) for part in page)
    return sum(len("".join(text.split())) for text in texts)


@dataclass(frozen=True)
class Levels:
    """Which kinds of line, by size and weight, are headings and how high; `large` ones stand out by size."""

    of: dict[tuple[float, bool], int]
    large: float


def _heading_levels(pages: Sequence[Sequence[Part]]) -> Levels:
    """Headings are larger than the body, or bold at its size."""
    letters: Counter[tuple[float, bool]] = Counter()
    for line in (part for page in pages for part in page if isinstance(part, Line)):
        letters[line.size, line.bold] += len(line.text)
    if not letters:
        return Levels({}, inf)
    body_size, body_bold = letters.most_common(1)[0][0]
    large = body_size * HEADING_SCALE
    kinds = {(size, bold) for size, bold in letters if size >= large}
    if not body_bold:
        kinds |= {(size, bold) for size, bold in letters if bold and size >= body_size}
    return Levels({kind: level for level, kind in enumerate(sorted(kinds, reverse=True), start=1)}, large)


def _is_heading(line: Line, levels: Levels) -> bool:
    return (
        (line.size, line.bold) in levels.of
        and len(line.text.split()) <= HEADING_WORDS
        and line.text[-1] not in ".,;:"
        and sum(letter.isalpha() for letter in line.text) > 1
    )


def _without_running_lines(pages: Sequence[Sequence[Part]], levels: Levels) -> list[list[Part]]:
    """The pages without the headers and footers that many of them repeat, page numbers aside."""
    seen: Counter[str] = Counter()
    for page in pages:
        seen.update({_shape(page[place], levels) for place in _edges(page)})
    running = {shape for shape, count in seen.items() if count >= 3 and count > len(pages) / 3 and shape}
    kept = []
    for page in pages:
        gone = {place for place in _edges(page) if _shape(page[place], levels) in running}
        kept.append([part for place, part in enumerate(page) if place not in gone])
    return kept


def _edges(page: Sequence[Part]) -> list[int]:
    """Where the first and last lines of a page are, of those that could run through all pages."""
    places = {*range(min(EDGE_LINES, len(page))), *range(max(0, len(page) - EDGE_LINES), len(page))}
    return sorted(places)


def _shape(part: Part, levels: Levels) -> str:
    """What running lines have in common on all pages; large ones that differ by a number have nothing."""
    if not isinstance(part, Line):
        return ""
    if part.size >= levels.large and _is_heading(part, levels):
        return part.text
    return re.sub(r"\d+", "#", part.text)


def _write_page(parts: Sequence[Part], levels: Levels, builder: DocumentBuilder) -> None:
    widest = max((len(part.text) for part in parts if isinstance(part, Line)), default=0)
    for group in _groups(parts, levels):
        if isinstance(group, Grid):
            write_sheet(builder, group.rows)
            continue
        text = " ".join(line.text for line in group)
        if _is_heading(group[0], levels) and len(text.split()) <= HEADING_WORDS:
            builder.heading(levels.of[group[0].size, group[0].bold], text)
        else:
            _write_paragraphs(_paragraphs(group, widest), builder)


def _write_paragraphs(paragraphs: Sequence[tuple[str, bool]], builder: DocumentBuilder) -> None:
    """Paragraphs, those set apart by room above them as blocks of their own."""
    block: list[str] = []
    for text, apart in paragraphs:
        if apart and block:
            builder.block("\n".join(block))
            block = []
        block.append(text)
    builder.block("\n".join(block))


def _groups(parts: Sequence[Part], levels: Levels) -> Iterator[list[Line] | Grid]:
    """Neighbouring body lines, neighbouring heading lines of one kind (a heading that wraps), and tables."""
    group: list[Line] = []
    for part in parts:
        if isinstance(part, Grid) or (group and _kind(part, levels) != _kind(group[-1], levels)):
            if group:
                yield group
            group = []
        if isinstance(part, Grid):
            yield part
        else:
            group.append(part)
    if group:
        yield group


def _kind(line: Line, levels: Levels) -> tuple[float, bool] | None:
    return (line.size, line.bold) if _is_heading(line, levels) else None


def _paragraphs(lines: Sequence[Line], widest: int) -> list[tuple[str, bool]]:
    """Lines put back together into paragraphs and list entries, each with whether it is set apart."""
    paragraphs: list[tuple[str, bool]] = []
    previous = ""
    for line in lines:
        apart = line.gap > PARAGRAPH_GAP
        if previous and not apart and _goes_on(previous, line.text, widest):
            text, was_apart = paragraphs[-1]
            paragraphs[-1] = (_join(text, line.text), was_apart)
        else:
            paragraphs.append((line.text, apart))
        previous = line.text
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


def _declared_title(file: pdfium.PdfDocument) -> str:
    """The title in the file's properties, unless a program put the file's name there."""
    title = one_line(file.get_metadata_value("Title"))
    made_up = title.lower().startswith(("microsoft word", "untitled")) or re.search(r"\.\w{2,5}$", title)
    return "" if made_up else title
