"""The page Company: the brand's voice with the prompt it makes, first steps, the companies on this machine.

It reads, calls the studio and shows. How fields become a brand is known by `voice.py`.
"""

from typing import Any

import gradio as gr

from assistant.access import Accounts
from assistant.brand import Brand, read_brand
from assistant.errors import AssistantError
from assistant.studio import Studio
from assistant.ui.company_parts import Listed, companies_html, preview_html, steps_html
from assistant.ui.layout import CALM, heading, live, notice
from assistant.ui.parts import PROBLEMS, html, section
from assistant.ui.people import people_html
from assistant.ui.voice import FIELDS, Field, brand_of, texts_of
from assistant.workspace import Workspace, accounts_file

LEAD = "Who your assistants speak for, and how. All four are given this voice before every question."
QUICK: dict[str, Any] = {**CALM, "queue": False}
"""For every event: no veil, and a plain request (see `QUICK` in compare.py)."""
GROUPS = (
    ("The company", ("name", "tagline", "sample_questions")),
    ("How it sounds", ("tone", "greeting", "sign_off")),
    ("Rules", ("always", "never", "forbidden", "decline")),
)


class Handlers:
    """What happens on the page; each method reads, calls the studio, and says what to show."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def load(self) -> list[Any]:
        """Steps, companies, what went wrong, preview, whose form it is, and the fields as they were saved."""
        brand, problem = self._brand()
        around = [
            self._steps(),
            self._companies(),
            notice(problem, "problem"),
            preview_html(brand, saved=True),
        ]
        return [*around, self._key, *texts_of(brand), brand.max_words]

    def preview(self, *values: Any) -> tuple[Any, str]:
        """The prompt that the fields make; an earlier message goes once something was changed."""
        before, _ = self._brand()
        brand = brand_of(values[:-1], values[-1], before)
        saved = brand == before
        return gr.skip() if saved else "", preview_html(brand, saved=saved)

    def save(self, form: str, *values: Any) -> tuple[str, str, str]:
        """Keep the voice, unless the form is another company's than the one that is open now."""
        before, _ = self._brand()
        brand = brand_of(values[:-1], values[-1], before)
        try:
            if form != self._key:
                raise AssistantError(
                    f"{before.name} has been opened meanwhile, and this form is another company's. "
                    "Copy what you typed if you need it, then reload the page."
                )
            self._studio.save_brand(brand)
        except PROBLEMS as problem:
            return notice(str(problem), "problem"), preview_html(brand, saved=False), self._steps()
        return (
            notice("Saved. The next question uses it.", "good"),
            preview_html(brand, saved=True),
            self._steps(),
        )

    def follow_voice(self, *values: Any) -> tuple[str, str]:
        """Give up a person's own instructions; the voice as it is saved is in force again."""
        try:
            self._studio.save_instructions("")
        except PROBLEMS as problem:
            return notice(str(problem), "problem"), self.preview(*values)[1]
        return notice("The assistants follow the voice again.", "good"), self.preview(*values)[1]

    def open(self, event: gr.EventData) -> tuple[str, str]:
        """Open the company that was clicked; returns what went wrong, and the key of the one opened."""
        found = [each.root for each in self._studio.companies() if each.root.name == str(event.name)]
        if not found:
            return notice(
                "This company is no longer there. Reload the page to see those that are.", "problem"
            ), ""
        try:
            self._studio.open(found[0])
        except PROBLEMS as problem:
            return notice(str(problem), "problem"), ""
        return "", self._key

    def create(self, name: str) -> tuple[str, str]:
        """Make an empty company and open it."""
        try:
            self._studio.create(name)
        except PROBLEMS as problem:
            return notice(str(problem), "problem"), ""
        return "", self._key

    @property
    def _key(self) -> str:
        return self._studio.workspace.root.name

    def _brand(self) -> tuple[Brand, str]:
        try:
            return self._studio.brand(), ""
        except AssistantError as problem:
            return Brand(name=self._key), str(problem)

    def people(self) -> str:
        """Who may log in, and what was done in this company."""
        return people_html(Accounts(accounts_file()).all(), self._studio.audit.entries())

    def _steps(self) -> str:
        try:
            return steps_html(self._studio.first_steps())
        except PROBLEMS as problem:
            return notice(str(problem), "problem")

    def _companies(self) -> str:
        return companies_html([self._listed(each) for each in self._studio.companies()])

    def _listed(self, workspace: Workspace) -> Listed:
        try:
            name = read_brand(workspace.brand_file).name
        except AssistantError:
            name = workspace.root.name  # not described yet, or damaged: opening it says so
        return Listed(workspace.root.name, name, workspace.root == self._studio.workspace.root)


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    does = Handlers(studio)
    gr.HTML(heading("Company", LEAD), apply_default_css=False, js_on_load=None)
    steps = html("q-company-steps")
    form = gr.Textbox(visible="hidden", label="Whose form it is")
    with gr.Row(elem_classes="q-parts-columns q-company-columns"):
        with gr.Column(scale=7, min_width=320):
            fields = _form_part()
            with gr.Column(elem_classes="q-company-bar"):
                said = html("q-company-said")
                with gr.Row(elem_classes="q-actions"):
                    save = gr.Button("Save the voice", variant="primary", size="md", elem_id="q-company-save")
        with gr.Column(scale=5, min_width=320, elem_classes="q-company-aside"):
            preview = html("q-company-preview", "follow_voice")
            companies = _companies_part(does)
    live(does.people, elem_id="q-company-people", js_on_load=None)
    shown = [steps, companies, said, preview, form, *fields]
    gr.on(None, does.load, None, shown, api_name="company_load", **QUICK)
    # Not `input`: that one does not come when text is pasted.
    typed = [field.change for field in fields]
    saved = save.click(does.save, [form, *fields], [said, preview, steps], api_name="company_save", **QUICK)
    # A preview from before Save may come after it, and say "unsaved": so there is one more.
    saved.then(does.preview, fields, [said, preview], api_visibility="private", **QUICK)
    newest = {"trigger_mode": "always_last", **QUICK}
    gr.on(typed, does.preview, fields, [said, preview], api_name="company_preview", **newest)
    preview.follow_voice(does.follow_voice, fields, [said, preview], api_name="company_follow_voice", **QUICK)


def _form_part() -> list[Any]:
    """The fields in groups; given back in the order of `FIELDS`, the number of words last."""
    by_key = {field.key: field for field in FIELDS}
    drawn: dict[str, gr.Textbox] = {}
    for title, keys in GROUPS:
        gr.HTML(section(title), apply_default_css=False, js_on_load=None)
        for key in keys:
            drawn[key] = _textbox(by_key[key])
    words = gr.Number(0, label="Most words in a reply", info="0 means no limit.", minimum=0, precision=0)
    return [*(drawn[field.key] for field in FIELDS), words]


def _textbox(field: Field) -> gr.Textbox:
    return gr.Textbox(
        label=field.label,
        info=field.info or None,
        placeholder=field.placeholder,
        lines=field.lines,
        max_lines=max(1, 3 * field.lines if field.lines > 1 else 1),
        elem_id=f"q-company-{field.key}",
    )


def _companies_part(does: Handlers) -> gr.HTML:
    """The companies, and a new one; after another is opened, every page belongs to it: all is read again."""
    companies = html("q-company-companies", "open_company")
    with gr.Row(elem_classes="q-parts-ask"):
        name = gr.Textbox(
            show_label=False, label="Name of a new company", placeholder="Name of a new company"
        )
        create = gr.Button("New company", size="md")
    said, opened = html("q-company-opened"), gr.Textbox(visible="hidden", label="Company that was opened")
    companies.open_company(does.open, None, [said, opened], api_name="company_switch", **QUICK)
    gr.on([name.submit, create.click], does.create, name, [said, opened], api_name="company_create", **QUICK)
    opened.change(None, opened, None, js="key => { if (key) location.assign('company'); }")
    return companies
