"""A training on paper: writes the log that a real one writes, ten steps a second; stops when asked.

Run like the real one: `python -m tests.ui.standin.training JOBFOLDER`. Each epoch has 300 steps.
"""

import sys
import time
from pathlib import Path

from assistant.jobs import JobLog
from assistant.workspace import read_json


def main(folder: Path) -> None:
    log = JobLog(folder)
    steps = 300 * int(read_json(folder / "job.json")["settings"]["epochs"])
    log.write("stage", text="Training on paper")
    log.write("evaluation", step=0, loss=2.4)
    for step in range(1, steps + 1):
        time.sleep(0.1)
        speed = {"tokens": 50 * step, "tokens_per_second": 500.0, "seconds_left": (steps - step) / 10}
        log.write("step", step=step, steps=steps, loss=loss_at(step), **speed)
        if step % 10 == 0:
            log.write("evaluation", step=step, loss=loss_at(step) + 0.1)
        if log.stop_asked():
            log.write("stopped", adapter=None)
            return
    log.write("finished", adapter=None)


def loss_at(step: int) -> float:
    return round(1.2 + 1.2 / (1 + step / 15) + 0.15 * ((step * 7) % 5 - 2) / 5, 4)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
