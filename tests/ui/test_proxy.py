"""Behind nginx under a path of its own, with logins: pages, streams, links and the way out."""

import re
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from playwright.sync_api import expect

from assistant.access import Accounts, Role
from assistant.server import make_app
from tests.fakes import QUICK_HASHES
from tests.ui.conftest import listening_server

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
PREFIX = "/quartet"
PASSWORD = "four random words"
CONFIG = """
daemon off; pid {room}/pid; error_log {room}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {room}/1; proxy_temp_path {room}/2; fastcgi_temp_path {room}/3;
  uwsgi_temp_path {room}/4; scgi_temp_path {room}/5;
  server {{
    listen 127.0.0.1:{port};
    location {prefix}/ {{
      proxy_pass {behind}/;
      proxy_http_version 1.1;
      proxy_buffering off;
      proxy_set_header Host $http_host;
      proxy_set_header X-Forwarded-Proto $scheme;
      proxy_set_header X-Forwarded-For $remote_addr;
    }}
  }}
}}
"""


@pytest.fixture
def proxied(studio, tmp_path: Path):
    """The address under which nginx serves Acme's pages."""
    if NGINX is None:
        pytest.skip("nginx is not installed")
    accounts = Accounts(tmp_path / "accounts.json", QUICK_HASHES)
    accounts.add("ann", Role.PRESENTER, PASSWORD)
    app = make_app(studio, accounts=accounts, root_path=PREFIX)
    with listening_server(app, root_path=PREFIX) as behind, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        config = tmp_path / "nginx.conf"
        config.write_text(CONFIG.format(room=tmp_path, port=port, prefix=PREFIX, behind=behind))
        nginx = subprocess.Popen([NGINX, "-c", str(config)], stderr=subprocess.DEVNULL)
        try:
            _wait_for(port)
            yield f"http://127.0.0.1:{port}{PREFIX}"
        finally:
            nginx.terminate()
            nginx.wait(timeout=10)


def _wait_for(port: int) -> None:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("nginx did not start")


@pytest.mark.slow
def test_a_presenter_logs_in_asks_and_leaves_under_the_proxys_path(proxied, browser_page, engine):
    page = browser_page
    page.goto(f"{proxied}/documents")
    expect(page).to_have_url(re.compile(r"/quartet/login\?next="))
    page.goto(f"{proxied}/")
    page.get_by_label("Name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile(r"/quartet/$"))
    expect(page.locator(".q-leave")).to_contain_text("ann")
    expect(page.locator(".q-nav a")).to_have_count(1)
    engine.queue(*(f"From lane {number}. {'And more. ' * 40}Ended." for number in range(4)))
    engine.pause = 0.03
    page.locator("#q-question textarea").fill("How long do refunds take?")
    page.locator("#q-question textarea").press("Enter")
    for number in range(4):
        expect(page.locator(".q-answer[aria-busy]", has_text=f"From lane {number}.")).to_be_visible()
    expect(page.locator("#q-live .q-answer", has_text="Ended.")).to_have_count(4)
    expect(page).to_have_url(re.compile(r"/quartet/\?chat=[0-9a-f]{32}$"))
    page.get_by_role("button", name="Log out").click()
    expect(page).to_have_url(re.compile(r"/quartet/login$"))
