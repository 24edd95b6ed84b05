"""Steps as one compiled graph on the processor (OpenVINO): the same slots and adapters, with less overhead.

It knows how the graph is run and kept on disk. How it is made of a model is known by `tracing.py`.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from assistant.engine.router import Group, Router
from assistant.engine.steps import Part
from assistant.engine.tracing import PAGE, STEP_INPUTS, Sizes, openvino


class GraphRunner:
    """A compiled graph, and slots of pages that it reads and writes."""

    def __init__(self, compiled: Any, sizes: Sizes, groups: Sequence[Group], *, slots: int, capacity: int) -> None:
        self._ov = openvino()
        self.slots, self.capacity = slots, capacity
        self.router = Router(groups)
        self._request = compiled.create_infer_request()
        self._pages = -(-capacity // PAGE)
        """Pages of a slot."""
        self._format = compiled.inputs[len(STEP_INPUTS)].element_type
        dtype = torch.bfloat16 if self._format == self._ov.Type.bf16 else torch.float32
        shape = (sizes.layers, 2, slots * self._pages, sizes.heads, PAGE, sizes.size)
        self._states = torch.zeros(shape, dtype=dtype)
        for number, states in enumerate(self._states.flatten(0, 1)):
            self._request.set_input_tensor(len(STEP_INPUTS) + number, self._shared(states))
        self._first_adapter = len(STEP_INPUTS) + 2 * sizes.layers
        self._adapters: list[Any] = []
        self._widths: dict[str, int] = {}
        self._version = -1

    def describe(self) -> str:
        """How steps are taken."""
        return "compiled graph"

    def step(self, parts: Sequence[Part]) -> Tensor:
        """Float32 logits [parts, vocabulary] after each part's last token."""
        if self._version != self.router.version:
            self._take_up_adapters()
        lengths = torch.tensor([len(part.tokens) for part in parts])
        ends = lengths.cumsum(0)
        pages = [
            range(part.slot * self._pages, part.slot * self._pages - (-part.end // PAGE)) for part in parts
        ]
        values = (
            torch.tensor([token for part in parts for token in part.tokens]),
            torch.cat([torch.arange(part.start, part.end) for part in parts]),
            ends - 1,
            self._mask(parts).repeat_interleave(lengths, dim=0),
            _whole([part.start for part in parts]),
            _whole([0, *ends.tolist()]),
            _whole([page for own in pages for page in own]),
            _whole([0, *torch.tensor([len(own) for own in pages]).cumsum(0).tolist()]),
            torch.tensor(max(part.end for part in parts), dtype=torch.int32),
        )
        for number, value in enumerate(values):
            self._request.set_input_tensor(number, self._ov.Tensor(value.numpy()))
        self._request.infer()
        return torch.from_numpy(self._request.get_output_tensor(0).data.copy())

    def save(self, slot: int, length: int) -> Tensor:
        """A copy of the pages with a slot's first tokens: [layers, 2, pages, heads, PAGE, size]."""
        return self._own(slot, length).clone()

    def load(self, slot: int, saved: Tensor, length: int) -> None:
        """Put the pages with the first tokens at the start of a slot."""
        own = self._own(slot, length)
        own.copy_(saved[:, :, : own.shape[2]])

    def _own(self, slot: int, length: int) -> Tensor:
        first = slot * self._pages
        return self._states[:, :, first : first - (-length // PAGE)]

    def _mask(self, parts: Sequence[Part]) -> Tensor:
        """By part and stacked rank, the scale that the rank's adapter has: [parts, ranks]."""
        rows = [
            [part.scale if part.adapter == name else 0.0 for name, width in self._widths.items() for _ in range(width)]
            for part in parts
        ]
        return torch.tensor(rows, dtype=torch.float32)

    def _take_up_adapters(self) -> None:
        """Lay out the stacked adapters as the graph's inputs, each adapter as wide in every group."""
        layouts = [group.layout for group in self.router.groups]
        names = sorted({name for layout in layouts for name in layout})
        self._widths = {name: max(layout.count(name) for layout in layouts) for name in names} or {"": 1}
        self._adapters = []
        for group in self.router.groups:
            down, up = self._widened(group)
            for tensor in (down, up):
                shared = self._shared(tensor)
                self._request.set_input_tensor(self._first_adapter + len(self._adapters), shared)
                self._adapters.append(shared)
        self._version = self.router.version

    def _widened(self, group: Group) -> tuple[Tensor, Tensor]:
        downs, ups = [], []
        for name, width in self._widths.items():
            own = [number for number, adapter in enumerate(group.layout) if adapter == name]
            spare = width - len(own)
            downs += [group.down[own], group.down.new_zeros(spare, group.inputs)]
            ups += [group.up[:, own], group.up.new_zeros(group.outputs, spare)]
        return torch.cat(downs), torch.cat(ups, dim=1).contiguous()

    def _shared(self, tensor: Tensor) -> Any:
        """The tensor's memory as the graph's; numpy has no bfloat16, so that goes by as whole numbers."""
        if tensor.dtype == torch.bfloat16:
            return self._ov.Tensor(tensor.view(torch.uint16).numpy(), list(tensor.shape), self._ov.Type.bf16)
        return self._ov.Tensor(tensor.numpy(), list(tensor.shape), self._ov.Type.f32)


def _whole(values: Sequence[int]) -> Tensor:
    return torch.tensor(values, dtype=torch.int32)
