"""What the tests of the ballot share: a company's desk, and its ballot without a server."""

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from assistant.ballot import ballot_room
from assistant.ratings import Desk, Desks
from assistant.store import open_database
from assistant.workspace import Workspace


@pytest.fixture
def desk(workspace: Workspace) -> Desk:
    return Desk.of(open_database(workspace.database))


@pytest.fixture
def client(workspace: Workspace) -> TestClient:
    desks, app = Desks(), FastAPI()
    app.include_router(ballot_room(lambda token: desks.seat(workspace, token)))
    return TestClient(app)
