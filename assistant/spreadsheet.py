"""Tables as CSV that opens in any spreadsheet and runs nothing there.

It knows rows of text. It does not know what they say.
"""

import csv
import io
from collections.abc import Iterable, Sequence

FORMULA = "=+-@\t\r\n"
"""What a cell begins with that a spreadsheet takes for a formula, or strips to find one behind it."""


def to_csv(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows under a head as CSV; no cell can begin a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([inert(cell) for cell in row] for row in rows)
    return out.getvalue()


def inert(text: str) -> str:
    """Text that no spreadsheet reads as a formula: an apostrophe goes before one."""
    return f"'{text}" if text.lstrip(" ")[:1] and text.lstrip(" ")[0] in FORMULA else text
