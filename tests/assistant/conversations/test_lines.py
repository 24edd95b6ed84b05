"""Kept conversations are read from their files when they are asked for, and found again without a search."""

import json
import os
import tracemalloc

import pytest

from assistant.adapters import conversation_digest
from assistant.conversations import ConversationStore, KeptConversations, fair_sample, lines
from assistant.conversations.lines import keep_lines, look_through, remembered_lines
from assistant.errors import AssistantError
from assistant.prompts import Message


def line(text):
    turns = [{"role": "user", "content": text}, {"role": "assistant", "content": "Yes."}]
    return json.dumps({"messages": turns}) + "\n"


def put(store, name, texts):
    store.folder.mkdir(exist_ok=True)
    (store.folder / name).write_text("".join(map(line, texts)))


def asked(conversations):
    return [each.messages[0].content for each in conversations]


@pytest.fixture
def store(tmp_path):
    """Two files of three and two conversations, with a line between them that can't be used."""
    store = ConversationStore(tmp_path / "kept")
    put(store, "a.jsonl", ["a1", "a2"])
    with (store.folder / "a.jsonl").open("a") as file:
        file.write("\nnonsense\n" + line("a3 Größe"))
    put(store, "b.jsonl", ["b1", "b2"])
    return store


def test_conversations_are_a_sequence_over_all_files(store):
    told = store.read().conversations
    assert len(told) == 5 and asked(told) == ["a1", "a2", "a3 Größe", "b1", "b2"]
    assert [told[place].source for place in (0, 2, 3, -1)] == [
        "a.jsonl:1",
        "a.jsonl:5",
        "b.jsonl:1",
        "b.jsonl:2",
    ]
    assert asked(told[1:4]) == ["a2", "a3 Größe", "b1"] and asked(told[4:]) == ["b2"]
    with pytest.raises(IndexError):
        told[5]


def test_what_a_person_changed_is_so_in_the_sequence(store):
    store.changes.exclude("a.jsonl:2")
    store.changes.edit("b.jsonl:1", [Message("user", "new"), Message("assistant", "Yes.")])
    reading = store.read()
    assert asked(reading.conversations) == ["a1", "a3 Größe", "new", "b2"]
    assert asked(reading.excluded) == ["a2"]
    store.changes.exclude("gone.jsonl:1")
    store.changes.exclude("a.jsonl:4")
    assert len(store.read().excluded) == 1


def test_a_conversation_is_found_by_its_source(store):
    store.changes.exclude("a.jsonl:1")
    told = store.read().conversations
    assert [told.place_of(source) for source in ("a.jsonl:5", "b.jsonl:2")] == [1, 3]
    assert [told.place_of(source) for source in ("a.jsonl:1", "a.jsonl:4", "c.jsonl:1", "odd")] == [None] * 4


def test_words_are_found_whatever_their_capitals_and_told_by_number(store):
    told = store.read().conversations
    assert asked(told.holding("GRÖSSE ")) == [] and asked(told.holding(" größe")) == ["a3 Größe"]
    assert told.holding(" ") is told and told.holding("a") is told.holding("A")
    assert asked(told.holding("b")) == ["b1", "b2"]


def test_digests_are_those_of_the_messages_as_they_are_now(store):
    store.changes.exclude("a.jsonl:1")
    store.changes.edit("b.jsonl:2", [Message("user", "new"), Message("assistant", "Yes.")])
    told = store.read().conversations
    assert told.digests() == {
        conversation_digest([(each.role, each.content) for each in conversation.messages])
        for conversation in told
    }
    assert KeptConversations([], {}).digests() == set()


def test_those_outside_a_file_are_told(store):
    assert asked(store.read().conversations.outside("a.jsonl")) == ["b1", "b2"]


def test_a_file_is_looked_through_once_and_again_when_it_changes(store, monkeypatch):
    looked = []

    def looking(path, *rest):
        looked.append(path.name)
        return look_through(path, *rest)

    monkeypatch.setattr("assistant.conversations.store.look_through", looking)
    store.read()
    again = ConversationStore(store.folder)
    assert asked(again.read().conversations)[0] == "a1" and len(again.read().refused) == 1
    assert looked == ["a.jsonl", "b.jsonl"]
    put(store, "b.jsonl", ["b3"])
    assert asked(again.read().conversations)[3:] == ["b3"]
    assert looked == ["a.jsonl", "b.jsonl", "b.jsonl"]


DAMAGE = {
    "no file": None,
    "empty": b"",
    "no archive": b"nonsense",
    "cut": slice(None, -30),
    "another time": slice(None),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_lines_that_are_not_remembered_soundly_are_looked_for_anew(store, tmp_path, case):
    path, place = store.folder / "b.jsonl", tmp_path / "lines"
    keep_lines(look_through(path), place)
    assert len(remembered_lines(path, place)) == 2
    damage = DAMAGE[case]
    if damage is None:
        place.unlink()
    else:
        place.write_bytes(damage if isinstance(damage, bytes) else place.read_bytes()[damage])
    if case == "another time":
        os.utime(path, ns=(1, 1))
    assert remembered_lines(path, place) is None


def test_a_file_that_is_changed_under_a_reader_is_told(store):
    told = store.read().conversations
    (store.folder / "a.jsonl").write_text("x\n" * 40)
    with pytest.raises(AssistantError, match=r"a.jsonl was changed while it was read"):
        list(told)
    (store.folder / "a.jsonl").unlink()
    with pytest.raises(AssistantError, match=r"a.jsonl was changed while it was read"):
        told[0]


def test_a_removed_files_lines_are_forgotten_with_it(store):
    store.read()
    place = store.folder / ".about" / "a.jsonl.lines"
    assert place.exists()
    store.remove("a.jsonl")
    assert not place.exists() and asked(store.read().conversations) == ["b1", "b2"]
    store.restore("a.jsonl")
    assert len(store.read().conversations) == 5


def test_memory_does_not_grow_with_the_texts(store, monkeypatch):
    monkeypatch.setattr(lines, "STEP", 100)
    put(store, "long.jsonl", [f"{number} " + "long " * 2000 for number in range(400)])
    tracemalloc.start()
    told = store.read().conversations
    assert sum(len(each.messages) for each in told) == 2 * 405
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (store.folder / "long.jsonl").stat().st_size > 4_000_000 > 2 * taken


def test_a_fair_sample_is_drawn_from_all_files_in_their_order(store):
    told = store.read().conversations
    some = fair_sample(told, 3)
    assert len(some) == 3 and [each.source for each in some] == sorted(each.source for each in some)
    assert fair_sample(told, 3) == some == fair_sample(list(told), 3) and fair_sample(told, 9) == list(told)
    seeds = {tuple(asked(fair_sample(told, 3, seed=seed))) for seed in range(20)}
    assert len(seeds) > 5 and {text for each in seeds for text in each} == set(asked(told))
