"""A training on paper: writes the log that a real one writes, ten steps a second; stops when asked.

Run like the real one: `python -m tests.ui.standin.training JOBFOLDER`. Each epoch has 300 steps.
"""

import sys
import time
from pathlib import Path

from assistant.jobs import JobLog, turn
from assistant.workspace import read_json

QUESTION = {"question": "How long does a refund take?", "answer": "Five days."}


def main(folder: Path) -> None:
    with turn(folder, "training") as come:
        if come:
            train(folder)
        else:
            JobLog(folder).write("stopped", adapter=None)


def train(folder: Path) -> None:
    log = JobLog(folder)
    steps = 300 * int(read_json(folder / "job.json")["settings"]["epochs"])
    log.write("stage", text="Training on paper")
    log.write("examples", examples=40, cut=2, windows=5, dropped_turns=0, dropped_examples=1)
    log.write("questions", questions=[QUESTION])
    log.write("evaluation", step=0, loss=2.4)
    log.write("samples", step=0, answers=["I don't know."])
    for step in range(1, steps + 1):
        time.sleep(0.1)
        speed = {"tokens": 50 * step, "tokens_per_second": 500.0, "seconds_left": (steps - step) / 10}
        log.write("step", step=step, steps=steps, loss=loss_at(step), memory=812_000_000, **speed)
        if step % 10 == 0:
            log.write("evaluation", step=step, loss=loss_at(step) + 0.1)
            log.write("samples", step=step, answers=[f"Five days, says step {step}."])
        if log.stop_wanted:
            log.write("stopped", adapter=None, discarded=log.stop_wanted == "discard")
            return
    log.write("finished", adapter=None)


def loss_at(step: int) -> float:
    return round(1.2 + 1.2 / (1 + step / 15) + 0.15 * ((step * 7) % 5 - 2) / 5, 4)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
