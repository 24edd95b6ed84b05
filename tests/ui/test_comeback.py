"""The server killed in mid-stream: once it is back, the page shows what was asked, said and typed."""

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import expect

from assistant.chats import Chats
from assistant.scratch import scratch_folder
from assistant.server import UPLOADS
from assistant.store import open_database
from tests.ui.asking import type_question
from tests.ui.conftest import PATIENCE
from tests.ui.working_pages import until

ROOT = Path(__file__).parents[2]
QUESTION = "What does the long story say?"
LANES = ("prompt", "tuned", "rag", "combined")
SERVER = """
import sys
from pathlib import Path
from assistant.server import serve
from assistant.studio import Studio
from tests.fakes import FakeModels, QueueEngine
engine = QueueEngine(*("word " * 5000,) * 4, pause=0.1)
studio = Studio(Path(sys.argv[1]), FakeModels(engine))
studio.load()
serve(studio, port=int(sys.argv[2]))
"""


@pytest.fixture
def start(studio) -> Iterator[Callable[[], tuple[subprocess.Popen, str]]]:
    """Starts Acme's server, each time at the same address, where it answers at length and slowly."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = []

    def begin() -> tuple[subprocess.Popen, str]:
        command = [sys.executable, "-c", SERVER, str(studio.workspace.root), str(port)]
        server = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(server)
        assert "Quartet is at" in server.stdout.readline()
        return server, f"http://127.0.0.1:{port}"

    yield begin
    for server in started:
        with suppress(ProcessLookupError):
            server.kill()
        server.communicate()


def said(chats: Chats, chat_id: str) -> dict[str, str]:
    """What is stored of the answers to the first question; empty until there is something of each."""
    stored = {lane: answer.text.strip() for lane, answer in chats.read(chat_id).turns[0].answers.items()}
    return stored if len(stored) == len(LANES) and all(stored.values()) else {}


def test_what_was_uploaded_to_a_killed_server_is_removed_by_the_next_and_a_living_ones_is_not(
    start, tmp_path, monkeypatch
):
    monkeypatch.setenv("TMPDIR", str(tmp_path))

    def uploaded() -> Path:
        server, address = start()
        (path,) = httpx.post(f"{address}/gradio_api/upload", files={"files": ("chats.txt", b"secret")}).json()
        server.kill()
        server.wait()
        return Path(path)

    with scratch_folder(tmp_path, UPLOADS) as living:
        (living / "chats.txt").write_bytes(b"of a server that is at work")
        left = uploaded()
        assert left.read_bytes() == b"secret" and left.is_relative_to(tmp_path)
        again = uploaded()
        assert not left.exists() and again.exists()
        assert sorted(tmp_path.glob(f"{UPLOADS}*/chats.txt")) == [living / "chats.txt"]


def test_what_was_asked_said_and_typed_comes_back_after_the_server_was_killed(start, browser, studio):
    server, address = start()
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    type_question(page, QUESTION)
    expect(page.locator("#q-live-combined")).to_contain_text("word word word")
    page.wait_for_url("**/?chat=*")
    chat_id = page.url.split("=")[1]
    page.locator("#q-question textarea").press_sequentially("My next question")
    chats = Chats(open_database(studio.workspace.database))
    until(lambda: chats.read(chat_id).draft == "My next question")
    kept = until(lambda: said(chats, chat_id))
    server.send_signal(signal.SIGKILL)
    server.wait()
    start()
    expect(page.locator("#q-asked")).to_have_text(QUESTION)
    for lane in LANES:
        expect(page.locator(f"#q-live-{lane}")).to_contain_text(kept[lane])
    expect(page.locator("#q-question textarea")).to_have_value("My next question")
    expect(page.locator("#q-send")).to_be_visible()
    page.close()
