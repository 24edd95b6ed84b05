"""Signing in through an OpenID Connect provider: a small one that the test starts."""

import base64
import hashlib
import time
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse

from assistant.access import Accounts, AuditLog, Provider, Role, Sessions
from assistant.access.openid import OpenId
from assistant.errors import AssistantError
from assistant.gate import Gate
from tests.fakes import QUICK_HASHES
from tests.ui.conftest import listening_server

ADDRESS = "http://127.0.0.1:7860"
ANN = "ann@acme.example"
KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})


class SmallProvider:
    """Signs everybody in as `claims` says; `key` signs."""

    def __init__(self) -> None:
        self.app, self.claims, self.key, self.issuer = FastAPI(), {"email": ANN}, KEY, ""
        self.asked: dict[str, dict[str, str]] = {}
        for path, answer in (
            ("/.well-known/openid-configuration", self.configuration),
            ("/authorize", self.authorize),
            ("/keys", self.keys),
        ):
            self.app.get(path)(answer)
        self.app.post("/token")(self.token)

    def configuration(self):
        paths = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        return {"issuer": self.issuer, **{name: f"{self.issuer}/{path}" for name, path in paths.items()}}

    def authorize(self, request: Request):
        asked = dict(request.query_params)
        code = f"code-{len(self.asked)}"
        self.asked[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?code={code}&state={asked['state']}", 303)

    def keys(self):
        return {"keys": [KEY.as_dict(private=False)]}

    async def token(self, request: Request):
        form = dict(await request.form())
        asked = self.asked.pop(str(form["code"]), None)
        digest = hashlib.sha256(str(form["code_verifier"]).encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if not asked or (asked["code_challenge"], asked["code_challenge_method"]) != (challenge, "S256"):
            return JSONResponse({"error": "invalid_grant"}, 400)
        claims = {
            "iss": self.issuer,
            "aud": asked["client_id"],
            "exp": int(time.time()) + 60,
            "nonce": asked["nonce"],
        }
        token = jwt.encode({"alg": "RS256", "kid": "one"}, claims | self.claims, self.key)
        return {"access_token": "a", "token_type": "Bearer", "id_token": token}


@pytest.fixture
def provider():
    small = SmallProvider()
    with listening_server(small.app) as small.issuer:
        yield small


@pytest.fixture
def client(provider, tmp_path):
    """A browser in front of the gate, with a page behind it."""
    accounts = Accounts(tmp_path / "accounts.json", QUICK_HASHES)
    accounts.add(ANN, Role.MANAGER, None)
    openid = OpenId(Provider(provider.issuer, "quartet", "the secret"))
    log = AuditLog(tmp_path / "audit.jsonl")
    app = Gate(PlainTextResponse("The page"), Sessions(accounts), lambda: log, ["documents"], openid)
    return TestClient(app, base_url=ADDRESS, follow_redirects=False)


def signed_in(client):
    """Go to the provider and come back, as a browser does; the last answer."""
    there = client.get("/login/provider")
    assert there.status_code == 303, there.text
    back = httpx.get(there.headers["location"]).headers["location"]
    assert back.startswith(f"{ADDRESS}/login/back?")
    return client.get(back.removeprefix(ADDRESS))


def test_who_has_an_account_comes_in(client):
    assert "Sign in with your company" in client.get("/login").text
    answer = signed_in(client)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert client.get("/documents", headers={"accept": "text/html"}).status_code == 200


def test_an_account_for_signing_in_has_no_password_to_guess(client):
    for password in ("", "hash", "nobody has this password"):
        assert client.post("/login", data={"name": ANN, "password": password}).status_code == 403


@pytest.mark.parametrize(
    ("claims", "text"),
    [
        ({"email": "bob@acme.example"}, "bob@acme.example has no account here"),
        ({"email": ANN, "email_verified": False}, "names no confirmed e-mail"),
        ({"email": ANN, "email_verified": "false"}, "names no confirmed e-mail"),
        ({}, "names no confirmed e-mail"),
        ({"email": ANN, "aud": "another"}, "failed (InvalidClaimError)"),
        ({"email": ANN, "nonce": "another"}, "failed (InvalidClaimError)"),
        ({"email": ANN, "iss": "https://evil.example"}, "failed (InvalidClaimError)"),
        ({"email": ANN, "exp": 1}, "failed (ExpiredTokenError)"),
    ],
    ids=["no account", "not confirmed", "said as text", "no address", "receiver", "nonce", "sender", "time"],
)
def test_others_stay_out(client, provider, claims, text):
    provider.claims = claims
    answer = signed_in(client)
    assert answer.status_code == 403
    assert text in answer.text
    assert client.get("/documents", headers={"accept": "text/html"}).status_code == 303


def test_a_token_that_another_key_signed_is_refused(client, provider):
    provider.key = OTHER_KEY
    answer = signed_in(client)
    assert answer.status_code == 403 and "failed (BadSignatureError)" in answer.text


def test_a_sign_in_begun_in_another_browser_or_used_twice_is_refused(client):
    there = client.get("/login/provider").headers["location"]
    back = httpx.get(there).headers["location"].removeprefix(ADDRESS)
    state = client.cookies["quartet_signin"]
    client.cookies.delete("quartet_signin")
    assert "begun in another browser" in client.get(back).text
    client.cookies.set("quartet_signin", state)
    assert client.get(back).status_code == 303
    assert "took too long, or was begun elsewhere" in client.get(back).text


def test_a_provider_that_does_not_answer_is_named(client, provider):
    openid = OpenId(Provider("http://127.0.0.1:9", "quartet", ""))
    with pytest.raises(AssistantError, match=r"through http://127\.0\.0\.1:9 failed \(ConnectError"):
        openid.begin(f"{ADDRESS}/login/back")


def test_a_sign_in_ends_after_ten_minutes(provider):
    now = [0.0]
    openid = OpenId(Provider(provider.issuer, "quartet", ""), clock=lambda: now[0])
    url, state = openid.begin(f"{ADDRESS}/login/back")
    back = httpx.get(url).headers["location"]
    assert parse_qs(urlsplit(back).query)["state"] == [state]
    now[0] = 601.0
    with pytest.raises(AssistantError, match="took too long"):
        openid.finish(state, back)


def test_an_address_that_others_could_listen_to_is_refused():
    with pytest.raises(AssistantError, match="is no https address"):
        Provider("http://login.example.com", "quartet", "")
