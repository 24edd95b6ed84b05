"""Files as they were handed in: zip files opened, so that each file in them counts as one.

It knows which files come of a delivery. It does not read them.
"""

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents import unpack
from knowledge.errors import KnowledgeError

_PREFIX = ".unpacked-"


@dataclass(frozen=True)
class Arrival:
    """A file that came: where it lies and what it is called, or why it can't be used."""

    name: str
    path: Path
    problem: str = ""


@contextmanager
def opened(files: Sequence[tuple[Path, str]], folder: Path) -> Iterator[list[Arrival]]:
    """The files, those of zip files unpacked into `folder` while the context lasts.

    What an earlier process left there when it was killed is removed.
    """
    for left in folder.glob(f"{_PREFIX}*"):
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=_PREFIX) as room:
        yield [arrival for path, name in files for arrival in _arrivals(path, name, Path(room))]


def _arrivals(path: Path, name: str, room: Path) -> list[Arrival]:
    if not name.lower().endswith(".zip"):
        return [Arrival(name, path)]
    target = Path(tempfile.mkdtemp(dir=room))
    try:
        members = list(unpack(path, name, target))
    except FileNotFoundError:
        return [Arrival(name, path, f"{name} can't be opened: there is no such file. Add it again.")]
    except KnowledgeError as problem:
        return [Arrival(name, path, str(problem))]
    return [Arrival(member.name, member.path or path, member.problem) for member in members]
