"""Reads web pages (.html, .htm). It knows which parts of a page are content, nothing of other formats."""

import re
import warnings

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.element import Comment, NavigableString, PageElement

from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.tables import write_table
from knowledge.documents.text import one_line

_DROPPED = ("script", "style", "noscript", "template", "svg", "iframe", "select", "nav", "footer", "aside")
MOST_TAGS = 250_000
"""Each takes a thousand times its size while a page is read."""
MOST_FURNITURE = 0.5
"""Share of a page's text: what holds more is its content, whatever it says of itself."""
_ROLES = ("navigation", "banner", "search", "menu", "menubar", "alertdialog")
_FURNITURE_NAMES = """
navbar nav-bar navigation main-nav site-nav topnav sidebar side-bar breadcrumb breadcrumbs footer
site-footer page-footer header-nav menu main-menu skip-link skip-links cookie-banner cookie-notice
cookie-consent cookie-bar cookies consent-banner newsletter newsletter-signup social social-links share
share-buttons sharing pagination pager related-posts advertisement ads toc-toggle mw-editsection
"""
_FURNITURE = frozenset(_FURNITURE_NAMES.split())
"""Ids and classes that sites give to what stands around the content of every page."""
_SPACES = re.compile(r"\s+")
_HIDDEN = re.compile(
    r"display:none|visibility:hidden|(?:^|;)(?:font-size|opacity):0(?:\.0+)?(?:px|pt|r?em|%)?(?:;|!|$)"
)
_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_INLINE_NAMES = """
a abbr acronym b bdi bdo big button cite code data del dfn em font i img ins kbd label mark nobr output q
rp rt ruby s samp small span strike strong sub sup time tt u var wbr
"""
_INLINE = frozenset(_INLINE_NAMES.split())


def read_html(data: bytes, name: str, digest: str) -> Document:
    """A web page's content: menus, forms, scripts and what the page hides are left out."""
    builder = DocumentBuilder(name, digest)
    return builder.finish(write_html(data, builder))


def write_html(source: bytes | str, builder: DocumentBuilder) -> str:
    """Hand over the content of a web page, or of a mail or chapter written as one; gives its title."""
    tags = source.count("<") if isinstance(source, str) else source.count(b"<")
    builder.limit(tags, MOST_TAGS, "tags")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # XHTML opens like XML and reads well as HTML
        page = BeautifulSoup(source, "lxml")
    title = _title(page)
    _drop_furniture(page)
    _Walker(builder).walk(_content(page))
    return title


def _title(page: BeautifulSoup) -> str:
    """The page's only main heading, or else what its title says."""
    headings = [text for tag in page.find_all("h1") if (text := one_line(tag.get_text(" ")))]
    if len(headings) == 1:
        return headings[0]
    return one_line(page.title.get_text(" ")) if page.title else ""


def _drop_furniture(page: BeautifulSoup) -> None:
    for tag in page.find_all(_DROPPED):
        tag.decompose()
    for tag in page.find_all(_is_hidden):
        tag.decompose()
    most = MOST_FURNITURE * len(page.get_text())
    for tag in page.find_all(_is_furniture):
        if not tag.decomposed and not tag.find(["main", "article", "h1"]) and len(tag.get_text()) < most:
            tag.decompose()
    for tag in page.find_all("button"):
        if not tag.find_parent([*_HEADINGS, "summary", "dt"]):  # questions that unfold are often buttons
            tag.decompose()
    for tag in page.find_all(["header", "form"]):
        _keep_content_of(tag)


def _is_hidden(tag: Tag) -> bool:
    style = str(tag.get("style", "")).replace(" ", "").lower()
    return tag.has_attr("hidden") or _HIDDEN.search(style) is not None


def _is_furniture(tag: Tag) -> bool:
    """Whether a tag says of itself that it is navigation or the like."""
    if str(tag.get("role", "")).lower() in _ROLES:
        return True
    classes = tag.get("class")
    names = [*(classes if isinstance(classes, list) else ()), str(tag.get("id", ""))]
    return tag.name not in ("html", "body") and not _FURNITURE.isdisjoint(name.lower() for name in names)


def _keep_content_of(tag: Tag) -> None:
    """Drop a page header but its main heading; drop a form unless the page's content sits inside it."""
    if tag.decomposed:
        return
    if tag.name == "header":
        for heading in tag.find_all("h1"):
            tag.insert_before(heading.extract())
    elif tag.find(["h1", "h2", "main", "article"]):
        tag.unwrap()
        return
    tag.decompose()


def _content(page: BeautifulSoup) -> Tag:
    main = page.find("main")
    if main and main.get_text(strip=True):
        return main
    return page.body or page


class _Walker:
    """Walks a page in reading order without recursion, so that deep nesting can't exhaust the stack."""

    def __init__(self, builder: DocumentBuilder) -> None:
        self._builder = builder
        self._words: list[str] = []
        self._tight = False

    def walk(self, root: Tag) -> None:
        """Hand over headings, tables and blocks of text."""
        waiting: list[PageElement | None] = [root]
        while waiting:
            node = waiting.pop()
            if node is None:
                self._flush()
            elif isinstance(node, Tag):
                waiting.extend(reversed(self._open(node)))
            elif isinstance(node, NavigableString) and not isinstance(node, Comment):
                self._words.append(_SPACES.sub(" ", str(node)))
        self._flush()

    def _open(self, tag: Tag) -> list[PageElement | None]:
        """Begin a tag; what it returns is walked next, None standing for the end of a block."""
        if tag.name in _HEADINGS:
            self._flush()
            self._builder.heading(int(tag.name[1]), tag.get_text(" "))
            return []
        if tag.name == "table" and not tag.find(["table", *_HEADINGS]):
            self._flush()
            write_table(self._builder, _rows(tag))
            return []
        if tag.name == "br":
            self._words.append("\n")
        if tag.name in _INLINE or tag.name == "br":
            return list(tag.contents)
        self._flush()
        if tag.name == "li":
            self._words.append("- ")
        return [*tag.contents, None]

    def _flush(self) -> None:
        text = "".join(self._words)
        self._words.clear()
        entry = text.startswith("- ")
        if text.strip(" -\n"):
            self._builder.block(text, tight=entry and self._tight)
            self._tight = entry


def _rows(table: Tag) -> list[list[str]]:
    return [[cell.get_text(" ") for cell in row.find_all(["td", "th"])] for row in table.find_all("tr")]
