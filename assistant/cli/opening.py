"""The studio that a command works in: its company and its models, and how far their loading is."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from assistant.cli.progress import Progress
from assistant.demo import seed_demo
from assistant.endpoint import KEY_VARIABLE, Endpoint
from assistant.errors import AssistantError
from assistant.loading import LocalModels, RemoteModels
from assistant.studio import ModelSource, Studio
from assistant.workspace import default_workspace, open_workspace

LIBRARY_SETTINGS = {
    "OMP_WAIT_POLICY": "PASSIVE",  # chats and a training share the cores; threads that spin would slow both
    "HF_HUB_DISABLE_TELEMETRY": "1",
}
"""For the libraries that are loaded later, and for the processes of jobs; what the user has set stays."""


def chosen_models(
    model: str | None, endpoint: str | None, base: str, adapter: str, *, eight_bit: bool = False
) -> ModelSource:
    """The models of this machine or, with the options for an endpoint, of the model server it names."""
    if endpoint is not None and eight_bit:
        raise AssistantError(
            f"--eight-bit is for models on this machine, and {endpoint} answers. Leave one of the two out."
        )
    if endpoint is not None:
        key = os.environ.get(KEY_VARIABLE, "").strip()
        served = Endpoint(endpoint.strip(), base, adapter, key=key)
        if model is None:
            return RemoteModels(served)
        typer.echo(
            f"{served.model} answers, on the model server; {model} is for training only. Load a new adapter "
            "on the server and name it with --endpoint-adapter to hear it.",
            err=True,
        )
        return RemoteModels(served, LocalModels(model))
    if base or adapter:
        raise AssistantError(
            f"{base or adapter} is to be asked on a model server, and none is named. "
            "Add --endpoint and its address, such as http://127.0.0.1:8000/v1."
        )
    return LocalModels(model, eight_bit=eight_bit)


def open_studio(workspace: Path | None, models: ModelSource) -> Studio:
    """The studio of a company; without a name, of the demo company."""
    # Its advice to fetch a faster kernel, given whenever it is imported, concerns processors alone.
    logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
    for name, value in LIBRARY_SETTINGS.items():
        os.environ.setdefault(name, value)
    if workspace is None:
        seed_demo(open_workspace(default_workspace()))
    return Studio(workspace or default_workspace(), models)


@contextmanager
def loading(studio: Studio) -> Iterator[Progress]:
    """Show on stderr what the studio fetches and loads meanwhile, and how far it is."""
    progress = Progress()
    studio.told = progress
    try:
        yield progress
    finally:
        progress.end()
