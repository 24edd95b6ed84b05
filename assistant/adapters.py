"""The versions of a fine-tune: where each came from, which one is current, and the way back.

It knows folders, lineage and checksums. It does not load a model (`engine`) or train one (`training`).
"""

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError, unwritable
from assistant.workspace import read_json, write_json, write_text

LINEAGE_VERSION = 1
WEIGHTS = "adapter_model.safetensors"
FILES = ("adapter_config.json", WEIGHTS)
"""What an adapter consists of; nothing else is taken over or loaded."""


@dataclass(frozen=True)
class EvaluationLoss:
    """Loss on the conversations held out, after so many steps."""

    step: int
    loss: float


@dataclass(frozen=True)
class Lineage:
    """Where a version comes from: enough to tell what it learned, from what and on which base."""

    base: str
    """Name of the base model's folder."""
    base_digest: str
    data_digest: str
    """sha256 of the conversations it learned from."""
    index_version: str
    """Version of the knowledge base its grounded examples came from; empty without one."""
    prompt_hash: str
    """Hash of the system prompt it was trained under."""
    settings: dict[str, Any]
    losses: tuple[EvaluationLoss, ...]
    seconds: float
    tokens: int
    conversations: int
    examples: int
    grounded: int
    created: str
    name: str = ""
    number: int = 0

    @property
    def best_loss(self) -> float | None:
        """The lowest evaluation loss after training began; None where nothing was held out."""
        return min((each.loss for each in self.losses if each.step > 0), default=None)

    @property
    def first_loss(self) -> float | None:
        """The base model's evaluation loss, before training."""
        return next((each.loss for each in self.losses if each.step == 0), None)


@dataclass(frozen=True)
class Adapter:
    """An installed version; `lineage` is None and `problem` says why where it can't be read."""

    key: str
    folder: Path
    lineage: Lineage | None
    problem: str = ""


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
    return find(folder, pointer.read_text(encoding="utf-8").strip())


def find(folder: Path, key: str) -> Adapter:
    """The version with this key.

    Raises:
        AssistantError: there is none, or its lineage can't be read.
    """
    if not key.isdigit() or not (folder / key).is_dir():
        known = ", ".join(adapter.key for adapter in list_adapters(folder)) or "none yet"
        raise AssistantError(f"There is no adapter version {key!r}; there are: {known}. Choose one of them.")
    return Adapter(key, folder / key, _read_lineage(folder / key))


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
    newest = max((int(adapter.key) for adapter in list_adapters(folder)), default=0)
    return f"{newest + 1:04d}"


def install(folder: Path, finished: Path, lineage: Lineage) -> Adapter:
    """Take over a finished run's adapter as the next version and make it current.

    Args:
        folder: the workspace's adapters.
        finished: the folder that the run left its adapter in (PEFT format).
        lineage: where it comes from; number and an empty name are filled in.

    Raises:
        AssistantError: there is no room on the disk, or no leave to write.
    """
    try:
        return make_current(folder, _install(folder, finished, lineage))
    except FileNotFoundError:  # a file of the run is missing, which is no matter of room
        raise
    except OSError as problem:
        raise unwritable(folder, problem) from problem


def _install(folder: Path, finished: Path, lineage: Lineage) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=folder, prefix=".installing-"))
    try:
        for name in FILES:
            _copy(finished / name, beside / name)
        key = next_key(folder)
        lineage = replace(lineage, number=int(key), name=lineage.name or f"Version {int(key)}")
        files = {name: _digest([beside / name]) for name in FILES}
        write_json(beside / "lineage.json", {"version": LINEAGE_VERSION, **asdict(lineage), "files": files})
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
    check(Adapter(shipped.name, shipped, _read_lineage(shipped)))
    return install(folder, shipped, replace(_read_lineage(shipped), number=0))


def check(adapter: Adapter) -> None:
    """Compare the adapter's files with the checksums taken when it was installed.

    Raises:
        AssistantError: a file is missing or has changed.
    """
    expected = read_json(adapter.folder / "lineage.json").get("files", {})
    for name in FILES:
        path = adapter.folder / name
        found = _digest([path]) if path.is_file() else "nothing"
        if found != expected.get(name):
            raise AssistantError(
                f"{path} has changed since it was installed (sha256 {found[:12]}, "
                f"expected {str(expected.get(name))[:12]}). Use another version, or train again."
            )


def base_digest(model: Path) -> str:
    """sha256 of a base model's configuration and weights, to tell which base an adapter fits."""
    return _digest([model / "config.json", *sorted(model.glob("*.safetensors"))])


def _listed(path: Path) -> Adapter:
    try:
        return Adapter(path.name, path, _read_lineage(path))
    except AssistantError as problem:
        return Adapter(path.name, path, None, str(problem))


def _read_lineage(folder: Path) -> Lineage:
    path = folder / "lineage.json"
    values = read_json(path)
    if not isinstance(values, dict) or values.get("version") != LINEAGE_VERSION:
        found = values.get("version") if isinstance(values, dict) else values
        raise AssistantError(
            f"{path}: version is {found!r}; this Quartet reads {LINEAGE_VERSION}. Update Quartet."
        )
    values = {key: value for key, value in values.items() if key not in ("version", "files")}
    try:
        losses = tuple(EvaluationLoss(**each) for each in values.pop("losses"))
        return Lineage(losses=losses, **values)
    except (TypeError, KeyError) as problem:
        raise AssistantError(
            f"{path} misses a field or has one too many ({problem}). Train again."
        ) from problem


def _copy(origin: Path, target: Path) -> None:
    shutil.copyfile(origin, target)
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _digest(paths: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def data_digest(texts: Sequence[Sequence[tuple[str, str]]]) -> str:
    """sha256 of conversations given as (role, text) pairs, independent of the files they came in."""
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode("utf-8")).hexdigest()
