"""LoRA with a scale for each row: one resident base serves rows with other adapters, or none, in one batch.

The adapters of layers that read the same states lie stacked in one pair of matrices, so that their number
costs no further operators. It knows linear layers, and nothing of files, tokens or slots. Written without
hooks, so that an exception in a step leaves nothing behind.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from assistant.engine.lora import LowRank, read_lora
from assistant.errors import AssistantError

TOGETHER = (("q_proj", "k_proj", "v_proj"), ("gate_proj", "up_proj"))
"""Neighbours that read the same states in models of the Llama family: run as one layer."""


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
        return max(stop for _, stop in self.members.values())

    def rank(self, adapter: str) -> int:
        """The ranks of all parts that an adapter has here."""
        return sum(len(part.down) for part in self.parts.get(adapter, {}).values())

    def stack(self, widths: Mapping[str, int]) -> None:
        """Lay the parts of all adapters side by side, each as wide as told, with zeros where it has less."""
        total = sum(widths.values())
        self.down, self.up = self.down.new_zeros(total, self.inputs), self.up.new_zeros(self.outputs, total)
        first = 0
        for adapter, width in widths.items():
            place = first
            for layer, part in self.parts.get(adapter, {}).items():
                ranks = slice(place, place + len(part.down))
                self.down[ranks] = part.down.to(self.down)
                self.up[slice(*self.members[layer]), ranks] = part.up.to(self.up)
                place = ranks.stop
            first += width


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
        self.widths: dict[str, int] = {}
        """By adapter, the stacked ranks it has in every group."""
        self._mask: Tensor | None = None

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
        return frozenset(self.widths)

    def read(self, folder: Path) -> dict[str, LowRank]:
        """An adapter's parts by layer, read from a PEFT folder and checked against the base.

        Raises:
            AssistantError: the files are missing, damaged, of a kind not supported, or made for another base.
        """
        parts = read_lora(folder)
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
            group.parts[name] = {layer: parts[layer] for layer in group.members if layer in parts}
        self.widths[name] = max(group.rank(name) for group in self.groups)
        self._stack()

    def drop(self, name: str) -> None:
        """Forget an adapter; unknown names are fine."""
        if self.widths.pop(name, None) is not None:
            for group in self.groups:
                del group.parts[name]
            self._stack()

    def route(self, rows: Sequence[tuple[str | None, float]], tokens: Sequence[int]) -> None:
        """Say for the coming step which (adapter, scale) each row uses, and how many tokens each has.

        Raises:
            AssistantError: an adapter is not installed.
        """
        mask = self.mask(rows, tokens)
        # In the model's own number format: bfloat16 states times a float32 scale would come out as float32.
        self.use(mask.to(self.groups[0].down) if mask.any() else None)

    def use(self, mask: Tensor | None) -> None:
        """Take this for the coming step in place of what `route` says; None where no row has an adapter."""
        self._mask = mask

    def bind(self, mask: Tensor, stacked: Sequence[Tensor]) -> None:
        """Use tensors from outside in place of the adapters' own: each group's `down` and `up`, in order."""
        for group, down, up in zip(self.groups, stacked[::2], stacked[1::2], strict=True):
            group.down, group.up = down, up
        self.use(mask)

    def mask(self, rows: Sequence[tuple[str | None, float]], tokens: Sequence[int]) -> Tensor:
        """By token and stacked rank [tokens, ranks], the scale of its adapter in the token's row.

        Raises:
            AssistantError: an adapter is not installed.
        """
        scales = [[scale if adapter == name else 0.0 for name in self.widths] for adapter, scale in rows]
        for adapter, scale in rows:
            if scale != 0.0 and adapter is not None and adapter not in self.widths:
                raise AssistantError(
                    f"The adapter {adapter} is not loaded. Choose another version on the page Train."
                )
        by_rank = (
            torch.tensor(scales)
            .view(len(rows), -1)
            .repeat_interleave(torch.tensor([*self.widths.values()], dtype=torch.long), dim=1)
        )
        return by_rank.repeat_interleave(torch.tensor([*tokens]), dim=0)

    def add(self, group: Group, states: Tensor, out: Tensor) -> Tensor:
        """`out` [1, tokens, outputs] with what each token's adapter adds for states [1, tokens, inputs].

        The same sums as PEFT's, in another order: in two products for all adapters and rows, instead of two
        for each adapter and layer over the rows that happen to use it.
        """
        if self._mask is None:
            return out
        return out + ((states @ group.down.transpose(-2, -1)) * self._mask) @ group.up.transpose(-2, -1)

    def _stack(self) -> None:
        for group in self.groups:
            group.stack(self.widths)
        self.version += 1

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
