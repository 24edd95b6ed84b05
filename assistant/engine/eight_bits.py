"""The weights of a graph's layers in 8 bits: half of what a step has to read.

It knows graph nodes. Whether it is wanted is decided by who starts Quartet.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from assistant.engine.tracing import openvino

GROUP = 64
"""Neighbouring weights that share a scale, where a row is a multiple of it; else the whole row does.

So many of the states that they are multiplied with share one too: those are brought to 8 bits in each step.
"""


def compress(graph: Any) -> None:
    """Put 8-bit weights with scales in the place of the weights of a graph's linear layers, head included.

    Embeddings are looked up, not multiplied, and become float16. Layers whose weights lie the other way round
    (GPT-2's) stay as they are.
    """
    made: dict[tuple[str, str], Any] = {}
    for node in graph.get_ops():
        kind = node.get_type_name()
        if kind == "MatMul" and node.get_attributes()["transpose_b"]:
            place, smaller = 1, _in_8_bits
        elif kind == "Gather":
            place, smaller = 0, _in_half
        else:
            continue
        weight = _matrix(node.input_value(place).get_node())
        if weight is not None:
            name = (kind, weight.get_friendly_name())
            if name not in made:
                made[name] = smaller(np.asarray(weight.get_data(), dtype=np.float32))
            node.input(place).replace_source_output(made[name])
    graph.validate_nodes_and_infer_types()


def _matrix(node: Any) -> Any | None:
    """The constant matrix behind a node, if that is what it comes to."""
    while node.get_type_name() == "Convert":
        node = node.input_value(0).get_node()
    return node if node.get_type_name() == "Constant" and len(node.get_output_shape(0)) == 2 else None


def _in_8_bits(weight: NDArray[np.float32]) -> Any:
    """Nodes that come to a matrix [outputs, inputs] in float32, from 8-bit numbers and float16 scales."""
    from openvino import opset13 as ops

    outputs, inputs = weight.shape
    grouped = weight.reshape(outputs, -1, GROUP if inputs % GROUP == 0 else inputs)
    scales = (np.abs(grouped).max(-1, keepdims=True) / 127).astype(np.float16)
    scales[scales == 0] = 1
    steps = np.rint(grouped / scales.astype(np.float32)).clip(-127, 127).astype(np.int8)
    if grouped.shape[1] == 1:
        steps, scales = steps[:, 0], scales[:, 0]
    scaled = ops.multiply(ops.convert(ops.constant(steps), "f16"), ops.constant(scales))
    if steps.ndim == 3:
        scaled = ops.reshape(scaled, ops.constant(np.array(weight.shape, dtype=np.int64)), False)
    return ops.convert(scaled, openvino().Type.f32).output(0)


def _in_half(weight: NDArray[np.float32]) -> Any:
    """Nodes that come to a matrix in float32, from float16."""
    from openvino import opset13 as ops

    return ops.convert(ops.constant(weight.astype(np.float16)), openvino().Type.f32).output(0)
