"""`quartet train`: a new version of the voice."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.following import follow
from assistant.cli.importing import import_conversations
from assistant.cli.opening import loading, open_studio
from assistant.cli.options import ModelOption, WorkspaceOption
from assistant.cli.problems import plain_errors
from assistant.errors import AssistantError
from assistant.loading import LocalModels
from assistant.studio import Studio
from assistant.training.machine import torchrun
from assistant.training.presets import PRESETS


@plain_errors
def train(
    conversations: Annotated[
        list[Path] | None, typer.Argument(help="Files or folders of conversations to import first.")
    ] = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    preset: Annotated[
        str, typer.Option(help=f"How thoroughly: {', '.join(each.key for each in PRESETS)}.")
    ] = "balanced",
    settings: Annotated[
        str, typer.Option(help='Settings to change in it, as JSON, such as {"epochs": 3}.')
    ] = "{}",
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Measure a few steps and say what it will take; train nothing.")
    ] = False,
) -> None:
    """Fine-tune an adapter on the company's conversations, and use it from then on.

    On several graphics cards they learn together; --settings '{"processes": 2}' or torchrun says how many.
    """
    together = _together()
    if together is None:
        return
    studio = open_studio(workspace, LocalModels(model))
    wanted = _preset(preset) | together | _settings(settings)
    if conversations:
        import_conversations(studio, conversations)
    if estimate:
        _estimate(studio, wanted)
        return
    with loading(studio):
        job = studio.train(wanted)
    follow(studio.jobs, job)


def _together() -> dict[str, Any] | None:
    """What torchrun asks for, as settings; None in those of its processes that the first one stands for."""
    started = torchrun()
    if started is None:
        return {}
    return {"processes": started.processes} if started.rank == 0 else None


def _estimate(studio: Studio, settings: dict[str, Any]) -> None:
    """Print an estimate as JSON, measured first if it was not before."""
    with loading(studio):
        model = studio.training_model()
    conversations = studio.conversations.read().conversations
    found = studio.trainings.estimate(conversations, settings, model)
    if found is None:
        follow(studio.jobs, studio.trainings.measure(settings, model))
        found = studio.trainings.estimate(conversations, settings, model)
    if found:
        typer.echo(json.dumps(asdict(found), ensure_ascii=False))


def _preset(key: str) -> dict[str, Any]:
    for preset in PRESETS:
        if preset.key == key:
            return asdict(preset.settings)
    raise AssistantError(
        f"--preset {key!r} is none; there are {', '.join(each.key for each in PRESETS)}. Name one of them."
    )


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
