"""The files that a report can be saved as, by name of the format.

It knows which formats there are and what each is called. How one is written is known by `exports.py`.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

from assistant.reports.exports import (
    as_json,
    as_lines,
    as_text,
    corrected_conversations,
    preference_pairs,
    votes_csv,
)
from assistant.reports.judged import Report
from assistant.reports.page import whole_page


@dataclass(frozen=True)
class Format:
    """A way to save a report: what people call it, the end of its file's name, its kind, and its text."""

    title: str
    ending: str
    media: str
    """What the web calls it."""
    text: Callable[[Report], str]


FORMATS = {
    "text": Format("Sentences", ".txt", "text/plain; charset=utf-8", as_text),
    "html": Format("Report (one HTML file)", "-report.html", "text/html; charset=utf-8", whole_page),
    "csv": Format(
        "All votes (CSV)", "-votes.csv", "text/csv; charset=utf-8", lambda report: votes_csv(report.evidence)
    ),
    "json": Format("Figures (JSON)", "-figures.json", "application/json", as_json),
    "pairs": Format(
        "Preference pairs (DPO)",
        "-pairs.jsonl",
        "application/jsonl",
        lambda report: as_lines(preference_pairs(report.evidence, report.left_out)),
    ),
    "conversations": Format(
        "Corrected answers (conversations)",
        "-corrected.jsonl",
        "application/jsonl",
        lambda report: as_lines(corrected_conversations(report.evidence)),
    ),
}


def file_name(report: Report, kind: str) -> str:
    """What a saved report is called: the study's name in plain letters, and the format's ending."""
    plain = re.sub(r"[^a-z0-9]+", "-", report.evidence.study.name.lower()).strip("-")
    return (plain or "study") + FORMATS[kind].ending
