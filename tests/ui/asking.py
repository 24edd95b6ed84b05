"""What the tests of the page Compare share: a question, what lanes say to it, and asking it in a browser."""

from playwright.sync_api import expect

QUESTION = "How long do refunds take for unopened pots?"
ANSWERS = ("Some days.", "A few days, dear.", "Five days.", "Five days, dear.")


def named(update):
    """What a handler returned, by element id."""
    return {component.elem_id: value for component, value in update.items()}


def type_question(page, question):
    page.fill("#q-question textarea", question)
    page.keyboard.press("Enter")


def ended(page):
    expect(page.locator("#q-send")).to_be_visible()
    page.wait_for_timeout(1000)  # Gradio takes the next question once it has closed the last one's stream
