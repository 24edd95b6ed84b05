"""The jobs of one company: start, follow, stop, and find again after a restart.

A job is a folder: job.json says what to do, log.jsonl what happened, and a file named "stop" asks it to end.
This module knows processes and folders. It does not know what a job does.
"""

import builtins
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import psutil

from assistant.errors import AssistantError, misshapen
from assistant.jobs.log import STOP_FILE, Event, JobLog, Stop, read_log
from assistant.workspace import read_json, write_json, write_text

Status = Literal["waiting", "running", "finished", "failed", "stopped", "lost"]
ENDINGS = ("finished", "failed", "stopped")
"""The events that end a job; they give its status their name."""


@dataclass(frozen=True)
class Job:
    """A long task as it is now; `message` says why it failed or was lost."""

    key: str
    kind: str
    folder: Path
    created: str
    status: Status
    message: str = ""

    @property
    def active(self) -> bool:
        """Whether it has not ended yet."""
        return self.status in ("waiting", "running")


class Jobs:
    """The jobs of one company, a folder each."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._starting = threading.Lock()
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, module: str, arguments: Mapping[str, Any], *, waits: bool = False) -> Job:
        """Run `python -m MODULE JOBFOLDER` in a process that outlives this one.

        Args:
            module: what to run.
            arguments: what it finds in its job.json.
            waits: whether its process waits for its turn (`assistant.jobs.line`) where others run.

        Raises:
            AssistantError: a job of this kind is running and this one can't wait, or the folder can't be
                written.
        """
        kind = module.rpartition(".")[2]
        with self._starting:
            if not waits:
                self._refuse_second(kind)
            created = datetime.now(UTC)
            folder = self._new_folder(f"{created:%Y%m%d-%H%M%S}-{kind}")
            stamp = {"module": module, "created": created.isoformat(timespec="seconds"), "waits": waits}
            write_json(folder / "job.json", {**arguments, **stamp})
            self._spawn(folder, module)
        return self.find(folder.name)

    def resume(self, key: str, module: str, arguments: Mapping[str, Any] | None = None) -> Job:
        """Start the process of an ended job again, on the same folder; what it saved is used again.

        Args:
            key: of the job.
            module: what to run. The job's own file does not decide it: the folder may be a backup from
                elsewhere.
            arguments: what is to stand in its job.json otherwise than it did.

        Raises:
            AssistantError: it is still running or has finished, or another of its kind is running and it
                can't wait.
        """
        job = self.find(key)
        about = read_json(job.folder / "job.json")
        if job.status == "finished":
            raise AssistantError(
                f"The {job.kind} {key} has finished; there is nothing to go on with. Start a new one."
            )
        with self._starting:
            if job.active or not about.get("waits"):
                self._refuse_second(job.kind)
            (job.folder / STOP_FILE).unlink(missing_ok=True)
            write_json(job.folder / "job.json", {**about, **(arguments or {}), "module": module})
            JobLog(job.folder).write("resumed")
            self._spawn(job.folder, module)
        return self.find(key)

    def stop(self, key: str, how: Stop = "keep") -> None:
        """Ask a job to end, keeping what it has or discarding it; nothing happens if it has ended already."""
        job = self.find(key)
        if job.active:
            write_text(job.folder / STOP_FILE, how)

    def find(self, key: str) -> Job:
        """The job with this key as it is now.

        Raises:
            AssistantError: there is none, or its files are damaged.
        """
        folder = self._folder / key
        if key != Path(key).name or not (folder / "job.json").is_file():
            raise AssistantError(f"There is no job {key!r}. Choose one of the list.")
        status, message = self._status(folder)
        try:
            values = read_json(folder / "job.json")
            kind, created = str(values["module"]).rpartition(".")[2], str(values["created"])
        except (KeyError, TypeError) as problem:
            raise misshapen(folder / "job.json", problem) from problem
        return Job(key, kind, folder, created, status, message)

    def list(self) -> builtins.list[Job]:
        """All jobs, newest first; those whose description is damaged are left out."""
        keys = sorted((path.parent.name for path in self._folder.glob("*/job.json")), reverse=True)
        found = []
        for key in keys:
            with suppress(AssistantError):
                found.append(self.find(key))
        return found

    def damaged(self) -> builtins.list[str]:
        """What is wrong with the jobs that `list` leaves out."""
        told = []
        for path in sorted(self._folder.glob("*/job.json")):
            try:
                self.find(path.parent.name)
            except AssistantError as problem:
                told.append(str(problem))
        return told

    def running(self, kind: str | None = None) -> Job | None:
        """The newest job that has not ended, of this kind if one is named."""
        return next((job for job in self.list() if job.active and kind in (None, job.kind)), None)

    def events(self, key: str) -> builtins.list[Event]:
        """The job's log so far; a line that is being written is left out."""
        return read_log(self.find(key).folder)

    def _refuse_second(self, kind: str) -> None:
        running = self.running(kind)
        if running:
            article = "An" if kind[0] in "aeiou" else "A"
            since = datetime.fromisoformat(running.created).astimezone().strftime("%H:%M")
            raise AssistantError(
                f"{article} {kind} is already running (since {since}). "
                "Wait until it has ended, or stop it first."
            )

    def _new_folder(self, name: str) -> Path:
        for suffix in ("", *(f"-{number}" for number in range(2, 1000))):
            try:
                (self._folder / f"{name}{suffix}").mkdir(parents=True)
            except FileExistsError:
                continue
            except OSError as problem:
                raise AssistantError(
                    f"The jobs' folder {self._folder} can't be written ({problem.strerror}). "
                    "Free some room or mend its permissions, then start again."
                ) from problem
            return self._folder / f"{name}{suffix}"
        raise AssistantError(
            f"A thousand jobs were started within one second in {self._folder}. Start again."
        )

    def _spawn(self, folder: Path, module: str) -> None:
        root = str(Path(__file__).resolve().parents[2])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH", "")]))
        with (folder / "stderr.txt").open("ab") as errors:
            child = subprocess.Popen(
                [sys.executable, "-P", "-m", module, str(folder)],  # -P: nothing from where it was started
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env={**os.environ, "PYTHONPATH": paths},
                start_new_session=True,
            )
        self._children[folder.name] = child
        write_json(folder / "process.json", {"pid": child.pid})

    def _status(self, folder: Path) -> tuple[Status, str]:
        alive = self._alive(folder)
        # Read after the look at the process: a job that ended in between has written its last line.
        events = read_log(folder)
        last = events[-1] if events else {}
        if last.get("event") in ENDINGS:
            return last["event"], str(last.get("message", ""))
        if alive:
            return ("waiting" if last.get("event") in (None, "resumed", "waiting") else "running"), ""
        return (
            "lost",
            f"The process ended without a last word.{self._killed(folder)}{_last_error(folder)} "
            "Start it again: it goes on where it was saved.",
        )

    def _killed(self, folder: Path) -> str:
        child = self._children.get(folder.name)
        if child is None or child.returncode != -signal.SIGKILL:
            return ""
        return " Something killed it, as the system does where memory runs out: close what else is open."

    def _alive(self, folder: Path) -> bool:
        child = self._children.get(folder.name)
        if child is not None:
            return child.poll() is None
        try:
            return _works_in(int(read_json(folder / "process.json")["pid"]), folder)
        except (AssistantError, KeyError, TypeError, ValueError):
            return False


def _works_in(pid: int, folder: Path) -> bool:
    """Whether this process lives and is the job's: numbers are used again, and clocks are set anew."""
    try:
        process = psutil.Process(pid)
        return process.status() != psutil.STATUS_ZOMBIE and str(folder) in process.cmdline()
    except psutil.Error:
        return False


def _last_error(folder: Path) -> str:
    path = folder / "stderr.txt"
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines() if path.exists() else []
    return f" It last said: {lines[-1].strip()[:200]}" if lines else ""
