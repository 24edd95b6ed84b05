import pytest

from assistant.conversations.changes import Changes
from assistant.errors import AssistantError
from assistant.prompts import Message


@pytest.fixture
def changes(tmp_path):
    return Changes(tmp_path / "changes.json")


def test_changes_hold_after_a_restart_and_are_undone_one_by_one(changes, tmp_path):
    changes.exclude("a.jsonl:1")
    changes.edit("a.jsonl:2", [Message("user", "Hi"), Message("assistant", " Good day ")])
    again = Changes(tmp_path / "changes.json")
    assert again.excluded() == ["a.jsonl:1"]
    assert again.edited() == {"a.jsonl:2": (Message("user", "Hi"), Message("assistant", "Good day"))}
    assert again.last() == ("edited", "a.jsonl:2")
    assert again.undo() == "a.jsonl:2" and again.undo() == "a.jsonl:1" and again.undo() is None
    assert again.excluded() == [] and again.edited() == {}


def test_what_is_so_already_is_no_change(changes):
    changes.include("a.jsonl:1")
    assert changes.last() is None
    changes.exclude("a.jsonl:1")
    changes.exclude("a.jsonl:1")
    changes.include("a.jsonl:1")
    assert changes.last() == ("included", "a.jsonl:1")
    changes.undo()
    changes.undo()
    assert changes.last() is None


def test_the_changes_of_a_replaced_file_are_forgotten_and_of_others_not(changes):
    changes.exclude("a.jsonl:1")
    changes.exclude("b.jsonl:1")
    changes.forget("a.jsonl")
    assert changes.excluded() == ["b.jsonl:1"]
    assert changes.last() == ("excluded", "b.jsonl:1")


BAD = {
    "empty": ([Message("user", "Hi"), Message("assistant", " ")], "A message is empty"),
    "unanswered": ([Message("user", "Hi")], "a conversation needs an assistant message after a user message"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_edit_that_teaches_nothing_is_refused(changes, case):
    messages, text = BAD[case]
    with pytest.raises(AssistantError, match=text):
        changes.edit("a.jsonl:1", messages)
    assert changes.last() is None
