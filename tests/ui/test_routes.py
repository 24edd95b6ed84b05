"""Whatever is sent to whichever route or handler, as whoever: an answer comes, and it is no fault."""

import json
import random
import threading

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from assistant.api import is_served
from assistant.server import make_app
from assistant.studio import Studio
from assistant.ui.guarding import FAULT, ODD, storable
from tests.benchmarks import routes
from tests.benchmarks.routes import INSIDE, ROLES, Client, House, Tally, fuzz, house
from tests.fakes import FakeModels
from tests.ui.conftest import listening_server

JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("moves", [100, pytest.param(1000, marks=pytest.mark.slow)])
def test_anything_at_all_gets_an_answer_that_is_no_fault(tmp_path, moves):
    tally = fuzz(tmp_path, seed=11, moves=moves)
    assert tally.bad == []
    assert set(tally.sent) == {"route", "direct", "queued", "climb", "rate", "odd", "login"}
    assert tally.statuses[200] > 20


def test_no_path_leads_to_a_file_that_is_not_served(tmp_path):
    tally = Tally()
    with house(tmp_path / "house") as built:
        client = Client(built, random.Random(12), tally)
        for role in ("manager", "presenter", "nobody"):
            client.role = role
            for _ in range(100):
                client.climb()
    assert tally.bad == []
    assert sum(tally.statuses.values()) == 300 and set(tally.statuses) <= {200, 303, 400, 401, 403, 404, 405}


@pytest.fixture
def faulty():
    """A server that serves a file it must not, fails, or never answers."""
    app, over = FastAPI(), threading.Event()
    app.get("/leak")(lambda: INSIDE)
    app.get("/fault")(lambda: PlainTextResponse("", 500))
    app.get("/never")(lambda: over.wait())
    with listening_server(app) as address:
        yield House(address, dict.fromkeys(ROLES, ""), {}, (), "", ())
        over.set()


@pytest.mark.parametrize(
    ("path", "told"), [("leak", "a file was served"), ("fault", "500"), ("never", "no answer"), ("none", "")]
)
def test_the_random_client_tells_what_it_is_there_to_find(faulty, monkeypatch, path, told):
    monkeypatch.setattr(routes, "PATIENCE", 0.3 if path == "never" else 60)
    tally = Tally()
    Client(faulty, random.Random(1), tally).send("GET", f"/{path}")
    assert [text[: len(told)] for text in tally.bad] == ([told] if told else [])


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/", True),
        ("/documents", True),
        ("/gradio_api/queue/join", True),
        ("/gradio_api/vibe-code", False),
        ("/gradio_api/proxy=https://evil.example", False),
        ("/gradio_api/call/chat_load", False),
        ("/monitoring", False),
        ("/openapi.json", False),
    ],
)
def test_of_gradios_routes_only_those_that_pages_use_are_served(client, path, served):
    assert is_served(path) == served
    answer = client.post(path, json={}) if "queue" in path else client.get(path)
    assert (answer.text == "There is nothing here.") == (not served)


def test_an_address_with_control_characters_leads_nowhere(client):
    answer = client.get("/gradio_api/heartbeat/a%00")
    assert (answer.status_code, answer.text) == (404, "There is nothing here.")


@pytest.fixture(scope="module")
def client(tmp_path_factory) -> TestClient:
    studio = Studio(tmp_path_factory.mktemp("companies") / "acme", FakeModels())
    return TestClient(make_app(studio), base_url="http://127.0.0.1:7860")


def run(client: TestClient, handler: str, data: list, event: object = None) -> tuple[int, str]:
    """Call a handler past the pages."""
    body = json.dumps({"data": data, "event_data": event})  # half characters as \\ud800, as a client may send
    answer = client.post(f"/gradio_api/run/{handler}", content=body, headers=JSON)
    return answer.status_code, answer.json().get("error", "")


def test_a_call_that_no_page_makes_is_refused_with_a_word(client):
    for data, event in (([], None), ([], "text"), ([], {"other": 1}), ([], [])):
        assert run(client, "documents_remove", data, event) == (422, ODD)
    assert run(client, "chat_strength", ["x", "not a number"])[0] == 422
    assert client.post("/rate/x/1", content=json.dumps({"key": "\ud800"}), headers=JSON).status_code == 422


@pytest.mark.parametrize(
    ("handler", "data", "event"),
    [
        ("study_remove_rater", ["x"], {"name": "nobody"}),
        ("study_remove_rater", ["x"], {"name": 1e308}),
        ("study_remove_item", ["x"], {"name": {"a": 1}}),
        ("study_remove_item", ["x"], {"name": "9" * 40}),
        ("folders_link", ["/srv", []], None),
        ("train_preset", [None], None),
        ("version_import", [None], None),
        ("version_merge", [None], None),
    ],
)
def test_what_no_field_and_no_click_brings_is_refused(client, handler, data, event):
    assert run(client, handler, data, event)[0] == 422


def test_the_first_page_opens_whatever_stands_behind_its_address(client):
    for fields in ("?page=x", "?page=documents", "?deep_link=../../x"):
        assert client.get(f"/{fields}").status_code == 200


def test_a_fault_is_told_as_one_and_logged_without_what_was_sent(client, monkeypatch, caplog):
    def broken(*_):
        raise ZeroDivisionError("secret text")

    monkeypatch.setattr("assistant.studio.Studio.save_instructions", broken)
    assert run(client, "instructions_save", ["Be brief."]) == (500, FAULT.format("ZeroDivisionError"))
    assert "A handler failed." in caplog.text


def test_halves_of_characters_and_zero_bytes_are_left_out_of_all_that_is_sent():
    sent = {"a\ud800": ["b\x00", {"c": "\udfffd"}, 1, None, True]}
    assert storable(sent) == {"a": ["b", {"c": "d"}, 1, None, True]}


def test_text_from_the_api_is_kept_however_it_was_sent(client):
    status, _ = run(client, "instructions_save", ["Be\ud800 brief\x00."])
    assert status == 200
    assert "Be brief." in str(client.post("/gradio_api/run/instructions_show", json={"data": []}).json())
