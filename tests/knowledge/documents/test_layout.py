"""Reading order and tables, told from where words stand."""

from pathlib import Path

import pytest
from fpdf import FPDF

from knowledge.documents import Document, read_document
from tests.knowledge.documents.making import tables

LEFT = [f"Left {number} runs on in the first column" for number in range(12)]
RIGHT = [f"Right {number} goes on in the other column" for number in range(12)]


@pytest.fixture
def pdf() -> FPDF:
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", "", 10)
    return made


def document_of(pdf: FPDF, folder: Path) -> Document:
    pdf.output(str(folder / "a.pdf"))
    return read_document(folder / "a.pdf", "a.pdf")


def put(pdf: FPDF, left: float, top: float, text: str, width: float = 80) -> None:
    pdf.set_xy(left, top)
    pdf.cell(width, 5, text)


def test_columns_are_read_one_after_the_other_even_if_they_were_drawn_line_by_line(
    pdf: FPDF, tmp_path: Path
) -> None:
    put(pdf, 15, 20, "A line across both of the columns, which stands above all of them", 180)
    for row, pair in enumerate(zip(LEFT, RIGHT, strict=True)):
        put(pdf, 15, 30 + 5 * row, pair[0])
        put(pdf, 110, 30 + 5 * row, pair[1])
    put(pdf, 15, 95, "And one more line that stands across the page, below the two columns", 180)
    words = document_of(pdf, tmp_path).text.replace("\n", " ")
    order = ["A line across", *(line[:8] for line in LEFT), *(line[:8] for line in RIGHT), "And one more"]
    assert sorted(order, key=words.index) == order


def test_three_columns_are_read_in_order(pdf: FPDF, tmp_path: Path) -> None:
    for row in range(10):
        for column, name in enumerate(("One", "Two", "Three")):
            put(pdf, 10 + 65 * column, 30 + 5 * row, f"{name} {row} is some more text", 50)
    words = document_of(pdf, tmp_path).text
    order = [f"{name} {row} is" for name in ("One", "Two", "Three") for row in range(10)]
    assert sorted(order, key=words.index) == order


def test_a_table_with_lines_is_read_as_rows(pdf: FPDF, tmp_path: Path) -> None:
    put(pdf, 15, 15, "Fees by country.")
    pdf.set_xy(10, 30)
    rows = [("Country", "Fee", "Note"), ("Germany", "5 EUR", "with words that " * 8), ("France", "7 EUR", "")]
    with pdf.table() as table:
        for cells in rows:
            row = table.row()
            for cell in cells:
                row.cell(cell)
    pdf.ln(10)
    pdf.cell(80, 5, "What follows.")
    document = document_of(pdf, tmp_path)
    expected = "\n".join(" | ".join(cell.strip() for cell in row).strip() for row in rows)
    assert tables(document) == [expected]
    assert (
        document.text.index("Fees by") < document.text.index("Country") < document.text.index("What follows")
    )


def test_a_table_without_lines_is_told_by_what_stands_below_each_other(pdf: FPDF, tmp_path: Path) -> None:
    put(pdf, 15, 20, "Our prices are as follows.")
    rows = [("Item", "Price", "Stock"), ("Clay pot", "3.50", "12"), ("Long watering can", "12.00", "3")]
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            put(pdf, 15 + 60 * column, 40 + 6 * number, cell, 50)
    assert tables(document_of(pdf, tmp_path)) == ["\n".join(" | ".join(row) for row in rows)]


def test_an_empty_cell_stays_in_its_column(pdf: FPDF, tmp_path: Path) -> None:
    for number, row in enumerate([("Item", "Price", "Stock"), ("Pot", "", "12"), ("Bag", "4", "3")]):
        for column, cell in enumerate(row):
            put(pdf, 15 + 60 * column, 40 + 6 * number, cell, 50)
    assert tables(document_of(pdf, tmp_path)) == ["Item | Price | Stock\nPot |  | 12\nBag | 4 | 3"]


def test_a_box_around_text_is_no_table(pdf: FPDF, tmp_path: Path) -> None:
    pdf.rect(10, 15, 180, 60)
    for row, line in enumerate(LEFT):
        put(pdf, 15, 16 + 4 * row, line)
    assert tables(document_of(pdf, tmp_path)) == []


def test_room_between_lines_parts_paragraphs(pdf: FPDF, tmp_path: Path) -> None:
    for top in (20, 25, 40, 45):
        put(pdf, 15, top, "and these words go on and on through the whole line of text", 150)
    assert document_of(pdf, tmp_path).text.count("\n\n") == 1


def test_a_page_that_is_turned_is_read_as_it_is_drawn(pdf: FPDF, tmp_path: Path) -> None:
    with pdf.rotation(90, 100, 100):
        put(pdf, 50, 100, "These words run from the bottom of the page to its top", 150)
    assert document_of(pdf, tmp_path).text == "These words run from the bottom of the page to its top"


def test_headings_that_differ_by_a_number_stay_and_running_lines_go(tmp_path: Path) -> None:
    pdf = FPDF()
    for number in range(1, 6):
        pdf.add_page()
        pdf.set_font("Helvetica", "", 10)
        put(pdf, 15, 10, f"Fernhollow handbook, page {number}")
        pdf.set_font("Helvetica", "B", 18)
        put(pdf, 15, 20, f"Chapter {number}")
        pdf.set_font("Helvetica", "", 10)
        for row in range(8):
            put(pdf, 15, 40 + 6 * row, f"In line {row} of this part {number} something else is said.")
    document = document_of(pdf, tmp_path)
    assert "handbook" not in document.text
    assert [section.heading[-1] for section in document.sections] == [f"Chapter {at}" for at in range(1, 6)]
