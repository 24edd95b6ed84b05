"""The gate: who is let in, and what each role may ask for, over HTTP as a browser would."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import gradio as gr
import httpx
import pytest
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from assistant.access import Accounts, Role, Sessions
from assistant.access.tries import OWN
from assistant.api import API
from assistant.brand import Brand, write_brand
from assistant.gate import COOKIE, KNOWN, MOST_AT_THE_DOOR, Gate
from assistant.server import make_app
from assistant.studio import Studio
from assistant.ui import PAGES
from assistant.ui.guarding import ODD, changes
from assistant.ui.open_pages import CAPACITY, OpenPage
from tests.fakes import QUICK_HASHES, FakeModels
from tests.ui.conftest import listening_server
from tests.ui.working_pages import until

ADDRESS = "http://127.0.0.1:7860"
PASSWORD = "four random words"
ROLES = tuple(Role)
PAGE = {"accept": "text/html"}


@pytest.fixture(scope="module")
def studio(tmp_path_factory) -> Studio:
    studio = Studio(tmp_path_factory.mktemp("companies") / "acme", FakeModels())
    write_brand(studio.workspace.brand_file, Brand("Acme"))
    studio.load()
    return studio


@pytest.fixture(scope="module")
def accounts(tmp_path_factory) -> Accounts:
    accounts = Accounts(tmp_path_factory.mktemp("accounts") / "accounts.json", QUICK_HASHES)
    for role in ROLES:
        accounts.add(role.value, role, PASSWORD)
    return accounts


@pytest.fixture(scope="module")
def app(studio, accounts):
    return make_app(studio, accounts=accounts)


@pytest.fixture
def stranger(app) -> TestClient:
    return TestClient(app, base_url=ADDRESS, follow_redirects=False)


def log_in(app, role: Role, base_url: str = ADDRESS) -> TestClient:
    client = TestClient(app, base_url=base_url, follow_redirects=False)
    answer = client.post("/login", data={"name": role.value, "password": PASSWORD})
    assert answer.status_code == 303
    return client


@pytest.fixture(scope="module")
def clients(app) -> dict[Role, TestClient]:
    """A browser for each role, logged in."""
    return {role: log_in(app, role) for role in ROLES}


def blocks(app):
    """Gradio's own application within ours, which knows all handlers."""
    return next(route.app for route in app.routes if hasattr(getattr(route, "app", None), "get_blocks"))


@pytest.mark.parametrize("page", [page.address for page in PAGES])
def test_a_stranger_is_led_to_the_login_and_back_to_the_page_asked_for(stranger, page):
    answer = stranger.get(f"/{page}", headers=PAGE)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/login?next=/{page}")
    came = stranger.post(answer.headers["location"], data={"name": "manager", "password": PASSWORD})
    assert (came.status_code, came.headers["location"]) == (303, f"/{page}")


def test_the_login_leads_back_to_the_chat_that_was_asked_for(stranger):
    answer = stranger.get("/?chat=0f&of=1", headers=PAGE)
    came = stranger.post(answer.headers["location"], data={"name": "manager", "password": PASSWORD})
    assert (came.status_code, came.headers["location"]) == (303, "/?chat=0f&of=1")


def test_a_page_whose_server_was_gone_learns_that_it_is_back_also_where_its_session_is_not(stranger):
    """Gradio's pages ask for this until it is answered, and then load themselves again."""
    assert stranger.get(f"{API}app_id").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "gradio_api/queue/join"),
        ("POST", "gradio_api/run/chat_load"),
        ("POST", "gradio_api/upload"),
        ("GET", "gradio_api/info"),
        ("GET", "config"),
        ("GET", "gradio_api/file=pyproject.toml"),
    ],
)
def test_a_stranger_gets_nothing_from_the_api(stranger, method, path):
    assert stranger.request(method, f"/{path}").status_code == 401


@pytest.mark.parametrize(
    "next_page",
    [
        "//evil.example",
        "https://evil.example/",
        "/\\evil.example",
        "",
        "//[",
        "/\t/evil.example",
        "/\n/evil.example",
    ],
)
def test_the_login_leads_to_no_other_site(stranger, next_page):
    answer = stranger.post(
        "/login", params={"next": next_page}, data={"name": "manager", "password": PASSWORD}
    )
    assert answer.headers["location"] == "/"


def test_a_wrong_password_says_so_and_many_have_to_wait(stranger):
    for _ in range(OWN.free):
        answer = stranger.post("/login", data={"name": "nobody", "password": "wrong password"})
        assert answer.status_code == 403
        assert "Name and password do not fit" in answer.text
    answer = stranger.post("/login", data={"name": "nobody", "password": PASSWORD})
    assert answer.status_code == 429
    assert "Try again in 2 seconds" in answer.text
    assert COOKIE not in answer.cookies


def test_others_are_served_while_many_try_passwords(studio, accounts, monkeypatch):
    sessions, released, at_once = Sessions(accounts), threading.Event(), []
    token = sessions.log_in("presenter", PASSWORD)

    def slow(self, name, password, **_):
        at_once.append(name)
        released.wait(60)

    monkeypatch.setattr(Sessions, "log_in", slow)
    gate = Gate(PlainTextResponse("the page"), sessions, lambda: studio.audit, [""])
    with listening_server(gate) as address, ThreadPoolExecutor(60) as crowd:
        forms = [{"name": f"guess {number}", "password": "wrong password"} for number in range(60)]
        sent = [crowd.submit(httpx.post, f"{address}/login", data=form, timeout=120) for form in forms]
        try:
            until(lambda: len(at_once) >= MOST_AT_THE_DOOR)
            page = httpx.get(address, cookies={COOKIE: token}, timeout=30)
            assert (page.text, len(at_once)) == ("the page", MOST_AT_THE_DOOR)
        finally:
            released.set()
        assert {each.result().status_code for each in sent} == {403}


def test_who_has_logged_in_before_is_not_shut_out_by_one_who_guesses(app, accounts):
    accounts.add("guessed", Role.PRESENTER, PASSWORD)
    known = TestClient(app, base_url=ADDRESS, follow_redirects=False)
    login = {"name": "guessed", "password": PASSWORD}
    cookies = known.post("/login", data=login).headers.get_list("set-cookie")
    (mark,) = [cookie for cookie in cookies if cookie.startswith(KNOWN)]
    assert "HttpOnly" in mark and "SameSite=lax" in mark
    known.post("/logout")
    stranger = TestClient(app, base_url=ADDRESS, follow_redirects=False)
    for _ in range(OWN.free):
        stranger.post("/login", data={"name": "guessed", "password": "wrong password"})
    assert stranger.post("/login", data=login).status_code == 429
    assert known.post("/login", data=login).status_code == 303


@pytest.mark.parametrize(
    "sent",
    [
        {"files": {"x": ("a.txt", b"hi")}},
        {"content": b"garbage", "headers": {"content-type": "multipart/form-data; boundary=x"}},
        {"content": b"garbage", "headers": {"content-type": "multipart/form-data"}},
        {"data": {f"field {number}": "x" for number in range(20)}},
        {"content": b"name=%ff%fe&password=%00"},
        {"content": b"name=%ed%b2%80&password=x"},
        {},
    ],
    ids=["a file", "no parts", "no boundary", "many fields", "no UTF-8", "half a character", "nothing"],
)
def test_whatever_is_sent_to_the_login_is_a_wrong_password_at_most(stranger, sent):
    assert stranger.post("/login", **sent).status_code in (403, 429)


@pytest.mark.parametrize(("scheme", "secure"), [("http", False), ("https", True)])
def test_the_cookie_is_for_this_server_alone(app, scheme, secure):
    client = TestClient(app, base_url=f"{scheme}://127.0.0.1:7860", follow_redirects=False)
    cookie = client.post("/login", data={"name": "manager", "password": PASSWORD}).headers["set-cookie"]
    assert "HttpOnly" in cookie and "SameSite=lax" in cookie and "Max-Age=43200" in cookie
    assert ("Secure" in cookie) == secure


def test_logging_out_ends_the_session_and_both_are_in_the_log(app, studio):
    client = log_in(app, Role.PRESENTER)
    token = client.cookies[COOKIE]
    assert client.post("/logout").status_code == 303
    client.cookies.set(COOKIE, token)
    assert client.get("/", headers=PAGE).status_code == 303
    assert [entry.what for entry in studio.audit.entries(2)] == ["logged out", "logged in"]


def test_each_role_gets_its_pages_and_no_others(clients):
    found = {
        role: [page.name for page in PAGES if client.get(f"/{page.address}", headers=PAGE).status_code == 200]
        for role, client in clients.items()
    }
    assert found == {
        Role.MANAGER: [page.name for page in PAGES],
        Role.PRESENTER: ["Compare"],
        Role.RATER: [],
    }


RIGHTS = Path(__file__).parent / "rights.txt"


def test_the_table_of_every_handler_and_role_is_the_one_that_was_agreed(app):
    """A new handler has no line in rights.txt, and fails this test until somebody has decided on it."""
    from assistant.access import Person, may_handle

    lines = []
    for handler in blocks(app).get_blocks().fns.values():
        if handler.fn is None or handler.api_visibility == "private":
            continue
        may = [
            role.value for role in ROLES if may_handle(Person("x", role), handler.page, str(handler.api_name))
        ]
        lines.append(f"{handler.api_name}: {', '.join(may)}")
    assert sorted(lines) == RIGHTS.read_text(encoding="utf-8").splitlines()


def call(client: TestClient, name: str) -> tuple[int, str]:
    """Call a handler by its name with nothing in its fields."""
    answer = client.post(f"/gradio_api/run/{name}", json={"data": []})
    return answer.status_code, answer.text


def test_what_the_table_forbids_is_refused_by_the_server(app, clients):
    """Each public handler is called as each role, past the pages; those without a right get nothing."""
    table = dict(line.split(": ") for line in RIGHTS.read_text(encoding="utf-8").splitlines())
    for name, roles in table.items():
        for role, client in clients.items():
            if role.value not in roles.split(", "):
                status, text = call(client, name)
                assert status in (403, 422), (name, role, status)
                assert "for managers" in text or "open the link" in text, (name, role, text)


def test_what_only_pages_call_is_refused_by_its_number_too(app, clients):
    """Handlers without a public name are part of their page: who may not open that may not call them."""
    hidden = [
        (number, handler)
        for number, handler in blocks(app).get_blocks().fns.items()
        if handler.fn is not None and handler.api_visibility == "private"
    ]
    assert {handler.page for _, handler in hidden} == {page.address for page in PAGES}
    for number, handler in hidden:
        for role, client in clients.items():
            answer = client.post(f"{API}run/x", json={"data": [], "fn_index": number})
            allowed = role is Role.MANAGER or (role is Role.PRESENTER and handler.page == "")
            assert (answer.status_code == 403 or "for managers" in answer.text) != allowed, (role, handler)


def test_a_file_below_the_working_directory_is_not_served_whoever_asks(clients):
    assert Path("pyproject.toml").exists()
    for client in clients.values():
        assert client.get(f"{API}file=pyproject.toml").status_code == 403
        assert client.get(f"{API}file={Path('pyproject.toml').absolute()}").status_code == 403


def test_a_presenter_can_neither_upload_nor_read_files_nor_the_api(clients):
    client = clients[Role.PRESENTER]
    for method, path in (
        ("POST", f"{API}upload"),
        ("GET", f"{API}file=pyproject.toml"),
        ("GET", f"{API}info"),
        ("GET", "/config"),
        ("GET", "/documents"),
    ):
        assert client.request(method, path).status_code == 403, path


def test_a_presenter_may_ask(clients):
    status, text = call(clients[Role.PRESENTER], "instructions_show")
    assert (status, "for managers" in text) == (200, False)


def test_changes_are_in_the_log_with_who_made_them_and_reading_is_not(clients, studio):
    before = len(studio.audit.entries())
    call(clients[Role.MANAGER], "instructions_show")
    assert len(studio.audit.entries()) == before
    clients[Role.MANAGER].post("/gradio_api/run/instructions_save", json={"data": ["Be brief."]})
    newest = studio.audit.entries()[0]
    assert (newest.who, newest.role, newest.what) == ("manager", "manager", "instructions save")
    assert studio.brand().instructions == "Be brief."


def test_what_a_manager_takes_away_is_in_the_log(clients, studio):
    assert clients[Role.MANAGER].get("/gaps.csv").status_code == 200
    newest = studio.audit.entries()[0]
    assert (newest.who, newest.what) == ("manager", "download gaps.csv")


def test_a_wrong_password_for_an_account_that_there_is_is_in_the_log(stranger, studio, accounts):
    accounts.add("tried", Role.PRESENTER, PASSWORD)
    before = len(studio.audit.entries())
    stranger.post("/login", data={"name": "nobody at all", "password": "wrong password"})
    assert len(studio.audit.entries()) == before
    stranger.post("/login", data={"name": "tried", "password": "wrong password"})
    newest = studio.audit.entries()[0]
    assert (newest.who, newest.role, newest.what) == ("tried", "presenter", "wrong password")
    accounts.remove("tried")


@pytest.mark.parametrize(
    ("handler", "told"), [("company_switch", True), ("folders_link", True), ("chat_open", False)]
)
def test_what_is_done_to_all_is_in_the_log_and_what_is_only_looked_at_is_not(handler, told):
    assert changes(handler) == told


def test_what_the_page_does_by_itself_is_refused_when_it_is_called(app, clients):
    alone = [number for number, each in blocks(app).get_blocks().fns.items() if each.fn is None]
    assert alone
    for number in alone:
        answer = clients[Role.MANAGER].post("/gradio_api/run/predict", json={"fn_index": number, "data": []})
        assert (answer.status_code, answer.json()["error"]) == (422, ODD)


def test_neither_the_logs_nor_the_audit_hold_what_was_said(clients, studio, caplog):
    caplog.set_level(logging.DEBUG, logger="assistant")
    draft = clients[Role.PRESENTER].post("/gradio_api/run/chat_draft", json={"data": ["My secret", ""]})
    clients[Role.MANAGER].post("/gradio_api/run/chat_remove", json={"data": draft.json()["data"]})
    (*_, answers) = studio.ask(studio.chats.new(), "My other secret?")
    assert all(answer.done for answer in answers)
    assert "secret" not in caplog.text and "Nothing was queued" not in caplog.text
    assert "secret" not in studio.workspace.audit_log.read_text(encoding="utf-8")


def test_a_chat_is_not_there_for_another_person_who_knows_its_id(app, accounts, clients):
    accounts.add("other", Role.PRESENTER, PASSWORD)
    other = TestClient(app, base_url=ADDRESS, follow_redirects=False)
    other.post("/login", data={"name": "other", "password": PASSWORD})
    answer = clients[Role.PRESENTER].post("/gradio_api/run/chat_draft", json={"data": ["My secret", ""]})
    (chat_id,) = answer.json()["data"]
    for client in (other, clients[Role.MANAGER]):
        follow = client.post("/gradio_api/run/chat_follow", json={"data": [chat_id]})
        assert "There is no chat" in follow.text and "My secret" not in follow.text
        load = client.post("/gradio_api/run/chat_follow", json={"data": [""]})
        assert chat_id not in load.text
        assert client.post("/gradio_api/run/chat_draft", json={"data": ["Mine now", chat_id]}).status_code
    mine = clients[Role.PRESENTER].post("/gradio_api/run/chat_follow", json={"data": [chat_id]})
    assert "There is no chat" not in mine.text


def test_what_comes_of_a_call_is_streamed_to_its_person_alone(studio, accounts):
    gate = Gate(PlainTextResponse("answers"), Sessions(accounts), lambda: studio.audit, [""])
    mine, other = log_in(gate, Role.PRESENTER), log_in(gate, Role.MANAGER)
    stream = f"{API}queue/data?session_hash=known-to-others"
    assert mine.get(stream).text == "answers"
    assert other.get(stream).status_code == 403
    assert mine.get(stream).text == "answers"
    assert other.get(f"{stream}-not").text == "answers"


def test_the_pages_keep_nothing_under_keys_that_a_client_chooses_and_hand_out_no_files(app):
    built = blocks(app).get_blocks()
    assert [each for each in built.blocks.values() if isinstance(each, gr.State)] == []
    shown = {type(output) for handler in built.fns.values() for output in handler.outputs}
    assert not shown & {gr.File, gr.Image, gr.Gallery, gr.Video, gr.Audio, gr.DownloadButton, gr.FileExplorer}


def test_what_is_remembered_of_open_pages_has_a_limit(app):
    holder = blocks(app).state_holder
    assert holder.capacity == CAPACITY
    holder.capacity = 3
    try:
        for number in range(5):
            assert isinstance(holder[f"page {number}"], OpenPage)
        assert len(holder.session_data) == 3
    finally:
        holder.capacity = CAPACITY


def test_accounts_that_can_not_be_read_let_nobody_in_and_say_so(app, accounts):
    accounts.add("kept", Role.MANAGER, PASSWORD)
    client = TestClient(app, base_url=ADDRESS, follow_redirects=False)
    client.post("/login", data={"name": "kept", "password": PASSWORD})
    whole = accounts._path.read_bytes()
    accounts._path.write_bytes(b"\xffjunk")
    try:
        answers = [
            client.get("/", headers=PAGE),
            client.post("/login", data={"name": "kept", "password": PASSWORD}),
        ]
    finally:
        accounts._path.write_bytes(whole)
    assert [(each.status_code, "accounts" in each.text) for each in answers] == [(503, True)] * 2
    assert client.get("/", headers=PAGE).status_code == 200
    accounts.remove("kept")


def test_a_removed_account_is_shut_out_at_once(app, accounts):
    accounts.add("temp", Role.MANAGER, PASSWORD)
    client = TestClient(app, base_url=ADDRESS, follow_redirects=False)
    client.post("/login", data={"name": "temp", "password": PASSWORD})
    assert client.get("/", headers=PAGE).status_code == 200
    accounts.remove("temp")
    assert client.get("/", headers=PAGE).status_code == 303
