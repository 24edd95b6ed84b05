"""What the tests of the pages share: a loaded studio, its handlers by name, and pages in a real Chromium."""

import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from assistant.adapters import FILES, Lineage, install
from assistant.brand import Brand, write_brand
from assistant.server import make_app
from assistant.studio import Studio
from assistant.ui import build
from assistant.workspace import open_workspace
from knowledge.retrieval import KnowledgeBase
from tests.fakes import FakeModels, QueueEngine, WordEncoder
from tests.ui.asking import ANSWERS, QUESTION, named

CHROMIUM = shutil.which("chromium-headless-shell") or "/usr/bin/chromium"
"""The shell draws the same pages for half the processor time: it is Chromium without windows of its own."""
PATIENCE = 30_000
"""Milliseconds a page may take on a busy machine."""
expect.set_options(timeout=PATIENCE)
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--renderer-process-limit=1",
    "--js-flags=--no-opt",
)
RETURNS = """# Returns

Plants can come back.

## Unopened pots

Send unopened pots back within 30 days. How long refunds take: five days.

## Living plants

A plant that arrived damaged is replaced; send a photo within 48 hours.
"""


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace to copy: Acme, with a voice, one document and an adapter that holds nothing."""
    folder = tmp_path_factory.mktemp("prepared")
    workspace = open_workspace(folder / "acme")
    write_brand(
        workspace.brand_file, Brand("Acme", tone="Plain.", sample_questions=("How long do refunds take?",))
    )
    for name in (*FILES, "returns.md"):
        (folder / name).write_text(RETURNS if name == "returns.md" else "{}", encoding="utf-8")
    lineage = Lineage("paper", "", "", "", "", {}, (), 1.0, 1, 1, 1, 0, "2026-01-01T00:00:00+00:00")
    install(workspace.adapters, folder, lineage)
    KnowledgeBase(workspace.knowledge, WordEncoder).add([(folder / "returns.md", "returns.md")])
    return workspace.root


@dataclass(frozen=True)
class Workbench:
    """Pages take a while to build, so all tests share them; each test opens a company of its own in them."""

    studio: Studio
    engine: QueueEngine
    handlers: dict[str, Callable[..., Any]]


@pytest.fixture(scope="session")
def workbench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    engine = QueueEngine()
    studio = Studio(tmp_path_factory.mktemp("empty") / "empty", FakeModels(engine))
    studio.load()
    return Workbench(studio, engine, {str(each.api_name): each.fn for each in build(studio).fns.values()})


@pytest.fixture
def engine(workbench: Workbench) -> Iterator[QueueEngine]:
    """What answers; with nothing queued and nothing asked yet."""
    engine = workbench.engine
    engine.queued.clear()
    engine.asked.clear()
    engine.owners.clear()
    yield engine
    engine.pause, engine.line = 0.0, ()


@pytest.fixture
def studio(workbench: Workbench, engine: QueueEngine, prepared: Path, tmp_path: Path) -> Studio:
    """Acme's studio with its models loaded."""
    shutil.copytree(prepared, tmp_path / "companies" / "acme")
    workbench.studio.open(tmp_path / "companies" / "acme")
    return workbench.studio


@pytest.fixture
def handlers(workbench: Workbench, studio: Studio) -> dict[str, Callable[..., Any]]:
    """The functions behind the pages by their API names."""
    return workbench.handlers


@pytest.fixture
def ask(handlers: dict[str, Callable[..., Any]], engine: QueueEngine) -> Callable[..., list[dict[str, Any]]]:
    """Asks a question and returns all that was shown, by element id."""

    def run(question=QUESTION, chat_id="", answers=ANSWERS, strength=100):
        engine.queue(*answers)
        return [named(update) for update in handlers["chat_send"](question, chat_id, strength)]

    return run


@pytest.fixture
def chat_id(ask: Callable[..., list[dict[str, Any]]]) -> str:
    """A chat with one question."""
    return ask()[-1]["q-chat-id"]


@contextmanager
def listening_server(app: Any, **options: Any) -> Iterator[str]:
    """Serve an application in a thread; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1, **options)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="session")
def served(workbench: Workbench) -> Iterator[str]:
    """The address of the workbench's pages."""
    with listening_server(make_app(workbench.studio)) as address:
        yield address


@pytest.fixture
def address(served: str, studio: Studio) -> str:
    """Where Acme's pages are."""
    return served


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS))
        yield browser
        browser.close()


def is_error(message: ConsoleMessage) -> bool:
    """Whether the console says that something is wrong.

    A request that a reload cut off is not, nor is the icon that browsers look for at the root of a proxy.
    """
    if message.location.get("url", "").endswith("/favicon.ico"):
        return False
    cut_off = "AbortError" in message.text or "Connection errored out" in message.text
    return message.type == "error" and not cut_off


def told(message: ConsoleMessage) -> str:
    """A console message with the address it is about."""
    return f"{message.text} {message.location.get('url', '')}"


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Function) -> None:
    """A test's page closes before its server does, which it may be asking for something."""
    page: Page | None = item.funcargs.get("browser_page")
    if page is not None:
        page.close()


@pytest.fixture(scope="session")
def window(browser: Browser) -> BrowserContext:
    """Where pages are opened at desk size, beside a blank one that stays.

    All share a process as long as it is open, which draws a page in two thirds of the time of a new one.
    """
    window = browser.new_context(viewport={"width": 1440, "height": 900}, reduced_motion="reduce")
    blank = window.new_page()
    blank.route("**/*", lambda route: route.fulfill(body=""))
    blank.goto("http://127.0.0.1/")
    return window


@pytest.fixture
def browser_page(window: BrowserContext) -> Iterator[Page]:
    """A fresh page; whatever its console reports as an error fails the test."""
    page = window.new_page()
    page.set_default_timeout(PATIENCE)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(told(message)) if is_error(message) else None)
    yield page
    for opened in window.pages[1:]:
        opened.close()
    window.clear_cookies()
    assert errors == []
