"""`python -m tests.benchmarks.kills`: two hundred kills spread over all work, and what was lost or broken.

Import, index, chats and backups are killed at random lines of our own code (`tests.kills`), training at
random moments of its log, rating by killing the server that raters vote at. All on tiny models, all seeded.
"""

import argparse
import math
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from assistant.jobs import read_log
from assistant.ratings import Desk
from assistant.store import open_database
from assistant.workspace import open_workspace
from tests.assistant.ballot.voting import Server, round_through_kills
from tests.assistant.training.conftest import make_job
from tests.conftest import make_tiny_model
from tests.kills.course import Tally, apart
from tests.kills.moment import ROOT

KILLS = {"import": 40, "index": 50, "chat": 40, "backup": 30, "training": 20, "rating": 20}
"""Two hundred, the most where most is written."""
A_RUN = 4
"""Kills of one training, which is then let go to its end."""
SETTINGS = {"epochs": 1, "batch_tokens": 200, "threads": 1, "learning_rate": 5e-3, "general_questions": 0}
TOLERANCE = 2e-3
"""How far an evaluation loss may lie from that of the training nobody killed."""


def training(room: Path, kills: int, seed: int) -> Tally:
    """Train again and again, each run killed a few times: its losses are those of the run that was not."""
    model = make_tiny_model(room / "tiny-chat")
    workspace = open_workspace(room / "acme")
    whole = make_job(room / "jobs" / "whole", workspace, model, SETTINGS)
    _train(whole, 0, seed)
    wanted, killed, lost, broken = _losses(whole), 0, 0, 0
    for run in range(math.ceil(kills / A_RUN)):
        folder = make_job(room / "jobs" / f"killed-{run}", workspace, model, SETTINGS)
        killed += _train(folder, min(A_RUN, kills - run * A_RUN), seed + run)
        found = _losses(folder)
        lost += set(found) != set(wanted) or read_log(folder)[-1]["event"] != "finished"
        broken += any(abs(loss - wanted.get(step, loss)) > TOLERANCE for step, loss in found.items())
    return Tally("training", kills, killed, 0, lost, broken)


def _train(folder: Path, kills: int, seed: int) -> int:
    command = [sys.executable, "-m", "tests.assistant.training.killing", str(folder), str(kills), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stdout.split()[-1])


def _losses(folder: Path) -> dict[int, float]:
    return {event["step"]: event["loss"] for event in read_log(folder) if event["event"] == "evaluation"}


def rating(room: Path, kills: int, seed: int) -> Tally:
    """Four raters vote while their server is killed; each kill falls while votes are under way."""
    workspace = open_workspace(room / "acme")
    desk, server = Desk.of(open_database(workspace.database)), Server(workspace.root)
    try:
        found = round_through_kills(desk, server, raters=4, kills=kills, seed=seed)
    finally:
        server.kill()
    return Tally("rating", kills, kills, 0, found.lost, found.doubled + found.broken)


def tallies(seed: int, only: str | None) -> Iterator[Tally]:
    """Each course in a folder of its own."""
    for fault, kills in KILLS.items():
        if only not in (None, fault):
            continue
        with tempfile.TemporaryDirectory() as folder:
            room = Path(folder)
            if fault == "training":
                yield training(room, kills, seed)
            elif fault == "rating":
                yield rating(room, kills, seed)
            else:
                yield apart(fault, room, kills, seed)


def main() -> None:
    """Kill, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=list(KILLS), help="one kind of work alone")
    options = parser.parse_args()
    print(f"{'killed in':10} {'tries':>6} {'inside':>7} {'lost':>5} {'broken':>7}")
    told: list[str] = []
    sums = [0, 0, 0, 0]
    for each in tallies(options.seed, options.only):
        row = (each.tries, each.killed, each.lost, each.broken)
        print(f"{each.fault:10} {row[0]:6} {row[1]:7} {row[2]:5} {row[3]:7}", flush=True)
        sums, told = [one + other for one, other in zip(sums, row, strict=True)], [*told, *each.told]
    print(f"{'all':10} {sums[0]:6} {sums[1]:7} {sums[2]:5} {sums[3]:7}")
    print(*told, sep="\n")


if __name__ == "__main__":
    main()
