"""Folders that are followed: what was added, changed or removed in them becomes so in the knowledge base.

It knows which files it saw last, by size and time. It does not know documents from inside.
"""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from knowledge.documents.text import one_line
from knowledge.errors import KnowledgeError
from knowledge.library import REFUSED, Report
from knowledge.names import files_under
from knowledge.retrieval import KnowledgeBase
from knowledge.storage import write_bytes

FILE_NAME = "folders.json"
VERSION = 1
Seen = dict[str, tuple[int, int]]
"""The files seen last: name to bytes and time of change in nanoseconds."""
_LOOKING, _WRITING = threading.Lock(), threading.RLock()
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Folder:
    """A folder that is followed; looked at every so many `minutes`, or when asked only (0)."""

    path: str
    minutes: int = 60
    looked: str = ""
    problem: str = ""
    seen: Seen = field(default_factory=dict)

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to look again."""
        if not self.looked:
            return True
        ago = now - datetime.fromisoformat(self.looked)  # before 0 where the clock was set back since
        return self.minutes > 0 and not timedelta(0) <= ago < timedelta(minutes=self.minutes)


@dataclass(frozen=True)
class Changes:
    """What a look at a folder found, by document name."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """One line: "2 added, 1 changed"; what could not be used is said in the list of documents."""
        counts = (
            (len(self.added), "added"),
            (len(self.changed), "changed"),
            (len(self.removed), "removed"),
            (len(self.refused), "refused"),
        )
        return ", ".join(f"{count} {what}" for count, what in counts if count) or "nothing has changed"


class Following:
    """The folders a knowledge base follows, kept in `folders.json` beside its index."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self._knowledge = knowledge
        self._path = knowledge.folder / FILE_NAME

    def folders(self) -> list[Folder]:
        """The folders in the order they were named."""
        try:
            stored = json.loads(self._path.read_bytes())
            self._refuse_newer(stored.get("version", VERSION))
            return [_folder_from_json(value) for value in stored["folders"]]
        except FileNotFoundError:
            return []
        except (ValueError, KeyError, TypeError, AttributeError) as problem:
            raise KnowledgeError(
                f"{self._path} can't be read ({type(problem).__name__}). It lists the folders that "
                "are followed. "
                "Remove it and name the folders again; the documents stay."
            ) from problem

    def _refuse_newer(self, version: int) -> None:
        if version > VERSION:
            raise KnowledgeError(
                f"{self._path} has version {version}; this Quartet reads {VERSION}. Update Quartet."
            )

    def follow(self, path: Path, *, minutes: int = 60) -> Folder:
        """Follow a folder from now on; `look` takes its files in. Followed already, it gets the new time.

        Raises:
            KnowledgeError: there is no such folder, or it holds this knowledge base.
        """
        place = path.expanduser().absolute()
        if not place.is_dir():
            raise KnowledgeError(
                f"There is no folder {place}. Only folders on the machine that runs Quartet can be followed. "
                "Check how it is spelt, then try again."
            )
        own = self._knowledge.folder.resolve()
        if place.resolve() == own or place.resolve() in own.parents or own in place.resolve().parents:
            raise KnowledgeError(
                f"{place} holds what Quartet itself keeps. A folder of documents is needed. Choose another."
            )
        with self._changing() as folders:
            known = folders.get(str(place), Folder(str(place)))
            folders[str(place)] = replace(known, minutes=minutes)
        return folders[str(place)]

    def unfollow(self, path: str) -> None:
        """Follow a folder no longer; the documents that came from it stay."""
        with self._changing() as folders:
            folders.pop(path, None)

    def due(self) -> list[Folder]:
        """The folders whose time has come."""
        now = datetime.now(UTC)
        return [folder for folder in self.folders() if folder.is_due(now)]

    def look(self, path: str, *, progress: Report | None = None) -> Changes:
        """Take over what was added, changed and removed in a folder since the last look.

        A folder that is gone, or empty all at once, changes nothing: its disk may not be there right now.

        Raises:
            KnowledgeError: the folder can't be read; the text is kept with it.
        """
        with _LOOKING:
            folder = next((each for each in self.folders() if each.path == path), None)
            if folder is None:
                return Changes()
            try:
                files = {one_line(name): file for file, name in files_under([Path(path)])}
                now = {name: _seen(file) for name, file in files.items()}
                changes = self._take_over(folder.seen, now, files, progress)
            except (KnowledgeError, OSError) as problem:
                self._note(replace(folder, looked=_time(), problem=str(problem)))
                raise KnowledgeError(str(problem)) from problem
            self._note(replace(folder, looked=_time(), problem="", seen=now))
            return changes

    def _take_over(self, before: Seen, now: Seen, files: dict[str, Path], progress: Report | None) -> Changes:
        new = [name for name, seen in now.items() if before.get(name) != seen]
        listed = {state.name for state in self._knowledge.documents()}
        gone = [name for name in before if name not in now and name in listed]
        states = self._knowledge.add([(files[name], name) for name in new], progress=progress) if new else []
        if gone:
            self._knowledge.remove(gone)
        refused = {state.name for state in states if state.state == REFUSED}
        taken = [name for name in new if name not in refused]
        return Changes(
            added=tuple(name for name in taken if name not in before),
            changed=tuple(name for name in taken if name in before),
            removed=tuple(gone),
            refused=tuple(sorted(refused)),
        )

    def _note(self, folder: Folder) -> None:
        with self._changing() as folders:
            if folder.path in folders:
                folders[folder.path] = replace(folder, minutes=folders[folder.path].minutes)

    @contextmanager
    def _changing(self) -> Iterator[dict[str, Folder]]:
        """The folders by path, to be changed; what they are then is kept."""
        with _WRITING:
            folders = {folder.path: folder for folder in self.folders()}
            yield folders
            stored = {"version": VERSION, "folders": [asdict(folder) for folder in folders.values()]}
            write_bytes(self._path, json.dumps(stored, ensure_ascii=False).encode())


class Watch:
    """Looks at what is due, again and again, in a thread of its own."""

    def __init__(self, knowledge: Callable[[], KnowledgeBase], *, seconds: float = 30.0) -> None:
        """`knowledge` is asked each time, for another company may be open by then."""
        self._knowledge = knowledge
        self._seconds = seconds
        self._ended = threading.Event()

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._work, name="follow-folders", daemon=True).start()

    def stop(self) -> None:
        """End after the present look."""
        self._ended.set()

    def _work(self) -> None:
        while not self._ended.wait(self._seconds):
            try:
                following = Following(self._knowledge())
                for folder in following.due():
                    _look_quietly(following, folder.path)
            except Exception:
                logger.exception("The folders that are followed could not be looked at")


def _look_quietly(following: Following, path: str) -> None:
    try:
        following.look(path)
    except KnowledgeError as problem:  # it is kept with the folder, and shown there
        logger.warning("%s could not be looked at: %s", path, problem)


def _seen(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_size, status.st_mtime_ns


def _time() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _folder_from_json(value: dict[str, object]) -> Folder:
    seen = value["seen"]
    assert isinstance(seen, dict)
    return Folder(
        str(value["path"]),
        int(str(value["minutes"])),
        str(value["looked"]),
        str(value["problem"]),
        {str(name): (int(size), int(time)) for name, (size, time) in seen.items()},
    )
