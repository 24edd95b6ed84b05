"""Why a file can't be used, in words that say what to do next. It knows no file format from inside."""

from pathlib import PurePosixPath

from knowledge.errors import KnowledgeError

_PICTURES = frozenset(
    [".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp", ".heic", ".svg", ".ico"]
)
_SOUNDS = frozenset([".mp3", ".wav", ".m4a", ".ogg", ".flac", ".mp4", ".mov", ".avi", ".mkv", ".webm"])
_ARCHIVES = frozenset([".rar", ".7z", ".gz", ".tgz", ".tar", ".bz2", ".xz"])
_SAVE_AS = {
    ".doc": ("an old Word file", "Word or LibreOffice", ".docx"),
    ".dot": ("an old Word template", "Word or LibreOffice", ".docx"),
    ".ppt": ("an old PowerPoint file", "PowerPoint or LibreOffice", ".pptx"),
    ".pps": ("an old PowerPoint show", "PowerPoint or LibreOffice", ".pptx"),
    ".msg": ("a mail as Outlook keeps it", "Outlook", ".eml, or its text as .txt"),
    ".pst": ("a mailbox of Outlook", "Outlook", ".eml files, one a mail"),
    ".pages": ("a file of Apple Pages", "Pages", ".docx or .pdf"),
    ".numbers": ("a file of Apple Numbers", "Numbers", ".xlsx or .csv"),
    ".key": ("a file of Apple Keynote", "Keynote", ".pptx or .pdf"),
    ".wpd": ("a WordPerfect file", "LibreOffice", ".docx"),
    ".pub": ("a Publisher file", "Publisher", ".pdf"),
    ".vsd": ("a Visio file", "Visio", ".pdf"),
    ".vsdx": ("a Visio file", "Visio", ".pdf"),
    ".one": ("a OneNote file", "OneNote", ".docx or .pdf"),
    ".mobi": ("a Kindle book", "a book converter", ".epub"),
    ".azw3": ("a Kindle book", "a book converter", ".epub"),
    ".ps": ("a PostScript file", "a viewer", ".pdf"),
    ".djvu": ("a DjVu file", "a viewer", ".pdf"),
}


def locked(name: str, program: str) -> KnowledgeError:
    """The refusal of a file that asks for a password."""
    return KnowledgeError(
        f"{name} is locked with a password. Only files that open without one can be read. "
        f"Open it in {program} with its password, save it without one, and add that."
    )


def damaged(name: str, found: str) -> KnowledgeError:
    """The refusal of a file that its reader could not make sense of."""
    return KnowledgeError(
        f"{name} can't be read; it seems damaged ({found}). "
        "Open it in the program it was made with, save it again, and add that."
    )


def unknown(name: str) -> KnowledgeError:
    """The refusal of a file of a kind that is not read, with the kind to save it as where that is known."""
    suffix = PurePosixPath(name).suffix.lower()
    if suffix in _SAVE_AS:
        kind, program, better = _SAVE_AS[suffix]
        return KnowledgeError(
            f"{name} is {kind}, which can't be read. Open it in {program}, save it as {better}, and add that."
        )
    if suffix in _PICTURES:
        what = "is a picture, and only text can be searched. Run text recognition (OCR) over it"
    elif suffix in _SOUNDS:
        what = "is a recording, and only text can be searched. Have it written down"
    elif suffix in _ARCHIVES:
        return KnowledgeError(
            f"{name} is an archive of a kind that can't be opened here; .zip can. Unpack it and add "
            "the folder."
        )
    else:
        what = (
            f"has the ending {suffix or '(none)'}, which is no kind of document known here. Save or export it"
        )
    return KnowledgeError(
        f"{name} {what} as PDF, Word, PowerPoint, Excel, OpenDocument, web page, mail, Markdown or "
        "plain text, "
        "and add that."
    )


def no_text(name: str, what: str) -> KnowledgeError:
    """The refusal of a file that holds pictures of text at most; `what` says what it holds."""
    return KnowledgeError(
        f"{name} holds no text: {what}. Only text can be searched. "
        "Run text recognition (OCR) over it, or add the document it was made from."
    )
