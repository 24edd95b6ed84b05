"""A job that logs a few lines and ends as its arguments say; `assistant.jobs` starts it as a module."""

import sys
import time
from pathlib import Path

from assistant.jobs import JobLog
from assistant.workspace import read_json


def main(folder: Path) -> None:
    ending = read_json(folder / "job.json")["ending"]
    log = JobLog(folder)
    log.write("stage", text="Reading conversations")
    log.write("step", step=1, steps=2, loss=2.5, tokens=64, tokens_per_second=321.4, seconds_left=9.6)
    log.write("evaluation", step=1, loss=2.25)
    while ending == "stopped" and not log.stop_asked():
        time.sleep(0.01)
    if ending != "lost":
        log.write(ending, **({"adapter": "0001"} if ending == "finished" else {"message": "Out of memory."}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
