"""Chats that a page began before they had an id.

It knows which stored chat belongs to the name that a page made up. It does not know what happens in it.
"""

import threading

from assistant.studio import Studio

NEW = "new-"
"""How a name begins that a page made up; see `named` in compare.js."""


class NewChats:
    """A page names its new chat, and the first use makes it.

    So a draft and a question that come at the same time end up in the same chat.
    """

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._made: dict[str, str] = {}
        self._making = threading.Lock()

    def chat(self, name: str) -> str:
        """The id of the chat that a page calls `name`: an id already, or the name of a new one."""
        if not name.startswith(NEW):
            return name or self._studio.chats.new()
        with self._making:
            if name not in self._made:
                self._made[name] = self._studio.chats.new()
            return self._made[name]
