"""What many documents repeat at their edges is left out of passages; what a few share stays."""

from pathlib import Path

import pytest

from knowledge.boilerplate import Trim, edges_of, trimmed, trims_of
from knowledge.chunking import CutSettings, cut
from knowledge.documents import Document, read_document
from knowledge.retrieval import KnowledgeBase
from tests.knowledge.conftest import WordEncoder, Write, reopened

FOOTER = "Contact our friendly team\n\nAll rights reserved"
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def page(number: str, *, head: str = "", tail: str = FOOTER) -> str:
    middle = (
        f"# Plant {number}\n\nPlant {number} likes {number} hours of light.\n\nPlant {number} costs {number}."
    )
    return "\n\n".join(part for part in (head, middle, tail) if part) + "\n"


def documents(folder: Path, texts: dict[str, str]) -> dict[str, Document]:
    found = {}
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
        found[name] = read_document(folder / name, name)
    return found


def trims(folder: Path, texts: dict[str, str]) -> dict[str, Trim]:
    return trims_of({name: edges_of(each) for name, each in documents(folder, texts).items()})


def test_a_footer_of_many_documents_is_left_out_of_all_but_the_first(tmp_path: Path) -> None:
    texts = {f"{number}.md": page(number) for number in NUMBERS}
    found = trims(tmp_path, texts)
    assert found == {name: Trim(0, 0 if name == "eight.md" else 2) for name in texts}
    for name, document in documents(tmp_path, texts).items():
        shorter = trimmed(document, found[name])
        said = "\n".join(passage.text for passage in cut(shorter, CutSettings()))
        assert ("All rights" in said, "costs" in said) == (name == "eight.md", True)
        for section in shorter.sections:
            assert document.text[section.start : section.start + len(section.text)] == section.text


def test_navigation_before_the_title_is_left_out_too(tmp_path: Path) -> None:
    texts = {f"{number}.md": page(number, head="Home\n\nShop", tail="") for number in NUMBERS}
    assert set(trims(tmp_path, texts).values()) == {Trim(2, 0), Trim(0, 0)}


@pytest.mark.parametrize(
    ("repeated", "others", "tail"),
    [(4, 0, FOOTER), (5, 25, FOOTER), (5, 5, "Batteries are not included."), (0, 10, FOOTER)],
    ids=["too few documents", "too small a share", "one line in half of them", "none"],
)
def test_what_a_few_documents_share_stays(tmp_path: Path, repeated: int, others: int, tail: str) -> None:
    texts = {f"a{number}.md": page(f"a{number}", tail=tail) for number in range(repeated)}
    texts |= {f"b{number}.md": page(f"b{number}", tail=f"End {number}") for number in range(others)}
    assert set(trims(tmp_path, texts).values()) == {Trim()}


def test_lines_that_differ_in_a_number_are_not_the_same(tmp_path: Path) -> None:
    texts = {f"{at}.md": page(name, tail=f"Ring 555-{at}\n\nRoom {at}") for at, name in enumerate(NUMBERS)}
    assert set(trims(tmp_path, texts).values()) == {Trim()}


def test_documents_that_are_mostly_alike_stay_whole(tmp_path: Path) -> None:
    tail = "\n\n".join(f"Rule {number} of the house is kept by all." for number in NUMBERS)
    texts = {f"{number}.md": page(number, tail=tail) for number in NUMBERS}
    found = trims(tmp_path, texts)
    assert found["one.md"].tail == 10
    document = documents(tmp_path, texts)["one.md"]
    assert trimmed(document, found["one.md"]) is document


def said(knowledge: KnowledgeBase) -> dict[str, str]:
    everything = knowledge.search("plant rights", count=100).found
    passages = [*(each.passage for each in everything), *(twin for each in everything for twin in each.twins)]
    return {each.document: each.text for each in passages}


def test_the_index_follows_as_documents_come_and_go(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    knowledge.add([write(f"{number}.md", page(number)) for number in NUMBERS[:4]])
    assert all("All rights" in text for text in said(knowledge).values())
    knowledge.add([write(f"{number}.md", page(number)) for number in NUMBERS[4:]])
    kept = [name for name, text in said(knowledge).items() if "All rights" in text]
    assert kept == ["eight.md"]
    assert "All rights" in knowledge.text("one.md")
    before = len(encoder.texts)
    knowledge.add([write("eleven.md", page("eleven"))])
    assert len(encoder.texts) == before + 1
    assert "All rights" not in said(reopened(knowledge, encoder))["eleven.md"]
    gone = [f"{number}.md" for number in (*NUMBERS[:3], *NUMBERS[5:])]
    knowledge.remove(gone)
    assert {"All rights" in text for text in said(knowledge).values()} == {True}
    knowledge.restore(gone)
    assert sum("All rights" in text for text in said(knowledge).values()) == 1
