"""Long tasks, each in a process of its own, with a log that pages read."""

from assistant.jobs.line import TakenError, turn
from assistant.jobs.log import Event, JobLog, Stop, read_log
from assistant.jobs.store import Job, Jobs, Status

__all__ = ["Event", "Job", "JobLog", "Jobs", "Status", "Stop", "TakenError", "read_log", "turn"]
