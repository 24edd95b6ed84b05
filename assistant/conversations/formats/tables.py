"""Tables: CSV files and Excel workbooks, with a row a message or a row a pair of question and answer.

It knows rows and columns. Which column is what stands in a `Layout`, guessed or corrected by a person.
"""

import csv
import zipfile
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any

from assistant.conversations.formats.sides import (
    LABELS,
    Layout,
    called,
    guess_columns,
    guess_team,
    is_private,
)
from assistant.conversations.formats.source import MAX_LINE, Source
from assistant.conversations.formats.spill import Spill
from assistant.conversations.formats.times import iso_time
from assistant.conversations.model import Exported, Refusal, Turn, UnusableError, cut
from assistant.errors import AssistantError

SAMPLE = 3000
"""Rows that are looked at to guess who writes for the company."""
DELIMITERS = (",", ";", "\t", "|")
LONG = 20
"""Letters that the cells of a column have on average, at least, to be taken for messages."""
LEAD = 10
"""Rows that may stand over the heads."""
MAX_UNPACKED = 1_000_000_000
MAX_RATIO = 200
"""Of a workbook: bytes when unpacked, and how many times its size that may be."""

IN_A_ROW = ("speaker", "text", "time", "topic", "customer", "private")
"""What is read of a row that is a message, in this order."""

Row = tuple[int, list[str]]
"""A row's number in the file, and its cells."""


def delimiter_of(text: str) -> str:
    """What separates the cells of a table: what cuts its first rows into the most equal parts."""
    best, most = ",", 0
    for delimiter in DELIMITERS:
        rows = first_rows(text, delimiter, 30)
        widths = [len(row) for row in rows if any(row)]
        usual = max(set(widths), key=widths.count, default=0)
        score = widths.count(usual) * (usual - 1)
        if usual > 1 and score > most:
            best, most = delimiter, score
    return best


def first_rows(text: str, delimiter: str, count: int) -> list[list[str]]:
    """The first rows of a text, cut at this mark; none where it is no table."""
    csv.field_size_limit(MAX_LINE)
    try:
        return list(islice(csv.reader(text.splitlines(keepends=True), delimiter=delimiter), count))
    except csv.Error:
        return []


def read_table(source: Source, layout: Layout, *, most: int | None = None) -> Iterator[Exported | Refusal]:
    """The conversations of a table, or of its first `most` rows.

    Raises:
        AssistantError: a column that can't be done without is not named, or the file is no table.
    """
    if layout.missing:
        fields = " and ".join(LABELS[name] for name in layout.missing)
        raise AssistantError(f"{source.name}: say which column is {fields}, then go on.")
    columns, all_rows = open_table(source)
    rows = islice(all_rows, most)
    places = {name: columns.index(column) for name, column in layout.columns.items() if column in columns}
    if layout.shape == "pairs":
        return _pairs(source, places, rows)
    return _messages(source, layout, places, rows)


def look_at_table(source: Source) -> tuple[list[str], list[Row], Layout]:
    """The columns, some rows, and the likeliest layout.

    Raises:
        AssistantError: the file is no table.
    """
    columns, all_rows = open_table(source)
    rows = list(islice(all_rows, SAMPLE))
    layout = _with_text(guess_columns(columns), columns, rows)
    return columns, rows, with_team(layout, columns, rows)


def _with_text(layout: Layout, columns: Sequence[str], rows: Sequence[Row]) -> Layout:
    """The layout with the column of the longest cells as its text, where no name tells which it is."""
    free = [column for column in columns if column not in layout.columns.values()]
    if layout.shape == "pairs" or layout.columns.get("text") or not free or len(columns) < 3:
        return layout
    places = {name: index for index, name in enumerate(columns)}
    letters = {column: sum(len(_cell(row, places, column)) for _, row in rows) for column in free}
    longest = max(free, key=lambda column: letters[column])
    if letters[longest] < LONG * len(rows):
        return layout
    return Layout(layout.shape, {**layout.columns, "text": longest})


def with_team(layout: Layout, columns: Sequence[str], rows: Sequence[Row]) -> Layout:
    """The layout with those who write for the company, guessed from these rows."""
    if layout.shape == "pairs" or layout.missing:
        return Layout(layout.shape, layout.columns)
    places = {name: columns.index(column) for name, column in layout.columns.items()}
    threads: dict[str, list[tuple[str, str]]] = {}
    for _, row in rows:
        moment = iso_time(_cell(row, places, "time"))
        told = (moment, _cell(row, places, "speaker"))
        threads.setdefault(_cell(row, places, "thread"), []).append(told)
    team, left_out = guess_team(
        [[speaker for _, speaker in (sorted(told, key=lambda each: each[0]))] for told in threads.values()]
    )
    return Layout(layout.shape, layout.columns, team, left_out)


def speakers_in(column: int, rows: Sequence[Row]) -> list[str]:
    """The speakers of these rows, the most frequent first."""
    counts: dict[str, int] = {}
    for _, row in rows:
        if len(row) > column and row[column]:
            counts[row[column]] = counts.get(row[column], 0) + 1
    return sorted(counts, key=lambda speaker: -counts[speaker])


def open_table(source: Source) -> tuple[list[str], Iterator[Row]]:
    """The columns of a table, and its rows as they are read.

    Raises:
        AssistantError: it is no table, or a workbook that would unpack to too much.
    """
    rows = _workbook_rows(source) if zipfile.is_zipfile(source.path) else _csv_rows(source)
    lead = list(islice(rows, LEAD))
    usual = max((len([cell for cell in row if cell]) for _, row in lead), default=0)
    for index, (_, row) in enumerate(lead):
        if usual > 1 and len([cell for cell in row if cell]) >= max(2, usual - 1):
            return _unique(row), _rest(lead[index + 1 :], rows)
    raise AssistantError(f"{source.name} holds no table of at least two columns. Export it again as CSV.")


def _rest(lead: list[Row], rows: Iterator[Row]) -> Iterator[Row]:
    yield from lead
    yield from rows


def _unique(heads: Sequence[str]) -> list[str]:
    names: list[str] = []
    for index, head in enumerate(heads, start=1):
        name = head or f"Column {index}"
        names.append(f"{name} ({index})" if name in names else name)
    return names


def _csv_rows(source: Source) -> Iterator[Row]:
    csv.field_size_limit(MAX_LINE)
    with source.text() as file:
        delimiter = delimiter_of(file.read(65_536))
    with source.text() as file:
        reader = csv.reader((line.replace("\0", "") for line in file), delimiter=delimiter)
        while True:
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error:
                continue  # a cell beyond the limit: the row is left out
            if any(cell.strip() for cell in row):
                yield reader.line_num, [cell.strip() for cell in row]


def _workbook_rows(source: Source) -> Iterator[Row]:
    from openpyxl import load_workbook  # takes a while to import, and most files need it not

    try:
        _check_workbook(source)
        with source.open() as file:
            book = load_workbook(file, read_only=True, data_only=True)
            sheet = max(book.worksheets, key=lambda each: each.max_row or 0)
            for number, cells in enumerate(sheet.iter_rows(values_only=True), start=1):
                row = [_as_text(cell) for cell in cells]
                if any(row):
                    yield number, row
    except (AssistantError, MemoryError):
        raise
    except Exception as problem:  # a parser fed with a broken file may raise anything
        found = cut(str(problem))
        raise AssistantError(
            f"{source.name} can't be read as an Excel workbook ({found}). Save it as CSV, and add that."
        ) from problem


def _check_workbook(source: Source) -> None:
    with zipfile.ZipFile(source.path) as packed:
        unpacked = sum(entry.file_size for entry in packed.infolist())
    if unpacked > MAX_UNPACKED or unpacked > MAX_RATIO * max(source.size, 50_000):
        raise AssistantError(
            f"{source.name} would unpack from {source.size / 1e6:.1f} to {unpacked / 1e6:,.0f} MB. "
            "No real workbook does. Save it as CSV, and add that."
        )


def _as_text(cell: Any) -> str:
    if cell is None:
        return ""
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell).strip()


def _cell(row: Sequence[str], places: dict[str, int], name: str) -> str:
    place = places.get(name)
    return row[place] if place is not None and place < len(row) else ""


def _pairs(source: Source, places: dict[str, int], rows: Iterator[Row]) -> Iterator[Exported | Refusal]:
    for number, row in rows:
        asked, answered = _cell(row, places, "question"), _cell(row, places, "answer")
        moment = iso_time(_cell(row, places, "time"))
        turns = (Turn(asked, "user", time=moment), Turn(answered, "assistant"))
        customer, topic = _cell(row, places, "customer"), _cell(row, places, "topic")
        yield Exported(turns, number, customer, topic)


def _messages(
    source: Source, layout: Layout, places: dict[str, int], rows: Iterator[Row]
) -> Iterator[Exported | Refusal]:
    with Spill(source.size) as spill:
        for number, row in rows:
            thread = _cell(row, places, "thread")
            if not thread:
                rule = f"each row needs its conversation (column {layout.columns['thread']})"
                empty = UnusableError("found no conversation", rule, "Fill it in, or leave the row out.")
                yield empty.refusal(source.name, number)
                continue
            told = [_cell(row, places, name) for name in IN_A_ROW]
            spill.add(thread, [number, *told])
        for _, group in spill.groups():
            yield _thread(group, layout)


def _thread(group: list[list[Any]], layout: Layout) -> Exported:
    """The conversation of some rows: in the order of their times where all have one, else as they stand."""
    column = layout.columns.get("private", "")
    turns = [
        Turn(text, "note" if is_private(column, private) else layout.side(who), who, iso_time(moment))
        for _, who, text, moment, _, _, private in group
    ]
    if all(turn.time for turn in turns):
        turns.sort(key=lambda turn: turn.time)
    topic, customer = (next((row[place] for row in group if row[place]), "") for place in (4, 5))
    authors = called(turn.author for turn in turns if turn.side == "user")
    return Exported(tuple(turns), group[0][0], customer, topic, authors)
