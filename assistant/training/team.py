"""Processes that learn together: what each of them adds up with the others.

It knows process groups and tensors. It does not know who starts the processes (`followers.py`) or what they
learn.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import torch
import torch.distributed as dist
from torch import Tensor

PATIENCE = timedelta(days=7)
"""How long one waits for another that evaluates; one that has ended is noticed at once."""
CARD_PATIENCE = timedelta(minutes=10)
"""How long a sum between cards may take; all processes have arrived when it begins."""


class Parted(Exception):
    """Another process of the team has ended; it is that one that says why."""


@dataclass(frozen=True)
class Team:
    """The processes of one training, seen by one of them; alone it has nothing to add up."""

    size: int = 1
    between_cards: Any = None
    """The group that sums on graphics cards; None where there are none."""

    def summed(self, value: Tensor) -> Tensor:
        """The sum of every process's value."""
        if self.size == 1:
            return value
        total = value.detach().cpu().clone()
        _reached(lambda: dist.all_reduce(total))
        return total.to(value.device)

    def add_up(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by the sum of every process's; all have to have met just before (`summed`).

        Between cards a process that has ended is not noticed for minutes, elsewhere at once.
        """
        if self.size > 1:
            whole = torch.cat([tensor.detach().flatten() for tensor in tensors])
            _reached(lambda: dist.all_reduce(whole, group=self.between_cards))
            _spread(whole, tensors)

    def take_over(self, tensors: Sequence[Tensor]) -> None:
        """Replace each tensor by the first process's."""
        if self.size > 1:
            whole = torch.cat([tensor.detach().flatten() for tensor in tensors]).cpu()
            _reached(lambda: dist.broadcast(whole, src=0))
            _spread(whole, tensors)


@contextmanager
def joined(meeting: Path, rank: int, size: int, *, on_cards: bool) -> Iterator[Team]:
    """Meet the other processes of this machine.

    Args:
        meeting: a file in which they find each other; new for each team.
        rank: which of them this is.
        size: how many they are.
        on_cards: whether each has a graphics card of its own.

    Raises:
        Parted: another one has ended meanwhile.
    """
    # What is summed stays on this machine, and nobody else can reach the processes.
    for library in ("GLOO", "NCCL"):
        os.environ[f"{library}_SOCKET_IFNAME"] = _loopback()
    store = dist.FileStore(str(meeting), size)  # type: ignore[attr-defined]  # documented, but not in its __all__
    _reached(
        lambda: dist.init_process_group("gloo", store=store, rank=rank, world_size=size, timeout=PATIENCE)
    )
    try:
        yield Team(size, dist.new_group(backend="nccl", timeout=CARD_PATIENCE) if on_cards else None)
    except BaseException:
        if not on_cards:  # they would first wait for sums that never come; the process ends anyway
            dist.destroy_process_group()
        raise
    dist.destroy_process_group()


def _reached(work: Callable[[], Any]) -> None:
    try:
        work()
    except RuntimeError as problem:
        raise Parted(str(problem)) from problem


def _spread(whole: Tensor, tensors: Sequence[Tensor]) -> None:
    parts = torch.split(whole, [tensor.numel() for tensor in tensors])
    with torch.no_grad():
        for tensor, part in zip(tensors, parts, strict=True):
            tensor.copy_(part.view_as(tensor))


def _loopback() -> str:
    return next(
        name
        for name, addresses in psutil.net_if_addrs().items()
        if any(each.address == "127.0.0.1" for each in addresses)
    )
