"""The main job in a real browser with real parts: engine, index, training; only the models are tiny."""

import shutil
import socket
import threading
import time

import pytest
import uvicorn
from playwright.sync_api import expect

from assistant.brand import Brand, write_brand
from assistant.loading import LocalModels
from assistant.models import STARTER_EMBEDDER, models_folder
from assistant.server import make_app
from assistant.studio import Studio
from tests.ui.working_pages import choose, listening

LANES = ("prompt", "tuned", "rag", "combined")
HOURS = "# Opening hours\n\nThe shop opens at nine. The red bag and the blue pot are in the shop.\n"
POTS = "# Red pots\n\nThe red pot is at the shop.\n"


@pytest.fixture
def studio(workspace, tiny_model_folder, tiny_encoder_folder):
    """An empty company whose chat model and embedder are tiny; both are loaded as any other."""
    embedder = models_folder() / f"{STARTER_EMBEDDER.name}-{STARTER_EMBEDDER.sha256[:8]}"
    shutil.copytree(tiny_encoder_folder, embedder)
    write_brand(workspace.brand_file, Brand("Acme", tone="Plain."))
    return Studio(workspace.root, LocalModels(str(tiny_model_folder)))


@pytest.fixture
def site(studio):
    """The pages, served before the models are loaded, as on a start."""
    studio.load_in_background()
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(make_app(studio), log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


def ask(page, question):
    page.fill("#q-question textarea", question)
    page.keyboard.press("Enter")
    expect(page.locator("#q-asked")).to_have_text(question)
    expect(page.locator("#q-send")).to_be_visible()


def add(page, drop, path, text):
    path.write_text(text, encoding="utf-8")
    listening(page)
    page.set_input_files(f"{drop} input >> nth=0", path)


def look_things_up(page, site, tmp_path):
    """Documents come, are found, and are found beside others that come later."""
    page.goto(f"{site}/documents")
    expect(page.locator(".q-dot-good")).to_be_visible()
    add(page, "#q-documents-drop", tmp_path / "hours.md", HOURS)
    page.get_by_role("button", name="hours.md", exact=True).wait_for()
    page.goto(site)
    ask(page, "When does the shop open?")
    expect(page.locator("#q-live-tuned")).to_contain_text("has not learned a voice yet")
    page.click("#q-live-rag .q-source >> nth=0")
    expect(page.locator("#q-source mark").first).to_contain_text("Opening hours")
    page.keyboard.press("Escape")
    page.goto(f"{site}/documents")
    add(page, "#q-documents-drop", tmp_path / "pots.md", POTS)
    page.get_by_role("button", name="pots.md", exact=True).wait_for()
    page.goto(site)
    ask(page, "the red pot")
    expect(page.locator("#q-live-rag .q-source", has_text="Red pots")).to_have_count(1)


def tickets(count):
    """A table that a help desk might give out: odd names of columns, a row for each message."""
    rows = ["Nr;Person;Notiz;Am"]
    for number in range(count):
        words = " ".join(f"{thing}{number}" for thing in ("basil", "cactus", "fern", "lily", "moss"))
        day = f"2026-05-{1 + number % 28:02d}"
        rows.append(f"{number};Customer {number};<p>Where is {words}?</p>;{day} 09:00")
        rows.append(f"{number};Lena;By the pot{number}, on the shelf{number}.;{day} 10:00")
    return "\n".join(rows) + "\n"


def bring_conversations(page, site, tmp_path):
    """A messy table is mapped and added, and two of its conversations are left out."""
    page.goto(f"{site}/conversations")
    add(page, "#q-conversations-drop", tmp_path / "tickets.csv", tickets(48))
    page.get_by_text("say which column is Conversation").wait_for()
    choose(page, "Conversation", "Nr")
    page.get_by_text("say which column is Who writes").wait_for()
    choose(page, "Who writes", "Person")
    page.get_by_role("button", name="Add 1 file").click()
    page.get_by_text("tickets.csv was added.").wait_for()
    for left in ("1 of 47", "1 of 46"):
        page.get_by_role("button", name="Leave out this conversation").click()
        page.get_by_text(left, exact=True).wait_for()


def train(page, site):
    """A training is stopped, and what it had learned is used."""
    page.goto(f"{site}/train")
    page.get_by_text("It learns from").wait_for()
    page.get_by_text("Quick look").click()
    page.locator("#q-train-settings .label-wrap").click()
    page.get_by_label("number input for Epochs").fill("12")
    page.get_by_label("number input for Epochs").press("Tab")
    page.get_by_role("button", name="Train a new version").click()
    page.locator(".q-charts-training").wait_for(state="attached")
    page.get_by_role("button", name="Stop and keep").click()
    page.get_by_text("What it had learned is kept as version 1, in use now.").wait_for()


def patient(page):
    """The page, which may take long: real trainings are at work."""
    page.set_default_timeout(90_000)
    expect.set_options(timeout=45_000)
    return page


@pytest.mark.slow
def test_a_stopped_training_is_gone_on_with_and_of_two_versions_the_first_is_chosen(
    site, browser_page, tmp_path
):
    page = patient(browser_page)
    bring_conversations(page, site, tmp_path)
    train(page, site)
    page.get_by_role("button", name="Go on with the last one").click()
    page.get_by_text("The tuned lanes answer with version 2 now.").wait_for()
    page.get_by_role("button", name="Use Version 1").click()
    page.locator("#q-train-use h3", has_text="Version 1").wait_for()


def test_from_documents_and_a_messy_table_to_four_different_answers(site, studio, browser_page, tmp_path):
    page = patient(browser_page)
    look_things_up(page, site, tmp_path)
    bring_conversations(page, site, tmp_path)
    train(page, site)
    lineage = studio.adapter().lineage
    assert lineage.conversations < 46 and lineage.settings["most_conversations"] == 60

    page.goto(site)
    ask(page, "the red pot")
    turn = studio.chats.read(page.url.split("chat=")[1]).turns[-1]
    records = {lane: turn.answers[lane].record for lane in LANES}
    assert [records[lane].adapter for lane in LANES] == [None, "0001", None, "0001"]
    assert records["rag"].passages == records["combined"].passages
    assert turn.answers["tuned"].text != turn.answers["prompt"].text
