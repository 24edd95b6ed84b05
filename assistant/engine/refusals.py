"""What a model server did in place of answering, as one sentence that says what to do next.

It knows the client library's exceptions and how servers word theirs. It shows no key, and does not know rows.
"""

from collections.abc import Mapping

import openai

from assistant.endpoint import KEY_VARIABLE, Endpoint
from assistant.errors import AssistantError

RETRIES = 2
"""How often the client library asks again, later each time, a server that is busy, silent or failing."""
LONGEST = 200
"""Characters of a server's own message that are shown."""
STATUSES = {
    401: "refuses the key{said}. Put one that it accepts in the environment variable {variable}.",
    404: (
        "has no such model, or no chat at this address{said}. Check --endpoint-model and --endpoint-adapter, "
        "and that the address of --endpoint ends as the server's manual says, which is mostly /v1."
    ),
    429: "is too busy, or your quota there is used up{said}. Ask again in a moment.",
    300: "sends requests on to another address{said}. Name that one with --endpoint, if you trust it.",
    400: "refuses the request{said}. If it is too long, start a new chat; if not, see the server's manual.",
    500: "failed{said}. See the server's log, then ask again.",
}
"""By status, or the hundred it is in: what the server did and the next step."""
STATUSES[403] = STATUSES[401]


class NotOpenAI(Exception):
    """An answer that is no stream of OpenAI's API; its text is the content type."""


class EndedOtherwise(Exception):
    """An answer that ended before it was complete; its text is the reason, empty if the stream broke."""


def explain(problem: Exception, endpoint: Endpoint, *, begun: bool = False) -> str:
    """What went wrong with a request, and what to do next.

    Args:
        problem: what the client library raised, or one of the two above, or an AssistantError.
        endpoint: which server it was.
        begun: whether some of the answer had come already.
    """
    if isinstance(problem, AssistantError):
        return str(problem)
    text = f"The model server at {endpoint.base_url} {_what(problem, endpoint, begun)}"
    return text.replace(endpoint.key, "[key]") if endpoint.key else text  # some servers repeat it


def _what(problem: Exception, endpoint: Endpoint, begun: bool) -> str:
    match problem:
        case openai.APIStatusError():
            return _refused(problem)
        case openai.APITimeoutError() if not begun:
            return (
                f"did not answer in {RETRIES + 1} tries of up to {endpoint.timeout:g} s. "
                "Check that it runs and is not overloaded, then ask again."
            )
        case openai.APITimeoutError():
            return f"fell silent for {endpoint.timeout:g} s in the middle of the answer. Ask again."
        case openai.APIConnectionError() if not begun:
            cause = str(problem.__cause__ or problem).rstrip(".")
            return f"can't be reached ({cause}). Start it, or check the address given with --endpoint."
        case openai.APIConnectionError() | EndedOtherwise(args=("",)):
            return "broke off in the middle of the answer. See the server's log, then ask again."
        case EndedOtherwise():
            return f"ended the answer early, for the reason {str(problem)!r}. Ask otherwise, or see its log."
        case openai.APIError():
            return f"stopped with an error{_said(problem.body)}. See its log, then ask again."
    found = str(problem) if isinstance(problem, NotOpenAI) else type(problem).__name__
    return (
        f"answered, but not as an OpenAI-compatible server does ({found}). "
        "Check the address given with --endpoint; it mostly ends in /v1."
    )


def _refused(problem: openai.APIStatusError) -> str:
    status = problem.status_code
    location = problem.response.headers.get("location", "")
    said = _said(location or problem.body, status)
    return STATUSES.get(status, STATUSES.get(status // 100 * 100, STATUSES[500])).format(
        said=said, variable=KEY_VARIABLE
    )


def _said(body: object, status: int | None = None) -> str:
    """The server's own words in brackets, short and on one line; a web page is left out."""
    while isinstance(body, Mapping):
        body = next((body[name] for name in ("message", "detail", "error") if body.get(name)), "")
    text = " ".join(str(body or "").split())
    shown = "" if text.startswith("<") else text[:LONGEST].rstrip(".")
    found = ": ".join(part for part in (str(status or ""), shown) if part)
    return f" ({found})" if found else ""
