"""The conversations that `quartet train` is given: imported by the same guarded job as the page's."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import typer

from assistant.cli.following import follow
from assistant.cli.opening import loading
from assistant.conversations import STEPS, Found, Incoming, files_in
from assistant.errors import AssistantError
from assistant.jobs import Event
from assistant.studio import Studio


def import_conversations(studio: Studio, paths: Sequence[Path]) -> None:
    """Import what is new in these files and folders, and say what was left out.

    Raises:
        AssistantError: not all of it was imported, or a person stopped it; what was stays.
    """
    with _waiting(studio, paths) as incoming, loading(studio) as progress:
        if not incoming.found():
            return
        refused: list[str] = []

        def show(event: Event) -> None:
            match event["event"]:
                case "progress":
                    progress(event["text"], event["fraction"])
                case "refused":
                    refused.append(f"{event['name']} was not imported. {event['message']}")
                case "kept":
                    progress.end()
                    _tell(studio, event["name"])

        job = follow(studio.jobs, studio.import_conversations(incoming), show, "Stopping the import.")
    if job.status == "stopped":
        raise AssistantError(job.message)
    if refused:
        raise AssistantError(" ".join(refused))


@contextmanager
def _waiting(studio: Studio, paths: Sequence[Path]) -> Iterator[Incoming]:
    """The files as ones that wait, except those that were imported before; the originals stay as they are.

    Raises:
        AssistantError: one of them can't be imported.
    """
    with (
        TemporaryDirectory(prefix="quartet-") as room,
        closing(Incoming(Path(room) / "incoming")) as incoming,
    ):
        links = []
        for number, (path, name) in enumerate(files_in(paths)):
            link = Path(room) / str(number)
            link.symlink_to(path.resolve())
            links.append((link, name))
        incoming.add(links)
        for found in incoming.found():
            name = found.source.name
            if studio.conversations.twin(*found.source.paths):
                typer.echo(f"{name} is there already, so it is learned from as it is.", err=True)
                incoming.drop(name)
            elif not found.ready:
                raise AssistantError(_why_not(found))
        yield incoming


def _why_not(found: Found) -> str:
    return found.problem or (
        f"{found.source.name}: what its columns hold can't be told. Add it on the page Conversations, "
        "where a person can say."
    )


def _tell(studio: Studio, name: str) -> None:
    """Say what became of a file that was imported."""
    for file in studio.conversations.files():
        about = file.about
        if file.name != name or about is None:
            continue
        for refusal in about.refusals:
            typer.echo(refusal.text, err=True)
        done = ", ".join(
            f"{STEPS[step][0].lower()}: {about.counts[step]:,}" for step in STEPS if about.counts.get(step)
        )
        read = f"{name}: {about.title}, {about.seen:,} read, {about.refused:,} refused"
        typer.echo(f"{read}; {done}" if done else read, err=True)
