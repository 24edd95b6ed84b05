"""Small files of each format, made on the spot."""

import io
import zipfile
from email.message import EmailMessage
from pathlib import Path

import xlsxwriter
from pptx import Presentation
from pptx.util import Inches

from knowledge.documents import Document, read_document

CONTAINER = '<container><rootfiles><rootfile full-path="OPS/book.opf"/></rootfiles></container>'
BOOK = """<package xmlns:dc="http://purl.org/dc/elements/1.1/">
<metadata><dc:title>Plant care</dc:title></metadata>
<manifest><item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="two" href="two.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="ch%20one.xhtml" media-type="application/xhtml+xml"/></manifest>
<spine><itemref idref="n"/><itemref idref="one"/><itemref idref="two"/></spine></package>"""
SPACES = " ".join(
    f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for short, long in {
        "office": "office",
        "text": "text",
        "table": "table",
        "draw": "drawing",
        "presentation": "presentation",
    }.items()
)
META = '<m xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Care guide</dc:title></m>'


def read(folder: Path, name: str, content: str | bytes) -> Document:
    """The document a file with this content gives."""
    path = folder / Path(name).name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_document(path, name)


def places(document: Document) -> list[tuple[tuple[str, ...], str]]:
    """Each section's heading path and what stands below it."""
    for section in document.sections:
        assert document.text[section.start : section.start + len(section.text)] == section.text
    return [(section.heading, section.text[section.body :].strip()) for section in document.sections]


def tables(document: Document) -> list[str]:
    """The text of each table."""
    return [document.text[start:end] for start, end in document.tables]


def archive(entries: dict[str, str | bytes]) -> bytes:
    """A zip file."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return buffer.getvalue()


def book(**more: str) -> bytes:
    """A book of two chapters and a table of contents; `more` are other files in it."""
    chapter = "<html><body><h1>{}</h1><p>{}</p></body></html>"
    return archive(
        {
            "META-INF/container.xml": CONTAINER,
            "OPS/book.opf": BOOK,
            "OPS/ch one.xhtml": chapter.format("Water", "Once a week."),
            "OPS/two.xhtml": chapter.format("Light", "Not too much."),
            "OPS/nav.xhtml": chapter.format("Contents", "Water, Light"),
            **more,
        }
    )


def odf(body: str, manifest: str = "<m/>") -> bytes:
    """An OpenDocument file with this body."""
    content = f"<office:document-content {SPACES}><office:body>{body}</office:body></office:document-content>"
    return archive({"content.xml": content, "META-INF/manifest.xml": manifest, "meta.xml": META})


def workbook(sheets: dict[str, list[list[object]]], hidden: str = "") -> bytes:
    """An Excel file; `hidden` is the sheet that is hidden."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer)
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
        if name == hidden:
            sheet.hide()
    book.close()
    return buffer.getvalue()


def deck(
    titled: list[tuple[str, list[str]]], *, footer: str = "", table: bool = False, notes: str = ""
) -> bytes:
    """A PowerPoint file: a slide for each title and its lines."""
    made = Presentation()
    for title, lines in titled:
        slide = made.slides.add_slide(made.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text = "\n".join(lines)
        if footer:
            slide.shapes.add_textbox(0, Inches(7), Inches(2), Inches(0.3)).text_frame.text = footer
        if table:
            cells = slide.shapes.add_table(2, 2, 0, Inches(5), Inches(4), Inches(1)).table
            for place, text in enumerate(("Weight", "Fee", "2 kg", "3 pounds")):
                cells.cell(place // 2, place % 2).text = text
        if notes:
            slide.notes_slide.notes_text_frame.text = notes
    buffer = io.BytesIO()
    made.save(buffer)
    return buffer.getvalue()


def mail(*, text: str = "", page: str = "", attached: str = "") -> bytes:
    """A mail as text, as a web page or as both."""
    message = EmailMessage()
    message["Subject"] = "Größe of pots"
    message["From"] = "Ann <ann@example.org>"
    message.set_content(text or page, subtype="plain" if text else "html")
    if text and page:
        message.add_alternative(page, subtype="html")
    if attached:
        message.add_attachment(b"x", maintype="application", subtype="pdf", filename=attached)
    return bytes(message)
