"""The ballot of one company, alone on a port: `python -m tests.assistant.ballot.serve_ballot FOLDER PORT`."""

import sys
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from assistant.ballot import ballot_room
from assistant.ratings import Desks
from assistant.workspace import Workspace


def main(company: str, port: str) -> None:
    workspace, desks, app = Workspace(Path(company)), Desks(), FastAPI()
    app.include_router(ballot_room(lambda token: desks.seat(workspace, token)))
    uvicorn.run(app, port=int(port), log_level="error", timeout_graceful_shutdown=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
