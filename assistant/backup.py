"""A company in one file: backed up while it is in use, checked, and restored into a folder of its own.

The file is a zip with a manifest of checksums. Databases are copied by SQLite's own backup, all other files
as they stand; the documents are held still meanwhile. Restoring checks all before anything is in place.
"""

import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

from assistant.conversations import ABOUT, CHANGES, CLOSER, REMOVED
from assistant.errors import AssistantError, unwritable
from assistant.scratch import scratch_folder
from assistant.workspace import LAYOUT_VERSION, Workspace
from knowledge.documents.text import one_line
from knowledge.storage import folder_lock

VERSION = 1
MANIFEST = "quartet-backup.json"
DATABASES = (".db", ".sqlite", ".sqlite3")
UNFINISHED = "."
"""How the names of files and folders begin that are still being written; they are left out."""
FINISHED = (CHANGES, ABOUT, REMOVED, CLOSER)
"""Names that begin so and are finished: what is kept beside conversations."""
BLOCK = 1 << 20
MOST_MANIFEST = 100_000_000
"""Bytes of the list of files; some hundred thousand of them take less."""
UNSOUND = (zipfile.BadZipFile, zlib.error, KeyError, EOFError, TypeError, ValueError, RuntimeError)
"""What a zip raises that is damaged, or no backup."""

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Contents:
    """What a backup holds: the checksum of each file, by its path within the workspace."""

    created: str
    company: str
    files: dict[str, str]


def back_up(workspace: Workspace, target: Path, report: Report) -> Contents:
    """Write a workspace into `target`, beside its place first; the workspace may be in use.

    Raises:
        AssistantError: `target` is there already or lies in the workspace, or can't be written.
    """
    target = target.expanduser().resolve()
    if target.exists():
        raise AssistantError(
            f"{target} is there already, and a backup overwrites nothing. Name another file."
        )
    if target.is_relative_to(workspace.root):
        raise AssistantError(f"{target} lies in the company's own folder. Name a file outside of it.")
    try:
        with _room_beside(target) as room:
            beside = room / "backup"
            beside.touch(mode=0o600)
            with _held_still(workspace):
                contents = _write(workspace, beside, report)
            beside.replace(target)
    except OSError as problem:
        raise unwritable(target, problem) from problem
    return contents


def restore(source: Path, root: Path, report: Report) -> Contents:
    """Bring a backup back into the folder `root`, which must not be there yet.

    Raises:
        AssistantError: the backup is damaged or of a newer Quartet, `root` is there, or has no room.
    """
    root = root.expanduser().resolve()
    if root.exists() and any(root.iterdir()):
        raise AssistantError(
            f"{root} is there already, and restoring overwrites nothing. Name another folder."
        )
    try:
        root.parent.mkdir(parents=True, exist_ok=True)
        with _room_beside(root) as room:
            part = room / "company"
            part.mkdir(mode=0o700)
            contents = _unpack(source, part, report)
            if root.exists():
                root.rmdir()
            part.rename(root)
    except OSError as problem:
        raise unwritable(root, problem) from problem
    return contents


def _room_beside(target: Path) -> AbstractContextManager[Path]:
    """A hidden folder for half-finished work, in which nobody else can look."""
    return scratch_folder(target.parent, f".{target.name}.unfinished-")


def _write(workspace: Workspace, beside: Path, report: Report) -> Contents:
    paths = list(_files(workspace.root))
    files: dict[str, str] = {}
    with (
        zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
        tempfile.TemporaryDirectory(dir=beside.parent) as room,
    ):
        for done, path in enumerate(paths):
            report(f"Backing up {len(paths)} files", done / len(paths))
            name = path.relative_to(workspace.root).as_posix()
            copied = Path(room) / "copy"
            if _copy(path, copied):
                files[name] = _digest(copied)
                archive.write(copied, name)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        contents = Contents(created, workspace.root.name, files)
        stored = {"version": VERSION, "layout": LAYOUT_VERSION, **asdict(contents)}
        archive.writestr(MANIFEST, json.dumps(stored, ensure_ascii=False, indent=1))
    with beside.open("rb") as file:
        os.fsync(file.fileno())
    return contents


def _held_still(workspace: Workspace) -> AbstractContextManager[None]:
    """Keeps the documents as they are meanwhile, as every change does; what can't be written stays so."""
    writable = os.access(workspace.knowledge, os.W_OK)
    return folder_lock(workspace.knowledge / "lock") if writable else nullcontext()


def _files(root: Path) -> Iterator[Path]:
    """Everything that is finished, in order; of a database neither its log nor its index."""
    for folder, names, files in os.walk(root):
        names[:] = sorted(filter(_is_finished, names))
        for name in sorted(files):
            if _is_finished(name) and not name.endswith(("-wal", "-shm")):
                yield Path(folder) / name


def _is_finished(name: str) -> bool:
    return name in FINISHED or not name.startswith(UNFINISHED)


def _copy(path: Path, copied: Path) -> bool:
    """Copy a file as it is at one moment; False if it has gone meanwhile."""
    try:
        if path.suffix in DATABASES:
            copied.unlink(missing_ok=True)
            address = f"file:{_openable(path, copied)}?mode=ro"
            with (
                closing(sqlite3.connect(address, uri=True, timeout=30)) as source,
                closing(sqlite3.connect(copied)) as target,
            ):
                source.backup(target)
        else:
            shutil.copyfile(path, copied)
    except FileNotFoundError:
        return False
    except sqlite3.DatabaseError as problem:
        raise AssistantError(
            f"The database {path} can't be read ({problem}). `quartet doctor` says what can be done."
        ) from problem
    return True


def _openable(path: Path, copied: Path) -> Path:
    """The database, or a copy with its log where SQLite could not write what it needs beside it to read it.

    Nobody else can write there either, so the copy is whole.
    """
    if os.access(path.parent, os.W_OK):
        return path
    place = copied.with_name("database")
    for suffix in ("", "-wal"):
        place.with_name(place.name + suffix).unlink(missing_ok=True)
        if (beside := path.with_name(path.name + suffix)).exists():
            shutil.copyfile(beside, place.with_name(place.name + suffix))
    return place


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _unpack(source: Path, part: Path, report: Report) -> Contents:
    try:
        with zipfile.ZipFile(source) as archive:
            contents = _contents(source, archive)
            _check_room(archive, contents, part, source)
            for done, (name, digest) in enumerate(contents.files.items()):
                report(f"Restoring {len(contents.files)} files", done / len(contents.files))
                target = _place(part, name, source)
                target.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as packed, target.open("wb") as file:
                    shutil.copyfileobj(packed, file, BLOCK)
                if _digest(target) != digest:
                    raise _damaged(source, f"{name} is not what was backed up")
    except FileNotFoundError as problem:
        raise AssistantError(f"There is no backup {source}. Name a file that exists.") from problem
    except UNSOUND as problem:
        raise _damaged(source, str(problem)) from problem
    return contents


def _contents(source: Path, archive: zipfile.ZipFile) -> Contents:
    if archive.getinfo(MANIFEST).file_size > MOST_MANIFEST:
        raise ValueError(f"its {MANIFEST} is too large")
    stored = json.loads(archive.read(MANIFEST))
    if stored["version"] > VERSION or stored["layout"] > LAYOUT_VERSION:
        raise AssistantError(f"{source} was made by a newer Quartet. Update Quartet, then restore it.")
    created, company = (one_line(str(stored[key])) for key in ("created", "company"))
    return Contents(created, company, dict(stored["files"]))


def _check_room(archive: zipfile.ZipFile, contents: Contents, part: Path, source: Path) -> None:
    needed = sum(archive.getinfo(name).file_size for name in contents.files)
    free = shutil.disk_usage(part).free
    if needed > free:
        raise AssistantError(
            f"{source} takes {needed / 1e6:,.0f} MB restored, and {free / 1e6:,.0f} MB are free in "
            f"{part.parent.parent}. Free some room, or restore it elsewhere."
        )


def _place(part: Path, name: str, source: Path) -> Path:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise _damaged(source, f"it holds a file named {name!r}")
    return part.joinpath(*path.parts)


def _damaged(source: Path, why: str) -> AssistantError:
    return AssistantError(
        f"{source} is no sound backup: {why}. Nothing was restored. Take an earlier backup."
    )
