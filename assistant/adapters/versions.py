"""The versions in a company's folder: installed whole, listed, one of them in use, deleted with a way back.

It knows folders and checksums. It does not load a model (`engine`) or train one (`training`).
"""

import os
import shutil
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from assistant.adapters.lineage import LINEAGE, Lineage, digest_of_files, read_lineage, write_lineage
from assistant.adapters.report import Report, read_report
from assistant.errors import AssistantError, unwritable
from assistant.workspace import read_json, write_text

WEIGHTS = "adapter_model.safetensors"
FILES = ("adapter_config.json", WEIGHTS)
"""What an adapter consists of; nothing else is taken over or loaded."""


DELETED = ".deleted"
"""Where the version lies that was deleted last, until the next one is."""


@dataclass(frozen=True)
class Adapter:
    """An installed version; `lineage` is None and `problem` says why where it can't be read."""

    key: str
    folder: Path
    lineage: Lineage | None
    problem: str = ""

    @property
    def size(self) -> int:
        """Bytes of its weights and their description."""
        return sum((self.folder / name).stat().st_size for name in FILES if (self.folder / name).exists())


def list_adapters(folder: Path) -> list[Adapter]:
    """All versions, newest first."""
    found = (
        [path for path in folder.iterdir() if path.is_dir() and path.name.isdigit()]
        if folder.is_dir()
        else []
    )
    return [_listed(path) for path in sorted(found, key=lambda path: int(path.name), reverse=True)]


def current(folder: Path) -> Adapter | None:
    """The version in use; None while there is none.

    Raises:
        AssistantError: the one in use is gone or its lineage can't be read.
    """
    pointer = folder / "current"
    if not pointer.exists():
        return None
    key = pointer.read_text(encoding="utf-8", errors="replace").strip()
    if not key.isdigit() or not (folder / key).is_dir():
        raise AssistantError(
            f"{pointer} says that version {key!r} is in use; there are: {_known(folder)}. "
            "Use another version on the page Train, or with `quartet version use`."
        )
    return find(folder, key)


def find(folder: Path, key: str) -> Adapter:
    """The version with this key.

    Raises:
        AssistantError: there is none, or its lineage can't be read.
    """
    if not key.isdigit() or not (folder / key).is_dir():
        raise AssistantError(
            f"There is no adapter version {key!r}; there are: {_known(folder)}. Choose one of them."
        )
    return Adapter(key, folder / key, read_lineage(folder / key))


def _known(folder: Path) -> str:
    return ", ".join(adapter.key for adapter in list_adapters(folder)) or "none yet"


def make_current(folder: Path, key: str) -> Adapter:
    """Use this version from now on; the way to roll back.

    Raises:
        AssistantError: there is none, or its files have changed since they were installed.
    """
    adapter = find(folder, key)
    check(adapter)
    write_text(folder / "current", f"{key}\n")
    return adapter


def next_key(folder: Path) -> str:
    """The key that the next version gets."""
    taken = [*list_adapters(folder), *list_adapters(folder / DELETED)]
    newest = max((int(adapter.key) for adapter in taken), default=0)
    return f"{newest + 1:04d}"


def install(folder: Path, finished: Path, lineage: Lineage, report: Report | None = None) -> Adapter:
    """Take over a finished run's adapter as the next version and make it current.

    Args:
        folder: the workspace's adapters.
        finished: the folder that the run left its adapter in (PEFT format).
        lineage: where it comes from; number and an empty name are filled in.
        report: what is known of it beside.

    Raises:
        AssistantError: there is no room on the disk, or no leave to write.
    """
    try:
        return make_current(folder, _install(folder, finished, lineage, report or Report()))
    except FileNotFoundError:  # a file of the run is missing, which is no matter of room
        raise
    except OSError as problem:
        raise unwritable(folder, problem) from problem


def _install(folder: Path, finished: Path, lineage: Lineage, report: Report) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder, prefix=".installing-"))
    try:
        for name in FILES:
            _copy(finished / name, beside / name)
        key = next_key(folder)
        lineage = replace(lineage, number=int(key), name=lineage.name or f"Version {int(key)}")
        files = {name: digest_of_files([beside / name]) for name in FILES}
        write_lineage(beside, lineage, files)
        report.write(beside)
        beside.replace(folder / key)
    except BaseException:
        shutil.rmtree(beside, ignore_errors=True)
        raise
    return key


def install_shipped(folder: Path, shipped: Path) -> Adapter:
    """Take over an adapter that travels with its lineage, as the next version, and make it current.

    Raises:
        AssistantError: its lineage can't be read, or its files are not those of its lineage.
    """
    check(Adapter(shipped.name, shipped, read_lineage(shipped)))
    report = read_report(shipped)
    return install(folder, shipped, replace(read_lineage(shipped), number=0), report)


def delete(folder: Path, key: str) -> None:
    """Take a version out of the list; `restore` brings it back until the next one is deleted.

    Raises:
        AssistantError: there is none, or it is the one in use.
    """
    if not key.isdigit() or not (folder / key).is_dir():
        find(folder, key)
    pointer = folder / "current"
    if pointer.exists() and pointer.read_text(encoding="utf-8", errors="replace").strip() == key:
        raise AssistantError(
            f"Version {int(key)} is in use, so it can't be deleted. Use another version first."
        )
    try:
        shutil.rmtree(folder / DELETED, ignore_errors=True)
        (folder / DELETED).mkdir()
        (folder / key).replace(folder / DELETED / key)
    except OSError as problem:
        raise unwritable(folder, problem) from problem


def deleted(folder: Path) -> Adapter | None:
    """The version that was deleted last, while it can be brought back."""
    return next(iter(list_adapters(folder / DELETED)), None)


def restore(folder: Path) -> None:
    """Bring back the version that was deleted last.

    Raises:
        AssistantError: there is none any more.
    """
    adapter = deleted(folder)
    if adapter is None:
        raise AssistantError("No deleted version is kept any more, so none can be brought back.")
    adapter.folder.replace(folder / adapter.key)


def check(adapter: Adapter) -> None:
    """Compare the adapter's files with the checksums taken when it was installed.

    Raises:
        AssistantError: a file is missing or has changed.
    """
    expected = read_json(adapter.folder / LINEAGE).get("files", {})
    for name in FILES:
        path = adapter.folder / name
        found = digest_of_files([path]) if path.is_file() else "nothing"
        if found != expected.get(name):
            raise AssistantError(
                f"{path} has changed since it was installed (sha256 {found[:12]}, "
                f"expected {str(expected.get(name))[:12]}). Use another version, or train again."
            )


def _listed(path: Path) -> Adapter:
    try:
        return Adapter(path.name, path, read_lineage(path))
    except AssistantError as problem:
        return Adapter(path.name, path, None, str(problem))


def _copy(origin: Path, target: Path) -> None:
    shutil.copyfile(origin, target)
    with target.open("rb+") as file:
        os.fsync(file.fileno())
