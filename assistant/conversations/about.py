"""What is known of a kept file's import: where it came from, what the steps did, what was refused.

It knows how that is kept beside the file. It does not know how conversations are imported.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from assistant.conversations.cleaning import Example
from assistant.conversations.model import Refusal

VERSION = 1


@dataclass(frozen=True)
class About:
    """An import and what became of it."""

    title: str
    """The format's name for people."""
    digest: str
    """sha256 of the file that was imported."""
    seen: int
    """Conversations that were read."""
    refused: int
    refusals: tuple[Refusal, ...] = ()
    """The first of the refused places."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """How often each step of cleaning changed something."""
    examples: Mapping[str, tuple[Example, ...]] = field(default_factory=dict)
    masked: Mapping[str, int] = field(default_factory=dict)
    """What was masked, by kind."""
    sampled: int = 0
    """Conversations of the fair sample that was taken; 0 where all were."""
    cleaning: Mapping[str, bool] = field(default_factory=dict)
    """Which steps were taken."""

    def to_json(self) -> dict[str, Any]:
        """Values that JSON can hold; `of` undoes it."""
        return {"version": VERSION, **asdict(self)}

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "About":
        """What `to_json` gave."""
        told = {key: value for key, value in values.items() if key != "version"}
        told["refusals"] = tuple(Refusal(**each) for each in values["refusals"])
        told["examples"] = {
            step: tuple(Example(**each) for each in examples) for step, examples in values["examples"].items()
        }
        return cls(**told)
