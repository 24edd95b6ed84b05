"""The options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

from assistant.endpoint import KEY_VARIABLE

WorkspaceOption = Annotated[
    Path | None,
    typer.Option(
        "--workspace", help="Folder of the company to open; made if missing. Default: the demo company."
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", help="Chat model: a local folder of safetensors, or a hub id. Default: the starter model."
    ),
]
EightBitOption = Annotated[
    bool,
    typer.Option(
        "--eight-bit",
        help="On a processor, answer with the weights of the model's layers in 8 bits: less memory, and "
        "faster; what is said changes a little.",
    ),
]
EndpointOption = Annotated[
    str | None,
    typer.Option(
        "--endpoint",
        help="Chat on this OpenAI-compatible server instead, such as http://gpu:8000/v1; "
        f"its key is read from {KEY_VARIABLE}.",
    ),
]
EndpointModelOption = Annotated[
    str, typer.Option("--endpoint-model", help="What the endpoint calls the base model.")
]
EndpointAdapterOption = Annotated[
    str, typer.Option("--endpoint-adapter", help="What the endpoint calls the adapter of the tuned lanes.")
]
QuestionsOption = Annotated[
    Path | None, typer.Option("--questions", help="JSON Lines file of questions: id, question, history.")
]
OutOption = Annotated[
    Path | None, typer.Option("--out", help="Write results to this file instead of stdout.")
]
LanesOption = Annotated[
    str, typer.Option("--lanes", help="Lanes that answer, by comma: prompt, tuned, rag, combined.")
]
