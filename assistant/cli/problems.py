"""What goes wrong, as one sentence on stderr and an exit code."""

from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import typer

from assistant.errors import AssistantError, unwritable
from assistant.workspace import quartet_home
from knowledge.errors import KnowledgeError

Command = Callable[..., None]


def plain_errors(command: Command) -> Command:
    """Show a problem that a person can put right as one sentence, and end with exit code 1."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> None:
        try:
            command(*args, **options)
        except (AssistantError, KnowledgeError) as problem:
            typer.echo(f"quartet: {problem}", err=True)
            raise typer.Exit(1) from problem
        except OSError as problem:
            named = unwritable(Path(problem.filename or quartet_home()), problem)
            typer.echo(f"quartet: {named}", err=True)
            raise typer.Exit(1) from problem

    return run
