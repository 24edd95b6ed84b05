"""`quartet index` and `quartet search`: the company's documents."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from assistant.cli.lines import asked_questions, write_lines
from assistant.cli.opening import loading, open_studio
from assistant.cli.options import OutOption, QuestionsOption, WorkspaceOption
from assistant.cli.problems import plain_errors
from assistant.errors import AssistantError
from assistant.evaluation import Question
from assistant.loading import LocalModels
from assistant.models import STARTER_EMBEDDER
from assistant.studio import Studio
from knowledge.following import Following
from knowledge.retrieval import Progress, files_under


@plain_errors
def index(
    paths: Annotated[list[Path], typer.Argument(help="Documents, or folders of documents.")],
    workspace: WorkspaceOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="Follow the folders: what changes in them later is taken over.")
    ] = False,
) -> None:
    """Add documents to the company's knowledge, or what has changed since; prints a line for each.

    In folders that are followed, what was removed there is removed here too.
    """
    studio = open_studio(workspace, LocalModels())
    missing = [str(path) for path in paths if not path.exists()]
    if missing:
        raise AssistantError(f"There is no {', '.join(missing)}. Name files or folders that exist.")
    following = Following(studio.knowledge)
    for folder in filter(Path.is_dir, paths if follow else ()):
        following.follow(folder)
    followed = {folder.path for folder in following.folders()}
    looked = [str(path.absolute()) for path in paths if str(path.absolute()) in followed]
    others = [path for path in paths if str(path.absolute()) not in followed]
    refused = 0
    with loading(studio) as progress:

        def report(at: Progress) -> None:
            progress(at.text, at.done / max(at.total, 1))

        changes = {path: following.look(path, progress=report) for path in looked}
        states = studio.knowledge.add(files_under(others), progress=report) if others else []
    for path, found in changes.items():
        refused += len(found.refused)
        typer.echo(f"{path}\t{found.text}")
    for state in states:
        refused += state.state == "refused"
        typer.echo(f"{state.name}\t{state.state}\t{state.passages} passages\t{state.message}".rstrip())
    if refused:
        raise AssistantError(f"{refused} of the documents were refused; the others are indexed.")


@plain_errors
def search(
    question: Annotated[str | None, typer.Argument(help="What to look for.")] = None,
    count: Annotated[int, typer.Option("-k", help="Passages to find.", min=1)] = 10,
    questions: QuestionsOption = None,
    out: OutOption = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Find passages for a question, or for a file of questions."""
    studio = open_studio(workspace, LocalModels())
    asked = asked_questions(question, questions)
    with loading(studio) as progress:
        studio.load_knowledge()
        studio.knowledge.renew(progress=lambda at: progress(at.text, at.done / max(at.total, 1)))
    if not len(studio.knowledge):
        raise AssistantError("This company has no documents. Add some with `quartet index PATH`.")
    write_lines(_searched(studio, asked, count), out)


@plain_errors
def search_models(
    embedder: Annotated[
        str | None, typer.Option(help='Embeds the passages: a folder or hub id; "" for the starter.')
    ] = None,
    reranker: Annotated[
        str | None, typer.Option(help='Puts what is found in order: a folder or hub id; "" for none.')
    ] = None,
    workspace: WorkspaceOption = None,
) -> None:
    """Show which models search the company's documents, or choose others: sentence-transformers, safetensors.

    With another embedder all passages are embedded anew, here and now.
    """
    studio = open_studio(workspace, LocalModels())
    with loading(studio) as progress:
        if embedder is not None:
            studio.search_models.choose_embedder(studio.knowledge, embedder)
            studio.knowledge.renewal.wait()
            studio.knowledge.renew(progress=lambda at: progress(at.text, at.done / max(at.total, 1)))
        if reranker is not None:
            studio.search_models.choose_reranker(studio.knowledge, reranker)
    chosen = studio.knowledge.preferences
    typer.echo(f"embedder\t{chosen.embedder or STARTER_EMBEDDER.name}\nreranker\t{chosen.reranker or 'none'}")


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
        yield {"id": question.id, "fits": findings.fits, "passages": passages}
