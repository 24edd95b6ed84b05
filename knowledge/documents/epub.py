"""Reads books (.epub): their chapters in the order of the spine, each as a web page is read."""

import io
import posixpath
import zipfile
from urllib.parse import unquote

from lxml import etree

from knowledge.documents.html import write_html
from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.refusals import damaged, locked
from knowledge.documents.text import one_line

_CONTAINER = "META-INF/container.xml"
_RIGHTS = ("META-INF/rights.xml", "META-INF/license.lcpl", "META-INF/sinf.xml")
_CHAPTERS = ("application/xhtml+xml", "text/html")


def read_epub(data: bytes, name: str, digest: str) -> Document:
    """A book as one document, its chapters one after the other.

    Raises:
        KnowledgeError: it is protected against copying, or names no chapters.
    """
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(place in archive.namelist() for place in _RIGHTS):
            raise locked(name, "the shop it came from")
        title, chapters = _spine(archive, name)
        builder = DocumentBuilder(name, digest)
        for chapter in chapters:
            write_html(archive.read(chapter), builder)
    return builder.finish(title)


def _spine(archive: zipfile.ZipFile, name: str) -> tuple[str, list[str]]:
    """The book's title and the files of its chapters, in reading order."""
    container = _parse(archive.read(_CONTAINER))
    package = next((node.get("full-path") for node in container.iter("{*}rootfile")), None)
    if package is None:
        raise damaged(name, f"{_CONTAINER} names no book")
    book = _parse(archive.read(package))
    folder = posixpath.dirname(package)
    files = {
        item.get("id"): posixpath.normpath(posixpath.join(folder, unquote(item.get("href", ""))))
        for item in book.iter("{*}item")
        if item.get("media-type") in _CHAPTERS and "nav" not in (item.get("properties") or "").split()
    }
    order = [files[key] for node in book.iter("{*}itemref") if (key := node.get("idref")) in files]
    there = set(archive.namelist())
    chapters = [place for place in order if place in there]
    if not chapters:
        raise damaged(name, "none of its chapters is there")
    return one_line(book.findtext(".//{http://purl.org/dc/elements/1.1/}title") or ""), chapters


def _parse(data: bytes) -> etree._Element:
    return etree.fromstring(data, etree.XMLParser(resolve_entities=False, no_network=True))
