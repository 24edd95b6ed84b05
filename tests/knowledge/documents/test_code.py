"""Program code."""

from pathlib import Path

import pytest

from tests.knowledge.documents.making import places, read

PYTHON = '''"""Fees."""
import os


# What a parcel costs.
@cache
def fee(weight):
    return 3 if weight < 2 else 5


class Parcel:
    """A parcel."""

    def weigh(self):
        def inner_of_inner():
                pass
        return 2
'''


def test_each_definition_is_a_section_with_its_comments(tmp_path: Path) -> None:
    document = read(tmp_path, "shop/fees.py", PYTHON)
    assert document.title == "shop/fees.py"
    assert [heading for heading, _ in places(document)] == [
        (),
        ("fee",),
        ("Parcel",),
        ("Parcel", "weigh"),
        ("Parcel", "weigh", "inner_of_inner"),
    ]
    assert places(document)[1][1].startswith("# What a parcel costs.\n@cache\ndef fee(weight):\n    return 3")


@pytest.mark.parametrize(
    ("name", "source", "names"),
    [
        ("a.js", "export function fee(a) {\n  return 1\n}\nclass A {}\n", ["fee", "A"]),
        ("a.ts", "export interface Fee { a: string }\n", ["Fee"]),
        ("a.java", "public class A {\n  public int fee(int x) { return x; }\n}\n", ["A", "fee"]),
        ("a.go", "type T struct {}\nfunc Fee(x int) int { return x }\n", ["T", "Fee"]),
        ("a.rs", "pub fn fee() -> i32 { bar(1) }\n", ["fee"]),
        ("a.c", "int fee(int x) {\n  return bar(x);\n}\n", ["fee"]),
        ("a.yaml", "shop:\n  open: true\n", []),
    ],
)
def test_definitions_are_known_in_many_languages(
    tmp_path: Path, name: str, source: str, names: list[str]
) -> None:
    found = [heading[-1] for heading, _ in places(read(tmp_path, name, source)) if heading]
    assert found == names


def test_code_keeps_its_spaces(tmp_path: Path) -> None:
    assert read(tmp_path, "a.py", "if x:\n\treturn  1\n").text == "if x:\n    return  1"


def test_lines_made_by_programs_are_left_out(tmp_path: Path) -> None:
    assert read(tmp_path, "a.js", "// ours\nvar a=" + "1," * 3000 + "\n").text == "// ours"


@pytest.mark.parametrize("name", ["README", "docs/LICENSE", "Makefile"])
def test_files_without_an_ending_that_every_repository_has_are_text(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, name, "Words.").text == "Words."
