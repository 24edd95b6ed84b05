"""`quartet ask` and `quartet evaluate`: what the lanes answer, and how good that is."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.lines import asked_questions, write_lines
from assistant.cli.opening import chosen_models, loading, open_studio
from assistant.cli.options import (
    EightBitOption,
    EndpointAdapterOption,
    EndpointModelOption,
    EndpointOption,
    LanesOption,
    ModelOption,
    OutOption,
    QuestionsOption,
    WorkspaceOption,
)
from assistant.cli.problems import plain_errors
from assistant.cli.progress import Progress
from assistant.demo import DEMO_QUESTIONS
from assistant.evaluation import Question, read_answers, read_questions
from assistant.evaluation import evaluate as evaluated
from assistant.lanes import LANES, Answer, Lane, Sampling, lane_of
from assistant.lanes import ask as ask_lanes
from assistant.reports import evaluation_table
from assistant.studio import Studio
from assistant.wording import counted

AT_ONCE = 4
"""Questions asked at the same time; with four lanes each they fill the engine's slots."""


@plain_errors
def ask(
    question: Annotated[str | None, typer.Argument(help="What to ask.")] = None,
    questions: QuestionsOption = None,
    out: OutOption = None,
    lanes: LanesOption = "prompt,tuned,rag,combined",
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    eight_bit: EightBitOption = False,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = "",
    endpoint_adapter: EndpointAdapterOption = "",
) -> None:
    """Ask the lanes a question, or a file of questions; a JSON line for each lane's answer."""
    models = chosen_models(model, endpoint, endpoint_model, endpoint_adapter, eight_bit=eight_bit)
    studio = open_studio(workspace, models)
    asked = asked_questions(question, questions)
    chosen = _lanes(lanes, studio)
    with loading(studio):
        studio.load()
    write_lines(_answered(studio, asked, chosen), out)


@plain_errors
def evaluate(
    questions: QuestionsOption = None,
    answers: Annotated[
        Path | None, typer.Option(help="Score this file of answers instead of asking anew.")
    ] = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    eight_bit: EightBitOption = False,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = "",
    endpoint_adapter: EndpointAdapterOption = "",
) -> None:
    """Score the lanes on questions with known answers (default: the demo's), with intervals, as Markdown."""
    models = chosen_models(model, endpoint, endpoint_model, endpoint_adapter, eight_bit=eight_bit)
    studio = open_studio(workspace, models)
    asked = read_questions(questions or DEMO_QUESTIONS)
    if answers is None:
        with loading(studio):
            studio.load()
        rows = list(_answered(studio, asked, LANES))
        if out:
            write_lines(iter(rows), out)
        given = {(row["id"], row["lane"]): row["answer"] for row in rows}
    else:
        given = read_answers(answers)
    typer.echo(evaluation_table(evaluated(asked, given, studio.brand())))


def _lanes(names: str, studio: Studio) -> tuple[Lane, ...]:
    lanes = tuple(lane_of(name.strip()) for name in names.split(","))
    if not studio.has_adapter() and any(lane.tuned for lane in lanes):
        typer.echo(
            "No adapter yet: the tuned lanes will say so. Train one with `quartet train`, or name a model "
            "server's with --endpoint-adapter.",
            err=True,
        )
    return lanes


def _answered(
    studio: Studio, asked: tuple[Question, ...], lanes: tuple[Lane, ...]
) -> Iterator[dict[str, Any]]:
    """A line for each question and lane; `AT_ONCE` questions are asked at a time."""
    setup = studio.setup(Sampling())

    def answers(question: Question) -> tuple[Answer, ...]:
        histories = {lane.key: question.history for lane in lanes}
        return list(ask_lanes(question.question, setup, lanes=lanes, histories=histories))[-1]

    progress, doing = Progress(), f"Asking {counted(len(asked), 'question')}"
    progress(doing, 0.0)
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for done, (question, given) in enumerate(zip(asked, pool.map(answers, asked), strict=True), 1):
            progress.end()
            for answer in given:
                if answer.error:
                    typer.echo(f"{question.id}, {answer.lane}: {answer.error}", err=True)
                yield _line(question, answer)
            if done < len(asked):
                progress(doing, done / len(asked))


def _line(question: Question, answer: Answer) -> dict[str, Any]:
    value = answer.to_json()
    return {
        "id": question.id,
        "lane": answer.lane,
        "answer": answer.text,
        "passages": value["sources"],
        "record": value["record"],
    }
