"""A transformers model as an OpenVINO graph of one step, with pages and adapters as inputs.

The model's own code is traced; only its attention is replaced, by the operator that reads and writes pages of
keys and values. It knows torch modules and graph nodes. It knows nothing of running the graph (`graph.py`).
"""

import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from assistant.engine.room import Sizes
from assistant.engine.router import Router
from assistant.engine.slots import refuse_unknown, replace_attention

PAGE = 32
"""Tokens in a page, as the processor's attention operator has it."""
NAME = "quartet_pages"
"""Under this name transformers calls `attend` as the model's attention."""
STEP_INPUTS = ("tokens", "positions", "lasts", "mask", "past", "begins", "pages", "page_begins", "longest")
"""What changes with every step; then come the pages of each layer, then the adapters of each group."""


def openvino() -> Any:
    """The library, without its telemetry: nothing leaves this machine."""
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino

    return openvino


class Pages(nn.Module):
    """Stands for the attention operator while the model is traced; computes nothing itself."""

    def forward(self, query: Tensor, *others: Tensor) -> Tensor:
        """query [tokens, heads * size] to as much."""
        return torch.zeros_like(query)


@dataclass(frozen=True)
class _Places:
    """What the attention of every layer is given beside its own states, while the model is traced."""

    operator: Pages
    caches: Sequence[Tensor]
    where: Sequence[Tensor]


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    *,
    places: _Places,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention as transformers calls it, [1, heads, tokens, size], handed to the operator."""
    refuse_unknown(options)
    layer: Any = module.layer_idx
    flat = [
        states.transpose(1, 2).reshape(-1, states.shape[1] * states.shape[3])
        for states in (query, key, value)
    ]
    found = places.operator(
        *flat,
        *places.caches[2 * layer : 2 * layer + 2],
        *places.where,
        torch.tensor(scaling or query.shape[-1] ** -0.5),
        torch.tensor(sliding_window or 0, dtype=torch.int32),
    )
    return found.view(1, query.shape[2], -1, value.shape[-1]), None


class _Step(nn.Module):
    """One step as a function of tensors alone."""

    def __init__(self, model: PreTrainedModel, router: Router) -> None:
        super().__init__()
        self.model = model
        self.operator = Pages()
        self._router = router
        self._layers = model.config.num_hidden_layers

    def forward(self, *inputs: Tensor) -> Tensor:
        """`STEP_INPUTS`, pages and adapters to logits [parts, vocabulary]."""
        tokens, positions, lasts, mask, *where = inputs[: len(STEP_INPUTS)]
        first_adapter = len(STEP_INPUTS) + 2 * self._layers
        caches, adapters = inputs[len(STEP_INPUTS) : first_adapter], inputs[first_adapter:]
        self._router.bind(mask, adapters)
        model: Any = self.model
        out = model(
            input_ids=tokens[None],
            position_ids=positions[None],
            use_cache=False,
            places=_Places(self.operator, caches, where),
            logits_to_keep=lasts,
        )
        return out.logits[0].float()


def trace(model: PreTrainedModel, router: Router, *, half: bool) -> Any:
    """The graph of a float32 model with a router in it; its weights are shared with the model until compiled.

    Args:
        model: is changed, and of no use for anything else afterwards.
        router: of the model.
        half: whether steps will be computed in bfloat16; adapters are handed in as such then.

    Raises:
        AssistantError: the model's attention is of a kind that can't be replaced.
    """
    ov = openvino()
    from openvino.frontend import FrontEndManager
    from openvino.frontend.pytorch import ConversionExtension, ModuleExtension
    from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder

    replace_attention(model, NAME, attend)
    sizes = Sizes.of(model.config)
    front = FrontEndManager().load_by_framework("pytorch")
    front.add_extension(
        ConversionExtension(NAME, lambda node: [paged()([node.get_input(i) for i in range(12)]).output(0)])
    )
    with torch.no_grad(), warnings.catch_warnings():
        # What it warns of is meant: shapes and layers are the model's own, and the same in every step.
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        warnings.filterwarnings("ignore", r"`torch\.jit\.trace", DeprecationWarning)
        warnings.filterwarnings("ignore", "`is_gradient_checkpointing`", FutureWarning)
        decoder = TorchScriptPythonDecoder(
            _Step(model, router).eval(),
            example_input=_example(sizes, router),
            module_extensions={Pages: ModuleExtension(Pages, NAME)},
        )
        graph = front.convert(front.load(decoder))
    _shape_inputs(ov, graph, sizes, router)
    if half:
        _halve(ov, graph.get_parameters()[len(STEP_INPUTS) + 2 * sizes.layers :])
    graph.validate_nodes_and_infer_types()
    _settle_shapes(ov, graph)
    return graph


def _example(sizes: Sizes, router: Router) -> tuple[Tensor, ...]:
    """Inputs of five tokens in one part, whose shapes lead the tracing."""
    count = 5
    whole = torch.int32
    step = [
        torch.zeros(count, dtype=torch.int64),
        torch.arange(count),
        torch.tensor([count - 1]),
        torch.zeros(count, 1),
        torch.zeros(1, dtype=whole),
        torch.tensor([0, count], dtype=whole),
        torch.zeros(1, dtype=whole),
        torch.tensor([0, 1], dtype=whole),
        torch.tensor(count, dtype=whole),
    ]
    caches = [torch.zeros(1, sizes.heads, PAGE, sizes.size)] * (2 * sizes.layers)
    adapters = [
        stacked
        for group in router.groups
        for stacked in (torch.zeros(1, 1, group.inputs), torch.zeros(1, group.outputs, 1))
    ]
    return (*step, *(cache.clone() for cache in caches), *adapters)


def _shape_inputs(ov: Any, graph: Any, sizes: Sizes, router: Router) -> None:
    """Let tokens, parts, pages and ranks be of any number; the pages' format is the plugin's choice."""
    inputs = graph.get_parameters()
    for parameter in inputs[: len(STEP_INPUTS)]:
        parameter.set_partial_shape(ov.PartialShape([-1] * len(parameter.partial_shape)))
    for parameter in inputs[len(STEP_INPUTS) :][: 2 * sizes.layers]:
        parameter.set_partial_shape(ov.PartialShape([-1] * 4))
        parameter.set_element_type(ov.Type.dynamic)
    adapters = iter(inputs[len(STEP_INPUTS) + 2 * sizes.layers :])
    for group in router.groups:
        next(adapters).set_partial_shape(ov.PartialShape([1, -1, group.inputs]))
        next(adapters).set_partial_shape(ov.PartialShape([1, group.outputs, -1]))


def _halve(ov: Any, inputs: Sequence[Any]) -> None:
    """Have inputs come in bfloat16, so that no step has to make them so."""
    from openvino import opset13 as ops

    for parameter in inputs:
        readers = list(parameter.output(0).get_target_inputs())
        parameter.set_element_type(ov.Type.bf16)
        whole = ops.convert(parameter, ov.Type.f32).output(0)
        for reader in readers:
            reader.replace_source_output(whole)


def _settle_shapes(ov: Any, graph: Any) -> None:
    """Write down the shapes that a graph would work out in each step, where one dimension is open at most.

    Which dimensions are open is found by trying inputs of two sizes.
    """
    from openvino import opset13 as ops

    small, large = (_reshaped(ov, graph, size) for size in (5, 7))
    for node, *tried in zip(graph.get_ordered_ops(), small, large, strict=True):
        if node.get_type_name() != "Reshape":
            continue
        one, other = (list(each.get_output_shape(0)) for each in tried)
        shape = [first if first == second else -1 for first, second in zip(one, other, strict=True)]
        if shape.count(-1) <= 1:
            node.input(1).replace_source_output(ops.constant(np.array(shape)).output(0))
            before = node.input_value(0).get_node()
            if before.get_type_name() == "Reshape":
                node.input(0).replace_source_output(before.input_value(0))
    graph.validate_nodes_and_infer_types()


def _reshaped(ov: Any, graph: Any, size: int) -> list[Any]:
    """The nodes, in order, of a copy of the graph where every open dimension of its inputs has this size."""
    copy = graph.clone()
    for parameter in copy.get_parameters():
        dimensions = [size if each.is_dynamic else each.get_length() for each in parameter.partial_shape]
        parameter.set_partial_shape(ov.PartialShape(dimensions))
    copy.validate_nodes_and_infer_types()
    return list(copy.get_ordered_ops())


@cache
def paged() -> Any:
    """A stand-in for the attention operator: a graph on disk can hold it, and not the operator itself."""
    ov = openvino()

    class PagedStandIn(ov.Op):  # type: ignore[name-defined]
        def __init__(self, inputs: Any = None) -> None:
            super().__init__(self, inputs)

        def validate_and_infer_types(self) -> None:
            self.set_output_type(0, self.get_input_element_type(0), self.get_input_partial_shape(0))

        def clone_with_new_inputs(self, inputs: Any) -> Any:
            return PagedStandIn(inputs)

        def get_type_info(self) -> Any:
            return ov.DiscreteTypeInfo("PagedStandIn", "quartet")

        def visit_attributes(self, visitor: Any) -> bool:
            return True

    return PagedStandIn


def read(path: Path, sizes: Sizes) -> Any:
    """The graph in a file, with attention operators where it has stand-ins."""
    core = openvino().Core()
    core.add_extension(paged())
    graph = core.read_model(path)
    for node in graph.get_ops():
        if node.get_type_name() == "PagedStandIn":
            node.output(0).replace(_operator([node.input_value(number) for number in range(12)], sizes))
    graph.validate_nodes_and_infer_types()
    return graph


def _operator(inputs: Sequence[Any], sizes: Sizes) -> Any:
    """The output of the attention operator: of its 28 inputs a plain decoder needs the first 13."""
    from openvino import opset13 as ops
    from openvino.op import _PagedAttentionExtension

    def none(kind: type, *shape: int) -> Any:
        return ops.constant(np.zeros(shape, dtype=kind)).output(0)

    *states_and_places, longest, scale, window = inputs
    whole, real = np.int32, np.float32
    linear_bias = none(real, 0)
    unused = [
        *[none(whole, 0)] * 3,  # aggregation of scores, rotated pages and their turns
        *[none(real, 0)] * 2,  # table of turns, threshold of sparse attention
        *[none(whole)] * 2,  # sizes of sparse attention
        none(real, 0, 0, 0, 0),  # attention sinks
        none(whole),  # eviction of pages, from here
        *[none(whole, 0)] * 4,
        none(np.uint8, 0),  # bias between queries
        none(whole, 0),
    ]
    attention = _PagedAttentionExtension([*states_and_places, scale, window, linear_bias, longest, *unused])
    info = attention.get_rt_info()
    for which in "kv":
        info[f"num_{which}_heads"], info[f"{which}_head_size"] = sizes.heads, sizes.size
    return attention.output(0)
