"""Signing in through a company's OpenID Connect provider: the way there, and who came back.

It knows the protocol (authorization code with PKCE). Who may come in is decided by the accounts: an address
that has none stays out. Nothing is asked of a provider until somebody wants to sign in.
"""

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from assistant.errors import AssistantError

SECRET_VARIABLE = "QUARTET_OPENID_SECRET"  # noqa: S105 - where the secret is, not the secret
PATIENCE = 600
"""Seconds that a person may take at the provider."""
MOST_ATTEMPTS = 1000
TIMEOUT = 10.0
"""Seconds that the provider may take to answer."""


@dataclass(frozen=True)
class Provider:
    """A provider as a person names it: its address, and what it knows Quartet by."""

    issuer: str
    client_id: str
    client_secret: str

    def __post_init__(self) -> None:
        if not self.issuer.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise AssistantError(
                f"--openid {self.issuer} is no https address, so what is sent there could be read. "
                "Name the issuer as your provider states it, such as https://login.example.com."
            )


@dataclass(frozen=True)
class _Attempt:
    nonce: str
    verifier: str
    address: str
    ends: float


class OpenId:
    """Sign-ins that are under way, kept in memory; all methods may be called from any thread."""

    def __init__(self, provider: Provider, clock: Callable[[], float] = time.monotonic) -> None:
        self._provider = provider
        self._clock = clock
        self._lock = threading.Lock()
        self._attempts: dict[str, _Attempt] = {}

    def begin(self, address: str) -> tuple[str, str]:
        """Where to send a person's browser, and the state it has to bring back to `address`.

        Raises:
            AssistantError: the provider does not answer.
        """
        known = self._configuration()
        attempt = _Attempt(
            secrets.token_urlsafe(24), secrets.token_urlsafe(48), address, self._clock() + PATIENCE
        )
        with self._client(address) as client:
            url, state = client.create_authorization_url(
                known["authorization_endpoint"], code_verifier=attempt.verifier, nonce=attempt.nonce
            )
        with self._lock:
            now = self._clock()
            self._attempts = {key: each for key, each in self._attempts.items() if each.ends > now}
            if len(self._attempts) >= MOST_ATTEMPTS:
                raise AssistantError("Too many people are signing in. Try again in some minutes.")
            self._attempts[state] = attempt
        return url, state

    def finish(self, state: str, answer: str) -> str:
        """The e-mail address of the person who came back with this state; `answer` is the whole address.

        Raises:
            AssistantError: the provider refused, or what came back is not what was asked for.
        """
        with self._lock:
            attempt = self._attempts.pop(state, None)
        if attempt is None or attempt.ends <= self._clock():
            raise AssistantError("This sign-in took too long, or was begun elsewhere. Sign in again.")
        known = self._configuration()
        with self._client(attempt.address) as client, _asking(self._provider.issuer):
            token = client.fetch_token(
                known["token_endpoint"],
                authorization_response=answer,
                state=state,
                code_verifier=attempt.verifier,
            )
            keys = _fetched(client, known["jwks_uri"])
            claims = self._claims(token["id_token"], keys, attempt.nonce)
        if not claims.get("email") or claims.get("email_verified") in (False, "false"):
            raise AssistantError(
                "Your provider names no confirmed e-mail address for you. Ask whoever runs it."
            )
        return str(claims["email"]).lower()

    def _configuration(self) -> dict[str, Any]:
        with self._client("") as client, _asking(self._provider.issuer):
            address = f"{self._provider.issuer.rstrip('/')}/.well-known/openid-configuration"
            found: dict[str, Any] = _fetched(client, address)
        if found.get("issuer", "").rstrip("/") != self._provider.issuer.rstrip("/"):
            raise AssistantError(
                f"{self._provider.issuer} calls itself {found.get('issuer')!r}. Start with --openid and the "
                "issuer as the provider states it."
            )
        return found

    def _client(self, address: str) -> Any:
        from authlib.integrations.httpx_client import OAuth2Client

        return OAuth2Client(
            self._provider.client_id,
            self._provider.client_secret,
            scope="openid email",
            redirect_uri=address,
            code_challenge_method="S256",
            timeout=TIMEOUT,
        )

    def _claims(self, token: str, keys: Any, nonce: str) -> dict[str, Any]:
        """What a token says, once its signature, sender, receiver, time and nonce are found right."""
        from joserfc import jwt
        from joserfc.jwk import KeySet

        issuer = self._provider.issuer.rstrip("/")
        decoded = jwt.decode(token, KeySet.import_key_set(keys), algorithms=["RS256", "ES256", "PS256"])
        jwt.JWTClaimsRegistry(
            leeway=60,
            iss={"essential": True, "values": [issuer, f"{issuer}/"]},
            aud={"essential": True, "value": self._provider.client_id},
            exp={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(decoded.claims)
        return dict(decoded.claims)


def _fetched(client: Any, address: str) -> dict[str, Any]:
    found: dict[str, Any] = client.request("GET", address, withhold_token=True).raise_for_status().json()
    return found


@contextmanager
def _asking(issuer: str) -> Iterator[None]:
    """Whatever goes wrong with a provider becomes one sentence."""
    try:
        yield
    except AssistantError:
        raise
    except Exception as problem:  # whatever the provider, the network or the token has wrong
        raise AssistantError(
            f"Signing in through {issuer} failed ({type(problem).__name__}). Try again; if it stays so, ask "
            "whoever runs it, or log in with a password."
        ) from problem
