"""`python -m tests.benchmarks.training`: tokens a second in training, beside TRL's defaults, in one run.

Three arms learn from the same examples, in turn: TRL as it comes (bfloat16, activation checkpointing, padded
batches of eight), ours on the very same batches, whose losses have to lie on TRL's, and ours with its own
batches. Parity of loss and gradients is tested in `tests/assistant/training/test_loss.py`.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import torch
from datasets import Dataset
from transformers import PrinterCallback, TrainerCallback
from trl import SFTConfig, SFTTrainer

from assistant.brand import read_brand
from assistant.conversations import read_conversations
from assistant.demo import DEMO
from assistant.models import chat_model
from assistant.training import TrainingSettings
from assistant.training.batches import Batch, plan
from assistant.training.examples import Writer, build_examples
from assistant.training.labels import Example
from assistant.training.trainer import lora_config, make_trainer
from assistant.weights import find_placement, load_model, load_tokenizer

TRL_BATCH = 8
"""Examples in a batch of TRL's."""


@dataclass
class Watch(TrainerCallback):
    """Seconds of each step, and its loss."""

    loss: Callable[[], float]
    seconds: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    _began: float = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        self._began = time.monotonic()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        self.seconds.append(time.monotonic() - self._began)
        self.losses.append(self.loss())


@dataclass
class Arm:
    """What one way of training came to, over all rounds; the first step of each warms up."""

    name: str
    rates: list[float] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)

    def add(self, steps: Sequence[Batch], watch: Watch) -> None:
        tokens = sum(batch.tokens for batch in steps[1:])
        self.rates.append(tokens / sum(watch.seconds[1:]))
        self.losses = watch.losses


class Bench:
    """One model and its examples."""

    def __init__(self, folder: Path, steps: int) -> None:
        self._folder = folder
        self._tokenizer = load_tokenizer(folder)
        self._settings = TrainingSettings()
        special = tuple(token.content for token in self._tokenizer.added_tokens_decoder.values())
        writer = Writer(self._tokenizer, special, read_brand(DEMO / "brand.toml"), self._settings.max_length)
        conversations = read_conversations(DEMO / "conversations.jsonl").conversations
        examples = build_examples(conversations, writer, self._settings).examples
        chosen = examples[: TRL_BATCH * steps]
        self.alike = [Batch(chosen[at : at + TRL_BATCH]) for at in range(0, len(chosen), TRL_BATCH)]
        tokens = self._settings.batch_tokens
        self.own = plan(chosen, epochs=1, batch_tokens=tokens, seed=0)

    def theirs(self, steps: Sequence[Batch]) -> Watch:
        """TRL as it comes, but for the learning rate, its course and the order, which are ours."""
        model = self._model()
        with tempfile.TemporaryDirectory() as place:
            arguments = SFTConfig(
                output_dir=place,
                num_train_epochs=1,
                per_device_train_batch_size=TRL_BATCH,
                learning_rate=self._settings.learning_rate,
                lr_scheduler_type="cosine",
                warmup_steps=-(-len(steps) // 20),
                train_sampling_strategy="sequential",
                logging_steps=1,
                report_to="none",
                disable_tqdm=True,
                save_strategy="no",
                use_cpu=model.device.type == "cpu",
            )
            rows = [_row(example) for batch in steps for example in batch.examples]
            trainer = SFTTrainer(
                model=model,
                args=arguments,
                train_dataset=Dataset.from_list(rows),
                processing_class=self._tokenizer,
                peft_config=lora_config(model, self._settings),
            )
            watch = Watch(lambda: 0.0)
            trainer.remove_callback(PrinterCallback)
            trainer.remove_callback(PrinterCallback)
            trainer.add_callback(watch)
            trainer.train()
            watch.losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
        return watch

    def ours(self, steps: Sequence[Batch]) -> Watch:
        """Our trainer."""
        with tempfile.TemporaryDirectory() as place:
            trainer = make_trainer(
                self._model(), self._tokenizer, [[batch] for batch in steps], self._settings, Path(place)
            )
            watch = Watch(lambda: trainer.step_loss)
            trainer.add_callback(watch)
            trainer.train()
        return watch

    def _model(self) -> Any:
        torch.manual_seed(0)
        return load_model(self._folder, find_placement())


def _row(example: Example) -> dict[str, list[int]]:
    return {"input_ids": list(example.input_ids), "labels": list(example.labels)}


def main() -> None:
    """Run the arms in turn, and print what they came to."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=8, help="Steps of eight examples an arm and round.")
    parser.add_argument("--rounds", type=int, default=2, help="How often each arm runs.")
    parser.add_argument("--model", help="Folder of the model; the starter model without it.")
    chosen = parser.parse_args()
    bench = Bench(chat_model(chosen.model, lambda *_: None), chosen.steps)
    arms = [Arm("TRL's defaults"), Arm("ours, same batches"), Arm("ours")]
    for _ in range(chosen.rounds):
        arms[0].add(bench.alike, bench.theirs(bench.alike))
        arms[1].add(bench.alike, bench.ours(bench.alike))
        arms[2].add(bench.own, bench.ours(bench.own))
    base = statistics.median(arms[0].rates)
    tokens = sum(batch.tokens for batch in bench.alike)
    print(f"{torch.get_num_threads()} threads, {find_placement()}; {tokens:,} tokens")
    for arm in arms:
        rate = statistics.median(arm.rates)
        each = ", ".join(f"{rate:.0f}" for rate in arm.rates)
        print(f"{arm.name:20} {rate:7.0f} tokens/s  {rate / base:5.2f}x  ({each})")
    print("step  TRL's loss  ours   difference")
    for step, (theirs, ours) in enumerate(zip(arms[0].losses, arms[1].losses, strict=True), start=1):
        print(f"{step:4}  {theirs:10.4f}  {ours:.4f}  {ours - theirs:+.4f}")


if __name__ == "__main__":
    main()
