"""The formats that conversations come in, recognised by content and read as they stream in.

A face: `Source` is a file, `recognise` says what it is, `read` gives its conversations.
"""

from assistant.conversations.formats.recognising import (
    ASKED,
    TABLES,
    TITLES,
    Recognised,
    arranged,
    read,
    recognise,
    sample,
)
from assistant.conversations.formats.sides import FIELDS, LABELS, SHAPES, Layout
from assistant.conversations.formats.source import Source

__all__ = [
    "ASKED",
    "FIELDS",
    "LABELS",
    "SHAPES",
    "TABLES",
    "TITLES",
    "Layout",
    "Recognised",
    "Source",
    "arranged",
    "read",
    "recognise",
    "sample",
]
