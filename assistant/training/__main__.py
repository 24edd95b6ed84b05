"""`python -m assistant.training JOBFOLDER`: run the training that JOBFOLDER/job.json describes."""

import sys
import traceback
from pathlib import Path

from assistant.errors import AssistantError
from assistant.jobs import JobLog
from assistant.training.run import prepare_environment, run
from knowledge.errors import KnowledgeError


def main(arguments: list[str]) -> int:
    """Run the job; the exit status is 1 if it failed, and 2 if no job folder is named."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print("Usage: python -m assistant.training JOBFOLDER (a folder with a job.json)", file=sys.stderr)
        return 2
    folder = Path(arguments[0]).resolve()
    prepare_environment()
    try:
        run(folder)
    except (AssistantError, KnowledgeError) as problem:
        message = str(problem)
    except Exception as problem:  # noqa: BLE001 - whatever it was, the page has to show that the job failed
        traceback.print_exc()
        message = (
            f"Training failed unexpectedly: {type(problem).__name__}: {problem}. See {folder}/stderr.txt."
        )
    else:
        return 0
    JobLog(folder).write("failed", message=message)
    print(message, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
