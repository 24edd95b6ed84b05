"""`python -m tests.benchmarks.routes --minutes 10`: a random client sends anything to routes and handlers.

As each role, and as nobody: all routes with odd parameters, all handlers directly and through the queue with
odd fields and events, paths that climb out of their folder, and the raters' pages. Seeded. Counted are
answers of 500 and above, handlers that failed by a fault, answers that did not come, and texts of files that
nobody asked to be served.
"""

import argparse
import http.client
import json
import random
import secrets
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from assistant.access import Accounts, Role
from assistant.brand import Brand, write_brand
from assistant.server import make_app
from assistant.studio import Studio
from tests.fakes import QUICK_HASHES, FakeModels
from tests.studies import opened
from tests.ui.conftest import listening_server

PATIENCE = 20.0
"""Seconds after which an answer is taken not to come."""
PASSWORD = "four random words"
ROLES = ("nobody", *(role.value for role in Role))
LIKELY = (1, 5, 3, 1)
"""How often the client is each of them: most is open to managers and presenters."""
MOVES = 1500
"""Requests after which a new house is opened, for some of them empty it."""
INSIDE = "text-of-a-file-that-is-not-served"
API = "/gradio_api"

TEXTS = (
    "",
    " ",
    "a",
    "How long do refunds take?",
    "\ud800",
    "x\udfffy",
    "a\x00b",
    "\u202egnp.exe",
    "\u2066\u2069",
    "<script>alert(1)</script>",
    "'; DROP TABLE chats; --",
    "../../etc/passwd",
    "..\\..\\windows",
    "=1+1",
    "x" * 5000,
    "%s%n%d{0}{x}",
    "𝕏" * 50,
    "null",
    "NaN",
    "2026-13-45",
    "-1",
    "0" * 32,
    "f" * 32,
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**63, 1e308, 0.5),
    *([], {}, [[]], [None], {"a": 1}, ["x"] * 40),
)
KEYS = (
    *(
        "name",
        "number",
        "turn",
        "lane",
        "id",
        "path",
        "value",
        "files",
        "failed",
        "passage",
        "score",
        "which",
    ),
    *("chat", "question", "thumb"),
)
CLIMBS = (
    *("..", "%2e%2e", "..%2f", "%2e%2e%2f", "..%5c", "....//", "..;"),
    *("%252e%252e", "%c0%ae%c0%ae", "..%00", ".%2e"),
)
PREFIXES = (
    "/static/",
    "/assets/",
    "/svelte/",
    f"{API}/file=",
    f"{API}/file/",
    f"{API}/stream/",
    f"{API}/custom_component/",
    "/rate/",
    "/adapters/",
    "/saved/",
    "/",
    f"{API}/proxy=",
)
ROUTES = """
/gradio_api/user /gradio_api/login_check /gradio_api/token /gradio_api/app_id /gradio_api/dev/reload
/gradio_api/runs /gradio_api/run-history/buckets /gradio_api/run-history/connect /gradio_api/deep_link
/gradio_api/info /gradio_api/openapi.json /gradio_api/reset /gradio_api/heartbeat/{x} /gradio_api/cancel
/gradio_api/queue/join /gradio_api/queue/data /gradio_api/queue/status /gradio_api/upload
/gradio_api/upload_progress /gradio_api/component_server /gradio_api/startup-events /gradio_api/theme.css
/gradio_api/process_recording /gradio_api/vibe-edit /gradio_api/undo-vibe-edit /gradio_api/vibe-code
/gradio_api/vibe-starter-queries /gradio_api/profiling/traces /gradio_api/custom_component/{x}/{x}/{x}/{x}
/gradio_api/proxy={x} /gradio_api/file={x} /gradio_api/stream/{x} /gradio_api/stream/{x}/close
/gradio_api/stream/{x}/{n}/{n}/playlist.m3u8 /gradio_api/stream/{x}/{n}/{n}/{x}.ts /gradio_api/run/{x}
/gradio_api/api/{x} /gradio_api/call/{x} /gradio_api/call/v2/{x} /gradio_api/call/{x}/{x} / /config /login
/login/ /logout /monitoring /monitoring/summary /monitoring/{x} /openapi.json /pwa_icon /pwa_icon/{x}
/manifest.json /robots.txt /favicon.ico /theme.css /audit.csv /gaps.csv /adapters/{x}.zip /saved/{x}/{x}
/rate/{x} /rate/{x}/{n} /rate/{x}/{n}/guess /documents /train /company /{x}
""".split()  # noqa: SIM905 - as a list it would be longer than all else
"""All routes, Gradio's too; {x} and {n} become anything."""
METHODS = ("GET", "GET", "POST", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH")
LEFT_OUT = ("folders_look",)
"""Handlers that would walk the disk of whoever runs this, as they should."""


@dataclass(frozen=True)
class House:
    """A server with something in it, and what a client may know of it."""

    address: str
    cookies: dict[str, str]
    handlers: dict[str, tuple[int, int]]
    """By name: its number and how many fields it has."""
    known: tuple[str, ...]
    """Ids and names that exist: a chat, a study, a rater's token, a document."""
    token: str
    places: tuple[str, ...]
    """Paths of files that are there and must not be served."""


@dataclass
class Tally:
    """What came of the requests."""

    sent: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    bad: list[str] = field(default_factory=list)
    slowest: float = 0.0


@contextmanager
def house(folder: Path) -> Iterator[House]:
    """A company with a document, a chat and an open study, and an account for each role."""
    folder.mkdir()
    studio = Studio(folder / "companies" / "acme", FakeModels())
    write_brand(studio.workspace.brand_file, Brand("Acme"))
    studio.load()
    document = folder / "returns.md"
    document.write_text("# Returns\n\nRefunds take five days.")
    studio.knowledge.add([(document, "returns.md")])
    chat = studio.chats.new()
    list(studio.ask(chat, "How long do refunds take?"))
    study = opened(studio.desk, 3, 2)
    token = studio.rounds.raters(study.id)[0].token
    accounts = Accounts(folder / "accounts.json", QUICK_HASHES)
    for role in Role:
        accounts.add(role.value, role, PASSWORD)
    app = make_app(studio, accounts=accounts)
    blocks = next(each.app for each in app.routes if hasattr(getattr(each, "app", None), "get_blocks"))
    handlers = {
        str(each.api_name): (number, len(each.inputs))
        for number, each in blocks.get_blocks().fns.items()
        if each.api_name not in LEFT_OUT
    }
    secret = studio.workspace.root / "secret.txt"
    secret.write_text(INSIDE)
    places = tuple(str(path) for path in (secret, studio.workspace.brand_file, folder / "accounts.json"))
    with listening_server(app) as address:
        cookies = {role: _logged_in(address, role) for role in ROLES}
        yield House(address, cookies, handlers, (chat, study.id, token, "returns.md", "1"), token, places)


def _logged_in(address: str, role: str) -> str:
    if role == "nobody":
        return ""
    form = urlencode({"name": role, "password": PASSWORD})
    kind = {"content-type": "application/x-www-form-urlencoded"}
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=PATIENCE)
    connection.request("POST", "/login", form, kind)
    return str(connection.getresponse().getheader("set-cookie")).partition(";")[0]


class Client:
    """Sends one random request after the other, each as `role`, and tallies what comes back."""

    def __init__(self, house: House, dice: random.Random, tally: Tally) -> None:
        self._house, self._dice, self._tally = house, dice, tally
        self.role = "nobody"

    def move(self) -> None:
        """One request of a random kind as a random role."""
        (self.role,) = self._dice.choices(ROLES, LIKELY)
        kind = self._dice.choices(
            (self.route, self.direct, self.queued, self.climb, self.rate, self.odd, self.login),
            (3, 4, 4, 3, 2, 1, 0.3),
        )[0]
        self._tally.sent[kind.__name__] += 1
        kind()

    def route(self) -> None:
        """Any route with odd parameters."""
        path = self._dice.choice(ROUTES)
        while "{" in path:
            path = path.replace("{x}", quote(self._text()[:200].encode("utf-8", "replace"), safe=""), 1)
            path = path.replace("{n}", str(self._dice.choice((0, 1, -1, 10**9, "x"))), 1)
        query = urlencode({self._dice.choice(("next", "session_hash", "page", *KEYS)): "x"})
        self._json(self._dice.choice(METHODS), f"{path}?{query}" if self._chance() else path, self._value())

    def direct(self) -> None:
        """A handler, called past the queue."""
        name, (_, fields) = self._handler()
        data = [self._value() for _ in range(fields if self._chance(0.8) else self._dice.randrange(6))]
        self._json("POST", f"{API}/{self._dice.choice(('run', 'call', 'api'))}/{name}", self._call(data))

    def queued(self) -> None:
        """A handler, through the queue as the pages call it; waits for what comes of it."""
        _, (number, fields) = self._handler()
        session = secrets.token_hex(5)
        body = self._call([self._value() for _ in range(fields)]) | {
            "fn_index": number,
            "session_hash": session,
        }
        status, _ = self._json("POST", f"{API}/queue/join", body)
        if status == 200:
            self._listen(f"{API}/queue/data?session_hash={session}", body)

    def climb(self) -> None:
        """A path that leads out of its folder, or to a file that is there."""
        prefix = self._dice.choice(PREFIXES)
        way = "/".join(self._dice.choice(CLIMBS) for _ in range(self._dice.randrange(9)))
        place = self._dice.choice(
            (*self._house.places, "/etc/passwd", "/proc/self/environ", "C:\\windows\\win.ini")
        )
        self.send("GET", f"{prefix}{way}{quote(place, safe='/')}")

    def rate(self) -> None:
        """A rater's page, with what it would send and with anything."""
        token = (
            self._house.token if self._chance(0.8) else quote(self._text()[:50].encode("utf-8", "replace"))
        )
        place = self._dice.choice((1, 2, 3, 4, 0, "x"))
        form: Any = {
            "key": secrets.token_hex(16) if self._chance() else self._value(),
            "ranks": [self._dice.randrange(-1, 6) for _ in range(4)] if self._chance() else self._value(),
            "scores": {"accuracy": [3, 3, 3, 3]} if self._chance() else self._value(),
            "comment": self._text(),
            "better": self._value(),
            "wrong": self._value(),
            "looked_up": [True] * 4 if self._chance() else self._value(),
        }
        method = self._dice.choice(("GET", "POST", "POST"))
        self._json(method, f"/rate/{token}/{place}{self._dice.choice(('', '', '/guess'))}", form)

    def odd(self) -> None:
        """Odd heads and bodies: other hosts and origins, lengths that lie, no JSON, nothing."""
        headers = self._dice.choice(
            (
                {"host": self._dice.choice(("evil.example", "[", "[::1", "@127.0.0.1", ""))},
                {"origin": self._dice.choice(("https://evil.example", "http://[", "null", ""))},
                {"content-length": "99999999999"},
                {"content-length": "x"},
                {"content-type": "multipart/form-data"},
                {"content-type": "text/plain"},
                {"cookie": "quartet_session=\xff; quartet_known=..; a"},
                {"range": "bytes=9-1"},
                {"accept": "\xff"},
            )
        )
        body = self._dice.choice((b"", b"{", b"\xff\xfe", b"[]", b"null", b'{"data": "\\ud800"}', b"[" * 900))
        path = self._dice.choice(
            (f"{API}/queue/join", f"{API}/run/chat_load", f"{API}/upload", "/login", "/")
        )
        self.send("POST", path, body, {"content-type": "application/json", **headers})

    def login(self) -> None:
        """A login as whoever that role is, which then leads to anywhere."""
        form = urlencode(
            {"name": self.role, "password": PASSWORD if self._chance(0.8) else self._text()}, errors="replace"
        )
        there = self._dice.choice(
            ("//[", "/\\evil.example", "/\n/evil.example", "/" + self._text(), self._text())
        )
        kind = {"content-type": "application/x-www-form-urlencoded"}
        query = quote(there.encode("utf-8", "replace"))
        self.send("POST", f"/login?next={query}", form.encode(), kind)

    def _handler(self) -> tuple[str, tuple[int, int]]:
        name = self._dice.choice(sorted(self._house.handlers))
        return name, self._house.handlers[name]

    def _call(self, data: list[Any]) -> dict[str, Any]:
        event = (
            {key: self._value() for key in self._dice.sample(KEYS, 4)} if self._chance(0.7) else self._value()
        )
        return {"data": data, "event_data": event}

    def _chance(self, share: float = 0.5) -> bool:
        return self._dice.random() < share

    def _text(self) -> str:
        return self._dice.choice(self._house.known if self._chance(0.4) else TEXTS)

    def _value(self) -> Any:
        return self._text() if self._chance(0.7) else self._dice.choice(VALUES)

    def _json(self, method: str, path: str, value: Any) -> tuple[int, bytes]:
        body = json.dumps(value).encode()
        return self.send(method, path, body, {"content-type": "application/json"})

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Send one request; reads an answer that ends, and the beginning of one that goes on."""
        connection = self._connection()
        started = time.monotonic()
        try:
            connection.request(method, path, body, self._with_cookie(headers or {}))
            answer = connection.getresponse()
            endless = str(answer.getheader("content-type")).startswith("text/event-stream")
            text = b"" if endless else answer.read()
        except TimeoutError:
            self._note(method, path, body, "no answer")
            return 0, b""
        except (http.client.HTTPException, ConnectionError):  # refused before anything was read
            self._tally.statuses[0] += 1
            return 0, b""
        finally:
            connection.close()
        self._tally.slowest = max(self._tally.slowest, time.monotonic() - started)
        self._tally.statuses[answer.status] += 1
        if answer.status >= 500:
            self._note(method, path, body, f"{answer.status} {text[:300]!r}")
        if INSIDE.encode() in text or b"root:x:0" in text:
            self._note(method, path, body, "a file was served")
        return answer.status, text

    def _listen(self, path: str, sent: dict[str, Any]) -> None:
        """Read what comes of a call until it has ended."""
        connection = self._connection()
        try:
            connection.request("GET", path, headers=self._with_cookie({}))
            answer, end = connection.getresponse(), time.monotonic() + PATIENCE
            while (line := answer.readline()) and time.monotonic() < end:
                told = json.loads(line.removeprefix(b"data: ")) if line.startswith(b"data: ") else {}
                error = told.get("output", {}).get("error", "")
                if error is None or "Something went wrong" in error:
                    self._note("queue", path, json.dumps(sent).encode(), f"a fault: {error}")
                if told.get("msg") in ("process_completed", "close_stream", "unexpected_error"):
                    return
            self._note("queue", path, json.dumps(sent).encode(), "no answer")
        except TimeoutError:
            self._note("queue", path, json.dumps(sent).encode(), "no answer")
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(urlsplit(self._house.address).netloc, timeout=PATIENCE)

    def _with_cookie(self, headers: dict[str, str]) -> dict[str, str]:
        cookie = self._house.cookies[self.role]
        return {"cookie": cookie, **headers} if cookie else headers

    def _note(self, method: str, path: str, body: bytes, what: str) -> None:
        names = {number: name for name, (number, _) in self._house.handlers.items()}
        called = names.get(json.loads(body).get("fn_index")) if method == "queue" else ""
        self._tally.bad.append(f"{what}: {self.role} {method} {called} {path[:120]} {body[:400]!r}")


def fuzz(folder: Path, *, seed: int, seconds: float = 0.0, moves: int = 0) -> Tally:
    """Send random requests for so long, or so many; what came of them."""
    tally, end, dice = Tally(), time.monotonic() + seconds, random.Random(seed)
    while (sent := sum(tally.sent.values())) < moves or time.monotonic() < end:
        with house(folder / f"house-{sent}") as built:
            client = Client(built, dice, tally)
            for number in range(MOVES):
                if sent + number >= moves and time.monotonic() >= end:
                    break
                client.move()
    return tally


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tally = fuzz(Path(folder), seed=options.seed, seconds=60 * options.minutes)
    print(f"{sum(tally.sent.values()):,} requests: {dict(tally.sent)}")
    print(f"answers by status: {dict(sorted(tally.statuses.items()))}, slowest {tally.slowest:.1f} s")
    print(f"{len(tally.bad)} are bad")
    for line in tally.bad[:40]:
        print(" ", line)


if __name__ == "__main__":
    main()
