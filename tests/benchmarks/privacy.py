"""How well personal data is masked: precision and recall on conversations with their spans marked.

    python -m tests.benchmarks.privacy          # prints a table, kind by kind
    python -m tests.benchmarks.privacy --missed # and what was missed or masked wrongly

A span is found when every letter and digit of it is masked; a mask is right when it overlaps a span. Names
are known only from the conversations themselves, as where an export names nobody.
"""

import re
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from assistant.conversations.cleaning import privacy

SPANS = Path(__file__).with_name("privacy_spans.txt")
HELD_OUT = "\n== held out\n"
_MARKED = re.compile(r"\{(?P<kind>[\w-]+)\|(?P<text>[^}]+)\}")
_SIDES = {"C: ": "user", "A: ": "assistant"}


@dataclass(frozen=True)
class Marked:
    """A message with the personal data a person marked in it."""

    text: str
    side: str
    spans: tuple[privacy.Span, ...]


@dataclass
class Score:
    """What was marked, what of it was masked, what was masked, and what of that was right; by kind."""

    marked: Counter[str] = field(default_factory=Counter)
    found: Counter[str] = field(default_factory=Counter)
    masked: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    mistakes: list[str] = field(default_factory=list)

    @property
    def recall(self) -> float:
        """Share of the marked spans that were masked whole."""
        return self.found.total() / self.marked.total()

    @property
    def precision(self) -> float:
        """Share of the masks that stand on a marked span."""
        return self.right.total() / self.masked.total()


def conversations(half: str) -> list[list[Marked]]:
    """The conversations of a half: "tuned" or "held out"."""
    tuned, held = SPANS.read_text(encoding="utf-8").split(HELD_OUT)
    blocks = (held if half == "held out" else tuned).strip().split("\n\n")
    return [_messages(block) for block in blocks if not block.startswith("#")]


def _messages(block: str) -> list[Marked]:
    told: list[Marked] = []
    for message in re.split(r"^(?=[CA]: )", block, flags=re.MULTILINE):
        if message:
            told.append(_marked(message[3:].strip(), _SIDES[message[:3]]))
    return told


def _marked(source: str, side: str) -> Marked:
    text, spans, done = "", [], 0
    for match in _MARKED.finditer(source):
        text += source[done : match.start()]
        spans.append(privacy.Span(len(text), len(text) + len(match["text"]), match["kind"]))
        text += match["text"]
        done = match.end()
    return Marked(text + source[done:], side, tuple(spans))


def score(half: str) -> Score:
    """How well the conversations of a half are masked."""
    total = Score()
    for conversation in conversations(half):
        names = privacy.names_in([(message.text, message.side) for message in conversation])
        for message in conversation:
            _count(message, privacy.find(message.text, names), total)
    return total


def _count(message: Marked, masks: list[privacy.Span], total: Score) -> None:
    hidden = {place for mask in masks for place in range(mask.start, mask.end)}
    for span in message.spans:
        needed = {place for place in range(span.start, span.end) if message.text[place].isalnum()}
        total.marked[span.kind] += 1
        total.found[span.kind] += needed <= hidden
        if not needed <= hidden:
            total.mistakes.append(
                f"missed {span.kind}: {message.text[span.start : span.end]} | {message.text}"
            )
    for mask in masks:
        right = any(mask.start < span.end and span.start < mask.end for span in message.spans)
        total.masked[mask.kind] += 1
        total.right[mask.kind] += right
        if not right:
            total.mistakes.append(
                f"wrong {mask.kind}: {message.text[mask.start : mask.end]} | {message.text}"
            )


def _table(half: str, result: Score) -> str:
    lines = [f"{half}: {result.marked.total()} spans", "kind      spans  recall  masks  precision"]
    for kind in privacy.KINDS:
        spans, masks = result.marked[kind], result.masked[kind]
        recall, precision = result.found[kind] / max(spans, 1), result.right[kind] / max(masks, 1)
        lines.append(f"{kind:<9} {spans:>5}  {recall:>6.3f}  {masks:>5}  {precision:>9.3f}")
    return "\n".join([*lines, f"all       {'':>5}  {result.recall:>6.3f}  {'':>5}  {result.precision:>9.3f}"])


if __name__ == "__main__":
    for each in ("tuned", "held out"):
        scored = score(each)
        print(_table(each, scored), end="\n\n")
        if "--missed" in sys.argv:
            print("\n".join(scored.mistakes), end="\n\n")
