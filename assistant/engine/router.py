"""LoRA with a scale for each row: one resident base serves rows with other adapters, or none, in one batch.

The adapters of layers that read the same states lie stacked in one pair of matrices, so that their number
costs no further operators. It knows linear layers and PEFT's file format, and nothing of tokens or slots.
Written without hooks, so that an exception in a step leaves nothing behind.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from assistant.errors import AssistantError

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Neighbours that read the same states in models of the Llama family: run as one layer."""

_PREFIX = "base_model.model."


@dataclass(frozen=True)
class LowRank:
    """An adapter's part in one linear layer: `down` [rank, in], and `up` [out, rank] times alpha / rank."""

    down: Tensor
    up: Tensor


Layout = tuple[str, ...]
"""For each stacked rank of a group, the adapter it belongs to."""


BOUND: Layout = ("",)
"""Of tensors that come from outside."""


@dataclass
class Group:
    """Linear layers that read the same states, and the adapters' parts in them, stacked."""

    members: dict[str, tuple[int, int]]
    """By layer name, the first and the last-but-one of its outputs among the group's."""
    inputs: int
    down: Tensor = field(repr=False)
    """[ranks, inputs]"""
    up: Tensor = field(repr=False)
    """[outputs, ranks]"""
    layout: Layout = ()
    parts: dict[str, dict[str, LowRank]] = field(default_factory=dict, repr=False)
    """By adapter and layer."""

    @classmethod
    def of(cls, layers: Mapping[str, nn.Linear], like: Tensor) -> "Group":
        """The group of these layers by name, with no adapter yet; `like` gives number format and device."""
        members, end = {}, 0
        for name, layer in layers.items():
            members[name] = (end, end + layer.out_features)
            end += layer.out_features
        inputs = next(iter(layers.values())).in_features
        return cls(members, inputs, like.new_zeros(0, inputs), like.new_zeros(end, 0))

    @property
    def outputs(self) -> int:
        """Numbers that all members give out together."""
        return self.up.shape[0]

    def stack(self) -> None:
        """Lay the parts of all adapters side by side."""
        downs, ups, layout = [], [], []
        for adapter, layers in self.parts.items():
            for layer, part in layers.items():
                start, stop = self.members[layer]
                up = self.up.new_zeros(self.outputs, len(part.down))
                up[start:stop] = part.up.to(up)
                downs.append(part.down.to(self.down))
                ups.append(up)
                layout += [adapter] * len(part.down)
        self.down = torch.cat([self.down[:0], *downs])
        self.up = torch.cat([self.up[:, :0], *ups], dim=1)
        self.layout = tuple(layout)


class Projections(nn.Module):
    """A group's base layers as one; every member asks for its own outputs in turn."""

    def __init__(self, layers: Sequence[nn.Linear], group: Group, router: "Router") -> None:
        super().__init__()
        self.group = group
        self._router = router
        weights: list[Tensor] = [layer.weight for layer in layers]
        self.weight = nn.Parameter(torch.cat(weights), requires_grad=False)
        self.bias: nn.Parameter | None = None
        if any(layer.bias is not None for layer in layers):
            none = self.weight.new_zeros(self.weight.shape[0])
            biases: list[Tensor] = [
                none[: layer.out_features] if layer.bias is None else layer.bias for layer in layers
            ]
            self.bias = nn.Parameter(torch.cat(biases), requires_grad=False)
        self._latest: tuple[Tensor, Tensor] | None = None

    def forward(self, states: Tensor, start: int, stop: int) -> Tensor:
        """Outputs `start` to `stop` for states [..., in]; all are computed when the first member asks."""
        if self._latest is None or self._latest[0] is not states:
            out = nn.functional.linear(states, self.weight, self.bias)
            self._latest = states, self._router.add(self.group, states, out)
        out = self._latest[1][..., start:stop]
        if stop == self.group.outputs:
            self._latest = None
        return out


class Member(nn.Module):
    """Stands where a linear layer stood, and gives out its share of the group's outputs."""

    def __init__(self, projections: Projections, start: int, stop: int) -> None:
        super().__init__()
        self.projections, self.start, self.stop = projections, start, stop

    def forward(self, states: Tensor) -> Tensor:
        """states [..., in] to [..., out]."""
        return self.projections(states, self.start, self.stop)


class Single(nn.Module):
    """A linear layer that stays as it is (also a quantised one), with the adapters' parts added."""

    def __init__(self, base: nn.Linear, group: Group, router: "Router") -> None:
        super().__init__()
        self.base = base
        self.group = group
        self._router = router

    def forward(self, states: Tensor) -> Tensor:
        """states [..., in] to [..., out]."""
        return self._router.add(self.group, states, self.base(states))


class Router:
    """Keeps adapters for a model's linear layers, and says in each step which token uses which at what scale.

    `install`, `drop` and `route` belong to the thread that takes the steps; `read` may run beside them.
    """

    def __init__(self, groups: Sequence[Group]) -> None:
        self.groups = tuple(groups)
        self.version = 0
        """Counts the changes of the adapters."""
        self._names: dict[str, None] = {}
        self._masks: dict[Layout, Tensor] = {}

    @classmethod
    def into(cls, model: nn.Module) -> "Router":
        """Put a router into a model: its linear layers, but the head, are replaced by ones that ask it."""
        router = cls(())
        groups = []
        like = next(weight for weight in model.parameters() if weight.is_floating_point())
        for parent, names in _families(model):
            layers = {name: parent[1].get_submodule(name) for name in names}
            named: Any = {f"{parent[0]}.{name}".lstrip("."): layer for name, layer in layers.items()}
            group = Group.of(named, like.detach())
            _replace(parent[1], list(layers.items()), group, router)
            groups.append(group)
        router.groups = tuple(groups)
        return router

    @property
    def names(self) -> frozenset[str]:
        """The adapters that are installed."""
        return frozenset(self._names)

    def read(self, folder: Path) -> dict[str, LowRank]:
        """An adapter's parts by layer, read from a PEFT folder and checked against the base.

        Raises:
            AssistantError: the files are missing, damaged, of a kind not supported, or made for another base.
        """
        parts = _read_adapter(folder)
        for layer, part in parts.items():
            group = self._group(layer)
            if group is None or not _fits(group, layer, part):
                found = f"its {layer} is {part.up.shape[0]} x {part.down.shape[1]}"
                raise AssistantError(
                    f"The adapter in {folder} was made for another base model ({found}). "
                    "Train one for this model, or start with the model it was made for (--model)."
                )
        return parts

    def install(self, name: str, parts: Mapping[str, LowRank]) -> None:
        """Take up an adapter's parts under a name; one that had the name before is replaced."""
        for group in self.groups:
            own = {layer: parts[layer] for layer in group.members if layer in parts}
            before = group.parts.pop(name, None)
            if own:
                group.parts[name] = own
            if own or before:
                group.stack()
        self._names[name] = None
        self.version += 1

    def drop(self, name: str) -> None:
        """Forget an adapter; unknown names are fine."""
        if name in self._names:
            self.install(name, {})
            del self._names[name]

    def route(self, rows: Sequence[tuple[str | None, float]], tokens: Sequence[int]) -> None:
        """Say for the coming step which (adapter, scale) each row uses, and how many tokens each has.

        Raises:
            AssistantError: an adapter is not installed.
        """
        self._masks = {}
        used = {adapter for adapter, scale in rows if adapter is not None and scale != 0.0}
        for adapter in used - self._names.keys():
            raise AssistantError(
                f"The adapter {adapter} is not loaded. Choose another version on the page Train."
            )
        if used:
            repeats = torch.tensor(list(tokens))
            for layout in {group.layout for group in self.groups if group.layout}:
                self._masks[layout] = self.mask(layout, rows).repeat_interleave(repeats, dim=0)

    def bind(self, mask: Tensor, stacked: Sequence[Tensor]) -> None:
        """Use tensors from outside in place of the adapters' own: each group's `down` and `up`, in order."""
        for group, down, up in zip(self.groups, stacked[::2], stacked[1::2], strict=True):
            group.down, group.up, group.layout = down, up, BOUND
        self._masks = {BOUND: mask}

    def mask(self, layout: Layout, rows: Sequence[tuple[str | None, float]]) -> Tensor:
        """By row and stacked rank [rows, ranks], the scale its adapter has in that row."""
        runs = [(name, len(list(run))) for name, run in groupby(layout)]
        scales = [[scale if adapter == name else 0.0 for name, _ in runs] for adapter, scale in rows]
        widths = torch.tensor([width for _, width in runs])
        # In the model's own number format: bfloat16 states times a float32 scale would come out as float32.
        like = self.groups[0].down
        return torch.tensor(scales).repeat_interleave(widths, dim=1).to(like)

    def add(self, group: Group, states: Tensor, out: Tensor) -> Tensor:
        """`out` [1, tokens, outputs] with what each token's adapter adds for states [1, tokens, inputs]."""
        mask = self._masks.get(group.layout)
        return out if mask is None else out + ((states @ group.down.T) * mask) @ group.up.T

    def _group(self, layer: str) -> Group | None:
        return next((group for group in self.groups if layer in group.members), None)


def _families(model: nn.Module) -> Iterator[tuple[tuple[str, nn.Module], tuple[str, ...]]]:
    """Each module that holds linear layers, by name, with the names of those that go together."""
    head = getattr(model, "get_output_embeddings", lambda: None)()
    for path, parent in list(model.named_modules()):
        layers = {
            name: child
            for name, child in parent.named_children()
            if isinstance(child, nn.Linear) and child is not head
        }
        together = [names for names in TOGETHER if all(type(layers.get(name)) is nn.Linear for name in names)]
        taken = {name for names in together for name in names}
        for names in [*together, *((name,) for name in layers if name not in taken)]:
            yield (path, parent), names


def _replace(parent: nn.Module, layers: list[tuple[str, nn.Module]], group: Group, router: Router) -> None:
    if len(layers) == 1:
        name, layer = layers[0]
        setattr(parent, name, Single(layer, group, router))  # type: ignore[arg-type]
        return
    projections = Projections([layer for _, layer in layers], group, router)  # type: ignore[misc]
    for (name, _), (start, stop) in zip(layers, group.members.values(), strict=True):
        setattr(parent, name, Member(projections, start, stop))


def _fits(group: Group, layer: str, part: LowRank) -> bool:
    start, stop = group.members[layer]
    return (part.up.shape[0], part.down.shape[1]) == (stop - start, group.inputs)


def _read_adapter(folder: Path) -> dict[str, LowRank]:
    """The parts of a PEFT folder by layer name."""
    try:
        config = dict(json.loads((folder / "adapter_config.json").read_text(encoding="utf-8")))
        tensors = load_file(folder / "adapter_model.safetensors")
    except (OSError, ValueError, TypeError, SafetensorError) as problem:
        raise AssistantError(
            f"The adapter in {folder} can't be read ({problem}). Roll back, or train anew."
        ) from problem
    mixed = (
        config.get("rank_pattern") or config.get("alpha_pattern") or not {"r", "lora_alpha"} <= set(config)
    )
    layers = {key.removeprefix(_PREFIX).rpartition(".lora_")[0] for key in tensors}
    pairs = {f"{_PREFIX}{layer}.lora_{part}.weight" for layer in layers for part in "AB"}
    if mixed or config.get("use_dora") or config.get("bias", "none") != "none" or pairs != set(tensors):
        raise AssistantError(
            f"The adapter in {folder} is not plain LoRA on linear layers (it uses DoRA, biases, mixed ranks "
            "or retrained layers), and nothing else is run. Train anew."
        )
    broken = [key for key, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise AssistantError(
            f"The adapter in {folder} holds numbers that are not finite (in {broken[0]}): its training went "
            "astray. Train anew with a smaller learning rate."
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
