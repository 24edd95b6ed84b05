"""Scores as a page people can read: Markdown tables with intervals.

It knows how numbers are shown. It computes none (`statistics.py`, `evaluation.py`).
"""

from assistant.evaluation import Evaluation
from assistant.lanes import LANES
from assistant.statistics import Estimate


def evaluation_table(evaluation: Evaluation) -> str:
    """Two Markdown tables: the lanes by criterion, and the effects of tuning and retrieval."""
    lanes = [lane for lane in LANES if any(lane.key in criterion.lanes for criterion in evaluation.criteria)]
    lines = ["| criterion | n | " + " | ".join(lane.name for lane in lanes) + " |"]
    lines += ["|---|---|" + "---|" * len(lanes)]
    for criterion in evaluation.criteria:
        cells = [_cell(criterion.lanes[lane.key]) for lane in lanes]
        count = next(iter(criterion.lanes.values())).count
        lines.append(f"| {criterion.name} | {count} | " + " | ".join(cells) + " |")
    decided = [criterion for criterion in evaluation.criteria if criterion.effects]
    if decided:
        lines += [
            "",
            "| effect on | of tuning | of retrieval | of both beyond their sum |",
            "|---|---|---|---|",
        ]
    for criterion in decided:
        if criterion.effects:
            three = (criterion.effects.tuning, criterion.effects.retrieval, criterion.effects.interaction)
            lines.append(f"| {criterion.name} | " + " | ".join(_effect(each) for each in three) + " |")
    lines += ["", f"{evaluation.questions} questions; 95 % intervals by bootstrap over questions, paired."]
    if evaluation.echo_f1:
        lines[-1] += f" Repeating the question would score a token-F1 of {evaluation.echo_f1:.3f}."
    return "\n".join(lines)


def _cell(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]"


def _effect(estimate: Estimate) -> str:
    text = f"{estimate.value:+.3f} [{estimate.low:+.3f}, {estimate.high:+.3f}]"
    return f"**{text}**" if estimate.decided else f"{text}, not decided"
