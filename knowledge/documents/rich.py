"""Reads Rich Text files (.rtf): paragraphs and table rows, for Rich Text names its headings too seldom."""

import re

from striprtf.striprtf import rtf_to_text

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.refusals import damaged
from knowledge.documents.text import clean

_PICTURE = re.compile(r"\\pict\b[^{}]*|\\bin\d+ ", re.ASCII)


def read_rich(data: bytes, name: str, digest: str) -> Document:
    """A Rich Text file as paragraphs, and tables where rows of cells follow each other."""
    if not data.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{\\rtf"):
        raise damaged(name, "it does not begin as Rich Text does")
    source = _PICTURE.sub("", data.decode("latin-1"))
    builder = DocumentBuilder(name, digest)
    rows: list[list[str]] = []
    for line in [*clean(rtf_to_text(source, errors="ignore")).split("\n"), ""]:
        cells = line.split("|")
        if len(cells) > 2 and not cells[-1].strip():  # the library ends every cell with a bar
            rows.append(cells[:-1])
            continue
        builder.table(rows)
        rows = []
        builder.block(line)
    return builder.finish()
