"""The rater's page in a real browser: by keyboard alone, by mouse and finger, over a lost connection."""

import pytest
from playwright.sync_api import expect

from tests.studies import opened
from tests.ui.conftest import PATIENCE


@pytest.fixture
def study(studio):
    return opened(studio.desk, questions=4, raters=2)


@pytest.fixture
def link(studio, study, address):
    return f"{address}/rate/{studio.rounds.raters(study.id)[0].token}"


def at(page, place, total=6):
    expect(page.locator(".progress")).to_contain_text(f"{place} of {total}")


def judge(page, scores="34251324", ranks="2113"):
    for key in scores + ranks:
        page.keyboard.press(key)


def votes(studio, study):
    return studio.votes.of_study(study.id)


def test_a_round_is_judged_by_keyboard_alone(link, studio, study, browser_page):
    page = browser_page
    page.goto(link)
    for place in range(1, 7):
        at(page, place)
        judge(page)
        if place == 1:
            for key in ("w", "ArrowRight", " ", "Escape", "c", "T", "o", "o", "Escape"):
                page.keyboard.press(key)
        page.keyboard.press("Enter")
    for number in range(1, 5):
        expect(page.locator(".progress")).to_have_text(f"One last thing: {number} of 4")
        page.keyboard.press("2")
        page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("Thank you, Rater 1")
    first, *others = votes(studio, study)
    assert first.judgement.scores == {"brand-voice": (3, 2, 1, 2), "accuracy": (4, 5, 3, 4)}
    assert {vote.judgement.ranks for vote in (first, *others)} == {(2, 1, 1, 3)}
    assert (first.judgement.wrong, first.judgement.comment) == ((("Sure.",), (), (), ()), "Too")
    assert {guess.looked_up for guess in studio.votes.guesses(study.id)} == {(False, True, False, False)}


def test_enter_leads_to_what_is_missing_and_none_usable_needs_no_ranks(link, studio, study, browser_page):
    page = browser_page
    page.goto(link)
    page.keyboard.press("Enter")
    expect(page.locator(".missing")).to_have_text("12 still to do")
    judge(page, ranks="")
    page.keyboard.press("n")
    expect(page.locator(".missing")).to_have_text("Complete")
    page.keyboard.press("Enter")
    at(page, 2)
    (vote,) = votes(studio, study)
    assert (vote.judgement.unusable, vote.judgement.ranks) == (True, (1, 1, 1, 1))


def test_letters_are_dragged_and_what_was_last_is_undone(link, studio, study, browser_page):
    page = browser_page
    page.goto(link)
    judge(page, ranks="")
    for letter, place in (("B", 1), ("A", 2), ("D", 2), ("C", 4)):
        page.locator(".chip", has_text=letter).drag_to(page.locator(".slot").nth(place - 1))
    page.click(".sentence >> nth=0")
    page.get_by_role("button", name="Next").click()
    at(page, 2)
    assert votes(studio, study)[0].judgement.ranks == (2, 1, 3, 2)
    page.get_by_role("link", name="Undo last").click()
    at(page, 1)
    expect(page.locator('.sentence[aria-pressed="true"]')).to_have_count(1)
    page.locator('.scale input[value="5"]').first.check()
    page.get_by_role("button", name="Change it").click()
    at(page, 2)
    (vote,) = votes(studio, study)
    assert (vote.judgement.scores["brand-voice"][0], vote.corrections) == (5, 1)
    assert page.url == link


def test_a_vote_sent_while_there_is_no_connection_arrives_once_even_over_a_reload(
    link, studio, study, browser
):
    page, lost = browser.new_page(), {"answers": 2}
    page.set_default_timeout(PATIENCE)

    def unreliable(route):
        """The first vote is stored, but nobody hears of it; the next try never arrives."""
        if route.request.method == "POST" and lost["answers"]:
            lost["answers"] -= 1
            if lost["answers"] == 1:
                route.fetch()
            return route.abort("connectionreset")
        return route.continue_()

    page.route("**/rate/**", unreliable)
    page.goto(link)
    judge(page)
    with page.expect_event("requestfailed"):
        page.keyboard.press("Enter")
    expect(page.locator("#problem")).to_contain_text("Not stored yet")
    page.reload()
    at(page, 2)
    judge(page, scores="11111111")
    page.keyboard.press("Enter")
    at(page, 3)
    assert [vote.corrections for vote in votes(studio, study)] == [0, 0]
    assert votes(studio, study)[0].judgement.scores["accuracy"] == (4, 5, 3, 4)
    page.close()


def test_what_is_half_done_survives_a_reload_and_another_device_goes_on(
    link, studio, study, browser, browser_page
):
    page = browser_page
    page.goto(link)
    judge(page, ranks="21")
    page.reload()
    expect(page.locator(".missing")).to_have_text("2 still to do")
    page.keyboard.press("1")
    page.keyboard.press("4")
    page.keyboard.press("Enter")
    at(page, 2)
    assert votes(studio, study)[0].judgement.ranks == (2, 1, 1, 3)

    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    phone = context.new_page()
    phone.set_default_timeout(PATIENCE)
    phone.goto(link)
    at(phone, 2)
    assert phone.evaluate("document.documentElement.scrollWidth") == 390
    for number in range(8):
        phone.locator('.scale input[value="4"]').nth(number).tap()
    for letter in "ABCD":
        phone.locator(".chip", has_text=letter).tap()
        phone.locator(".slot").first.tap()
    phone.get_by_role("button", name="Next").tap()
    at(phone, 3)
    context.close()
    assert votes(studio, study)[1].judgement.ranks == (1, 1, 1, 1)


def test_two_tabs_and_a_double_click_make_one_vote(link, studio, study, browser_page):
    page = browser_page
    page.goto(link)
    other = page.context.new_page()
    other.goto(link)
    judge(other, scores="11111111")
    judge(page)
    page.get_by_role("button", name="Next").dblclick()
    at(page, 2)
    other.get_by_role("button", name="Next").click()
    at(other, 2)
    (vote,) = votes(studio, study)
    assert vote.judgement.scores["accuracy"] == (1, 1, 1, 1)
    assert len(studio.votes.history(vote.showing.id)) == 2
