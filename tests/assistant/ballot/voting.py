"""Raters who vote over HTTP while their server is killed, and what is stored in the end."""

import random
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx

from assistant.comparison import Rater, StudySettings
from assistant.ratings import Desk
from tests.studies import opened

ROOT = Path(__file__).parents[3]
QUESTIONS = 44
PLACES = 50
"""Questions that each rater is shown, repeats and traps with them."""


class Server:
    """The ballot in a process that can be killed at any moment, and comes back on the same port."""

    def __init__(self, company: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self._command = [
            sys.executable,
            "-m",
            "tests.assistant.ballot.serve_ballot",
            str(company),
            str(self.port),
        ]
        self.start()

    def start(self) -> None:
        """Begin to answer, in a second or two."""
        self.process = subprocess.Popen(self._command, cwd=ROOT)

    def kill(self) -> None:
        """End at once."""
        self.process.kill()
        self.process.wait()


@dataclass(frozen=True)
class Round:
    """What came of a round: votes that somebody was told are stored, and what is stored."""

    told: int
    lost: int
    doubled: int
    broken: int


def round_through_kills(desk: Desk, server: Server, *, raters: int, kills: int, seed: int = 0) -> Round:
    """Let raters vote at once while the server is killed, the kills evenly among the votes."""
    settings = StudySettings(seed=1, raters_per_item=raters)
    study = opened(desk, questions=QUESTIONS, raters=raters, settings=settings)
    people, stored = desk.rounds.raters(study.id), list[tuple[int, int]]()
    votes, chance = raters * PLACES, random.Random(seed)
    assert {len(desk.rounds.sheet(rater.id)) for rater in people} == {PLACES}

    def rate(rater: Rater) -> None:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}/rate/{rater.token}/") as client:
            for place in range(1, PLACES + 1):
                for _ in range(2 if place % 5 == 0 else 1):  # now and then a double click
                    _until_answered(client, str(place), _vote_of(rater.token, place))
                stored.append((rater.id, place))

    def kill_now_and_then() -> None:
        for number in range(1, kills + 1):
            while len(stored) < number * votes // (kills + 1):
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.03))
            server.kill()
            server.start()

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    with ThreadPoolExecutor(raters) as pool:
        list(pool.map(rate, people))
    killer.join()
    return _told(desk, study.id, stored)


def _told(desk: Desk, study_id: str, stored: list[tuple[int, int]]) -> Round:
    tokens = {rater.id: rater.token for rater in desk.rounds.raters(study_id)}
    found = {(vote.showing.rater_id, vote.showing.place): vote for vote in desk.votes.of_study(study_id)}
    wrong = 0
    for (rater_id, place), vote in found.items():
        whole = _vote_of(tokens[rater_id], place)
        said = vote.judgement
        scores = {key: list(each) for key, each in said.scores.items()}
        wrong += (said.comment, said.ranks, scores) != (whole["comment"], (1, 2, 2, 3), whole["scores"])
    doubled = sum(vote.corrections for vote in found.values())
    return Round(len(stored), len(set(stored) - set(found)), doubled, wrong + len(set(found) - set(stored)))


def _until_answered(client: httpx.Client, address: str, value: object) -> None:
    """Send as the page does: the same vote again, until somebody says that it is stored."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        try:
            answer = client.post(address, json=value)
            assert answer.status_code == 200, answer.text
            return
        except httpx.TransportError:
            time.sleep(0.02)
    raise AssertionError("The server did not come back.")


def _vote_of(token: str, place: int) -> dict[str, object]:
    """A vote that can be told from every other by its comment."""
    score = 1 + place % 5
    return {
        "key": random.Random(f"{token}{place}").randbytes(16).hex(),
        "ranks": [1, 2, 2, 4],
        "scores": {"brand-voice": [score] * 4, "accuracy": [6 - score] * 4},
        "comment": f"{token} {place}",
        "seconds": 1.5,
    }
