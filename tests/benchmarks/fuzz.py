"""Bent files and odd arguments, for as long as wanted: `python -m tests.benchmarks.fuzz [--minutes 10]`.

The same properties as in `tests/assistant/test_fuzz.py`, with other dice each time. Told are the tries,
and the smallest try that broke one.
"""

import argparse
import os
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path

from hypothesis import HealthCheck, given, settings, strategies

from knowledge.documents import Guard
from tests.nasty import fuzzing, sound

ROUND = settings(deadline=None, database=None, max_examples=50, suppress_health_check=list(HealthCheck))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--minutes", type=float, default=10.0)
    end = time.monotonic() + 60 * options.parse_args().minutes
    with tempfile.TemporaryDirectory(prefix="fuzz-") as room, Guard() as guard:
        os.environ["QUARTET_HOME"] = room
        os.chdir(room)
        tried: dict[str, int] = {}
        properties = checks(guard, Path(room), tried)
        broken: list[str] = []
        while time.monotonic() < end:
            for check in properties:
                try:
                    check()
                except Exception:  # noqa: BLE001 - whatever breaks a property is what is looked for
                    broken.append(traceback.format_exc())
                    print(broken[-1], flush=True)
    print("; ".join(f"{name}: {count:,} tries" for name, count in tried.items()), f"; {len(broken)} broken")


def checks(guard: Guard, room: Path, tried: dict[str, int]) -> list[Callable[[], None]]:
    """The properties, each tried fifty times when it is called."""

    def count(name: str) -> None:
        tried[name] = tried.get(name, 0) + 1

    @ROUND
    @given(fuzzing.files(sound.documents()))
    def documents(file: tuple[str, bytes]) -> None:
        count("documents")
        fuzzing.document_settles(guard, room, *file)

    @ROUND
    @given(fuzzing.files(sound.conversations()))
    def conversations(file: tuple[str, bytes]) -> None:
        count("conversations")
        fuzzing.conversations_settle(room, *file)

    @settings(ROUND, max_examples=10)
    @given(strategies.sampled_from(fuzzing.COMMANDS), strategies.lists(fuzzing.WORDS, max_size=3))
    def commands(command: list[str], words: list[str]) -> None:
        count("commands")
        fuzzing.command_settles([*command, *words])

    @settings(ROUND, max_examples=4)
    @given(strategies.sampled_from(fuzzing.COMMANDS), fuzzing.bent(fuzzing.RATINGS))
    def commands_on_files(command: list[str], data: bytes) -> None:
        count("commands on files")
        (room / "given").write_bytes(data)
        fuzzing.command_settles([*command, "given"])

    return [documents, conversations, commands, commands_on_files]


if __name__ == "__main__":
    main()
