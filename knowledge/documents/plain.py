"""Reads plain text (.txt). It knows paragraphs only: plain text has no headings to trust."""

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.text import clean, decode


def read_plain(data: bytes, name: str, digest: str) -> Document:
    """A text file as one section, its paragraphs kept apart."""
    builder = DocumentBuilder(name, digest)
    for paragraph in clean(decode(data, name)).split("\n\n"):
        builder.block(paragraph)
    return builder.finish()
