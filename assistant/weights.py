"""Weights on disk and in memory: turn a GGUF file into a plain safetensors folder, and load such a folder.

It knows transformers, devices and number formats. It does not know where a model came from (`models.py`).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, GenerationConfig, PreTrainedModel
from transformers.utils import logging as transformers_logging

from assistant import four_bits
from assistant.errors import AssistantError

NATIVE_BFLOAT16 = ("avx512_bf16", "amx_bf16")
"""CPU flags without which bfloat16 is emulated, and a hundred times slower."""


@dataclass(frozen=True)
class Placement:
    """The device and number format a model runs in, and why."""

    device: torch.device
    dtype: torch.dtype
    reason: str
    four_bit: bool = False
    """Whether the weights of linear layers are kept in 4 bits; computing is in `dtype` all the same."""

    def __str__(self) -> str:
        weights = ", weights in 4 bits" if self.four_bit else ""
        return f"{self.device.type}, {str(self.dtype).removeprefix('torch.')}{weights} ({self.reason})"


def find_placement() -> Placement:
    """The best place on this machine: CUDA in bfloat16, else CPU in bfloat16 where native, else float32."""
    if torch.cuda.is_available():
        if torch.cuda.is_bf16_supported(including_emulation=False):
            return Placement(torch.device("cuda"), torch.bfloat16, "the card computes bfloat16")
        return Placement(torch.device("cuda"), torch.float32, "the card has no bfloat16")
    if any(flag in _cpu_flags() for flag in NATIVE_BFLOAT16):
        return Placement(
            torch.device("cpu"), torch.bfloat16, "no graphics card; the processor computes bfloat16"
        )
    return Placement(
        torch.device("cpu"), torch.float32, "no graphics card; the processor has no native bfloat16"
    )


def _cpu_flags() -> frozenset[str]:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    return frozenset(next((line for line in text.splitlines() if line.startswith("flags")), "").split())


def convert_gguf(file: Path, folder: Path) -> None:
    """Write the model and tokenizer of a GGUF file as a plain safetensors folder, in float32."""
    transformers_logging.disable_progress_bar()
    quantised = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    config = quantised.config
    # The loaded model counts as quantised, and then save_pretrained refuses: a fresh one takes its weights.
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    model = AutoModelForCausalLM.from_config(config, dtype=torch.float32)
    model.load_state_dict(quantised.state_dict())
    tokenizer = AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name)
    model.generation_config = GenerationConfig(
        eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id
    )
    model.save_pretrained(folder, safe_serialization=True)
    tokenizer.save_pretrained(folder)


def load_model(folder: Path, placement: Placement) -> PreTrainedModel:
    """The model in a folder of safetensors, in evaluation mode, placed and converted.

    Raises:
        AssistantError: the weights are damaged or do not fit the configuration, or bitsandbytes is missing.
    """
    transformers_logging.disable_progress_bar()
    shrunk: dict[str, Any] = {}
    if placement.four_bit:  # layer by layer as they are read, so that they never take more
        shrunk = {
            "quantization_config": four_bits.loading(placement.dtype),
            "device_map": {"": placement.device},
        }
    try:
        loaded: Any = AutoModelForCausalLM.from_pretrained(
            folder,
            dtype=placement.dtype,
            use_safetensors=True,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
            **shrunk,
        )
        model, found = loaded
        if found["missing_keys"]:  # transformers would go on with random numbers in their place
            raise ValueError(f"weights are missing, such as {min(found['missing_keys'])}")
    except (OSError, ValueError, RuntimeError, SafetensorError) as problem:
        raise AssistantError(
            f"The model in {folder} could not be loaded: {problem}. "
            "Fetch it again, or name another with --model."
        ) from problem
    if not shrunk:
        model = model.to(placement.device)
    four_bits.compute_as_told(model)
    return model.eval()


def weight_bytes(folder: Path, placement: Placement) -> int:
    """Bytes that the weights of a folder's model take once loaded, by the headers of its files."""
    words = AutoConfig.from_pretrained(folder).get_text_config().vocab_size
    whole = linear = 0
    for shape in _shapes(folder):
        if placement.four_bit and len(shape) == 2 and shape[0] != words:
            linear += prod(shape)
        else:
            whole += prod(shape)
    return whole * placement.dtype.itemsize + round(linear * four_bits.BYTES_A_WEIGHT)


def count_weights(folder: Path) -> int:
    """How many weights a model's safetensors files hold, read from their headers."""
    return sum(map(prod, _shapes(folder)))


def _shapes(folder: Path) -> Iterator[tuple[int, ...]]:
    for path in sorted(folder.glob("*.safetensors")):
        with safe_open(path, framework="numpy") as file:
            for name in file.keys():  # noqa: SIM118 - no dict
                yield tuple(file.get_slice(name).get_shape())


def free_memory() -> int:
    """Bytes of the graphics card that are free."""
    torch.cuda.empty_cache()
    return int(torch.cuda.mem_get_info()[0])


def load_tokenizer(folder: Path) -> Any:
    """The tokenizer of a model's folder, which must have a chat template.

    Raises:
        AssistantError: there is no tokenizer, or it has no chat template.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    except (OSError, ValueError) as problem:
        raise AssistantError(
            f"The model in {folder} has no readable tokenizer: {problem}. Name another model."
        ) from problem
    if not tokenizer.chat_template:
        raise AssistantError(
            f"The model in {folder} has no chat template, so it was not made for conversations. "
            "Name an instruction-tuned (chat) model with --model."
        )
    return tokenizer


def thread_budget() -> int:
    """The threads that computing may use on this machine."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
