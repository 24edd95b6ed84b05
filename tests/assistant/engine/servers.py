"""Model servers for the tests: a real one, `transformers serve`, and one that does what a test tells it."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.request import urlopen

BASE, ADAPTER = "acme/tiny-chat", "acme/brand"


@contextmanager
def transformers_serve(hub: Path, log: Path) -> Iterator[str]:
    """`transformers serve` over a hub cache; gives the address of its API."""
    port = _free_port()
    command = [sys.executable, "-m", "transformers.cli.transformers", "serve"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    surroundings = os.environ | {"HF_HUB_CACHE": str(hub), "OMP_NUM_THREADS": "1"}
    with log.open("w") as output, subprocess.Popen(command, env=surroundings, stderr=output) as server:
        try:
            _wait_until_it_answers(f"http://127.0.0.1:{port}/health", server, log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.kill()


def _free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def _wait_until_it_answers(url: str, server: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urlopen(url, timeout=5).close()
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"transformers serve did not start:\n{log.read_text()}")


class ScriptedServer(ThreadingHTTPServer):
    """Behaves as the last message of a chat says: a method of `_Chat` without its underscore.

    `/BEHAVIOUR/v1/models` does the same for the list of models.
    """

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Chat)
        self.asked: list[tuple[dict[str, str], dict]] = []
        self.tried: dict[str, int] = {}
        self.counting = threading.Lock()
        self.left = threading.Event()
        """Set when a client has gone in the middle of an endless answer."""
        self.hanging = threading.Event()
        """Set when a client waits for an answer that does not come."""
        self.both = threading.Barrier(2, timeout=60)
        self.open = threading.Event()
        """Set at the end, so that no handler waits any longer."""
        self.thread = threading.Thread(target=self.serve_forever, args=(0.05,))
        self.thread.start()

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.open.set()
        self.shutdown()
        self.server_close()
        self.thread.join()

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what is tested."""


class _Chat(BaseHTTPRequestHandler):
    server: ScriptedServer
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        self.server.asked.append((dict(self.headers), {}))
        behaviour = self.path.split("/")[1]
        self._do({"v1": "list", "short": "list" if "/v1/" in self.path else "404"}.get(behaviour, behaviour))

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.asked.append((dict(self.headers), body))
        self.model = body["model"]
        self._do(body["messages"][-1]["content"])

    def _do(self, behaviour: str) -> None:
        with self.server.counting:
            self.server.tried[behaviour] = self.server.tried.get(behaviour, 0) + 1
        self.tries = self.server.tried[behaviour]
        if behaviour.isdecimal():
            self._refuse(int(behaviour))
        else:
            getattr(self, "_" + behaviour.replace(" ", "_"))()

    # -- the list of models --

    def _list(self) -> None:
        models = [
            {"id": BASE, "object": "model", "max_model_len": 32768},
            {"id": ADAPTER, "object": "model", "parent": "acme/root"},
        ]
        self._send(200, json.dumps({"object": "list", "data": models}))

    def _many(self) -> None:
        self._send(200, json.dumps({"data": [{"id": f"model-{number}"} for number in range(23)]}))

    def _empty(self) -> None:
        self._send(200, json.dumps({"data": []}))

    # -- refusals --

    def _refuse(self, status: int) -> None:
        key = self.headers.get("authorization", "")
        said = {401: f"Incorrect API key: {key}", 404: "The model `x` does not exist."}.get(
            status, "It is so."
        )
        self._send(status, json.dumps({"error": {"message": said}}))

    def _invalid(self) -> None:
        self._send(422, json.dumps({"detail": [{"loc": ["body", "seed"], "msg": "Extra inputs"}]}))

    def _busy_once(self) -> None:
        self._refuse(429) if self.tries == 1 else self._fine()

    def _broken_once(self) -> None:
        self._refuse(503) if self.tries == 1 else self._fine()

    def _moved(self) -> None:
        self._send(307, "", location="http://elsewhere.example/v1/chat/completions")

    def _gateway(self) -> None:
        self._send(502, "<html><h1>Bad gateway</h1></html>", kind="text/html")

    def _html(self) -> None:
        self._send(200, "<html><h1>Welcome</h1></html>", kind="text/html")

    def _plain_json(self) -> None:
        self._send(200, json.dumps({"error": "Unexpected endpoint"}))

    def _hang(self) -> None:
        self.server.hanging.set()
        self.server.open.wait(60)

    # -- streams --

    def _fine(self) -> None:
        usage = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}
        self._stream(*self._chunks("Hello", " there"), {"choices": [], "usage": usage}, "[DONE]")

    def _bare(self) -> None:
        self._stream(*[chunk | {"model": None} for chunk in self._chunks("a", "b", "c")], "[DONE]")

    def _misnamed(self) -> None:
        self.model = "acme/other"
        self._fine()

    def _garbage(self) -> None:
        self._stream("{half")

    def _odd(self) -> None:
        self._stream({"choices": 5})

    def _error(self) -> None:
        self._stream(self._chunks("Hel")[0], {"error": {"message": "CUDA out of memory"}})

    def _worded_error(self) -> None:
        self._stream(self._chunks("Hel")[0], {"error": "list index out of range"})

    def _cut(self) -> None:
        self._stream(self._chunks("Hel")[0], ended=False)

    def _unended(self) -> None:
        self._stream(self._chunks("Hel")[0], "[DONE]")

    def _filtered(self) -> None:
        self._stream(*self._chunks("Hel", reason="content_filter"), "[DONE]")

    def _stall(self) -> None:
        self._stream(self._chunks("Hel")[0], then=lambda: self.server.open.wait(60))

    def _pair(self) -> None:
        """Goes on only when another row has had its first word as well."""
        self._stream(self._chunks("a")[0], then=self.server.both.wait, ended=False)
        self._write(*self._chunks("b"), "[DONE]")
        self._end()

    def _endless(self) -> None:
        self._stream(ended=False)
        try:
            while not self.server.open.wait(0.01):
                self._write(self._chunks("and ")[0])
        except OSError:
            self.server.left.set()

    def _chunks(self, *texts: str, reason: str = "stop") -> list[dict]:
        said = [{"choices": [{"delta": {"content": text}, "finish_reason": None}]} for text in texts]
        chunks = [*said, {"choices": [{"delta": {}, "finish_reason": reason}]}]
        return [chunk | {"model": self.model, "object": "chat.completion.chunk"} for chunk in chunks]

    # -- HTTP --

    def _send(self, status: int, text: str, kind: str = "application/json", location: str = "") -> None:
        content = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Retry-After-Ms", "20")
        self.send_header("Connection", "close")
        if location:
            self.send_header("Location", location)
        self.end_headers()
        self.wfile.write(content)

    def _stream(
        self, *chunks: dict | str, then: Callable[[], object] = lambda: None, ended: bool = True
    ) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        self._write(*chunks)
        then()
        if ended:
            self._end()
        self.close_connection = True

    def _write(self, *chunks: dict | str) -> None:
        for chunk in chunks:
            text = chunk if isinstance(chunk, str) else json.dumps(chunk)
            event = f"data: {text}\n\n".encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))

    def _end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")
