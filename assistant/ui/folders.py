"""Folders that are followed: named, looked at with a button, left alone again, on the page Documents.

It knows what a person sees and presses. What a look changes is known by `knowledge.following`.
"""

from collections.abc import Iterator
from html import escape
from pathlib import Path

import gradio as gr

from assistant.errors import AssistantError
from assistant.studio import Studio
from assistant.ui.layout import CALM, notice
from assistant.ui.parts import PROBLEMS, action, html, quiet, section
from assistant.ui.rendering import moment
from assistant.wording import counted
from assistant.workspace import quartet_home
from knowledge.following import Folder, Following

LEAD = (
    "A folder on this machine or a drive it is connected to. What is added, changed or removed there "
    "follows here by itself."
)
TIMES = {"Every 5 minutes": 5, "Every hour": 60, "Every day": 1440, "When I press the button": 0}
HOUR = "Every hour"
LOOKING = "Looking through the folder. New files are read and searched from then on."


def folders_html(folders: list[Folder]) -> str:
    """The folders that are followed, with when each was looked at and what went wrong; or why to name one."""
    if not folders:
        return section("Linked folders") + quiet(LEAD)
    rows = "".join(map(_row, folders))
    return section("Linked folders") + f'<ul class="q-folders">{rows}</ul>'


def _row(folder: Folder) -> str:
    often = next((name for name, minutes in TIMES.items() if minutes == folder.minutes), HOUR)
    looked = f"looked at {moment(folder.looked)}" if folder.looked else "not looked at yet"
    facts = f"{counted(len(folder.seen), 'file')} · {escape(often.lower())} · {looked}"
    buttons = action("Look now", "look", folder.path, label=f"Look now at {folder.path}")
    buttons += action("Unlink", "unlink", folder.path, kind="bare", label=f"Unlink {folder.path}")
    problem = notice(folder.problem, "problem") if folder.problem else ""
    return (
        f'<li><div class="q-folders-row"><div><b>{escape(folder.path)}</b><p>{facts}</p></div>'
        f'<div class="q-folders-buttons">{buttons}</div></div>{problem}</li>'
    )


def _refuse_own(path: Path) -> None:
    """See that a folder has nothing in it that Quartet keeps, such as accounts and other companies.

    Raises:
        AssistantError: it has.
    """
    place, home = path.expanduser().resolve(), quartet_home().resolve()
    if place.is_relative_to(home) or home.is_relative_to(place):
        raise AssistantError(f"{place} holds what Quartet itself keeps. Choose a folder of documents.")


class FolderHandlers:
    """Each returns the folders as HTML and what came of it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def show(self) -> tuple[str, str]:
        """The folders."""
        try:
            return folders_html(self._following.folders()), ""
        except PROBLEMS as problem:
            return "", notice(str(problem), "problem")

    def follow(self, path: str, often: str) -> Iterator[tuple[str, str, str]]:
        """Follow a folder and look at it; the field is emptied once that is done."""
        try:
            if not path.strip():
                raise FileNotFoundError
            _refuse_own(Path(path.strip()))
            folder = self._following.follow(Path(path.strip()), minutes=TIMES.get(often, 60))
        except FileNotFoundError:
            yield *self.show()[:1], notice("Type the folder's path first, such as /srv/handbook."), path
            return
        except PROBLEMS as problem:
            yield *self.show()[:1], notice(str(problem), "problem"), path
            return
        for shown, said in self._look(folder.path):
            yield shown, said, ""

    def look(self, event: gr.EventData) -> Iterator[tuple[str, str]]:
        """Look at the folder that was clicked."""
        yield from self._look(str(event.name))

    def unlink(self, event: gr.EventData) -> tuple[str, str]:
        """Follow the folder that was clicked no longer."""
        self._following.unfollow(str(event.name))
        done = f"{event.name} is no longer followed. Its documents stay until you remove them."
        return self.show()[0], notice(done)

    @property
    def _following(self) -> Following:
        return Following(self._studio.knowledge)

    def _look(self, path: str) -> Iterator[tuple[str, str]]:
        yield self.show()[0], notice(LOOKING)
        try:
            found = self._following.look(path).text
            said = notice(f"Looked at {path}: {found}.", "good")
        except PROBLEMS:
            said = ""  # it stands with the folder
        yield self.show()[0], said


def folders_part(studio: Studio) -> gr.HTML:
    """Draw the part and connect it; gives what changes when a folder was looked at."""
    does = FolderHandlers(studio)
    listed = html("q-folders", "look", "unlink")
    with gr.Row(elem_classes="q-folders-add"):
        path = gr.Textbox(
            show_label=False, label="Folder", placeholder="/srv/handbook", elem_id="q-folders-path", scale=3
        )
        often = gr.Dropdown(
            list(TIMES), value=HOUR, show_label=False, label="How often", elem_id="q-folders-often", scale=2
        )
        add = gr.Button("Link folder", size="md", elem_id="q-folders-link", scale=1)
    outcome = html("q-folders-outcome")
    shown = [listed, outcome]
    gr.on(None, does.show, None, shown, api_name="folders_show", **CALM)
    gr.on(
        [add.click, path.submit],
        does.follow,
        [path, often],
        [*shown, path],
        api_name="folders_link",
        **CALM,
    )
    listed.look(does.look, None, shown, api_name="folders_look", **CALM)
    listed.unlink(does.unlink, None, shown, api_name="folders_unlink", **CALM)
    return outcome
