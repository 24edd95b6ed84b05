"""The page Compare in a real browser: the journeys of people at a desk and with a phone."""

import re

from playwright.sync_api import expect

from assistant.studio import Readiness
from tests.ui.asking import ANSWERS, ended, type_question
from tests.ui.working_pages import until

LANES = ("prompt", "tuned", "rag", "combined")
LONG = ("word " * 300,) * 4


def test_a_question_streams_in_four_lanes_and_its_source_opens_and_a_reload_shows_it_again(
    browser_page, address, engine
):
    page = browser_page
    engine.queue(*("Five days " + "and more " * 40,) * 4)
    engine.pause = 0.03
    page.goto(address)
    page.get_by_role("button", name="How long do refunds take?").click()
    for lane in LANES:
        expect(page.locator(f"#q-live-{lane} .q-answer[aria-busy]")).to_contain_text("Five days and more")
    ended(page)
    expect(page.locator("#q-live .q-answer summary")).to_have_count(4)
    page.click("#q-live-combined .q-source >> nth=0")
    expect(page.locator("#q-source mark")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.locator("#q-drawer-source")).to_be_hidden()
    page.reload()
    expect(page.locator("#q-asked")).to_have_text("How long do refunds take?")
    expect(page.locator("#q-live-combined")).to_contain_text("Five days and more")


def test_escape_stops_all_lanes_and_retry_asks_again(browser_page, address, engine):
    page = browser_page
    engine.queue(*LONG, *ANSWERS)
    engine.pause = 0.03
    page.goto(address)
    type_question(page, "Tell me everything")
    expect(page.locator("#q-live-prompt")).to_contain_text("word word")
    page.keyboard.press("Escape")
    ended(page)
    expect(page.locator("#q-live .q-facts", has_text="stopped")).to_have_count(4)
    page.click("#q-retry")
    expect(page.locator("#q-live-combined")).to_contain_text("Five days, dear.")


def test_a_tab_that_is_closed_in_mid_stream_ends_its_answers(browser, address, engine, studio):
    engine.queue(*LONG)
    engine.pause = 0.03
    page = browser.new_page()
    page.goto(address)
    type_question(page, "Tell me everything")
    expect(page.locator("#q-live-prompt")).to_contain_text("word word")
    page.wait_for_url("**/?chat=*")
    chat_id = page.url.split("=")[1]
    page.close()

    def finishes():
        given = studio.chats.read(chat_id).turns[0].answers.values()
        return {answer.record.finish for answer in given if answer.record}

    assert until(finishes) == {"cancelled"}


def test_a_lane_in_the_waiting_line_says_so_until_it_writes(browser_page, address, engine):
    page = browser_page
    engine.queue(*ANSWERS)
    engine.line, engine.pause = (3, 0), 1.0
    page.goto(address)
    type_question(page, "How long do refunds take?")
    expect(page.locator("#q-live-tuned")).to_contain_text("Waiting: 3 answers are before this one")
    expect(page.locator("#q-live-tuned")).to_contain_text("Next in line")
    expect(page.locator("#q-live-tuned")).to_contain_text("A few days, dear.")


def test_a_pasted_text_that_is_too_long_is_neither_cut_nor_asked(browser_page, address, engine):
    browser_page.goto(address)
    box = browser_page.locator("#q-question textarea")
    box.fill("x" * 50_000)
    box.press("Enter")
    expect(browser_page.locator("#q-problem")).to_contain_text("has 50,000 characters")
    assert (len(box.input_value()), engine.asked) == (50_000, [])


def test_shift_enter_makes_a_line_and_what_was_typed_comes_back_as_a_draft(browser_page, address, studio):
    page = browser_page
    page.goto(address)
    page.locator("#q-question textarea").press_sequentially("First line")
    page.keyboard.press("Shift+Enter")
    page.locator("#q-question textarea").press_sequentially("second")
    page.wait_for_url("**/?chat=*")
    chat_id = page.url.split("=")[1]
    until(lambda: studio.chats.read(chat_id).draft == "First line\nsecond")
    page.reload()
    expect(page.locator("#q-question textarea")).to_have_value("First line\nsecond")


def test_another_chat_opens_in_mid_stream_back_returns_and_removal_is_confirmed(
    browser_page, address, engine
):
    page = browser_page
    engine.queue(*ANSWERS, *LONG)
    page.goto(address)
    type_question(page, "The first chat")
    expect(page.locator("#q-live-combined")).to_contain_text("Five days, dear.")
    page.click("[data-new-chat]")
    expect(page.locator(".q-welcome")).to_be_visible()
    engine.pause = 0.03
    type_question(page, "The second chat")
    expect(page.locator("#q-live-prompt")).to_contain_text("word word")
    page.click("[data-opens=chats]")
    page.locator(".q-chats a", has_text="The first chat").click()
    expect(page.locator("#q-asked")).to_have_text("The first chat")
    expect(page.locator("#q-live-prompt")).to_contain_text("Some days.")
    page.click("[data-opens=chats]")
    page.locator(".q-chats a", has_text="The second chat").click()
    expect(page.locator("#q-asked")).to_have_text("The second chat")
    page.go_back()
    expect(page.locator("#q-asked")).to_have_text("The first chat")
    page.go_forward()
    expect(page.locator("#q-asked")).to_have_text("The second chat")
    page.click("[data-opens=chats]")
    row = page.locator(".q-chats li", has_text="The first chat")
    row.locator(".q-chat-remove").click()
    row.locator("[data-remove]").click()
    expect(page.locator(".q-chats li")).to_have_count(1)
    expect(page.locator("#q-asked")).to_have_text("The second chat")


def test_a_phone_shows_one_lane_at_a_time_and_nothing_scrolls_sideways(browser_page, address, engine):
    page = browser_page
    page.set_viewport_size({"width": 390, "height": 844})
    engine.queue(*ANSWERS, *ANSWERS)
    page.goto(address)
    for question in ("One", "Two"):
        type_question(page, question)
        ended(page)
        expect(page.locator("#q-asked")).to_have_text(question)
    page.get_by_role("tab", name="RAG").click()
    expect(page.locator(".q-answer:visible")).to_have_count(2)
    expect(page.locator("#q-live .q-answer:visible")).to_contain_text("Five days.")
    assert page.evaluate("document.documentElement.scrollWidth") == 390


def test_a_drawer_can_be_closed_without_keys_however_far_it_is_scrolled(browser_page, address, engine):
    page = browser_page
    page.set_viewport_size({"width": 390, "height": 844})
    engine.queue(*ANSWERS)
    page.goto(address)
    type_question(page, "How long do refunds take?")
    ended(page)
    page.get_by_role("tab", name="RAG").click()
    page.locator(".q-source:visible").first.click()
    expect(page.locator("#q-source mark")).to_be_in_viewport()
    page.set_viewport_size({"width": 390, "height": 220})
    page.evaluate("document.querySelector('#q-drawer-source').scrollTop = 1000")
    page.locator("#q-drawer-source").get_by_role("button", name="Close").click()
    expect(page.locator("#q-drawer-source")).to_be_hidden()


def test_buttons_stay_at_the_end_of_a_message_of_several_lines(browser_page, address):
    browser_page.goto(address)
    browser_page.locator("#q-question textarea").fill("one\ntwo\nthree\nfour")
    box = browser_page.locator("#q-question").bounding_box()
    send = browser_page.locator("#q-send").bounding_box()
    assert abs(box["y"] + box["height"] - send["y"] - send["height"]) < 4


def test_columns_follow_the_width_of_the_screen(browser_page, address, engine):
    page = browser_page
    engine.queue(*ANSWERS)
    page.goto(address)
    type_question(page, "One")
    expect(page.locator("#q-live-prompt")).to_contain_text("Some days.")
    for width, columns in ((1440, 4), (900, 2), (390, 1)):
        page.set_viewport_size({"width": width, "height": 900})
        boxes = [page.locator(f"#q-live-{lane}").bounding_box() for lane in LANES]
        assert len({round(box["x"]) for box in boxes if box}) == columns, width


def test_the_page_is_there_before_the_models_and_says_what_still_loads(
    browser_page, address, studio, monkeypatch
):
    page = browser_page
    monkeypatch.setattr(studio, "readiness", Readiness(False, "Loading the chat model", 0.4))
    monkeypatch.setattr(studio, "_engine", None)
    page.goto(address)
    expect(page.locator("#q-status")).to_contain_text("Loading the chat model")
    type_question(page, "Too early")
    expect(page.locator("#q-problem")).to_contain_text("Loading the chat model")
    expect(page.locator("#q-question textarea")).to_have_value("Too early")
    studio.readiness = Readiness(True, "Queue engine on paper", 1.0)
    expect(page.locator("#q-status")).to_contain_text("Queue engine on paper")


def test_instructions_can_be_changed_in_place(browser_page, address, studio):
    page = browser_page
    page.goto(address)
    page.click("[data-opens=instructions]")
    expect(page.locator("#q-instructions textarea")).to_have_value(re.compile("You are the assistant"))
    page.fill("#q-instructions textarea", "Answer in verse.")
    page.click("#q-instructions-save")
    expect(page.get_by_text("These are your own instructions.")).to_be_visible()
    assert studio.brand().instructions == "Answer in verse."
