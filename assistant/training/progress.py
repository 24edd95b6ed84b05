"""How far a run has come, kept with each checkpoint. It knows files and numbers, not tensors."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from assistant.adapters import EvaluationLoss, Sample
from assistant.workspace import read_json, write_json

PROGRESS = "progress.json"


@dataclass
class Progress:
    """How far a run has come; kept with each checkpoint."""

    plan: str
    """Digest of the plan; a checkpoint of another plan is not gone on with."""
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    """Time spent training, without evaluations."""
    losses: list[EvaluationLoss] = field(default_factory=list)
    samples: list[Sample] = field(default_factory=list)
    best_step: int = 0
    peak_memory: int = 0
    """Bytes of the processor's or the card's memory that the run held at most."""

    @property
    def best_loss(self) -> float | None:
        """The lowest evaluation loss since training began; None while there is none."""
        return min((each.loss for each in self.losses if each.step > 0), default=None)

    def evaluations_since_best(self) -> int:
        """How many evaluations have passed without a lower loss."""
        return sum(each.step > self.best_step for each in self.losses)

    @classmethod
    def read(cls, path: Path) -> "Progress":
        """The progress that `write` kept."""
        values = read_json(path)
        losses = [EvaluationLoss(**each) for each in values["losses"]]
        samples = [Sample(each["step"], tuple(each["answers"])) for each in values["samples"]]
        return cls(**values | {"losses": losses, "samples": samples})

    def write(self, path: Path) -> None:
        """Keep it."""
        write_json(path, asdict(self))
