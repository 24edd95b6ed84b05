"""Opens one document: checks the file, then hands its bytes to the reader of its format.

It knows suffixes and limits. What a format looks like inside is known to its reader alone.
"""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from knowledge.documents.model import Document
from knowledge.errors import KnowledgeError
from knowledge.storage import digest_of

MAX_BYTES = 50_000_000
MAX_ENTRIES = 2_000
MAX_UNPACKED = 300_000_000
MAX_RATIO = 200

SUFFIXES = (".md", ".txt", ".html", ".htm", ".pdf", ".docx")
Reader = Callable[[bytes, str, str], Document]


def check_file(path: Path, name: str) -> None:
    """Refuse what can't be a document before anything is read.

    Raises:
        KnowledgeError: the suffix is unknown, or the file is missing, empty or too large.
    """
    if Path(name).suffix.lower() not in SUFFIXES:
        raise KnowledgeError(
            f"{name} has the ending {Path(name).suffix or '(none)'}. Documents must be one of "
            f"{', '.join(SUFFIXES)}. Save or export it as one of these and add that."
        )
    try:
        size = path.stat().st_size if path.is_file() else -1
    except OSError:
        size = -1
    if size < 0:
        raise KnowledgeError(
            f"{name} can't be opened: there is no such file. Check where it is and add it again."
        )
    if size == 0:
        raise KnowledgeError(f"{name} is empty (0 bytes). Check that it was saved, and add it again.")
    if size > MAX_BYTES:
        raise KnowledgeError(
            f"{name} is {size / 1e6:.0f} MB large. The limit is {MAX_BYTES // 1_000_000} MB. "
            "Split it, or save it without pictures, and add it again."
        )


def read_document(path: Path, name: str) -> Document:
    """Read one document in this process. For files from outside use `read_guarded`.

    Raises:
        KnowledgeError: the file was refused; the text says why and what to do.
    """
    check_file(path, name)
    data = path.read_bytes()
    suffix = Path(name).suffix.lower()
    if suffix == ".docx":
        _check_archive(data, name)
    try:
        return _reader(suffix)(data, name, digest_of(data))
    except (KnowledgeError, MemoryError):
        raise
    except Exception as problem:  # a parser fed with a broken file may raise anything
        raise damaged(name, f"{type(problem).__name__}: {problem}".partition("\n")[0][:200]) from problem


def _reader(suffix: str) -> Reader:
    """The reader of a format, imported when first needed: each brings a library that takes time to load."""
    if suffix == ".pdf":
        from knowledge.documents.pdf import read_pdf as reader
    elif suffix == ".docx":
        from knowledge.documents.word import read_word as reader
    elif suffix in (".html", ".htm"):
        from knowledge.documents.html import read_html as reader
    elif suffix == ".md":
        from knowledge.documents.markdown import read_markdown as reader
    else:
        from knowledge.documents.plain import read_plain as reader
    return reader


def damaged(name: str, found: str) -> KnowledgeError:
    """The refusal of a file that its reader could not make sense of."""
    return KnowledgeError(
        f"{name} can't be read; it seems damaged ({found}). "
        "Open it in the program it was made with, save it again, and add that."
    )


def _check_archive(data: bytes, name: str) -> None:
    """Refuse an Office file that is not one, or that unpacks to far more than a document would."""
    if data.startswith(b"\xd0\xcf\x11\xe0"):  # an old Office container: a locked file, or .doc renamed
        raise KnowledgeError(
            f"{name} is locked with a password, or an old .doc file renamed. Only .docx files that open "
            "without a password can be read. Open it in Word, save it as .docx without a password, and "
            "add that."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as problem:
        raise damaged(name, str(problem)) from problem
    packed, unpacked = len(data), sum(entry.file_size for entry in entries)
    most = min(MAX_UNPACKED, max(1_000_000, packed * MAX_RATIO))
    if len(entries) > MAX_ENTRIES or unpacked > most:
        raise KnowledgeError(
            f"{name} would unpack from {packed / 1e6:.1f} to {unpacked / 1e6:.1f} MB in {len(entries):,} "
            f"parts. For a file of its size the limits are {most / 1e6:.1f} MB and {MAX_ENTRIES:,} parts. "
            "Save its text as a new document and add that."
        )
