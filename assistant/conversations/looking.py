"""`python -m assistant.conversations.looking`: looks at files that wait, in a process of its own.

It answers what `assistant.conversations.guard` asks. It keeps nothing.
"""

from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from assistant.conversations.cleaning import Cleaning, Tally
from assistant.conversations.formats import Layout, arranged, sample
from assistant.conversations.gathering import Found, gather
from assistant.conversations.importing import conversation_of, own_contacts
from assistant.conversations.model import UnusableError
from assistant.errors import AssistantError
from knowledge.confined import serve

SAMPLE = 200
"""Conversations that a preview is made of."""


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """What was asked, as values; or why it can't be told."""
    try:
        return {"found": _ANSWERS[request["do"]](request)}
    except AssistantError as problem:
        return {"refused": str(problem)}


def _gathered(request: dict[str, Any]) -> list[dict[str, Any]]:
    files = [(Path(path), name) for path, name in request["files"]]
    return [found.to_json() for found in gather(files, Path(request["room"]))]


def _arranged(request: dict[str, Any]) -> dict[str, Any]:
    found = Found.of(request["found"])
    assert found.recognised is not None
    recognised = arranged(found.source, found.recognised, Layout.of(request["layout"]))
    return Found(found.source, recognised).to_json()


def _previewed(request: dict[str, Any]) -> dict[str, Any]:
    """What the first conversations of a file would become."""
    chosen, tally, cleaning = Found.of(request["found"]), Tally(), Cleaning.of(request["cleaning"])
    assert chosen.recognised is not None
    found = sample(chosen.source, chosen.recognised, SAMPLE)
    own, unit = own_contacts(found) if cleaning.masked else set(), chosen.recognised.unit
    told = []
    for each in found:
        with suppress(UnusableError):
            told.append(conversation_of(each, chosen.source.name, cleaning, tally, unit=unit, own=own))
    return {
        "conversations": [asdict(each) for each in told],
        "refused": len(found) - len(told),
        "tally": tally.to_json(),
    }


_ANSWERS = {"gather": _gathered, "arrange": _arranged, "preview": _previewed}

if __name__ == "__main__":
    serve(answer)
