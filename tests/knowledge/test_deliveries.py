"""Zip files in a delivery, through the knowledge base."""

from knowledge.retrieval import KnowledgeBase
from tests.knowledge.conftest import HOURS, POTS, Write, best, names
from tests.knowledge.documents.making import archive


def test_each_file_of_a_zip_is_a_document(knowledge: KnowledgeBase, write: Write) -> None:
    states = knowledge.add([write("all.ZIP", archive({"care/pots.md": POTS, "hours.md": HOURS}))])
    assert [(state.name, state.state) for state in states] == [
        ("care/pots.md", "ready"),
        ("hours.md", "ready"),
    ]
    assert best(knowledge, "shop hours") == "hours.md"
    assert knowledge.text("care/pots.md").startswith("Pots")


def test_a_bad_file_in_a_zip_costs_only_itself(knowledge: KnowledgeBase, write: Write) -> None:
    inside = {"../up.md": POTS, "inner.zip": archive({"a.md": "x"}), "empty.md": "", "pots.md": POTS}
    states = knowledge.add([write("all.zip", archive(inside)), write("hours.md", HOURS)])
    assert [state.state for state in states] == ["refused", "refused", "refused", "ready", "ready"]
    assert states[0].message.startswith("../up.md in all.zip would be written outside")
    assert names(knowledge) == ["hours.md", "pots.md"]


def test_a_zip_that_is_refused_is_listed_with_the_reason(knowledge: KnowledgeBase, write: Write) -> None:
    states = knowledge.add([write("bomb.zip", archive({"a.txt": b"0" * 40_000_000}))])
    assert [(state.name, state.state) for state in states] == [("bomb.zip", "refused")]
    assert "bomb.zip would unpack from 0.0 to 40.0 MB" in states[0].message


def test_nothing_unpacked_is_left_behind(knowledge: KnowledgeBase, write: Write) -> None:
    (knowledge.folder / ".unpacked-killed").mkdir()
    knowledge.add([write("all.zip", archive({"pots.md": POTS}))])
    assert [path.name for path in knowledge.folder.glob(".unpacked*")] == []
