"""Opens one document: checks the file, then hands its bytes to the reader of its format.

It knows suffixes and limits. What a format looks like inside is known to its reader alone.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path, PurePosixPath

from knowledge.documents.archive import OLD_OFFICE, check_office
from knowledge.documents.model import Document
from knowledge.documents.refusals import damaged, unknown
from knowledge.errors import KnowledgeError
from knowledge.storage import digest_of

MAX_BYTES = 50_000_000
_READERS = {
    "markdown.read_markdown": ".md .markdown .mdx",
    "plain.read_plain": ".txt .text .log .rst .adoc .tex .srt .vtt",
    "html.read_html": ".html .htm .xhtml .xml .rss",
    "pdf.read_pdf": ".pdf",
    "word.read_word": ".docx .docm .dotx",
    "slides.read_slides": ".pptx .pptm .ppsx .potx",
    "sheets.read_workbook": ".xlsx .xlsm .xlsb .xls .ods",
    "sheets.read_csv": ".csv .tsv",
    "mail.read_mail": ".eml",
    "rich.read_rich": ".rtf",
    "opendocument.read_opendocument": ".odt .ott .odp",
    "epub.read_epub": ".epub",
    "data.read_json": ".json .jsonl .ndjson",
    "data.read_notebook": ".ipynb",
    "code.read_code": ".py .js .mjs .ts .tsx .jsx .java .kt .scala .go .rs .c .h .cc .cpp .hpp .cs "
    ".swift .rb .php .pl .lua .r .jl .sh .ps1 .bat .sql .graphql .proto .dart .ex .exs .erl .hs .clj .m .vb "
    ".vue .svelte .css .scss .tf .yaml .yml .toml .ini .cfg .conf .properties .gradle",
}
_BY_SUFFIX = {suffix: reader for reader, suffixes in _READERS.items() for suffix in suffixes.split()}
_WITHOUT_SUFFIX = frozenset(
    [
        "readme",
        "license",
        "licence",
        "notice",
        "changelog",
        "authors",
        "contributing",
        "makefile",
        "dockerfile",
    ]
)
_NO_MEMORY = 2
"""The code of an error by lxml that only says that there was no memory left."""
_ZIPPED = ("word.", "slides.", "opendocument.", "epub.")
SUFFIXES = tuple(_BY_SUFFIX)
Reader = Callable[[bytes, str, str], Document]


def check_file(path: Path, name: str) -> None:
    """Refuse what can't be a document before anything is read.

    Raises:
        KnowledgeError: its kind is unknown, or the file is missing, empty or too large.
    """
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
    _reader_name(name, _first_bytes(path, name))


def _first_bytes(path: Path, name: str) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as problem:
        raise KnowledgeError(
            f"{name} can't be opened ({problem.strerror}). Documents must be readable files. "
            "Check its permissions and add it again."
        ) from problem


def read_document(path: Path, name: str) -> Document:
    """Read one document in this process. For files from outside use `read_guarded`.

    Raises:
        KnowledgeError: the file was refused; the text says why and what to do.
    """
    check_file(path, name)
    data = path.read_bytes()
    reader = _reader_name(name, data)
    if reader.startswith(_ZIPPED) or (reader == "sheets.read_workbook" and _is_zipped_sheet(name)):
        check_office(data, name)
    try:
        return _reader(reader)(data, name, digest_of(data))
    except (KnowledgeError, MemoryError):
        raise
    except RecursionError as problem:
        raise damaged(name, "its parts are nested too deep") from problem
    except Exception as problem:  # a parser fed with a broken file may raise anything
        if getattr(problem, "code", None) == _NO_MEMORY:
            raise MemoryError from problem
        raise damaged(name, f"{type(problem).__name__}: {problem}".partition("\n")[0][:200]) from problem


def _is_zipped_sheet(name: str) -> bool:
    return not name.lower().endswith(".xls")


def _reader_name(name: str, data: bytes) -> str:
    """Which reader a file needs: what its first bytes say where they are sure, else what its name says.

    Raises:
        KnowledgeError: none can read it.
    """
    suffix = PurePosixPath(name).suffix.lower()
    if data.startswith(b"%PDF-"):
        return "pdf.read_pdf"
    if data.startswith(b"{\\rtf"):
        return "rich.read_rich"
    if suffix in (".doc", ".dot") and data.startswith(b"PK"):
        return "word.read_word"
    if suffix in (".doc", ".dot") and data.lstrip().startswith(b"<"):
        return "html.read_html"
    if suffix == ".xls" and not data.startswith((OLD_OFFICE, b"PK")):
        return "html.read_html" if data.lstrip().startswith(b"<") else "sheets.read_csv"
    if suffix in _BY_SUFFIX:
        return _BY_SUFFIX[suffix]
    if not suffix and PurePosixPath(name).name.casefold() in _WITHOUT_SUFFIX:
        return "plain.read_plain"
    raise unknown(name)


def _reader(name: str) -> Reader:
    """A reader, imported when first needed: each brings a library that takes time to load."""
    module, _, function = name.partition(".")
    reader: Reader = getattr(import_module(f"knowledge.documents.{module}"), function)
    return reader
