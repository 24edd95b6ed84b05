"""JSON exports: OpenAI messages, ShareGPT, Alpaca, Zendesk and Intercom, record by record.

It knows where each of them keeps who said what. A file may hold lines of JSON or one document.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import ijson

from assistant.conversations.formats.source import HEAD, MAX_LINE, Source
from assistant.conversations.formats.times import iso_time
from assistant.conversations.model import Exported, Refusal, Side, Turn, UnusableError, cut

Record = dict[str, Any]

_ROLES: dict[str, Side] = {
    "human": "user",
    "user": "user",
    "customer": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "agent": "assistant",
    "model": "assistant",
    "system": "system",
    "developer": "system",
    "tool": "bot",
    "function": "bot",
    "bot": "bot",
}
_INTERCOM: dict[str, Side] = {"user": "user", "lead": "user", "contact": "user", "admin": "assistant"}
QUESTIONS = ("instruction", "prompt", "question", "query")
ANSWERS = ("output", "completion", "response", "answer")
LONGEST_PATH = 2_000
"""Characters of the names above a value; an export has a dozen."""
LONGEST_VALUE = 4_000_000
"""Bytes; no message is longer."""
BLOCK = 32_768
"""Bytes read at a time: the events of so many are held at once."""
KNOWN = "OpenAI messages, ShareGPT, Alpaca, a Zendesk or an Intercom export"


def kind_of(record: Any) -> str:
    """What sort of record this is; empty for none that is known."""
    if not isinstance(record, dict):
        return ""
    if "comments" in record:
        return "zendesk"
    if "conversation_parts" in record or (record.get("type") == "conversation" and "source" in record):
        return "intercom"
    if "messages" in record:
        return "messages"
    told = record.get("conversations")
    # Intercom's lists of conversations bear the same name as ShareGPT's lists of turns.
    if told is not None and not (isinstance(told, list) and told and not _from_someone(told[0])):
        return "sharegpt"
    return "alpaca" if _first_of(record, QUESTIONS) and _first_of(record, ANSWERS) else ""


def _from_someone(turn: Any) -> bool:
    return not isinstance(turn, dict) or "from" in turn


def read_lines(source: Source) -> Iterator[Exported | Refusal]:
    """The conversations of a file with a record a line."""
    for number, line in source.lines():
        try:
            yield exported(_json_of(line), number)
        except UnusableError as problem:
            yield problem.refusal(source.name, number)


def read_document(source: Source, place: str) -> Iterator[Exported | Refusal]:
    """The conversations of one JSON document; they are the values at `place` (a prefix of ijson)."""
    with source.open() as file:
        number = 0
        try:
            for number, record in enumerate(_records(file, place), start=1):
                try:
                    yield exported(record, number)
                except UnusableError as problem:
                    yield problem.refusal(source.name, number)
        except (ijson.JSONError, UnicodeDecodeError) as problem:
            found = f"found what is not valid JSON ({cut(str(problem).splitlines()[0])})"
            broken = UnusableError(found, "a document should be whole", "Export it again, and add that.")
            yield broken.refusal(source.name, number + 1)


def _records(file: BinaryIO, place: str) -> Iterator[Any]:
    """The values at a place of a JSON document, as they are read."""
    return iter(ijson.items(_events(file), place))


def _events(file: BinaryIO) -> Iterator[tuple[str, str, Any]]:
    """The events of ijson, with an error where values are so deep or long that they would take hours."""
    watched = _Watched(file)
    for event in ijson.parse(watched, use_float=True, buf_size=BLOCK):
        watched.since = 0
        if len(event[0]) > LONGEST_PATH:
            raise ijson.JSONError("its values are nested too deep")
        yield event


class _Watched:
    """A file that ends its reading with an error where one value goes on and on."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.since = 0
        """Bytes since the last event."""

    def read(self, count: int = -1) -> bytes:
        """The next bytes."""
        block = self._file.read(count)
        self.since += len(block)
        if self.since > LONGEST_VALUE:
            raise ijson.JSONError(f"a value of more than {LONGEST_VALUE // 1_000_000} MB")
        return block


def first_record(source: Source) -> tuple[Any, str] | None:
    """The first record of a JSON document and the place of all; None where none is known."""
    with source.open() as file:
        start = file.read(HEAD).lstrip()[:1]
    for place in ("item",) if start == b"[" else (*_arrays(source), ""):
        with source.open() as file:
            try:
                record = next(_records(file, place), None)
            except (ijson.JSONError, UnicodeDecodeError):
                record = None
        if kind_of(record):
            return record, place
    return None


def _arrays(source: Source) -> Iterator[str]:
    """The places of the arrays at the top of an object."""
    with source.open() as file:
        try:
            for prefix, event, _ in _events(file):
                if event == "start_array" and prefix.count(".") <= 1 and "item" not in prefix:
                    yield f"{prefix}.item"
                    return
        except (ijson.JSONError, UnicodeDecodeError):
            return


def _json_of(line: bytes | None) -> Any:
    if line is None:
        raise UnusableError(
            f"found more than {MAX_LINE // 1_000_000} MB on one line",
            "a line should be one conversation",
            "Write each conversation on a line of its own.",
        )
    try:
        return json.loads(line)
    except (ValueError, RecursionError) as problem:
        shown = cut(line.decode("utf-8", "replace").strip())
        column = f" at column {problem.colno}" if isinstance(problem, json.JSONDecodeError) else ""
        raise UnusableError(
            f"found {shown!r}, not valid JSON{column}",
            "a line should be one JSON object",
            "Correct the line, or remove it.",
        ) from problem


def exported(record: Any, line: int) -> Exported:
    """The conversation that a record holds.

    Raises:
        UnusableError: it is of no known sort, or its parts are of the wrong kind.
    """
    reader = _READERS.get(kind_of(record))
    if reader is None:
        found = ", ".join(map(str, record)) or "none" if isinstance(record, dict) else json.dumps(record)
        raise UnusableError(
            f"found the fields {cut(found)}" if isinstance(record, dict) else f"found {cut(found)}",
            f"a record should be {KNOWN}",
            'The simplest is {"messages": [{"role": "user", "content": "..."}, ...]}.',
        )
    try:
        return reader(record, line)
    except (AttributeError, TypeError, KeyError) as problem:
        raise UnusableError(
            f"found {cut(json.dumps(record, ensure_ascii=False, default=str))}",
            "its messages should be a list of objects with a text and an author",
            "Export it again, or leave it out.",
        ) from problem


def _messages(record: Record, line: int) -> Exported:
    return _chat(record, record["messages"], ("role", "content"), line)


def _sharegpt(record: Record, line: int) -> Exported:
    return _chat(record, record["conversations"], ("from", "value"), line)


def _chat(record: Record, turns: Any, keys: tuple[str, str], line: int) -> Exported:
    if not isinstance(turns, list):
        raise TypeError
    told = []
    for index, turn in enumerate(turns, start=1):
        role, text = str(turn.get(keys[0])).lower(), _text(turn.get(keys[1]))
        if role not in _ROLES:
            raise UnusableError(
                f"message {index} has the role {cut(json.dumps(turn.get(keys[0])))}",
                f'"{keys[0]}" should be user, assistant or system',
                "Correct the role, or leave the message out.",
            )
        author = str(turn.get("name") or turn.get("author") or "")
        told.append(Turn(text, _ROLES[role], author, iso_time(turn.get("time") or turn.get("created_at"))))
    about = record | (record["meta"] if isinstance(record.get("meta"), dict) else {})
    began = iso_time(about.get("time") or about.get("created_at") or about.get("timestamp"))
    if told and began and not told[0].time:
        told[0] = Turn(told[0].text, told[0].side, told[0].author, began)
    names = tuple(turn.author for turn in told if turn.side == "user" and turn.author)
    customer = _first_of(about, ("customer", "customer_id", "user_id", "thread_id"))
    return Exported(tuple(told), line, customer, _first_of(about, ("topic", "domain", "subject")), names)


def _alpaca(record: Record, line: int) -> Exported:
    asked = "\n\n".join(filter(None, (_first_of(record, QUESTIONS), _text(record.get("input")))))
    turns = (Turn(asked, "user"), Turn(_first_of(record, ANSWERS), "assistant"))
    system = _text(record.get("system"))
    began = (Turn(system, "system"),) if system else ()
    return Exported((*began, *turns), line, topic=_first_of(record, ("topic", "category", "intent")))


def _zendesk(record: Record, line: int) -> Exported:
    requester = record.get("requester") if isinstance(record.get("requester"), dict) else {}
    asker = record.get("requester_id", (requester or {}).get("id"))
    comments = record["comments"]
    # The comments' authors are numbers; the ticket's requester is the customer, all others are the company.
    asker = comments[0].get("author_id") if asker is None and comments else asker
    turns = [_zendesk_turn(comment, asker) for comment in comments]
    names = tuple(filter(None, (str((requester or {}).get("name") or ""),)))
    customer = str((requester or {}).get("email") or asker or "")
    return Exported(tuple(turns), line, customer, _text(record.get("subject")), names)


def _zendesk_turn(comment: Record, asker: Any) -> Turn:
    author, via = comment.get("author_id"), comment.get("via")
    side: Side = "user" if author == asker else "assistant"
    if author == -1 or (isinstance(via, dict) and via.get("channel") in ("system", "rule")):
        side = "bot"
    if comment.get("public") is False:
        side = "note"
    text = _text(comment.get("plain_body") or comment.get("body") or comment.get("html_body"))
    named = comment.get("author")
    name = str(named.get("name") or "") if isinstance(named, dict) else ""
    return Turn(text, side, name or str(author or ""), iso_time(comment.get("created_at")))


def _intercom(record: Record, line: int) -> Exported:
    parts = record.get("conversation_parts") or []
    parts = parts["conversation_parts"] if isinstance(parts, dict) else parts
    opening = record.get("source") or record.get("conversation_message")
    told = [{"part_type": "comment", "created_at": record.get("created_at"), **opening}] if opening else []
    turns = tuple(_intercom_turn(part) for part in (*told, *parts) if _text(part.get("body")).strip())
    customers = [turn for turn in turns if turn.side == "user"]
    author = (opening or {}).get("author") or {}
    topic = _text((opening or {}).get("subject")) or _text(record.get("title"))
    key = str(author.get("id") or author.get("email") or (customers[0].author if customers else ""))
    names = tuple(dict.fromkeys(turn.author for turn in customers if turn.author))
    return Exported(turns, line, key, topic, names)


def _intercom_turn(part: Record) -> Turn:
    author = part.get("author") or {}
    side = _INTERCOM.get(str(author.get("type")), "bot")
    if "note" in str(part.get("part_type")):
        side = "note"
    return Turn(_text(part["body"]), side, str(author.get("name") or ""), iso_time(part.get("created_at")))


def _text(value: Any) -> str:
    """A text, or the texts of OpenAI's content parts."""
    if isinstance(value, list):
        return "\n".join(str(part.get("text") or "") for part in value if isinstance(part, dict)).strip()
    if value is None:
        return ""
    if not isinstance(value, str | int | float):
        raise TypeError
    return str(value)


def _first_of(record: Record, keys: tuple[str, ...]) -> str:
    found = (record[key] for key in keys if isinstance(record.get(key), str | int) and record[key] != "")
    return str(next(found, ""))


_READERS: dict[str, Callable[[Record, int], Exported]] = {
    "messages": _messages,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "zendesk": _zendesk,
    "intercom": _intercom,
}
