"""Where everything of one company is kept on disk.

It knows paths, the version of the layout and how to write a file so that a crash leaves the old one or the
new one, never half of it. It does not know what the files mean.
"""

import errno
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assistant.errors import AssistantError, unwritable

LAYOUT_VERSION = 1


@dataclass(frozen=True)
class Workspace:
    """The folder of one company, and the place of each thing in it."""

    root: Path

    @property
    def database(self) -> Path:
        """SQLite file: chats, drafts, jobs."""
        return self.root / "quartet.db"

    @property
    def brand_file(self) -> Path:
        """The brand's voice."""
        return self.root / "brand.toml"

    @property
    def knowledge(self) -> Path:
        """The knowledge base: documents as they were added, and their index."""
        return self.root / "knowledge"

    @property
    def conversations(self) -> Path:
        """The company's conversation files."""
        return self.root / "conversations"

    @property
    def incoming(self) -> Path:
        """Files of conversations that wait to be imported."""
        return self.conversations / ".incoming"

    @property
    def adapters(self) -> Path:
        """The versions of the fine-tune."""
        return self.root / "adapters"

    @property
    def audit_log(self) -> Path:
        """Who did what, when, as JSON lines; written where people log in."""
        return self.root / "audit.jsonl"

    @property
    def training(self) -> Path:
        """What training costs on this machine: measurements, and the price of an hour."""
        return self.root / "training"

    @property
    def exports(self) -> Path:
        """What was written for other programs."""
        return self.root / "exports"

    @property
    def jobs(self) -> Path:
        """Long tasks: a folder each."""
        return self.root / "jobs"


def quartet_home() -> Path:
    """Where models and companies live unless said otherwise: $QUARTET_HOME, else ~/.quartet."""
    return Path(os.environ.get("QUARTET_HOME") or Path.home() / ".quartet")


def accounts_file() -> Path:
    """Where the people are kept who may log in, for all companies of this machine."""
    return quartet_home() / "accounts.json"


def default_workspace() -> Path:
    """The folder that is opened when no workspace is named: the demo company's."""
    return quartet_home() / "companies" / "fernhollow"


def open_workspace(root: Path) -> Workspace:
    """Open the company kept in `root`, making its folders if they are not there yet, for their owner alone.

    Raises:
        AssistantError: the folder can't be written, or a newer Quartet made it.
    """
    workspace = Workspace(root.expanduser().resolve())
    marker = workspace.root / "workspace.json"
    try:
        for folder in (
            workspace.root,
            workspace.knowledge,
            workspace.conversations,
            workspace.adapters,
            workspace.jobs,
        ):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not os.access(folder, os.W_OK):
                raise OSError(errno.EACCES, "its disk is read-only, or nobody gave leave to write there")
        if not marker.exists():
            write_json(marker, {"version": LAYOUT_VERSION})
    except OSError as problem:
        raise AssistantError(
            f"The workspace {workspace.root} can't be written ({problem.strerror}). "
            "Free some room or mend its permissions, or name another folder with --workspace. "
            "`quartet backup` can bring out what is in it."
        ) from problem
    _check_version(marker)
    return workspace


def existing_workspace(root: Path) -> Workspace:
    """The company kept in `root`, of which nothing is written; for a backup of one that can't be.

    Raises:
        AssistantError: there is none, or a newer Quartet made it.
    """
    workspace = Workspace(existing_folder(root))
    _check_version(workspace.root / "workspace.json")
    return workspace


def existing_folder(root: Path) -> Path:
    """The whole path of a company's folder.

    Raises:
        AssistantError: there is no folder.
    """
    folder = root.expanduser().resolve()
    if not folder.exists():
        raise AssistantError(f"There is no company in {folder}. Name one with --workspace.")
    return folder


def _check_version(marker: Path) -> None:
    found = read_json(marker)
    version = found.get("version") if isinstance(found, dict) else found
    if version != LAYOUT_VERSION:
        raise AssistantError(
            f"{marker} says layout version {version!r}, and this Quartet reads version {LAYOUT_VERSION}. "
            "Update Quartet, or name another folder with --workspace."
        )


def companies_beside(workspace: Workspace) -> list[Workspace]:
    """All companies in the folder that holds this one, this one too, by folder name."""
    markers = workspace.root.parent.glob("*/workspace.json")
    return [Workspace(marker.parent) for marker in sorted(markers)]


def create_company(beside: Workspace, name: str) -> Workspace:
    """Make an empty company's folder next to `beside`, named after the company.

    Raises:
        AssistantError: the name holds no letter or digit, or its folder is taken.
    """
    slug = re.sub(r"[\W_]+", "-", name.lower()).strip("-")[:60]
    if not slug:
        raise AssistantError(
            f"The company's name is {name!r}; it needs at least one letter or digit. Type another."
        )
    folder = beside.root.parent / slug
    if folder.exists():
        raise AssistantError(f"A company is already kept in {folder}. Choose another name, or open that one.")
    return open_workspace(folder)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file beside its place, then rename: readers see the old file or the new one.

    Raises:
        AssistantError: there is no room on the disk, or no leave to write.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, data)
    except OSError as problem:
        raise unwritable(path, problem) from problem


def _replace(path: Path, data: bytes) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(beside).replace(path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise


def write_text(path: Path, text: str) -> None:
    """`write_bytes` for UTF-8 text."""
    write_bytes(path, text.encode("utf-8"))


def write_json(path: Path, value: Any) -> None:
    """`write_bytes` for a value as JSON, indented for people."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def refuse_newer(path: Path, values: Any, known: int) -> None:
    """See that a file that carries its version is not of a later one than is known here.

    Raises:
        AssistantError: it is.
    """
    version = values.get("version", known) if isinstance(values, dict) else known
    if not isinstance(version, int) or version > known:
        raise AssistantError(f"{path} has version {version!r}; this Quartet reads {known}. Update Quartet.")


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        AssistantError: the file is missing or is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as problem:
        raise AssistantError(
            f"{path} is missing. Bring it back from a backup, or start with a new workspace."
        ) from problem
    except (json.JSONDecodeError, UnicodeDecodeError) as problem:
        raise AssistantError(
            f"{path} is not valid JSON ({problem}). Bring it back from a backup."
        ) from problem
