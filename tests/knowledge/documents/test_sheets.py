"""Spreadsheets and text tables."""

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from knowledge.documents.tables import cell_text
from tests.knowledge.documents.making import places, read, tables, workbook


def test_every_sheet_is_a_section_with_its_tables(tmp_path: Path) -> None:
    document = read(
        tmp_path,
        "prices.xlsx",
        workbook(
            {"Pots": [["Prices 2026"], ["Item", "Price"], ["Clay", 3.5], ["Tin", 4]], "Bags": [["Small", 1]]}
        ),
    )
    assert document.unit == "sheet"
    assert places(document) == [
        (("Pots",), "Prices 2026\n\nItem | Price\nClay | 3.5\nTin | 4"),
        (("Bags",), "Small | 1"),
    ]
    assert [section.page for section in document.sections] == [1, 2]
    assert tables(document) == ["Item | Price\nClay | 3.5\nTin | 4", "Small | 1"]


def test_hidden_sheets_are_left_out(tmp_path: Path) -> None:
    document = read(tmp_path, "a.xlsx", workbook({"A": [["Seen", 1]], "B": [["Secret", 2]]}, hidden="B"))
    assert "Secret" not in document.text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (3.0, "3"),
        (0.1 + 0.2, "0.3"),
        (True, "yes"),
        (None, ""),
        (date(2026, 5, 1), "2026-05-01"),
        (datetime(2026, 5, 1), "2026-05-01"),
        (datetime(2026, 5, 1, 9, 30), "2026-05-01 09:30"),
        (timedelta(hours=2), "2:00:00"),
        ("word", "word"),
    ],
)
def test_values_are_shown_as_people_write_them(value: object, text: str) -> None:
    assert cell_text(value) == text


@pytest.mark.parametrize("mark", [",", ";", "\t", "|"])
def test_a_text_table_tells_what_parts_its_cells(tmp_path: Path, mark: str) -> None:
    rows = [["To", "Days"], ["Rome", "4"], ["Oslo, Norway" if mark != "," else "Oslo", "6"]]
    document = read(tmp_path, "a.csv", "\n".join(mark.join(row) for row in rows))
    assert tables(document) == ["\n".join(" | ".join(row) for row in rows)]


def test_cells_may_hold_marks_and_line_ends(tmp_path: Path) -> None:
    document = read(tmp_path, "a.csv", 'To,Note\nRome,"slow, but\nsure"\n')
    assert tables(document) == ["To | Note\nRome | slow, but sure"]


def test_columns_of_questions_and_answers_become_headings_with_text(tmp_path: Path) -> None:
    document = read(tmp_path, "faq.csv", "Topic,Question,Answer\nPots,Which pots?,Clay ones.\n")
    assert places(document) == [(("Which pots?",), "Clay ones.\n\nTopic: Pots")]


def test_an_old_excel_file_that_is_a_web_page_is_read_as_one(tmp_path: Path) -> None:
    document = read(tmp_path, "export.xls", "<table><tr><td>Rome</td><td>4</td></tr></table>")
    assert document.text == "Rome | 4"
