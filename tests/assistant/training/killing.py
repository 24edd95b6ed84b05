"""A training killed again and again: `python -m tests.assistant.training.killing JOBFOLDER KILLS SEED`.

Prints how often it was killed. It goes on each time, and the last time to its end.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

LOGGED = (300, 1500)
"""Bytes that a training writes to its log before it is killed again."""


def course(folder: Path, kills: int, seed: int) -> int:
    """Train, and kill the process at random moments, counted in what it has written to its log.

    Returns how often it was killed.
    """
    from assistant.training import processes, saying, trainer  # once, before any process is made
    from assistant.training.__main__ import main as train

    assert trainer
    saying.LONGEST_ANSWER, processes.NICENESS = 3, 0
    chance, killed = random.Random(seed), 0
    while True:
        child = os.fork()
        if not child:
            os._exit(train([str(folder)]))
        if not _killed(child, folder / "log.jsonl", chance if killed < kills else None):
            break
        killed += 1
    return killed


def _killed(child: int, log: Path, chance: random.Random | None) -> bool:
    """Wait for a process; whether it was killed before it ended by itself."""
    if chance is None:
        os.waitpid(child, 0)
        return False
    target = _size(log) + chance.randrange(*LOGGED)
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if _size(log) > target:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        time.sleep(0.001)
    return False


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


if __name__ == "__main__":
    job, kills, seed = sys.argv[1:]
    print(course(Path(job), int(kills), int(seed)))
