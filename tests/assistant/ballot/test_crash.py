"""Votes while the server is killed again and again: none lost, none doubled, none half."""

import random
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from assistant.comparison import StudySettings
from assistant.ratings import Desk
from assistant.store import open_database
from tests.studies import opened

ROOT = Path(__file__).parents[3]
RATERS, VOTES, KILLS = 4, 200, 4


class Server:
    """The ballot in a process that can be killed at any moment, and comes back on the same port."""

    def __init__(self, company):
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

    def start(self):
        self.process = subprocess.Popen(self._command, cwd=ROOT)

    def kill(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def desk(workspace):
    return Desk.of(open_database(workspace.database))


@pytest.fixture
def server(workspace, desk):
    server = Server(workspace.root)
    yield server
    server.kill()


def until_answered(client, address, value):
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


def vote_of(token, place):
    """A vote that can be told from every other by its comment."""
    score = 1 + place % 5
    scores = {"brand-voice": [score] * 4, "accuracy": [6 - score] * 4}
    key = random.Random(f"{token}{place}").randbytes(16).hex()
    return {
        "key": key,
        "ranks": [1, 2, 2, 4],
        "scores": scores,
        "comment": f"{token} {place}",
        "seconds": 1.5,
    }


def test_no_vote_is_lost_or_doubled_when_the_server_is_killed_at_random_points(desk, server):
    study = opened(desk, questions=44, raters=RATERS, settings=StudySettings(seed=1, raters_per_item=RATERS))
    raters, chance, stored = desk.rounds.raters(study.id), random.Random(0), []
    asked = {rater: range(1, VOTES // RATERS + 1) for rater in raters}
    assert {len(desk.rounds.sheet(rater.id)) for rater in raters} == {VOTES // RATERS}

    def rate(rater):
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}/rate/{rater.token}/") as client:
            for place in asked[rater]:
                for _ in range(2 if place % 5 == 0 else 1):  # now and then a double click
                    until_answered(client, str(place), vote_of(rater.token, place))
                stored.append((rater.id, place))

    def kill_now_and_then():
        for number in range(1, KILLS + 1):
            while len(stored) < number * VOTES // (KILLS + 1):
                time.sleep(0.002)
            time.sleep(chance.uniform(0, 0.03))
            server.kill()
            server.start()

    killer = threading.Thread(target=kill_now_and_then)
    killer.start()
    with ThreadPoolExecutor(RATERS) as pool:
        list(pool.map(rate, raters))
    killer.join()
    assert len(stored) == VOTES
    votes = desk.votes.of_study(study.id)
    tokens = {rater.id: rater.token for rater in raters}
    assert [(vote.showing.rater_id, vote.showing.place) for vote in votes] == sorted(stored)
    assert [vote.corrections for vote in votes] == [0] * VOTES
    for vote in votes:
        assert vote.judgement.comment == f"{tokens[vote.showing.rater_id]} {vote.showing.place}"
        assert vote.judgement.ranks == (1, 2, 2, 3)
