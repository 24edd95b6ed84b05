"""Files handed over and not imported yet: kept in the workspace for a person to look at and correct.

It knows the plan: what each file is, how it is to be read, and which steps of cleaning are to be taken.
"""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from assistant.conversations.cleaning import Cleaning
from assistant.conversations.formats import Layout
from assistant.conversations.gathering import File, Found
from assistant.conversations.guard import Guard, Preview
from assistant.errors import AssistantError
from assistant.workspace import read_json, write_json


class Incoming:
    """The files that wait to be imported, in a folder: of a company's workspace, or a command's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._plan = folder / "plan.json"
        self._guard = Guard()

    def add(self, files: Sequence[File]) -> None:
        """Take over files (they are moved), and recognise each; one of the same name gives way."""
        number = max((int(path.name) for path in self.folder.glob("[0-9]*")), default=0) + 1
        room = self.folder / str(number)
        room.mkdir(parents=True)
        moved = []
        for index, (path, name) in enumerate(files):
            target = room / f"file-{index}"
            shutil.move(path, target)
            moved.append((target, name))
        found = self._guard.gather(moved, room / "unpacked") if moved else []
        names = {each.source.name for each in found}
        try:
            there, cleaning = self.found(), self.cleaning
        except AssistantError:  # the plan is damaged, and whoever read that drops the files again
            there, cleaning = [], Cleaning()
        self._write([each for each in there if each.source.name not in names] + found, cleaning)

    def found(self) -> list[Found]:
        """The files and what each was found to be."""
        try:
            return [Found.of(values, self.folder) for values in self._values().get("files", [])]
        except (KeyError, TypeError, AttributeError) as problem:
            raise self._damaged(problem) from problem

    def find(self, name: str) -> Found:
        """The file of this name.

        Raises:
            AssistantError: there is none.
        """
        for each in self.found():
            if each.source.name == name:
                return each
        raise AssistantError(f"{name} does not wait here any more. Drop it again.")

    @property
    def cleaning(self) -> Cleaning:
        """The steps that are to be taken."""
        try:
            return Cleaning.of(self._values().get("cleaning", {}))
        except (TypeError, AttributeError) as problem:
            raise self._damaged(problem) from problem

    def clean_by(self, cleaning: Cleaning) -> None:
        """Take these steps."""
        self._write(self.found(), cleaning)

    def arrange(self, name: str, layout: Layout) -> None:
        """Read a file by this layout."""
        chosen = self.find(name)
        there = self._guard.arranged(chosen, layout)
        self._write([there if each.source.name == name else each for each in self.found()], self.cleaning)

    def refuse(self, name: str, problem: str) -> None:
        """Note why a file could not be imported."""
        self._write(
            [replace(each, problem=problem) if each.source.name == name else each for each in self.found()],
            self.cleaning,
        )

    def drop(self, name: str) -> None:
        """Forget a file; with the last one all that was handed over is deleted."""
        left = [each for each in self.found() if each.source.name != name]
        if left:
            self._write(left, self.cleaning)
        else:
            self.clear()

    def clear(self) -> None:
        """Delete all that was handed over; which steps are to be taken is remembered."""
        self.close()
        cleaning = self.cleaning
        shutil.rmtree(self.folder, ignore_errors=True)
        self._write([], cleaning)

    def preview(self, name: str) -> Preview:
        """What the first conversations of a file would become."""
        return self._guard.preview(self.find(name), self.cleaning)

    def close(self) -> None:
        """End the process that looks at files; the next look starts another."""
        self._guard.stop()

    def _values(self) -> dict[str, Any]:
        if not self._plan.exists():
            return {}
        try:
            return dict(read_json(self._plan))
        except (AssistantError, TypeError, ValueError) as problem:
            raise self._damaged(problem) from problem

    def _damaged(self, problem: Exception) -> AssistantError:
        return AssistantError(
            f"{self._plan} is damaged ({problem}), so the files that waited to be imported are not known any "
            "more. Drop them again; what was imported already is all there."
        )

    def _write(self, found: Sequence[Found], cleaning: Cleaning) -> None:
        files = [each.to_json(self.folder) for each in found]
        write_json(self._plan, {"version": 1, "cleaning": asdict(cleaning), "files": files})
