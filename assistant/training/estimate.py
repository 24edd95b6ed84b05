"""What a training will take: time, memory and money, reckoned from a few steps measured on this machine.

It knows arithmetic and where measurements are kept. It does not know how one is made (`measuring.py`).
"""

import hashlib
import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.errors import AssistantError
from assistant.training.settings import TrainingSettings
from assistant.workspace import Workspace, read_json, write_json

MEASURED = (
    "rank",
    "targets",
    "max_length",
    "batch_tokens",
    "batches_per_step",
    "threads",
    "processes",
    "four_bit",
)
"""Settings that a measurement depends on; with the others it is reckoned anew."""
EVALUATION_EXAMPLES = 24
"""Held-out examples that are measured; more would cost time and change little."""
FEWEST_EVALUATIONS = 6
"""Of a run; longer ones have two an epoch."""
GENERAL_PASSES = 3
"""Times that the everyday questions are asked: base model, half strength, full strength."""
TOKENS_A_WEIGHT = 20
"""Text that a model trained from nothing wants for each of its weights (Hoffmann et al., 2022)."""
BYTES_A_WEIGHT = 16
"""What each weight takes when all are trained: weight, gradient and two moments, in float32."""
FULL_COST = 6 / 4
"""Computing all gradients against the adapter's alone: 6 operations for a weight and token instead of 4."""
CROWDED = 0.9
"""Share of the free memory above which a training counts as not fitting."""


@dataclass(frozen=True)
class Measurement:
    """What a few steps on this machine took; times in seconds, memory in bytes."""

    tokens_per_second: float
    evaluation_tokens_per_second: float
    sample_seconds: float
    """For the answers to the held-out questions that people read along."""
    general_seconds: float
    """For all everyday questions at one voice strength."""
    start_seconds: float
    """Until the first step: libraries, model, voice."""
    conversation_seconds: float
    """To write one conversation as tokens."""
    lookup_seconds: float
    """To find the passages of one reply."""
    conversation_tokens: float
    reply_tokens: float
    """Of a reply with passages; 0 where there are no documents."""
    replies: float
    """In a conversation."""
    peak_memory: int
    free_memory: int
    """Before it began."""
    trained: int
    """Weights that are trained."""
    weights: int
    """Weights of the whole model."""
    place: str
    """Device and number format."""


@dataclass(frozen=True)
class Estimate:
    """What a training will take at most; it may end early."""

    seconds: float
    tokens: int
    memory: int
    free: int
    """Memory that was free when it was measured, in bytes."""
    share: float
    """Of the weights, those that are trained."""
    scratch_seconds: float
    """What training a model of this size from nothing would take here."""
    scratch_memory: int
    place: str

    def money(self, price: float) -> float:
        """What it costs, at a price an hour."""
        return self.seconds / 3600 * price

    def scratch_money(self, price: float) -> float:
        """What training from nothing would cost."""
        return self.scratch_seconds / 3600 * price

    @property
    def crowded(self) -> bool:
        """Whether it may not fit into the memory that is free."""
        return self.memory > CROWDED * self.free


def evaluations(epochs: int) -> int:
    """How often the held-out conversations are measured in a run."""
    return max(2 * epochs, FEWEST_EVALUATIONS)


def estimate(measured: Measurement, settings: TrainingSettings, *, learned: int, held: int) -> Estimate:
    """Reckon a training from what was measured.

    Args:
        measured: a few steps on this machine.
        settings: of the training.
        learned: conversations it learns from.
        held: conversations held out.
    """
    grounded = settings.grounded_share * measured.replies if measured.reply_tokens else 0.0
    each = measured.conversation_tokens + grounded * measured.reply_tokens
    tokens = settings.epochs * learned * each
    examples = min(EVALUATION_EXAMPLES, held * (1 + grounded))
    measures = evaluations(settings.epochs) + 1 if held else 0
    evaluating = examples * each / (1 + grounded) / measured.evaluation_tokens_per_second
    writing = measured.conversation_seconds + grounded * measured.lookup_seconds
    seconds = (
        measured.start_seconds
        + (learned + held) * writing
        + tokens / measured.tokens_per_second
        + measures * (evaluating + measured.sample_seconds)
        + (GENERAL_PASSES * measured.general_seconds if settings.general_questions else 0.0)
    )
    scratch = TOKENS_A_WEIGHT * measured.weights * FULL_COST / measured.tokens_per_second
    return Estimate(
        seconds,
        math.ceil(tokens),
        measured.peak_memory,
        measured.free_memory,
        measured.trained / max(measured.weights, 1),
        scratch,
        BYTES_A_WEIGHT * measured.weights,
        measured.place,
    )


def read_measurement(workspace: Workspace, model: Path, settings: TrainingSettings) -> Measurement | None:
    """What was measured for this model and these settings; None where nothing was, or it can't be read."""
    path = _file(workspace, model, settings)
    if not path.exists():
        return None
    try:
        return Measurement(**read_json(path))
    except (AssistantError, TypeError):  # measured by an older Quartet: measure again
        return None


def keep_measurement(
    workspace: Workspace, model: Path, settings: TrainingSettings, measured: Measurement
) -> None:
    """Keep a measurement for this model and these settings."""
    write_json(_file(workspace, model, settings), asdict(measured))


def _file(workspace: Workspace, model: Path, settings: TrainingSettings) -> Path:
    values = asdict(settings)
    weights = [(path.name, path.stat().st_size) for path in sorted(model.glob("*.safetensors"))]
    parts = [str(model), weights, [values[name] for name in MEASURED], settings.grounded_share > 0]
    key = hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
    return workspace.training / "measured" / f"{key}.json"
