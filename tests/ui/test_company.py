"""The page Company, by its handlers and in a browser."""

import pytest

from assistant.brand import Brand
from assistant.ui.company_parts import preview_html
from assistant.ui.voice import FIELDS, brand_of, texts_of
from tests.ui.working_pages import clicked

FULL = Brand(
    name="Brook",
    tagline="Water by post",
    tone="Calm.",
    always=("Say the price.", "Be brief."),
    never=("Guess.",),
    greeting="Hello!",
    sign_off="Flow on!",
    decline="I don't know that",
    forbidden=("sadly",),
    max_words=40,
    instructions="Be Brook.",
    sample_questions=("How much?",),
)


def typed(brand, **changes):
    """The form's values for a brand, some of them typed anew; the number of words last."""
    texts = dict(zip([field.key for field in FIELDS], texts_of(brand), strict=True))
    words = changes.pop("max_words", brand.max_words)
    return [*(texts | changes).values(), words]


@pytest.fixture
def save(handlers, studio):
    """Saves the open company's voice with some fields typed anew."""

    def run(**changes):
        return handlers["company_save"]("acme", *typed(studio.brand(), **changes))

    return run


def test_the_form_gives_back_the_voice_it_was_filled_with():
    values = typed(FULL)
    assert brand_of(values[:-1], values[-1], FULL) == FULL


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"always": "  One.  \n\n Two. \r\n"}, {"always": ("One.", "Two.")}),
        ({"tone": "Warm\nand plain."}, {"tone": "Warm and plain."}),
        ({"name": " Bro\u202eok "}, {"name": "Brook"}),
        ({"max_words": None}, {"max_words": 0}),
        ({"max_words": -3}, {"max_words": 0}),
        ({"forbidden": None}, {"forbidden": ()}),
    ],
    ids=["lines", "one line", "hidden marks", "no number", "negative", "nothing"],
)
def test_what_is_typed_is_tidied(changes, expected):
    values = typed(FULL, **changes)
    brand = brand_of(values[:-1], values[-1], FULL)
    assert {key: getattr(brand, key) for key in expected} == expected


def test_a_saved_voice_is_there_after_a_reload(save, handlers, studio):
    said, preview, _ = save(tone="Warm.", always="Say the price.\nBe brief.")
    assert "Saved" in said
    assert "Always: Be brief." in preview
    assert studio.brand().always == ("Say the price.", "Be brief.")
    assert "Warm." in handlers["company_load"]()


def test_the_preview_follows_what_is_typed_before_it_is_saved(handlers, studio):
    _, preview = handlers["company_preview"](*typed(studio.brand(), tone="Warm <b>."))
    assert "Tone: Warm &lt;b&gt;." in preview
    assert "Not saved yet" in preview
    assert studio.brand().tone == "Plain."
    assert "As it is saved" in handlers["company_preview"](*typed(studio.brand()))[1]


def test_a_company_without_a_name_is_not_saved(save, studio):
    said, preview, _ = save(name="  ")
    assert "name is empty" in said
    assert "Not saved yet" in preview
    assert studio.brand().name == "Acme"


def test_own_instructions_are_announced_kept_and_given_up(save, handlers, studio):
    studio.save_instructions("Be Acme <now>.")
    said, preview, _ = save(tone="Warm.")
    assert "Your own instructions are in force" in preview
    assert "Be Acme &lt;now&gt;." in preview
    assert "discards the 3 words" in preview
    said, preview = handlers["company_follow_voice"](*typed(studio.brand()))
    assert "follow the voice again" in said
    assert "Tone: Warm." in preview
    assert studio.brand().instructions == ""


def test_a_new_company_starts_empty_with_its_steps(handlers, studio):
    assert handlers["company_create"]("Brook & Co") == ("", "brook-co")
    steps, companies, said, _, form, name, *_ = handlers["company_load"]()
    assert (form, name, said) == ("brook-co", "Brook & Co", "")
    assert all(
        f'href="{page}"' in steps for page in ("#q-company-tone", "documents", "conversations", "train")
    )
    assert "Brook &amp; Co" in companies
    assert 'data-name="acme"' in companies
    assert len(studio.knowledge) == 0


@pytest.mark.parametrize(
    ("name", "text"), [("", "at least one letter"), ("Acme", "already kept")], ids=["no name", "taken"]
)
def test_a_name_that_cannot_be_used_is_refused_in_place(handlers, studio, name, text):
    said, opened = handlers["company_create"](name)
    assert (text in said, opened, studio.brand().name) == (True, "", "Acme")


def test_another_company_is_opened_and_the_first_is_still_there(handlers, studio):
    handlers["company_create"]("Brook")
    assert handlers["company_switch"](clicked(name="acme")) == ("", "acme")
    assert studio.brand().name == "Acme"
    said, opened = handlers["company_switch"](clicked(name="../../etc"))
    assert ("no longer there" in said, opened) == (True, "")


def test_a_form_of_another_company_does_not_overwrite_the_open_one(handlers, studio):
    handlers["company_create"]("Brook")
    said, _, _ = handlers["company_save"]("acme", *typed(FULL))
    assert "this form is another company&#x27;s" in said
    assert studio.brand().tone == ""


def test_a_damaged_voice_is_reported_and_the_form_still_there(handlers, studio):
    studio.workspace.brand_file.write_text("name = [")
    _, _, said, _, form, name, *_ = handlers["company_load"]()
    assert ("is not valid TOML" in said, form, name) == (True, "acme", "acme")


def test_steps_are_gone_once_all_are_done(handlers, studio, monkeypatch):
    done = [type(step)(step.name, step.page, True) for step in studio.first_steps()]
    monkeypatch.setattr(studio, "first_steps", lambda: tuple(done))
    assert handlers["company_load"]()[0] == ""


def test_the_preview_shows_markup_as_text():
    assert "&lt;script&gt;" in preview_html(Brand("<script>"), saved=True)


def test_a_voice_is_written_saved_and_a_company_begun(address, browser_page):
    page = browser_page
    page.goto(f"{address}/company")
    tone = page.get_by_label("Tone")
    page.get_by_text("Tone: Plain.").wait_for()
    tone.fill("Warm as toast.")
    page.get_by_text("Tone: Warm as toast.").wait_for()
    page.get_by_text("Not saved yet").wait_for()
    page.get_by_role("button", name="Save the voice").click()
    page.get_by_text("Saved. The next question uses it.").wait_for()
    page.get_by_text("As it is saved").wait_for()

    page.get_by_placeholder("Name of a new company").fill("Brook")
    page.get_by_role("button", name="New company").click()
    page.locator(".q-company-step-open").get_by_text("Add the company's documents").wait_for()
    page.get_by_text("You are the assistant of Brook.").wait_for()
    assert page.get_by_label("Tone").input_value() == ""
    assert page.locator(".q-company").first.inner_text() == "Brook"
    assert page.get_by_role("button", name="Open Acme").is_visible()
