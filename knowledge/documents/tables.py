"""Tables as documents have them: rows of cells, or questions with their answers. Knows no file format."""

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta

from knowledge.documents.model import DocumentBuilder
from knowledge.documents.text import one_line

QUESTION_NAMES = ("question", "questions", "q", "faq", "frage", "pregunta", "domanda")
ANSWER_NAMES = ("answer", "answers", "a", "response", "reply", "antwort", "réponse", "respuesta", "risposta")

Rows = Sequence[Sequence[str]]


def write_table(builder: DocumentBuilder, rows: Rows, *, level: int = 3) -> None:
    """Hand over a table; where its columns are questions and answers, each pair as a heading and its text."""
    head = [one_line(cell).casefold() for cell in rows[0]] if rows else []
    asked = next((place for place, name in enumerate(head) if name in QUESTION_NAMES), None)
    answered = next((place for place, name in enumerate(head) if name in ANSWER_NAMES), None)
    if asked is None or answered is None:
        builder.table(rows)
        return
    for row in rows[1:]:
        cells = [*row, *[""] * (len(head) - len(row))]
        builder.heading(level, cells[asked])
        builder.block(cells[answered])
        for place, name in enumerate(rows[0]):
            if place not in (asked, answered) and cells[place].strip():
                builder.block(f"{name}: {cells[place]}")


def write_sheet(builder: DocumentBuilder, rows: Rows) -> None:
    """Hand over a sheet: rows with one cell alone are text, the runs of rows between them are tables."""
    run: list[Sequence[str]] = []
    for row in (*rows, ()):
        filled = [cell for cell in row if cell.strip()]
        if len(filled) > 1:
            run.append(row)
            continue
        if filled and len(run) > 1:
            run.append(row)  # a sparse row in the middle of a table
            continue
        write_table(builder, run)
        run = []
        builder.block("".join(filled))


def cell_text(value: object) -> str:
    """What a spreadsheet shows for a value, as far as it can be told without the cell's format."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else f"{value:.10g}"
    if isinstance(value, datetime):
        return value.isoformat(" ", "minutes") if value.time() != time() else value.date().isoformat()
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return str(value)
    return "" if value is None else str(value)
