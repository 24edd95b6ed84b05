"""`python -m tests.benchmarks.rating`: ten raters at once, whether any vote is lost, and how long they wait.

Each rater opens their link, thinks a moment, votes, and times from sending the vote to having the next
question in hand, over HTTP to a server in a process of its own. Told are the waits, and what was stored.
"""

import argparse
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from assistant.comparison import Rater, StudySettings
from assistant.ratings import Desk
from assistant.store import open_database
from assistant.workspace import open_workspace
from tests.studies import opened

LIMIT = 0.3
"""Seconds that 95 in 100 waits for the next question may last."""


def rate(port: int, rater: Rater, pause: float) -> list[float]:
    """Judge one rater's whole sheet; returns the seconds waited after each vote."""
    dice, waits = random.Random(rater.id), []
    link = f"http://127.0.0.1:{port}/rate/{rater.token}"
    with httpx.Client(timeout=30) as client:
        total = int(re.findall(r"</b> of (\d+)", client.get(link).text)[0])
        for place in range(1, total + 1):
            time.sleep(dice.uniform(0, 2 * pause))
            began = time.perf_counter()
            answer = client.post(f"{link}/{place}", json=_vote(dice))
            waits.append(time.perf_counter() - began)
            answer.raise_for_status()
            assert f"<b>{place + 1}</b> of {total}" in answer.json()["html"] or place == total
    return waits


def _vote(dice: random.Random) -> dict[str, object]:
    scores = {key: [dice.randint(1, 5) for _ in range(4)] for key in ("brand-voice", "accuracy")}
    return {"key": dice.randbytes(16).hex(), "ranks": dice.sample(range(1, 5), 4), "scores": scores}


def measure(port: int, desk: Desk, *, raters: int, questions: int, pause: float) -> None:
    """Let all raters judge at once, and print what they saw."""
    settings = StudySettings(seed=1, raters_per_item=raters)
    study = opened(desk, questions=questions, raters=raters, settings=settings)
    everybody = desk.rounds.raters(study.id)
    began = time.monotonic()
    with ThreadPoolExecutor(raters) as pool:
        waits = sorted(
            wait for each in pool.map(lambda rater: rate(port, rater, pause), everybody) for wait in each
        )
    seconds = time.monotonic() - began
    stored = desk.votes.of_study(study.id)
    corrected = sum(vote.corrections for vote in stored)
    p95 = statistics.quantiles(waits, n=20)[-1]
    print(f"{raters} raters, {len(waits)} votes in {seconds:.0f} s, {pause:g} s to think on average")
    print(f"stored {len(stored)}, lost {len(waits) - len(stored)}, doubled {corrected}")
    print(
        f"next question after {1000 * statistics.median(waits):.0f} ms (median), {1000 * p95:.0f} ms (p95), "
        f"{1000 * waits[-1]:.0f} ms (longest): {'within' if p95 < LIMIT else 'ABOVE'} {1000 * LIMIT:.0f} ms"
    )


def main() -> None:
    """Start the ballot, wait until it answers, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raters", type=int, default=10)
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--pause", type=float, default=1.0, help="seconds a rater thinks, on average")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        workspace = open_workspace(Path(folder) / "acme")
        desk = Desk.of(open_database(workspace.database))
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        command = [
            sys.executable,
            "-m",
            "tests.assistant.ballot.serve_ballot",
            str(workspace.root),
            str(port),
        ]
        server = subprocess.Popen(command)
        try:
            _wait_for(port)
            measure(port, desk, **vars(options))
        finally:
            server.terminate()
            server.wait()


def _wait_for(port: int) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/rate/nobody")
            return
        except httpx.TransportError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


if __name__ == "__main__":
    main()
