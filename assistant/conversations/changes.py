"""What a person changed in single conversations: taken out, brought back, rewritten; and the way back.

It knows the sources of conversations. It does not know the files they stand in, which it never touches.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from assistant.conversations.model import UnusableError, check_order
from assistant.errors import AssistantError, misshapen
from assistant.prompts import Message, clean
from assistant.workspace import read_json, refuse_newer, write_json

VERSION = 1


class Changes:
    """The changes of one company in their order, kept in a file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @property
    def stamp(self) -> tuple[int, int]:
        """Changes when anything was changed."""
        status = self._path.stat() if self._path.exists() else None
        return (status.st_mtime_ns, status.st_size) if status else (0, 0)

    def exclude(self, source: str) -> None:
        """Learn nothing from this conversation."""
        self._use(source, excluded=True)

    def include(self, source: str) -> None:
        """Learn from it again."""
        self._use(source, excluded=False)

    def edit(self, source: str, messages: Sequence[Message]) -> None:
        """Put other messages in the place of a conversation's own.

        Raises:
            AssistantError: a message is empty, or nobody answers a customer.
        """
        told = [Message(message.role, clean(message.content).strip()) for message in messages]
        if not all(message.content for message in told):
            raise AssistantError("A message is empty. Write its text, or remove the message.")
        try:
            check_order(told)
        except UnusableError as problem:
            raise AssistantError(f"This can't be learned from: {problem.rule}. {problem.advice}") from problem
        turns = [{"role": message.role, "content": message.content} for message in told]
        self._add({"source": source, "messages": turns})

    def undo(self) -> str | None:
        """Take back the last change; returns the source it concerned, or None if there is none."""
        entries = self._entries()
        if not entries:
            return None
        write_json(self._path, {"version": VERSION, "changes": entries[:-1]})
        return str(entries[-1]["source"])

    def last(self) -> tuple[str, str] | None:
        """The last change, as what was done ("excluded", "included" or "edited") and the source."""
        entries = self._entries()
        if not entries:
            return None
        entry = entries[-1]
        done = "edited" if "messages" in entry else "excluded" if entry["excluded"] else "included"
        return done, str(entry["source"])

    def forget(self, file: str) -> None:
        """Drop the changes of a file that another takes the place of."""
        entries = self._entries()
        kept = [entry for entry in entries if str(entry["source"]).rpartition(":")[0] != file]
        if len(kept) < len(entries):
            write_json(self._path, {"version": VERSION, "changes": kept})

    def excluded(self) -> list[str]:
        """The sources of the conversations that are taken out."""
        said: dict[str, bool] = {}
        for entry in self._entries():
            if "messages" not in entry:
                said[str(entry["source"])] = bool(entry["excluded"])
        return [source for source, out in said.items() if out]

    def edited(self) -> dict[str, tuple[Message, ...]]:
        """The messages in place of their own, by the source of their conversation."""
        return {
            str(entry["source"]): tuple(Message(turn["role"], turn["content"]) for turn in entry["messages"])
            for entry in self._entries()
            if "messages" in entry
        }

    def _use(self, source: str, *, excluded: bool) -> None:
        """Note that a conversation is taken out or in use; nothing is noted of what is so already."""
        said = [entry for entry in self._entries() if entry["source"] == source and "excluded" in entry]
        if bool(said and said[-1]["excluded"]) != excluded:
            self._add({"source": source, "excluded": excluded})

    def _entries(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        values = read_json(self._path)
        refuse_newer(self._path, values, VERSION)
        try:
            return list(values["changes"])
        except (KeyError, TypeError) as problem:
            raise misshapen(self._path, problem) from problem

    def _add(self, entry: dict[str, Any]) -> None:
        write_json(self._path, {"version": VERSION, "changes": [*self._entries(), entry]})
