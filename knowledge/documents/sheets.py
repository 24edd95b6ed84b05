"""Reads spreadsheets: Excel (.xlsx, .xlsm, .xlsb, .xls), OpenDocument (.ods), and text tables (.csv, .tsv).

It knows sheets and rows. Formulas are read as the values they last had; charts and pictures are left out.
"""

import csv
import io
import re

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum, SheetVisibleEnum

from knowledge.documents.model import MAX_CELLS, Document, DocumentBuilder, title_from_name
from knowledge.documents.refusals import locked
from knowledge.documents.tables import cell_text, write_sheet, write_table
from knowledge.documents.text import decode

SNIFFED = 20_000
"""Characters that are looked at to find what parts the cells."""
MOST_COLUMNS = 2_000
_UNNAMED = re.compile(r"(sheet|tabelle|feuil|hoja|foglio|planilha|blad|лист|工作表)\s*\d+$", re.IGNORECASE)
MOST_IN_A_CELL = 1_000_000
"""Characters."""


def read_workbook(data: bytes, name: str, digest: str) -> Document:
    """A workbook, a section for every sheet that is not hidden, under the sheet's name."""
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    except PasswordError as problem:
        raise locked(name, "Excel") from problem
    builder = DocumentBuilder(name, digest, unit="sheet")
    for number, sheet in enumerate(book.sheets_metadata, start=1):
        if sheet.typ != SheetTypeEnum.WorkSheet or sheet.visible != SheetVisibleEnum.Visible:
            continue
        rows = book.get_sheet_by_name(sheet.name).to_python(skip_empty_area=True)
        builder.page(number)
        if any(cell != "" for row in rows for cell in row) and not _UNNAMED.match(sheet.name):
            builder.heading(1, sheet.name)
        write_sheet(builder, [[cell_text(cell) for cell in row[:MOST_COLUMNS]] for row in rows])
    return builder.finish(title_from_name(name))


def read_csv(data: bytes, name: str, digest: str) -> Document:
    """A text table: its first row names the columns; comma, semicolon, tab or bar part the cells."""
    text = decode(data, name)
    builder = DocumentBuilder(name, digest)
    lines = io.StringIO(text.replace("\0", ""), newline="")
    mark = _delimiter(text, name)
    builder.limit(text.count("\n") + text.count(mark), MAX_CELLS, "cells in a table")
    csv.field_size_limit(MOST_IN_A_CELL)
    write_table(builder, list(csv.reader(lines, delimiter=mark)))
    return builder.finish(title_from_name(name))


def _delimiter(text: str, name: str) -> str:
    """What parts the cells: the mark that the first lines hold equally often, or else most often."""
    if name.lower().endswith(".tsv"):
        return "\t"
    lines = [line for line in text[:SNIFFED].splitlines()[:20] if line.strip()]
    counts = {mark: [line.count(mark) for line in lines] for mark in (",", ";", "\t", "|")}

    def evenness(mark: str) -> tuple[bool, int]:
        found = counts[mark]
        return (bool(found) and min(found) > 0 and min(found) == max(found), sum(found))

    return max(counts, key=evenness)
