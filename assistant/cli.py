"""The `quartet` command: serve the pages, and the same work for scripts.

Progress goes to stderr, results to stdout or a file. It knows arguments and exit codes; the studio does the
work.
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.demo import DEMO_QUESTIONS, seed_demo
from assistant.endpoint import KEY_VARIABLE, Endpoint
from assistant.errors import AssistantError, unwritable
from assistant.evaluation import Question, evaluate, read_answers, read_questions
from assistant.jobs import Job, Jobs
from assistant.lanes import LANES, Answer, Lane, Sampling, ask, lane_of
from assistant.loading import LocalModels, RemoteModels
from assistant.reports import evaluation_table
from assistant.studio import ModelSource, Studio
from assistant.workspace import default_workspace, open_workspace, quartet_home, write_text
from knowledge.errors import KnowledgeError
from knowledge.retrieval import files_under

app = typer.Typer(
    help="Quartet: find out whether your chat assistant needs prompting, fine-tuning, retrieval, or both.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", help="Folder of the company to open; made if missing. Default: the demo company."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help="Chat model: a local folder of safetensors, or a hub id. Default: the starter model."
    ),
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        help="Chat on this OpenAI-compatible server instead, such as http://gpu:8000/v1; "
        f"its key is read from {KEY_VARIABLE}.",
    ),
]
EndpointModelOption = Annotated[
    str, typer.Option("--endpoint-model", help="What the endpoint calls the base model.")
]
EndpointAdapterOption = Annotated[
    str, typer.Option("--endpoint-adapter", help="What the endpoint calls the adapter of the tuned lanes.")
]
QuestionsOption = Annotated[
    Path | None, typer.Option("--questions", help="JSON Lines file of questions: id, question, history.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write results to this file instead of stdout.")
]
LanesOption = Annotated[
    str, typer.Option("--lanes", help="Lanes that answer, by comma: prompt, tuned, rag, combined.")
]

Command = Callable[..., None]


def _plain_errors(command: Command) -> Command:
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


@app.command()
@_plain_errors
def serve(
    workspace: WorkspaceOption = None,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65535)] = 7860,
    model: ModelOption = None,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = "",
    endpoint_adapter: EndpointAdapterOption = "",
) -> None:
    """Open the studio in the browser."""
    from assistant.server import serve as serve_pages

    studio = _studio(workspace, _models(model, endpoint, endpoint_model, endpoint_adapter))
    studio.load_in_background()
    serve_pages(studio, host, port)


@app.command()
@_plain_errors
def index(
    paths: Annotated[list[Path], typer.Argument(help="Documents, or folders of documents.")],
    workspace: WorkspaceOption = None,
) -> None:
    """Add documents to the company's knowledge; prints a line for each."""
    studio = _studio(workspace, LocalModels())
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise AssistantError(f"There is no {', '.join(missing)}. Name files or folders that exist.")
    refused = 0
    try:
        states = studio.knowledge.add(files_under(paths), progress=_show_progress)
    finally:
        typer.echo(err=True)  # ends the line of the progress
    for state in states:
        refused += state.state == "refused"
        typer.echo(f"{state.name}\t{state.state}\t{state.passages} passages\t{state.message}".rstrip())
    if refused:
        raise AssistantError(f"{refused} of the documents were refused; the others are indexed.")


@app.command()
@_plain_errors
def search(
    question: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    count: Annotated[int, typer.Option("-k", help="Passages to find.", min=1)] = 10,
    questions: QuestionsOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Find passages for a question, or for a file of questions."""
    studio = _studio(workspace, LocalModels())
    if not len(studio.knowledge):
        raise AssistantError("This company has no documents. Add some with `quartet index PATH`.")
    asked = _asked(question, questions)
    _write(_searched(studio, asked, count), out)


@app.command()
@_plain_errors
def train(
    conversations: Annotated[
        list[Path] | None, typer.Argument(help="JSONL files to add before training.")
    ] = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    settings: Annotated[str, typer.Option(help='Training settings as JSON, such as {"epochs": 3}.')] = "{}",
) -> None:
    """Fine-tune an adapter on the company's conversations, and use it from then on."""
    studio = _studio(workspace, LocalModels(model))
    for path in conversations or ():
        if path.is_file() and studio.conversations.twin(path):
            typer.echo(f"{path.name} is there already, so it is learned from as it is.", err=True)
            continue
        reading = studio.conversations.add(path, path.name)
        for refusal in reading.refused:
            typer.echo(refusal.text, err=True)
    job = studio.train(_settings(settings))
    _follow(studio.jobs, job)


@app.command(name="ask")
@_plain_errors
def ask_command(
    question: Annotated[str | None, typer.Argument(help="What to ask.")] = None,
    questions: QuestionsOption = None,
    out: OutOption = None,
    lanes: LanesOption = "prompt,tuned,rag,combined",
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = "",
    endpoint_adapter: EndpointAdapterOption = "",
) -> None:
    """Ask the lanes a question, or a file of questions; a JSON line for each lane's answer."""
    studio = _studio(workspace, _models(model, endpoint, endpoint_model, endpoint_adapter))
    asked = _asked(question, questions)
    chosen = _lanes(lanes, studio)
    studio.load()
    _write(_answered(studio, asked, chosen), out)


@app.command(name="evaluate")
@_plain_errors
def evaluate_command(
    questions: QuestionsOption = None,
    answers: Annotated[
        Path | None, typer.Option(help="Score this file of answers instead of asking anew.")
    ] = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
    model: ModelOption = None,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = "",
    endpoint_adapter: EndpointAdapterOption = "",
) -> None:
    """Score the lanes on questions with known answers (default: the demo's), with intervals, as Markdown."""
    studio = _studio(workspace, _models(model, endpoint, endpoint_model, endpoint_adapter))
    asked = read_questions(questions or DEMO_QUESTIONS)
    if answers is None:
        studio.load()
        rows = list(_answered(studio, asked, LANES))
        if out:
            _write(iter(rows), out)
        given = {(row["id"], row["lane"]): row["answer"] for row in rows}
    else:
        given = read_answers(answers)
    typer.echo(evaluation_table(evaluate(asked, given, studio.brand())))


AT_ONCE = 4
"""Questions asked at the same time; with four lanes each they fill the engine's slots."""
LIBRARY_SETTINGS = {
    "OMP_WAIT_POLICY": "PASSIVE",  # chats and a training share the cores; threads that spin would slow both
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""For the libraries that are loaded later, and for the processes of jobs; what the user has set stays."""


def _models(model: str | None, endpoint: str | None, base: str, adapter: str) -> ModelSource:
    """The models of this machine or, with the options for an endpoint, of the model server it names."""
    if endpoint is not None:
        key = os.environ.get(KEY_VARIABLE, "").strip()
        served = Endpoint(endpoint.strip(), base, adapter, key=key)
        if model is None:
            return RemoteModels(served)
        typer.echo(
            f"{served.model} answers, on the model server; {model} is for training only. Load a new adapter "
            "on the server and name it with --endpoint-adapter to hear it.",
            err=True,
        )
        return RemoteModels(served, LocalModels(model))
    if base or adapter:
        raise AssistantError(
            f"{base or adapter} is to be asked on a model server, and none is named. "
            "Add --endpoint and its address, such as http://127.0.0.1:8000/v1."
        )
    return LocalModels(model)


def _studio(workspace: Path | None, models: ModelSource) -> Studio:
    for name, value in LIBRARY_SETTINGS.items():
        os.environ.setdefault(name, value)
    if workspace is None:
        seed_demo(open_workspace(default_workspace()))
    return Studio(workspace or default_workspace(), models)


def _asked(question: str | None, questions: Path | None) -> tuple[Question, ...]:
    if (question is None) == (questions is None):
        raise AssistantError("Give one question, or a file with --questions; not both, not none.")
    return read_questions(questions) if questions else (Question("1", question or ""),)


def _lanes(names: str, studio: Studio) -> tuple[Lane, ...]:
    lanes = tuple(lane_of(name.strip()) for name in names.split(","))
    if not studio.has_adapter() and any(lane.tuned for lane in lanes):
        typer.echo(
            "No adapter yet: the tuned lanes will say so. Train one with `quartet train`, or name a model "
            "server's with --endpoint-adapter.",
            err=True,
        )
    return lanes


def _searched(studio: Studio, asked: Iterable[Question], count: int) -> Iterator[dict[str, Any]]:
    for question in asked:
        history = [(turn.role, turn.content) for turn in question.history]
        findings = studio.knowledge.search(question.question, history, count=count)
        passages = [
            {
                "document": found.passage.document,
                "place": found.passage.place,
                "text": found.passage.text,
                "score": found.score,
            }
            for found in findings.found
        ]
        yield {"id": question.id, "passages": passages}


def _answered(
    studio: Studio, asked: tuple[Question, ...], lanes: tuple[Lane, ...]
) -> Iterator[dict[str, Any]]:
    """A line for each question and lane; `AT_ONCE` questions are asked at a time."""
    setup = studio.setup(Sampling())

    def answers(question: Question) -> tuple[Answer, ...]:
        histories = {lane.key: question.history for lane in lanes}
        return list(ask(question.question, setup, lanes=lanes, histories=histories))[-1]

    began = time.monotonic()
    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        for done, (question, given) in enumerate(zip(asked, pool.map(answers, asked), strict=True), 1):
            left = (time.monotonic() - began) / done * (len(asked) - done)
            typer.echo(
                f"\r{done} of {len(asked)} questions, {left:.0f} s left ", err=True, nl=done == len(asked)
            )
            for answer in given:
                if answer.error:
                    typer.echo(f"{question.id}, {answer.lane}: {answer.error}", err=True)
                yield _line(question, answer)


def _line(question: Question, answer: Answer) -> dict[str, Any]:
    value = answer.to_json()
    return {
        "id": question.id,
        "lane": answer.lane,
        "answer": answer.text,
        "passages": value["sources"],
        "record": value["record"],
    }


def _write(lines: Iterator[dict[str, Any]], out: Path | None) -> None:
    if out is None:
        for line in lines:
            typer.echo(json.dumps(line, ensure_ascii=False))
        return
    write_text(out, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


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


def _show_progress(progress: Any) -> None:
    typer.echo(f"\r{progress.text} ", err=True, nl=False)


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


def main() -> None:
    """Entry point of the `quartet` command."""
    app()


if __name__ == "__main__":
    sys.exit(app())
