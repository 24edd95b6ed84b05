"""CSV that runs nothing where it is opened."""

import csv
import io
import shutil
import subprocess
from pathlib import Path

import pytest
from lxml import etree

from assistant.spreadsheet import inert, to_csv
from tests.hostile import FORMULAS


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("=1+1", "'=1+1"),
        ("+44 20", "'+44 20"),
        ("-5", "-5"),
        ("-5.25e-3", "-5.25e-3"),
        ("-1+1", "'-1+1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "\t'=1"),
        ("  =cmd|' /C calc'!A0", "  '=cmd|' /C calc'!A0"),
        ("a;=1", "a;'=1"),
        ("a\r=1", "a\r'=1"),
        ("＝1+1", "'＝1+1"),
        ("a=1", "a=1"),
        ("", ""),
    ],
    ids=[
        *["equals", "plus", "a number", "a small number", "minus", "at", "tab", "behind spaces"],
        *["behind another mark", "behind a line end", "full width", "inside", "empty"],
    ],
)
def test_no_cell_begins_a_formula(text: str, written: str) -> None:
    assert inert(text) == written


def test_rows_come_back_as_they_were_written() -> None:
    rows = [["1", 'say "hi", then\nwait'], ["2", "ä;b"]]
    assert list(csv.reader(io.StringIO(to_csv(("n", "text"), rows)))) == [["n", "text"], *rows]


OFFICE = shutil.which("soffice")
TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
VALUE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}value"


def opened(folder: Path, texts: dict[str, str], marks: str) -> dict[str, etree._Element]:
    """Files as LibreOffice reads them, with formulas evaluated; `marks` are the codes of what parts cells."""
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, encoding="utf-8", newline="")
    reading = f"--infilter=CSV:{marks},34,76,1,,0,false,true,false,false,false,-1,true"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    files = [f"{name}.csv" for name in texts]
    asked = [str(OFFICE), profile, "--headless", reading, "--convert-to", "fods", *files]
    subprocess.run(asked, cwd=folder, check=True, capture_output=True, timeout=240)
    return {name: etree.parse(folder / f"{name}.fods").getroot() for name in texts}


@pytest.mark.skipif(OFFICE is None, reason="LibreOffice is not installed (libreoffice-calc-nogui)")
@pytest.mark.parametrize("marks", ["44", "44/59/9/124"], ids=["comma", "every mark"])
def test_libreoffice_finds_no_formula_and_reads_numbers_as_numbers(tmp_path: Path, marks: str) -> None:
    rows = [(text, "-5", "2.5") for text in FORMULAS]
    raw = io.StringIO()
    csv.writer(raw).writerows([["a", "b", "c"], *rows])
    found = opened(tmp_path, {"ours": to_csv(("a", "b", "c"), rows), "raw": raw.getvalue()}, marks)
    formulas = {name: root.xpath("//@*[local-name()='formula']") for name, root in found.items()}
    assert formulas["ours"] == []
    assert len(formulas["raw"]) >= 5  # the same table as it would be unguarded: the check can fail
    numbers = [cell.get(VALUE) for cell in found["ours"].iter(f"{TABLE}table-cell")]
    assert numbers.count("-5") >= len(FORMULAS) and numbers.count("2.5") >= len(FORMULAS)
