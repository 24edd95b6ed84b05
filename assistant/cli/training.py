"""`quartet train`: a new version of the voice."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer

from assistant.cli.opening import loading, open_studio
from assistant.cli.options import ModelOption, WorkspaceOption
from assistant.cli.problems import plain_errors
from assistant.conversations import STEPS, About, Cleaning, files_in, gather, import_file
from assistant.errors import AssistantError
from assistant.jobs import Job, Jobs
from assistant.loading import LocalModels
from assistant.studio import Studio


@plain_errors
def train(
    conversations: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders of conversations to import first.")
    ] = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    settings: Annotated[str, typer.Option(help='Training settings as JSON, such as {"epochs": 3}.')] = "{}",
) -> None:
    """Fine-tune an adapter on the company's conversations, and use it from then on."""
    studio = open_studio(workspace, LocalModels(model))
    wanted = _settings(settings)
    if conversations:
        _import(studio, conversations)
    with loading(studio):
        job = studio.train(wanted)
    _follow(studio.jobs, job)


def _import(studio: Studio, paths: list[Path]) -> None:
    """Import what is new in these files and folders, as the page does; say what was left out."""
    with TemporaryDirectory(prefix="quartet-") as room, loading(studio) as progress:
        for found in gather(files_in(paths), Path(room)):
            name = found.source.name
            if studio.conversations.twin(*found.source.paths):
                typer.echo(f"{name} is there already, so it is learned from as it is.", err=True)
                continue
            if found.recognised is None:
                raise AssistantError(found.problem)
            about = import_file(
                studio.conversations,
                found.source,
                found.recognised,
                Cleaning(),
                lambda at: progress(at.text, at.fraction),
            )
            for refusal in about.refusals:
                typer.echo(refusal.text, err=True)
            typer.echo(_told(name, about), err=True)


def _told(name: str, about: About) -> str:
    done = [f"{STEPS[step][0].lower()}: {about.counts[step]:,}" for step in STEPS if about.counts.get(step)]
    read = f"{name}: {about.title}, {about.seen:,} read, {about.refused:,} refused"
    return "; ".join([read, ", ".join(done)]) if done else read


def _settings(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except json.JSONDecodeError as problem:
        raise AssistantError(
            f'--settings {text!r} is not JSON ({problem}). Write it like {{"epochs": 3}}.'
        ) from problem
    if not isinstance(value, dict):
        raise AssistantError(f'--settings {text!r} is no JSON object. Write it like {{"epochs": 3}}.')
    return value


def _follow(jobs: Jobs, job: Job) -> None:
    """Print the job's log as it grows; Ctrl-C asks it to save and stop."""
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
        case "step":
            typer.echo(
                f"step {event['step']} of {event['steps']}, loss {event['loss']:.3f}, "
                f"{event['tokens_per_second']:.0f} tokens/s, {event['seconds_left']:.0f} s left",
                err=True,
            )
        case "evaluation":
            typer.echo(f"evaluation loss {event['loss']:.3f} after step {event['step']}", err=True)
        case "finished" | "stopped":
            typer.echo(json.dumps(event, ensure_ascii=False))
