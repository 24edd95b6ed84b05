"""The one exception of this package. It knows nothing of who raises or shows it."""

from pathlib import Path


class AssistantError(Exception):
    """A problem a person can put right; its text is shown as it is.

    The text names the file and line where there is one, the value found, the rule and the next step.
    """


def misshapen(path: Path, problem: Exception) -> AssistantError:
    """What to raise where a file holds other things than it should, as one does whose bytes were changed."""
    return AssistantError(
        f"{path} holds something else than it should ({type(problem).__name__}: {problem}). "
        "Bring it back from a backup."
    )


def unwritable(path: Path, problem: Exception) -> AssistantError:
    """What to raise where a file or folder can't be written: no room on the disk, or no leave to write."""
    reason = getattr(problem, "strerror", None) or problem
    return AssistantError(
        f"{path} can't be written ({reason}). Free some room or mend its permissions, then try again."
    )
