"""Which way of taking steps this machine has for a model: chosen once, when the model is opened.

It knows the ways there are. It knows nothing of requests.
"""

from pathlib import Path

from transformers import AutoConfig

from assistant.engine.eager import EagerRunner
from assistant.engine.steps import Part, Runner
from assistant.weights import Placement, load_model

SLOTS = 16
"""Rows that run at the same time: four questions to four lanes; more wait their turn."""
CONTEXT_LIMIT = 8192
"""Tokens a chat may have, where the model itself allows more."""


def open_runner(folder: Path, placement: Placement, *, slots: int = SLOTS) -> Runner:
    """The model in a folder, ready to take steps.

    Raises:
        AssistantError: the model can't be loaded, or its attention is of a kind that can't be run here.
    """
    config = AutoConfig.from_pretrained(folder)
    capacity = min(getattr(config, "max_position_embeddings", CONTEXT_LIMIT), CONTEXT_LIMIT)
    runner = EagerRunner(load_model(folder, placement), slots=slots, capacity=capacity)
    runner.step([Part(0, [0], 0)])  # what can't be run is found now, and the first answer need not wait
    return runner
