"""Kept files of conversations, read and checked line by line.

It knows the two shapes their lines have and what makes one usable, not where files are kept.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from assistant.conversations.model import (
    Conversation,
    Reading,
    UnusableError,
    check_order,
    cut,
)
from assistant.errors import AssistantError
from assistant.prompts import Message, clean

MAX_BYTES = 250_000_000
"""Of a file that is read into memory whole."""

_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
}
WHOLE_LINES = "Write each conversation whole on a line of its own (JSON Lines), with no list around them."
_SHAPES = 'A line holds {"messages": [{"role": "user", "content": "..."}, ...]}'


def read_conversations(path: Path, name: str = "") -> Reading:
    """Read a JSONL file of OpenAI messages or ShareGPT turns, recognised line by line.

    Args:
        path: the file.
        name: what sources and refusals call it; the file's own name if empty.

    Raises:
        AssistantError: the file is missing, empty, too large or not UTF-8 at all.
    """
    name = name or path.name
    conversations, refused = [], []
    for number, _, line in lines_in(path, name, MAX_BYTES):
        try:
            conversations.append(conversation_in(line, f"{name}:{number}"))
        except UnusableError as problem:
            refused.append(problem.refusal(name, number))
    return Reading(tuple(conversations), tuple(refused))


def lines_in(path: Path, name: str, most: int) -> Iterator[tuple[int, int, bytes]]:
    """The lines that hold anything in a file: the number of each, the bytes before it, and the line.

    Raises:
        AssistantError: the file is missing, empty, not UTF-8 at all, or larger than `most` bytes.
    """
    empty = True
    try:
        size = path.stat().st_size
        if size > most:
            raise AssistantError(
                f"{name} has {size / 1e6:,.0f} MB; {most // 1_000_000} MB is the most that is read. "
                "Split it into smaller files and add each."
            )
        start = 0
        with path.open("rb") as file:
            for number, whole in enumerate(file, start=1):
                line = _without_mark(whole, name) if number == 1 else whole
                if line.strip():
                    empty = False
                    yield number, start + len(whole) - len(line), line.rstrip(b"\r\n")
                start += len(whole)
    except FileNotFoundError as problem:
        raise AssistantError(f"{path} is not there. Check the path, then try again.") from problem
    except OSError as problem:
        raise AssistantError(
            f"{path} can't be read ({problem.strerror}). Check its permissions."
        ) from problem
    if empty:
        raise AssistantError(f"{name} is empty; it should hold one conversation a line. {_SHAPES}.")


def _without_mark(line: bytes, name: str) -> bytes:
    if line[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise AssistantError(
            f"{name} is written in UTF-16; conversations are read as UTF-8. Save it as UTF-8."
        )
    return line.removeprefix(b"\xef\xbb\xbf")


def conversation_in(line: bytes, source: str) -> Conversation:
    """The conversation that a line holds; `source` says where it came from.

    Raises:
        UnusableError: it holds none that can be learned from.
    """
    value = _json_of(line)
    if not isinstance(value, dict):
        advice = (
            "Write each conversation of the list on a line of its own."
            if isinstance(value, list)
            else _SHAPES + "."
        )
        raise UnusableError(f"found {_shown(value)}", "a line should be a JSON object", advice)
    if "messages" in value:
        turns, role_key, text_key = value["messages"], "role", "content"
    elif "conversations" in value:
        turns, role_key, text_key = value["conversations"], "from", "value"
    else:
        keys = ", ".join(map(str, value)) or "none"
        raise UnusableError(
            f"found the fields {cut(keys)}", 'a line needs "messages" or "conversations"', _SHAPES + "."
        )
    if not isinstance(turns, list) or not turns:
        raise UnusableError(
            f"found {_shown(turns)}", "a conversation should be a list of messages", _SHAPES + "."
        )
    messages = tuple(_message(turn, index, role_key, text_key) for index, turn in enumerate(turns, start=1))
    check_order(messages)
    about = value.get("meta")
    return Conversation(messages, source, _topic(value), **_about(about if isinstance(about, dict) else {}))


def _json_of(line: bytes) -> Any:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as problem:
        found = f"found the byte 0x{line[problem.start]:02x} at column {problem.start + 1}"
        raise UnusableError(found, "text should be UTF-8", "Save the file as UTF-8.") from problem
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        column = f" at column {problem.colno}" if isinstance(problem, json.JSONDecodeError) else ""
        found = f"found {cut(text.strip())!r}, not valid JSON{column}"
        advice = WHOLE_LINES if text.strip() in ("[", "{") else "Correct the line, or remove it."
        raise UnusableError(found, "a line should be one JSON object", advice) from problem


def _message(turn: Any, index: int, role_key: str, text_key: str) -> Message:
    if not isinstance(turn, dict):
        raise UnusableError(
            f"message {index} is {_shown(turn)}", "a message should be a JSON object", _SHAPES + "."
        )
    role, text = turn.get(role_key), turn.get(text_key)
    known = ("human", "gpt", "system") if role_key == "from" else ("system", "user", "assistant")
    if not isinstance(role, str) or role not in _ROLES:
        rule = f'"{role_key}" should be one of {", ".join(known)}'
        raise UnusableError(
            f"message {index} has the role {_shown(role)}",
            rule,
            "Correct the role, or leave the message out.",
        )
    if not isinstance(text, str):
        rule = f'"{text_key}" should be a text'
        raise UnusableError(
            f"message {index} has the content {_shown(text)}", rule, "Write the text of the message there."
        )
    content = clean(text).strip()
    if not content:
        raise UnusableError(
            f"message {index} is empty", "a message needs text", "Write its text, or leave it out."
        )
    return Message(_ROLES[role], content)


def _topic(value: dict[str, Any]) -> str:
    meta = value.get("meta")
    places = [value, meta] if isinstance(meta, dict) else [value]
    found = [place[key] for place in places for key in ("topic", "domain") if isinstance(place.get(key), str)]
    return clean(found[0]).strip()[:80] if found else ""


def _about(meta: dict[str, Any]) -> dict[str, Any]:
    """What the import noted of a conversation, as fields of one."""
    texts = {key: meta[key] for key in ("time", "customer", "place") if isinstance(meta.get(key), str)}
    team = meta.get("team")
    named = tuple(name for name in team if isinstance(name, str)) if isinstance(team, list) else ()
    return {**texts, "team": named}


def line_of(conversation: Conversation) -> bytes:
    """The line of a kept file that reads as this conversation, with its line end."""
    meta = {
        key: value
        for key in ("topic", "time", "customer", "place", "team")
        if (value := getattr(conversation, key))
    }
    turns = [{"role": message.role, "content": message.content} for message in conversation.messages]
    value = {"messages": turns} | ({"meta": meta} if meta else {})
    return json.dumps(value, ensure_ascii=False).encode("utf-8") + b"\n"


def _shown(value: Any) -> str:
    return cut(json.dumps(value, ensure_ascii=False))
