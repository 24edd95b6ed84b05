"""Reads data (.json, .jsonl, .ipynb): records as lines of names and values, lists of like records as tables.

It knows JSON and notebooks. Questions with their answers become headings with their text.
"""

import json
from typing import Any

from knowledge.documents.markdown import write_markdown
from knowledge.documents.model import Document, DocumentBuilder, title_from_name
from knowledge.documents.refusals import damaged
from knowledge.documents.tables import cell_text, write_table
from knowledge.documents.text import decode

DEEPEST = 6
"""Levels that become headings; what lies deeper is written as names and values."""
NAMES = ("title", "name", "question", "heading", "subject", "id", "key")
"""What tells one record of a list from the others, best first."""
TABLE_CELL = 200
"""Characters; records with longer values are not shown as a table."""


def read_json(data: bytes, name: str, digest: str) -> Document:
    """A JSON file; JSON Lines as a list of its lines.

    Raises:
        KnowledgeError: it is not JSON; the text names the line.
    """
    text = decode(data, name)
    builder = DocumentBuilder(name, digest)
    value = _lines(text, name) if name.lower().endswith((".jsonl", ".ndjson")) else _value(text, name)
    _write(value, builder, 1)
    return builder.finish(title_from_name(name))


def read_notebook(data: bytes, name: str, digest: str) -> Document:
    """A notebook: its text as Markdown, its code as code; what the code printed is left out."""
    book = _value(decode(data, name), name)
    if not isinstance(book, dict) or not isinstance(book.get("cells"), list):
        raise damaged(name, "it holds no cells")
    builder = DocumentBuilder(name, digest)
    for cell in book["cells"]:
        source = cell.get("source", "") if isinstance(cell, dict) else ""
        text = "".join(map(str, source)) if isinstance(source, list) else str(source)
        if isinstance(cell, dict) and cell.get("cell_type") == "markdown":
            write_markdown(text, builder)
        else:
            builder.verbatim(text)
    return builder.finish()


def _value(text: str, name: str) -> Any:
    try:
        return json.loads(text)
    except RecursionError as problem:
        raise damaged(name, "its values are nested too deep") from problem
    except json.JSONDecodeError as problem:
        try:
            return _lines(text, name)  # JSON Lines are often given the ending .json
        except Exception:  # noqa: BLE001 - what is wrong with the file as a whole says more
            raise damaged(name, f"line {problem.lineno}: {problem.msg}") from problem


def _lines(text: str, name: str) -> list[Any]:
    values = []
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                values.append(json.loads(line))
            except (json.JSONDecodeError, RecursionError) as problem:
                raise damaged(name, f"line {number} is not JSON") from problem
    return values


def _write(value: Any, builder: DocumentBuilder, level: int) -> None:
    if isinstance(value, dict):
        _write_record(value, builder, level)
    elif isinstance(value, list):
        _write_list(value, builder, level)
    else:
        builder.block(cell_text(value))


def _write_record(record: dict[str, Any], builder: DocumentBuilder, level: int) -> None:
    """Plain values as lines of name and value, then what lies below under its own heading."""
    plain = [f"{key}: {_plain(value)}" for key, value in record.items() if _is_plain(value)]
    builder.block("\n".join(plain))
    for key, value in record.items():
        if _is_plain(value) or not value:
            continue
        if level > DEEPEST:
            builder.block(f"{key}: {json.dumps(value, ensure_ascii=False)}")
        else:
            builder.heading(level, str(key))
            _write(value, builder, level + 1)


def _write_list(values: list[Any], builder: DocumentBuilder, level: int) -> None:
    rows = _as_rows(values)
    if rows:
        write_table(builder, rows, level=level)
        return
    for place, value in enumerate(values):
        if isinstance(value, dict) and level <= DEEPEST:
            builder.heading(level, _name_of(value, place))
            _write(value, builder, level + 1)
        elif isinstance(value, dict | list):
            builder.block(json.dumps(value, ensure_ascii=False))
        else:
            builder.block(f"- {cell_text(value)}", tight=place > 0)


def _as_rows(values: list[Any]) -> list[list[str]]:
    """A list of flat records with the same names as a table; nothing if it is no such list."""
    records = [value for value in values if isinstance(value, dict)]
    if len(records) < len(values) or not records:
        return []
    names = list(dict.fromkeys(key for record in records for key in record))
    flat = all(_is_plain(value) for record in records for value in record.values())
    asked = {"question", "answer"} <= {str(name).casefold() for name in names}
    short = all(len(_plain(value)) <= TABLE_CELL for record in records for value in record.values())
    alike = sum(map(len, records)) >= 0.6 * len(names) * len(records)
    if not (flat and alike and (short or asked)):
        return []
    return [
        [str(name) for name in names],
        *([_plain(record.get(name)) for name in names] for record in records),
    ]


def _is_plain(value: Any) -> bool:
    short = isinstance(value, list) and all(isinstance(each, str | int | float) for each in value)
    return not isinstance(value, dict | list) or (short and len(_plain(value)) <= TABLE_CELL)


def _plain(value: Any) -> str:
    return ", ".join(map(cell_text, value)) if isinstance(value, list) else cell_text(value)


def _name_of(record: dict[str, Any], place: int) -> str:
    names = {str(key).casefold(): value for key, value in record.items() if isinstance(value, str | int)}
    return next((str(names[key]) for key in NAMES if key in names), f"Entry {place + 1}")[:120]
