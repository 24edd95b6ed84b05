"""Files of conversations, read and checked line by line.

It knows the two shapes conversations come in and what makes one usable, not where files are kept.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError
from assistant.prompts import Message, clean

MAX_BYTES = 50_000_000

_ROLES = {
    "human": "user",
    "gpt": "assistant",
    "system": "system",
    "user": "user",
    "assistant": "assistant",
}
WHOLE_LINES = "Write each conversation whole on a line of its own (JSON Lines), with no list around them."
_SHAPES = 'A line holds {"messages": [{"role": "user", "content": "..."}, ...]}'


@dataclass(frozen=True)
class Conversation:
    """One chat as the company had it; `source` names file and line ("chats.jsonl:7")."""

    messages: tuple[Message, ...]
    source: str
    topic: str = ""


@dataclass(frozen=True)
class Refusal:
    """A line that can't be used: the value found, the rule it breaks and what to do."""

    file: str
    line: int
    value: str
    rule: str
    advice: str

    @property
    def text(self) -> str:
        """The refusal in one line for people."""
        return f"{self.file}, line {self.line}: {self.value}; {self.rule}. {self.advice}"


@dataclass(frozen=True)
class Reading:
    """What a file held: the usable conversations and the refused lines, both in the file's order."""

    conversations: tuple[Conversation, ...]
    refused: tuple[Refusal, ...]


class _Unusable(Exception):
    """A line breaks a rule; carries the value found, the rule and the advice."""

    def __init__(self, value: str, rule: str, advice: str) -> None:
        super().__init__(value)
        self.value, self.rule, self.advice = value, rule, advice


def read_conversations(path: Path, name: str = "") -> Reading:
    """Read a JSONL file of OpenAI messages or ShareGPT turns, recognised line by line.

    Args:
        path: the file.
        name: what sources and refusals call it; the file's own name if empty.

    Raises:
        AssistantError: the file is missing, empty, too large or not UTF-8 at all.
    """
    name = name or path.name
    data = _bytes_of(path, name)
    conversations, refused = [], []
    for number, line in enumerate(data.split(b"\n"), start=1):
        if not line.strip():
            continue
        try:
            conversations.append(_conversation(line, f"{name}:{number}"))
        except _Unusable as problem:
            refused.append(Refusal(name, number, problem.value, problem.rule, problem.advice))
    return Reading(tuple(conversations), tuple(refused))


def _bytes_of(path: Path, name: str) -> bytes:
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise AssistantError(
                f"{name} has {size / 1e6:,.0f} MB; {MAX_BYTES // 1_000_000} MB is the most that is read. "
                "Split it into smaller files and add each."
            )
        data = path.read_bytes()
    except FileNotFoundError as problem:
        raise AssistantError(f"{path} is not there. Check the path, then try again.") from problem
    except OSError as problem:
        raise AssistantError(
            f"{path} can't be read ({problem.strerror}). Check its permissions."
        ) from problem
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise AssistantError(
            f"{name} is written in UTF-16; conversations are read as UTF-8. Save it as UTF-8."
        )
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise AssistantError(f"{name} is empty; it should hold one conversation a line. {_SHAPES}.")
    return data


def _conversation(line: bytes, source: str) -> Conversation:
    value = _json_of(line)
    if not isinstance(value, dict):
        advice = (
            "Write each conversation of the list on a line of its own."
            if isinstance(value, list)
            else _SHAPES + "."
        )
        raise _Unusable(f"found {_shown(value)}", "a line should be a JSON object", advice)
    if "messages" in value:
        turns, role_key, text_key = value["messages"], "role", "content"
    elif "conversations" in value:
        turns, role_key, text_key = value["conversations"], "from", "value"
    else:
        keys = ", ".join(map(str, value)) or "none"
        raise _Unusable(
            f"found the fields {_cut(keys)}", 'a line needs "messages" or "conversations"', _SHAPES + "."
        )
    if not isinstance(turns, list) or not turns:
        raise _Unusable(
            f"found {_shown(turns)}", "a conversation should be a list of messages", _SHAPES + "."
        )
    messages = tuple(_message(turn, index, role_key, text_key) for index, turn in enumerate(turns, start=1))
    _check_order(messages)
    return Conversation(messages, source, _topic(value))


def _json_of(line: bytes) -> Any:
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as problem:
        found = f"found the byte 0x{line[problem.start]:02x} at column {problem.start + 1}"
        raise _Unusable(found, "text should be UTF-8", "Save the file as UTF-8.") from problem
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        column = f" at column {problem.colno}" if isinstance(problem, json.JSONDecodeError) else ""
        found = f"found {_cut(text.strip())!r}, not valid JSON{column}"
        advice = WHOLE_LINES if text.strip() in ("[", "{") else "Correct the line, or remove it."
        raise _Unusable(found, "a line should be one JSON object", advice) from problem


def _message(turn: Any, index: int, role_key: str, text_key: str) -> Message:
    if not isinstance(turn, dict):
        raise _Unusable(
            f"message {index} is {_shown(turn)}", "a message should be a JSON object", _SHAPES + "."
        )
    role, text = turn.get(role_key), turn.get(text_key)
    known = ("human", "gpt", "system") if role_key == "from" else ("system", "user", "assistant")
    if not isinstance(role, str) or role not in _ROLES:
        rule = f'"{role_key}" should be one of {", ".join(known)}'
        raise _Unusable(
            f"message {index} has the role {_shown(role)}",
            rule,
            "Correct the role, or leave the message out.",
        )
    if not isinstance(text, str):
        rule = f'"{text_key}" should be a text'
        raise _Unusable(
            f"message {index} has the content {_shown(text)}", rule, "Write the text of the message there."
        )
    content = clean(text).strip()
    if not content:
        raise _Unusable(
            f"message {index} is empty", "a message needs text", "Write its text, or leave it out."
        )
    return Message(_ROLES[role], content)


def _check_order(messages: Sequence[Message]) -> None:
    roles = [message.role for message in messages]
    if "system" in roles[1:]:
        place = roles.index("system", 1) + 1
        rule = "only the first message may be a system message"
        raise _Unusable(
            f"message {place} is a system message", rule, "Remove it, or merge it into the first."
        )
    if "user" not in roles or "assistant" not in roles[roles.index("user") :]:
        found = f"found the roles {_cut(', '.join(roles))}"
        rule = "a conversation needs an assistant message after a user message"
        raise _Unusable(found, rule, "Add the reply that was given, or remove the line.")


def _topic(value: dict[str, Any]) -> str:
    meta = value.get("meta")
    places = [value, meta] if isinstance(meta, dict) else [value]
    found = [place[key] for place in places for key in ("topic", "domain") if isinstance(place.get(key), str)]
    return clean(found[0]).strip()[:80] if found else ""


def _shown(value: Any) -> str:
    return _cut(json.dumps(value, ensure_ascii=False))


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
