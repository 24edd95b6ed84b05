"""The page Documents: add files, see what became of each, remove and undo, and try a search on them.

It reads, calls the knowledge base and shows. How files are added in the background is known by `intake.py`.
"""

from collections.abc import Callable
from typing import Any

import gradio as gr

from assistant.gaps import times_cited
from assistant.studio import Studio
from assistant.ui.cutting import cutting_drawer, cutting_opener
from assistant.ui.documents_table import addition_html, table_html
from assistant.ui.dropzone import Delivery, dropzone
from assistant.ui.folders import folders_part
from assistant.ui.found import findings_html, source_of
from assistant.ui.gaps import gaps_html
from assistant.ui.guarding import whole
from assistant.ui.intake import Intake
from assistant.ui.layout import CALM, EACH, heading, notice
from assistant.ui.parts import PROBLEMS, html, section
from assistant.ui.sources import document_html, source_html
from knowledge.documents import SUFFIXES

LEAD = "What RAG and Combined look things up in. Add your pages and files, then try what a question finds."
SEARCH_LEAD = (
    '<p class="q-quiet">The search that the assistants use: by meaning and by words at once. '
    "Each passage says why it was found.</p>"
)
HINT = (
    "PDF, Word, PowerPoint, Excel, OpenDocument, web pages, mails, books, text, data and code: single files, "
    "a whole folder or a zip, up to 50 MB a file"
)
BUSY = "Files are being added. Wait until that has ended, or stop it first."
FOUND = 8
"""Passages a search shows."""


class Handlers:
    """What happens on the page; each method reads, calls the knowledge base, and says what to show."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._intake = Intake()

    def load(self) -> tuple[str, str, gr.Timer]:
        """What is being added, the documents, and whether to go on following."""
        addition = self._intake.now(self._company)
        return addition_html(addition), self._table(), gr.Timer(active=bool(addition and addition.running))

    def add(self, event: gr.EventData) -> tuple[str, str, gr.Timer, str]:
        """Begin to add what was dropped; what did not arrive is said apart, where it stays."""
        delivery = Delivery.of(event)
        if delivery.files:
            self._intake.start(self._company, self._studio.knowledge, delivery.files)
        return *self.load(), "".join(notice(text, "problem") for text in delivery.failed)

    def follow(self) -> tuple[str, Any, gr.Timer]:
        """How far the addition is; the table comes once it has ended."""
        addition = self._intake.now(self._company)
        if addition and addition.running:
            return addition_html(addition), gr.skip(), gr.Timer(active=True)
        return self.load()

    def stop(self) -> None:
        """Give up what is being added."""
        self._intake.stop(self._company)

    def remove(self, event: gr.EventData) -> tuple[str, str]:
        """Take out the document that was clicked."""
        return self._changed(lambda: self._studio.knowledge.remove([str(event.name)]))

    def restore(self) -> tuple[str, str]:
        """Bring back what was removed last."""
        knowledge = self._studio.knowledge
        return self._changed(lambda: knowledge.restore([state.name for state in knowledge.removed()]))

    def search(self, question: str) -> str:
        """What a question finds, best first."""
        if not question.strip():
            return ""
        try:
            if not len(self._studio.knowledge):
                return notice("There is nothing to search yet. Add documents first.")
            return findings_html(self._studio.knowledge.search(question.strip(), count=FOUND))
        except PROBLEMS as problem:
            return notice(str(problem), "problem")

    def open(self, event: gr.EventData) -> str:
        """The document that was clicked, for the viewer; its passage marked if one was clicked."""
        knowledge, name, passage = self._studio.knowledge, str(event.name), event._data.get("passage")
        try:
            if passage:
                return source_html(
                    source_of(knowledge.passage(str(passage), name)), whole(event.number), knowledge
                )
            return document_html(knowledge.document(name))
        except PROBLEMS as problem:
            return notice(str(problem), "problem")

    def gaps(self) -> str:
        """The questions that nobody could answer."""
        try:
            return gaps_html(self._studio.gaps())
        except PROBLEMS as problem:
            return notice(str(problem), "problem")

    @property
    def _company(self) -> str:
        return str(self._studio.workspace.root)

    def _table(self) -> str:
        try:
            knowledge, addition = self._studio.knowledge, self._intake.now(self._company)
            documents = knowledge.documents()
            if addition and addition.running and not documents:
                return ""
            cited = times_cited(self._studio.chats.everything())
            return table_html(documents, knowledge.removed(), knowledge.notice, cited=cited)
        except PROBLEMS as problem:
            return notice(str(problem), "problem")

    def _changed(self, change: Callable[[], None]) -> tuple[str, str]:
        addition = self._intake.now(self._company)
        if addition and addition.running:
            return notice(BUSY), self._table()
        try:
            change()
        except PROBLEMS as problem:
            return notice(str(problem), "problem"), self._table()
        return "", self._table()


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    gr.HTML(heading("Documents", LEAD), apply_default_css=False, js_on_load=None)
    with gr.Row(elem_classes="q-parts-columns"):
        with gr.Column(scale=7, min_width=320):
            drop = dropzone(
                "Drop documents here", HINT, (*SUFFIXES, ".zip"), folders=True, elem_id="q-documents-drop"
            )
            renewal = cutting_opener()
            adding = html("q-documents-adding", "stop")
            problem = html("q-documents-problem")
            table = html("q-documents-table", "open", "remove", "restore")
            looked = folders_part(studio)
        with gr.Column(scale=5, min_width=320):
            question, search, found = _search_part()
            open_questions = html("q-documents-gaps")
    with gr.Column(elem_id="q-drawer-source", elem_classes="q-drawer q-drawer-right"):
        source = html("q-source")
    cutting_drawer(studio, renewal)
    clock = gr.Timer(0.5, active=False)

    does = Handlers(studio)
    added, changed = [adding, table, clock], [problem, table]
    gr.on(None, does.load, None, added, api_name="documents_load", **CALM)
    gr.on(None, does.gaps, None, open_questions, api_name="documents_gaps", **CALM)
    looked.change(does.load, None, added, api_name="documents_looked", **CALM)
    drop.upload(does.add, None, [*added, problem], api_name="documents_add", **CALM)
    clock.tick(does.follow, None, added, api_name="documents_follow", **CALM)
    adding.stop(does.stop, None, None, api_name="documents_stop", **CALM)
    table.remove(does.remove, None, changed, api_name="documents_remove", **EACH)
    table.restore(does.restore, None, changed, api_name="documents_restore", **EACH)
    gr.on([question.submit, search.click], does.search, question, found, api_name="documents_search")
    for place, name in ((table, "document_open"), (found, "passage_open")):
        opened = place.open(does.open, None, source, api_name=name, **CALM)
        opened.then(None, js="() => quartet.showPassage()")


def _search_part() -> tuple[gr.Textbox, gr.Button, gr.HTML]:
    gr.HTML(section("Try a search") + SEARCH_LEAD, apply_default_css=False, js_on_load=None)
    with gr.Row(elem_classes="q-parts-ask"):
        question = gr.Textbox(
            show_label=False,
            label="Search",
            placeholder="Ask as your customers do",
            elem_id="q-documents-question",
        )
        search = gr.Button("Search", size="md", elem_id="q-documents-search")
    return question, search, html("q-documents-found", "open")
