"""A process that trains or measures: it waits for its turn, works, and says how it ended.

It knows the line, the log and exit codes. It does not know the work.
"""

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from assistant.errors import AssistantError
from assistant.jobs import JobLog, TakenError, turn
from assistant.training.troubles import explained, unexpected
from knowledge.errors import KnowledgeError

LINE = "training"
"""What trains or measures stands in one line: each wants the whole machine."""
NICENESS = 10
"""How far a training stands back for the assistants that answer meanwhile (0 not at all, 19 wholly)."""


def carry_out(folder: Path, work: Callable[[Path], None]) -> int:
    """Do a job's work when its turn has come, and tell the log what went wrong. Returns the exit status."""
    prepare_environment()
    try:
        with turn(folder, LINE) as come:
            if come:
                work(folder)
            else:
                JobLog(folder).write("stopped", adapter=None)
        return 0
    except TakenError as problem:
        print(problem, file=sys.stderr)
        return 1
    except (AssistantError, KnowledgeError) as problem:
        message = str(problem)
    except Exception as problem:  # noqa: BLE001 - whatever it was, the page has to show that the job failed
        traceback.print_exc()
        message = explained(problem, folder) or unexpected(problem, folder)
    with suppress(OSError):  # a full disk may have no room for this line either
        JobLog(folder).write("failed", message=message)
    print(message, file=sys.stderr)
    return 1


def prepare_environment() -> None:
    """Keep the libraries off the network and to themselves; call before they are loaded."""
    # Answers come first: a training takes the processor time that they leave.
    os.nice(NICENESS)
    # Threads that wait give their processor back: on a busy machine spinning ones halve the speed.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TOKENIZERS_PARALLELISM="false")
    # Who learns together is our own affair (`followers.py`): accelerate would take torchrun's word for it.
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"):
        os.environ.pop(name, None)
