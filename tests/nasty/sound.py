"""One small sound file of each format that is read: to cut, to bend, to rename."""

import io
import json
import zipfile
from functools import cache

import xlsxwriter
from docx import Document as new_word
from fpdf import FPDF
from openpyxl import Workbook
from pptx import Presentation

from tests.assistant.conversations import exports

WORDS = "Unopened pots go back within thirty days."
ODF = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in {"office": "office", "text": "text", "table": "table", "draw": "drawing"}.items()
)
EPUB = {
    "META-INF/container.xml": '<container><rootfiles><rootfile full-path="b.opf"/></rootfiles></container>',
    "b.opf": '<package><manifest><item id="a" href="a.xhtml" media-type="application/xhtml+xml"/></manifest>'
    '<spine><itemref idref="a"/></spine></package>',
    "a.xhtml": f"<html><body><h1>Returns</h1><p>{WORDS}</p></body></html>",
}


def zipped(entries: dict[str, str | bytes], base: bytes = b"") -> bytes:
    """A zip of these entries; over those of another zip, if one is given."""
    old = {}
    if base:
        with zipfile.ZipFile(io.BytesIO(base)) as archive:
            old = {name: archive.read(name) for name in archive.namelist()}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**old, **entries}.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def part(data: bytes, name: str) -> bytes:
    """One file of a zip."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return archive.read(name)


@cache
def word() -> bytes:
    """A Word file with a heading, a paragraph and a table."""
    made = new_word()
    made.add_heading("Returns", 1)
    made.add_paragraph(WORDS)
    made.add_table(rows=1, cols=2).rows[0].cells[0].text = "Weight"
    return saved(made)


@cache
def slides() -> bytes:
    """A presentation of one slide."""
    made = Presentation()
    slide = made.slides.add_slide(made.slide_layouts[1])
    slide.shapes.title.text = "Returns"
    slide.placeholders[1].text = WORDS
    return saved(made)


@cache
def workbook() -> bytes:
    """A workbook with one table."""
    made = Workbook()
    for row in (("Rule", "Days"), (WORDS, 30), ("Opened bags stay", 0)):
        made.active.append(row)
    return saved(made)


@cache
def strings() -> bytes:
    """A workbook of a conversation that keeps its texts in a place of their own, as Excel does."""
    buffer = io.BytesIO()
    made = xlsxwriter.Workbook(buffer)
    sheet = made.add_worksheet()
    for number, row in enumerate(
        (("conversation_id", "role", "text"), (1, "customer", "Is it red?"), (1, "agent", "It is."))
    ):
        sheet.write_row(number, 0, row)
    made.close()
    return buffer.getvalue()


@cache
def pdf() -> bytes:
    """A PDF of one page, its streams packed."""
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", "", 12)
    made.multi_cell(0, 6, WORDS)
    return bytes(made.output())


def saved(made) -> bytes:
    """The bytes that an object of an Office library saves."""
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def odf(body: str) -> bytes:
    """An OpenDocument file with this body."""
    content = f"<office:document-content {ODF}><office:body>{body}</office:body></office:document-content>"
    kind = "application/vnd.oasis.opendocument.spreadsheet" if "spreadsheet" in body else "x"
    manifest = '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>'
    return zipped({"mimetype": kind, "content.xml": content, "META-INF/manifest.xml": manifest})


def cells(rows: str) -> bytes:
    """An OpenDocument sheet with these rows."""
    return odf(f'<office:spreadsheet><table:table table:name="A">{rows}</table:table></office:spreadsheet>')


def text_of(words: str) -> bytes:
    """An OpenDocument text of one paragraph."""
    return odf(f"<office:text><text:p>{words}</text:p></office:text>")


def documents() -> dict[str, bytes]:
    """A document of each format, by name."""
    row = "<table:table-row>" + "".join(
        f'<table:table-cell office:value-type="string"><text:p>{word}</text:p></table:table-cell>'
        for word in ("Weight", "Fee")
    )
    return {
        "a.docx": word(),
        "a.pptx": slides(),
        "a.xlsx": workbook(),
        "a.pdf": pdf(),
        "a.odt": text_of(WORDS),
        "a.ods": cells(f"{row}</table:table-row>" * 2),
        "a.odp": odf(
            f"<office:presentation><draw:page><text:p>{WORDS}</text:p></draw:page></office:presentation>"
        ),
        "a.epub": zipped(EPUB),
        "a.html": f"<html><body><h1>Returns</h1><p>{WORDS}</p></body></html>".encode(),
        "a.md": f"# Returns\n\n{WORDS}\n\n- one\n- two\n\n| a | b |\n|---|---|\n| c | d |\n".encode(),
        "a.txt": f"Returns\n\n{WORDS}\n".encode(),
        "a.csv": f"Rule,Days\n{WORDS},30\n".encode(),
        "a.rtf": rf"{{\rtf1\ansi Returns\par {WORDS}\par}}".encode(),
        "a.eml": f"Subject: Returns\nFrom: ann@example.org\nTo: us@example.org\n\n{WORDS}\n".encode(),
        "a.json": json.dumps({"returns": {"rule": WORDS, "days": [30, 31]}}).encode(),
        "a.ipynb": json.dumps(
            {"cells": [{"cell_type": "markdown", "source": [f"# Returns\n{WORDS}"]}]}
        ).encode(),
        "a.py": f'class Returns:\n    """{WORDS}"""\n\n    def days(self):\n        return 30\n'.encode(),
    }


def conversations() -> dict[str, bytes]:
    """Conversations in each format, by name."""
    texts = {
        "openai.jsonl": exports.OPENAI,
        "sharegpt.json": exports.SHAREGPT,
        "alpaca.json": exports.ALPACA,
        "zendesk.json": exports.ZENDESK,
        "intercom.json": exports.INTERCOM,
        "messages.csv": exports.CSV_MESSAGES,
        "pairs.csv": exports.CSV_PAIRS,
        "transcript.txt": exports.TRANSCRIPT,
        "box.mbox": exports.MBOX,
        "one.eml": exports.MAIL_1,
    }
    return {name: text.encode() for name, text in texts.items()} | {
        "book.xlsx": exports.workbook(),
        "all.zip": zipped({"a/messages.csv": exports.CSV_MESSAGES, "b/chats.jsonl": exports.OPENAI}),
    }
