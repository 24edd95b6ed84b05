"""The gate in front of the pages: logins, sessions, and which addresses each role may ask for.

It knows HTTP and the rights of roles. It does not know what the pages show. Without it, on this machine
alone, whoever asks may do everything.
"""

import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from html import escape
from importlib.resources import files
from urllib.parse import parse_qsl, quote

from anyio import CapacityLimiter, to_thread
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from assistant.access import ALONE, PERSON, AuditLog, OpenId, Person, Role, Sessions, may_open
from assistant.access.openid import PATIENCE
from assistant.access.sessions import LIFETIME
from assistant.access.tries import TooManyTriesError
from assistant.api import API, APP_ID, FOR_ALL, route_path
from assistant.errors import AssistantError

COOKIE = "quartet_session"
STATE = "quartet_signin"
"""The cookie that ties a sign-in through a provider to the browser that began it."""
KNOWN = "quartet_known"
"""The cookie of a browser in which somebody has logged in before; see `assistant.access.tries`."""
KNOWN_FOR = 180 * 24 * 3600
MOST_FIELDS = 5
INSIDE = re.compile(r"/(?!/)[^\\\x00-\x20]*")
"""An address of this server; a browser takes a backslash for a slash, and leaves out line breaks."""
LOGIN, LOGOUT = "/login", "/logout"
PROVIDER, BACK = "/login/provider", "/login/back"
WAY = '<a class="way" href="%root%/login/provider">Sign in with your company’s account</a>'
Answer = Callable[[Request], Awaitable[Response]]
OPEN = ("/rate/", "/static/", "/assets/", "/svelte/")
"""What needs no login: the raters' pages have keys of their own, the rest is Gradio's own code."""
OPEN_FILES = frozenset({"/favicon.ico", "/robots.txt", "/theme.css", "/manifest.json", f"{API}{APP_ID}"})
STREAM = f"{API}queue/data"
MOST_AT_THE_DOOR = 2
"""Passwords that are looked at together: each takes 64 MB and a processor, and others want to be served."""
MOST_STREAMS = 10_000
"""Streams whose persons are remembered."""

logger = logging.getLogger(__name__)


class Gate:
    """Lets requests through for those who are logged in and may ask for it; shows the login to others."""

    def __init__(
        self,
        app: ASGIApp,
        sessions: Sessions,
        audit: Callable[[], AuditLog],
        pages: Sequence[str],
        openid: OpenId | None = None,
    ) -> None:
        self._app = app
        self._sessions = sessions
        self._audit = audit
        self._pages = frozenset(pages)
        self._openid = openid
        self._streams: OrderedDict[str, str] = OrderedDict()
        self._at_the_door = CapacityLimiter(MOST_AT_THE_DOOR)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer with the login, 401 or 403."""
        if scope["type"] not in ("http", "websocket"):
            return await self._app(scope, receive, send)
        try:
            own = await self._answer(scope, receive)
        except AssistantError as problem:  # the accounts can't be read or written
            own = PlainTextResponse(str(problem), 503)
        await (own or self._app)(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response | None:
        """The gate's own answer; None where the request may pass, with who asks noted in it."""
        request = Request(scope, receive) if scope["type"] == "http" else None
        path = route_path(scope)
        if request and (own := self._own(request, path)):
            return await own(request)
        person = await run_in_threadpool(self._person, scope)
        if person is None and not is_open(path):
            return self._refuse_stranger(scope, path)
        if person is not None and not (is_open(path) or self._may_ask(person, path)):
            return _forbidden(person)
        if person is not None and path == STREAM and not self._may_listen(person, scope):
            return PlainTextResponse("This is another person's.", 403)
        scope[PERSON] = person
        return None

    def _own(self, request: Request, path: str) -> Answer | None:
        """What answers the gate's own addresses."""
        if path == LOGOUT and request.method == "POST":
            return self._logout
        if self._openid and path in (PROVIDER, BACK):
            return self._go if path == PROVIDER else self._come_back
        return self._login if path == LOGIN else None

    def _person(self, scope: Scope) -> Person | None:
        token = _cookie(Headers(scope=scope).get("cookie", ""))
        return self._sessions.person(token) if token else None

    def _may_ask(self, person: Person, path: str) -> bool:
        if person.role is Role.MANAGER:
            return True
        if path.startswith(API):
            return person.role is Role.PRESENTER and path.removeprefix(API).startswith(FOR_ALL)
        address = path.strip("/")
        return address in self._pages and may_open(person, address)

    def _may_listen(self, person: Person, scope: Scope) -> bool:
        """Whether a stream of answers is this person's: whoever asks for it first, right after asking, is."""
        session = Request(scope).query_params.get("session_hash", "")
        if not session:
            return True  # Gradio refuses it
        owner = self._streams.setdefault(session, person.name)
        self._streams.move_to_end(session)
        if len(self._streams) > MOST_STREAMS:
            self._streams.popitem(last=False)
        return owner == person.name

    def _refuse_stranger(self, scope: Scope, path: str) -> Response:
        wants_page = "text/html" in Headers(scope=scope).get("accept", "")
        if scope.get("method") == "GET" and wants_page:
            query = scope.get("query_string", b"").decode("latin-1")
            wanted = quote(f"{path}?{query}" if query else path)
            return RedirectResponse(f"{scope.get('root_path', '')}{LOGIN}?next={wanted}", 303)
        return JSONResponse({"detail": "Your session has ended. Load the page again and log in."}, 401)

    async def _login(self, request: Request) -> Response:
        if request.method != "POST":
            return self._page(request)
        form = await _fields(request)
        name, password = form.get("name", "").strip(), form.get("password", "")
        address = request.client.host if request.client else ""
        mark = request.cookies.get(KNOWN, "")
        try:
            token = await to_thread.run_sync(
                partial(self._sessions.log_in, name, password, address=address, mark=mark),
                limiter=self._at_the_door,
            )
        except TooManyTriesError as problem:
            return self._page(request, str(problem), status=429)
        except AssistantError as problem:
            return self._page(request, str(problem), status=503)
        if token is None:
            logger.warning("A login failed, from %s.", address)
            answer = self._page(request, "Name and password do not fit. Try again.", status=403)
            answer.background = BackgroundTask(self._note_failure, name)  # the time it takes tells nobody
            return answer
        answer = await self._let_in(request, token, _next(request))
        _set(answer, request, KNOWN, await run_in_threadpool(self._sessions.mark_for, name), KNOWN_FOR)
        return answer

    def _note_failure(self, name: str) -> None:
        """Keep that somebody failed to log in by a name that there is; others are made up at will."""
        if person := self._sessions.named(name):
            self._audit().record(person, "wrong password")

    async def _let_in(self, request: Request, token: str, address: str) -> Response:
        person = self._sessions.person(token)
        await run_in_threadpool(self._audit().record, person or ALONE, "logged in")
        return _with_cookie(request, address, token, LIFETIME)

    async def _go(self, request: Request) -> Response:
        """Send a person to the company's provider."""
        assert self._openid is not None
        back = str(request.base_url).rstrip("/") + BACK
        try:
            url, state = await run_in_threadpool(self._openid.begin, back)
        except AssistantError as problem:
            return self._page(request, str(problem), status=502)
        answer = RedirectResponse(url, 303)
        _set(answer, request, STATE, state, PATIENCE)
        return answer

    async def _come_back(self, request: Request) -> Response:
        """Let in whom the provider vouches for, if they have an account and began here."""
        assert self._openid is not None
        state = request.query_params.get("state", "")
        if not state or request.cookies.get(STATE) != state:
            return self._page(
                request, "This sign-in was begun in another browser. Sign in again.", status=403
            )
        try:
            name = await run_in_threadpool(self._openid.finish, state, str(request.url))
        except AssistantError as problem:
            return self._page(request, str(problem), status=403)
        token = await run_in_threadpool(self._sessions.let_in, name)
        if token is None:
            return self._page(request, f"{name} has no account here. Ask a manager for one.", status=403)
        return await self._let_in(request, token, "/")

    def _page(self, request: Request, problem: str = "", *, status: int = 200) -> Response:
        page = files("assistant").joinpath("login.html").read_text(encoding="utf-8")
        notice = f'<p class="problem" role="alert">{escape(problem)}</p>' if problem else ""
        page = page.replace("<!-- problem -->", notice).replace("<!-- way -->", WAY if self._openid else "")
        page = page.replace("%root%", escape(request.scope.get("root_path", "")))
        return HTMLResponse(page, status, {"Cache-Control": "no-store"})

    async def _logout(self, request: Request) -> Response:
        token = request.cookies.get(COOKIE, "")
        person = await run_in_threadpool(self._sessions.person, token)
        self._sessions.log_out(token)
        if person:
            await run_in_threadpool(self._audit().record, person, "logged out")
        return _with_cookie(request, LOGIN, "", 0)


async def _fields(request: Request) -> dict[str, str]:
    """The fields of a form as browsers send plain ones; nothing of what is sent in any other way."""
    body = (await request.body()).decode("utf-8", "replace")
    try:
        return dict(parse_qsl(body, max_num_fields=MOST_FIELDS))
    except ValueError:  # more fields
        return {}


def is_open(path: str) -> bool:
    """Whether a path needs no login."""
    return path in OPEN_FILES or path.startswith(OPEN)


def _cookie(header: str) -> str:
    for part in header.split(";"):
        name, _, value = part.strip().partition("=")
        if name == COOKIE:
            return value
    return ""


def _next(request: Request) -> str:
    """Where to go after the login: an address of this server, or the first page."""
    wanted = request.query_params.get("next", "/")
    return wanted if INSIDE.fullmatch(wanted) else "/"


def _with_cookie(request: Request, address: str, token: str, seconds: int) -> Response:
    root = request.scope.get("root_path", "")
    answer = RedirectResponse(f"{root}{address}", 303)
    _set(answer, request, COOKIE, token, seconds)
    return answer


def _set(answer: Response, request: Request, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        path=request.scope.get("root_path", "") or "/",
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def _forbidden(person: Person) -> Response:
    if person.role is Role.RATER:
        text = "You are here to rate answers: open the link that you were given."
    else:
        text = "This is for managers. Ask one of them, or go back to the page Compare."
    return PlainTextResponse(text, 403)
