"""`quartet version`: the versions of the voice."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.adapters import (
    Adapter,
    current,
    delete,
    export_folder,
    find,
    import_adapter,
    list_adapters,
    make_current,
    read_report,
    restore,
)
from assistant.cli.following import follow
from assistant.cli.opening import loading, open_studio
from assistant.cli.options import ModelOption, WorkspaceOption
from assistant.cli.problems import plain_errors
from assistant.loading import LocalModels
from assistant.workspace import Workspace

app = typer.Typer(help="The versions of the voice: list, use, compare, export, import.", no_args_is_help=True)

VersionArgument = Annotated[int, typer.Argument(help="Number of the version.", min=1)]


@app.command(name="list")
@plain_errors
def list_versions(workspace: WorkspaceOption = None) -> None:
    """A JSON line for each version, newest first."""
    place = _workspace(workspace)
    used = current(place.adapters)
    for adapter in list_adapters(place.adapters):
        typer.echo(json.dumps(_line(adapter, used), ensure_ascii=False))


@app.command()
@plain_errors
def show(number: VersionArgument, workspace: WorkspaceOption = None) -> None:
    """All that is known of a version, as JSON: where it comes from, losses, answers, everyday questions."""
    adapter = find(_workspace(workspace).adapters, _key(number))
    known = {"lineage": adapter.lineage, "report": read_report(adapter.folder)}
    typer.echo(json.dumps(known, default=vars, ensure_ascii=False, indent=2))


@app.command()
@plain_errors
def use(number: VersionArgument, workspace: WorkspaceOption = None) -> None:
    """Answer with this version from now on; the way to roll back."""
    make_current(_workspace(workspace).adapters, _key(number))


@app.command()
@plain_errors
def remove(number: VersionArgument, workspace: WorkspaceOption = None) -> None:
    """Delete a version that is not in use; `restore` brings back the one deleted last."""
    delete(_workspace(workspace).adapters, _key(number))


@app.command(name="restore")
@plain_errors
def restore_version(workspace: WorkspaceOption = None) -> None:
    """Bring back the version that was deleted last."""
    restore(_workspace(workspace).adapters)


@app.command()
@plain_errors
def export(
    number: VersionArgument,
    target: Annotated[Path, typer.Argument(help="Folder to write.")],
    merged: Annotated[
        bool, typer.Option("--merged", help="With the base model, as one model that needs no PEFT.")
    ] = False,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
) -> None:
    """Write a version as a plain PEFT folder, or merged with its base model."""
    studio = open_studio(workspace, LocalModels(model))
    if not merged:
        export_folder(find(studio.workspace.adapters, _key(number)), target)
        return
    with loading(studio):
        job = studio.trainings.merge(_key(number), studio.training_model(), target.absolute())
    follow(studio.jobs, job)


@app.command(name="import")
@plain_errors
def import_version(
    source: Annotated[Path, typer.Argument(help="PEFT folder, or a zip of one.")],
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
) -> None:
    """Take in an adapter as the next version, and use it from then on."""
    studio = open_studio(workspace, LocalModels(model))
    with loading(studio):
        adapter = import_adapter(studio.workspace.adapters, source, studio.training_model())
    typer.echo(json.dumps(_line(adapter, adapter), ensure_ascii=False))


def _line(adapter: Adapter, used: Adapter | None) -> dict[str, Any]:
    line: dict[str, Any] = {
        "version": int(adapter.key),
        "in_use": used is not None and used.key == adapter.key,
    }
    if adapter.lineage is None:
        return line | {"problem": adapter.problem}
    lineage = adapter.lineage
    about = {name: getattr(lineage, name) for name in ("name", "created", "base", "conversations", "seconds")}
    return (
        line | about | {"loss_before": lineage.first_loss, "loss": lineage.best_loss, "bytes": adapter.size}
    )


def _workspace(folder: Path | None) -> Workspace:
    return open_studio(folder, LocalModels()).workspace


def _key(number: int) -> str:
    return f"{number:04d}"
