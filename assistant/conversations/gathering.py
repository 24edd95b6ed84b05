"""What was handed over, as files to import: zip files unpacked within limits, single mails put together.

It knows names and archives. It does not know what a file holds beyond its format.
"""

import re
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from assistant.conversations.formats import TABLES, Recognised, Source, recognise
from assistant.conversations.store import checked_name
from assistant.errors import AssistantError
from assistant.prompts import clean

MAX_ENTRIES = 20_000
MAX_UNPACKED = 4_000_000_000
MAX_RATIO = 100
"""Of a zip: files in it, bytes when unpacked, and how many times its size that may be."""
TOGETHER = ("mail", "transcript")
"""Formats that come as many short files; those handed over at once are imported as one."""

File = tuple[Path, str]
"""Where a file lies, and what it was called, perhaps with folders."""


@dataclass(frozen=True)
class Found:
    """A file to import and what it is; `problem` says why it can't be."""

    source: Source
    recognised: Recognised | None
    problem: str = ""

    def to_json(self, folder: Path = Path("/")) -> dict[str, Any]:
        """Values that JSON can hold, paths as they are within `folder`; `of` undoes it."""
        return {
            "name": self.source.name,
            "paths": [str(path.relative_to(folder)) for path in self.source.paths],
            "recognised": asdict(self.recognised) if self.recognised else None,
            "problem": self.problem,
        }

    @classmethod
    def of(cls, values: Mapping[str, Any], folder: Path = Path("/")) -> "Found":
        """What `to_json` gave."""
        source = Source([folder / path for path in values["paths"]], values["name"])
        told = values["recognised"]
        return cls(source, Recognised.of(told) if told else None, values["problem"])

    @property
    def ready(self) -> bool:
        """Whether it can be imported as it is."""
        return bool(self.recognised) and not self.problem and not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """The columns that a person has to name first."""
        table = self.recognised if self.recognised and self.recognised.kind in TABLES else None
        return table.layout.missing if table else ()


def gather(files: Sequence[File], room: Path) -> list[Found]:
    """The files to import, with zip files unpacked into the folder `room`, each recognised."""
    found: list[Found] = []
    for path, name in files:
        try:
            inside = list(_unpacked(path, name, room)) if _is_archive(path) else [(path, name)]
        except AssistantError as problem:
            found.append(Found(Source([path], flat_name(name)), None, str(problem)))
            continue
        found += [_look(each, inner) for each, inner in inside]
    return _with_names_of_their_own(_together(found))


def files_in(paths: Sequence[Path]) -> list[File]:
    """Files and, of folders, all files below them, with their names; what is hidden is left out.

    Raises:
        AssistantError: a path is not there.
    """
    found: list[File] = []
    for path in paths:
        if not path.exists():
            raise AssistantError(f"{path} is not there. Check the path, then try again.")
        if path.is_file():
            found.append((path, path.name))
            continue
        below = sorted(each for each in path.rglob("*") if each.is_file())
        inside = [(each, each.relative_to(path)) for each in below]
        found += [(each, str(name)) for each, name in inside if not _is_hidden(str(name))]
    return found


def flat_name(name: str) -> str:
    """A name under which a file can be kept: folders become words before it."""
    parts = [part for part in re.split(r"[/\\]+", clean(name)) if part not in ("", ".", "..")]
    plain = re.sub(r'[\x00-\x1f:*?"<>|]', "", " - ".join(parts)).strip(". ") or "conversations"
    while len(plain.encode()) > 200:
        plain = plain[1:]
    return checked_name(plain)


def _look(path: Path, name: str) -> Found:
    source = Source([path], flat_name(name))
    try:
        return Found(source, recognise(source))
    except AssistantError as problem:
        return Found(source, None, str(problem))


def _together(found: Sequence[Found]) -> list[Found]:
    """The finds with those of the formats that come in many files joined into one each."""
    joined: list[Found] = []
    for kind in TOGETHER:
        several, others = list[Found](), list[Found]()
        for each in found:
            short = each.recognised is not None and each.recognised.kind == kind and not _is_box(each)
            (several if short else others).append(each)
        if len(several) > 1:
            paths = [each.source.path for each in several]
            source = Source(paths, flat_name(f"{several[0].source.name} and {len(paths) - 1} more"))
            joined.append(Found(source, recognise(source)))
            found = others
    return [*found, *joined]


def _with_names_of_their_own(found: Sequence[Found]) -> list[Found]:
    """The finds, with a number behind a name that several have."""
    seen: dict[str, int] = {}
    for each in found:
        name = each.source.name
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            each.source.name = f"{name} ({seen[name]})"
    return list(found)


def _is_box(found: Found) -> bool:
    return found.source.head()[:5] == b"From "


def _is_archive(path: Path) -> bool:
    """Whether it is a zip of files, and no Excel workbook, which is a zip too."""
    if not zipfile.is_zipfile(path):
        return False
    try:
        with zipfile.ZipFile(path) as packed:
            return "xl/workbook.xml" not in packed.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False  # its directory is damaged: `recognise` says so


def _unpacked(path: Path, name: str, room: Path) -> Iterator[File]:
    room.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path) as packed:
        entries = [
            entry
            for entry in packed.infolist()
            if not (entry.is_dir() or stat.S_ISLNK(entry.external_attr >> 16) or _is_hidden(entry.filename))
        ]
        _check(entries, path.stat().st_size, name)
        if not entries:
            raise AssistantError(f"{name} holds no files. Check that it is the right one, and add it again.")
        for number, entry in enumerate(entries):
            # The name inside is for people alone: a file lies under a number, wherever its name points.
            target = room / f"{PurePosixPath(flat_name(name)).stem[:40]}-{number}"
            try:
                with packed.open(entry) as inside, target.open("wb") as file:
                    shutil.copyfileobj(inside, file, 1 << 20)
            except (zipfile.BadZipFile, zlib.error, RuntimeError, EOFError, ValueError) as problem:
                raise AssistantError(
                    f"{name} can't be unpacked ({problem}). Unpack it yourself, and add the files."
                ) from problem
            yield target, entry.filename


def _check(entries: Sequence[zipfile.ZipInfo], packed: int, name: str) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    most = min(MAX_UNPACKED, MAX_RATIO * max(packed, 10_000))
    if len(entries) > MAX_ENTRIES or unpacked > most:
        raise AssistantError(
            f"{name} would unpack from {packed / 1e6:.1f} to {unpacked / 1e6:,.1f} MB, "
            f"{len(entries):,} files. "
            f"The limits are {most / 1e6:,.0f} MB for its size, and {MAX_ENTRIES:,} files. "
            "Unpack it yourself, and add the files."
        )


def _is_hidden(name: str) -> bool:
    parts = [part for part in re.split(r"[/\\]+", clean(name)) if part not in (".", "..")]
    return any(part.startswith((".", "__MACOSX", "~$")) for part in parts)
