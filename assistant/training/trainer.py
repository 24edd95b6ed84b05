"""The trainer: TRL's, with our batches and our loss.

It knows TRL and PEFT. It does not know conversations, workspaces or versions of adapters.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
from assistant.training.checkpoints import CHECKPOINTS, best_folder, check_room, find_resumption
from assistant.training.course import Course, evaluation_steps
from assistant.training.labels import IGNORED
from assistant.training.loss import has_plain_head, labelled_loss, padded
from assistant.training.progress import Progress
from assistant.training.settings import TrainingSettings


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
    sample: Callable[[PeftModel], Sequence[str]] | None = None,
) -> Outcome:
    """Train an adapter on the planned steps, going on from the newest sound checkpoint in `folder`.

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
        sample: answers some questions at each evaluation, for people to read.

    Raises:
        AssistantError: there is no room for checkpoints, or training diverged.
    """
    disable_progress_bars()
    found = find_resumption(folder, plan)
    for text in found.damaged:
        log.write("stage", text=text)
    trainer = make_trainer(model, tokenizer, steps, settings, folder / CHECKPOINTS)
    check_room(folder, trained_weights(trainer.model))
    course = Course(
        trainer=trainer,
        log=log,
        progress=found.progress,
        step_tokens=[sum(batch.tokens for batch in batches) for batches in steps],
        evaluate_at=evaluation_steps(len(steps), settings.epochs),
        evaluation=[placed(batch, model) for batch in evaluation],
        run=folder,
        base_name=base_name,
        patience=settings.patience,
        sample=sample,
    )
    trainer.add_callback(course)
    if found.checkpoint:
        log.write("stage", text=f"Going on after step {found.progress.step} of {len(steps)}")
    elif found.damaged:
        log.write("stage", text="Starting from the beginning: no checkpoint is whole")
    course.stopped = log.stop_wanted
    if not course.stopped:
        trainer.train(resume_from_checkpoint=str(found.checkpoint) if found.checkpoint else None)
    best = course.progress.best_step
    return Outcome(
        course.progress, course.stopped, best_folder(folder, best) if best else None, trainer.model
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
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


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
