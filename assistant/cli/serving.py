"""`quartet serve`: the pages."""

import os
from typing import Annotated

import typer

from assistant.access import Provider
from assistant.access.openid import SECRET_VARIABLE
from assistant.cli.opening import chosen_models, open_studio
from assistant.cli.options import (
    EightBitOption,
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
    openid: Annotated[
        str | None,
        typer.Option(
            help="OpenID Connect issuer to sign in through, such as https://login.example.com; "
            f"its secret is read from {SECRET_VARIABLE}."
        ),
    ] = None,
    openid_client: Annotated[str, typer.Option(help="What the issuer knows Quartet by.")] = "quartet",
    model: ModelOption = None,
    eight_bit: EightBitOption = False,
    endpoint: EndpointOption = None,
    endpoint_model: EndpointModelOption = "",
    endpoint_adapter: EndpointAdapterOption = "",
) -> None:
    """Open the studio in the browser."""
    from assistant.server import serve as serve_pages

    models = chosen_models(model, endpoint, endpoint_model, endpoint_adapter, eight_bit=eight_bit)
    studio = open_studio(workspace, models)
    studio.told = Progress()
    root_path, provider = root_path.rstrip("/"), _provider(openid, openid_client)
    serve_pages(studio, host, port, name or (), root_path=root_path, openid=provider)


def _provider(issuer: str | None, client: str) -> Provider | None:
    return Provider(issuer, client, os.environ.get(SECRET_VARIABLE, "").strip()) if issuer else None
