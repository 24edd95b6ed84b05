"""Conversations imported over earlier ones: each file is the old one or the new one, and it goes on after."""

import json
import random
from pathlib import Path

from assistant.conversations import ConversationStore, Incoming
from assistant.conversations.__main__ import main
from assistant.workspace import open_workspace, write_json
from tests.kills.course import BrokenError, LostError
from tests.kills.moment import Ending, Say

NAMES = ("spring.jsonl", "autumn.jsonl")


class Import:
    """A company with two files of conversations, in one of which a person took something out."""

    ways = 1
    writes = (
        "assistant/conversations/store.py",
        "assistant/conversations/incoming.py",
        "assistant/conversations/changes.py",
        "assistant/workspace.py",
    )

    def __init__(self, folder: Path) -> None:
        self._room, self._edition = folder, 0
        self._workspace = open_workspace(folder / "acme")
        self._job = folder / "job"
        self._job.mkdir()
        places = {"workspace": self._workspace.root, "incoming": self._workspace.incoming}
        write_json(self._job / "job.json", {name: str(path) for name, path in places.items()})
        self._hand_over()
        main(self._job)

    def ready(self, way: int) -> None:
        """All of the last edition is there and changed by a person; the next edition waits."""
        store = ConversationStore(self._workspace.conversations)
        store.changes.exclude(f"{NAMES[0]}:1")
        self._hand_over()

    def work(self, way: int, say: Say) -> None:
        """Import what waits."""
        main(self._job)
        say("imported")

    def check(self, way: int, ending: Ending) -> bool:
        """Each file is whole; after another start all of the new edition is there and nothing waits."""
        editions = {name: self._edition_of(name) for name in NAMES}
        if ending.said and set(editions.values()) != {self._edition}:
            raise LostError(f"all was imported, and now {editions} are there")
        main(self._job)
        if {self._edition_of(name) for name in NAMES} != {self._edition}:
            raise BrokenError(
                f"imported again, {editions} became {[self._edition_of(each) for each in NAMES]}"
            )
        waiting = [(each.source.name, each.problem) for each in Incoming(self._workspace.incoming).found()]
        if waiting:
            raise BrokenError(f"{waiting} still wait")
        return set(editions.values()) == {self._edition}

    def _edition_of(self, name: str) -> int:
        """Which edition of a file is there, by its lines, what is known of it, and what was taken out."""
        store = ConversationStore(self._workspace.conversations)
        (summary,) = [each for each in store.files() if each.name == name]
        reading = store.read()
        mine = [each for each in reading.conversations if each.source.startswith(name)]
        out = [each for each in reading.excluded if each.source.startswith(name)]
        said = {each.messages[0].content.split()[1].rstrip(":") for each in (*mine, *out)}
        if len(said) != 1 or len(mine) + len(out) != 12 or summary.about is None:
            raise BrokenError(f"{name} holds editions {said}, {len(mine)} and {len(out)} conversations")
        edition = int(said.pop())
        if summary.about.seen != 12 + edition % 2:
            raise BrokenError(f"{name} is edition {edition}, and known of it is {summary.about.seen} read")
        if len(out) != (name == NAMES[0] and edition < self._edition):
            raise BrokenError(f"{name} is edition {edition}, and {len(out)} of it are taken out")
        return edition

    def _hand_over(self) -> None:
        """Both files of the next edition; an odd one has a line more, the same as the one before it."""
        self._edition += 1
        handed = []
        for name in NAMES:
            path, dice = self._room / name, random.Random(f"{name}{self._edition}")
            lines = [_line(f"Edition {self._edition}: {_words(dice)}?", _words(dice)) for _ in range(12)]
            path.write_text("".join(lines + lines[-1:] * (self._edition % 2)))
            handed.append((path, name))
        Incoming(self._workspace.incoming).add(handed)


def _words(dice: random.Random) -> str:
    """Eight words of six letters that no other conversation has."""
    return " ".join("".join(dice.choices("abcdefghijklmnopqrstuvwxyz", k=6)) for _ in range(8))


def _line(question: str, answer: str) -> str:
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    return json.dumps({"messages": turns}) + "\n"
