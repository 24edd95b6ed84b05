"""Questions asked in a chat: what was stored stays, and a turn is there whole or not at all."""

import sqlite3
from contextlib import closing
from pathlib import Path

from assistant.chats import Chats
from assistant.lanes import LANES
from assistant.store import open_database
from assistant.studio import Studio
from assistant.workspace import open_workspace
from tests.fakes import FakeModels, QueueEngine
from tests.kills.course import BrokenError, LostError
from tests.kills.moment import Ending, Say

ANSWER = "Send it back within thirty days."
STORED = sorted("" if lane.tuned else ANSWER for lane in LANES)
"""What all four lanes say; those that are tuned have no adapter."""


class Chat:
    """A company in which each try is a chat of its own: a question with its answers, then a draft."""

    ways = 1
    writes = ("assistant/chats.py", "assistant/store/database.py", "assistant/studio.py")

    def __init__(self, folder: Path) -> None:
        self._workspace = open_workspace(folder / "acme")
        self._kept: dict[str, tuple[str, ...]] = {}

    def ready(self, way: int) -> None:
        """An empty chat."""
        database = open_database(self._workspace.database)
        self._chat = Chats(database).new()
        database.dispose()

    def work(self, way: int, say: Say) -> None:
        """A question is asked and answered, and the next one typed."""
        studio = Studio(self._workspace.root, FakeModels(QueueEngine(*[ANSWER] * len(LANES))))
        studio.load()
        for _ in studio.ask(self._chat, "How long do refunds take?"):
            say("asked")
        say("answered")
        studio.chats.save_draft(self._chat, "And for")
        say("typed")

    def check(self, way: int, ending: Ending) -> bool:
        """What was said to be done is there, here and in all chats before."""
        self._kept[self._chat] = ending.said
        with closing(sqlite3.connect(self._workspace.database)) as connection:
            if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
                raise BrokenError("the database is damaged")
        database = open_database(self._workspace.database)
        chats = Chats(database)
        for chat_id, said in self._kept.items():
            self._check_chat(chats, chat_id, said)
        new = bool(chats.read(self._chat).turns)
        database.dispose()
        return new

    def _check_chat(self, chats: Chats, chat_id: str, said: tuple[str, ...]) -> None:
        chat = chats.read(chat_id)
        if [turn.question for turn in chat.turns] not in ([], ["How long do refunds take?"]):
            raise BrokenError(f"{len(chat.turns)} turns are there")
        if "asked" in said and not chat.turns:
            raise LostError("a question was stored, and is not there")
        texts = [answer.text for turn in chat.turns for answer in turn.answers.values()]
        if any(not ANSWER.startswith(text) for text in texts):
            raise BrokenError(f"answers say {texts}")
        if "answered" in said and sorted(texts) != STORED:
            raise LostError(f"answers were stored, and now say {texts}")
        if "typed" in said and chat.draft != "And for":
            raise LostError(f"a draft was stored, and is now {chat.draft!r}")
