"""The web server around the pages: what it accepts, which headers it sends, and on which address it answers.

It knows HTTP. It does not know what the pages show; `assistant.ui` puts them in.
"""

import errno
import logging
import os
import re
import socket
import tempfile
from collections.abc import Sequence
from pathlib import Path

import psutil
import uvicorn
from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Mount
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from assistant.access import ALONE, PERSON, Accounts, OpenId, Provider, Sessions
from assistant.adapters import export_zip, find
from assistant.api import API, OwnApi, refuse_odd, route_path
from assistant.ballot import ballot_room
from assistant.errors import AssistantError
from assistant.gaps import gaps_csv
from assistant.gate import Gate
from assistant.ratings import Desks
from assistant.reports.files import FORMATS, file_name
from assistant.reports.judged import report_on
from assistant.scratch import scratch_folder
from assistant.studio import Studio
from assistant.workspace import accounts_file
from knowledge.errors import KnowledgeError
from knowledge.following import Watch

EVERYWHERE = ("0.0.0.0", "::")  # noqa: S104 - compared with, not bound to
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HOST = re.compile(r"(?:\[([^]\[/@?#\\\s]+)\]|([^]\[:/@?#\\\s]+))(?::\d{1,5})?")
"""A host as browsers name it: an IPv6 address in brackets, or another name; and a port."""
MEGABYTE = 1024 * 1024
BODY_LIMIT = 2 * MEGABYTE
UPLOAD_LIMIT = 2048 * MEGABYTE
"""Exports of conversations are large; they go to disk as they come. Documents have a limit of their own."""
UPLOAD_PATH = f"{API}upload"
UPLOADS = "quartet-uploads-"
"""How the folder is named in which uploaded files wait until they are added."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        "media-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self' data: blob:; worker-src 'self' blob:; frame-src 'self' blob: data:; "
        "frame-ancestors 'self'; form-action 'self'; base-uri 'self'; object-src 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
"""Sent with every response. 'unsafe-eval' is there for Gradio's templates and plots."""


def make_app(
    studio: Studio,
    hosts: Sequence[str] = LOOPBACK,
    *,
    accounts: Accounts | None = None,
    root_path: str = "",
    openid: Provider | None = None,
) -> FastAPI:
    """The web application of a studio, answering only requests addressed to one of `hosts`.

    With `accounts`, people log in first, by password or through a provider; `root_path` is what a proxy in
    front puts before all addresses.
    """
    # Read by libraries when they are imported and by Gradio when it builds: nothing is reported to anybody.
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    # After each call Gradio would reckon its times anew from those of the last 10,000; nobody sees them.
    os.environ["GRADIO_ANALYTICS_MAX_EVENTS"] = "1"
    os.environ["GRADIO_ANALYTICS_CACHE_FREQUENCY"] = "1000000000"
    from assistant.ui import PAGES, mount

    app = FastAPI(title="Quartet", docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(OwnApi)
    if accounts is not None:
        app.add_middleware(
            Gate,
            sessions=Sessions(accounts),
            openid=OpenId(openid) if openid else None,
            audit=lambda: studio.audit,
            pages=[page.address for page in PAGES],
        )
    # No other site gets an answer it could read; being there, it also keeps Gradio from adding its own rules.
    app.include_router(_downloads(studio))
    app.add_middleware(CORSMiddleware, allow_origins=())
    app.add_middleware(BodyLimit)
    app.add_middleware(OwnHostOnly, hosts=tuple(hosts))
    app.add_middleware(WithSecurityHeaders)
    desks = Desks()
    for kind in (AssistantError, KnowledgeError):
        app.add_exception_handler(kind, _tell)
    app.include_router(ballot_room(lambda token: desks.seat(studio.workspace, token)))
    mounted = mount(app, studio)
    for part in (app, *(route.app for route in app.routes if isinstance(route, Mount))):
        if isinstance(part, FastAPI):
            part.add_exception_handler(RequestValidationError, refuse_odd)
    return mounted


def _downloads(studio: Studio) -> APIRouter:
    """What managers take away as files; who takes what is in the log."""

    def note(request: Request) -> None:
        person = request.scope.get(PERSON, ALONE)
        if person is not ALONE:
            studio.audit.record(person, f"download {route_path(request.scope).removeprefix('/')}")

    files = APIRouter(dependencies=[Depends(note)])
    files.get("/audit.csv")(lambda: _csv("audit.csv", studio.audit.to_csv()))
    files.get("/gaps.csv")(lambda: _csv("gaps.csv", gaps_csv(studio.gaps())))
    files.get("/adapters/{key}.zip")(lambda key: _adapter(studio, key))
    files.get("/saved/{study_id}/{kind}")(lambda study_id, kind: _saved(studio, study_id, kind))
    return files


async def _tell(request: Request, problem: Exception) -> Response:
    """Why there is nothing to be had, in a sentence."""
    return PlainTextResponse(str(problem), status_code=404)


def _adapter(studio: Studio, key: str) -> Response:
    """A version of the voice for PEFT."""
    workspace = studio.workspace
    path = export_zip(find(workspace.adapters, key), workspace.exports / f"version-{key}.zip")
    return FileResponse(path, filename=f"{workspace.root.name}-version-{key}.zip")


def _csv(name: str, text: str) -> Response:
    named = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, media_type="text/csv; charset=utf-8", headers=named)


def _saved(studio: Studio, study_id: str, kind: str) -> Response:
    """A study's report as a file."""
    if kind not in FORMATS:
        raise AssistantError(f"A report is saved as {', '.join(FORMATS)}, not as {kind!r}.")
    report = report_on(studio.desk, study_id, studio.brand().name, studio.workspace.adapters)
    named = {"Content-Disposition": f'attachment; filename="{file_name(report, kind)}"'}
    return Response(FORMATS[kind].text(report), media_type=FORMATS[kind].media, headers=named)


def serve(
    studio: Studio,
    host: str = "127.0.0.1",
    port: int = 7860,
    names: Sequence[str] = (),
    *,
    root_path: str = "",
    openid: Provider | None = None,
) -> None:
    """Load models and serve the pages until the process is asked to end; prints the address once it answers.

    `names` are what browsers call this machine, besides `host`. Where there are accounts, people log in.

    Raises:
        AssistantError: the host is not this machine alone and there are no accounts, or the port is taken.
    """
    accounts: Accounts | None = Accounts(accounts_file())
    if accounts is not None and not accounts.all():
        if host not in LOOPBACK:
            raise AssistantError(
                f"--host {host} opens Quartet to the network, and nobody can log in yet, so anybody there "
                "could read and change everything. Make an account first, with "
                "`quartet user add NAME --role manager`, or use --host 127.0.0.1."
            )
        accounts = None
    _log_to_terminal()
    listener = _listen(host, port)
    with scratch_folder(Path(tempfile.gettempdir()), UPLOADS) as uploads:
        os.environ["GRADIO_TEMP_DIR"] = str(uploads)
        studio.load_in_background()
        Watch(lambda: studio.knowledge).start()
        hosts = (*LOOPBACK, *own_names(host), *names)
        app = make_app(studio, hosts, accounts=accounts, root_path=root_path, openid=openid)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=2, root_path=root_path
        )
        _Server(config, f"http://{_bracketed(host)}:{port}").run(sockets=[listener])


def own_names(host: str) -> set[str]:
    """What browsers may call this machine: the host it serves on or, on all addresses, each of them."""
    if host not in EVERYWHERE:
        return {host}
    addresses = {each.address for found in psutil.net_if_addrs().values() for each in found}
    return addresses | {socket.gethostname(), socket.getfqdn()}


def _log_to_terminal() -> None:
    """Show what Quartet itself reports; the libraries keep to warnings."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logger = logging.getLogger("assistant")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)


class _Server(uvicorn.Server):
    """Uvicorn that says where it answers as soon as it does."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address."""
        await super().startup(sockets)
        print(f"Quartet is at {self._address} (Ctrl-C ends it)", flush=True)


def _listen(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(128)
    except OSError as problem:
        listener.close()
        if problem.errno == errno.EADDRINUSE:
            raise AssistantError(
                f"Port {port} is in use by another program, perhaps an earlier Quartet. "
                f"End that one, or choose another port, such as --port {port + 1}."
            ) from problem
        raise AssistantError(
            f"Port {port} on {host} can't be used ({problem.strerror}). "
            "Choose another port, such as --port 7861."
        ) from problem
    return listener


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


class WithSecurityHeaders:
    """Adds the security headers to every response, errors included."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the headers added."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)  # a page that allows itself less has said so
            await send(message)

        await self._app(scope, receive, with_headers)


class OwnHostOnly:
    """Refuses requests meant for another host name, and changes asked for by another site's page.

    The first stops a foreign name that was pointed at this machine (DNS rebinding), the second a foreign
    page that sends forms here.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 400 or 403."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        headers = Headers(scope=scope)
        host, origin = headers.get("host", ""), headers.get("origin")
        if _host_name(host) not in self._hosts:
            text = (
                f"This server does not answer for {host!r}. Open it as http://127.0.0.1 with its port, or "
                "start it with --name and what browsers are to call it."
            )
            return await PlainTextResponse(text, 400)(scope, receive, send)
        if (
            origin is not None
            and origin.partition("://")[2] != host
            and scope.get("method") not in ("GET", "HEAD")
        ):
            text = f"A page of {origin!r} may not change anything here. Open Quartet itself and do it there."
            return await PlainTextResponse(text, 403)(scope, receive, send)
        await self._app(scope, receive, send)


def _host_name(host: str) -> str:
    """The name in what a browser sends as host, in small letters; empty where that is none."""
    found = HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found else ""


class _BodyTooLargeError(Exception):
    """More bytes came than the limit allows."""


class _CountedBody:
    """One request's body, counted while it comes in; an answer to one that is too large is held back."""

    def __init__(self, limit: int, receive: Receive, send: Send) -> None:
        self._limit, self._receive, self._send = limit, receive, send
        self._received = 0
        self._answered = False
        self.refused = False

    async def receive(self) -> Message:
        """The next piece; raises once there were too many bytes."""
        message = await self._receive()
        self._received += len(message.get("body", b""))
        if self._received > self._limit:
            self.refused = not self._answered
            raise _BodyTooLargeError
        return message

    async def send(self, message: Message) -> None:
        """Pass on what the application answers, unless the request is being refused."""
        self._answered = self._answered or not self.refused
        if not self.refused:
            await self._send(message)


class BodyLimit:
    """Refuses requests whose body is over the limit, by their announced length or while they come in."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 413."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        limit = UPLOAD_LIMIT if route_path(scope) == UPLOAD_PATH else BODY_LIMIT
        text = (
            f"The request is larger than {limit // MEGABYTE} MB, the most that is taken at a time. Send less."
        )
        refusal = PlainTextResponse(text, 413)
        announced = Headers(scope=scope).get("content-length", "0")
        if not announced.isdigit() or int(announced) > limit:
            return await refusal(scope, receive, send)
        body = _CountedBody(limit, receive, send)
        try:
            await self._app(scope, body.receive, body.send)
        except _BodyTooLargeError:
            if not body.refused:
                raise
        if body.refused:
            await refusal(scope, receive, send)
