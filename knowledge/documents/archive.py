"""Zip files looked at before they are unpacked: how much room they would take, and where they would write.

Office files are zip files too. It knows zip; what the parts mean is known to their readers.
"""

import io
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from knowledge.documents.refusals import damaged, locked
from knowledge.errors import KnowledgeError

MAX_ENTRIES = 5_000
MAX_UNPACKED = 300_000_000
MAX_RATIO = 200
OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_LOCKED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_PROGRAMS = {".docx": "Word", ".docm": "Word", ".pptx": "PowerPoint", ".xlsx": "Excel"}


@dataclass(frozen=True)
class Member:
    """A file in a zip: its name there and, once it is unpacked, its path here, or why it can't be used."""

    name: str
    path: Path | None = None
    problem: str = ""


def check_office(data: bytes, name: str) -> None:
    """Refuse an Office file that is locked, is not one, or would unpack to far more than a document does.

    Raises:
        KnowledgeError: it is one of these.
    """
    if data.startswith(OLD_OFFICE):
        program = _PROGRAMS.get(PurePosixPath(name).suffix.lower(), "the program it was made with")
        if _LOCKED_PACKAGE in data:
            raise locked(name, program)
        raise KnowledgeError(
            f"{name} is a file of an old Office renamed to {PurePosixPath(name).suffix}. Only the "
            "newer kind can be "
            f"read. Open it in {program}, save it as {PurePosixPath(name).suffix}, and add that."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise damaged(name, str(problem)) from problem
    _check_room(entries, len(data), name)


def unpack(path: Path, name: str, folder: Path) -> Iterator[Member]:
    """The files of a zip, unpacked one by one into `folder`; those that can't be used with the reason.

    Hidden files, links, folders and what systems leave behind are passed over.

    Raises:
        KnowledgeError: the zip as a whole is refused.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            entries = [entry for entry in archive.infolist() if not _is_passed_over(entry)]
            _check_room(entries, path.stat().st_size, name)
            if not entries:
                raise KnowledgeError(
                    f"{name} holds no files. Check that it is the right one, and add it again."
                )
            for number, entry in enumerate(entries):
                yield _unpacked(archive, entry, name, folder / str(number))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, ValueError, EOFError) as problem:
        raise damaged(name, str(problem)) from problem


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, name: str, target: Path) -> Member:
    inside = entry.filename.replace("\\", "/")
    if ".." in PurePosixPath(inside).parts or inside.startswith("/") or ":" in inside.partition("/")[0]:
        return Member(
            inside,
            problem=f"{inside} in {name} would be written outside of its folder. Such names are "
            "refused, for they "
            "are how harmful archives work. Unpack it yourself and add the file alone.",
        )
    if inside.lower().endswith(".zip"):
        return Member(
            inside,
            problem=f"{inside} is an archive within the archive {name}. Only one level is opened. "
            "Unpack it and add its files.",
        )
    if entry.flag_bits & 1:
        return Member(inside, problem=str(locked(f"{inside} in {name}", "a zip program")))
    try:
        _write(archive, entry, target)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as problem:
        return Member(inside, problem=str(damaged(f"{inside} in {name}", str(problem))))
    return Member(inside, target)


def _write(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, target: Path) -> None:
    """Unpack one file; `zipfile` ends it where it would grow beyond the size that was checked."""
    with archive.open(entry) as packed, target.open("wb") as file:
        shutil.copyfileobj(packed, file, 1 << 20)


def _is_passed_over(entry: zipfile.ZipInfo) -> bool:
    name = entry.filename
    parts = PurePosixPath(name.replace("\\", "/")).parts
    hidden = any(part.startswith(".") and part != ".." for part in parts)
    link = stat.S_ISLNK(entry.external_attr >> 16)
    return link or name.endswith("/") or hidden or parts[:1] == ("__MACOSX",) or not parts


def _check_room(entries: list[zipfile.ZipInfo], packed: int, name: str) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    most = min(MAX_UNPACKED, max(1_000_000, packed * MAX_RATIO))
    if len(entries) > MAX_ENTRIES or unpacked > most:
        raise KnowledgeError(
            f"{name} would unpack from {packed / 1e6:.1f} to {unpacked / 1e6:.1f} MB in {len(entries):,} "
            f"parts. For a file of its size the limits are {most / 1e6:.1f} MB and {MAX_ENTRIES:,} parts. "
            "Save its text as a new document and add that."
        )
