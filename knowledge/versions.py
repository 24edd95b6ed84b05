"""The index on disk, a folder for every version, and a pointer file that names the one in force.

It knows how a version is written whole, found, checked and thrown away. It does not know how it is searched.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from knowledge.boilerplate import NOTHING, Edges, Trim
from knowledge.chunking import CutSettings, Passage
from knowledge.errors import KnowledgeError
from knowledge.index import IndexManifest, VectorIndex, load_index
from knowledge.storage import digest_of, sync_folder, write_bytes

FORMAT = 4
PASSAGES = "passages.jsonl"
MANIFEST = "manifest.json"
UNREADABLE = "unreadable"
"""What an empty pointer file is taken to name: a version that is not there, so that all is made again."""


@dataclass(frozen=True)
class DocumentState:
    """A document in the list: ready to be searched, or refused and why. `digest` is its bytes' sha256.

    `order` is the first thing in it that speaks to an assistant as an order, shortened; empty if none does.
    """

    name: str
    bytes: int
    passages: int
    state: str
    message: str
    added: str
    digest: str = ""
    order: str = ""
    edges: Edges | None = None
    """Its first and last lines, by which it is told what many documents repeat; None if nobody has looked."""
    trim: Trim = NOTHING
    """What is left out of its passages for that reason."""


@dataclass(frozen=True)
class Manifest:
    """What a version holds and how it was made. `removed` is the last removal, which can be undone."""

    number: str = ""
    settings: CutSettings = field(default_factory=CutSettings)
    documents: tuple[DocumentState, ...] = ()
    removed: tuple[DocumentState, ...] = ()
    notice: str = ""
    passages_sha256: str = ""
    index: IndexManifest | None = None
    edition: str = ""
    """Which readers and cuts made it; empty in indexes from before they were told apart."""

    @property
    def ready(self) -> tuple[DocumentState, ...]:
        """The documents that can be searched."""
        return tuple(document for document in self.documents if document.state == "ready")


class DamagedManifestError(Exception):
    """The manifest in force can't be read; never shown, for the index is then built again."""


class Versions:
    """The folder `versions` and the pointer file `current` beside it."""

    def __init__(self, root: Path) -> None:
        self._known = Manifest()  # the one read last: a version never changes once it is in force
        self._folder = root / "versions"
        self._pointer = root / "current"
        self._folder.mkdir(parents=True, exist_ok=True)

    def current(self) -> str:
        """The version in force; an empty string before the first change."""
        try:
            return self._pointer.read_text(encoding="utf-8", errors="replace").strip() or UNREADABLE
        except FileNotFoundError:
            return ""

    def manifest(self) -> Manifest:
        """The manifest in force.

        Raises:
            KnowledgeError: a newer Quartet wrote it.
            DamagedManifestError: it is missing or not as it was written.
        """
        number = self.current()
        if not number:
            return Manifest()
        if self._known.number != number:
            self._known = self._read_manifest(number)
        return self._known

    def _read_manifest(self, number: str) -> Manifest:
        try:
            stored = json.loads((self._folder / number / MANIFEST).read_bytes())
            self._refuse_newer(stored.get("version", 0))
            content = stored["content"]
            sound = digest_of(content.encode()) == stored["sha256"]
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as problem:
            if number != self.current():
                return self.manifest()  # it was replaced while we were reading it
            raise DamagedManifestError(number) from problem
        if not sound:
            raise DamagedManifestError(number)
        return _manifest_from_json(json.loads(content))

    def _refuse_newer(self, version: int) -> None:
        """A newer format may hold anything else: it is no damage that could be mended here."""
        if version > FORMAT:
            raise KnowledgeError(
                f"The index in {self._folder} was written by a newer version of Quartet (format "
                f"{version}). This one reads format {FORMAT}. Start the newer version, or update this one."
            )

    def load(self, manifest: Manifest) -> tuple[tuple[Passage, ...], VectorIndex | None]:
        """The passages and their vectors, both checked.

        Raises:
            KnowledgeError: a file is not the one that was written.
        """
        folder = self._folder / manifest.number
        if manifest.index is None:
            return (), None
        try:
            data = (folder / PASSAGES).read_bytes()
        except FileNotFoundError:
            data = b""
        if digest_of(data) != manifest.passages_sha256:
            raise KnowledgeError(
                f"{folder / PASSAGES} is damaged: its checksum is not the one that was written down. "
                "A damaged index is never used. Build it again from the stored documents."
            )
        passages = tuple(_passage_from_json(json.loads(line)) for line in data.splitlines())
        return passages, load_index(folder, manifest.index)

    def publish(
        self, manifest: Manifest, passages: Sequence[Passage], index: VectorIndex | None, encoder: str
    ) -> Manifest:
        """Write a new version whole, then point to it. Killed at any point, the old one stays in force.

        `manifest` says what is new; its number, checksums and index are filled in.
        """
        before = self.current()
        taken = [int(folder.name) for folder in self._folder.iterdir() if folder.name.isdigit()]
        number = f"{max(taken, default=0) + 1:04d}"
        part = Path(tempfile.mkdtemp(dir=self._folder, prefix=".part-"))
        lines = [json.dumps(vars(passage), ensure_ascii=False) + "\n" for passage in passages]
        complete = Manifest(
            number,
            manifest.settings,
            manifest.documents,
            manifest.removed,
            manifest.notice,
            passages_sha256=write_bytes(part / PASSAGES, "".join(lines).encode()),
            index=index.save(part, encoder, before=self._folder / before) if index is not None else None,
            edition=manifest.edition,
        )
        content = json.dumps(asdict(complete), ensure_ascii=False)
        stored = {"version": FORMAT, "sha256": digest_of(content.encode()), "content": content}
        write_bytes(part / MANIFEST, json.dumps(stored, ensure_ascii=False).encode())
        part.rename(self._folder / number)
        sync_folder(self._folder)
        write_bytes(self._pointer, number.encode())
        self._keep_only({before, number})
        return complete

    def _keep_only(self, numbers: set[str]) -> None:
        """Remove all versions but these: the one before stays, for somebody may be reading it right now."""
        for folder in self._folder.iterdir():
            if folder.name not in numbers:
                shutil.rmtree(folder, ignore_errors=True)


def _state_from_json(value: dict[str, Any]) -> DocumentState:
    edges, trim = value.get("edges"), Trim(**value.get("trim", {}))
    return DocumentState(**value | {"edges": Edges(**edges) if edges else None, "trim": trim})


def _manifest_from_json(value: dict[str, Any]) -> Manifest:
    return Manifest(
        number=value["number"],
        settings=CutSettings(**value["settings"]),
        documents=tuple(map(_state_from_json, value["documents"])),
        removed=tuple(map(_state_from_json, value["removed"])),
        notice=value["notice"],
        passages_sha256=value["passages_sha256"],
        index=IndexManifest(**value["index"]) if value["index"] else None,
        edition=value.get("edition", ""),
    )


def _passage_from_json(value: dict[str, Any]) -> Passage:
    return Passage(**{**value, "heading": tuple(value["heading"])})
