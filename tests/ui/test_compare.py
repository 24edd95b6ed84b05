"""The page Compare, by its handlers."""

import re
from types import SimpleNamespace

import pytest

from assistant import studio as studio_module
from assistant.access import Person, Role, as_person
from assistant.errors import AssistantError
from assistant.lanes import LANES, Answer, Source
from assistant.studio import Readiness
from assistant.ui import compare
from assistant.ui.instructions import InstructionHandlers
from assistant.ui.turns import lane_heads
from tests.ui.asking import ANSWERS, QUESTION, named
from tests.ui.working_pages import Panel, clicked

LIVE = [f"q-live-{lane.key}" for lane in LANES]


def test_those_who_only_present_are_offered_no_way_to_pages_they_may_not_open(
    handlers, ask, studio, tmp_path
):
    studio.open(tmp_path / "companies" / "empty")

    def seen() -> str:
        welcome = named(handlers["chat_load"](SimpleNamespace(query_params={})))["q-thread"]
        answered = ask()[-1]
        return "".join((welcome, lane_heads(studio), *(answered[lane] for lane in LIVE)))

    ways = ("company", "documents", "conversations", "train")
    assert set(re.findall('href="([^"]*)"', seen())) == set(ways)
    with as_person(Person("ann", Role.PRESENTER)):
        assert "href" not in seen() and "First steps" not in seen()
        told = ("No adapter yet", "No documents yet", "has not learned a voice yet", "has no documents yet.")
        assert all(text in seen() for text in told)


def test_one_question_is_answered_by_four_lanes_at_the_same_time(ask, engine, monkeypatch):
    monkeypatch.setattr(compare, "SECONDS_BETWEEN_UPDATES", 0.0)
    shown = ask()
    assert QUESTION in shown[0]["q-asked"]
    first = [
        next(index for index, update in enumerate(shown) if word in update.get(lane, ""))
        for lane, word in zip(LIVE, ("Some", "A few", "Five", "Five"), strict=True)
    ]
    ended = [
        next(index for index, update in enumerate(shown) if "What produced it" in update.get(lane, ""))
        for lane in LIVE
    ]
    assert max(first) < min(ended)
    assert [text in shown[-1][lane] for lane, text in zip(LIVE, ANSWERS, strict=True)] == [True] * 4
    assert [(request.adapter, request.scale) for request in engine.asked] == [
        (None, 0),
        ("0001", 1),
        (None, 0),
        ("0001", 1),
    ]


def test_only_lanes_that_have_grown_are_drawn_again(ask, monkeypatch):
    monkeypatch.setattr(compare, "SECONDS_BETWEEN_UPDATES", 0.0)
    shown = ask(answers=("One.", "Two.", "Three.", "Four words are here."))
    assert [sorted(update) for update in shown[-4:-1]] == [["q-live-combined"]] * 3


def test_updates_come_at_most_ten_times_a_second_and_the_last_one_always(monkeypatch):
    now = iter(range(1000))
    monkeypatch.setattr(compare.time, "monotonic", lambda: next(now) * 0.04)
    given = [(Answer("rag", "word " * number),) for number in range(20)]
    shown = list(compare.paced(iter(given)))
    assert shown[-1] == given[-1]
    assert len(shown) <= 1 + 20 * 0.04 * 2 / 0.1


def test_many_chats_that_write_share_the_updates_among_them(monkeypatch):
    now = iter(range(1000))
    monkeypatch.setattr(compare.time, "monotonic", lambda: next(now) * 0.04)
    given = [(Answer("rag", "word " * number),) for number in range(100)]
    alone, among_24 = (len(list(compare.paced(iter(given), lambda n=n: n))) for n in (1, 24))
    assert among_24 < alone / 2


def test_a_new_place_in_the_waiting_line_is_shown_at_once(monkeypatch):
    monkeypatch.setattr(compare.time, "monotonic", lambda: 0.0)
    given = [(Answer("rag", waiting=place),) for place in (None, 3, 3, 2, 1, 0)]
    assert [answer.waiting for (answer,) in compare.paced(iter(given))] == [None, 3, 2, 1, 0]


@pytest.mark.parametrize("question", ["", "  \n "])
def test_an_empty_question_is_not_asked(handlers, studio, question):
    (shown,) = handlers["chat_send"](question, "", 100)
    assert "Type a question first." in named(shown)["q-problem"]
    assert studio.chats.latest() == []


def test_a_question_that_is_too_long_is_refused_and_stays_whole(handlers, ask, studio):
    pasted = "x" * 50_000
    chat_id = handlers["chat_draft"](pasted, "")
    shown = ask(pasted, chat_id)[-1]
    assert "has 50,000 characters; at most 4,000 fit" in shown["q-problem"]
    assert "q-question" not in shown  # what was pasted is still in the message box
    assert (studio.chats.read(chat_id).draft, studio.chats.latest()) == (pasted, [])


def test_each_lane_remembers_its_own_answers(ask, chat_id, engine):
    ask("And living plants?", chat_id)
    histories = [[message.content for message in request.messages[1:-1]] for request in engine.asked[4:]]
    assert histories == [[QUESTION, answer] for answer in ANSWERS]


def test_buttons_change_while_answers_are_written(ask):
    shown = ask()
    visible = [
        [update[name].visible for name in ("q-send", "q-stop", "q-retry")] for update in (shown[0], shown[-1])
    ]
    assert visible == [[False, True, False], [True, False, True]]


def test_what_can_not_be_asked_is_said_and_stays_in_the_message_box(handlers, studio, monkeypatch):
    monkeypatch.setattr(studio, "_engine", None)
    monkeypatch.setattr(studio, "readiness", Readiness(False, "Loading the model."))
    (shown,) = [named(update) for update in handlers["chat_send"](QUESTION, "", 100)]
    assert "Loading the model." in shown["q-problem"]
    assert "q-question" not in shown


def test_a_disk_without_room_is_said_and_the_question_stays(handlers, studio, monkeypatch):
    def full():
        raise AssistantError("quartet.db can't be written. Free some room.")

    monkeypatch.setattr(studio.chats, "new", full)
    (shown,) = handlers["chat_send"](QUESTION, "", 100)
    assert list(named(shown)) == ["q-problem"]
    assert "Free some room." in named(shown)["q-problem"]


def test_a_problem_in_mid_stream_keeps_what_was_said(ask, engine, monkeypatch):
    monkeypatch.setattr(compare, "SECONDS_BETWEEN_UPDATES", 0.0)
    plain = engine.generate

    def failing(requests, cancelled, owner):
        pieces = plain(requests, cancelled)
        yield next(pieces)
        raise compare.AssistantError("The engine ran out of memory. Ask again.")

    monkeypatch.setattr(engine, "generate", failing)
    shown = ask()[-1]
    assert "ran out of memory" in shown["q-problem"]
    assert "Some" in shown["q-live-prompt"]
    assert "Cut off" in shown["q-live-prompt"]


def test_stop_ends_the_answers_and_they_say_so(handlers, ask, engine):
    engine.queue(*["word " * 200] * 4)
    streamed = handlers["chat_send"](QUESTION, "", 100)
    chat_id = named(next(streamed))["q-chat-id"]
    handlers["chat_stop"](chat_id)
    shown = named(list(streamed)[-1])
    assert all("stopped" in shown[lane] for lane in LIVE)


def test_a_chat_that_is_being_answered_takes_no_second_question(handlers, ask, engine):
    engine.queue(*["word " * 20] * 4)
    streamed = handlers["chat_send"](QUESTION, "", 100)
    chat_id = named(next(streamed))["q-chat-id"]
    assert "still answering" in ask("Another", chat_id)[-1]["q-problem"]
    removal = named(handlers["chat_remove"](chat_id, clicked(chat=chat_id)))
    assert "still answering" in removal["q-problem"]
    streamed.close()
    assert "Another" in ask("Another", chat_id)[-1]["q-asked"]


def test_a_closed_page_ends_its_answers_and_keeps_what_was_said(handlers, engine, studio, monkeypatch):
    monkeypatch.setattr(compare, "SECONDS_BETWEEN_UPDATES", 0.0)
    engine.queue(*["word " * 20] * 4)
    streamed = handlers["chat_send"](QUESTION, "", 100)
    shown = [named(next(streamed)) for _ in range(3)]
    streamed.close()
    chat_id = shown[0]["q-chat-id"]
    assert studio.chats.read(chat_id).turns[-1].answers["prompt"].text == "word"
    again = named(handlers["chat_load"](SimpleNamespace(query_params={"chat": chat_id})))
    assert all("stopped" in again[lane] for lane in LIVE)


def test_another_page_follows_answers_while_they_are_written_and_shows_how_they_ended(
    handlers, engine, studio, monkeypatch
):
    monkeypatch.setattr(studio_module, "SAVE_EVERY", 0.0)
    engine.queue(*["word " * 20] * 4)
    streamed = handlers["chat_send"](QUESTION, "", 100)
    chat_id = named(next(streamed))["q-chat-id"]
    other = named(handlers["chat_load"](SimpleNamespace(query_params={"chat": chat_id})))
    assert all('aria-busy="true"' in other[lane] for lane in LIVE)
    assert [other[key].visible for key in ("q-send", "q-stop", "q-retry")] == [False, True, False]
    assert other[None].active
    streamed.close()
    ended = named(handlers["chat_follow"](chat_id))
    assert all("stopped" in ended[lane] for lane in LIVE)
    assert not ended[None].active
    assert "q-question" not in ended  # what is being typed there stays


def test_retry_replaces_the_answers_with_another_seed(handlers, chat_id, engine, studio):
    engine.queue("Once more.", "Twice.", "Thrice.", "Again.")
    shown = named(list(handlers["chat_retry"](chat_id, 100))[-1])
    assert "Once more." in shown["q-live-prompt"]
    assert engine.asked[-1].sampling.seed == 1
    assert len(studio.chats.read(chat_id).turns) == 1


def test_a_chat_opens_again_by_its_address(handlers, chat_id):
    shown = named(handlers["chat_load"](SimpleNamespace(query_params={"chat": chat_id})))
    assert QUESTION in shown["q-asked"]
    assert "Five days, dear." in shown["q-live-combined"]
    assert chat_id in shown["q-chats"]


def test_an_address_without_its_chat_says_so(handlers):
    shown = named(handlers["chat_open"](clicked(chat="gone")))
    assert "There is no chat" in shown["q-problem"]
    assert shown["q-chat-id"] == ""


def test_a_new_chat_is_empty_and_the_old_one_is_in_the_list(handlers, chat_id):
    shown = named(handlers["chat_open"](clicked(chat="")))
    assert shown["q-chat-id"] == shown["q-asked"] == "".join(shown[lane] for lane in LIVE) == ""
    assert "Ask once" in shown["q-thread"]
    assert QUESTION in shown["q-chats"]


def test_removing_the_chat_that_is_shown_leaves_an_empty_one(handlers, chat_id, studio):
    shown = named(handlers["chat_remove"](chat_id, clicked(chat=chat_id)))
    assert shown["q-chat-id"] == ""
    assert studio.chats.latest() == []


def test_removing_another_chat_changes_the_list_alone(handlers, chat_id, ask):
    other = ask("Another question")[-1]["q-chat-id"]
    shown = named(handlers["chat_remove"](other, clicked(chat=chat_id)))
    assert list(shown) == ["q-chats"]
    assert QUESTION not in shown["q-chats"]


def test_a_draft_is_kept_and_comes_back(handlers, studio):
    chat_id = handlers["chat_draft"]("How lo", "")
    assert handlers["chat_draft"]("How long", chat_id) == chat_id
    assert named(handlers["chat_open"](clicked(chat=chat_id)))["q-question"] == "How long"


def test_a_draft_and_a_question_of_the_same_new_chat_end_up_in_one(handlers, ask):
    drafted = handlers["chat_draft"](QUESTION, "new-1")
    assert ask(chat_id="new-1")[-1]["q-chat-id"] == drafted
    assert handlers["chat_draft"]("Other", "new-2") != drafted


def test_last_letters_that_arrive_after_they_were_sent_are_no_draft(handlers, chat_id, studio):
    handlers["chat_draft"](QUESTION, chat_id)
    assert studio.chats.read(chat_id).draft == ""


def test_turns_before_the_last_ten_are_folded(ask, chat_id):
    for number in range(11):
        shown = ask(f"Question {number}", chat_id)[-1]
    assert "1 earlier turn<" in shown["q-thread"]
    assert shown["q-thread"].index(QUESTION) < shown["q-thread"].index("</details><section")


def test_a_source_opens_its_document_with_the_passage_marked(handlers, ask, studio):
    shown = ask()[-1]
    turn = studio.chats.read(shown["q-chat-id"]).turns[-1]
    panel = handlers["source_open"](shown["q-chat-id"], clicked(turn=str(turn.id), lane="rag", number="1"))
    assert turn.answers["rag"].sources[0].place.startswith("Returns")
    assert Panel(panel).marked == turn.answers["rag"].sources[0].text
    assert "Plants can come back." in Panel(panel).text


@pytest.mark.parametrize("change", ["rewritten", "removed"])
def test_a_source_whose_document_changed_is_shown_as_it_was_with_a_note(
    handlers, ask, studio, tmp_path, change
):
    shown = ask()[-1]
    turn = studio.chats.read(shown["q-chat-id"]).turns[-1]
    if change == "removed":
        studio.knowledge.remove(["returns.md"])
    else:
        (tmp_path / "new.md").write_text("# Returns\n\nNo more returns.", encoding="utf-8")
        studio.knowledge.add([(tmp_path / "new.md", "returns.md")])
    panel = handlers["source_open"](shown["q-chat-id"], clicked(turn=turn.id, lane="combined", number=1))
    assert turn.answers["combined"].sources[0].text in panel
    assert 'class="q-panel-note"' in panel


@pytest.mark.parametrize(
    "click",
    [
        {"turn": "99", "lane": "rag", "number": "1"},
        {"turn": "x", "lane": "rag", "number": "1"},
        {"turn": "1", "lane": "y", "number": "1"},
    ],
    ids=["no such turn", "no number", "no such lane"],
)
def test_a_source_that_is_not_stored_is_not_shown(handlers, chat_id, click):
    assert "not stored yet" in handlers["source_open"](chat_id, clicked(**click))


def test_each_answer_says_what_produced_it(ask):
    combined = ask()[-1]["q-live-combined"]
    for fact in (
        "0.3 s to first word",
        "paper",
        "version 0001",
        "<dt>Voice strength</dt><dd>100 %</dd>",
        "from index 0001",
        "seed 0",
        "3 written",
        "Prompt hash",
    ):
        assert fact in combined, fact
    assert "<dd>none</dd>" in ask()[-1]["q-live-prompt"]


def test_lanes_show_their_place_in_the_waiting_line_until_they_write(ask, engine, monkeypatch):
    monkeypatch.setattr(compare, "SECONDS_BETWEEN_UPDATES", 0.0)
    engine.line = (2, 1)
    shown = [update["q-live-rag"] for update in ask() if "q-live-rag" in update]
    texts = ("Waiting: 2 answers are", "Waiting: 1 answer is", "Five")
    first = [next(index for index, said in enumerate(shown) if text in said) for text in texts]
    assert first == sorted(set(first))
    assert "Waiting" not in shown[-1]


def test_chats_are_the_owners_that_take_turns(ask, engine, chat_id):
    ask("And then?", chat_id)
    assert engine.owners == [chat_id, chat_id]


def test_a_lane_without_an_adapter_says_so_and_links_to_training(ask, studio):
    (studio.workspace.adapters / "current").unlink()
    shown = ask(answers=("Some days.", "Five days."))[-1]
    assert 'href="train"' in shown["q-live-tuned"]
    assert "Five days." in shown["q-live-rag"]


def test_without_documents_the_grounded_lanes_point_to_them(ask, studio):
    studio.knowledge.remove(["returns.md"])
    shown = ask()[-1]
    assert 'href="documents"' in shown["q-live-rag"]
    assert "Nothing in the documents" not in shown["q-live-combined"]


def test_instructions_are_saved_reset_and_marked_as_own(handlers, studio):
    composed, note, _ = handlers["instructions_show"]()
    assert ("Plain." in composed, note) == (True, "")
    _, note, outcome = handlers["instructions_save"]("Answer in verse.")
    assert "your own instructions" in note
    assert "Saved" in outcome
    assert studio.brand().instructions == "Answer in verse."
    assert handlers["instructions_reset"]("Answer in verse.")[:2] == (composed, "")
    handlers["instructions_save"](composed + "\n")
    assert studio.brand().instructions == ""


@pytest.mark.parametrize(("role", "may"), [(Role.MANAGER, True), (Role.PRESENTER, False)])
def test_instructions_are_changed_by_managers_and_read_by_presenters(studio, role, may):
    with as_person(Person("ann", role)):
        text, actions = InstructionHandlers(studio).offered()
    assert (text.interactive, actions.visible) == (may, may)


def test_own_instructions_are_what_all_lanes_are_asked_with(handlers, ask, engine):
    handlers["instructions_save"]("Answer in verse.")
    ask()
    assert {request.messages[0].content for request in engine.asked} == {"Answer in verse."}


def test_the_first_screen_offers_sample_questions_and_the_steps_left(handlers):
    thread = named(handlers["chat_open"](clicked(chat="")))["q-thread"]
    assert 'data-sample="How long do refunds take?"' in thread
    assert '<a href="conversations">' in thread


def test_a_voice_that_can_not_be_read_is_said_on_the_first_screen(handlers, studio):
    studio.workspace.brand_file.write_text("name = ", encoding="utf-8")
    assert "is not valid TOML" in named(handlers["chat_open"](clicked(chat="")))["q-thread"]


@pytest.mark.parametrize(
    "hostile", ["<img src=x onerror=alert(1)>", '"><script>alert(1)</script>', "</textarea><video>"]
)
def test_nothing_that_was_typed_or_answered_becomes_markup(ask, studio, hostile):
    shown = ask(hostile, answers=(hostile,) * 4)[-1]
    source = Source(hostile, "id", f"{hostile} › {hostile}", hostile, hostile, 0, 1, 1.0)
    turn = compare.Turn(
        1, hostile, "2026-01-01T00:00:00+00:00", {"rag": Answer("rag", hostile, (source,), None, hostile)}
    )
    drawn = compare.source_html(source, 1, studio.knowledge) + compare.thread_html([turn])
    drawn += "".join(shown[name] for name in ("q-thread", "q-asked", "q-chats", *LIVE))
    assert re.findall("<(?:img|script|video|/textarea)", drawn) == []
    assert hostile.split()[0].replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;") in drawn
