"""Tables as CSV that opens in any spreadsheet and runs nothing there.

It knows rows of text. It does not know what they say.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r"(^|[;|\t\r\n])(\s*)(?=[=+\-@＝＋－＠])")
"""Where a formula could begin: at the start, and where a program that takes another mark for the one between
cells, or a line end in a cell for the end of its row, would begin a cell."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?(e[+-]?\d+)?", re.IGNORECASE)


def to_csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows under a head as CSV; no cell can begin a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def inert(text: str) -> str:
    """Text in which no spreadsheet finds a formula: an apostrophe goes before one. Numbers stay numbers."""
    return text if _NUMBER.fullmatch(text) else _FORMULA.sub(r"\1\2'", text)
