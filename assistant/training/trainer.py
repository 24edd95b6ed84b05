"""The trainer: TRL's, with our batches and loss, evaluations at set steps, checkpoints and a log.

It knows TRL, PEFT and torch. It does not know conversations, workspaces or versions of adapters.
"""

import copy
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from safetensors.torch import save_file
from torch import Tensor
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState
from trl import SFTConfig, SFTTrainer

from assistant.adapters import WEIGHTS, EvaluationLoss
from assistant.errors import AssistantError
from assistant.jobs import JobLog
from assistant.training.batches import Batch
from assistant.training.examples import IGNORED
from assistant.training.loss import has_plain_head, labelled_loss, padded
from assistant.training.settings import TrainingSettings
from assistant.workspace import read_json, write_json

TARGETS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
"""All linear layers of attention and MLP, by the names that Llama-like models give them."""
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


@dataclass(frozen=True)
class Outcome:
    """What a run came to; `adapter` is the folder of the best one, None if there is none yet."""

    progress: Progress
    stopped: bool
    adapter: Path | None


class VoiceTrainer(SFTTrainer):
    """TRL's trainer with the loss of `loss.py`; each row of its dataset is a whole batch."""

    step_loss = 0.0
    """Mean loss of the labelled tokens of the step that is under way, so far."""

    def compute_loss(
        self,
        model: PeftModel,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | None = None,
    ) -> Tensor:
        """The share of the step's mean loss that this batch adds."""
        base: PreTrainedModel = model.get_base_model()
        if has_plain_head(base) and num_items_in_batch is not None:
            loss = labelled_loss(base, inputs) / num_items_in_batch
        else:
            loss = super().compute_loss(model, inputs, num_items_in_batch=num_items_in_batch)
        self.step_loss += float(loss.detach())
        return loss

    def create_model_card(self, *_args: Any, **_options: Any) -> None:
        """None: lineage.json says where an adapter comes from."""


@dataclass
class Course(TrainerCallback):
    """What happens around the steps: log lines, evaluations, the best adapter, checkpoints, the stop file."""

    trainer: VoiceTrainer
    log: JobLog
    progress: Progress
    step_tokens: Sequence[int]
    """Tokens of each step."""
    evaluate_at: frozenset[int]
    evaluation: Sequence[dict[str, Tensor]]
    best: Path
    base_name: str
    stopped: bool = False
    _began: float = 0.0
    _evaluation_seconds: float = 0.0

    def on_train_begin(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Measure the base model, unless an earlier process did."""
        if not self.progress.losses and self.evaluation:
            self._evaluate(0)
        if self.log.stop_asked():
            self.stopped = control.should_training_stop = True
        self._began = time.monotonic()

    def on_step_end(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Log the step; evaluate and save where it is time; stop where it is asked."""
        step, loss = state.global_step, self.trainer.step_loss
        self.trainer.step_loss = 0.0
        if not math.isfinite(loss):
            raise AssistantError(
                f"The loss became {loss} at step {step}: training diverged. Start again with a lower learning rate."
            )
        self._count(step)
        self._log_step(step, loss)
        if step in self.evaluate_at:
            self._evaluate(step)
            control.should_save = True
        if self.log.stop_asked() and step < len(self.step_tokens):
            self.stopped = control.should_training_stop = True
        self._began = time.monotonic()

    def on_save(self, args: Any, state: TrainerState, control: TrainerControl, **_: Any) -> None:
        """Mark the checkpoint as finished."""
        self.progress.write(Path(args.output_dir) / f"checkpoint-{state.global_step}" / PROGRESS)
        self._began = time.monotonic()

    def _count(self, step: int) -> None:
        self.progress.step = step
        self.progress.tokens += self.step_tokens[step - 1]
        self.progress.seconds += time.monotonic() - self._began

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
        )

    def _evaluate(self, step: int) -> None:
        began = time.monotonic()
        if self.evaluation:
            loss = mean_loss(self.trainer.model, self.evaluation)
            lowest = min((each.loss for each in self.progress.losses if each.step > 0), default=math.inf)
            self.progress.losses.append(EvaluationLoss(step, round(loss, 5)))
            self.log.write("evaluation", step=step, loss=round(loss, 4))
        # Without held-out conversations the newest counts as the best.
        if step and (not self.evaluation or loss < lowest):
            self.progress.best_step = step
            save_adapter(self.trainer.model, self.best, self.base_name)
        self._evaluation_seconds = time.monotonic() - began


def train(
    model: PreTrainedModel,
    tokenizer: Any,
    steps: Sequence[Sequence[Batch]],
    evaluation: Sequence[Batch],
    settings: TrainingSettings,
    *,
    folder: Path,
    plan: str,
    log: JobLog,
    base_name: str,
) -> Outcome:
    """Train an adapter on the planned steps, going on from the newest checkpoint in `folder` if it fits.

    Args:
        model: the base model; its weights stay as they are.
        tokenizer: its tokenizer.
        steps: the batches of each step.
        evaluation: batches held out; may be empty.
        settings: rank, learning rate and so on.
        folder: where checkpoints and the best adapter are kept.
        plan: digest of the steps.
        log: told of each step and evaluation.
        base_name: the base model's name, noted in the adapter.
    """
    disable_progress_bars()
    checkpoint, progress = _newest_checkpoint(folder / "checkpoints", plan)
    trainer = _trainer(model, tokenizer, steps, settings, folder / "checkpoints")
    course = Course(
        trainer=trainer,
        log=log,
        progress=progress,
        step_tokens=[sum(batch.tokens for batch in batches) for batches in steps],
        evaluate_at=evaluation_steps(len(steps), settings.epochs),
        evaluation=[trainer._prepare_inputs(collate([_row(batch)])) for batch in evaluation],
        best=folder / "best",
        base_name=base_name,
    )
    trainer.add_callback(course)
    if checkpoint:
        log.write("stage", text=f"Going on after step {progress.step} of {len(steps)}")
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    return Outcome(progress, course.stopped, course.best if progress.best_step else None)


def evaluation_steps(steps: int, epochs: int) -> frozenset[int]:
    """The steps after which the held-out conversations are measured: each half epoch and the last."""
    return frozenset(max(1, round(steps * half / (2 * epochs))) for half in range(1, 2 * epochs + 1))


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
    weights = {name: value.detach().half().cpu().contiguous() for name, value in get_peft_model_state_dict(model).items()}
    config = copy.copy(model.peft_config["default"])
    config.inference_mode, config.base_model_name_or_path = True, base_name
    config.save_pretrained(str(folder))
    save_file(weights, folder / f"{WEIGHTS}.new", metadata={"format": "pt"})
    (folder / f"{WEIGHTS}.new").replace(folder / WEIGHTS)


def collate(rows: list[dict[str, Any]]) -> dict[str, Tensor]:
    """One row of the dataset, which is a batch, as padded tensors [examples, longest]."""
    (row,) = rows
    mask = [[1] * len(ids) for ids in row["input_ids"]]
    return {
        "input_ids": padded(row["input_ids"], 0),
        "attention_mask": padded(mask, 0),
        "labels": padded(row["labels"], IGNORED),
    }


def _row(batch: Batch) -> dict[str, list[list[int]]]:
    return {
        "input_ids": [list(example.input_ids) for example in batch.examples],
        "labels": [list(example.labels) for example in batch.examples],
    }


def _trainer(
    model: PreTrainedModel,
    tokenizer: Any,
    steps: Sequence[Sequence[Batch]],
    settings: TrainingSettings,
    folder: Path,
) -> VoiceTrainer:
    # The whole run is one epoch to TRL: the plan has the real ones, so resuming is skipping rows.
    arguments = SFTConfig(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=settings.batches_per_step,
        train_sampling_strategy="sequential",
        shuffle_dataset=False,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(0.05 * len(steps)),
        max_grad_norm=1.0,
        weight_decay=0.0,
        bf16=False,
        gradient_checkpointing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        save_strategy="no",
        save_total_limit=2,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        use_cpu=model.device.type == "cpu",
        seed=settings.seed,
    )
    adapter = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        bias="none",
        target_modules=list(TARGETS),
        task_type="CAUSAL_LM",
    )
    rows = [_row(batch) for batches in steps for batch in batches]
    return VoiceTrainer(
        model=model,
        args=arguments,
        data_collator=collate,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=adapter,
    )


def _newest_checkpoint(folder: Path, plan: str) -> tuple[Path | None, Progress]:
    """The newest finished checkpoint of this very plan and how far it came; none and a fresh start otherwise."""
    found = sorted(folder.glob(f"checkpoint-*/{PROGRESS}"), key=lambda path: int(path.parent.name.split("-")[1]))
    for path in reversed(found):
        progress = Progress.read(path)
        if progress.plan == plan:
            return path.parent, progress
    return None, Progress(plan)
