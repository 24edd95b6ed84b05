"""Which files are meant, and what each is called within the company.

It knows folders and names. It does not open files.
"""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from knowledge.documents.text import one_line
from knowledge.errors import KnowledgeError

MAX_PART = 150  # bytes: most file systems stop at 255, and names get longer when they are copied

INSTALLED = frozenset(("node_modules", "__pycache__", "site-packages", "venv", "bower_components"))
"""Folders beside code that hold what others wrote, or what can be made again."""


def files_under(paths: Sequence[Path]) -> list[tuple[Path, str]]:
    """The files named, and those in the folders named, each with its name within its folder.

    Hidden files, links, what Office leaves behind while a file is open, and what programs install beside code
    are passed over; a file named twice counts once.

    Raises:
        KnowledgeError: a path is not there, or a folder holds no files.
    """
    found: list[tuple[Path, str]] = []
    for path in paths:
        if path.is_dir():
            inside = sorted(_walk(path))
            if not inside:
                raise KnowledgeError(f"{path} holds no files. Choose a folder with documents in it.")
            found += [(file, file.relative_to(path).as_posix()) for file in inside]
        elif path.exists():
            found.append((path, path.name))
        else:
            raise KnowledgeError(f"{path} is not there. Check how it is spelt, then try again.")
    return list(dict.fromkeys(found))


def _walk(folder: Path) -> list[Path]:
    files = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in INSTALLED]
        files += [Path(place, name) for name in names if not name.startswith((".", "~$"))]
    return [file for file in files if not file.is_symlink()]


def check_name(name: str) -> str:
    """A document's name as it is kept: clean, with plain slashes, inside the company.

    Raises:
        KnowledgeError: it is empty, too long, or leads outside.
    """
    path = PurePosixPath(one_line(name).replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or not path.parts or path.name.startswith("."):
        raise KnowledgeError(
            f"{name!r} can't be a document's name. It must be the name of a file, or its path within the "
            "folder that is added, and not begin with a dot. Rename the file and add it again."
        )
    if any(len(part.encode()) > MAX_PART for part in path.parts):
        raise KnowledgeError(
            f"The name {path.name[:60]}… is too long. Every part of a name has at most {MAX_PART} bytes. "
            "Give the file a shorter name and add it again."
        )
    return path.as_posix()
