"""`quartet backup`, `quartet restore`, `quartet doctor`: nothing is lost, and what is broken is found."""

from pathlib import Path
from typing import Annotated

import typer

from assistant.backup import back_up
from assistant.backup import restore as restore_backup
from assistant.cli.options import WorkspaceOption
from assistant.cli.problems import plain_errors
from assistant.cli.progress import Progress
from assistant.doctor import examine
from assistant.errors import AssistantError
from assistant.loading import LocalModels
from assistant.workspace import default_workspace, existing_workspace

FileArgument = Annotated[Path, typer.Argument(help="The backup's file, such as acme.quartet.")]


@plain_errors
def backup(file: FileArgument, workspace: WorkspaceOption = None) -> None:
    """Write a company into one file; it may be in use meanwhile.

    Models and the people's accounts belong to this machine, not to a company, and are not in it.
    """
    progress = Progress()
    contents = back_up(existing_workspace(workspace or default_workspace()), file, progress)
    progress.end()
    typer.echo(
        f"{file}: {len(contents.files)} files of {contents.company}, {file.stat().st_size / 1e6:.1f} MB"
    )


@plain_errors
def restore(
    file: FileArgument,
    workspace: Annotated[Path, typer.Option("--workspace", help="Folder to restore into; must be new.")],
) -> None:
    """Bring a company back from a backup, checked file by file, into a new folder."""
    progress = Progress()
    contents = restore_backup(file, workspace, progress)
    progress.end()
    typer.echo(f"{workspace}: {len(contents.files)} files of {contents.company}, as of {contents.created}")


@plain_errors
def doctor(workspace: WorkspaceOption = None) -> None:
    """Check company, models and machine; mend what can be mended, say what to do about the rest."""
    progress = Progress()
    wrong = 0
    for finding in examine(
        workspace or default_workspace(), lambda name: LocalModels().encoder(progress, name)
    ):
        progress.end()
        typer.echo(f"{finding.state:7}{finding.what}: {finding.text}")
        wrong += finding.state == "wrong"
    if wrong:
        raise AssistantError(f"{wrong} of these need you; what to do stands beside each.")
