"""The doctor: looks at a company, its models and this machine, says what is wrong, and mends what can be.

It knows what sound things look like. It changes nothing that a person has put in.
"""

import importlib.metadata
import shutil
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from assistant.access import Accounts
from assistant.adapters import Adapter, check, current, list_adapters, read_report
from assistant.brand import read_brand
from assistant.conversations import ConversationStore, Incoming
from assistant.errors import AssistantError
from assistant.jobs import Jobs
from assistant.models import check_model_folder, check_starter, models_folder
from assistant.store import open_database
from assistant.wording import counted
from assistant.workspace import (
    Workspace,
    accounts_file,
    existing_folder,
    open_workspace,
    quartet_home,
    read_json,
)
from knowledge.errors import KnowledgeError
from knowledge.following import Following
from knowledge.preferences import read_preferences
from knowledge.retrieval import Encoder, KnowledgeBase

GIGABYTE = 1e9
LEAST_ROOM = 1.0
"""Gigabytes on disk under which work soon stops."""
A_DAY = 24 * 3600
OTHERS = 0o077
"""The permissions of whoever is not a folder's owner."""
LIBRARIES = ("torch", "transformers", "peft", "trl", "sentence-transformers", "faiss-cpu", "gradio")


@dataclass(frozen=True)
class Finding:
    """What was looked at and how it is: `state` is fine, mended or wrong; then `text` says what to do."""

    what: str
    state: str
    text: str


def examine(root: Path, load_encoder: Callable[[str], Encoder]) -> Iterator[Finding]:
    """Look at everything in turn; what can be mended without losing anything is mended."""
    yield _versions()
    yield Finding("device", "fine", _device())
    yield _room()
    yield _seen("accounts", _accounts)
    try:
        existing_folder(root)
        workspace = open_workspace(root)
    except AssistantError as problem:
        yield Finding("workspace", "wrong", str(problem))
        return
    yield Finding("workspace", "fine", str(workspace.root))
    yield _permissions(workspace.root)
    yield from _unfinished(workspace.root, models_folder())
    yield _seen("database", lambda: _database(workspace.database))
    yield _seen("company", lambda: _brand(workspace))
    yield _seen("documents", lambda: _documents(workspace, load_encoder))
    yield _seen("document files", lambda: _copies(workspace, load_encoder))
    yield _seen("conversations", lambda: _conversations(workspace))
    yield from _adapters(workspace)
    yield _seen("trainings", lambda: _jobs(workspace))
    yield from _models()
    yield from _graphs()


def _seen(what: str, look: Callable[[], Finding | str]) -> Finding:
    """What a look finds; a problem that a person can put right is a finding too."""
    try:
        found = look()
    except (AssistantError, KnowledgeError) as problem:
        return Finding(what, "wrong", str(problem))
    return found if isinstance(found, Finding) else Finding(what, "fine", found)


def _versions() -> Finding:
    """What is installed, beside what this Quartet was made and tested with."""
    found = {name: importlib.metadata.version(name) for name in LIBRARIES}
    pinned = dict(each.split("==") for each in _requirements() if "==" in each and ";" not in each)
    others = [f"{name} {pinned[name]}" for name in found if found[name].split("+")[0] != pinned.get(name)]
    text = f"Python {sys.version.split()[0]}, " + ", ".join(f"{name} {found[name]}" for name in found)
    if pinned and others:
        advice = "Run `pip install -e .` again"
        return Finding("versions", "wrong", f"{text}. Quartet needs {', '.join(others)}. {advice}.")
    return Finding("versions", "fine", text)


def _requirements() -> list[str]:
    try:
        return importlib.metadata.requires("quartet") or []
    except importlib.metadata.PackageNotFoundError:
        return []


def _device() -> str:
    """Where models run, and with how much memory."""
    from assistant.weights import find_placement, thread_budget

    memory = psutil.virtual_memory()
    return (
        f"{find_placement()}, {thread_budget()} threads, "
        f"{memory.available / GIGABYTE:.1f} of {memory.total / GIGABYTE:.1f} GB of memory free"
    )


def _room() -> Finding:
    home = quartet_home()
    home.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(home).free / GIGABYTE
    text = f"{free:.1f} GB free in {home}"
    if free >= LEAST_ROOM:
        return Finding("disk", "fine", text)
    return Finding("disk", "wrong", f"{text}. Free some room, or set QUARTET_HOME to another disk.")


def _accounts() -> str:
    found = Accounts(accounts_file()).all()
    return f"{len(found)} may log in" if found else "nobody has to log in on this machine"


def _permissions(root: Path) -> Finding:
    """Who may look into the company; a folder made by an older Quartet, or by hand, is open to others."""
    if not root.stat().st_mode & OTHERS:
        return Finding("permissions", "fine", "the folder is for its owner alone")
    with suppress(OSError):
        root.chmod(stat.S_IMODE(root.stat().st_mode) & ~OTHERS)
    if root.stat().st_mode & OTHERS:
        return Finding(
            "permissions",
            "wrong",
            f"others on this machine can look into {root}, and its permissions can't be changed. Have its "
            f"owner run `chmod 700 {root}`, or keep the company on a disk that has permissions.",
        )
    return Finding(
        "permissions", "mended", "others on this machine could look into the folder; now its owner alone can"
    )


def _unfinished(*folders: Path) -> Iterator[Finding]:
    """Folders that a crash left half-written: nothing refers to them, and nobody touched them for a day."""
    found = (path for folder in folders for path in folder.rglob(".unfinished-*") if path.is_dir())
    left = [path for path in found if time.time() - path.stat().st_mtime > A_DAY]
    for path in left:
        shutil.rmtree(path, ignore_errors=True)
    if left:
        yield Finding("leftovers", "mended", f"removed {counted(len(left), 'half-written folder')}")


def _database(path: Path) -> str:
    open_database(path).dispose()
    with closing(sqlite3.connect(path)) as connection:
        try:
            (result,) = connection.execute("PRAGMA integrity_check").fetchone()
        except sqlite3.DatabaseError as problem:
            result = str(problem)
    if result != "ok":
        raise AssistantError(
            f"The database {path} is damaged ({result}). Bring it back with `quartet restore`, or move it "
            "aside to start with an empty one."
        )
    return f"{path.name}, {path.stat().st_size / 1e6:.1f} MB"


def _base(workspace: Workspace, load_encoder: Callable[[str], Encoder]) -> KnowledgeBase:
    folder = workspace.knowledge
    return KnowledgeBase(folder, lambda: load_encoder(read_preferences(folder).embedder))


def _documents(workspace: Workspace, load_encoder: Callable[[str], Encoder]) -> Finding:
    """Searching a damaged index builds it again from the documents, which is how it is mended."""
    base = _base(workspace, load_encoder)
    before = base.version
    if len(base):
        base.search("Is everything there?")
    held = f"{counted(len(base.documents()), 'document')}, {counted(len(base), 'passage')}"
    text = f"{held}, index {base.version or 'none yet'}"
    mended = base.version != before
    return Finding("documents", "mended" if mended else "fine", f"{text}. {base.notice}" if mended else text)


def _brand(workspace: Workspace) -> str:
    return read_brand(workspace.brand_file).name if workspace.brand_file.exists() else "not described yet"


def _copies(workspace: Workspace, load_encoder: Callable[[str], Encoder]) -> str:
    """The documents' own files, which an index is built again from, and the folders that are followed."""
    base = _base(workspace, load_encoder)
    folders = Following(base).folders()
    if told := base.check_copies():
        raise KnowledgeError(" ".join(told))
    return f"as they were added; {counted(len(folders), 'folder')} followed"


def _conversations(workspace: Workspace) -> str:
    store = ConversationStore(workspace.conversations)
    reading, waiting = store.read(), Incoming(workspace.incoming).found()
    for file in store.files():
        if file.about and file.about.refused < file.refused:
            raise AssistantError(
                f"{workspace.conversations / file.name} has lines that can't be read any more. Add the "
                "export again that it came from, or bring the file back from a backup."
            )
    kept = counted(len(reading.conversations), "conversation")
    return f"{kept} in {counted(len(store.files()), 'file')}; {counted(len(waiting), 'file')} to import"


def _adapters(workspace: Workspace) -> Iterator[Finding]:
    for adapter in list_adapters(workspace.adapters):
        yield _seen(f"version {adapter.key}", partial(_adapter, adapter))
    yield _seen("current version", lambda: _current(workspace))


def _adapter(adapter: Adapter) -> str:
    check(adapter)
    read_report(adapter.folder)
    return "as it was trained"


def _current(workspace: Workspace) -> str:
    adapter = current(workspace.adapters)
    return f"{adapter.key} answers" if adapter else "none yet: train one"


def _jobs(workspace: Workspace) -> Finding:
    jobs = Jobs(workspace.jobs)
    if told := jobs.damaged():
        raise AssistantError(f"{' '.join(told)} The other trainings go on without it.")
    found = jobs.list()
    lost = [job.key for job in found if job.status == "lost"]
    if lost:
        return Finding(
            "trainings", "fine", f"{', '.join(lost)} was cut off; the page Train can go on with it."
        )
    return Finding("trainings", "fine", f"{len(found)} so far")


def _models() -> Iterator[Finding]:
    folders = sorted(path for path in models_folder().glob("*-*") if (path / "config.json").is_file())
    for folder in folders:
        yield _seen("model", partial(_model, folder))
    if not folders:
        yield Finding("model", "fine", "the starter models are fetched at the first start")


def _model(folder: Path) -> str:
    check_model_folder(folder)
    check_starter(folder)
    return f"{folder.name} is whole"


def _graphs() -> Iterator[Finding]:
    """Compiled graphs that were refused once are forgotten, so that the next start tries again.

    One that begins with a dot is being compiled by an app.
    """
    for folder in sorted((quartet_home() / "graphs").glob("[!.]*/")):
        notes = _notes(folder)
        if notes.get("used"):
            yield Finding("graph", "fine", folder.name)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            reason = notes.get("reason") or "its notes can't be read"
            yield Finding(
                "graph", "mended", f"{folder.name} was refused ({reason}); the next start tries again"
            )


def _notes(folder: Path) -> dict[str, Any]:
    try:
        notes = read_json(folder / "graph.json")
    except AssistantError:
        return {}
    return notes if isinstance(notes, dict) else {}
