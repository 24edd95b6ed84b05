"""Where a version comes from, kept beside its weights.

It knows fields, hashes and the versions of its own file. It does not know which version is in use.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar, get_origin, get_type_hints

from assistant.errors import AssistantError
from assistant.workspace import read_json, write_json

LINEAGE = "lineage.json"
LINEAGE_VERSION = 2
READABLE = (1, 2)
"""Version 1 had no code version, no digest of all conversations and no peak of memory; they stay empty."""
Made = TypeVar("Made")


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
    all_conversations: str = ""
    """sha256 of all conversations there were, the held-out ones too; empty where it is not known."""
    code_version: str = ""
    """Quartet's version, and a hash of the code that trains."""
    peak_memory: int = 0
    """Bytes that the training held at most; 0 where it was not measured."""

    @property
    def best_loss(self) -> float | None:
        """The lowest evaluation loss after training began; None where nothing was held out."""
        return min((each.loss for each in self.losses if each.step > 0), default=None)

    @property
    def first_loss(self) -> float | None:
        """The base model's evaluation loss, before training."""
        return next((each.loss for each in self.losses if each.step == 0), None)


def read_lineage(folder: Path) -> Lineage:
    """The lineage kept in a version's folder.

    Raises:
        AssistantError: it is missing, damaged, or was written by a newer Quartet.
    """
    path = folder / LINEAGE
    values = read_json(path)
    if not isinstance(values, dict) or values.get("version") not in READABLE:
        found = values.get("version") if isinstance(values, dict) else values
        raise AssistantError(
            f"{path}: version is {found!r}; this Quartet reads {' and '.join(map(str, READABLE))}. "
            "Update Quartet."
        )
    values = {key: value for key, value in values.items() if key not in ("version", "files")}
    try:
        losses = tuple(_as_declared(EvaluationLoss(**each)) for each in values.pop("losses"))
        return _as_declared(Lineage(losses=losses, **values))
    except (TypeError, KeyError) as problem:
        raise AssistantError(
            f"{path} misses a field or has one too many ({problem}). Train again."
        ) from problem


def _as_declared(made: Made) -> Made:
    """What was made of stored values, where each is of the kind that its field declares.

    Raises:
        TypeError: one is not.
    """
    for name, kind in get_type_hints(type(made)).items():
        value, wanted = getattr(made, name), get_origin(kind) or kind
        if not isinstance(value, (int, float) if wanted is float else wanted):
            raise TypeError(f"{name} is {value!r:.40}")
    return made


def write_lineage(folder: Path, lineage: Lineage, files: dict[str, str]) -> None:
    """Keep a lineage with the sha256 of the files it stands beside."""
    write_json(folder / LINEAGE, {"version": LINEAGE_VERSION, **asdict(lineage), "files": files})


def base_digest(model: Path) -> str:
    """sha256 of a base model's configuration and weights, to tell which base an adapter fits."""
    return digest_of_files([model / "config.json", *sorted(model.glob("*.safetensors"))])


def data_digest(texts: Sequence[Sequence[tuple[str, str]]]) -> str:
    """sha256 of conversations given as (role, text) pairs, independent of the files they came in."""
    return hashlib.sha256(json.dumps(texts, ensure_ascii=False).encode("utf-8")).hexdigest()


def conversation_digest(text: Sequence[tuple[str, str]]) -> str:
    """Twelve hexadecimal digits that tell one conversation from the others."""
    return data_digest([text])[:12]


def digest_of_files(paths: Sequence[Path]) -> str:
    """sha256 of the bytes of these files, one after the other."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
