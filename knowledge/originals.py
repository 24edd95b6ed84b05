"""The documents as they were added, and the text read from them, kept by the hash of their bytes.

It knows files and their digests. It does not know which of them are in use: whoever does says what to keep.
"""

import json
import shutil
import tempfile
from collections.abc import Collection
from pathlib import Path, PurePosixPath

from knowledge.documents import Document, Guard, check_file
from knowledge.documents.guard import document_from_json, document_to_json
from knowledge.errors import KnowledgeError
from knowledge.storage import copy_file, digest_of, digest_of_file, sync_folder, write_bytes

READER_VERSION = 4  # raise it when the readers give other text: stored documents are then read again
PARSED = "document.json"


class Originals:
    """A folder for every file: `DIGEST/returns.pdf` as it came, `DIGEST/document.json` as it was read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def store(self, path: Path, name: str) -> str:
        """Copy a file in and return its digest. What is parsed later is the copy, so the two can't differ.

        Raises:
            KnowledgeError: the file can't be a document, or can't be opened.
        """
        check_file(path, name)
        basename = PurePosixPath(name).name
        part = Path(tempfile.mkdtemp(dir=self._folder, prefix=".part-"))
        try:
            digest = copy_file(path, part / basename)
            place = self._folder / digest
            if not place.exists():
                sync_folder(part)
                part.rename(place)
                sync_folder(self._folder)
            elif self.path(digest, name).name != basename:
                self.path(digest, name).rename(place / basename)
            return digest
        finally:
            shutil.rmtree(part, ignore_errors=True)

    def path(self, digest: str, name: str) -> Path:
        """The stored file.

        Raises:
            KnowledgeError: it is gone.
        """
        place = self._folder / digest
        inside = place.iterdir() if place.is_dir() else ()
        files = [path for path in inside if path.name != PARSED and not path.name.startswith(".")]
        if not files:
            raise KnowledgeError(
                f"The stored copy of {name} is gone from {place}. Every document keeps its copy there. Add "
                "it again."
            )
        return files[0]

    def read(self, digest: str, name: str, guard: Guard) -> Document:
        """The document, from the text kept for it or else read again from its stored file.

        Raises:
            KnowledgeError: the file is refused, gone or no longer what it was.
        """
        kept = self._kept(digest, name)
        if kept is not None:
            return kept
        path = self.path(digest, name)
        document = guard.read(path, name)
        if document.digest != digest:
            raise _changed(path, name)
        parsed = json.dumps(document_to_json(document), ensure_ascii=False)
        envelope = {"version": READER_VERSION, "sha256": digest_of(parsed.encode()), "document": parsed}
        write_bytes(path.parent / PARSED, json.dumps(envelope, ensure_ascii=False).encode())
        return document

    def check(self, digest: str, name: str) -> None:
        """Compare a stored file with what it was when it was added.

        Raises:
            KnowledgeError: it is gone or has changed.
        """
        path = self.path(digest, name)
        if digest_of_file(path) != digest:
            raise _changed(path, name)

    def everything(self) -> list[tuple[str, str, int]]:
        """Digest, name and size of all that is stored; the name is its own where none was written down."""
        found = []
        for place in sorted(self._folder.iterdir()):
            if not place.name.startswith("."):
                path = self.path(place.name, place.name)
                document = _kept_document(place / PARSED)
                found.append((place.name, document.name if document else path.name, path.stat().st_size))
        return found

    def keep_only(self, digests: Collection[str]) -> None:
        """Remove what is not among `digests`, and what an interrupted copy left."""
        for place in self._folder.iterdir():
            if place.name not in digests:
                shutil.rmtree(place, ignore_errors=True)

    def _kept(self, digest: str, name: str) -> Document | None:
        document = _kept_document(self._folder / digest / PARSED)
        return document if document is not None and document.name == name else None


def _changed(path: Path, name: str) -> KnowledgeError:
    return KnowledgeError(
        f"The stored copy of {name} has changed since it was added: {path}. It must stay as it was. "
        "Add the document again."
    )


def _kept_document(path: Path) -> Document | None:
    """The text kept for a file, unless it is missing, damaged or from other readers."""
    try:
        envelope = json.loads(path.read_bytes())
        parsed = envelope["document"]
        if envelope["version"] == READER_VERSION and digest_of(parsed.encode()) == envelope["sha256"]:
            return document_from_json(json.loads(parsed))
    except (OSError, ValueError, KeyError, TypeError):
        pass  # it is only a copy of what the file says
    return None
