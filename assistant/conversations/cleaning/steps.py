"""Cleaning: an exported conversation becomes one to learn from, each step counted and shown by example.

It knows the order of the steps. What is done to one text stands in `texts.py` and `privacy.py`.
"""

from collections import Counter
from collections.abc import Container, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from assistant.conversations.cleaning import privacy
from assistant.conversations.cleaning.texts import plain_text, without_gaps, without_quotes, without_signature
from assistant.conversations.model import Exported, Turn, UnusableError, check_order
from assistant.prompts import Message, clean

EXAMPLES = 3
"""Examples kept of each step."""
EXAMPLE_LENGTH = 600


@dataclass(frozen=True)
class Cleaning:
    """Which steps are taken; a person may switch each off."""

    html: bool = True
    quotes: bool = True
    signatures: bool = True
    left_out: bool = True
    merged: bool = True
    masked: bool = True
    folded: bool = True
    capped: bool = True

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Cleaning":
        """The steps that `values` names, as they were kept; what it does not name is taken."""
        known = {each.name for each in fields(cls)}
        return cls(**{name: bool(value) for name, value in values.items() if name in known})


STEPS = {
    "html": ("HTML to text", "Markup becomes the text that people read."),
    "quotes": ("Quoted replies cut off", "A mail keeps its own words, not those it answers."),
    "signatures": (
        "Signatures cut off",
        "Contacts and phones' lines go; the closing words and the name stay.",
    ),
    "left_out": ("Notes and bots left out", "Private notes and automatic messages are not your voice."),
    "merged": ("Messages in a row joined", "Several of one side in a row become one."),
    "masked": (
        "Personal data masked",
        "Names, addresses and numbers of customers become what they are, such as [e-mail]; your own stay.",
    ),
    "folded": ("Near-duplicates folded", "Of conversations that are almost the same, the first is kept."),
    "capped": (
        "Canned answers capped",
        "Conversations of nothing but an answer seen ten times are left out.",
    ),
}
"""The steps in their order: what each is called, and what it does."""


@dataclass(frozen=True)
class Example:
    """A text before a step and after it; empty where it was left out."""

    before: str
    after: str


@dataclass
class Tally:
    """What the steps did: how often each changed something, examples, and what was masked."""

    counts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[Example]] = field(default_factory=dict)
    masked: Counter[str] = field(default_factory=Counter)

    def wants(self, step: str) -> bool:
        """Whether a change of this step would be kept as an example."""
        return len(self.examples.get(step, ())) < EXAMPLES

    def note(self, step: str, before: str, after: str) -> None:
        """Count a change, and keep it as an example if there are few yet."""
        self.counts[step] += 1
        kept = self.examples.setdefault(step, [])
        if len(kept) < EXAMPLES:
            kept.append(Example(before[:EXAMPLE_LENGTH], after[:EXAMPLE_LENGTH]))

    def to_json(self) -> dict[str, Any]:
        """Values that JSON can hold; `of` undoes it."""
        examples = {step: [asdict(each) for each in kept] for step, kept in self.examples.items()}
        return {"counts": dict(self.counts), "examples": examples, "masked": dict(self.masked)}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Tally":
        """What `to_json` gave."""
        examples = {step: [Example(**each) for each in kept] for step, kept in values["examples"].items()}
        return cls(Counter(values["counts"]), examples, Counter(values["masked"]))


def cleaned(
    exported: Exported, cleaning: Cleaning, tally: Tally, own: Container[str] = ()
) -> tuple[Message, ...]:
    """The messages of a conversation after all steps that concern it alone; `own` contacts are not masked.

    Raises:
        UnusableError: nothing is left, or nobody answers a customer.
    """
    turns = [_plain(turn, cleaning, tally) for turn in _wanted(exported.turns, cleaning, tally)]
    turns = [turn for turn in turns if turn.text]
    if cleaning.merged:
        turns = _merged(turns, tally)
    if cleaning.masked:
        turns = _masked(turns, exported.names, tally, own)
    messages = tuple(Message(turn.side, turn.text) for turn in turns)
    if not messages:
        raise UnusableError("found no text", "a conversation needs messages", "Leave it out.")
    check_order(messages)
    return messages


def _wanted(turns: Sequence[Turn], cleaning: Cleaning, tally: Tally) -> list[Turn]:
    """The turns of customers and the company; instructions only where they begin it."""
    wanted = []
    for index, turn in enumerate(turns):
        if turn.side in ("note", "bot"):
            if cleaning.left_out:
                tally.note("left_out", turn.text, "")
                continue
            turn = replace(turn, side="assistant")
        if turn.side == "system" and index:
            continue
        wanted.append(turn)
    return wanted


def _plain(turn: Turn, cleaning: Cleaning, tally: Tally) -> Turn:
    text = without_gaps(clean(turn.text))
    for step, change in (("html", plain_text), ("quotes", without_quotes), ("signatures", without_signature)):
        if getattr(cleaning, step) and turn.side != "system":
            changed = change(text)
            if changed.split() != text.split():
                tally.note(step, text, changed)
            text = changed
    return replace(turn, text=text.strip())


def _merged(turns: Sequence[Turn], tally: Tally) -> list[Turn]:
    merged: list[Turn] = []
    for turn in turns:
        if merged and merged[-1].side == turn.side and turn.side != "system":
            before = merged[-1]
            joined = f"{before.text}\n\n{turn.text}"
            tally.note("merged", f"{before.text}\n———\n{turn.text}", joined)
            merged[-1] = replace(before, text=joined)
        else:
            merged.append(turn)
    return merged


def _masked(turns: Sequence[Turn], names: Sequence[str], tally: Tally, own: Container[str]) -> list[Turn]:
    """The turns with personal data masked; a name that one turn gives away is masked in all."""
    team = {part for turn in turns if turn.side == "assistant" for part in turn.author.lower().split()}
    told = privacy.names_in([(turn.text, turn.side) for turn in turns])
    # Who signs for the company belongs to its voice, even where a customer thanks them by name.
    known = [*names, *(name for name in told if not set(name.lower().split()) <= team)]
    return [turn if turn.side == "system" else _masked_turn(turn, known, tally, own) for turn in turns]


def _masked_turn(turn: Turn, names: Sequence[str], tally: Tally, own: Container[str]) -> Turn:
    spans = privacy.find(turn.text, names, own)
    if not spans:
        return turn
    text = privacy.mask(turn.text, spans)
    tally.masked.update(span.kind for span in spans)
    tally.note("masked", turn.text, text)
    return replace(turn, text=text)
