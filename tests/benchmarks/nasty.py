"""What nasty files cost: `python -m tests.benchmarks.nasty [--only WORDS]`.

Every file of the two tables in `tests/nasty`, the slow ones too, each through its guard and, if it holds
conversations, through the job that imports: file, verdict, time, the most memory of its process. Told at
the end is by how much this process, which stands for the app, has grown, with the file it has just made.
"""

import argparse
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from knowledge.documents import Guard
from tests.nasty.cases import Nasty
from tests.nasty.conversations import CONVERSATIONS
from tests.nasty.documents import DOCUMENTS
from tests.nasty.settling import Settled, settle_conversations, settle_document

EVERY = 0.02
"""Seconds between two looks at the processes."""
SECONDS, MEGABYTES = 15.0, 1024
"""What no file may exceed."""


class Watch:
    """The work that processes started by this one have done meanwhile, and the most memory one has taken."""

    def __init__(self) -> None:
        self.peak = 0
        self._work: dict[int, float] = {}
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def work(self) -> float:
        """Seconds of work, which a busy machine does not make more."""
        return sum(self._work.values())

    def _look(self) -> None:
        own = psutil.Process()
        while not self._ended.wait(EVERY):
            for child in own.children(recursive=True):
                try:
                    if child.cmdline() != own.cmdline():  # else it was just forked, and is not itself yet
                        self.peak = max(self.peak, child.memory_info().rss)
                        self._work[child.pid] = sum(child.cpu_times()[:2])
                except psutil.Error:
                    continue


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--only", default="", help="files whose description holds this")
    only = options.parse_args().only
    print("file | verdict | seconds of work | on the clock | peak MB | as it should be")
    own = psutil.Process()
    before, worst = own.memory_info().rss, 0.0
    rows = [(case, document) for case in DOCUMENTS] + [(case, conversations) for case in CONVERSATIONS]
    grown = 0
    for case, settle in rows:
        if only in case.label:
            seconds = measured(case, settle)
            worst = max(worst, seconds)
            grown = max(grown, own.memory_info().rss - before)
    print(f"\nmost work for one {worst:.1f} s; this process grew by at most {grown / 1e6:.0f} MB")


def measured(case: Nasty, settle: Callable[[Path, Nasty, bytes], list[Settled]]) -> float:
    """Settle a file and print its row; gives the seconds of work it took."""
    folder, data = Path(tempfile.mkdtemp(prefix="nasty-")), case.make()
    start = time.perf_counter()
    with Watch() as watch:
        settled = settle(folder, case, data)
    seconds = time.perf_counter() - start
    shutil.rmtree(folder)
    wrong = "; ".join(each.wrong for each in settled if each.wrong)
    verdicts = ", ".join(sorted({each.verdict for each in settled}))
    peak = watch.peak / 2**20
    over = watch.work > SECONDS or peak > MEGABYTES
    good = wrong or ("TOO MUCH" if over else "yes")
    print(f"{case.label} | {verdicts} | {watch.work:.1f} | {seconds:.1f} | {peak:.0f} | {good}", flush=True)
    return watch.work


def document(folder: Path, case: Nasty, data: bytes) -> list[Settled]:
    """Read as a document."""
    with Guard() as guard:
        return [settle_document(case, data, guard, folder)]


def conversations(folder: Path, case: Nasty, data: bytes) -> list[Settled]:
    """Look at and import as conversations."""
    return list(settle_conversations([(case, data)], folder))


if __name__ == "__main__":
    main()
