"""One version looked at closely, or two side by side, as HTML: facts, losses, answers, everyday questions.

It knows how they look. It does not know where versions are kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.adapters import Adapter, GeneralAnswer, Lineage, Report, Strength
from assistant.training.presets import FIELDS
from assistant.ui.charts import overlaid_losses
from assistant.ui.parts import duration, facts, number, quiet, size, table
from assistant.ui.rendering import moment
from assistant.ui.train_parts import samples_html
from assistant.ui.versions_list import title
from assistant.wording import counted

NAMES = {field.key: field.name for field in FIELDS}
STRENGTH_HEADS = (
    "Voice strength",
    "#Company answers in the voice",
    "#Everyday answers changed",
    "#Out of place",
)


@dataclass(frozen=True)
class Looked:
    """A version with its lineage and its report."""

    adapter: Adapter
    lineage: Lineage
    report: Report

    @property
    def title(self) -> str:
        """Its number and name."""
        return title(self.adapter)


def closer_html(versions: Sequence[Looked], *, differences_only: bool) -> str:
    """One version, or two side by side."""
    if not versions:
        return quiet("Choose a version to see where it comes from and what it says.")
    chart = overlaid_losses(
        [
            (each.title, each.report.training, [(loss.step, loss.loss) for loss in each.lineage.losses])
            for each in versions
        ]
    )
    drawn = f'<div class="q-card">{chart}</div>' if chart else ""
    sides = "".join(f"<section><h3>{escape(each.title)}</h3>{_said(each)}</section>" for each in versions)
    return f'{_facts(versions, differences_only)}{drawn}<div class="q-train-sides">{sides}</div>'


def facts_of(looked: Looked) -> dict[str, str]:
    """All that is known of where a version comes from, in plain words."""
    lineage, report = looked.lineage, looked.report
    known = {
        "Trained": moment(lineage.created),
        "Base model": lineage.base,
        "Conversations learned": f"{lineage.conversations:,}",
        "Replies learned": f"{lineage.examples:,}",
        "With passages": f"{lineage.grounded:,}",
        "Tokens": f"{lineage.tokens:,}",
        "Loss before": _loss(lineage.first_loss),
        "Loss after": _loss(lineage.best_loss),
        "Time": duration(lineage.seconds),
        "Time estimated": duration(report.estimated_seconds) if report.estimated_seconds else "–",
        "Memory": size(lineage.peak_memory) if lineage.peak_memory else "–",
        "Memory estimated": size(report.estimated_memory) if report.estimated_memory else "–",
        "Size": size(looked.adapter.size),
    }
    known |= {
        NAMES.get(key, key.replace("_", " ").capitalize()): _setting(value)
        for key, value in lineage.settings.items()
        if key != "name"
    }
    return known | {
        "Hash of the conversations": lineage.data_digest[:12] or "–",
        "Documents' index": lineage.index_version or "–",
        "Hash of the instructions": lineage.prompt_hash[:12] or "–",
        "Hash of the base model": lineage.base_digest[:12] or "–",
        "Code": lineage.code_version or "–",
    }


def _setting(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _facts(versions: Sequence[Looked], differences_only: bool) -> str:
    columns = [facts_of(each) for each in versions]
    if len(columns) == 1:
        return f'<div class="q-card q-train-facts">{facts(list(columns[0].items()))}</div>'
    names = list(dict.fromkeys(name for column in columns for name in column))
    rows = [(name, [column.get(name, "–") for column in columns]) for name in names]
    if differences_only:
        rows = [(name, values) for name, values in rows if len(set(values)) > 1]
    if not rows:
        return quiet("These two come from the same data, settings and code.")
    body = (f"<td>{escape(name)}</td>" + "".join(map(number, values)) for name, values in rows)
    heads = ("", *(f"#{each.title}" for each in versions))
    return table("q-train-facts", ("Where it comes from", *heads[1:]), body)


def _loss(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _said(looked: Looked) -> str:
    report = looked.report
    samples = samples_html(report.questions, report.samples)
    return (samples or quiet("It has no answers to held-out questions.")) + _everyday(report)


def _everyday(report: Report) -> str:
    """What became of everyday questions, and what each voice strength trades for what."""
    if not report.general:
        return quiet("Everyday questions were not asked.")
    changed = sum(answer.changed for answer in report.general)
    odd = [answer for answer in report.general if answer.phrases]
    verdict = (
        f"{changed} of {counted(len(report.general), 'everyday answer')} read differently now; "
        f"{len(odd) or 'none'} took up a phrase of your conversations."
    )
    others = [answer for answer in report.general if answer.changed and not answer.phrases]
    return (
        f'<div class="q-card q-train-everyday"><h3>Everyday questions</h3>{quiet(verdict)}'
        f"{_strengths(report.strengths)}{''.join(map(_answer, odd))}"
        f"<details><summary>{counted(len(others), 'other changed answer')}</summary>"
        f"{''.join(map(_answer, others))}</details></div>"
    )


def _strengths(strengths: Sequence[Strength]) -> str:
    rows = (
        f"<td>{100 * each.strength:.0f} %</td>"
        + number(f"{100 * each.voice:.0f} %")
        + number(f"{100 * each.changed:.0f} %")
        + number(f"{100 * each.out_of_place:.0f} %")
        for each in strengths
    )
    return table("q-train-strengths", STRENGTH_HEADS, rows)


def _answer(answer: GeneralAnswer) -> str:
    found = (
        f'<p class="q-train-phrases">Yours: {escape("; ".join(answer.phrases))}</p>' if answer.phrases else ""
    )
    return (
        f"<article><h4>{escape(answer.question)}</h4><dl><div><dt>Before</dt><dd>{escape(answer.base)}</dd></div>"
        f"<div><dt>After</dt><dd>{escape(answer.tuned)}</dd></div></dl>{found}</article>"
    )
