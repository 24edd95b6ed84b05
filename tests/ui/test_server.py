"""The web server around the pages."""

import os
import socket
from pathlib import Path

import httpx
import pytest
from fastapi.testclient import TestClient

from assistant.brand import Brand, write_brand
from assistant.errors import AssistantError
from assistant.server import BODY_LIMIT, SECURITY_HEADERS, UPLOAD_LIMIT, make_app, serve
from assistant.studio import Studio
from assistant.ui import FAVICON
from tests.fakes import FakeModels
from tests.ui.conftest import listening_server

ADDRESS = "http://127.0.0.1:7860"


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Studio:
    studio = Studio(tmp_path_factory.mktemp("companies") / "acme", FakeModels())
    write_brand(studio.workspace.brand_file, Brand("Acme"))
    return studio


@pytest.fixture(scope="module")
def client(studio: Studio) -> TestClient:
    return TestClient(make_app(studio), base_url=ADDRESS)


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 200),
        ("GET", "/no-such-page", {}, 404),
        ("GET", "/", {"host": "evil.example"}, 400),
        ("POST", "/gradio_api/queue/join", {"origin": "https://evil.example"}, 403),
        ("POST", "/gradio_api/queue/join", {"content-length": str(BODY_LIMIT + 1)}, 413),
    ],
    ids=["page", "missing", "foreign host", "foreign origin", "too large"],
)
def test_every_answer_carries_the_security_headers(client, method, path, headers, status):
    answer = client.request(method, path, headers=headers)
    assert answer.status_code == status
    assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS


def test_the_content_policy_lets_pages_load_from_this_server_alone(client):
    policy = client.get("/").headers["content-security-policy"]
    told = dict(each.strip().split(" ", 1) for each in policy.split(";"))
    assert set(" ".join(told.values()).split()) <= {
        *("'self'", "'none'", "'unsafe-inline'", "'unsafe-eval'", "data:", "blob:")
    }
    assert (
        told["default-src"] == told["form-action"] == told["base-uri"] == told["frame-ancestors"] == "'self'"
    )
    assert told["object-src"] == "'none'" and "unsafe-eval" not in told["style-src"]
    assert "data:" not in told["script-src"]


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "localhost", "[::1]:7860"])
def test_this_machine_is_answered_under_its_own_names(client, host):
    assert client.get("/", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "host",
    [
        *(
            "evil.example",
            "127.0.0.1.evil.example",
            "",
            "localhost@evil.example:80",
            "evil.example@127.0.0.1",
        ),
        *("[", "[::1", "127.0.0.1/evil.example", "127.0.0.1#.evil.example", "127.0.0.1:port"),
    ],
)
def test_another_host_name_is_refused_which_stops_dns_rebinding(client, host):
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == 400
    assert "http://127.0.0.1" in answer.text


def test_a_name_counts_however_it_is_written(studio):
    client = TestClient(make_app(studio, ["Quartet.Example.com"]), base_url=ADDRESS)
    for host in ("quartet.example.com", "QUARTET.example.com:443"):
        assert client.get("/theme.css", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:9999", "http://["])
def test_a_page_of_another_origin_can_neither_change_nor_read(client, origin):
    changed = client.post("/gradio_api/queue/join", headers={"origin": origin}, json={})
    assert changed.status_code == 403
    read = client.get("/config", headers={"origin": origin})
    assert "access-control-allow-origin" not in read.headers


def test_our_own_origin_may_send(client):
    answer = client.post("/gradio_api/queue/join", headers={"origin": ADDRESS}, json={})
    assert answer.status_code not in (400, 403, 413)


@pytest.mark.parametrize(
    ("path", "limit"),
    [("/gradio_api/queue/join", BODY_LIMIT), ("/gradio_api/upload", UPLOAD_LIMIT)],
    ids=["request", "upload"],
)
def test_a_body_over_its_limit_is_refused_by_its_announced_length(client, path, limit):
    answer = client.post(path, headers={"content-length": str(limit + 1)})
    assert answer.status_code == 413
    assert f"{limit // 1024 // 1024} MB" in answer.text


def test_a_body_that_does_not_announce_its_length_is_refused_while_it_comes_in(client):
    pieces = (b"x" * 100_000 for _ in range(BODY_LIMIT // 100_000 + 2))
    assert client.post("/gradio_api/queue/join", content=pieces).status_code == 413


def test_documents_may_be_larger_than_other_requests(client):
    answer = client.post("/gradio_api/upload", files={"files": ("big.txt", b"x" * (BODY_LIMIT + 1))})
    assert answer.status_code == 200


def test_documents_may_be_larger_than_other_requests_behind_a_proxys_path_too(studio):
    app = make_app(studio, root_path="/quartet")
    with listening_server(app, root_path="/quartet") as address:
        answer = httpx.post(f"{address}/gradio_api/upload", files={"files": ("a", b"x" * (BODY_LIMIT + 1))})
    assert answer.status_code == 200


def test_what_was_uploaded_is_deleted_when_the_server_ends(studio, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    with TestClient(make_app(studio), base_url=ADDRESS) as client:
        (path,) = client.post("/gradio_api/upload", files={"files": ("chats.txt", b"secret")}).json()
        assert Path(path).read_bytes() == b"secret" and Path(path).stat().st_mode & 0o077 == 0
    assert [each for each in (tmp_path / "uploads").rglob("*") if each.is_file()] == []


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/monitoring", "/gradio_api/runs"])
def test_what_the_libraries_would_show_beside_the_pages_is_off(client, path):
    assert client.get(path).status_code in (403, 404)


def test_nothing_is_reported_to_the_makers_of_the_libraries(studio, monkeypatch):
    for name in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_DISABLE_TELEMETRY"):
        monkeypatch.delenv(name)
    app = make_app(studio)
    assert os.environ["GRADIO_ANALYTICS_ENABLED"] == "False"
    assert os.environ["HF_HUB_DISABLE_TELEMETRY"] in ("1", "True")
    built = next(route.app for route in app.routes if hasattr(getattr(route, "app", None), "get_blocks"))
    assert built.get_blocks().analytics_enabled is False


def test_the_icon_in_the_browsers_tab_is_our_own(client):
    assert client.get("/favicon.ico").text == FAVICON.read_text()


def test_files_of_the_workspace_are_not_served(client, studio):
    for path in (studio.workspace.brand_file, studio.workspace.database):
        assert client.get(f"/gradio_api/file={path}").status_code in (403, 404)


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.4", "::"])
def test_the_network_is_refused_while_there_are_no_logins(studio, host, monkeypatch):
    monkeypatch.setattr(studio, "load_in_background", lambda: pytest.fail("models are loaded for nothing"))
    with pytest.raises(AssistantError, match="nobody can log in yet"):
        serve(studio, host, 7860)


def test_a_port_in_use_is_named_with_the_next_step(studio):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AssistantError, match=f"Port {port} is in use.*--port {port + 1}"):
            serve(studio, port=port)


def test_a_raters_page_allows_itself_less_than_the_others_and_is_found_before_them(client):
    answer = client.get("/rate/nobody")
    assert (answer.status_code, "This link leads nowhere" in answer.text) == (404, True)
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
