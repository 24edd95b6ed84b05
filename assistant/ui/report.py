"""The page Report: what a study's votes come to, in sentences and pictures, and the files it can be saved as.

It reads a study and shows its report. What is in it is known by `assistant.reports`.
"""

from collections.abc import Sequence
from html import escape

import gradio as gr

from assistant.comparison import Study
from assistant.reports.files import FORMATS
from assistant.reports.judged import report_on
from assistant.reports.page import body, style
from assistant.studio import Studio
from assistant.ui.layout import heading, notice
from assistant.ui.parts import PROBLEMS, empty, html
from assistant.ui.rendering import moment
from assistant.ui.study_parts import STATES

LEAD = (
    "What your colleagues’ votes say: whether fine-tuning, retrieval or both are worth it, and how sure "
    "that is."
)
NO_STUDY = empty(
    "No study yet",
    "A report comes from blind votes. Make a study, let the assistants answer, and send your colleagues "
    "their links.",
    ("study", "Make a study"),
)
SAVED = ("html", "csv", "json", "pairs", "conversations")
"""The formats offered for download."""


class Handlers:
    """What happens on the page."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio

    def load(self, request: gr.Request) -> tuple[str, str]:
        """The studies, and the report on the one that the address names, else on the newest."""
        studies = [each for each in self._studio.studies.list() if each.state in ("open", "closed")]
        if not studies:
            return "", NO_STUDY
        named = str(request.query_params.get("study", ""))
        chosen = next((each for each in studies if each.id == named), studies[0])
        return studies_html(studies, chosen.id), self._report(chosen)

    def _report(self, study: Study) -> str:
        try:
            studio = self._studio
            report = report_on(studio.desk, study.id, studio.brand().name, studio.workspace.adapters)
        except PROBLEMS as problem:
            return notice(str(problem), "problem")
        return f"<style>{style()}</style>{files_html(study)}{body(report)}"


def studies_html(studies: Sequence[Study], shown: str) -> str:
    """The studies that have votes or could have, the one shown marked; nothing where there is no choice."""
    if len(studies) < 2:
        return ""
    items = "".join(
        f'<li><a href="report?study={escape(each.id)}"{" aria-current=page" if each.id == shown else ""}>'
        f"{escape(each.name)}</a> <span>{STATES[each.state]} · {moment(each.created)}</span></li>"
        for each in studies
    )
    return f'<ul class="q-report-studies">{items}</ul>'


def files_html(study: Study) -> str:
    """The files that the report can be saved as."""
    links = "".join(
        f'<a href="saved/{escape(study.id)}/{kind}" download>{escape(FORMATS[kind].title)}</a>'
        for kind in SAVED
    )
    return f'<nav class="q-report-files" aria-label="Save as"><b>Save as</b>{links}</nav>'


def page(studio: Studio) -> None:
    """Draw the page and connect its handlers."""
    gr.HTML(heading("Report", LEAD), apply_default_css=False, js_on_load=None)
    studies, report = html("q-report-studies"), html("q-report")
    gr.on(
        None,
        Handlers(studio).load,
        None,
        [studies, report],
        api_name="report_load",
        show_progress="hidden",
    )
