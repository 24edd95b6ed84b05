"""The connection to a model server: what is sent with each request, and the one check when it is opened.

It knows the client library and holds it back: nothing is taken from the environment, and nothing is sent but
to the address that a person named. It knows nothing of chats.
"""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import openai

from assistant.endpoint import Endpoint
from assistant.engine.refusals import RETRIES, explain
from assistant.errors import AssistantError

CONNECT_SECONDS = 5.0
"""How long a server may take to accept a connection."""
HEADERS = frozenset(
    ("host", "connection", "accept", "accept-encoding", "user-agent", "content-type", "content-length")
)
"""All that a request says beside its body and the key. The client library would add this machine's system and
processor, and what it finds in the environment's OPENAI_* variables."""
NO_LIST = (404, 405, 501)
"""How a server says that it has no list of models, which is tolerated."""
MOST_LISTED = 20


def connect(endpoint: Endpoint) -> openai.AsyncOpenAI:
    """A client for the endpoint; nothing is sent yet."""
    timeout = openai.Timeout(endpoint.timeout, connect=min(CONNECT_SECONDS, endpoint.timeout))
    needed = HEADERS | {"authorization"} if endpoint.key else HEADERS

    async def keep_needed_headers(request: Any) -> None:
        for name in set(request.headers) - needed:
            del request.headers[name]

    return openai.AsyncOpenAI(
        base_url=endpoint.base_url,
        api_key=endpoint.key or "none",  # one that is empty would be looked for in the environment
        default_headers={"Authorization": f"Bearer {endpoint.key}"},  # comes before OPENAI_CUSTOM_HEADERS
        timeout=timeout,
        max_retries=RETRIES,
        http_client=openai.DefaultAsyncHttpxClient(
            timeout=timeout, follow_redirects=False, event_hooks={"request": [keep_needed_headers]}
        ),
    )


@dataclass(frozen=True)
class Offer:
    """What a server tells of the models named: what it calls the adapter's base, and the base's window."""

    adapters_base: str
    window: int | None = None


async def check(client: openai.AsyncOpenAI, endpoint: Endpoint) -> Offer:
    """Make sure that the server offers the models named.

    Raises:
        AssistantError: it can't be reached, refuses the key, is no such server, or has other models.
    """
    try:
        offered = {model.id: model for model in (await client.models.list()).data}
    except Exception as problem:
        if isinstance(problem, openai.APIStatusError) and problem.status_code in NO_LIST:
            await _check_longer_address(client, endpoint)
            return Offer(endpoint.model)
        raise AssistantError(explain(problem, endpoint)) from problem
    for option, name in (("--endpoint-model", endpoint.model), ("--endpoint-adapter", endpoint.adapter)):
        if offered and name and name not in offered:
            raise AssistantError(
                f"The model server at {endpoint.base_url} has no model {name!r}; it has {_shown(offered)}. "
                f"Name one of them with {option}."
            )
    parent = getattr(offered.get(endpoint.adapter), "parent", None)
    window = getattr(offered.get(endpoint.model), "max_model_len", None)
    return Offer(parent or endpoint.model, window if isinstance(window, int) and window > 0 else None)


async def _check_longer_address(client: openai.AsyncOpenAI, endpoint: Endpoint) -> None:
    """Tell a person who left out the end of the address."""
    longer = f"{endpoint.base_url.rstrip('/')}/v1"
    with suppress(openai.APIError):
        await client.with_options(base_url=longer).models.list()
        raise AssistantError(
            f"The model server at {endpoint.base_url} has its models at {longer}. "
            f"Start again with --endpoint {longer}."
        )


def _shown(names: Collection[str]) -> str:
    more = len(names) - MOST_LISTED
    return ", ".join(list(names)[:MOST_LISTED]) + (f" and {more} more" if more > 0 else "")
