"""The page Conversations, by its handlers and in a browser."""

import pytest

from assistant.conversations import Conversation, Refusal
from assistant.prompts import Message
from assistant.ui.charts import bars
from assistant.ui.conversations_parts import SHOWN_REFUSALS, reader_html, refused_html
from tests.ui.working_pages import chats, clicked, dropped, listening, uploads

BOARD = ("said", "files", "numbers", "refused", "reader", "reading")
BAD_LINE = '{"messages": [{"role": "user", "content": "Hello?"}]}\n'


def lines(count, bad=()):
    told = chats(count).splitlines(keepends=True)
    return "".join(BAD_LINE if number in bad else line for number, line in enumerate(told, start=1))


@pytest.fixture
def add(handlers, tmp_path, monkeypatch):
    """Drops files given as name and text; returns the page by the parts' names."""

    def run(**files):
        there = uploads(
            tmp_path / "uploads", monkeypatch, {f"{name}.jsonl": text for name, text in files.items()}
        )
        return dict(zip(BOARD, handlers["conversations_add"](dropped(there)), strict=True))

    return run


def test_an_empty_page_shows_what_a_file_holds(handlers):
    shown = dict(zip(BOARD, handlers["conversations_load"](), strict=True))
    assert "No conversations yet" in shown["files"]
    assert "What a file holds" in shown["numbers"]
    assert not shown["reading"].visible


def test_a_file_is_counted(add):
    shown = add(june=lines(12))
    assert "june.jsonl added: 12 conversations." in shown["said"]
    assert "<dt>Messages</dt><dd>24</dd>" in shown["numbers"]
    assert "<dt>Near-duplicates</dt><dd>100.0 %</dd>" in shown["numbers"]
    assert "1 of 12" in shown["reader"]
    assert shown["reading"].visible


def test_a_refused_line_is_shown_with_its_rule_and_next_step(add):
    shown = add(june=lines(12, bad=[7]))
    assert "11 conversations. 1 line refused" in shown["said"]
    assert '<td>june.jsonl</td><td class="q-number">7</td>' in shown["refused"]
    assert "needs an assistant message after a user message" in shown["refused"]
    assert "Add the reply that was given" in shown["refused"]


def test_a_file_without_a_usable_line_is_not_kept(add, studio):
    shown = add(june=BAD_LINE)
    assert "no usable conversation" in shown["said"]
    assert studio.conversations.files() == []


def test_the_same_file_twice_is_named(add):
    add(june=lines(3))
    assert "already there as june.jsonl" in add(copy=lines(3))["said"]


def test_a_newer_file_of_the_same_name_takes_the_place(add):
    add(june=lines(3))
    assert "took the place of the earlier file: 4 conversations." in add(june=lines(4))["said"]


def test_a_removal_is_undone_even_after_a_reload(add, handlers, studio):
    add(june=lines(3))
    handlers["conversations_remove"](clicked(name="june.jsonl"))
    assert studio.conversations.files() == []
    assert "Removed <b>june.jsonl</b>" in handlers["conversations_load"]()[1]
    assert "june.jsonl" in handlers["conversations_restore"]()[1]
    assert [file.name for file in studio.conversations.files()] == ["june.jsonl"]


def test_another_company_is_not_offered_the_undo(add, handlers, studio):
    add(june=lines(3))
    handlers["conversations_remove"](clicked(name="june.jsonl"))
    studio.create("Brook")
    assert "june.jsonl" not in handlers["conversations_load"]()[1]


def test_an_unknown_file_is_named_in_place(handlers):
    assert "no file named gone.jsonl" in handlers["conversations_remove"](clicked(name="gone.jsonl"))[0]


def test_conversations_are_searched_and_turned(add, handlers):
    add(june=lines(12))
    assert "1 of 3" in handlers["conversations_search"]("REFUND number 1")
    turned = handlers["conversations_turn"]("refund number 1", clicked(name="2"))
    assert "3 of 3" in turned
    assert "How long does <mark>refund number 1</mark>1 take?" in turned
    assert "No conversation holds" in handlers["conversations_search"]("elephant")
    assert "1 of 12" in handlers["conversations_turn"]("", clicked(name="nonsense"))


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


def test_a_file_with_a_bad_line_7_is_dropped_read_and_removed(address, browser_page, tmp_path):
    page = browser_page
    (tmp_path / "june.jsonl").write_text(lines(12, bad=[7]))
    page.goto(f"{address}/conversations")
    listening(page)
    page.set_input_files("#q-conversations-drop input", tmp_path / "june.jsonl")
    row = page.locator("#q-conversations-refused tbody tr")
    row.wait_for()
    assert row.locator("td").all_inner_texts()[:2] == ["june.jsonl", "7"]

    page.get_by_placeholder("Find a word, such as refund").fill("refund number 1")
    page.get_by_role("button", name="Find").click()
    page.get_by_text("1 of 3", exact=True).wait_for()
    page.get_by_role("button", name="Next conversation").click()
    page.get_by_text("2 of 3", exact=True).wait_for()

    page.get_by_role("button", name="Remove june.jsonl").click()
    page.get_by_text("No conversations yet").wait_for()
    page.reload()
    page.get_by_role("button", name="Undo the removal of june.jsonl").click()
    page.get_by_role("button", name="Remove june.jsonl").wait_for()
