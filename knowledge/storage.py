"""Files that are whole or not there, and a lock between processes.

It knows how to write, check and lock. It does not know what the files mean.
"""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from knowledge.errors import KnowledgeError

LOCK_SECONDS = 30.0
BLOCK = 1 << 20


def digest_of(data: bytes) -> str:
    """The sha256 of some bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def digest_of_file(path: Path) -> str:
    """The sha256 of a file, read block by block."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_bytes(path: Path, data: bytes) -> str:
    """Write a file beside its place, force it to disk, then rename it there. Returns its sha256."""
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=".part-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise
    sync_folder(path.parent)
    return digest_of(data)


def copy_file(source: Path, target: Path) -> str:
    """Copy a file and force the copy to disk. Returns the sha256 of the bytes that were written."""
    digest = hashlib.sha256()
    with source.open("rb") as incoming, target.open("wb") as outgoing:
        while block := incoming.read(BLOCK):
            digest.update(block)
            outgoing.write(block)
        outgoing.flush()
        os.fsync(outgoing.fileno())
    return digest.hexdigest()


def sync_folder(folder: Path) -> None:
    """Force the names in a folder to disk, so that a rename outlives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def folder_lock(path: Path) -> Iterator[None]:
    """Hold the lock file `path` alone, among threads and processes; a killed holder lets go of it.

    Raises:
        KnowledgeError: somebody else held it for all of LOCK_SECONDS.
    """
    deadline = time.monotonic() + LOCK_SECONDS
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _try_lock(descriptor):
            if time.monotonic() > deadline:
                raise KnowledgeError(
                    f"The documents in {path.parent} are being changed by another window or task "
                    f"(waited {LOCK_SECONDS:.0f} seconds). Only one change is made at a time. "
                    "Wait until it has finished, then try again."
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
