"""The checkpoints of a run: each whole with the checksums of its files, or not there at all.

It knows folders, checksums and which adapter was the best so far. It does not know what the files hold.
"""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from assistant.adapters import FILES, digest_of_files
from assistant.errors import AssistantError
from assistant.training.progress import PROGRESS, Progress
from assistant.workspace import read_json, write_json

MANIFEST = "manifest.json"
"""Written last: a checkpoint without it is unfinished."""
CHECKPOINTS, BEST = "checkpoints", "best"


@dataclass(frozen=True)
class Resumption:
    """Where a run goes on: a checkpoint or, where none is sound, the start; `damaged` says what is not."""

    checkpoint: Path | None
    progress: Progress
    damaged: tuple[str, ...] = ()


def best_folder(run: Path, step: int) -> Path:
    """Where the adapter is kept that was the best after this step."""
    return run / BEST / str(step)


def seal(run: Path, checkpoint: Path, progress: Progress) -> None:
    """Finish a checkpoint: its progress, then a manifest of all its files and of the best adapter so far.

    Best adapters that no checkpoint refers to any more are removed.
    """
    progress.write(checkpoint / PROGRESS)
    for path in checkpoint.iterdir():
        _force_to_disk(path)
    write_json(
        checkpoint / MANIFEST, {"version": 1, "complete": True, "files": _digests(run, checkpoint, progress)}
    )
    _drop_old_bests(run)


def find_resumption(run: Path, plan: str) -> Resumption:
    """The newest sound checkpoint of this very plan, and what is wrong with those that are newer."""
    damaged: list[str] = []
    found = (run / CHECKPOINTS).glob("checkpoint-*")
    for checkpoint in sorted(found, key=lambda path: int(path.name.split("-")[1]), reverse=True):
        try:
            progress = Progress.read(checkpoint / PROGRESS)
            if progress.plan != plan:
                continue
            problem = _problem(run, checkpoint, progress)
        except (AssistantError, KeyError, TypeError):
            problem = "it is unfinished"
        if not problem:
            return Resumption(checkpoint, progress, tuple(damaged))
        damaged.append(f"The checkpoint of step {checkpoint.name.split('-')[1]} can't be used: {problem}.")
    return Resumption(None, Progress(plan), tuple(damaged))


def discard(run: Path) -> None:
    """Throw away all that a run has learned."""
    for name in (CHECKPOINTS, BEST):
        shutil.rmtree(run / name, ignore_errors=True)


def check_room(run: Path, trained: int) -> None:
    """See that two checkpoints and the adapters beside them will fit on the disk.

    Args:
        run: the run's folder.
        trained: how many weights are trained.

    Raises:
        AssistantError: they won't.
    """
    # A checkpoint holds weights and two moments in float32; three may lie side by side for a moment, and
    # three adapters in float16: two that were the best, and the version they become.
    needed = trained * (3 * 12 + 3 * 2) + 50_000_000
    free = shutil.disk_usage(run).free
    if free < needed:
        raise AssistantError(
            f"The disk of {run} has {free / 1e6:,.0f} MB left, and this training may need "
            f"{needed / 1e6:,.0f} MB for its checkpoints. Free some room, or choose a smaller rank."
        )


def _digests(run: Path, checkpoint: Path, progress: Progress) -> dict[str, str]:
    paths = [path for path in sorted(checkpoint.iterdir()) if path.name != MANIFEST]
    paths += [best_folder(run, progress.best_step) / name for name in FILES] if progress.best_step else []
    return {str(path.relative_to(run)): digest_of_files([path]) for path in paths}


def _problem(run: Path, checkpoint: Path, progress: Progress) -> str:
    """What is wrong with a checkpoint; empty if it is whole."""
    if not (checkpoint / MANIFEST).exists():
        return "it is unfinished"
    manifest = read_json(checkpoint / MANIFEST)
    if not manifest.get("complete"):
        return "it is unfinished"
    for name, expected in manifest["files"].items():
        if not (run / name).is_file():
            return f"{name} is missing"
        if digest_of_files([run / name]) != expected:
            return f"{name} has changed since it was written"
    return ""


def _drop_old_bests(run: Path) -> None:
    needed: set[str] = set()
    for path in (run / CHECKPOINTS).glob(f"checkpoint-*/{PROGRESS}"):
        needed.add(str(Progress.read(path).best_step))
    for folder in _subfolders(run / BEST):
        if folder.name not in needed:
            shutil.rmtree(folder, ignore_errors=True)


def _subfolders(folder: Path) -> Sequence[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _force_to_disk(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
