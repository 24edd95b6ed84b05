"""What can be set for a training, with its defaults and limits. It does not know what the settings do."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from assistant.errors import AssistantError


@dataclass(frozen=True)
class TrainingSettings:
    """Settings of one training; the defaults suit a small model on a processor."""

    epochs: int = 1
    learning_rate: float = 1e-3
    rank: int = 8
    """Rank of the adapter's matrices."""
    alpha: int = 16
    """Weight of the adapter; its scale is alpha / rank."""
    targets: str = "all"
    """Which layers the adapter changes: "all" linear ones, or those of "attention" only."""
    max_length: int = 1024
    """Tokens an example may have."""
    grounded_share: float = 0.7
    """Share of the replies that are also learned with passages shown."""
    missing_share: float = 0.25
    """Share of the grounded examples that are told that nothing fits, and whose reply declines."""
    evaluation_share: float = 0.1
    """Share of the conversations that are held out."""
    batch_tokens: int = 1024
    """Tokens a batch may have, padding included; decides memory."""
    batches_per_step: int = 1
    patience: int = 3
    """Evaluations without a lower loss after which training ends; 0 for never."""
    most_conversations: int = 0
    """At most so many are learned from, drawn by the seed; 0 for all, of very many 10,000."""
    general_questions: int = 40
    """Everyday questions asked before and after, to see whether the voice took over."""
    seed: int = 0
    threads: int = 0
    """Processor threads; 0 takes all that this process may use."""
    processes: int = 0
    """How many learn together, each from its own batches in every step; 0 for one on each graphics card."""
    four_bit: bool = False
    """Whether the base model's weights are held in 4 bits meanwhile, for small graphics cards."""
    name: str = ""
    """What the version will be called; empty: "Version N"."""

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "TrainingSettings":
        """The settings with some values given, checked.

        Raises:
            AssistantError: a name is unknown, or a value has the wrong type or is out of range.
        """
        known: dict[str, type] = {name: type(value) for name, value in asdict(cls()).items()}
        for key, value in values.items():
            if key not in known:
                raise AssistantError(
                    f"{key!r} is no setting of a training; there are {', '.join(known)}. Remove it."
                )
            _check(key, value, known[key])
        return cls(**{key: known[key](value) for key, value in values.items()})


_LIMITS: dict[str, tuple[float, float]] = {
    "epochs": (1, 50),
    "learning_rate": (1e-6, 1e-2),
    "rank": (1, 256),
    "alpha": (1, 512),
    "max_length": (64, 32768),
    "grounded_share": (0, 1),
    "missing_share": (0, 1),
    "evaluation_share": (0, 0.5),
    "batch_tokens": (64, 65536),
    "batches_per_step": (1, 256),
    "patience": (0, 50),
    "most_conversations": (0, 10_000_000),
    "general_questions": (0, 40),
    "seed": (0, 2**31 - 1),
    "threads": (0, 1024),
    "processes": (0, 64),
}

_CHOICES = {"targets": ("all", "attention")}


def _check(key: str, value: Any, kind: type) -> None:
    if key in _CHOICES:
        fits, rule = value in _CHOICES[key], " or ".join(map(repr, _CHOICES[key]))
    elif kind is bool:
        fits, rule = isinstance(value, bool), "true or false"
    elif kind is str:
        fits, rule = isinstance(value, str) and len(value) <= 80, "a text of at most 80 characters"
    else:
        low, high = _LIMITS[key]
        numbers = (int, float) if kind is float else (int,)
        fits = isinstance(value, numbers) and not isinstance(value, bool) and low <= value <= high
        rule = f"a {'number' if kind is float else 'whole number'} from {low:g} to {high:,g}"
    if not fits:
        raise AssistantError(
            f"The setting {key!r} is {value!r}; it should be {rule}. Correct it, then start again."
        )
