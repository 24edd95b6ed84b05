"""The one way to every handler: who asks, whether they may, and a line in the audit log for a change."""

from collections.abc import Callable
from typing import Any

import gradio as gr

from assistant.access import ALONE, PERSON, Person, as_person, may_handle

READING = ("_load", "_follow", "_open", "_search", "_preview", "_estimate", "_turn", "_draft", "_show")
"""How the names of handlers end that change nothing."""


class GuardedBlocks(gr.Blocks):
    """Blocks whose handlers run only for those who may call them, and know who that is."""

    record: Callable[[Person, str], None]
    """Called with who changes something, and by which handler."""

    async def process_api(
        self, block_fn: Any, inputs: list[Any], state: Any = None, request: Any = None, **options: Any
    ) -> dict[str, Any]:
        """Run a handler, whichever way it was called."""
        handler = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        person, draws = person_of(request), handler.api_visibility == "private"
        if person is None or not may_handle(person, handler.page, str(handler.api_name), draws=draws):
            raise gr.Error("This is for managers. Ask one of them to do it.", print_exception=False)
        begins = options.get("iterator") is None
        if begins and person is not ALONE and not draws and changes(str(handler.api_name)):
            self.record(person, str(handler.api_name).replace("_", " "))
        with as_person(person):
            return await super().process_api(handler, inputs, state, request, **options)


def person_of(request: Any) -> Person | None:
    """Who sent a request; several that come as one batch have one sender."""
    first = request[0] if isinstance(request, list) and request else request
    inner = getattr(first, "request", None)
    return ALONE if inner is None else inner.scope.get(PERSON, ALONE)


def changes(handler: str) -> bool:
    """Whether a handler changes something, by its name."""
    return not (handler.startswith("status_") or handler.endswith(READING))
