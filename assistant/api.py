"""Gradio's API as Quartet serves it: the routes that the pages use, and refusals that say so.

Gradio brings routes for editing code in the browser, for its hub and for watching requests. None of them is
served. It also answers 500 to every call that ends in an error, also where somebody was just told no.
"""

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

REFUSED = "quartet.refused"
"""Where a request's scope keeps why its call was refused, if it was: a list of texts."""
API = "/gradio_api/"
APP_ID = "app_id"
"""What a page whose server has gone asks for until it is back, and then loads itself again."""
FOR_ALL = (
    "queue/join",
    "queue/data",
    "heartbeat/",
    "run/",
    "cancel",
    "reset",
    "startup-events",
    "theme.css",
    APP_ID,
)
"""Of Gradio's routes, those that all pages need; what they call is checked at each handler."""
USED = (*FOR_ALL, "upload", "upload_progress", "file=")
"""What follows `API` in the addresses that are served."""
UNUSED = ("/openapi.json", "/monitoring", "/deep_link", "/login", "/logout", "/svelte/", "/pwa_icon")
"""Gradio's other addresses that no page uses; the gate answers its own logins before these are looked at."""


def is_served(path: str) -> bool:
    """Whether there is anything at a path that Gradio would answer, which fails over control characters."""
    if not path.isprintable():
        return False
    if path.startswith(API):
        return path.removeprefix(API).startswith(USED)
    return not path.startswith(UNUSED)


class OwnApi:
    """Answers 404 where no page asks, and 422 instead of 500 where a call was refused."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on if it is for something that is served."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        path = route_path(scope)
        if not is_served(path):
            return await PlainTextResponse("There is nothing here.", 404)(scope, receive, send)
        if path == "/":  # its fields are Gradio's own: pages and links, which break it where there are none
            scope["query_string"] = b""
        refused: list[str] = []
        scope[REFUSED] = refused

        async def told(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] == 500 and refused:
                message["status"] = 422
            await send(message)

        await self._app(scope, receive, told)


def refuse_odd(request: Request, problem: Exception) -> Response:
    """The answer to a request whose fields are not what they should be; what was sent is not repeated."""
    return JSONResponse({"detail": "This is not what the page sends. Load the page again."}, 422)


def route_path(scope: Scope) -> str:
    """The path below the prefix that a proxy put in front."""
    path, root = str(scope["path"]), str(scope.get("root_path", ""))
    return (path.removeprefix(root) or "/") if root else path
