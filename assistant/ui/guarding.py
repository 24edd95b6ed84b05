"""The one way to every handler: who asks, whether they may, what they sent, and a line in the audit log."""

import errno
import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.access import ALONE, PERSON, Person, as_person, may_handle
from assistant.api import REFUSED
from assistant.errors import unwritable
from assistant.ui.parts import PROBLEMS
from assistant.workspace import quartet_home

READING = ("_load", "_follow", "_open", "_search", "_preview", "_estimate", "_turn", "_draft", "_show")
"""How the names of handlers end that change nothing."""
ODD = "This is not what the page sends. Load the page again and do it there."
FAULT = "Something went wrong in Quartet ({}). Load the page again and try it once more."
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")

logger = logging.getLogger(__name__)


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
        with _told(request):
            if person is None or not may_handle(person, handler.page, str(handler.api_name), draws=draws):
                raise refusal("This is for managers. Ask one of them to do it.")
            if handler.fn is None:  # what the page does by itself
                raise refusal(ODD)
            begins = options.get("iterator") is None
            if begins and person is not ALONE and not draws and changes(str(handler.api_name)):
                self.record(person, str(handler.api_name).replace("_", " "))
            if (event := options.get("event_data")) is not None:
                event._data = storable(event._data) if isinstance(event._data, dict) else {}
            with as_person(person):
                return await super().process_api(handler, storable(inputs), state, request, **options)

    async def preprocess_data(self, block_fn: Any, *given: Any, **options: Any) -> list[Any]:
        """What was sent as a handler takes it.

        Raises:
            gr.Error: it is not what the fields of the page hold.
        """
        try:
            taken = await super().preprocess_data(block_fn, *given, **options)
            return [_held(each, field) for field, each in zip(block_fn.inputs, taken, strict=True)]
        except gr.Error as problem:
            raise refusal(str(problem.message)) from problem
        except Exception as problem:  # whatever Gradio's components make of what no page sends
            raise refusal(ODD) from problem

    async def postprocess_data(self, block_fn: Any, predictions: Any, state: Any) -> list[Any]:
        """What a handler gave, as the page takes it.

        Gradio builds a field anew also where a handler leaves it alone; here that costs nothing.
        """
        given = predictions if isinstance(predictions, dict) else {}
        changed = [field for field in block_fn.outputs if field in given]
        if not given or len(changed) < len(given):  # a list of values, or fields of another handler
            return await super().postprocess_data(block_fn, predictions, state)
        narrowed, values = copy(block_fn), [given[field] for field in changed]
        narrowed.outputs = changed
        taken = await super().postprocess_data(narrowed, values if len(values) > 1 else values[0], state)
        by_field = dict(zip(changed, taken, strict=True))
        return [by_field.get(field, gr.skip()) for field in block_fn.outputs]


def _held(value: Any, field: Any) -> Any:
    """What a field holds: text where it is one for text, one choice where it takes one; nothing else."""
    text, one = isinstance(field, (gr.Textbox, gr.HTML)), isinstance(field, (gr.Radio, gr.Dropdown))
    if text and not isinstance(value, str | None):
        raise refusal(ODD)
    if one and isinstance(value, list | dict) and not getattr(field, "multiselect", False):
        raise refusal(ODD)
    return value or "" if text else value


def whole(value: object) -> int:
    """The number that came with a click.

    Raises:
        gr.Error: it is none.
    """
    if not isinstance(value, str | int) or not re.fullmatch(r"\d{1,18}", str(value)):
        raise refusal(ODD)
    return int(value)


def refusal(text: str) -> gr.Error:
    """An error that is shown to whoever called, and is none in Quartet."""
    return gr.Error(text, print_exception=False)


@contextmanager
def _told(request: Any) -> Iterator[None]:
    """Note a refusal for the answer's status; a fault is logged, and whoever called is told of it."""
    try:
        yield
    except PROBLEMS as problem:  # one that its handler lets out
        _note(request, str(problem))
        raise refusal(str(problem)) from problem
    except gr.Error as problem:
        _note(request, str(problem.message))
        raise refusal(str(problem.message)) from problem
    except OSError as problem:
        too_long = problem.errno == errno.ENAMETOOLONG
        said = ODD if too_long else str(unwritable(Path(problem.filename or quartet_home()), problem))
        _note(request, said)
        raise refusal(said) from problem
    except Exception as problem:
        if isinstance(problem, AttributeError) and isinstance(problem.obj, gr.EventData):
            _note(request, ODD)  # the handler asked for what did not come with the click
            raise refusal(ODD) from problem
        logger.exception("A handler failed.")
        raise gr.Error(FAULT.format(type(problem).__name__), print_exception=False) from problem


def _note(request: Any, text: str) -> None:
    inner = _inner(request)
    if inner is not None:
        inner.scope.get(REFUSED, []).append(text)


def storable(value: Any) -> Any:
    """A value sent as JSON without halves of characters and zero bytes, which no file and no table takes."""
    if isinstance(value, str):
        return UNSTORABLE.sub("", value)
    if isinstance(value, dict):
        return {storable(key): storable(each) for key, each in value.items()}
    return [storable(each) for each in value] if isinstance(value, list) else value


def person_of(request: Any) -> Person | None:
    """Who sent a request; several that come as one batch have one sender."""
    inner = _inner(request)
    return ALONE if inner is None else inner.scope.get(PERSON, ALONE)


def _inner(request: Any) -> Any:
    """Starlette's request within Gradio's."""
    first = request[0] if isinstance(request, list) and request else request
    return getattr(first, "request", None)


def changes(handler: str) -> bool:
    """Whether a handler changes something, by its name."""
    return not (handler.startswith("status_") or handler.endswith(READING))
