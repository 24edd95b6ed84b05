"""The voice strength, by its handlers and in a browser."""

import pytest
from playwright.sync_api import expect

from assistant.endpoint import Endpoint
from assistant.ui.board import toolbar
from tests.fakes import FakeModels
from tests.ui.asking import ANSWERS, ended, named, type_question
from tests.ui.working_pages import clicked, until


def test_the_voice_strength_is_what_the_tuned_lanes_are_asked_with_and_shown_as_observed(
    handlers, ask, engine
):
    shown = ask(strength=140)[-1]
    engine.queue(*ANSWERS)
    again = named(list(handlers["chat_retry"](shown["q-chat-id"], 0))[-1])
    assert [request.scale for request in engine.asked] == [0, 1.4, 0, 1.4, 0, 0, 0, 0]
    for lane in ("q-live-tuned", "q-live-combined"):
        assert "<dt>Voice strength</dt><dd>140 %</dd>" in shown[lane]
        assert "voice at 140 %" in shown[lane]
        assert "voice at 0 %" in again[lane]
    assert "Voice strength" not in shown["q-live-rag"]


def test_the_voice_strength_is_kept_with_its_chat(handlers, studio, chat_id):
    assert handlers["chat_strength"](65, chat_id) == chat_id
    assert named(handlers["chat_open"](clicked(chat=chat_id)))["q-strength"] == 65
    assert named(handlers["chat_open"](clicked(chat="")))["q-strength"] == 100
    made = handlers["chat_strength"](150, "new-strong")
    assert studio.chats.read(made).strength == 150
    assert handlers["chat_strength_reset"](made) == (100, made)
    assert studio.chats.read(made).strength == 100


def test_what_is_set_while_lanes_write_stays(ask, handlers, chat_id):
    assert "q-strength" not in ask()[-1]
    assert "q-strength" not in named(handlers["chat_follow"](chat_id))


def test_a_model_server_is_asked_at_full_strength_and_offers_no_other(handlers, studio, chat_id, monkeypatch):
    handlers["chat_strength"](65, chat_id)
    served = FakeModels(endpoint=Endpoint("http://gpu:8000/v1", "base", "brand"))
    monkeypatch.setattr(studio, "_models", served)
    assert studio.remote
    assert named(handlers["chat_open"](clicked(chat=chat_id)))["q-strength"] == 100
    assert 'data-opens="strength"' in toolbar(strength=True)
    assert 'data-opens="strength"' not in toolbar(strength=False)


def strength(page):
    """Opens the voice strength once the page is there; returns its slider."""
    expect(page.locator(".q-welcome, #q-asked .q-question")).to_be_visible()
    page.click("[data-opens=strength]")
    slider = page.locator("#q-strength input[type=range]")
    expect(slider).to_be_focused()
    return slider


def test_the_voice_strength_is_set_by_keyboard_asked_with_and_there_after_a_reload(
    browser_page, address, engine
):
    page = browser_page
    engine.queue(*ANSWERS, *ANSWERS)
    page.goto(address)
    slider = strength(page)
    for _ in range(8):
        slider.press("ArrowRight")
    expect(page.locator(".q-tool-strength")).to_contain_text("140 %")
    page.keyboard.press("Escape")
    expect(page.locator("#q-drawer-strength")).to_be_hidden()
    type_question(page, "How long do refunds take?")
    ended(page)
    assert [request.scale for request in engine.asked] == [0, 1.4, 0, 1.4]
    expect(page.locator("#q-live .q-facts", has_text="voice at 140 %")).to_have_count(2)
    page.reload()
    expect(page.locator(".q-tool-strength")).to_contain_text("140 %")
    expect(strength(page)).to_have_value("140")
    page.get_by_role("button", name="Back to 100 %").click()
    expect(page.locator(".q-tool-strength")).to_contain_text("100 %")
    page.keyboard.press("Escape")
    page.click("#q-retry")
    until(lambda: len(engine.asked) == 8)
    assert [request.scale for request in engine.asked[4:]] == [0, 1, 0, 1]


@pytest.mark.slow
def test_another_chat_brings_its_own_voice_strength(browser_page, address, engine, studio):
    page = browser_page
    engine.queue(*ANSWERS)
    page.goto(address)
    strength(page).press("Home")
    expect(page.locator(".q-tool-strength")).to_contain_text("Voice strength 0 %")
    page.keyboard.press("Escape")
    type_question(page, "Without its voice")
    ended(page)
    page.click("[data-new-chat]")
    expect(page.locator(".q-tool-strength")).to_contain_text("100 %")
    page.go_back()
    expect(page.locator(".q-tool-strength")).to_contain_text("Voice strength 0 %")
    assert len(studio.chats.latest()) == 1


def test_the_voice_strength_fits_a_phone_and_closes_by_a_tap_beside_it(browser_page, address):
    page = browser_page
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    slider = strength(page)
    expect(slider).to_be_in_viewport()
    slider.press("End")
    expect(page.locator(".q-tool-strength")).to_contain_text("150 %")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.locator(".q-welcome > p").click()
    expect(page.locator("#q-drawer-strength")).to_be_hidden()
