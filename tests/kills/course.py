"""A course of kills: one piece of work killed again and again, and what each kill left, counted.

It knows victims by what they do and check. It does not know what they work on.
"""

import json
import random
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.kills.moment import ROOT, Ending, Moment, Say, ended, moments_of


class BrokenError(AssertionError):
    """What is left is neither the old nor the new, or can't be used."""


class LostError(AssertionError):
    """Something is gone that was said to be done."""


class Victim(Protocol):
    """Work in one folder that is killed over and over; `ways` pieces of it are done in turn."""

    ways: int
    writes: tuple[str, ...]
    """The modules that write; every second kill falls in one of them."""

    def ready(self, way: int) -> None:
        """Make everything ready for this piece."""

    def work(self, way: int, say: Say) -> object:
        """Do it."""

    def check(self, way: int, ending: Ending) -> bool:
        """Look at what is left of it; whether it is the new state.

        Raises:
            BrokenError, LostError: it is not as it must be.
        """


@dataclass(frozen=True)
class Tally:
    """A course in numbers: `killed` of `tries` fell within the work, `new` left the new state."""

    fault: str
    tries: int
    killed: int
    new: int
    lost: int
    broken: int
    told: tuple[str, ...] = ()


def run(fault: str, victim: Victim, kills: int, seed: int) -> Tally:
    """Kill a victim's pieces of work in turn, each at a random moment of its own."""
    chance, moments = random.Random(seed), []
    for way in range(victim.ways):
        victim.ready(way)
        moments.append(moments_of(partial(victim.work, way)))
    killed = new = lost = broken = 0
    told: list[str] = []
    for number in range(kills):
        turn, way = divmod(number, victim.ways)
        moment = chosen(moments[way], victim.writes if turn % 2 else (), chance)
        victim.ready(way)
        ending = ended(partial(victim.work, way), moment, at_once=turn // 2 % 2 == 0)
        killed += ending.killed
        try:
            new += victim.check(way, ending)
        except Exception as problem:  # noqa: BLE001 - whatever the survivor says, it is counted and told
            lost += isinstance(problem, LostError)
            broken += not isinstance(problem, LostError)
            told.append(f"{fault} {way} killed at {moment}: {type(problem).__name__}: {problem}")
    return Tally(fault, kills, killed, new, lost, broken, tuple(told))


def chosen(moments: Sequence[Moment], modules: Sequence[str], chance: random.Random) -> Moment:
    """A random hit of a random line of a random module, so that none is passed over; of these if named."""
    within = [moment for moment in moments if not modules or moment.module in modules]
    module = chance.choice(sorted({moment.module for moment in within}))
    place = chance.choice([moment for moment in within if moment.module == module])
    return replace(place, hit=chance.randint(1, place.hit))


def apart(victim: str, folder: Path, kills: int, seed: int = 0) -> Tally:
    """Run a course in a small process of its own, where a copy costs little."""
    command = [sys.executable, "-m", "tests.kills", victim, str(folder), str(kills), str(seed)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    found = json.loads(done.stdout.splitlines()[-1])
    return Tally(**found | {"told": tuple(found["told"])})


def printed(tally: Tally) -> str:
    """A tally as one line of JSON."""
    return json.dumps(asdict(tally))
