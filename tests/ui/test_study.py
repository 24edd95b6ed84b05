"""The page Study: a study is made, answered, handed out, followed and closed."""

import re

import pytest
from playwright.sync_api import expect

from assistant.comparison import StudySettings
from tests.studies import drafted, opened
from tests.ui.asking import named
from tests.ui.working_pages import REFUND, clicked, dropped, listening, until, uploads


@pytest.fixture
def do(handlers):
    """Calls a handler of the page by its short name and returns what was shown, by element id."""

    def call(name, *values):
        return named(handlers[f"study_{name}"](*values))

    return call


@pytest.fixture
def study_id(do, studio):
    """A study that was begun on the page."""
    do("new", "Spring round", "")
    return studio.studies.list()[0].id


def questions(studio, study_id):
    return [item.question for item in studio.studies.items(study_id)]


def test_a_study_is_begun_renamed_shown_and_removed(do, studio, study_id):
    do("rename", "Summer round", study_id)
    assert studio.studies.read(study_id).name == "Summer round"
    other = do("new", "Other", study_id)["q-study-id"]
    shown = do("open", clicked(name=study_id))
    assert shown["q-study-id"] == study_id
    assert re.search(r"<li aria-current=true><button[^>]*>Summer round", shown["q-study-studies"])
    assert do("remove", study_id)["q-study-id"] == other
    assert "Name a study to begin" in do("remove", other)["q-study-nothing"]
    assert "The name has 0 letters" in do("new", "", "")["q-study-said"]


def test_questions_come_from_everywhere_and_go_again(do, studio, study_id, tmp_path, monkeypatch):
    said = do("add_typed", "One?\nTwo?\nOne?", study_id)["q-study-said"]
    assert "2 questions added" in said
    chat = studio.chats.new()
    studio.chats.add_turn(chat, "From a chat?")
    do("add_chats", study_id)
    files = uploads(tmp_path / "up", monkeypatch, {"q.txt": "From a file?\nTwo?\n"})
    assert "1 question added. 1 you had already." in do("add_file", study_id, dropped(files))["q-study-said"]
    assert questions(studio, study_id) == ["One?", "Two?", "From a chat?", "From a file?"]
    do("remove_item", study_id, clicked(name=str(studio.studies.items(study_id)[0].id)))
    assert questions(studio, study_id) == ["Two?", "From a chat?", "From a file?"]
    assert "No questions yet" in do("clear_items", study_id)["q-study-items"]
    assert "could not be uploaded" in do("add_file", study_id, dropped({}, {"x.txt": "lost"}))["q-study-said"]


def test_conversations_held_out_bring_the_agents_answer_and_were_not_learned_from(
    do, studio, study_id, tmp_path, monkeypatch
):
    assert "No conversations are held out" in do("add_held_out", 5, study_id)["q-study-said"]
    words = ("ferns", "pots", "soil", "refunds", "light", "frost", "water", "seeds", "moss", "ivy")
    text = "\n".join(
        REFUND % f"{one} and {other} number {n}{one}" for n, one in enumerate(words) for other in words
    )
    files = uploads(tmp_path / "up", monkeypatch, {"june.jsonl": text})
    studio.conversations.add(files["june.jsonl"], "june.jsonl")
    do("add_held_out", 5, study_id)
    items = studio.studies.items(study_id)
    assert len(items) == 5
    assert {item.reference for item in items} == {"Five days."}
    assert "with the agent’s answer" in do("open", clicked(name=study_id))["q-study-items"]


def test_criteria_are_added_changed_and_removed(do, studio, study_id):
    do("save_criterion", "Warmth", "Cold.", "Warm.", study_id)
    do("save_criterion", "Accuracy", "Wrong.", "Right.", study_id)
    assert [each.name for each in studio.studies.read(study_id).criteria] == [
        "Brand voice",
        "Accuracy",
        "Warmth",
    ]
    shown = do("edit_criterion", study_id, clicked(name="accuracy"))
    assert (shown["q-study-criterion"], shown["q-study-low"], shown["q-study-high"]) == (
        "Accuracy",
        "Wrong.",
        "Right.",
    )
    for key in ("warmth", "accuracy"):
        do("remove_criterion", study_id, clicked(name=key))
    assert (
        "at least one criterion"
        in do("remove_criterion", study_id, clicked(name="brand-voice"))["q-study-said"]
    )
    assert [each.name for each in studio.studies.read(study_id).criteria] == ["Brand voice"]
    assert "sentence for a 5 has 0 letters" in do("save_criterion", "X", "a", "", study_id)["q-study-said"]


def test_raters_get_links_and_settings_are_kept(do, studio, study_id):
    do("add_rater", "Maria", study_id)
    shown = do("add_rater", "Ben", study_id)
    maria, ben = studio.rounds.raters(study_id)
    assert f'data-copy="rate/{ben.token}"' in shown["q-study-raters"]
    assert "There is a rater" in do("add_rater", "maria", study_id)["q-study-said"]
    do("remove_rater", study_id, clicked(name=str(maria.id)))
    assert studio.rounds.raters(study_id) == (ben,)
    seed = studio.studies.read(study_id).settings.seed
    do("settings", 2, 20, True, study_id)
    assert studio.studies.read(study_id).settings == StudySettings(seed, 2, 0.2, True)


def test_the_planner_says_how_many_questions_it_takes(do, studio, study_id):
    do("add_rater", "Maria", study_id)
    assert "Working out how many" in do("follow", study_id)["q-study-plan"]
    plan = until(lambda: re.search(r"about (\d+) questions", do("follow", study_id)["q-study-plan"]))
    assert 40 <= int(plan[1]) <= 400


def test_a_draft_says_what_it_lacks_and_answers_are_got_once(do, studio, study_id, engine):
    assert "Add questions and raters" in do("open", clicked(name=study_id))["q-study-now"]
    do("add_typed", "One?\nTwo?", study_id)
    assert "2 questions for 1 rater" in do("add_rater", "Maria", study_id)["q-study-now"]
    do("start", study_id)
    shown = until(lambda: "All 2 questions" in (now := do("follow", study_id))["q-study-now"] and now)
    assert "<dt>Combined</dt>" in shown["q-study-items"]
    assert len(engine.asked) == 8
    assert "is being answered" in do("add_typed", "Three?", study_id)["q-study-said"]
    do("open_round", study_id)
    assert studio.studies.read(study_id).state == "open"


def test_answers_can_be_stopped_gone_on_with_and_forgotten(do, studio, engine):
    study = drafted(studio.desk, questions=30)
    engine.pause = 0.02
    do("start", study.id)
    until(
        lambda: re.search(r"[1-9]\d* of 30 questions answered, about", do("follow", study.id)["q-study-now"])
    )
    do("stop", study.id)
    until(lambda: "nobody is at work" in do("follow", study.id)["q-study-now"])
    do("redraft", study.id)
    assert studio.studies.read(study.id).state == "draft"
    assert not any(item.answers for item in studio.studies.items(study.id))


def test_the_round_is_followed_and_closed(do, studio):
    study = opened(studio.desk)
    shown = do("open", clicked(name=study.id))
    assert "0 of 24 votes given" in shown["q-study-now"]
    assert shown["q-study-raters"].count("0 of 8") == 3
    assert "The round is over, with 0 votes" in do("close_round", study.id)["q-study-now"]


def test_a_manager_makes_a_study_in_the_browser_and_a_rater_opens_the_link(
    studio, address, browser_page, engine
):
    page = browser_page
    page.goto(f"{address}/study")
    listening(page)
    page.get_by_label("Name of a new study").fill("Spring round")
    page.get_by_role("button", name="New study").click()
    page.get_by_label("Type them, one a line").fill("How long do refunds take?\nCan I send back a fern?")
    page.get_by_role("button", name="Add these").click()
    expect(page.locator("#q-study-items li")).to_have_count(2)
    page.get_by_label("Name of a rater").fill("Maria")
    page.keyboard.press("Enter")
    expect(page.get_by_text("2 questions for 1 rater")).to_be_visible()
    page.get_by_role("button", name="Get the answers").click()
    page.get_by_role("button", name="Open the round").click()
    expect(page.locator("#q-study-now")).to_contain_text("0 of 2 votes given")
    assert f"study={studio.studies.list()[0].id}" in page.url
    page.reload()
    with page.expect_popup() as opening:
        page.get_by_role("link", name="Open", exact=True).click()
    rater = opening.value
    expect(rater.locator(".progress")).to_contain_text("1 of 2")
    rater.keyboard.type("111111111111")
    rater.keyboard.press("Enter")
    expect(rater.locator(".progress")).to_contain_text("2 of 2")
    expect(page.locator("#q-study-now")).to_contain_text("1 of 2 votes given")
    page.get_by_text("Close the round").click()
    page.get_by_role("button", name="Close it for good").click()
    expect(page.locator("#q-study-now")).to_contain_text("The round is over, with 1 vote")
