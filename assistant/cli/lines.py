"""Questions read and results written, as JSON Lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from assistant.errors import AssistantError
from assistant.evaluation import Question, read_questions
from assistant.workspace import write_text


def asked_questions(question: str | None, questions: Path | None) -> tuple[Question, ...]:
    """The one question, or those of the file.

    Raises:
        AssistantError: both are given, or none.
    """
    if (question is None) == (questions is None):
        raise AssistantError("Give one question, or a file with --questions; not both, not none.")
    return read_questions(questions) if questions else (Question("1", question or ""),)


def write_lines(lines: Iterator[dict[str, Any]], out: Path | None) -> None:
    """Print results as JSON Lines while they come, or write them to a file once all are there."""
    if out is None:
        for line in lines:
            typer.echo(json.dumps(line, ensure_ascii=False))
        return
    write_text(out, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))
