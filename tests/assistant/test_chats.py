"""Chats: kept turn by turn, each lane with its own history, drafts and all."""

import pytest

from assistant.access import Person, Role, as_person
from assistant.chats import Chat, Chats
from assistant.errors import AssistantError
from assistant.lanes import Answer, Source
from assistant.prompts import Message
from assistant.store import open_database
from assistant.workspace import Workspace


@pytest.fixture
def chats(workspace: Workspace) -> Chats:
    return Chats(open_database(workspace.database))


def answers(**texts: str) -> tuple[Answer, ...]:
    return tuple(Answer(lane, text) for lane, text in texts.items())


def test_a_chat_comes_back_turn_by_turn_from_another_opening(chats, workspace):
    source = Source("guide.md", "id1", "Guide, page 2", "Guide", "Once a week.", 3, 15, 0.5)
    said = (
        Answer("prompt", "Hi"),
        Answer("rag", "Weekly", (source,)),
        Answer("tuned", error="No adapter yet"),
    )
    chat_id = chats.new()
    first = chats.add_turn(chat_id, "How often? £5 🙂")
    chats.save_answers(first, said)
    second = chats.add_turn(chat_id, "And then?")
    chat = Chats(open_database(workspace.database)).read(chat_id)
    assert [(turn.id, turn.question) for turn in chat.turns] == [
        (first, "How often? £5 🙂"),
        (second, "And then?"),
    ]
    assert chat.turns[0].answers == {answer.lane: answer for answer in said}
    assert chat.turns[1].answers == {}
    assert chat.turns[0].created.endswith("+00:00")


def test_answers_saved_again_replace_those_of_their_lanes(chats):
    turn = chats.add_turn(chat_id := chats.new(), "Q")
    chats.save_answers(turn, answers(prompt="so", rag="far"))
    chats.save_answers(turn, answers(prompt="so good"))
    saved = chats.read(chat_id).turns[0].answers
    assert {lane: answer.text for lane, answer in saved.items()} == {"prompt": "so good", "rag": "far"}


def history(chat: Chat, lane: str, **options: int) -> list[str]:
    return [f"{message.role}: {message.content}" for message in chat.history(lane, **options)]


def test_each_lane_keeps_its_own_side_of_the_chat(chats):
    chat_id = chats.new()
    for number in (1, 2):
        turn = chats.add_turn(chat_id, f"Q{number}")
        chats.save_answers(turn, answers(prompt=f"P{number}", rag=f"R{number}"))
    chat = chats.read(chat_id)
    assert history(chat, "prompt") == ["user: Q1", "assistant: P1", "user: Q2", "assistant: P2"]
    assert history(chat, "rag") == ["user: Q1", "assistant: R1", "user: Q2", "assistant: R2"]
    assert history(chat, "tuned") == []
    assert chat.history("prompt")[0] == Message("user", "Q1")


def test_a_turn_a_lane_said_nothing_to_is_not_in_its_history(chats):
    chat_id = chats.new()
    chats.save_answers(
        chats.add_turn(chat_id, "Q1"), (Answer("tuned", error="No adapter yet"), Answer("rag", "R1"))
    )
    chats.save_answers(chats.add_turn(chat_id, "Q2"), answers(tuned="T2", rag="R2"))
    assert history(chats.read(chat_id), "tuned") == ["user: Q2", "assistant: T2"]


def test_a_history_can_end_before_a_turn(chats):
    chat_id = chats.new()
    turns = [chats.add_turn(chat_id, f"Q{number}") for number in (1, 2, 3)]
    for number, turn in enumerate(turns, 1):
        chats.save_answers(turn, answers(rag=f"R{number}"))
    chat = chats.read(chat_id)
    assert history(chat, "rag", before=turns[1]) == ["user: Q1", "assistant: R1"]
    assert history(chat, "rag", before=turns[0]) == []


def test_a_draft_is_kept_until_it_is_sent(chats):
    chat_id, other = chats.new(), chats.new()
    chats.save_draft(chat_id, "half a quest")
    assert (chats.read(chat_id).draft, chats.read(other).draft) == ("half a quest", "")
    chats.save_draft(chat_id, "half a question")
    chats.save_draft(other, "mine")
    chats.add_turn(chat_id, "whole question")
    assert (chats.read(chat_id).draft, chats.read(other).draft) == ("", "mine")


def test_a_draft_with_half_a_surrogate_pair_is_kept_without_it(chats):
    chat_id = chats.new()
    chats.save_draft(chat_id, "typed \ud83d so far\x00")
    assert chats.read(chat_id).draft == "typed  so far"


def test_the_latest_chats_come_first_and_empty_ones_not_at_all(chats):
    first, empty, last = chats.new(), chats.new(), chats.new()
    for question in ("Older", "and more"):
        chats.add_turn(first, question)
    chats.add_turn(last, "Newer")
    assert [(chat.id, chat.first_question, chat.turns) for chat in chats.latest()] == [
        (last, "Newer", 1),
        (first, "Older", 2),
    ]
    assert empty not in [chat.id for chat in chats.latest()]
    assert [chat.id for chat in chats.latest(1)] == [last]


def test_a_removed_turn_takes_its_answers_with_it_for_a_retry(chats):
    chat_id = chats.new()
    kept = chats.add_turn(chat_id, "Q1")
    chats.save_answers(kept, answers(rag="R1"))
    removed = chats.add_turn(chat_id, "Q2")
    chats.save_answers(removed, answers(rag="R2"))
    chats.remove_turn(removed)
    chat = chats.read(chat_id)
    assert [turn.id for turn in chat.turns] == [kept]
    assert history(chat, "rag") == ["user: Q1", "assistant: R1"]
    again = chats.add_turn(chat_id, "Q2")
    assert chats.read(chat_id).turns[-1].answers == {}
    assert again != kept


def test_a_removed_chat_is_gone_with_its_turns_and_others_stay(chats):
    gone, stays = chats.new(), chats.new()
    chats.save_answers(chats.add_turn(gone, "Q"), answers(rag="R"))
    chats.save_answers(chats.add_turn(stays, "Q"), answers(rag="R"))
    chats.remove(gone)
    with pytest.raises(AssistantError, match=f"There is no chat '{gone}' in this company"):
        chats.read(gone)
    assert [chat.id for chat in chats.latest()] == [stays]
    assert chats.read(stays).turns[0].answers["rag"].text == "R"


@pytest.mark.parametrize("chat_id", ["", "nobody", "' OR 1=1 --"])
def test_a_chat_that_is_not_there_is_named(chats, chat_id):
    chats.new()
    with pytest.raises(AssistantError, match="There is no chat"):
        chats.read(chat_id)


ANN, BOB = Person("ann", Role.PRESENTER), Person("bob", Role.PRESENTER)
BOSS = Person("boss", Role.MANAGER)


def test_a_chat_is_there_for_who_began_it_and_for_nobody_else(chats):
    with as_person(ANN):
        mine = chats.new()
        chats.add_turn(mine, "Q?")
        chats.save_draft(mine, "half")
    for other in (BOB, BOSS):
        with as_person(other):
            with pytest.raises(AssistantError, match="There is no chat"):
                chats.read(mine)
            assert chats.latest() == []
            chats.save_draft(mine, "changed")
            chats.save_strength(mine, 10)
            chats.remove(mine)
    with as_person(ANN):
        assert [chat.id for chat in chats.latest()] == [mine]
        assert (chats.read(mine).draft, chats.read(mine).strength) == ("half", 100)


def test_chats_from_before_there_were_logins_are_the_managers(chats):
    old = chats.new()
    chats.add_turn(old, "Q?")
    with as_person(BOSS):
        assert [chat.id for chat in chats.latest()] == [old]
    with as_person(ANN), pytest.raises(AssistantError):
        chats.read(old)
