"""Reads documents in a process of its own, so that a nasty file costs only itself.

It knows limits of time and memory and how to talk to the worker. It does not know any file format.
"""

import json
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from knowledge.documents.model import Document, Section
from knowledge.errors import KnowledgeError

SECONDS = 45.0
MEMORY = 1 << 30


class Guard:
    """One worker process that reads file after file; it is replaced when a file hangs or kills it."""

    def __init__(self) -> None:
        self._worker: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._stop()

    def read(self, path: Path, name: str) -> Document:
        """Read one document, within SECONDS and MEMORY.

        Raises:
            KnowledgeError: the file was refused, took too long or too much memory, or crashed its reader.
        """
        worker = self._start()
        request = json.dumps({"path": str(path.absolute()), "name": name}) + "\n"
        try:
            _send(worker, request.encode())
            reply = json.loads(_receive(worker, name))
        except BaseException:
            self._stop()
            raise
        if reply.get("exhausted"):
            self._stop()
            raise _exhausted(name)
        if "refused" in reply:
            raise KnowledgeError(reply["refused"])
        return document_from_json(reply["document"])

    def _start(self) -> subprocess.Popen[bytes]:
        if self._worker is None or self._worker.poll() is not None:
            self._stop()
            root = str(Path(__file__).parents[2])
            self._worker = subprocess.Popen(
                [sys.executable, "-m", "knowledge.documents", str(MEMORY), str(SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])},
            )
        return self._worker

    def _stop(self) -> None:
        if self._worker is not None:
            self._worker.kill()
            self._worker.communicate()
            self._worker = None


def read_guarded(path: Path, name: str) -> Document:
    """Read one document in a worker process of its own. For many files, keep a `Guard` open.

    Raises:
        KnowledgeError: the file was refused; the text says why and what to do.
    """
    with Guard() as guard:
        return guard.read(path, name)


def _send(worker: subprocess.Popen[bytes], request: bytes) -> None:
    assert worker.stdin is not None
    try:
        worker.stdin.write(request)
        worker.stdin.flush()
    except BrokenPipeError:
        pass  # the worker died: reading its reply says so


def _receive(worker: subprocess.Popen[bytes], name: str) -> bytes:
    """The worker's next line, waited for no longer than SECONDS."""
    assert worker.stdout is not None
    descriptor = worker.stdout.fileno()
    deadline = time.monotonic() + SECONDS
    reply = bytearray()
    while not reply.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise KnowledgeError(
                f"{name} took longer than {SECONDS:.0f} seconds to read. That is the limit for one document. "
                "Split it, or save its text as a new document, and add that."
            )
        block = os.read(descriptor, 1 << 16)
        if not block:
            raise KnowledgeError(
                f"{name} made its reader stop ({_ending(worker)}). Files that do so are refused. "
                "Save its text as a new document and add that."
            )
        reply += block
    return bytes(reply)


def _ending(worker: subprocess.Popen[bytes]) -> str:
    status = worker.wait()
    return f"signal {-status}" if status < 0 else f"exit status {status}"


def _exhausted(name: str) -> KnowledgeError:
    return KnowledgeError(
        f"{name} needed more than {MEMORY // (1 << 20):,} MB of memory to read. That is the limit for one "
        "document. Split it, or save its text as a new document, and add that."
    )


def document_to_json(document: Document) -> dict[str, Any]:
    """A document as values JSON can hold; `document_from_json` undoes it."""
    return {
        "name": document.name,
        "title": document.title,
        "digest": document.digest,
        "text": document.text,
        "sections": [
            [section.start, len(section.text), section.body, section.page, list(section.heading)]
            for section in document.sections
        ],
        "unit": document.unit,
        "tables": [list(place) for place in document.tables],
    }


def document_from_json(value: dict[str, Any]) -> Document:
    """A document from the values `document_to_json` made."""
    text = value["text"]
    sections = tuple(
        Section(text[start : start + length], tuple(heading), page, start, body)
        for start, length, body, page, heading in value["sections"]
    )
    tables = tuple((start, end) for start, end in value["tables"])
    return Document(value["name"], text, sections, value["digest"], value["title"], value["unit"], tables)
