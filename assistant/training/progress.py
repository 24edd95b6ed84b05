"""How far a run has come, kept with each checkpoint. It knows files and numbers, not tensors."""

from dataclasses import asdict, dataclass, field
from pathlib import Path

from assistant.adapters import EvaluationLoss
from assistant.workspace import read_json, write_json

PROGRESS = "progress.json"
"""Written into a checkpoint last, so that one without it counts as unfinished."""


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
    best_step: int = 0

    @classmethod
    def read(cls, path: Path) -> "Progress":
        """The progress that `write` kept."""
        values = read_json(path)
        return cls(**values | {"losses": [EvaluationLoss(**each) for each in values["losses"]]})

    def write(self, path: Path) -> None:
        """Keep it."""
        write_json(path, asdict(self))


def newest_checkpoint(folder: Path, plan: str) -> tuple[Path | None, Progress]:
    """The newest finished checkpoint of this very plan and how far it came; else none and a fresh start."""
    found = sorted(
        folder.glob(f"checkpoint-*/{PROGRESS}"), key=lambda path: int(path.parent.name.split("-")[1])
    )
    for path in reversed(found):
        progress = Progress.read(path)
        if progress.plan == plan:
            return path.parent, progress
    return None, Progress(plan)
