"""`python -m tests.benchmarks.load --minutes 10`: fifty people chat and twenty rate through the real server.

The server is `app.py` in a process of its own, with a chat model of two layers, so that what is measured is
the server: each chatter opens the page, types, asks all four assistants, looks at what was said, and searches
the documents; each rater opens their link and votes. Told are errors, the time each action takes, and memory.
"""

import argparse
import contextlib
import http.client
import json
import os
import random
import re
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from assistant.adapters import install
from assistant.adapters.lineage import Lineage
from assistant.comparison import StudySettings
from assistant.demo import DEMO
from assistant.ratings import Desk
from assistant.store import open_database
from assistant.workspace import Workspace, open_workspace, quartet_home, write_bytes
from tests.studies import opened

PATIENCE = 300.0
"""Seconds an answer may take."""
TURNS = 4
"""Questions of a chat, before the next one is begun."""
QUESTIONS = (
    "How long does delivery take?",
    "How often should I water a fern?",
    "Can I send back a plant that arrived damaged?",
    "Which pots do you sell, and what do they cost?",
    "Do you ship abroad?",
)
TOLD = re.compile(r'class=\\"q-answer-error\\"[^>]*>([^<]*)')
"""What an answer says that went wrong."""
MEGABYTE = 1024 * 1024


@dataclass
class Seen:
    """What all of them saw, by action; may be written from any thread."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def timed(self, action: str) -> Iterator[None]:
        """Time one action; what goes wrong is an error of it."""
        began = time.perf_counter()
        try:
            yield
        except (OSError, http.client.HTTPException, ValueError, AssertionError) as problem:
            self.errors.append(f"{action}: {type(problem).__name__} {str(problem)[:200]}")
        else:
            self.seconds[action].append(time.perf_counter() - began)


class Browser:
    """One page open in one person's browser, as it talks to the server."""

    def __init__(self, port: int, handlers: dict[str, int]) -> None:
        self._port, self._handlers, self._session = port, handlers, secrets.token_hex(8)

    def reloaded(self) -> "Browser":
        """The page opened anew."""
        return Browser(self._port, self._handlers)

    def open(self, path: str) -> str:
        """A page."""
        return self._asked("GET", path)

    def post(self, path: str, value: Any) -> Any:
        """What a route answers to a value."""
        return json.loads(self._asked("POST", path, json.dumps(value)))

    def run(self, handler: str, data: list[Any]) -> list[Any]:
        """What a handler shows that answers a plain request."""
        call = {"data": data, "session_hash": self._session}
        return list(self.post(f"/gradio_api/run/{handler}", call)["data"])

    def call(self, handler: str, data: list[Any], told: Callable[[], None] = lambda: None) -> str:
        """Call a handler through the queue, `told` at its first sign; gives the last of what it shows."""
        call = {"data": data, "fn_index": self._handlers[handler], "session_hash": self._session}
        self.post("/gradio_api/queue/join", call)
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("GET", f"/gradio_api/queue/data?session_hash={self._session}")
            answer = connection.getresponse()
            while line := answer.readline():
                message = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
                if message.get("msg") == "process_generating":
                    told()
                if message.get("msg") == "process_completed":
                    if not message["success"]:
                        raise ValueError(str(message["output"]))
                    return line.decode()
        raise ValueError(f"{handler} ended without a word")

    def _asked(self, method: str, path: str, body: str | None = None) -> str:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request(method, path, body, {"content-type": "application/json"} if body else {})
            answer = connection.getresponse()
            text = answer.read().decode()
            if answer.status != 200:
                raise ValueError(f"{method} {path} gave {answer.status}: {text[:200]}")
            return text


def chatter(browser: Browser, seen: Seen, until: float, dice: random.Random, pause: float) -> None:
    """Chat until the time is up, with pauses to read."""
    while time.monotonic() < until:
        browser, chat = browser.reloaded(), ""
        with seen.timed("open the page"):
            browser.open("/")
        for _ in range(TURNS):
            if time.monotonic() > until:
                return
            time.sleep(dice.uniform(0, 2 * pause))
            question = dice.choice(QUESTIONS)
            with seen.timed("keep a draft"):
                (chat,) = browser.run("chat_draft", [question, chat])
            ask(browser, seen, question, chat)
        with seen.timed("search the documents"):
            assert "q-documents-found" in browser.call("documents_search", [question])


def ask(browser: Browser, seen: Seen, question: str, chat: str) -> None:
    """Ask all four, and look at the chat again."""
    began, first = time.perf_counter(), list[float]()

    def told() -> None:
        if not first:
            first.append(time.perf_counter() - began)

    with seen.timed("ask, to the last word"):
        browser.call("chat_send", [question, chat, 100], told)
        seen.seconds["ask, to the first sign"] += first
    with seen.timed("see the chat again"):
        text = json.dumps(browser.run("chat_follow", [chat]))
        assert question in text, "The question is not there."
        assert not TOLD.search(text), TOLD.findall(text)[0]


def rater(browser: Browser, seen: Seen, until: float, dice: random.Random, pause: float, token: str) -> None:
    """Vote on one's sheet until the time is up; then look at it again now and then."""
    with seen.timed("open a rater's link"):
        browser.open(f"/rate/{token}")
    place = 1
    while time.monotonic() < until:
        time.sleep(dice.uniform(0, 2 * pause))
        scores = {key: [dice.randint(1, 5) for _ in range(4)] for key in ("brand-voice", "accuracy")}
        vote = {"key": dice.randbytes(16).hex(), "ranks": dice.sample(range(1, 5), 4), "scores": scores}
        with seen.timed("vote"):
            browser.post(f"/rate/{token}/{place}", vote)
        place += 1


def furnish(folder: Path, *, raters: int, minutes: float) -> tuple[Workspace, Path, tuple[str, ...]]:
    """A company with the demo's documents and voice, a tiny model with an adapter, and an open study."""
    from tests.conftest import _byte_tokenizer, _tiny_llama

    model, tokenizer = folder / "tiny-chat", _byte_tokenizer()
    tokenizer.save_pretrained(model)
    llama = _tiny_llama(len(tokenizer), tokenizer.eos_token_id)
    llama.save_pretrained(model)
    workspace = open_workspace(folder / "companies" / "acme")
    write_bytes(workspace.brand_file, (DEMO / "brand.toml").read_bytes())
    (workspace.root / "demo.json").write_text('{"version": 1, "documents": "to add"}')
    _adapter(llama, folder / "adapter", workspace)
    desk = Desk.of(open_database(workspace.database))
    sheets = max(10, round(30 * minutes))
    settings = StudySettings(seed=1, raters_per_item=raters)
    study = opened(desk, questions=sheets, raters=raters, settings=settings)
    return workspace, model, tuple(each.token for each in desk.rounds.raters(study.id))


def _adapter(model: Any, folder: Path, workspace: Workspace) -> None:
    from peft import LoraConfig, get_peft_model

    layers = ["q_proj", "v_proj"]
    get_peft_model(model, LoraConfig(r=4, target_modules=layers, init_lora_weights=False)).save_pretrained(
        folder
    )
    lineage = Lineage("tiny-chat", "", "", "", "", {}, (), 1.0, 1, 1, 1, 0, "2026-01-01T00:00:00+00:00")
    install(workspace.adapters, folder, lineage)


@contextlib.contextmanager
def server(workspace: Workspace, model: Path) -> Iterator[tuple[Browser, psutil.Process]]:
    """The real server on a free port, once it answers, and a browser for it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "app.py", "--model", str(model), "--workspace", str(workspace.root)]
    home = workspace.root.parents[1] / "home"
    home.mkdir()
    (home / "models").symlink_to(quartet_home() / "models")
    environment = os.environ | {"QUARTET_HOME": str(home)}
    process = subprocess.Popen([*command, "--port", str(port)], stdout=subprocess.DEVNULL, env=environment)
    try:
        yield _when_ready(port), psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait()


def _when_ready(port: int) -> Browser:
    """A browser, once a question is answered; until then the page says that the models are loading."""
    end = time.monotonic() + 300
    while time.monotonic() < end:
        with contextlib.suppress(OSError, ValueError):
            handlers = json.loads(Browser(port, {}).open("/config"))["dependencies"]
            browser = Browser(port, {each["api_name"]: each["id"] for each in handlers})
            if "in a moment" not in browser.call("chat_send", [QUESTIONS[0], "", 100]):
                return browser
        time.sleep(1)
    raise SystemExit("The server did not answer in time.")


def resident(process: psutil.Process) -> float:
    """Memory of the server and its children, MB."""
    family = [process, *process.children(recursive=True)]
    total = 0
    for each in family:
        with contextlib.suppress(psutil.Error):
            total += each.memory_info().rss
    return total / MEGABYTE


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--chatters", type=int, default=50)
    parser.add_argument("--raters", type=int, default=20)
    parser.add_argument("--pause", type=float, default=5.0, help="seconds to think, on average")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        _run(folder, options)
    finally:
        shutil.rmtree(folder)


def _run(folder: Path, options: argparse.Namespace) -> None:
    workspace, model, tokens = furnish(folder, raters=options.raters, minutes=options.minutes)
    with server(workspace, model) as (browser, process):
        seen, until = Seen(), time.monotonic() + 60 * options.minutes
        given = [(chatter, random.Random(n), ()) for n in range(options.chatters)]
        given += [(rater, random.Random(token), (token,)) for token in tokens]
        people = [
            threading.Thread(target=does, args=(browser, seen, until, dice, options.pause, *more))
            for does, dice, more in given
        ]
        memory = [resident(process)]
        for person in people:
            person.start()
        while any(person.is_alive() for person in people):
            time.sleep(2)
            memory.append(resident(process))
    report(seen, memory)


def report(seen: Seen, memory: list[float]) -> None:
    """Print what was seen."""
    print(f"{'action':24}{'times':>8}{'median':>10}{'p95':>10}{'longest':>10}")
    for action, seconds in sorted(seen.seconds.items()):
        p95 = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
        longest, middle = max(seconds), statistics.median(seconds)
        print(f"{action:24}{len(seconds):8}{middle:9.2f}s{p95:9.2f}s{longest:9.2f}s")
    half = statistics.fmean(memory[len(memory) // 2 : len(memory) * 3 // 4])
    print(
        f"memory: {memory[0]:.0f} MB at the start, {half:.0f} in the third quarter, "
        f"{memory[-1]:.0f} at the end, {max(memory):.0f} at most"
    )
    print(f"{len(seen.errors)} errors")
    for error in seen.errors[:20]:
        print(" ", error)


if __name__ == "__main__":
    main()
