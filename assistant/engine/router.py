"""LoRA with a scale for each row: one resident base serves rows with other adapters, or none, in one batch.

It knows linear layers and PEFT's file format. It knows nothing of tokens, slots or requests. Written without
hooks, so that an exception in a step leaves nothing behind.
"""

import json
import threading
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from assistant.errors import AssistantError

_PREFIX = "base_model.model."


@dataclass(frozen=True)
class LowRank:
    """An adapter's part in one linear layer: `down` [rank, in], and `up` [out, rank] times alpha / rank."""

    down: Tensor
    up: Tensor


class RoutedLinear(nn.Module):
    """A linear layer that adds to each row what that row's adapter says: `base(x) + up(down(x) * scale)`."""

    def __init__(self, base: nn.Linear, router: "Router") -> None:
        super().__init__()
        self.base = base
        self.adapters: dict[str, LowRank] = {}
        self._router = [router]  # in a list, so that torch does not count it as a submodule's owner

    def forward(self, states: Tensor) -> Tensor:
        """states [rows, tokens, in] to [rows, tokens, out]."""
        out = self.base(states)
        for name, scale in self._router[0].scales.items():
            part = self.adapters.get(name)
            if part is not None:
                out = out + ((states @ part.down.T) * scale) @ part.up.T
        return out


class Router:
    """Puts adapters into a model's linear layers, and says which row uses which one at what scale."""

    def __init__(self, model: nn.Module) -> None:
        self.scales: dict[str, Tensor] = {}
        """For the coming step: by adapter, the scale of each row [rows, 1, 1]; 0 where it is not used."""
        self._model = model
        self._dtype = next(model.parameters()).dtype
        self._routed: dict[str, RoutedLinear] = {}
        self._folders: dict[str, Path] = {}
        self._loading = threading.Lock()

    @property
    def names(self) -> frozenset[str]:
        """The adapters that are loaded."""
        return frozenset(self._folders)

    def load(self, name: str, folder: Path) -> None:
        """Read an adapter from a PEFT folder; all of its layers are checked before the first is taken in.

        One that is loaded from this folder already stays; one from another folder (another company's, by the
        same name) is replaced.

        Raises:
            AssistantError: the files are missing, damaged, of a kind not supported, or made for another base.
        """
        with self._loading:
            if self._folders.get(name) == folder:
                return
            parts = _read_adapter(folder)
            for layer, part in parts.items():
                self._check_fits(layer, part, folder)
            self.drop(name)
            for layer, part in parts.items():
                routed = self._layer(layer)
                weight = routed.base.weight
                routed.adapters[name] = LowRank(part.down.to(weight), part.up.to(weight))
            self._folders[name] = folder

    def drop(self, name: str) -> None:
        """Forget an adapter; unknown names are fine."""
        for routed in self._routed.values():
            routed.adapters.pop(name, None)
        self._folders.pop(name, None)

    def route(self, rows: list[tuple[str | None, float]], device: torch.device) -> None:
        """Say for the coming step which (adapter, scale) each row uses."""
        names = sorted({adapter for adapter, scale in rows if adapter is not None and scale != 0.0})
        scales = [[scale if adapter == name else 0.0 for adapter, scale in rows] for name in names]
        # In the model's own number format: bfloat16 states times a float32 scale would come out as float32.
        tensors = torch.tensor(scales, device=device, dtype=self._dtype)[..., None, None]
        self.scales = dict(zip(names, tensors, strict=True))

    def _layer(self, name: str) -> RoutedLinear:
        if name not in self._routed:
            parent, _, child = name.rpartition(".")
            routed = RoutedLinear(self._model.get_submodule(name), self)  # type: ignore[arg-type]
            setattr(self._model.get_submodule(parent), child, routed)
            self._routed[name] = routed
        return self._routed[name]

    def _check_fits(self, layer: str, part: LowRank, folder: Path) -> None:
        base: nn.Module | None
        try:
            base = self._routed[layer].base if layer in self._routed else self._model.get_submodule(layer)
        except AttributeError:
            base = None
        shape = (part.up.shape[0], part.down.shape[1])
        if not isinstance(base, nn.Linear) or tuple(base.weight.shape) != shape:
            found = f"its {layer} is {shape[0]} x {shape[1]}"
            raise AssistantError(
                f"The adapter in {folder} was made for another base model ({found}). "
                "Train one for this model, or start with the model it was made for (--model)."
            )


def _read_adapter(folder: Path) -> dict[str, LowRank]:
    """The parts of a PEFT folder by layer name."""
    try:
        config = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
        tensors = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError, SafetensorError) as problem:
        raise AssistantError(
            f"The adapter in {folder} can't be read ({problem}). Roll back, or train anew."
        ) from problem
    mixed = config.get("rank_pattern") or config.get("alpha_pattern")
    layers = {key.removeprefix(_PREFIX).rpartition(".lora_")[0] for key in tensors}
    pairs = {f"{_PREFIX}{layer}.lora_{part}.weight" for layer in layers for part in "AB"}
    if mixed or config.get("use_dora") or config.get("bias", "none") != "none" or pairs != set(tensors):
        raise AssistantError(
            f"The adapter in {folder} is not plain LoRA on linear layers (it uses DoRA, biases, mixed ranks "
            "or retrained layers), and nothing else is run. Train anew."
        )
    rank = config["r"]
    scaling = config["lora_alpha"] / (rank**0.5 if config.get("use_rslora") else rank)
    return {
        layer: LowRank(
            tensors[f"{_PREFIX}{layer}.lora_A.weight"].float(),
            tensors[f"{_PREFIX}{layer}.lora_B.weight"].float() * scaling,
        )
        for layer in sorted(layers)
    }
