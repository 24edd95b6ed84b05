"""The report on a study: its evidence, its findings, and what stands behind them, put together."""

from dataclasses import dataclass
from pathlib import Path

from assistant.adapters import find
from assistant.errors import AssistantError
from assistant.ratings import Desk
from assistant.reports.details import Cost, Order, Telling, Topic, costs, orders, setup, telling, topics
from assistant.reports.evidence import Evidence
from assistant.reports.findings import Findings, findings


@dataclass(frozen=True)
class Report:
    """All that is said of a study."""

    company: str
    evidence: Evidence
    findings: Findings
    costs: dict[str, Cost]
    orders: list[Order]
    topics: list[Topic]
    telling: list[Telling]
    setup: dict[str, str]
    training_seconds: float | None
    """How long the adapter was trained; None where that is not known."""

    @property
    def left_out(self) -> tuple[int, ...]:
        """The raters whose votes are left out, by id."""
        return tuple(each.care.rater for each in self.findings.raters if each.left_out)


def report_on(desk: Desk, study_id: str, company: str, adapters: Path) -> Report:
    """The report on a study of this company, whose adapters are in a folder.

    Raises:
        AssistantError: there is no study with this id.
    """
    return report_of(Evidence.of(desk, study_id), company, adapters)


def report_of(evidence: Evidence, company: str, adapters: Path) -> Report:
    """The report on what a study has gathered."""
    found = findings(evidence)
    left_out = [each.care.rater for each in found.raters if each.left_out]
    return Report(
        company,
        evidence,
        found,
        costs(evidence),
        orders(evidence),
        topics(evidence, left_out),
        telling(evidence, left_out),
        setup(evidence),
        _training_seconds(evidence, adapters),
    )


def _training_seconds(evidence: Evidence, adapters: Path) -> float | None:
    """How long the adapter that answered was trained, if it still is there."""
    used = {
        answer.record.adapter
        for item in evidence.items
        for answer in item.answers.values()
        if answer.record and answer.record.adapter
    }
    try:
        lineage = find(adapters, used.pop()).lineage if len(used) == 1 else None
    except AssistantError:  # it was removed since; the study stays
        return None
    return lineage.seconds if lineage else None
