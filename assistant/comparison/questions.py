"""Where a study's questions come from: typed, from a file, from conversations held out, from past chats.

It knows the shapes they come in. It does not know which of them a study takes.
"""

import csv
import random
from collections.abc import Iterable, Sequence
from pathlib import Path

from assistant.chats import ChatSummary
from assistant.comparison.model import Item
from assistant.conversations import Conversation
from assistant.errors import AssistantError
from assistant.evaluation import read_questions

SUFFIXES = (".jsonl", ".csv", ".txt")
"""What a file of questions may be called."""
COLUMNS = ("question", "answer", "topic")
"""What is read of a table; only the first must be there."""


def typed(text: str) -> list[Item]:
    """The questions that were typed, one a line."""
    return [Item(0, line.strip(), origin="typed") for line in text.splitlines() if line.strip()]


def from_file(path: Path, name: str) -> list[Item]:
    """The questions in a file: JSON Lines as `quartet ask` takes them, a table, or text with one a line.

    Raises:
        AssistantError: the file can't be read, or there is no question in it.
    """
    suffix = Path(name).suffix.lower()
    if suffix == ".jsonl":
        return [
            Item(0, each.question, each.history, each.answer, origin=f"{name}: {each.id}")
            for each in read_questions(path)
        ]
    if suffix not in SUFFIXES:
        raise AssistantError(
            f"{name} is no file of questions; it can be {', '.join(SUFFIXES)}. Save it as one."
        )
    text = _text(path, name)
    found = _table(text, name) if suffix == ".csv" else [(line, "", "") for line in text.splitlines()]
    items = [
        Item(0, question.strip(), reference=answer.strip(), topic=topic, origin=f"{name}, line {number}")
        for number, (question, answer, topic) in enumerate(found, 2 if suffix == ".csv" else 1)
        if question.strip()
    ]
    if not items:
        raise AssistantError(f"{name} holds no question. Write one a line.")
    return items


def from_conversations(conversations: Sequence[Conversation], count: int, *, seed: int) -> list[Item]:
    """A question from each of some conversations, drawn by chance, with what the real agent answered.

    It is the last one that was answered; what was said before it is its history.
    """
    drawn = random.Random(seed).sample(range(len(conversations)), min(count, len(conversations)))  # noqa: S311
    items = (_last_question(conversations[number]) for number in sorted(drawn))
    return [item for item in items if item is not None]


def from_chats(chats: Iterable[ChatSummary]) -> list[Item]:
    """The first question of each chat."""
    return [Item(0, chat.first_question, origin=f"a chat of {chat.created[:10]}") for chat in chats]


def _last_question(conversation: Conversation) -> Item | None:
    turns = [turn for turn in conversation.messages if turn.role != "system"]
    for place in range(len(turns) - 1, 0, -1):
        question, answer = turns[place - 1], turns[place]
        if question.role == "user" and answer.role == "assistant":
            return Item(
                0,
                question.content,
                tuple(turns[: place - 1]),
                answer.content,
                conversation.topic,
                conversation.source,
            )
    return None


def _text(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as problem:
        raise AssistantError(f"{name} can't be read ({problem}). Save it as text in UTF-8.") from problem


def _table(text: str, name: str) -> list[tuple[str, str, str]]:
    rows = csv.DictReader(text.splitlines(), delimiter=";" if ";" in text.split("\n", 1)[0] else ",")
    heads = {head.strip().lower(): head for head in rows.fieldnames or () if head}
    if "question" not in heads:
        raise AssistantError(
            f"{name} has the columns {', '.join(heads) or '(none)'}; one of them has to be called question, "
            "and others may be answer and topic. Rename them."
        )
    return [tuple(str(row.get(heads.get(column, ""), "") or "") for column in COLUMNS) for row in rows]  # type: ignore[misc]
