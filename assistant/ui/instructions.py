"""The panel with the system prompt that all four assistants are given: read, change, save, go back.

It knows when a person's own instructions differ from those composed from the voice. How they are composed is
known by `prompts.py`.
"""

from dataclasses import replace
from typing import Any

import gradio as gr

from assistant.access import asking, may_handle
from assistant.access.rights import COMPARE
from assistant.brand import Brand
from assistant.errors import AssistantError
from assistant.prompts import clean, system_prompt
from assistant.studio import Studio
from assistant.ui.layout import notice

OWN = "These are your own instructions. They no longer follow the voice on Company; Reset goes back to it."
LEAD = (
    '<div class="q-panel"><h2>Instructions</h2><p class="q-panel-lead">All four assistants are given '
    "these words before every question. They are composed from the voice on the page Company until you "
    "change them here.</p></div>"
)


def composed(brand: Brand) -> str:
    """The instructions as they follow from the voice alone."""
    return system_prompt(replace(brand, instructions=""))


def differ(brand: Brand) -> str:
    """A note where a person's own instructions are in force, else nothing."""
    return notice(OWN) if system_prompt(brand) != composed(brand) else ""


class InstructionHandlers:
    """Save and reset; each returns the text in force, the note on it, and what came of it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def show(self) -> tuple[str, str, str]:
        """The instructions in force."""
        brand = self._studio.brand()
        return system_prompt(brand), differ(brand), ""

    def offered(self) -> tuple[gr.Textbox, gr.Row]:
        """The text to change and the buttons for it, for those who may; others read."""
        may = may_handle(asking(), COMPARE, "instructions_save")
        return gr.Textbox(interactive=may), gr.Row(visible=may)

    def save(self, text: str) -> tuple[str, str, str]:
        """Keep these instructions for what is asked next. The composed ones, or none: follow the voice."""
        own = clean(text).strip()
        return self._keep(
            "" if own == composed(self._studio.brand()) else own, "Saved. The next question uses them.", text
        )

    def reset(self, text: str) -> tuple[str, str, str]:
        """Go back to the instructions composed from the voice."""
        return self._keep("", "Reset. They follow the voice again.", text)

    def _keep(self, own: str, done: str, typed: str) -> tuple[str, str, str]:
        try:
            self._studio.save_instructions(own)
        except (AssistantError, OSError) as problem:
            return typed, "", notice(str(problem), "problem")
        text, note, _ = self.show()
        return text, note, notice(done, "good")


def instructions_panel(studio: Studio) -> None:
    """Draw the panel and connect it."""
    does = InstructionHandlers(studio)
    gr.HTML(LEAD, apply_default_css=False, js_on_load=None)
    note = gr.HTML(apply_default_css=False, js_on_load=None)
    text = gr.Textbox(
        show_label=False, label="Instructions", lines=14, max_lines=22, elem_id="q-instructions"
    )
    with gr.Row(elem_classes="q-actions") as actions:
        save = gr.Button("Save", variant="primary", size="md", elem_id="q-instructions-save")
        reset = gr.Button("Reset", size="md", elem_id="q-instructions-reset")
    outcome = gr.HTML(apply_default_css=False, js_on_load=None)
    shown: dict[str, Any] = {"outputs": [text, note, outcome], "show_progress": "hidden", "queue": False}
    gr.on(None, does.show, None, api_name="instructions_show", **shown)
    gr.on(
        None,
        does.offered,
        None,
        [text, actions],
        show_progress="hidden",
        queue=False,
        api_visibility="private",
    )
    save.click(does.save, text, api_name="instructions_save", **shown)
    reset.click(does.reset, text, api_name="instructions_reset", **shown)
