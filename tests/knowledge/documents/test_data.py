"""JSON files and notebooks."""

import json
from pathlib import Path

import pytest

from knowledge.errors import KnowledgeError
from tests.knowledge.documents.making import places, read, tables


def test_records_become_names_and_values_under_headings(tmp_path: Path) -> None:
    value = {
        "shop": "Fernhollow",
        "open": True,
        "delivery": {"days": 3, "to": ["Rome", "Oslo"], "by": {"post": "yes"}},
    }
    assert places(read(tmp_path, "a.json", json.dumps(value))) == [
        ((), "shop: Fernhollow\nopen: yes"),
        (("delivery",), "days: 3\nto: Rome, Oslo"),
        (("delivery", "by"), "post: yes"),
    ]


def test_a_list_of_like_records_is_a_table(tmp_path: Path) -> None:
    rows = [{"to": "Rome", "days": 4}, {"to": "Oslo", "days": 6}]
    assert tables(read(tmp_path, "a.json", json.dumps(rows))) == ["to | days\nRome | 4\nOslo | 6"]


def test_long_records_are_told_apart_by_their_title(tmp_path: Path) -> None:
    value = [{"title": "Pots", "body": "x" * 300}, {"title": "Bags", "body": "y" * 300, "tags": {"a": 1}}]
    assert [heading for heading, _ in places(read(tmp_path, "a.json", json.dumps(value)))] == [
        ("Pots",),
        ("Bags",),
        ("Bags", "tags"),
    ]


@pytest.mark.parametrize("name", ["faq.json", "faq.jsonl"])
def test_questions_and_answers_are_read_as_pairs(tmp_path: Path, name: str) -> None:
    pairs = [
        {"question": "Which pots?", "answer": "Clay. " * 60},
        {"question": "When?", "answer": "At nine."},
    ]
    text = json.dumps(pairs) if name.endswith(".json") else "\n".join(map(json.dumps, pairs))
    assert places(read(tmp_path, name, text))[1] == (("When?",), "At nine.")


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.json", '{"a": 1,\n oops}', "line 2: Expecting property name"),
        ("a.jsonl", '{"a": 1}\noops', "line 2 is not JSON"),
        ("a.json", "[" * 100_000, "nested too deep"),
        ("a.ipynb", "{}", "it holds no cells"),
    ],
    ids=["json", "lines", "deep", "notebook"],
)
def test_broken_data_names_the_line(tmp_path: Path, name: str, text: str, found: str) -> None:
    with pytest.raises(KnowledgeError, match=found):
        read(tmp_path, name, text)


def test_a_notebook_is_its_text_and_its_code(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Care\n", "Water it."]},
        {"cell_type": "code", "source": "if dry:\n    water()", "outputs": [{"text": "printed"}]},
    ]
    document = read(tmp_path, "a.ipynb", json.dumps({"cells": cells}))
    assert document.text == "Care\n\nWater it.\n\nif dry:\n    water()"
