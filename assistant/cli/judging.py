"""`quartet stats` and `quartet report`: what ratings and votes come to."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.opening import open_studio
from assistant.cli.options import WorkspaceOption
from assistant.cli.problems import plain_errors
from assistant.comparison import Study
from assistant.errors import AssistantError
from assistant.loading import LocalModels
from assistant.reports import figures, read_ratings
from assistant.reports.files import FORMATS
from assistant.reports.judged import report_on
from assistant.reports.lines import as_text
from assistant.reports.systems import as_json
from assistant.studio import Studio
from assistant.workspace import write_bytes

Kind = Enum("Kind", {name: name for name in FORMATS}, type=str)  # type: ignore[misc]
SENTENCES = Kind("text")


@plain_errors
def stats(
    ratings: Annotated[
        Path,
        typer.Argument(
            help="CSV file with the columns item, system, aspect, rater, score; or item, a, b, rater, winner."
        ),
    ],
    json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Means, differences, strengths and agreement of a table of human ratings, with intervals."""
    table = read_ratings(ratings)
    found = figures(table)
    for note in table.notes:
        typer.echo(note, err=True)
    typer.echo(as_json(found, table.notes) if json else as_text(found))


@plain_errors
def report(
    study: Annotated[str, typer.Argument(help="The study, by name or id. Default: the newest.")] = "",
    kind: Annotated[Kind, typer.Option("--format", help="What to write.")] = SENTENCES,
    out: Annotated[Path | None, typer.Option("--out", help="Write to this file instead of stdout.")] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """What a study's votes come to: in sentences, as a page, as CSV or JSON, or as data to train on."""
    studio = open_studio(workspace, LocalModels())
    chosen = _chosen(studio, study)
    found = report_on(studio.desk, chosen.id, studio.brand().name, studio.workspace.adapters)
    text = FORMATS[kind.value].text(found)
    if out:
        write_bytes(out, text.encode("utf-8"))
    else:
        typer.echo(text.rstrip("\n"))


def _chosen(studio: Studio, name: str) -> Study:
    studies = studio.studies.list()
    if not studies:
        raise AssistantError("This company has no study yet. Make one on the page Study.")
    for each in studies:
        if not name or name in (each.id, each.name):
            return each
    names = ", ".join(each.name for each in studies)
    raise AssistantError(f"There is no study {name!r}; there are {names}. Name one of them.")
