"""Company documents as plain text that remembers where each part came from.

Readers know one format each; the guard runs them where they can do no harm. Nothing here cuts or searches.
"""

from knowledge.documents.archive import Member, unpack
from knowledge.documents.guard import Guard, read_guarded
from knowledge.documents.model import Document, Section
from knowledge.documents.reading import SUFFIXES, check_file, read_document

__all__ = [
    "SUFFIXES",
    "Document",
    "Guard",
    "Member",
    "Section",
    "check_file",
    "read_document",
    "read_guarded",
    "unpack",
]
