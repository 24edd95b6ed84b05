"""A file on its way in: opened, decoded, read line by line, and how far that is.

It knows bytes and lines. It does not know formats.
"""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from assistant.errors import AssistantError

MAX_LINE = 16_000_000
"""Bytes of one line; nobody's conversation is longer."""
HEAD = 1 << 18


class Source:
    """One file to import, or several short ones that belong together; read anew on each opening."""

    def __init__(self, paths: Sequence[Path], name: str) -> None:
        self.paths, self.name = tuple(paths), name
        self._raw: io.FileIO | None = None
        self._behind = 0

    @property
    def path(self) -> Path:
        """The file, or the first of them."""
        return self.paths[0]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.paths)

    @property
    def fraction(self) -> float:
        """How much has been read, 0 to 1."""
        here = 0 if self._raw is None or self._raw.closed else self._raw.tell()
        return min((self._behind + here) / max(self.size, 1), 1.0)

    def open(self, path: Path | None = None) -> BinaryIO:
        """The bytes of a file, or of the first.

        Raises:
            AssistantError: it is missing or can't be read.
        """
        path = path or self.path
        self._behind = sum(each.stat().st_size for each in self.paths[: self.paths.index(path)])
        try:
            self._raw = io.FileIO(path)
        except OSError as problem:
            raise AssistantError(
                f"{self.name} can't be read ({problem.strerror}). Check that it is there and readable."
            ) from problem
        return io.BufferedReader(self._raw, buffer_size=1 << 17)

    def head(self, path: Path | None = None) -> bytes:
        """The first bytes of a file, or of the first."""
        with self.open(path) as file:
            return file.read(HEAD)

    def text(self, path: Path | None = None) -> TextIO:
        """The text of a file; bytes that are none in its encoding become question marks."""
        encoding = encoding_of(self.head(path))
        return io.TextIOWrapper(self.open(path), encoding=encoding, errors="replace", newline="")

    def lines(self) -> Iterator[tuple[int, bytes | None]]:
        """Numbered lines that hold anything; None in place of one longer than `MAX_LINE`."""
        with self.open() as file:
            number = 0
            while line := file.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE and not line.endswith(b"\n"):
                    while len(rest := file.readline(MAX_LINE)) == MAX_LINE and not rest.endswith(b"\n"):
                        pass
                    yield number, None
                elif line.strip():
                    yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line


def encoding_of(head: bytes) -> str:
    """The encoding that text begins with: by its mark, else UTF-8 where it fits, else Windows-1252."""
    if head[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as problem:
        if problem.start < len(head) - 4:
            return "cp1252"
    return "utf-8-sig"
