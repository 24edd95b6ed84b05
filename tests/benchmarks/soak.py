"""`python -m tests.benchmarks.soak`: many users for a long time, and whether the engine stays as it was.

Users ask short and long questions of one to four lanes, some stop in the middle or close the stream, and new
adapters are loaded all the while. Told are the memory over time, and streams that got no end.
"""

import argparse
import os
import random
import shutil
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import psutil

from assistant.demo import DEMO
from assistant.engine import LocalEngine
from assistant.lanes import Request, Sampling
from assistant.models import chat_model
from assistant.prompts import Message

WORDS = ["fern", "water", "pot", "dry", "parcel", "compost", "Tuesday", "the", "comes", "likes"]
ENDINGS = ("end", "length", "cancelled", "busy")
SETTLED = 0.25
"""Share of the time after which memory is taken as settled."""

QUIET = 10
"""Seconds that the engine is there before its first users, as on a server."""
SILENCE = 120
"""Seconds in which nobody is sent anything, while somebody waits: then something is stuck."""


class Soak:
    """The engine, its users, and what they saw."""

    def __init__(self, engine: LocalEngine, folders: list[Path], until: float) -> None:
        self._engine, self._folders, self._until = engine, folders, until
        self.seen: Counter[str] = Counter()
        self._guard = threading.Lock()
        self.heard = time.monotonic()
        """When anybody was last sent anything."""

    def user(self, number: int) -> None:
        """Ask until the time is up."""
        dice = random.Random(number)
        while time.monotonic() < self._until:
            requests = self._requests(dice)
            stop_after = dice.choice([None, None, 3, 20])
            closes = stop_after is not None and dice.random() < 0.5
            self._ask(requests, stop_after, closes, f"user {number}")
            time.sleep(dice.random())

    def _requests(self, dice: random.Random) -> list[Request]:
        folder = dice.choice(self._folders)
        self._engine.load_adapter(folder.name, folder)
        words = " ".join(dice.choices(WORDS, k=dice.choice([5, 30, 30, 200, 900])))
        chat = (Message("system", "You sell plants."), Message("user", words))
        kinds = [(None, 0.0), (folder.name, 1.0), (None, 0.0), (folder.name, dice.choice([0.5, 1.0, 1.5]))]
        sampling = Sampling(max_tokens=dice.choice([8, 40, 96]), temperature=dice.choice([0.0, 0.8]))
        return [Request(chat, *kind, sampling) for kind in kinds[: dice.randint(1, 4)]]

    def _ask(self, requests: list[Request], stop_after: int | None, closes: bool, owner: str) -> None:
        stop, ends = threading.Event(), 0
        stream = self._engine.generate(requests, stop.is_set, owner)
        for pieces, piece in enumerate(stream, 1):
            self.heard = time.monotonic()
            if piece.finish:
                ends += 1
                self._count(piece.finish.reason if piece.finish.reason in ENDINGS else piece.finish.error)
            if pieces == stop_after:
                if closes:
                    stream.close()
                    self._count("closed")
                    return
                stop.set()
        if ends != len(requests):
            self._count("LOST")

    def _count(self, what: str) -> None:
        with self._guard:
            self.seen[what] += 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--minutes", type=float, default=10.0)
    options = parser.parse_args()
    engine = LocalEngine(chat_model(None, lambda *_: None))
    print(engine.describe())
    time.sleep(QUIET)
    with tempfile.TemporaryDirectory() as room:
        folders = [Path(shutil.copytree(DEMO / "adapter", Path(room) / f"adapter-{n}")) for n in range(8)]
        soak = Soak(engine, folders, time.monotonic() + 60 * options.minutes)
        users = [threading.Thread(target=soak.user, args=(number,)) for number in range(options.users)]
        began, memory = time.monotonic(), []
        for user in users:
            user.start()
        while any(user.is_alive() for user in users):
            time.sleep(5)
            memory.append((time.monotonic() - began, psutil.Process().memory_info().rss / 1e6))
            if time.monotonic() - soak.heard > SILENCE:
                print("STUCK:", sum(user.is_alive() for user in users), "users")
                os._exit(1)
    print("MB by minute:", *(f"{size:.0f}" for _, size in memory[::12]))
    later = [size for at, size in memory if at > SETTLED * 60 * options.minutes]
    print(dict(soak.seen))
    print(f"memory: {memory[0][1]:.0f} MB at first, then {later[0]:.0f} to {later[-1]:.0f} MB", end=" ")
    print(f"({later[-1] / later[0] - 1:+.1%}; most {max(later):.0f} MB)")
    engine.close()


if __name__ == "__main__":
    main()
