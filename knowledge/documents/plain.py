"""Reads plain text (.txt). It knows paragraphs only: plain text has no headings to trust."""

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.text import clean, decode, paragraphs


def read_plain(data: bytes, name: str, digest: str) -> Document:
    """A text file as one section, its paragraphs kept apart."""
    builder = DocumentBuilder(name, digest)
    for paragraph in paragraphs(clean(decode(data, name))):
        builder.block(paragraph)
    return builder.finish()
