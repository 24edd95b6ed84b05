"""A process that answers requests within limits of time and memory, and is replaced when it breaks them.

It knows processes, limits and lines of JSON. What is asked is known to a module, which calls `serve`.
"""

import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, Self

PATIENCE = 4.0
"""Seconds on the clock for each second of work: other processes want the machine too."""
AT_LEAST = 20.0
"""Seconds on the clock that are always given."""


class BrokenOffError(Exception):
    """A request that was not answered: it took too much time or memory, or ended its process."""

    def __init__(self, why: Literal["time", "memory", "crash"], how: str = "") -> None:
        super().__init__(f"{why} {how}".strip())
        self.why, self.how = why, how


class Confined:
    """One process that runs a module and answers request after request.

    Args:
        module: what it runs; it calls `serve`.
        memory: bytes of address space that it may take.
    """

    def __init__(self, module: str, memory: int) -> None:
        self._module, self._memory = module, memory
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """The number of the process, while there is one."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def ask(self, request: Mapping[str, Any], seconds: float) -> Any:
        """The answer to a request of values that JSON can hold.

        Args:
            request: what is asked.
            seconds: of work, not of waiting, that the answer may take.

        Raises:
            BrokenOffError: there is no answer. The next request gets a new process.
        """
        process = self._started()
        try:
            _send(process, json.dumps([seconds, request]).encode() + b"\n")
            reply = json.loads(_receive(process, max(AT_LEAST, PATIENCE * seconds)))
        except BaseException:
            self.stop()
            raise
        if "exhausted" in reply:
            self.stop()
            raise BrokenOffError("memory")
        return reply["answer"]

    def stop(self) -> None:
        """End the process, whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            root = str(Path(__file__).parents[1])
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module, str(self._memory)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])},
            )
        return self._process


def _send(process: subprocess.Popen[bytes], request: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(request)
        process.stdin.flush()
    except BrokenPipeError:
        pass  # the process ended: reading its reply says so


def _receive(process: subprocess.Popen[bytes], seconds: float) -> bytes:
    """The process's next line, waited for no longer than this."""
    assert process.stdout is not None
    descriptor = process.stdout.fileno()
    deadline = time.monotonic() + seconds
    reply = bytearray()
    while not reply.endswith(b"\n"):
        ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
        if not ready:
            raise BrokenOffError("time")
        block = os.read(descriptor, 1 << 16)
        if not block:
            raise _ended(process.wait())
        reply += block
    return bytes(reply)


def _ended(status: int) -> BrokenOffError:
    if status == -signal.SIGPROF:
        return BrokenOffError("time")
    return BrokenOffError("crash", f"signal {-status}" if status < 0 else f"exit status {status}")


def serve(answer: Callable[[Any], Any]) -> None:
    """Be the process behind `Confined`: keep to the limits, and answer what is asked until nobody asks."""
    memory = int(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # keeps the channel free of what libraries print
    answer_all(sys.stdin.buffer, replies, answer)


def answer_all(requests: BinaryIO, replies: BinaryIO, answer: Callable[[Any], Any]) -> None:
    """Answer requests until there are no more. Work that takes too long ends the process by a signal."""
    for line in requests:
        seconds, request = json.loads(line)
        signal.setitimer(signal.ITIMER_PROF, seconds)
        signal.alarm(int(max(AT_LEAST, PATIENCE * seconds)) + 5)  # where nobody is left who waits
        replies.write(_reply(request, answer) + b"\n")
        replies.flush()
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)


def _reply(request: Any, answer: Callable[[Any], Any]) -> bytes:
    try:
        return json.dumps({"answer": answer(request)}).encode()
    except MemoryError:
        return b'{"exhausted": true}'
