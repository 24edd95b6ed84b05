"""The part of the drawer where the models are named that search documents: the embedder and the re-ranker.

It knows two names and what people are told of them. What a model must be is known by `knowledge`.
"""

from collections.abc import Iterator

import gradio as gr

from assistant.models import STARTER_EMBEDDER
from assistant.studio import Studio
from assistant.ui.layout import CALM, notice
from assistant.ui.parts import PROBLEMS, html, quiet
from assistant.wording import counted

LEAD = (
    '<div class="q-panel q-search-lead"><h2>Search models</h2><p class="q-panel-lead">An embedding model '
    "compares passages with questions. A re-ranker reads the best thirty passages again, together with the "
    "question, and orders them better; searches then take longer. Name a folder on this machine, or a hub id "
    "(org/model) to fetch. Only safetensors are loaded, and no code that comes with them is run.</p></div>"
)
LOADING = "The model is being loaded and tried."
SAVED = "Saved. Searches use it from now on."
UNCHANGED = "These are the models in use."
TAKES = (
    "Another embedding model reads {passages} anew, in the background. Until then searches use the "
    "earlier one, and both are in memory."
)
RENEWING = "Saved. {passages} to embed anew; searches use the earlier model until that is done."

Shown = tuple[str, str, str, str, gr.Timer]


class SearchModelHandlers:
    """Each returns the two names, what it takes to change them, what came of it, and whether to follow."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def show(self) -> Shown:
        """The models that are wanted."""
        try:
            chosen = self._studio.knowledge.preferences
        except PROBLEMS as problem:
            return self._shown("", "", notice(str(problem), "problem"))
        return self._shown(chosen.embedder, chosen.reranker, "")

    def save(self, embedder: str, reranker: str) -> Iterator[Shown]:
        """Search with these models; what can't be loaded is told, and changes nothing."""
        yield self._shown(embedder, reranker, notice(LOADING))
        try:
            said = self._choose(embedder.strip(), reranker.strip())
        except PROBLEMS as problem:
            yield self._shown(embedder, reranker, notice(str(problem), "problem"))
            return
        *names, takes, _, clock = self.show()
        yield *names, takes, notice(said, "good"), clock

    def reset(self) -> Iterator[Shown]:
        """Go back to the models that a new company has."""
        yield from self.save("", "")

    def _choose(self, embedder: str, reranker: str) -> str:
        """Take up what differs; returns what came of it."""
        studio, before, said = self._studio, self._studio.knowledge.preferences, UNCHANGED
        if reranker != before.reranker:
            studio.search_models.choose_reranker(studio.knowledge, reranker)
            said = SAVED
        if embedder != before.embedder:
            studio.search_models.choose_embedder(studio.knowledge, embedder)
            said = RENEWING.format(passages=self._passages) if len(studio.knowledge) else SAVED
        return said

    def _shown(self, embedder: str, reranker: str, said: str) -> Shown:
        takes = quiet(TAKES.format(passages=self._passages)) if len(self._studio.knowledge) else ""
        running = self._studio.knowledge.renewal.state.running
        return embedder, reranker, takes, said, gr.Timer(active=running)

    @property
    def _passages(self) -> str:
        return counted(len(self._studio.knowledge), "passage")


def search_models_part(studio: Studio, clock: gr.Timer) -> None:
    """Draw the two names and connect them; `clock` follows how far the index is."""
    does = SearchModelHandlers(studio)
    gr.HTML(LEAD, apply_default_css=False, js_on_load=None)
    embedder = gr.Textbox(
        label="Embedding model",
        placeholder=f"{STARTER_EMBEDDER.name}, which came with Quartet",
        max_lines=1,
        elem_id="q-search-embedder",
    )
    takes = html("q-search-takes")
    reranker = gr.Textbox(label="Re-ranker", placeholder="none", max_lines=1, elem_id="q-search-reranker")
    outcome = html("q-search-outcome")
    with gr.Row(elem_classes="q-actions"):
        save = gr.Button("Use these", variant="primary", size="md", elem_id="q-search-save")
        reset = gr.Button("Reset", size="md", elem_id="q-search-reset")
    shown = [embedder, reranker, takes, outcome, clock]
    gr.on(None, does.show, None, shown, api_name="search_models_show", **CALM)
    both = [embedder, reranker]
    gr.on(
        [save.click, embedder.submit, reranker.submit],
        does.save,
        both,
        shown,
        api_name="search_models_save",
        **CALM,
    )
    reset.click(does.reset, None, shown, api_name="search_models_reset", **CALM)
