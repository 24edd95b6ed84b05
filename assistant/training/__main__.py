"""`python -m assistant.training JOBFOLDER`: run the training that JOBFOLDER/job.json describes.

Under torchrun its first process leads, with as many followers of its own as torchrun has others.
"""

import sys
from pathlib import Path

from assistant.training.machine import torchrun
from assistant.training.processes import carry_out


def main(arguments: list[str]) -> int:
    """Run the job when its turn has come; the exit status is 1 if it failed, and 2 if no job is named."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("Usage: python -m assistant.training JOBFOLDER (a folder with a job.json)", file=sys.stderr)
        return 2
    started = torchrun()
    if started and started.rank > 0:
        return 0

    def work(folder: Path) -> None:
        from assistant.training.run import run

        run(folder, processes=started.processes if started else 0)

    return carry_out(Path(arguments[0]).resolve(), work)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
