"""What can go wrong in a training, in words that say what to do. It knows errors, not what caused them."""

import errno
from pathlib import Path

from assistant.errors import AssistantError

NO_MEMORY = (
    "The memory of this machine was not enough for the training. Choose a smaller batch or a shorter "
    "length in the expert settings, close what else is open, or train a smaller base model. Earlier "
    "versions are untouched."
)
_MEMORY_WORDS = ("out of memory", "can't allocate memory", "not enough memory", "bad alloc")
_DISK_WORDS = ("no space left", "os error 28", "file write failed", "disk quota exceeded")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def explained(problem: Exception, folder: Path) -> str:
    """What happened and what to do, for an error of the system or of a library; empty for one not known.

    Args:
        problem: what was raised.
        folder: the run's folder, which is where it writes.
    """
    if isinstance(problem, AssistantError):
        return str(problem)
    said = str(problem).lower()
    if isinstance(problem, MemoryError) or any(word in said for word in _MEMORY_WORDS):
        return NO_MEMORY
    full = isinstance(problem, OSError) and problem.errno in _FULL
    if full or any(word in said for word in _DISK_WORDS):
        return (
            f"The disk of {folder} is full, so the training could not save what it had learned. Free some "
            "room, then let it go on from what was saved before. Earlier versions are untouched."
        )
    return ""


def unexpected(problem: Exception, folder: Path) -> str:
    """What happened, for an error that nobody foresaw.

    Args:
        problem: what was raised.
        folder: the run's folder.
    """
    return f"Training failed unexpectedly: {type(problem).__name__}: {problem}. See {folder}/stderr.txt."
