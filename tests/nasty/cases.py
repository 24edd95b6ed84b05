"""A nasty file: what it is called, how it is made, and what is to become of it."""

import re
from collections.abc import Callable
from dataclasses import dataclass

TEXT = "text"
"""The file is read."""
VERDICTS = {
    "damaged": r"can't be read; it seems damaged|can't be unpacked",
    "unpacks to too much": r"would unpack from",
    "no memory": r"needed more than [\d,]+ MB of memory",
    "too long": r"took longer than",
    "too much text": r"holds more than [\d,]+ characters",
    "too many cells": r"holds more than [\d,]+ cells",
    "too many tags": r"holds more than [\d,]+ tags",
    "too many pages": r"holds more than [\d,]+ pages",
    "too large": r"MB large\. The limit",
    "no text": r"holds no text",
    "no text at all": r"holds no text that people could read",
    "locked": r"is locked with a password",
    "empty": r"is empty",
    "unknown kind": r"is a picture|no kind of document|is an archive|is an old Word|Only the newer kind",
    "outside": r"would be written outside",
    "archive within": r"is an archive within",
    "no files": r"holds no files",
    "crashed": r"made its reader stop",
    "nothing known": r"is nothing that is known here",
    "no table": r"holds no table",
    "no workbook": r"can't be read as an Excel workbook",
    "no conversation": r"has no usable conversation",
    "columns to name": r"say which column is",
}
"""What a refusal says, by its short name."""


@dataclass(frozen=True)
class Nasty:
    """One nasty file."""

    label: str
    name: str
    make: Callable[[], bytes]
    wanted: str = TEXT
    never: str = ""
    """What may not stand in the text: it was fetched from elsewhere, or is no text."""
    holds: str = ""
    """What stands in the text."""
    slow: bool = False
    """Whether it takes more than a second to make and settle; then the benchmark alone tries it."""


def verdict(problem: str) -> str:
    """The short name of a refusal; the refusal itself if it has none."""
    found = [name for name, words in VERDICTS.items() if re.search(words, problem)]
    return found[-1] if found else problem
