"""`quartet serve`: the pages."""

from typing import Annotated

import typer

from assistant.cli.opening import chosen_models, open_studio
from assistant.cli.options import (
    EndpointAdapterOption,
    EndpointModelOption,
    EndpointOption,
    ModelOption,
    WorkspaceOption,
)
from assistant.cli.problems import plain_errors
from assistant.cli.progress import Progress


@plain_errors
def serve(
    workspace: WorkspaceOption = None,
    host: Annotated[str, typer.Option(help="Address to serve on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to serve on.", min=1, max=65535)] = 7860,
    name: Annotated[
        list[str] | None,
        typer.Option(help="What browsers call this machine, such as quartet.example.com; can be repeated."),
    ] = None,
    root_path: Annotated[
        str, typer.Option(help="Path under which a proxy in front serves Quartet, such as /quartet.")
    ] = "",
    model: ModelOption = None,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = "",
    endpoint_adapter: EndpointAdapterOption = "",
) -> None:
    """Open the studio in the browser."""
    from assistant.server import serve as serve_pages

    studio = open_studio(workspace, chosen_models(model, endpoint, endpoint_model, endpoint_adapter))
    studio.told = Progress()
    studio.load_in_background()
    serve_pages(studio, host, port, name or (), root_path.rstrip("/"))
