"""The list of earlier chats as HTML.

It knows how a chat is named in the list. Opening and removing are handled by the page.
"""

from collections.abc import Sequence
from html import escape

from assistant.chats import ChatSummary
from assistant.ui.rendering import moment
from assistant.wording import counted


def chat_list_html(chats: Sequence[ChatSummary], present: str) -> str:
    """The chats, newest first; the one shown is marked."""
    items = "".join(_item(chat, chat.id == present) for chat in chats)
    body = (
        f'<ul class="q-chats">{items}</ul>'
        if items
        else '<p class="q-empty">No chats yet. They are kept here.</p>'
    )
    return f'<div class="q-panel"><h2>Chats</h2>{body}</div>'


def _item(chat: ChatSummary, shown: bool) -> str:
    current = ' aria-current="true"' if shown else ""
    name, key = escape(chat.first_question), escape(chat.id)
    when = f"{moment(chat.created)} · {counted(chat.turns, 'question')}"
    return (
        f'<li data-chat="{key}"><a href="./?chat={key}"{current}>'
        f'<span class="q-chat-name">{name}</span>'
        f'<span class="q-chat-when">{when}</span></a>'
        f'<button type="button" class="q-chat-remove" title="Remove" '
        f'aria-label="Remove the chat “{name}”">×</button>'
        '<p class="q-chat-sure">Remove this chat for good?'
        '<button type="button" data-remove>Remove</button>'
        '<button type="button" data-keep>Keep</button></p></li>'
    )
