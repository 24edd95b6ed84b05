"""The trainer: TRL's, with our batches and our loss.

It knows TRL and PEFT. It does not know conversations, workspaces or versions of adapters.
"""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset, disable_progress_bars
from peft import LoraConfig, PeftModel, set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor, nn
from transformers import PreTrainedModel, PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from assistant.adapters import WEIGHTS
from assistant.errors import AssistantError
from assistant.jobs import JobLog, Stop
from assistant.training.batches import Batch
from assistant.training.checkpoints import CHECKPOINTS, best_folder, check_room
from assistant.training.course import Course, evaluation_steps
from assistant.training.labels import IGNORED
from assistant.training.loss import has_plain_head, labelled_loss, padded
from assistant.training.parts import Part
from assistant.training.progress import Progress
from assistant.training.settings import TrainingSettings
from assistant.training.team import Team


@dataclass(frozen=True)
class Outcome:
    """What a run came to; `adapter` is the folder of the best one, None if there is none yet."""

    progress: Progress
    stopped: Stop
    adapter: Path | None
    model: PeftModel
    """As it was after the last step."""


class VoiceTrainer(SFTTrainer):
    """TRL's trainer with the loss of `loss.py`; each row of its dataset is a whole batch."""

    step_loss = 0.0
    """Mean loss of the labelled tokens of the step under way so far, or of the one that just ended."""
    team = Team()
    """Those who learn together. Each holds the whole adapter and takes its share of the batches."""

    def learn(self, team: Team, checkpoint: Path | None) -> None:
        """Take all steps together with the team, from the first process's adapter or from a checkpoint."""
        self.team = team
        team.take_over(trained(self.model))
        self.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)

    def get_batch_samples(self, *arguments: Any, **options: Any) -> tuple[list[Any], Any]:
        """The batches of this process's share of a step, and how many tokens the whole step learns."""
        self.step_loss = 0.0
        batches, tokens = super().get_batch_samples(*arguments, **options)
        return batches, tokens if tokens is None else self.team.summed(tokens)

    def training_step(self, *arguments: Any, **options: Any) -> Tensor:
        """Learn from a batch; after the last of a step, add up loss and gradients with the others."""
        loss = super().training_step(*arguments, **options)
        if self.accelerator.sync_gradients:
            self.step_loss = float(self.team.summed(torch.tensor(self.step_loss, dtype=torch.float64)))
            self.team.add_up([_gradient(weight) for weight in trained(self.model)])
        return loss

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
            # A mean of this batch alone where the model takes no count; of all processes', each is a share.
            loss = loss / self.team.size if num_items_in_batch is None else loss
        self.step_loss += float(loss.detach())
        return loss

    def create_model_card(self, *_args: Any, **_options: Any) -> None:
        """None: lineage.json says where an adapter comes from."""


def train(
    model: PreTrainedModel,
    tokenizer: Any,
    own: Part,
    evaluation: Sequence[Batch],
    *,
    step_tokens: Sequence[int],
    progress: Progress,
    meet: Callable[[], AbstractContextManager[Team]],
    log: JobLog,
    sample: Callable[[PeftModel], Sequence[str]] | None = None,
) -> Outcome:
    """Train an adapter, taking a part and leading those who take the others.

    Args:
        model: the base model; its weights stay as they are.
        tokenizer: its tokenizer.
        own: the part of the training that this process takes.
        evaluation: batches held out; may be empty.
        step_tokens: tokens of each step, all parts together.
        progress: how far it has come before.
        meet: brings everyone together who has a part.
        log: told of each step and evaluation.
        sample: answers some questions at each evaluation, for people to read.

    Raises:
        AssistantError: there is no room for checkpoints, or training diverged.
    """
    disable_progress_bars()
    trainer = make_trainer(model, tokenizer, own.steps, own.settings, own.run / CHECKPOINTS)
    check_room(own.run, trained_weights(trainer.model))
    course = Course(
        trainer=trainer,
        log=log,
        progress=progress,
        step_tokens=step_tokens,
        evaluate_at=evaluation_steps(len(step_tokens), own.settings.epochs),
        evaluation=[placed(batch, model) for batch in evaluation],
        run=own.run,
        base_name=own.model.name,
        patience=own.settings.patience,
        sample=sample,
        processes=own.size,
        stopped=log.stop_wanted,
    )
    trainer.add_callback(course)
    if not course.stopped:
        with meet() as team:
            trainer.learn(team, own.checkpoint)
    best = course.progress.best_step
    return Outcome(
        course.progress, course.stopped, best_folder(own.run, best) if best else None, trainer.model
    )


def time_steps(trainer: VoiceTrainer) -> list[float]:
    """Take all steps of a trainer; gives the seconds that each took."""
    disable_progress_bars()
    clock = _Clock()
    trainer.add_callback(clock)
    trainer.train()
    return clock.seconds


class _Clock(TrainerCallback):
    """Times steps."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._began = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._began = time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.seconds.append(time.monotonic() - self._began)


def trained_weights(model: PeftModel) -> int:
    """How many weights are trained; the base model's are not."""
    return sum(weight.numel() for weight in trained(model))


def trained(model: PeftModel) -> list[Tensor]:
    """The weights that are trained, in the model's order."""
    return [weight for weight in model.parameters() if weight.requires_grad]


def _gradient(weight: Tensor) -> Tensor:
    """A weight's gradient, which it may have in other processes only: those of experts, say."""
    if weight.grad is None:
        weight.grad = torch.zeros_like(weight)
    return weight.grad


def take_up(model: PeftModel, adapter: Path) -> None:
    """Give the model the weights of an adapter that was saved: those of its best step, say."""
    set_peft_model_state_dict(model, load_file(adapter / WEIGHTS, device=str(model.device)))


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


def placed(batch: Batch, model: PreTrainedModel) -> dict[str, Tensor]:
    """A batch as tensors where the model is."""
    return {name: value.to(model.device) for name, value in collate([_row(batch)]).items()}


def make_trainer(
    model: PreTrainedModel,
    tokenizer: Any,
    steps: Sequence[Sequence[Batch]],
    settings: TrainingSettings,
    folder: Path,
) -> VoiceTrainer:
    """A trainer that takes these steps and writes its checkpoints to `folder`."""
    rows = [_row(batch) for batches in steps for batch in batches]
    trainer = VoiceTrainer(
        model=model,
        args=_arguments(len(steps), settings, folder, on_cpu=model.device.type == "cpu"),
        data_collator=collate,
        train_dataset=Dataset.from_list(rows),
        processing_class=tokenizer,
        peft_config=lora_config(model, settings),
    )
    for weight in trained(trainer.model):
        weight.data = weight.data.float()  # over 4 bits TRL takes bfloat16, in which small steps are lost
    trainer.remove_callback(PrinterCallback)
    trainer.remove_callback(PrinterCallback)
    return trainer


def _arguments(steps: int, settings: TrainingSettings, folder: Path, *, on_cpu: bool) -> SFTConfig:
    # The whole run is one epoch to TRL: the plan has the real ones, so resuming is skipping rows.
    return SFTConfig(
        output_dir=str(folder),
        num_train_epochs=1,
        per_device_train_batch_size=1,
        gradient_accumulation_steps=settings.batches_per_step,
        train_sampling_strategy="sequential",
        shuffle_dataset=False,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=math.ceil(0.05 * steps),
        max_grad_norm=1.0,
        weight_decay=0.0,
        bf16=False,
        activation_checkpointing=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        save_strategy="no",
        save_total_limit=2,
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        dataloader_pin_memory=False,
        use_cpu=on_cpu,
        seed=settings.seed,
    )


def lora_config(model: PreTrainedModel, settings: TrainingSettings) -> LoraConfig:
    """The adapter that these settings describe, for this model.

    Raises:
        AssistantError: its attention layers are wanted and can't be told from the others.
    """
    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=0.0,
        bias="none",
        target_modules="all-linear" if settings.targets == "all" else _attention_layers(model),
        task_type="CAUSAL_LM",
    )


def _attention_layers(model: PreTrainedModel) -> list[str]:
    names = {
        name.rpartition(".")[2]
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear) and "attn" in name
    }
    if not names:
        raise AssistantError(
            "This base model's attention layers could not be told from the others. "
            "Let the adapter change all layers instead."
        )
    return sorted(names)
