"""Readers: what each format gives, and the text of every refusal."""

import io
import zipfile
from pathlib import Path

import pytest
from docx import Document as new_word
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls

from knowledge.documents import Document, read_document, reading
from knowledge.documents import model as model_module
from knowledge.errors import KnowledgeError
from tests.knowledge.conftest import lock_pdf, make_pdf, make_word

BODY = "This is the body of the page, in letters of the usual size, and there is enough of it."


def read(folder: Path, name: str, content: str | bytes) -> Document:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_document(path, name)


def places(document: Document) -> list[tuple[tuple[str, ...], str]]:
    for section in document.sections:
        assert document.text[section.start : section.start + len(section.text)] == section.text
    return [(section.heading, section.text[section.body :].strip()) for section in document.sections]


def refusal(folder: Path, name: str, content: bytes) -> str:
    with pytest.raises(KnowledgeError) as caught:
        read(folder, name, content)
    return str(caught.value)


# Markdown


def test_markdown_headings_become_the_path_of_what_stands_below(tmp_path: Path) -> None:
    document = read(
        tmp_path, "a.md", "# Returns\n\nIntro.\n\n## Pots\n\n### Opened\n\nNo.\n\n## Bags\n\nYes.\n"
    )
    assert document.title == "Returns"
    assert places(document) == [((), "Intro."), (("Pots", "Opened"), "No."), (("Bags",), "Yes.")]


def test_a_hash_inside_a_code_block_is_no_heading(tmp_path: Path) -> None:
    document = read(tmp_path, "a.md", "# Title\n\n```\n# not a heading\n```\n")
    assert [heading for heading, _ in places(document)] == [()]
    assert "# not a heading" in document.text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        pytest.param(
            "Some **bold** and `code` [here](http://x.org).", "Some bold and code here.", id="marks go"
        ),
        pytest.param("- one\n- two\n  - inner", "- one\n- two\n- inner", id="list"),
        pytest.param("3. three\n4. four", "3. three\n4. four", id="numbers are kept"),
        pytest.param("| A | B |\n|---|---|\n| 1 | 2 |", "A | B\n1 | 2", id="table"),
        pytest.param("<div>inside <b>html</b></div>", "inside html", id="html block"),
        pytest.param("one<br>two  \nthree", "one\ntwo\nthree", id="hard breaks"),
        pytest.param("x" * 60 + "\nwrapped", "x" * 60 + " wrapped", id="a wrapped line is joined"),
        pytest.param("Opening hours\nNine to five", "Opening hours\nNine to five", id="a short line stays"),
        pytest.param("> quoted", "quoted", id="quotation"),
        pytest.param("- one\n\nafter", "- one\n\nafter", id="paragraph after a list"),
    ],
)
def test_markdown_is_read_as_the_text_a_person_sees(tmp_path: Path, source: str, text: str) -> None:
    assert read(tmp_path, "a.md", source).text == text


def test_markdown_settings_on_top_give_the_title_and_are_not_text(tmp_path: Path) -> None:
    document = read(tmp_path, "a.md", "---\ntitle: 'Care'\nlayout: page\n---\n\nWater it.\n")
    assert (document.title, document.text) == ("Care", "Water it.")


def test_a_line_of_dashes_alone_is_not_taken_for_settings(tmp_path: Path) -> None:
    assert read(tmp_path, "a.md", "---\n\nWater it.\n").text == "Water it."


def test_two_top_headings_leave_the_title_to_the_name(tmp_path: Path) -> None:
    document = read(tmp_path, "plant-care_guide.md", "# One\n\na\n\n# Two\n\nb\n")
    assert document.title == "Plant care guide"
    assert [heading for heading, _ in places(document)] == [("One",), ("Two",)]


def test_a_heading_with_nothing_below_it_is_kept_as_text(tmp_path: Path) -> None:
    document = read(tmp_path, "a.md", "# Shop\n\nHello.\n\n## Closed on Mondays\n\n## Hours\n\nNine.\n")
    assert (("Closed on Mondays",), "Closed on Mondays") in places(document)


# Plain text


def test_plain_text_keeps_its_paragraphs(tmp_path: Path) -> None:
    assert (
        read(tmp_path, "opening_hours.txt", "One.\r\n\r\n\r\nTwo.\r\nThree.").text == "One.\n\nTwo.\nThree."
    )


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_text_is_read_in_its_encodings(tmp_path: Path, encoding: str) -> None:
    assert read(tmp_path, "a.txt", "Größe €5 日本".encode(encoding)).text == "Größe €5 日本"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        pytest.param("a\x00b", "ab", id="NUL"),
        pytest.param("a\u202eb\u2066c", "abc", id="marks that reverse"),
        pytest.param("a\u200bb\u2060c\U000e0041d", "abcd", id="marks that hide"),
        pytest.param("e\u0301", "é", id="composed"),
        pytest.param("\ufb01ne o\ufb03ce", "fine office", id="ligatures"),
        pytest.param("a\u00a0\u2003b", "a b", id="spaces"),
        pytest.param("a\u2028b\u0085c", "a\nb\nc", id="line ends"),
        pytest.param("👩\u200d🌾 ok", "👩\u200d🌾 ok", id="joined emoji stay"),
    ],
)
def test_text_is_cleaned_where_it_enters(tmp_path: Path, raw: str, text: str) -> None:
    assert read(tmp_path, "a.txt", raw).text == text


# HTML


PAGE = """<html><head><title>Shop – Delivery</title><style>p {}</style><script>var a = "no";</script></head>
<body>
<header><a href="/">Logo</a><h1>Delivery</h1></header><nav>Menu</nav>
<main><p>We <b>post</b>.<!-- secret --></p><p hidden>hidden</p><p style="display: none">also hidden</p>
<h2>Cost</h2><ul><li>small: 3</li><li>large: 5</li></ul>
<table><tr><th>To</th><th>Days</th></tr><tr><td>Rome</td><td>4</td></tr></table>
<form><input>Search</form><details><summary><button>Abroad?</button></summary>Yes.</details></main>
<aside>Offer</aside><footer>Imprint</footer></body></html>"""


def test_html_gives_the_content_without_furniture(tmp_path: Path) -> None:
    document = read(tmp_path, "a.html", PAGE)
    assert document.title == "Delivery"
    assert places(document) == [
        ((), "We post."),
        (("Cost",), "- small: 3\n- large: 5\n\nTo | Days\nRome | 4\n\nAbroad?\n\nYes."),
    ]


@pytest.mark.parametrize("word", ["Menu", "Imprint", "Offer", "hidden", "secret", "Search", "Logo", "var a"])
def test_html_leaves_out(tmp_path: Path, word: str) -> None:
    assert word not in read(tmp_path, "a.html", PAGE).text


@pytest.mark.parametrize(
    "furniture",
    [
        '<div role="navigation">Home</div>',
        '<ul class="list breadcrumbs"><li>Home</li></ul>',
        '<div id="cookie-banner">Home</div>',
        '<div class="Sidebar">Home</div>',
    ],
)
def test_html_leaves_out_what_says_of_itself_that_it_is_furniture(tmp_path: Path, furniture: str) -> None:
    page = f"<body>{furniture}<h1>Pots</h1><p>Clay ones of every size.</p></body>"
    assert read(tmp_path, "a.html", page).text == "Pots\n\nClay ones of every size."


def test_furniture_that_holds_the_content_is_kept(tmp_path: Path) -> None:
    for inside in ("<article><p>Soup of the day.</p></article>", "<p>Soup of the day.</p>"):
        page = f'<body><div class="menu">{inside}</div></body>'
        assert read(tmp_path, "a.html", page).text == "Soup of the day."


@pytest.mark.parametrize("content", ["<html><body><p>Hello.</p></body></html>", "docx"], ids=["page", "word"])
def test_a_doc_file_that_is_of_a_newer_kind_is_read_as_that(tmp_path: Path, content: str) -> None:
    data = make_word(tmp_path / "made.docx").read_bytes() if content == "docx" else content
    assert read(tmp_path, "letter.doc", data).text.startswith(("Hello.", "Returns and refunds"))


def test_a_form_around_the_whole_page_does_not_swallow_it(tmp_path: Path) -> None:
    page = "<body><form><h1>Title</h1><p>Content.</p></form></body>"
    assert read(tmp_path, "a.htm", page).text == "Title\n\nContent."


def test_html_says_its_own_encoding(tmp_path: Path) -> None:
    page = '<meta charset="windows-1252"><p>Gr\xf6\xdfe</p>'.encode("windows-1252")
    assert read(tmp_path, "a.html", page).text == "Größe"


def test_deeply_nested_html_is_read(tmp_path: Path) -> None:
    assert "inside" in read(tmp_path, "a.html", "<div>" * 200 + "inside" + "</div>" * 200).text


def test_a_table_for_layout_is_walked_through(tmp_path: Path) -> None:
    page = "<table><tr><td><h2>Cost</h2><p>Three.</p></td></tr></table>"
    assert places(read(tmp_path, "a.html", "<title>T</title>" + page)) == [(("Cost",), "Three.")]


# Word


def test_word_is_read_in_the_order_of_its_body(tmp_path: Path) -> None:
    document = read_document(make_word(tmp_path / "a.docx"), "a.docx")
    assert document.title == "Returns and refunds"
    assert places(document) == [
        ((), "We take things back."),
        (("Unopened pots",), "Send them within thirty days.\n\n- in their box\n- with the receipt"),
        (("Unopened pots", "Fees"), "Weight | Fee\n2 kg | 3 pounds\n\nFees are per parcel."),
    ]


def test_word_keeps_tracked_insertions_and_content_controls_but_no_deletions(tmp_path: Path) -> None:
    word = new_word()
    paragraph = word.add_paragraph("Price: ")._p
    space = nsdecls("w")
    paragraph.append(parse_xml(f"<w:del {space}><w:r><w:delText>10</w:delText></w:r></w:del>"))
    paragraph.append(parse_xml(f"<w:ins {space}><w:r><w:t>12</w:t><w:tab/><w:t>euro</w:t></w:r></w:ins>"))
    control = (
        f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>In a control.</w:t></w:r></w:p></w:sdtContent></w:sdt>"
    )
    word.element.body.insert(1, parse_xml(control))
    word.save(str(tmp_path / "a.docx"))
    assert read_document(tmp_path / "a.docx", "a.docx").text == "Price: 12 euro\n\nIn a control."


# PDF


def test_pdf_sections_know_their_page_and_heading(tmp_path: Path) -> None:
    pages = [
        [("Returns and refunds", 20, "B"), (BODY, 11, ""), ("Unopened pots", 14, "B"), (BODY, 11, "")],
        [("Thirty days it is.", 11, ""), ("Fees", 11, "B"), (BODY, 11, "")],
    ]
    document = read_document(make_pdf(tmp_path / "a.pdf", pages), "a.pdf")
    assert document.title == "Returns and refunds"
    assert [(section.heading, section.page) for section in document.sections] == [
        ((), 1),
        (("Unopened pots",), 1),
        (("Unopened pots",), 2),
        (("Unopened pots", "Fees"), 2),
    ]


def test_pdf_lines_become_paragraphs_again(tmp_path: Path) -> None:
    long = "A sentence that is so long that the page breaks it over several lines of text. " * 4
    pages = [[(long, 11, ""), ("- first\n- second", 11, ""), ("Short line.\nAnother one.", 11, "")]]
    paragraphs = read_document(make_pdf(tmp_path / "a.pdf", pages), "a.pdf").text.split("\n")
    assert paragraphs == [long.strip(), "- first", "- second", "Short line.", "Another one."]


def test_a_word_split_at_the_line_end_becomes_whole(tmp_path: Path) -> None:
    pages = [[("We look after every single cus-\ntomer who comes to us.", 11, "")]]
    assert "customer" in read_document(make_pdf(tmp_path / "a.pdf", pages), "a.pdf").text


def test_running_headers_and_footers_are_left_out(tmp_path: Path) -> None:
    pages = [
        [("Fernhollow handbook", 9, ""), (f"{BODY} {word}", 11, ""), (f"Page {number} of 3", 9, "")]
        for number, word in enumerate(("one", "two", "three"), start=1)
    ]
    document = read_document(make_pdf(tmp_path / "a.pdf", pages), "a.pdf")
    assert "handbook" not in document.text
    assert "Page" not in document.text
    assert [section.page for section in document.sections] == [1, 2, 3]


@pytest.mark.parametrize(
    ("declared", "title"),
    [
        pytest.param("Care guide", "Care guide", id="declared"),
        pytest.param("Microsoft Word - care.doc", "My file", id="made up by a program"),
        pytest.param("care.indd", "My file", id="a file name"),
        pytest.param("", "My file", id="none"),
    ],
)
def test_pdf_title(tmp_path: Path, declared: str, title: str) -> None:
    path = make_pdf(tmp_path / "my_file.pdf", [[(BODY, 11, "")]], title=declared)
    assert read_document(path, "my_file.pdf").title == title


def test_a_pdf_locked_only_against_changes_is_read(tmp_path: Path) -> None:
    path = lock_pdf(make_pdf(tmp_path / "a.pdf", [[(BODY, 11, "")]]), "")
    assert BODY in read_document(path, "a.pdf").text.replace("\n", " ")


# Refusals


def archive(entries: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name, content)
    return buffer.getvalue()


def test_a_locked_pdf_is_refused(tmp_path: Path) -> None:
    path = lock_pdf(make_pdf(tmp_path / "a.pdf", [[(BODY, 11, "")]]), "secret")
    assert refusal(tmp_path, "a.pdf", path.read_bytes()) == (
        "a.pdf is locked with a password. Only files that open without one can be read. "
        "Open it in a PDF viewer with its password, save it without one, and add that."
    )


def test_a_pdf_without_text_is_refused(tmp_path: Path) -> None:
    path = make_pdf(tmp_path / "a.pdf", [[], []])
    assert refusal(tmp_path, "a.pdf", path.read_bytes()) == (
        "a.pdf holds no text: its 2 pages are pictures, probably a scan. Only text can be searched. "
        "Run text recognition (OCR) over it, or add the document it was made from."
    )


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        pytest.param(
            "a.xyz",
            b"x",
            "a.xyz has the ending .xyz, which is no kind of document known here. Save or export it "
            "as PDF, Word, "
            "PowerPoint, Excel, OpenDocument, web page, mail, Markdown or plain text, and add that.",
            id="unknown ending",
        ),
        pytest.param(
            "a.doc",
            b"\xd0\xcf\x11\xe0",
            "a.doc is an old Word file, which can't be read. Open it in Word or LibreOffice, save "
            "it as .docx, and "
            "add that.",
            id="old word",
        ),
        pytest.param(
            "scan.JPG",
            b"x",
            "scan.JPG is a picture, and only text can be searched. Run text recognition (OCR) over "
            "it as PDF,",
            id="picture",
        ),
        pytest.param(
            "call.mp3",
            b"x",
            "call.mp3 is a recording, and only text can be searched. Have it written down as PDF,",
            id="recording",
        ),
        pytest.param(
            "a.7z",
            b"x",
            "a.7z is an archive of a kind that can't be opened here; .zip can. Unpack it and add the folder.",
            id="other archive",
        ),
        pytest.param(
            "notes", b"x", "notes has the ending (none), which is no kind of document known", id="no ending"
        ),
        pytest.param(
            "a.md", b"", "a.md is empty (0 bytes). Check that it was saved, and add it again.", id="empty"
        ),
        pytest.param(
            "a.txt",
            bytes(range(256)),
            "a.txt holds no text that people could read; it may be a program, a picture or a file "
            "of another kind "
            "renamed. Open it in the program it was made with, save its text as a document, and add that.",
            id="binary",
        ),
        pytest.param(
            "a.md",
            b" \n\x00\n",
            "a.md holds no text. Only text can be searched. "
            "Check that it is the right file; if its text is in pictures, add a version with real text.",
            id="nothing to read",
        ),
        pytest.param("a.html", b"<nav>Menu</nav>", "a.html holds no text.", id="page of menus"),
        pytest.param(
            "a.pdf", b"%PDF-1.4 broken", "a.pdf can't be read; it seems damaged (", id="damaged pdf"
        ),
        pytest.param("a.docx", b"PK broken", "a.docx can't be read; it seems damaged (", id="damaged docx"),
        pytest.param(
            "a.docx", archive({"a.txt": b"x"}), "a.docx can't be read; it seems damaged (", id="other zip"
        ),
        pytest.param(
            "a.docx",
            b"\xd0\xcf\x11\xe0" + b"0" * 100,
            "a.docx is a file of an old Office renamed to .docx. Only the newer kind can be read. "
            "Open it in Word, save it as .docx, and add that.",
            id="old file renamed",
        ),
        pytest.param(
            "a.xlsx",
            b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"),
            "a.xlsx is locked with a password. Only files that open without one can be read. "
            "Open it in Excel with its password, save it without one, and add that.",
            id="locked",
        ),
        pytest.param(
            "a.docx",
            archive({"a": b"0" * 40_000_000}),
            "a.docx would unpack from 0.0 to 40.0 MB in 1 parts. "
            "For a file of its size the limits are 7.8 MB and 5,000 parts. "
            "Save its text as a new document and add that.",
            id="bomb",
        ),
        pytest.param(
            "a.docx",
            archive({str(number): b"" for number in range(5001)}),
            "in 5,001 parts. For a file of its size the limits are",
            id="too many parts",
        ),
    ],
)
def test_a_file_that_is_no_document_is_refused(tmp_path: Path, name: str, content: bytes, text: str) -> None:
    assert text in refusal(tmp_path, name, content)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        KnowledgeError, match=r"a\.md can't be opened: there is no such file\. Check where it is"
    ):
        read_document(tmp_path / "a.md", "a.md")


def test_a_file_above_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 1_000_000)
    assert refusal(tmp_path, "a.txt", b"x" * 2_000_000) == (
        "a.txt is 2 MB large. The limit is 1 MB. Split it, or save it without pictures, and add it again."
    )


def test_more_text_than_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_module, "MAX_CHARACTERS", 1000)
    assert refusal(tmp_path, "a.txt", b"word " * 300) == (
        "a.txt holds more than 1,000 characters of text. That is the limit for one document. "
        "Split it into smaller files and add those."
    )
