"""The drawer with how documents are cut and searched, and how far the index is that follows from it.

It knows two numbers and what people are told of them. What is made of them is known by `knowledge`.
"""

import gradio as gr

from assistant.studio import Studio
from assistant.ui.layout import CALM, notice
from assistant.ui.parts import PROBLEMS, html
from assistant.ui.search_models import search_models_part
from knowledge.chunking import MAX_WORDS, MIN_WORDS, CutSettings
from knowledge.renewal import RenewalState

LEAD = (
    '<div class="q-panel"><h2>Passages</h2><p class="q-panel-lead">Documents are searched in passages. '
    "Shorter ones answer narrow questions more exactly; longer ones keep more of what belongs together. "
    "Headings, tables and questions with their answers stay whole where they fit.</p></div>"
)
SAVED = "Saved. New documents are cut so."
RENEWING = "Saved. The passages are made anew in the background; searches use the earlier ones until then."
OPENER = (
    '<div class="q-cutting-opener"><button type="button" class="q-parts-bare" data-opens="cutting">'
    "How documents are cut and searched</button></div>"
)


def renewal_html(state: RenewalState) -> str:
    """How far the passages are that are being made anew; nothing while none are."""
    if state.problem:
        return notice(state.problem, "problem")
    if not state.running:
        return ""
    at = state.progress
    far = f" {at.text}." if at else ""
    return notice(f"The passages are being made anew; searches use the earlier ones until then.{far}")


class CuttingHandlers:
    """Each returns the two numbers, what came of it, how far the index is, and whether to go on following."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def show(self) -> tuple[int, int, str, str, gr.Timer]:
        """The numbers that are wanted."""
        try:
            settings = self._studio.knowledge.settings
        except PROBLEMS as problem:
            return 90, 20, notice(str(problem), "problem"), *self.follow()
        return settings.words, settings.overlap, "", *self.follow()

    def save(self, words: float, overlap: float) -> tuple[int, int, str, str, gr.Timer]:
        """Cut documents so from now on."""
        knowledge = self._studio.knowledge
        try:
            wanted = CutSettings(round(words), round(overlap))
            if wanted != knowledge.settings:
                knowledge.change_settings(wanted)
        except PROBLEMS as problem:
            return round(words), round(overlap), notice(str(problem), "problem"), *self.follow()
        said = RENEWING if knowledge.renewal.state.running else SAVED
        return wanted.words, wanted.overlap, notice(said, "good"), *self.follow()

    def reset(self) -> tuple[int, int, str, str, gr.Timer]:
        """Go back to the numbers that a new company has."""
        return self.save(CutSettings().words, CutSettings().overlap)

    def follow(self) -> tuple[str, gr.Timer]:
        """How far the index is."""
        state = self._studio.knowledge.renewal.state
        return renewal_html(state), gr.Timer(active=state.running)


def cutting_opener() -> gr.HTML:
    """Draw what opens the drawer; gives the place for how far the index is."""
    gr.HTML(OPENER, apply_default_css=False, js_on_load=None)
    return html("q-cutting-renewal")


def cutting_drawer(studio: Studio, renewal: gr.HTML) -> None:
    """Draw the drawer and connect it."""
    does = CuttingHandlers(studio)
    with gr.Column(elem_id="q-drawer-cutting", elem_classes="q-drawer q-drawer-right"):
        gr.HTML(LEAD, apply_default_css=False, js_on_load=None)
        words = gr.Slider(
            MIN_WORDS, MAX_WORDS, value=90, step=5, label="Words a passage", elem_id="q-cutting-words"
        )
        overlap = gr.Slider(
            0,
            MAX_WORDS // 2,
            value=20,
            step=5,
            label="Words two neighbours share",
            info="At most half a passage.",
            elem_id="q-cutting-overlap",
        )
        with gr.Row(elem_classes="q-actions"):
            save = gr.Button("Save", variant="primary", size="md", elem_id="q-cutting-save")
            reset = gr.Button("Reset", size="md", elem_id="q-cutting-reset")
        outcome = html("q-cutting-outcome")
        clock = gr.Timer(1.0, active=False)
        search_models_part(studio, clock)
    shown = [words, overlap, outcome, renewal, clock]
    gr.on(None, does.show, None, shown, api_name="cutting_show", **CALM)
    save.click(does.save, [words, overlap], shown, api_name="cutting_save", **CALM)
    reset.click(does.reset, None, shown, api_name="cutting_reset", **CALM)
    clock.tick(does.follow, None, [renewal, clock], api_name="cutting_follow", **CALM)
