"""`quartet stats` and `quartet report`: what ratings and votes come to."""

from pathlib import Path
from typing import Annotated

import typer

from assistant.cli.problems import plain_errors
from assistant.reports.lines import as_text
from assistant.reports.systems import as_json, figures
from assistant.reports.tables import read_ratings


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
