"""The page Conversations, by its handlers and in a browser."""

import pytest
from playwright.sync_api import expect

from assistant.conversations import Conversation, Refusal
from assistant.errors import AssistantError
from assistant.prompts import Message
from assistant.ui.charts import bars
from assistant.ui.conversations_parts import SHOWN_REFUSALS, reader_html, refused_html
from assistant.ui.conversations_reader import as_text, messages_of
from tests.ui.asking import named
from tests.ui.working_pages import chats, choose, clicked, dropped, listening, until, uploads

BAD_LINE = '{"messages": [{"role": "user", "content": "Hello?"}]}\n'
TICKETS = """\
Nr;Person;Notiz;Am
1;Mia Wong;"<p>Hello, my basil arrived brown.</p>";2026-06-01 09:00
1;Lena;"Dear Mia, a new one is on its way.";2026-06-01 10:00
2;Tom Hale;Do you open on Sundays, and how long?;2026-06-02 09:00
2;Lena;We do, from ten to four.;2026-06-02 10:00
3;Mia Wong;Which soil does a cactus like, and which pot?;2026-06-03 09:00
3;Lena;Our gritty mix in a pot of clay.;2026-06-03 10:00
"""


def lines(count, bad=()):
    told = chats(count).splitlines(keepends=True)
    return "".join(BAD_LINE if number in bad else line for number, line in enumerate(told, start=1))


@pytest.fixture
def drop(handlers, tmp_path, monkeypatch):
    """Drops files given as name and text; returns the page by the parts' ids."""

    def run(name, text):
        there = uploads(tmp_path / "uploads", monkeypatch, {name: text})
        return named(handlers["conversations_add"](dropped(there)))

    return run


@pytest.fixture
def keep(studio, tmp_path, handlers):
    """Puts a file among those in use without an import; returns the page by the parts' ids."""

    def run(text, name="june.jsonl"):
        (tmp_path / name).write_text(text)
        studio.conversations.add(tmp_path / name, name)
        return named(handlers["conversations_load"]())

    return run


def test_an_empty_page_shows_what_a_file_holds(handlers):
    shown = named(handlers["conversations_load"]())
    assert "No conversations yet" in shown["q-conversations-files"]
    assert "What a file holds" in shown["q-conversations-numbers"]
    assert not shown["q-intake"].visible


def test_a_dropped_file_waits_with_a_preview_of_it_cleaned(drop, studio):
    shown = drop("tickets.csv", TICKETS)
    assert shown["q-intake"].visible and studio.conversations.files() == []
    assert "tickets.csv" in shown["q-intake-waiting"] and "CSV table" in shown["q-intake-waiting"]
    assert "say which column is Conversation and Who writes" in shown["q-intake-preview"]
    assert not shown["q-intake-begin"].interactive


COLUMNS = ("Nr", "Person", "Notiz", "Am", None, None, "—", "—", "—")
"""Conversation, who writes, text, time, question, answer, topic and customer."""


def test_a_corrected_mapping_is_followed_and_kept(drop, handlers, studio):
    drop("tickets.csv", TICKETS)
    shown = named(handlers["conversations_arrange"]("tickets.csv", "messages", *COLUMNS))
    assert "3 conversations of the first 3 can be used" in shown["q-intake-preview"]
    assert "Dear [name], a new one is on its way." in shown["q-intake-preview"]
    assert "&lt;p&gt;Hello, my basil" in shown["q-intake-cleaning"]
    assert shown["q-intake-begin"].interactive
    assert studio.incoming.find("tickets.csv").recognised.layout.team == ("Lena",)
    turned = named(handlers["conversations_sides"]("tickets.csv", ["Mia Wong"], []))
    assert "Nobody of your team answers in these" in turned["q-intake-preview"]
    assert studio.incoming.find("tickets.csv").recognised.layout.team == ("Mia Wong",)


def test_a_step_of_cleaning_is_switched_off_and_stays_off(drop, handlers, studio):
    drop("june.jsonl", lines(2))
    shown = named(handlers["conversations_clean"]("june.jsonl", clicked(name="masked")))
    assert (
        'aria-checked="false" class="q-intake-switch" data-do="toggle" data-name="masked"'
        in (shown["q-intake-cleaning"])
    )
    assert not studio.incoming.cleaning.masked
    handlers["conversations_clean"]("june.jsonl", clicked(name="nonsense"))
    assert not studio.incoming.cleaning.masked and studio.incoming.cleaning.html


def test_what_waits_is_looked_at_and_discarded(drop, handlers, studio):
    drop("june.jsonl", lines(2))
    drop("photo.bin", "\x00\x01")
    shown = named(handlers["conversations_file_show"](clicked(name="photo.bin")))
    assert "is nothing that is known here" in shown["q-intake-waiting"]
    shown = named(handlers["conversations_discard"]("photo.bin", clicked(name="photo.bin")))
    assert "photo.bin" not in shown["q-intake-waiting"]
    assert not named(handlers["conversations_clear"]())["q-intake"].visible
    assert studio.incoming.found() == []


def test_what_waits_is_added_and_the_page_tells_how_it_went(drop, handlers, studio):
    drop("pairs.csv", "question,answer\nIs it blue?,It is.\nAnd the bag?,<b>Red</b>.\nWell?,\n")
    shown = named(handlers["conversations_import"]("pairs.csv"))
    assert "Getting ready" in shown["q-conversations-progress"] and not shown["q-intake"].visible
    until(lambda: studio.jobs.running("conversations") is None)
    shown = named(handlers["conversations_follow"]())
    assert "pairs.csv was added." in shown["q-conversations-said"]
    assert "CSV table, 3 conversations read." in shown["q-conversations-files"]
    assert "<b>HTML to text</b><span>1</span>" in shown["q-conversations-files"]
    assert "<dt>Conversations</dt><dd>2</dd>" in shown["q-conversations-numbers"]
    assert '<td>pairs.csv</td><td class="q-number">4</td>' in shown["q-conversations-refused"]


def test_an_upload_that_failed_is_named(handlers):
    failed = named(handlers["conversations_add"](dropped({}, {"june.jsonl": "connection lost"})))
    assert "june.jsonl could not be uploaded: connection lost" in failed["q-conversations-said"]


def test_a_file_is_counted(keep):
    shown = keep(lines(12))
    assert "<dt>Messages</dt><dd>24</dd>" in shown["q-conversations-numbers"]
    assert "<dt>Near-duplicates</dt><dd>100.0 %</dd>" in shown["q-conversations-numbers"]
    assert "1 of 12" in shown["q-conversations-reader"]


def test_a_refused_line_is_shown_with_its_rule_and_next_step(keep):
    shown = keep(lines(12, bad=[7]))["q-conversations-refused"]
    assert '<td>june.jsonl</td><td class="q-number">7</td>' in shown
    assert "needs an assistant message after a user message" in shown
    assert "Add the reply that was given" in shown


def test_a_removal_is_undone_even_after_a_reload(keep, handlers, studio):
    keep(lines(3))
    handlers["conversations_remove"](clicked(name="june.jsonl"))
    assert studio.conversations.files() == []
    files = named(handlers["conversations_load"]())["q-conversations-files"]
    assert "Removed <b>june.jsonl</b>" in files
    assert "june.jsonl" in named(handlers["conversations_restore"]())["q-conversations-files"]
    assert [file.name for file in studio.conversations.files()] == ["june.jsonl"]


def test_another_company_is_not_offered_the_undo(keep, handlers, studio):
    keep(lines(3))
    handlers["conversations_remove"](clicked(name="june.jsonl"))
    studio.create("Brook")
    assert "june.jsonl" not in named(handlers["conversations_load"]())["q-conversations-files"]


def test_an_unknown_file_is_named_in_place(handlers):
    shown = named(handlers["conversations_remove"](clicked(name="gone.jsonl")))
    assert "no file named gone.jsonl" in shown["q-conversations-files"]


def test_conversations_are_searched_and_turned(keep, handlers):
    keep(lines(12))

    def reader(update):
        return named(update)["q-conversations-reader"]

    assert "1 of 3" in reader(handlers["conversations_search"]("REFUND number 1", False))
    turned = reader(handlers["conversations_turn"]("refund number 1", False, clicked(name="2")))
    assert "3 of 3" in turned
    assert "How long does <mark>refund number 1</mark>1 take?" in turned
    assert "No conversation holds" in reader(handlers["conversations_search"]("elephant", False))
    assert "1 of 12" in reader(handlers["conversations_turn"]("", False, clicked(name="nonsense")))


def test_a_conversation_is_left_out_found_there_and_brought_back(keep, handlers, studio):
    keep(lines(12))
    shown = named(handlers["conversation_exclude"]("", False, clicked(name="3 june.jsonl:4")))
    assert "4 of 11" in shown["q-conversations-reader"]
    assert "Left out <b>june.jsonl:4</b>" in shown["q-conversations-undo"]
    assert len(studio.conversations.read().conversations) == 11
    shown = named(handlers["conversations_search"]("", True))
    assert "1 of 1" in shown["q-conversations-reader"] and "Use again" in shown["q-conversations-reader"]
    handlers["conversation_include"]("", True, clicked(name="0 june.jsonl:4"))
    assert len(studio.conversations.read().conversations) == 12
    handlers["conversation_undo"]("", False)
    shown = named(handlers["conversation_undo"]("", False))
    assert studio.conversations.changes.last() is None
    assert "<dt>Conversations</dt><dd>12</dd>" in shown["q-conversations-numbers"]


def test_a_conversation_is_edited_and_the_edit_undone(keep, handlers, studio):
    keep(lines(3))
    opened = named(handlers["conversation_open"](clicked(name="1 june.jsonl:2")))
    text = "Customer: How long does refund number 1 take?\n\nReply: Five days."
    assert text in opened.values() and opened["q-conversations-editor"].visible
    edited = text.replace("Five", "Six")
    shown = named(handlers["conversation_edit"]("june.jsonl:2", edited, "", False))
    assert "2 of 3" in shown["q-conversations-reader"] and "Six days." in shown["q-conversations-reader"]
    handlers["conversation_undo"]("", False)
    assert studio.conversations.read().conversations[1].messages[1].content == "Five days."
    refused = named(handlers["conversation_edit"]("june.jsonl:2", "Customer: Hello?", "", False))
    assert "a conversation needs an assistant message" in refused["q-conversations-undo"]
    assert "is gone" in named(handlers["conversation_open"](clicked(name="1 gone")))["q-conversations-reader"]


def test_an_edited_text_reads_back_as_the_same_messages():
    told = [Message("system", "Be kind."), Message("user", "Open:\n\nnow?"), Message("assistant", "Yes.")]
    assert messages_of(as_text(told)) == told
    with pytest.raises(AssistantError, match="Each message begins"):
        messages_of("Hello there")


def test_a_report_gives_a_verdict_plots_and_who_replies(keep):
    shown = keep(lines(12))
    assert "12 conversations are too few to hold some out" in shown["q-conversations-verdict"]
    for plot in (
        "Replies by their length",
        "Conversations by their messages",
        "Conversations by their tokens",
    ):
        assert plot in shown["q-conversations-numbers"]
    assert shown["q-conversations-closer"].visible


def test_a_closer_look_is_kept_and_says_when_the_conversations_have_changed(keep, handlers, studio):
    keep(lines(6).replace("Five days.", "Send unopened pots back within 14 days and the refund comes."))
    shown = [named(update) for update in handlers["conversations_look"]()]
    assert "Telling languages" in shown[1]["q-report-closer"]
    found = shown[-1]["q-report-closer"]
    assert "English 6" in found and "Send unopened pots back within 30 days" in found
    changed = named(handlers["conversation_reject"]("", False, clicked(name="0 june.jsonl:3")))
    assert len(studio.conversations.read().excluded) == 1
    assert (
        "have changed since" in changed["q-report-closer"] and changed["q-report-look"].value == "Look again"
    )


def test_there_is_no_closer_look_at_nothing(handlers):
    (update,) = handlers["conversations_look"]()
    assert "There are no conversations to look at" in named(update)["q-report-closer"]


def test_chat_text_is_shown_and_never_run():
    told = Conversation((Message("user", "<b>bold</b> <script>"),), "a.jsonl:1")
    shown = reader_html([told], 0, "bold")
    assert "&lt;b&gt;<mark>bold</mark>&lt;/b&gt; &lt;script&gt;" in shown


def test_many_refused_lines_are_counted():
    refused = [Refusal("a.jsonl", line, "found <x>", "rule", "advice") for line in range(SHOWN_REFUSALS + 5)]
    shown = refused_html(refused)
    assert "And 5 more." in shown
    assert "&lt;x&gt;" in shown


def test_bars_are_as_high_as_their_share():
    shown = bars(["1–10", "11+"], [5, 20], "Replies")
    assert "--share:0.2500" in shown
    assert "--share:1.0000" in shown
    assert "--share:0.0000" in bars(["1"], [0], "Replies")


@pytest.mark.slow
def test_a_messy_table_is_mapped_added_read_and_two_conversations_left_out(address, browser_page, tmp_path):
    page = browser_page
    (tmp_path / "tickets.csv").write_text(TICKETS)
    page.goto(f"{address}/conversations")
    listening(page)
    page.set_input_files("#q-conversations-drop input >> nth=0", tmp_path / "tickets.csv")
    page.get_by_text("say which column is Conversation").wait_for()
    choose(page, "Conversation", "Nr")
    page.get_by_text("say which column is Who writes").wait_for()
    choose(page, "Who writes", "Person")
    page.get_by_text("3 conversations of the first 3 can be used").wait_for()
    page.get_by_role("switch", name="Near-duplicates folded").click()
    expect(page.get_by_role("switch", name="Near-duplicates folded")).to_have_attribute(
        "aria-checked", "false"
    )
    page.get_by_role("button", name="Add 1 file").click()
    page.get_by_text("tickets.csv was added.").wait_for()

    for left in ("1 of 2", "1 of 1"):
        page.get_by_role("button", name="Leave out this conversation").click()
        page.get_by_text(left, exact=True).wait_for()
    page.reload()
    page.get_by_role("button", name="Undo the change").click()
    page.get_by_text("1 of 2", exact=True).wait_for()
    page.get_by_placeholder("Find a word, such as refund").fill("cactus")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("1 of 1", exact=True).wait_for()

    page.get_by_role("button", name="Remove tickets.csv").click()
    page.get_by_text("No conversations yet").wait_for()
    page.reload()
    page.get_by_role("button", name="Undo the removal of tickets.csv").click()
    page.get_by_role("button", name="Remove tickets.csv").wait_for()
