"""A job followed to its end: its log as lines on stderr, its result on stdout."""

import json
import time
from collections.abc import Mapping
from typing import Any

import typer

from assistant.errors import AssistantError
from assistant.jobs import Job, Jobs


def follow(jobs: Jobs, job: Job) -> None:
    """Print the job's log as it grows; Ctrl-C asks it to save and stop.

    Raises:
        AssistantError: the job failed.
    """
    shown = 0
    while True:
        job = jobs.find(job.key)
        events = jobs.events(job.key)
        for event in events[shown:]:
            _show_event(event)
        shown = len(events)
        if not job.active:
            break
        try:
            time.sleep(0.5)
        except KeyboardInterrupt:
            typer.echo("Saving what was learned, then stopping.", err=True)
            jobs.stop(job.key)
    if job.status in ("failed", "lost"):
        raise AssistantError(job.message)


def _show_event(event: Mapping[str, Any]) -> None:
    match event["event"]:
        case "stage":
            typer.echo(event["text"], err=True)
        case "waiting":
            typer.echo(f"waiting for its turn, {event['before']} before it", err=True)
        case "step":
            typer.echo(
                f"step {event['step']} of {event['steps']}, loss {event['loss']:.3f}, "
                f"{event['tokens_per_second']:.0f} tokens/s, {event['seconds_left']:.0f} s left",
                err=True,
            )
        case "evaluation":
            typer.echo(f"evaluation loss {event['loss']:.3f} after step {event['step']}", err=True)
        case "early":
            typer.echo(f"ends early: nothing was better than after step {event['best']}", err=True)
        case "finished" | "stopped":
            typer.echo(json.dumps(event, ensure_ascii=False))
