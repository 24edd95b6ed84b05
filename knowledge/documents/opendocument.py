"""Reads OpenDocument texts (.odt) and slides (.odp): headings, paragraphs, lists and tables in their order.

It knows OpenDocument's markup. Headers, footers, notes, comments and tracked deletions are left out.
"""

import io
import re
import zipfile

from lxml import etree

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.refusals import locked
from knowledge.documents.tables import write_table

_SPACES = {
    "office": "urn:oasis:names:tc:opendocument:xmlns:office:1.0",
    "text": "urn:oasis:names:tc:opendocument:xmlns:text:1.0",
    "table": "urn:oasis:names:tc:opendocument:xmlns:table:1.0",
    "draw": "urn:oasis:names:tc:opendocument:xmlns:drawing:1.0",
    "presentation": "urn:oasis:names:tc:opendocument:xmlns:presentation:1.0",
    "manifest": "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0",
    "dc": "http://purl.org/dc/elements/1.1/",
}


def _tag(name: str) -> str:
    space, _, word = name.partition(":")
    return f"{{{_SPACES[space]}}}{word}"


_HEADING, _PARAGRAPH, _LIST, _TABLE = map(_tag, ("text:h", "text:p", "text:list", "table:table"))
_ROW, _CELL, _PAGE = map(_tag, ("table:table-row", "table:table-cell", "draw:page"))
_WHITE = re.compile(r"\s+")
_BREAKS = {_tag("text:tab"): " ", _tag("text:line-break"): "\n", _tag("text:s"): " "}
_LEFT_OUT = frozenset(
    map(
        _tag,
        ("text:note", "text:tracked-changes", "office:annotation", "presentation:notes", "office:forms"),
    )
)


def read_opendocument(data: bytes, name: str, digest: str) -> Document:
    """An OpenDocument text or presentation.

    Raises:
        KnowledgeError: it is locked with a password.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if b"encryption-data" in archive.read("META-INF/manifest.xml"):
            raise locked(name, "LibreOffice")
        content = _parse(archive.read("content.xml"))
        meta = _parse(archive.read("meta.xml")) if "meta.xml" in archive.namelist() else None
    slides = name.lower().endswith(".odp")
    builder = DocumentBuilder(name, digest, unit="slide" if slides else "page")
    body = content.find(f".//{_tag('office:body')}")
    _Writer(builder).write(content if body is None else body)
    declared = meta.findtext(f".//{_tag('dc:title')}") if meta is not None else ""
    return builder.finish(declared=declared or "")


def _parse(data: bytes) -> etree._Element:
    """An XML file's root; entities are not expanded and nothing is fetched."""
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False))


class _Writer:
    """Walks the body once, without recursion into paragraphs, and hands over what it meets."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._slides = 0
        self._tight = False

    def write(self, root: etree._Element) -> None:
        """Headings, paragraphs, list entries and tables, in the order of the body."""
        waiting = [(root, False)]
        while waiting:
            node, listed = waiting.pop()
            if node.tag in _LEFT_OUT:
                continue
            if node.tag == _HEADING:
                self._builder.heading(int(node.get(_tag("text:outline-level"), "1")), _text(node))
            elif node.tag == _PARAGRAPH:
                self._paragraph(node, listed)
            elif node.tag == _TABLE:
                write_table(self._builder, _rows(node))
            else:
                if node.tag == _PAGE:
                    self._slides += 1
                    self._builder.page(self._slides)
                waiting += [(child, listed or node.tag == _LIST) for child in reversed(node)]

    def _paragraph(self, node: etree._Element, listed: bool) -> None:
        text, role = _text(node), _role(node)
        if role == "title" and text.strip():
            self._builder.heading(1 if self._slides else 0, text)
        else:
            self._builder.block(
                f"- {text}" if listed and text.strip() else text, tight=listed and self._tight
            )
        self._tight = listed


def _role(node: etree._Element) -> str:
    """ "title" for the title of the document or of a slide."""
    style = (node.get(_tag("text:style-name")) or "").lower()
    frame = next(node.iterancestors(_tag("draw:frame")), None)
    if frame is not None and frame.get(_tag("presentation:class")) == "title":
        return "title"
    return "title" if style == "title" else ""


def _text(node: etree._Element) -> str:
    """All words below a node but those of notes and comments."""
    parts: list[str] = []
    waiting: list[etree._Element | str] = [node]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            parts.append(_WHITE.sub(" ", each))
            continue
        waiting.append((each.tail or "") if each is not node else "")
        if each.tag in _BREAKS:
            parts.append(_BREAKS[each.tag])
        elif each.tag not in _LEFT_OUT and isinstance(each.tag, str):
            waiting += reversed(each)
            waiting.append(each.text or "")
    return "".join(parts)


def _rows(table: etree._Element) -> list[list[str]]:
    rows = []
    for row in table.iter(_ROW):
        cells = list(row.iterchildren(_CELL))
        rows.append([" ".join(_text(part) for part in cell.iter(_PARAGRAPH, _HEADING)) for cell in cells])
    return rows
