"""A job followed to its end: its log as lines on stderr, its result on stdout."""

import json
import time
from collections.abc import Callable

import typer

from assistant.errors import AssistantError
from assistant.jobs import Event, Job, Jobs


def show_training(event: Event) -> None:
    """Print an event of a training: progress on stderr, its result on stdout."""
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


def follow(
    jobs: Jobs,
    job: Job,
    show: Callable[[Event], None] = show_training,
    stopping: str = "Saving what was learned, then stopping.",
) -> Job:
    """Show the job's log as it grows, and give the job as it ended; Ctrl-C says `stopping` and ends it.

    Raises:
        AssistantError: the job failed.
    """
    shown = 0
    while True:
        try:
            job = jobs.find(job.key)
            for event in jobs.events(job.key)[shown:]:
                shown += 1
                show(event)
            if not job.active:
                break
            time.sleep(0.5)
        except KeyboardInterrupt:
            typer.echo(stopping, err=True)
            jobs.stop(job.key)
    if job.status in ("failed", "lost"):
        raise AssistantError(job.message)
    return job
