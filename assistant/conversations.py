"""Company conversations: read and checked line by line, kept as files, counted, and split for training.

It knows the two shapes conversations come in and what makes one usable. It does not know how a model reads
them (`prompts.py`) or learns from them (`training`).
"""

import hashlib
import json
import os
import random
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from datasketch import MinHash, MinHashLSH

from assistant.errors import AssistantError
from assistant.prompts import Message, clean
from assistant.workspace import write_bytes

MAX_BYTES = 50_000_000
SMALLEST_TO_SPLIT = 32
"""Conversations below which none is held out for evaluation."""
NEAR_DUPLICATE = 0.8
"""Share of words two conversations have in common (Jaccard) from which on they count as the same."""
HISTOGRAM = (10, 20, 40, 80, 160, 320)
"""Upper ends (in words, inclusive) of the bins of `Summary.reply_histogram`; the last bin is open."""

_ROLES = {"human": "user", "gpt": "assistant", "system": "system", "user": "user", "assistant": "assistant"}
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


@dataclass(frozen=True)
class FileSummary:
    """A kept file in numbers; `added` is an ISO time in UTC."""

    name: str
    conversations: int
    refused: int
    bytes: int
    added: str


@dataclass(frozen=True)
class Summary:
    """Conversations in numbers; words are those of the assistant's replies."""

    conversations: int
    messages: int
    replies: int
    mean_words: float
    median_words: float
    longest_words: int
    reply_histogram: tuple[int, ...]
    """Replies in each bin of `HISTOGRAM`, and one more for longer ones."""

    @property
    def turns_each(self) -> float:
        """Messages a conversation on average."""
        return self.messages / self.conversations if self.conversations else 0.0


@dataclass(frozen=True)
class Split:
    """Conversations to learn from, and those held out to measure with."""

    train: tuple[Conversation, ...]
    evaluation: tuple[Conversation, ...]


class _Unusable(Exception):
    """A line breaks a rule; carries the value found, the rule and the advice."""

    def __init__(self, value: str, rule: str, advice: str) -> None:
        super().__init__(value)
        self.value, self.rule, self.advice = value, rule, advice


def read_conversations(path: Path) -> Reading:
    """Read a JSONL file of OpenAI messages or ShareGPT turns, recognised line by line.

    Raises:
        AssistantError: the file is missing, empty, too large or not UTF-8 at all.
    """
    return _read(path, path.name)


def _read(path: Path, name: str) -> Reading:
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
                f"{name} has {size / 1e6:,.0f} MB; a file of conversations may have {MAX_BYTES // 1_000_000} MB. "
                "Split it into smaller files and add each."
            )
        data = path.read_bytes()
    except FileNotFoundError as problem:
        raise AssistantError(f"{path} is not there. Check the path, then try again.") from problem
    except OSError as problem:
        raise AssistantError(f"{path} can't be read ({problem.strerror}). Check its permissions.") from problem
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise AssistantError(f"{name} is written in UTF-16; conversations are read as UTF-8. Save it as UTF-8.")
    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        raise AssistantError(f"{name} is empty; it should hold one conversation a line. {_SHAPES}.")
    return data


def _conversation(line: bytes, source: str) -> Conversation:
    value = _json_of(line)
    if not isinstance(value, dict):
        advice = "Write each conversation of the list on a line of its own." if isinstance(value, list) else _SHAPES + "."
        raise _Unusable(f"found {_shown(value)}", "a line should be a JSON object", advice)
    if "messages" in value:
        turns, role_key, text_key = value["messages"], "role", "content"
    elif "conversations" in value:
        turns, role_key, text_key = value["conversations"], "from", "value"
    else:
        keys = ", ".join(map(str, value)) or "none"
        raise _Unusable(f"found the fields {_cut(keys)}", 'a line needs "messages" or "conversations"', _SHAPES + ".")
    if not isinstance(turns, list) or not turns:
        raise _Unusable(f"found {_shown(turns)}", "a conversation should be a list of messages", _SHAPES + ".")
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
        raise _Unusable(found, "a line should be one JSON object", "Correct the line, or remove it.") from problem


def _message(turn: Any, index: int, role_key: str, text_key: str) -> Message:
    if not isinstance(turn, dict):
        raise _Unusable(f"message {index} is {_shown(turn)}", "a message should be a JSON object", _SHAPES + ".")
    role, text = turn.get(role_key), turn.get(text_key)
    known = ("human", "gpt", "system") if role_key == "from" else ("system", "user", "assistant")
    if not isinstance(role, str) or role not in _ROLES:
        rule = f'"{role_key}" should be one of {", ".join(known)}'
        raise _Unusable(f"message {index} has the role {_shown(role)}", rule, "Correct the role, or leave the message out.")
    if not isinstance(text, str):
        rule = f'"{text_key}" should be a text'
        raise _Unusable(f"message {index} has the content {_shown(text)}", rule, "Write the text of the message there.")
    content = clean(text).strip()
    if not content:
        raise _Unusable(f"message {index} is empty", "a message needs text", "Write its text, or leave it out.")
    return Message(_ROLES[role], content)


def _check_order(messages: Sequence[Message]) -> None:
    roles = [message.role for message in messages]
    if "system" in roles[1:]:
        place = roles.index("system", 1) + 1
        rule = "only the first message may be a system message"
        raise _Unusable(f"message {place} is a system message", rule, "Remove it, or merge it into the first.")
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


class ConversationStore:
    """A company's conversation files, kept by name in one folder; removed ones can be brought back."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._removed = folder / ".removed"
        self._readings: dict[str, tuple[tuple[int, int], Reading]] = {}

    def add(self, path: Path, name: str) -> Reading:
        """Keep a copy of the file under `name`, in place of an earlier one of that name.

        Raises:
            AssistantError: it holds no usable conversation, is there already, or its name can't be used.
        """
        name = _checked_name(name)
        reading = _read(path, name)
        if not reading.conversations:
            raise AssistantError(
                f"{name} has no usable conversation ({len(reading.refused)} lines refused). "
                f"The first: {reading.refused[0].text}"
            )
        data = path.read_bytes()
        digest = hashlib.sha256(data).digest()
        for there in self._paths():
            if there.stat().st_size == len(data) and hashlib.sha256(there.read_bytes()).digest() == digest:
                raise AssistantError(f"{name} is already there as {there.name}, byte for byte. Nothing was added.")
        write_bytes(self._folder / name, data)
        return reading

    def files(self) -> list[FileSummary]:
        """The kept files by name."""
        return [self._summary(path) for path in self._paths()]

    def read(self) -> Reading:
        """All conversations of all files, and all refused lines."""
        readings = [self._reading(path) for path in self._paths()]
        return Reading(
            tuple(conversation for reading in readings for conversation in reading.conversations),
            tuple(refusal for reading in readings for refusal in reading.refused),
        )

    def remove(self, name: str) -> None:
        """Take a file out; `restore` brings it back."""
        self._move(self._folder / _checked_name(name), self._removed / name, "Choose one of the list.")

    def restore(self, name: str) -> None:
        """Bring back a file that `remove` took out."""
        there = self._folder / _checked_name(name)
        if there.exists():
            raise AssistantError(f"A file named {name} is there already. Remove it first, then restore the old one.")
        self._move(self._removed / name, there, "Add the file again.")

    def _move(self, origin: Path, target: Path, advice: str) -> None:
        if not origin.is_file():
            raise AssistantError(f"There is no file named {origin.name} here. {advice}")
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(origin, target)

    def _paths(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(path for path in self._folder.iterdir() if path.is_file() and not path.name.startswith("."))

    def _reading(self, path: Path) -> Reading:
        status = path.stat()
        stamp = (status.st_mtime_ns, status.st_size)
        kept = self._readings.get(path.name)
        if kept is None or kept[0] != stamp:
            kept = self._readings[path.name] = (stamp, read_conversations(path))
        return kept[1]

    def _summary(self, path: Path) -> FileSummary:
        reading, status = self._reading(path), path.stat()
        added = datetime.fromtimestamp(status.st_mtime, UTC).isoformat(timespec="seconds")
        return FileSummary(path.name, len(reading.conversations), len(reading.refused), status.st_size, added)


def _checked_name(name: str) -> str:
    if not name or name.startswith(".") or re.search(r'[\x00-\x1f/\\:*?"<>|]', name) or len(name.encode()) > 200:
        raise AssistantError(f"The file name {name!r} can't be used; it may hold no path and not begin with a dot. Rename it.")
    return name


def summary(conversations: Sequence[Conversation]) -> Summary:
    """Conversations in numbers."""
    messages = [message for conversation in conversations for message in conversation.messages]
    lengths = [len(message.content.split()) for message in messages if message.role == "assistant"]
    bins = Counter(sum(length > end for end in HISTOGRAM) for length in lengths)
    return Summary(
        conversations=len(conversations),
        messages=len(messages),
        replies=len(lengths),
        mean_words=statistics.fmean(lengths) if lengths else 0.0,
        median_words=float(statistics.median(lengths)) if lengths else 0.0,
        longest_words=max(lengths, default=0),
        reply_histogram=tuple(bins[index] for index in range(len(HISTOGRAM) + 1)),
    )


def split(conversations: Sequence[Conversation], *, share: float = 0.1, seed: int = 0) -> Split:
    """Hold out a share of the conversations; near-duplicates stay on the same side.

    Nothing is held out of fewer than `SMALLEST_TO_SPLIT` conversations.
    """
    if len(conversations) < SMALLEST_TO_SPLIT:
        return Split(tuple(conversations), ())
    groups = _groups(conversations)
    random.Random(seed).shuffle(groups)
    wanted = round(share * len(conversations))
    held: set[int] = set()
    for group in groups:
        if len(held) + len(group) <= wanted:
            held.update(group)
    return Split(
        tuple(conversation for index, conversation in enumerate(conversations) if index not in held),
        tuple(conversations[index] for index in sorted(held)),
    )


def near_duplicate_rate(conversations: Sequence[Conversation], threshold: float = NEAR_DUPLICATE) -> float:
    """Share of the conversations that have a near-duplicate among the others."""
    if not conversations:
        return 0.0
    alike = {index for pair in _alike([_words(each) for each in conversations], threshold) for index in pair}
    return len(alike) / len(conversations)


def _groups(conversations: Sequence[Conversation]) -> list[list[int]]:
    """Indices in groups joined by near-duplication, in the order of their first member."""
    leader = list(range(len(conversations)))

    def find(index: int) -> int:
        while leader[index] != index:
            leader[index] = leader[leader[index]]
            index = leader[index]
        return index

    for first, second in _alike([_words(each) for each in conversations], NEAR_DUPLICATE):
        low, high = sorted((find(first), find(second)))
        leader[high] = low
    groups: dict[int, list[int]] = {}
    for index in range(len(conversations)):
        groups.setdefault(find(index), []).append(index)
    return list(groups.values())


def _words(conversation: Conversation) -> frozenset[str]:
    turns = (message.content for message in conversation.messages if message.role != "system")
    return frozenset(re.findall(r"\w+", " ".join(turns).lower()))


def _alike(word_sets: Sequence[frozenset[str]], threshold: float) -> Iterator[tuple[int, int]]:
    """Pairs whose words overlap by `threshold` or more: candidates by MinHash, then counted exactly."""
    # 32 bands of 4 find a pair at Jaccard 0.8 but for one in 20 million.
    index = MinHashLSH(num_perm=128, params=(32, 4))
    hashes: Iterable[MinHash] = MinHash.generator([[word.encode() for word in words] for words in word_sets], num_perm=128)
    for number, minhash in enumerate(hashes):
        for candidate in index.query(minhash):
            union = len(word_sets[number] | word_sets[candidate])
            if union == 0 or len(word_sets[number] & word_sets[candidate]) / union >= threshold:
                yield candidate, number
        index.insert(number, minhash)
