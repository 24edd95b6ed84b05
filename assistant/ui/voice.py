"""The brand's voice as a form: what stands in its fields, and the brand they make.

It knows lines and fields. It does not know components or where a brand is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assistant.brand import Brand
from assistant.prompts import clean


@dataclass(frozen=True)
class Field:
    """A field of the form: the brand's field it fills, its name, a sentence on it, how many lines it has."""

    key: str
    label: str
    info: str = ""
    placeholder: str = ""
    lines: int = 1
    several: bool = False
    """Whether each line is an entry of its own."""


FIELDS = (
    Field("name", "Company name"),
    Field("tagline", "Tagline", "What you do, in one line.", "Bicycles mended while you wait"),
    Field(
        "tone",
        "Tone",
        "How it sounds, in a sentence.",
        "Plain and warm, like a friend who knows the shop",
        lines=2,
    ),
    Field("greeting", "Greeting", "Opens the first reply.", "Hello from the workshop!"),
    Field("sign_off", "Sign-off", "Closes every reply.", "Ride well!"),
    Field("always", "Always", "What every reply does, one rule a line.", "Say the price first", 4, True),
    Field("never", "Never", "What no reply does, one rule a line.", "Guess a delivery day", 4, True),
    Field("decline", "Words to decline with", "Said when the answer is not known.", "I don't know that one"),
    Field(
        "forbidden", "Forbidden words", "Words that no reply may hold, one a line.", "unfortunately", 3, True
    ),
    Field(
        "sample_questions",
        "Sample questions",
        "What Compare offers to begin with, one a line.",
        "What does a new tyre cost?",
        4,
        True,
    ),
)
"""All texts of the form, in order; `max_words`, a number, comes after them."""


def texts_of(brand: Brand) -> list[str]:
    """What stands in the fields for a brand, in the order of `FIELDS`."""
    values = (getattr(brand, field.key) for field in FIELDS)
    return ["\n".join(value) if isinstance(value, tuple) else str(value) for value in values]


def brand_of(texts: Sequence[str | None], max_words: float | None, before: Brand) -> Brand:
    """The brand that the fields make; what the form does not show stays as it was before."""
    values: dict[str, str | tuple[str, ...]] = {}
    for field, text in zip(FIELDS, texts, strict=True):
        cleaned = clean(text or "").strip()
        lines = (line.strip() for line in cleaned.split("\n"))
        values[field.key] = tuple(filter(None, lines)) if field.several else " ".join(cleaned.split())
    return replace(before, **values, max_words=max(0, int(max_words or 0)))  # type: ignore[arg-type]
