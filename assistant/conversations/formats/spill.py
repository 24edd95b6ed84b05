"""Rows grouped by a key without holding them all: spread over files on disk, then read file by file.

It knows keys and rows. It does not know what they mean. The files have no names, so that nothing is left
of them where the process is killed.
"""

import json
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self
from zlib import crc32

BUCKET = 16_000_000
"""Bytes of input for each bucket: what is held at a time while groups are made."""
MOST_BUCKETS = 200


class Spill:
    """Groups rows by key; `with` removes its files at the end. Order holds within a group."""

    def __init__(self, size: int) -> None:
        """For input of about `size` bytes."""
        count = min(max(size // BUCKET, 1), MOST_BUCKETS)
        self._opened = ExitStack()
        self._files = [self._opened.enter_context(tempfile.TemporaryFile("w+")) for _ in range(count)]  # noqa: SIM115

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._opened.close()

    def add(self, key: str, row: list[Any]) -> None:
        """Put a row of values that JSON can hold into the group `key`."""
        bucket = crc32(key.encode("utf-8", "replace")) % len(self._files)
        self._files[bucket].write(json.dumps([key, row]) + "\n")

    def groups(self) -> Iterator[tuple[str, list[list[Any]]]]:
        """Each key with its rows; keys of one bucket in the order they came in."""
        for file in self._files:
            file.seek(0)
            groups: dict[str, list[list[Any]]] = {}
            for line in file:
                key, row = json.loads(line)
                groups.setdefault(key, []).append(row)
            yield from groups.items()
