"""Reads Word files (.docx): headings, paragraphs, lists and tables in the order of the body.

It knows Word's markup. Headers, footers, notes, comments and text that was deleted with changes tracked are
left out.
"""

import io
from collections.abc import Iterator

from docx import Document as open_word
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.oxml.xmlchemy import BaseOxmlElement as Element
from docx.text.paragraph import Paragraph

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.tables import write_table

_PARAGRAPH, _TABLE, _ROW, _CELL = qn("w:p"), qn("w:tbl"), qn("w:tr"), qn("w:tc")
_CONTROL, _CONTENT = qn("w:sdt"), qn("w:sdtContent")
_WORDS = (qn("w:t"), qn("m:t"))
_SPACES = {qn("w:tab"): " ", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}
_SECOND_COPY = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"


def read_word(data: bytes, name: str, digest: str) -> Document:
    """A Word document as headings, paragraphs, list entries and table rows."""
    word = open_word(io.BytesIO(data))
    builder = DocumentBuilder(name, digest)
    previous_listed = False
    for element in _blocks(word.element.body):
        if element.tag == _TABLE:
            write_table(builder, _rows(element))
            continue
        paragraph = Paragraph(element, word._body)
        level = _heading_level(paragraph)
        if level is not None:
            builder.heading(level, _text(element))
            continue
        listed = _is_listed(paragraph)
        text = _text(element)
        builder.block(f"- {text}" if listed and text.strip() else text, tight=listed and previous_listed)
        previous_listed = listed
    return builder.finish(declared=_declared_title(word))


def _blocks(parent: Element) -> Iterator[Element]:
    """Paragraphs and tables in order, those inside content controls too."""
    for child in parent.iterchildren():
        if child.tag in (_PARAGRAPH, _TABLE):
            yield child
        elif child.tag == _CONTROL:
            for content in child.iterchildren(_CONTENT):
                yield from _blocks(content)


def _text(element: Element) -> str:
    """All words below an element; where Word keeps a second copy for old programs, the first only."""
    parts: list[str] = []
    waiting = [element]
    while waiting:
        node = waiting.pop()
        if node.tag in _WORDS:
            parts.append(node.text or "")
        elif node.tag in _SPACES:
            parts.append(_SPACES[node.tag])
        elif node.tag != _SECOND_COPY:
            if node.tag == _PARAGRAPH and parts:
                parts.append("\n")
            waiting.extend(reversed(node))
    return "".join(parts)


def _heading_level(paragraph: Paragraph) -> int | None:
    """0 for the document's title, 1 to 9 for headings, None for everything else."""
    style = paragraph.style
    while style is not None:
        name = (style.name or "").lower()
        if name == "title":
            return 0
        if name.startswith("heading ") and name[8:].isdigit():
            return int(name[8:])
        style = style.base_style
    return None


def _is_listed(paragraph: Paragraph) -> bool:
    style = (paragraph.style.name or "").lower() if paragraph.style is not None else ""
    return style.startswith("list ") or paragraph._p.find(f"{qn('w:pPr')}/{qn('w:numPr')}") is not None


def _rows(table: Element) -> list[list[str]]:
    return [[_text(cell) for cell in row.iterchildren(_CELL)] for row in table.iterchildren(_ROW)]


def _declared_title(word: WordDocument) -> str:
    title = word.core_properties.title or ""
    return "" if title == "Word Document" else title  # the name python-docx gives to every file it makes
