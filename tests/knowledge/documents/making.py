"""Small files of each format, made on the spot."""

import io
import zipfile
from pathlib import Path

from knowledge.documents import Document, read_document


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
