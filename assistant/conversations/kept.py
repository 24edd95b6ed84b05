"""The conversations of a company's kept files as one sequence, each read from its file when it is asked for.

It knows what a person changed in single ones. Memory does not grow with their texts, so that hundreds of
thousands are as easy to hold as ten.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import overload

import numpy as np
from numpy.typing import NDArray

from assistant.conversations.lines import Lines, digest_of
from assistant.conversations.model import Conversation
from assistant.prompts import Message

Places = NDArray[np.int64]
"""Numbers of conversations over all files, counted from 0."""


class KeptConversations(Sequence[Conversation]):
    """Conversations of several files in their order, as a person left them; never changed once made."""

    def __init__(
        self, files: Sequence[Lines], edited: Mapping[str, tuple[Message, ...]], places: Places | None = None
    ) -> None:
        """Those at `places`, in ascending order; all of them if none are named."""
        self._files = files
        self._edited = edited
        self._begins = np.cumsum([0, *map(len, files)])
        self._places = np.arange(self._begins[-1]) if places is None else places

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, at: int) -> Conversation: ...
    @overload
    def __getitem__(self, at: slice) -> "KeptConversations": ...
    def __getitem__(self, at: int | slice) -> "Conversation | KeptConversations":
        if isinstance(at, slice):
            return self._those(self._places[at])
        return next(iter(self._those(self._places[[at]])))

    def __iter__(self) -> Iterator[Conversation]:
        """Each in its order; a file is opened once."""
        borders = np.searchsorted(self._places, self._begins)
        for file, begin, first, last in zip(
            self._files, self._begins[:-1], borders[:-1], borders[1:], strict=True
        ):
            if last > first:
                for conversation in file.read((self._places[first:last] - begin).tolist()):
                    messages = self._edited.get(conversation.source)
                    yield replace(conversation, messages=messages) if messages else conversation

    def chosen(self, places: Sequence[int]) -> "KeptConversations":
        """Some of them, by their places in this sequence, in ascending order."""
        return self._those(self._places[np.asarray(places, np.int64)])

    def without(self, sources: Sequence[str]) -> "KeptConversations":
        """All but those that came from these places."""
        return self._those(np.setdiff1d(self._places, self._of(sources)))

    def only(self, sources: Sequence[str]) -> "KeptConversations":
        """Those that came from these places."""
        return self._those(np.intersect1d(self._places, self._of(sources)))

    def place_of(self, source: str) -> int | None:
        """The place in this sequence of the conversation from there; None where it is not in it."""
        return next(iter(np.flatnonzero(np.isin(self._places, self._of([source]))).tolist()), None)

    def outside(self, file: str) -> "KeptConversations":
        """Those that stand in files of another name."""
        files = [each for each in self._files if each.path.name != file]
        return KeptConversations(files, self._edited)

    def holding(self, words: str) -> "KeptConversations":
        """Those in which somebody says these words; capitals don't matter."""
        wanted = words.strip().lower()
        return _holding(self, wanted) if wanted else self

    def digests(self) -> set[str]:
        """What tells each from others, as `assistant.adapters.conversation_digest` does."""
        every = np.concatenate([np.zeros(0, np.uint64), *(each.digests for each in self._files)])
        edited = np.intersect1d(self._places, self._of(list(self._edited)))
        plain = every[np.setdiff1d(self._places, edited)]
        told = [*plain.tolist(), *map(digest_of, self._those(edited))]
        return {f"{digest:012x}" for digest in told}

    def _those(self, places: Places) -> "KeptConversations":
        return KeptConversations(self._files, self._edited, places)

    def _of(self, sources: Sequence[str]) -> Places:
        """Places over all files of what came from there, in ascending order; what is gone is left out."""
        begins = zip(self._files, self._begins[:-1], strict=True)
        files = {each.path.name: (each, begin) for each, begin in begins}
        found = []
        for source in sources:
            name, _, number = source.rpartition(":")
            file, begin = files.get(name, (None, 0))
            place = file.place_of(int(number)) if file and number.isdigit() else None
            if place is not None:
                found.append(begin + place)
        return np.array(sorted(found), np.int64)


@lru_cache(maxsize=8)
def _holding(conversations: KeptConversations, words: str) -> KeptConversations:
    """Found once, for whoever turns over what was found asks again and again."""
    return conversations.chosen(
        [
            place
            for place, each in enumerate(conversations)
            if any(words in message.content.lower() for message in each.messages)
        ]
    )
