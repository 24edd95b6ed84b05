"""What Gradio remembers of each open page: the fields that were changed on it, and nothing beside.

By itself Gradio keeps a second description of all fields, with the last value of each, for links to a page
as it stands. Quartet has no such links, since what matters is kept under ids of its own.
"""

from types import SimpleNamespace
from typing import Any

from gradio.state_holder import SessionState, StateHolder

CAPACITY = 200
"""Open pages that are remembered; by itself Gradio would remember 10,000."""


class OpenPage(SessionState):
    """One open page: the fields as they were built, and those that a handler has changed since."""

    def __init__(self, blocks: Any) -> None:
        super().__init__(SimpleNamespace(default_config=blocks.default_config, blocks=()))

    def __setitem__(self, key: int, value: Any) -> None:
        """Put a changed field in place of the present one."""
        self.blocks_config.blocks[key] = value

    def _update_config(self, key: int) -> None:
        """Nothing: no description is kept."""

    def _update_value_in_config(self, key: int, value: Any) -> None:
        """Nothing: no value is kept."""


class OpenPages(StateHolder):
    """The open pages, by the hash that each browser chose; the longest unused go first."""

    def __getitem__(self, session_id: str) -> SessionState:
        """The page of this hash, a new one if there is none."""
        if session_id not in self.session_data:
            self.session_data[session_id] = OpenPage(self.blocks)
        return super().__getitem__(session_id)
