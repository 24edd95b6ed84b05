"""The worker behind `knowledge.documents.guard`: reads the files named on its standard input, one a line.

It knows the limits it was started with. Replies are lines of JSON on standard output.
"""

import json
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Any, BinaryIO

from knowledge.documents import read_document
from knowledge.documents.guard import document_to_json
from knowledge.errors import KnowledgeError


def answer(request: dict[str, str]) -> dict[str, Any]:
    """What becomes of one file: its document, why it was refused, or that memory ran out."""
    try:
        return {"document": document_to_json(read_document(Path(request["path"]), request["name"]))}
    except KnowledgeError as problem:
        return {"refused": str(problem)}
    except MemoryError:
        return {"exhausted": True}


def serve(requests: BinaryIO, replies: BinaryIO, seconds: int) -> None:
    """Answer requests until there are no more. A file that hangs is ended by the alarm."""
    for line in requests:
        signal.alarm(seconds)
        replies.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
        replies.flush()
        signal.alarm(0)


def main() -> None:
    """Set the limits, keep the channel free of what libraries print, and serve."""
    memory, seconds = int(sys.argv[1]), float(sys.argv[2])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    serve(sys.stdin.buffer, replies, int(seconds) + 5)


if __name__ == "__main__":
    main()
