"""What happens around the steps of a training: log, evaluations, best adapter, checkpoints, stop file.

It knows when things happen. It does not know how a step is computed (`trainer.py`, `loss.py`).
"""

import copy
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from peft import PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState

from assistant.adapters import WEIGHTS, EvaluationLoss, Sample
from assistant.errors import AssistantError
from assistant.jobs import JobLog, Stop
from assistant.training.checkpoints import best_folder, seal
from assistant.training.estimate import evaluations
from assistant.training.labels import IGNORED
from assistant.training.loss import has_plain_head, labelled_loss
from assistant.training.memory import peak_memory
from assistant.training.progress import Progress

SAVE_EVERY = 300.0
"""Seconds after which a checkpoint is written even between evaluations."""


class Trained(Protocol):
    """What is needed of a trainer."""

    model: PeftModel
    step_loss: float
    """Mean loss of the labelled tokens of the step that just ended."""


@dataclass
class Course(TrainerCallback):
    """What happens around the steps: log lines, evaluations, the best adapter, checkpoints, the stop file."""

    trainer: Trained
    log: JobLog
    progress: Progress
    step_tokens: Sequence[int]
    """Tokens of each step."""
    evaluate_at: frozenset[int]
    evaluation: Sequence[dict[str, Tensor]]
    run: Path
    """The run's folder."""
    base_name: str
    patience: int = 0
    """Evaluations without a lower loss after which training ends; 0 for never."""
    sample: Callable[[PeftModel], Sequence[str]] | None = None
    """Answers the held-out questions that people read along."""
    processes: int = 1
    """How many learn together."""
    stopped: Stop = ""
    early: bool = False
    _began: float = 0.0
    _saved: float = 0.0
    _evaluation_seconds: float = 0.0

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Measure the base model, unless an earlier process did."""
        if not self.progress.losses and self.evaluation:
            self._evaluate(0)
        self._began = self._saved = time.monotonic()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Log the step; evaluate and save where it is time; stop where it is asked or of no more use."""
        step, loss = state.global_step, self.trainer.step_loss
        if not math.isfinite(loss):
            raise AssistantError(
                f"The loss became {loss} at step {step}: training diverged. "
                "Start again with a lower learning rate."
            )
        self._count(step)
        self._log_step(step, loss)
        self.stopped = self.log.stop_wanted if step < len(self.step_tokens) else ""
        if step in self.evaluate_at or self.stopped == "keep":
            self._evaluate(step)
            self.early = self._no_better(step)
            control.should_save = True
        elif time.monotonic() - self._saved > SAVE_EVERY:
            control.should_save = not self.stopped
        control.should_training_stop = control.should_training_stop or bool(self.stopped) or self.early
        self._began = time.monotonic()

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Mark the checkpoint as finished."""
        seal(self.run, Path(args.output_dir) / f"checkpoint-{state.global_step}", self.progress)
        self._began = self._saved = time.monotonic()

    def _count(self, step: int) -> None:
        self.progress.step = step
        self.progress.tokens += self.step_tokens[step - 1]
        self.progress.seconds += time.monotonic() - self._began
        self.progress.peak_memory = max(self.progress.peak_memory, peak_memory(self.processes))

    def _log_step(self, step: int, loss: float) -> None:
        rate = self.progress.tokens / max(self.progress.seconds, 1e-9)
        evaluations_left = sum(later > step for later in self.evaluate_at)
        left = sum(self.step_tokens[step:]) / rate + evaluations_left * self._evaluation_seconds
        self.log.write(
            "step",
            step=step,
            steps=len(self.step_tokens),
            loss=round(loss, 4),
            tokens=self.progress.tokens,
            tokens_per_second=round(rate, 1),
            seconds_left=round(left, 1),
            memory=self.progress.peak_memory,
        )

    def _no_better(self, step: int) -> bool:
        """Whether training ends early; a run at its last step ends anyway."""
        if not self.evaluation or not self.patience or step == len(self.step_tokens):
            return False
        if self.progress.evaluations_since_best() < self.patience:
            return False
        self.log.write("early", step=step, best=self.progress.best_step)
        return True

    def _evaluate(self, step: int) -> None:
        began, lowest = time.monotonic(), self.progress.best_loss
        loss = mean_loss(self.trainer.model, self.evaluation) if self.evaluation else None
        if loss is not None:
            self.progress.losses.append(EvaluationLoss(step, round(loss, 5)))
            self.log.write("evaluation", step=step, loss=round(loss, 4))
        # Without held-out conversations the newest counts as the best.
        if step and (loss is None or lowest is None or loss < lowest):
            self.progress.best_step = step
            save_adapter(self.trainer.model, best_folder(self.run, step), self.base_name)
        if self.sample is not None:
            said = tuple(self.sample(self.trainer.model))
            self.progress.samples.append(Sample(step, said))
            self.log.write("samples", step=step, answers=said)
        self._evaluation_seconds = time.monotonic() - began


def evaluation_steps(steps: int, epochs: int) -> frozenset[int]:
    """The steps after which the held-out conversations are measured, evenly spread, with the last."""
    count = evaluations(epochs)
    return frozenset(max(1, round(steps * part / count)) for part in range(1, count + 1))


def mean_loss(model: PeftModel, batches: Sequence[dict[str, Tensor]]) -> float:
    """Mean cross entropy of the labelled tokens."""
    base = model.get_base_model()
    was_training = model.training
    model.eval()
    with torch.no_grad():
        total = sum(float(_any_loss(base, batch)) for batch in batches)
    model.train(was_training)
    return total / sum(int((batch["labels"][:, 1:] != IGNORED).sum()) for batch in batches)


def _any_loss(base: PreTrainedModel, batch: dict[str, Tensor]) -> Tensor:
    if has_plain_head(base):
        return labelled_loss(base, batch)
    labelled = (batch["labels"][:, 1:] != IGNORED).sum()
    outputs: Any = base(**batch, use_cache=False)
    return outputs.loss * labelled


def save_adapter(model: PeftModel, folder: Path, base_name: str) -> None:
    """Write the adapter in PEFT's format, weights in float16; replaces the folder's files one by one."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: value.detach().half().cpu().contiguous()
        for name, value in get_peft_model_state_dict(model).items()
    }
    config = copy.copy(model.peft_config["default"])
    config.inference_mode, config.base_model_name_or_path = True, base_name
    config.save_pretrained(str(folder))
    save_file(weights, folder / f"{WEIGHTS}.new", metadata={"format": "pt"})
    (folder / f"{WEIGHTS}.new").replace(folder / WEIGHTS)
