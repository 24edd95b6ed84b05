"""One message made plain: HTML to text, quoted replies and signatures cut off.

It knows mails and help desks' markup. It does not know conversations.
"""

import re
import warnings
from functools import lru_cache
from typing import Any

from bs4 import BeautifulSoup, MarkupResemblesLocatorWarning

LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt")
"""Languages whose "On Monday Tom wrote:" is known."""
LAST_LINES = 14
"""Lines at the end of a message in which a signature may begin."""
_TAG = re.compile(
    r"</?(p|br|div|span|a|b|i|strong|em|ul|ol|li|table|html|body|img|blockquote|h\d|font)\b[^<>]*>", re.I
)

_ENTITY = re.compile(r"&(nbsp|amp|lt|gt|quot|#\d{2,5});")
_QUOTING = re.compile(
    r"(^\s*>)|(^\s*-{2,}.*-{2,}\s*$)|(^\s*_{10,}\s*$)|(^\s*\*?(From|Von|De|Da|Van|Od|Sent|Gesendet)\*?\s*:)"
    r"|(\b(wrote|schrieb|a écrit|escribió|ha scritto|schreef|napisał|escreveu)\b.{0,80}:?\s*$)",
    re.M | re.I,
)
_DEVICE = re.compile(
    r"^\s*(sent|get|gesendet|von meinem|envoyé|enviado|inviato)\b.{0,12}"
    r"\b(from|via|mit|von|depuis|desde|da|outlook|iphone)\b.{0,60}$",
    re.I,
)
_CLOSING = re.compile(
    r"^\s*(((kind|best|warm|warmest|kindest|many)?\s*(regards|wishes|thanks))|"
    r"thanks?( you)?( so much| again| a lot)?|cheers|sincerely|"
    r"yours (sincerely|truly|faithfully)|all the best|best|"
    r"(mit )?(freundlichen?|besten?|vielen?|herzlichen?|liebe) (grüßen?|gruß|grüsse|dank)|mfg|lg|"
    r"cordialement|bien à vous|saludos|un saludo|cordiali saluti|met vriendelijke groet|atenciosamente)"
    r"\s*[,.!–-]*\s*$",
    re.I,
)
_CONTACT = re.compile(
    r"(\d[\d\s().+/-]{6,}\d)|@|www\.|https?://|\b(tel|phone|fax|mobile|mob|telefon|gmbh|ltd|llc|inc|ag|"
    r"s\.a\.|b\.v\.|confidential|vertraulich|registered|manager|director|department|head of|officer|sales)\b",
    re.I,
)


def without_gaps(text: str) -> str:
    """A text without the endless empty lines and spaces that no person sees, and patterns take hours over."""
    return re.sub(r"[^\S\n]{40,}", " ", re.sub(r"\n(?:[^\S\n]*\n){2,}", "\n\n", text)).strip()


def plain_text(text: str) -> str:
    """HTML as the text a person would read; text that holds no markup comes back as it is."""
    if not _TAG.search(text):
        return _unescaped(text) if _ENTITY.search(text) else text
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MarkupResemblesLocatorWarning)
        soup = BeautifulSoup(text, "lxml")
    for element in soup(["script", "style", "head", "title"]):
        element.decompose()
    # Into the elements, not beside them: to find a place among thousands of children takes its time.
    for element in soup(["br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "blockquote"]):
        element.insert(0, "\n- " if element.name == "li" else "\n")
        if element.name in ("p", "blockquote"):
            element.append("\n")
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in soup.get_text().split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _unescaped(text: str) -> str:
    from html import unescape

    return unescape(text).replace("\xa0", " ")


def without_quotes(text: str) -> str:
    """A mail's own words, without the mails it answers to."""
    if not _QUOTING.search(text):
        return text
    reply = _parser().parse_reply(text=text)
    own = str(reply or "").strip() or text
    # What is left of quoting: single lines that begin with the mark.
    lines = [line for line in own.split("\n") if not line.lstrip().startswith(">")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip() or text


@lru_cache(maxsize=1)
def _parser() -> Any:
    from mailparser_reply import EmailReplyParser

    return EmailReplyParser(languages=list(LANGUAGES))


def without_signature(text: str) -> str:
    """A message without what follows its closing words: contacts, titles, "Sent from my phone".

    The closing itself and the name under it stay, since they belong to how people write.
    """
    lines = text.split("\n")
    for index, line in enumerate(lines):
        if line.rstrip() in ("--", "-- ", "—") and index > 0 and len(lines) - index <= LAST_LINES:
            lines = lines[:index]
            break
    while lines and (not lines[-1].strip() or _DEVICE.match(lines[-1])):
        lines.pop()
    return "\n".join(_without_contacts(lines)).strip()


def _without_contacts(lines: list[str]) -> list[str]:
    """Cut after the last closing and the name under it, if contacts follow there."""
    first = max(len(lines) - LAST_LINES, 1)
    for index in range(len(lines) - 1, first - 1, -1):
        if not _CLOSING.match(lines[index]):
            continue
        after = [place for place in range(index + 1, len(lines)) if lines[place].strip()]
        if not any(_CONTACT.search(lines[place]) for place in after):
            return lines
        name = after[0]
        named = len(lines[name].split()) <= 4 and not _CONTACT.search(lines[name])
        return lines[: name + 1] if named else lines[: index + 1]
    return lines
