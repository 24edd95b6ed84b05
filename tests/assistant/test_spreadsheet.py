"""CSV that runs nothing where it is opened."""

import csv
import io

import pytest

from assistant.spreadsheet import inert, to_csv


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+44 20", "'+44 20"),
        ("-5", "'-5"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("  =cmd|' /C calc'!A0", "'  =cmd|' /C calc'!A0"),
        ("a=1", "a=1"),
        ("", ""),
    ],
    ids=["equals", "plus", "minus", "at", "tab", "behind spaces", "inside", "empty"],
)
def test_no_cell_begins_a_formula(text: str, written: str) -> None:
    assert inert(text) == written


def test_rows_come_back_as_they_were_written() -> None:
    rows = [["1", 'say "hi", then\nwait'], ["2", "ä;b"]]
    assert list(csv.reader(io.StringIO(to_csv(("n", "text"), rows)))) == [["n", "text"], *rows]
