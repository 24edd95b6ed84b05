"""A model server as a person names it: its address, its key, and what base and adapter are called there.

It knows names and whether they can be right. Nothing is sent from here.
"""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from assistant.errors import AssistantError

KEY_VARIABLE = "QUARTET_ENDPOINT_KEY"
"""The environment variable that holds the key; an option would show it in the list of processes."""


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible server, such as vLLM or Ray Serve LLM.

    Raises:
        AssistantError: the address, the model's name or the key can't be right.
    """

    base_url: str
    """Where the API begins, such as http://gpu:8000/v1."""
    model: str
    adapter: str = ""
    """The name of the adapter as a model of the server; empty where there is none."""
    key: str = field(default="", repr=False)
    timeout: float = 60.0
    """Seconds a server may be silent before it is asked again, or given up."""

    def __post_init__(self) -> None:
        parts = urlsplit(self.base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AssistantError(
                f"--endpoint {self.base_url!r} is no address of a model server. "
                "Write it with http:// or https://, such as http://127.0.0.1:8000/v1."
            )
        if parts.username or parts.password:
            raise AssistantError(
                f"The address of the model server {parts.hostname} holds a password, which would be shown. "
                f"Take it out, and put a key in the environment variable {KEY_VARIABLE}."
            )
        if not self.model:
            raise AssistantError(
                f"--endpoint {self.base_url} needs the model's name there. Add --endpoint-model NAME."
            )
        if not (self.key.isascii() and self.key.isprintable()):
            raise AssistantError(
                f"The key in {KEY_VARIABLE} holds a line break or a letter that no key has. Set it again."
            )
