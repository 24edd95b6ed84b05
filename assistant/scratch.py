"""Folders for what is in the making: each is held by the process that works in it, and goes when that ends.

A process that was killed could not remove its own; the next one does, as nobody holds it any more.
"""

import fcntl
import glob
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def scratch_folder(parent: Path, beginning: str) -> Iterator[Path]:
    """A folder in `parent` in which nobody else can look; its name begins so.

    Those that begin alike and that killed processes have left are removed first.
    """
    for left in parent.glob(f"{glob.escape(beginning)}*"):
        if (held := _hold(left)) is not None:
            shutil.rmtree(left, ignore_errors=True)
            os.close(held)
    folder, held = _new(parent, beginning)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(held)


def _new(parent: Path, beginning: str) -> tuple[Path, int]:
    while True:  # another process that begins at the same moment may take ours for one that was left
        folder = Path(tempfile.mkdtemp(dir=parent, prefix=beginning))
        if (held := _hold(folder)) is not None:
            return folder, held


def _hold(folder: Path) -> int | None:
    """Hold a folder as long as the descriptor is open; None where somebody else does, or it has gone."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:  # gone meanwhile, or another user's
        return None
    with suppress(BlockingIOError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if folder.exists():
            return descriptor
    os.close(descriptor)
    return None
