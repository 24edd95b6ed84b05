"""What a CUDA graph does, on the processor: operators are noted with the tensors they got, and done again."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from assistant.engine.replay import Computation

WAITS = (
    "item",
    "_local_scalar_dense",
    "nonzero",
    "is_nonzero",
    "equal",
    "masked_select",
    "unique",
    "lift_fresh",
)
"""Operators that ask a card for a number, or bring it one: it can't be recorded."""


class Tape(TorchDispatchMode):
    """Notes each operator while it is on."""

    def __init__(self) -> None:
        super().__init__()
        self.done: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], list[Tensor]]] = []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        name = operator.overloadpacket.__name__
        picks = name == "index" and any(index is not None and index.dtype == torch.bool for index in args[1])
        if name in WAITS or picks:
            raise RuntimeError(f"{name} can't be recorded")
        out = operator(*args, **(kwargs or {}))
        self.done.append((operator, args, kwargs or {}, tensors(out)))
        return out

    def repeat(self) -> None:
        """Do it all again: same operators, same tensors, with what these hold now."""
        for operator, args, kwargs, kept in self.done:
            own = {each.untyped_storage().data_ptr() for each in tensors((args, kwargs))}
            for old, new in zip(kept, tensors(operator(*args, **kwargs)), strict=True):
                if old.untyped_storage().data_ptr() not in own:  # neither written in place nor a view
                    old.copy_(new)


def tensors(values: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


def on_tape(compute: Computation) -> Computation:
    """Records as a graphics card would."""
    with Tape() as tape:
        said = compute()

    def repeat() -> Tensor:
        tape.repeat()
        return said

    return repeat
