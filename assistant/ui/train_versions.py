"""The versions on the page Train: use one, look closer, compare two, delete, bring back, export, import.

It reads, calls the core and shows. How a version was made is of no matter here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from assistant.adapters import (
    Adapter,
    delete,
    deleted,
    find,
    import_adapter,
    list_adapters,
    make_current,
    read_report,
    restore,
)
from assistant.errors import AssistantError
from assistant.studio import Studio
from assistant.trainings import changes_since
from assistant.ui.guarding import ODD, refusal
from assistant.ui.layout import CALM, notice
from assistant.ui.parts import PROBLEMS, html, section
from assistant.ui.versions_closer import Looked, closer_html
from assistant.ui.versions_list import deleted_html, download_html, in_use_html, list_html, title

Update = dict[Any, Any]
NONE = ("Nothing", "")


@dataclass(frozen=True)
class Versions:
    """The components of the versions, and what fills them."""

    studio: Studio
    in_use: gr.HTML
    said: gr.HTML
    list: gr.HTML
    bring: gr.UploadButton
    head: gr.HTML
    one: gr.Dropdown
    other: gr.Dropdown
    only: gr.Checkbox
    closer: gr.HTML
    download: gr.HTML
    merge: gr.Button

    @property
    def components(self) -> "list[Any]":
        """Every one that is written to."""
        return [each for each in vars(self).values() if each is not self.studio]

    def used(self) -> str:
        """Key of the version in use; empty while there is none."""
        used, _ = self._used()
        return used.key if used else ""

    def shown(self, said: str = "") -> Update:
        """The versions as they are now."""
        folder = self.studio.workspace.adapters
        used, problem = self._used()
        versions = list_adapters(folder)
        known = [(title(each), each.key) for each in versions if each.lineage]
        chosen = used.key if used else (known[0][1] if known else None)
        return {
            self.in_use: in_use_html(used, self._changes(used)),
            self.said: said + problem,
            self.list: deleted_html(deleted(folder)) + list_html(versions, used.key if used else ""),
            self.one: gr.Dropdown(choices=known, value=chosen, visible=bool(known)),
            self.other: gr.Dropdown(choices=[NONE, *known], value="", visible=len(known) > 1),
            **self.look(chosen, "", True),
        }

    def look(self, one: str | None, other: str | None, only: bool) -> Update:
        """One version closely, or two side by side."""
        try:
            chosen = [self._looked(key) for key in dict.fromkeys((one, other)) if key]
        except PROBLEMS as problem:
            return {self.closer: notice(str(problem), "problem")}
        return {
            self.head: section("Look closer") if chosen else "",
            self.closer: closer_html(chosen, differences_only=only) if chosen else "",
            self.only: gr.Checkbox(visible=len(chosen) > 1),
            self.download: download_html(one or ""),
            self.merge: gr.Button(visible=bool(chosen)),
        }

    def pick(self, event: gr.EventData) -> Update:
        """Look closer at the version that was clicked."""
        key = str(event.name)
        return {self.one: key, self.other: "", **self.look(key, "", True)}

    def use(self, event: gr.EventData) -> Update:
        """Answer with the version that was clicked from now on."""
        return self._changed(lambda: make_current(self.studio.workspace.adapters, str(event.name)))

    def delete(self, event: gr.EventData) -> Update:
        """Take the version that was clicked out of the list; there is a way back."""
        return self._changed(lambda: delete(self.studio.workspace.adapters, str(event.name)))

    def restore(self) -> Update:
        """Bring back the version that was deleted last."""
        return self._changed(lambda: restore(self.studio.workspace.adapters))

    def bring_in(self, path: str | None) -> Update:
        """Take in an adapter from a zip."""
        if path is None:
            raise refusal(ODD)
        folder = self.studio.workspace.adapters
        return self._changed(lambda: import_adapter(folder, Path(path), self.studio.training_model()))

    def merged(self, key: str | None) -> Update:
        """Begin to write the version merged into its base model; says where it will lie."""
        if key is None:
            raise refusal(ODD)
        try:
            self.studio.trainings.merge(key, self.studio.training_model())
        except PROBLEMS as problem:
            return {self.said: notice(str(problem), "problem")}
        text = f"Version {int(key)} is being merged; in a minute it lies in {self.studio.workspace.exports}."
        return {self.said: notice(text, "good")}

    def _looked(self, key: str) -> Looked:
        adapter = find(self.studio.workspace.adapters, key)
        assert adapter.lineage is not None  # `find` raises where it can't be read
        return Looked(adapter, adapter.lineage, read_report(adapter.folder))

    def _changed(self, change: Callable[[], object]) -> Update:
        try:
            change()
        except PROBLEMS as problem:
            return self.shown(notice(str(problem), "problem"))
        return self.shown()

    def _used(self) -> tuple[Adapter | None, str]:
        try:
            return self.studio.adapter(), ""
        except AssistantError as problem:
            return None, notice(str(problem), "problem")

    def _changes(self, used: Adapter | None) -> tuple[str, ...]:
        if used is None:
            return ()
        studio = self.studio
        try:
            conversations = studio.conversations.read().conversations.digests()
            # Until all is loaded, the demo's documents may be on their way in.
            documents = studio.knowledge.digests() if studio.readiness.ready else None
            return changes_since(used, conversations, studio.brand(), documents)
        except PROBLEMS:
            return ()  # what can't be read is told where it is shown


def in_use_part() -> tuple[gr.HTML, gr.HTML, gr.HTML, gr.UploadButton]:
    """Draw the version in use, what is said, the list of all, and the way to take one in."""
    in_use, said = html("q-train-use"), html("q-train-versions-said")
    listed = html("q-train-versions", "use", "look", "delete", "restore")
    bring = gr.UploadButton(
        "Import an adapter (.zip)", file_types=[".zip"], size="sm", elem_id="q-train-import"
    )
    return in_use, said, listed, bring


def closer_part() -> list[Any]:
    """Draw what it takes to look closer: two choices, a switch, the view, and exports."""
    head = html("q-train-closer-head")
    with gr.Row(elem_classes="q-train-closer"):
        one = gr.Dropdown([], label="Version", elem_id="q-train-one")
        other = gr.Dropdown([NONE], value="", label="Beside it", elem_id="q-train-other")
        only = gr.Checkbox(True, label="Show differences only", visible=False, elem_id="q-train-only")
    with gr.Row(elem_classes="q-actions"):
        download = html("q-train-download")
        merge = gr.Button("Export merged with the base model", size="md", elem_id="q-train-merge")
    closer = html("q-train-closer")
    return [head, one, other, only, closer, download, merge]


def connect(versions: Versions) -> None:
    """Connect the handlers of the versions."""
    parts, chosen = versions.components, [versions.one, versions.other, versions.only]
    versions.list.use(versions.use, None, parts, api_name="version_use", **CALM)
    versions.list.look(versions.pick, None, parts, api_name="version_pick", **CALM)
    versions.list.delete(versions.delete, None, parts, api_name="version_delete", **CALM)
    versions.list.restore(versions.restore, None, parts, api_name="version_restore", **CALM)
    versions.bring.upload(versions.bring_in, versions.bring, parts, api_name="version_import", **CALM)
    looks = [each.input for each in chosen]
    gr.on(looks, versions.look, chosen, parts, api_name="version_look", **CALM)
    versions.merge.click(versions.merged, versions.one, versions.said, api_name="version_merge", **CALM)
