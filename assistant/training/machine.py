"""What a training finds around it: graphics cards, and what torchrun asks for.

It knows the environment of this process and the driver's own tool. It does not know torch.
"""

import os
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass

from assistant.errors import AssistantError

VISIBLE = "CUDA_VISIBLE_DEVICES"
SECONDS = 20
"""How long the driver may take to say which cards there are."""
NONE = ("-1", "")
"""What names no card; CUDA reads no further."""


def keep_to_one_card() -> tuple[str, ...]:
    """Let this process see one graphics card, before a library looks; gives all that it might have seen."""
    names = graphics_cards()
    # TRL refuses a process that sees several, and transformers would split its batches among them.
    os.environ[VISIBLE] = names[0] if names else os.environ.get(VISIBLE, "0")
    return names


def graphics_cards() -> tuple[str, ...]:
    """Names of the graphics cards that this process may use."""
    if VISIBLE in os.environ:
        names = [name.strip() for name in os.environ[VISIBLE].split(",")]
        return tuple(names[: next((at for at, name in enumerate(names) if name in NONE), None)])
    if not shutil.which("nvidia-smi"):
        return ()
    try:
        said = subprocess.run(
            ["nvidia-smi", "--query-gpu=index", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(said.stdout.split()) if said.returncode == 0 else ()


@dataclass(frozen=True)
class Torchrun:
    """What torchrun says to each of the processes that it starts."""

    rank: int
    processes: int


def torchrun(environment: Mapping[str, str] = os.environ) -> Torchrun | None:
    """Which of torchrun's processes this is; None where it did not start this one.

    Raises:
        AssistantError: it spreads them over several machines.
    """
    if "TORCHELASTIC_RUN_ID" not in environment:
        return None
    processes, here = (int(environment[name]) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE"))
    if processes != here:
        raise AssistantError(
            f"torchrun starts {processes} processes and {here} of them on this machine; a training runs on "
            "one machine. Start it with --nnodes 1."
        )
    return Torchrun(int(environment["RANK"]), processes)
