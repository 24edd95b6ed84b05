"""The server killed in mid-stream: once it is back, the page shows what was asked, said and typed."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
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
SERVERS = """
import json, os, sys, tempfile
from pathlib import Path
import assistant.ui  # once for all servers
from assistant.server import serve
from assistant.studio import Studio
from tests.fakes import FakeModels, QueueEngine
for line in sys.stdin:
    if server := os.fork():
        print(server, flush=True)
        os.waitpid(server, 0)
        print("gone", flush=True)
    else:
        company, port, tempfile.tempdir = json.loads(line)
        engine = QueueEngine(*("word " * 5000,) * 4, pause=0.1)
        studio = Studio(Path(company), FakeModels(engine))
        studio.load()
        serve(studio, port=port)
"""
"""A process that makes a server of its own for each line that it reads, and says when that has ended."""


@pytest.fixture(scope="module")
def maker() -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-c", SERVERS]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process


class Servers:
    """A company's servers, one after the other at the same address, which answer at length and slowly."""

    def __init__(self, maker: subprocess.Popen, company: Path, scratch: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.address = f"http://127.0.0.1:{port}"
        self._asked = json.dumps([str(company), port, str(scratch)])
        self._maker, self._running = maker, 0

    def start(self) -> None:
        print(self._asked, file=self._maker.stdin, flush=True)
        self._running = int(self._maker.stdout.readline())
        assert "Quartet is at" in self._maker.stdout.readline()

    def kill(self) -> None:
        if self._running:
            os.kill(self._running, signal.SIGKILL)
            self._running = 0
            assert self._maker.stdout.readline() == "gone\n"


@pytest.fixture
def servers(maker, studio, tmp_path) -> Iterator[Servers]:
    made = Servers(maker, studio.workspace.root, tmp_path)
    yield made
    made.kill()


def said(chats: Chats, chat_id: str) -> dict[str, str]:
    """What is stored of the answers to the first question; empty until there is something of each."""
    stored = {lane: answer.text.strip() for lane, answer in chats.read(chat_id).turns[0].answers.items()}
    return stored if len(stored) == len(LANES) and all(stored.values()) else {}


@pytest.mark.slow
def test_what_was_uploaded_to_a_killed_server_is_removed_by_the_next_and_a_living_ones_is_not(
    servers, tmp_path
):
    def uploaded() -> Path:
        servers.start()
        files = {"files": ("chats.txt", b"secret")}
        (path,) = httpx.post(f"{servers.address}/gradio_api/upload", files=files).json()
        servers.kill()
        return Path(path)

    with scratch_folder(tmp_path, UPLOADS) as living:
        (living / "chats.txt").write_bytes(b"of a server that is at work")
        left = uploaded()
        assert left.read_bytes() == b"secret" and left.is_relative_to(tmp_path)
        again = uploaded()
        assert not left.exists() and again.exists()
        assert sorted(tmp_path.glob(f"{UPLOADS}*/chats.txt")) == [living / "chats.txt"]


def test_what_was_asked_said_and_typed_comes_back_after_the_server_was_killed(servers, browser, studio):
    servers.start()
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(servers.address)
    type_question(page, QUESTION)
    expect(page.locator("#q-live-combined")).to_contain_text("word word word")
    page.wait_for_url("**/?chat=*")
    chat_id = page.url.split("=")[1]
    page.locator("#q-question textarea").press_sequentially("My next question")
    chats = Chats(open_database(studio.workspace.database))
    until(lambda: chats.read(chat_id).draft == "My next question")
    kept = until(lambda: said(chats, chat_id))
    servers.kill()
    servers.start()
    expect(page.locator("#q-asked")).to_have_text(QUESTION)
    for lane in LANES:
        expect(page.locator(f"#q-live-{lane}")).to_contain_text(kept[lane])
    expect(page.locator("#q-question textarea")).to_have_value("My next question")
    expect(page.locator("#q-send")).to_be_visible()
    page.close()
