"""Reads mails (.eml): subject, sender, date and the words; attachments are named, not opened.

It knows mail. What stands in an HTML mail is read by the reader of web pages.
"""

from collections.abc import Sequence
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy, Policy
from typing import cast

from knowledge.documents.html import write_html
from knowledge.documents.model import Document, DocumentBuilder
from knowledge.documents.refusals import damaged
from knowledge.documents.text import clean, decode, one_line, paragraphs

ATTACHED = 20
"""Attachments that are named."""
LONGEST_HEADER = 4_000
"""Characters that are read of one; the parser takes minutes for headers made to be long."""


class _Clipped(EmailPolicy):
    """As today's standards say, with headers up to `LONGEST_HEADER`."""

    def header_source_parse(self, sourcelines: Sequence[str]) -> tuple[str, str]:
        """A header's name and value."""
        name, value = super().header_source_parse(list(sourcelines))
        return name, value[:LONGEST_HEADER]


POLICY = cast("Policy[EmailMessage]", _Clipped())
"""How mails are parsed."""


def read_mail(data: bytes, name: str, digest: str) -> Document:
    """A mail, its subject as the title; where it came as text and as HTML, the text is taken.

    Raises:
        KnowledgeError: it has neither a subject, a sender nor a body.
    """
    mail = BytesParser(_class=EmailMessage, policy=POLICY).parsebytes(data)
    if not any(mail[field] for field in ("Subject", "From", "Date", "Received", "MIME-Version")):
        raise damaged(name, "it has no subject, sender or date")
    subject = _header(mail, "Subject")
    builder = DocumentBuilder(name, digest)
    builder.heading(1, subject)
    said = [f"{field}: {value}" for field in ("From", "To", "Date") if (value := _header(mail, field))]
    builder.block("\n".join(said))
    _write_body(mail, name, builder)
    attached = [one_line(part.get_filename() or "") for part in _attachments(mail)]
    if named := [each for each in attached if each]:
        builder.block(f"Attached: {', '.join(named[:ATTACHED])}")
    return builder.finish(subject)


def _header(mail: EmailMessage, field: str) -> str:
    try:
        return one_line(str(mail[field] or ""))
    except (
        ValueError,
        OverflowError,
        TypeError,
        AttributeError,
        LookupError,
    ):  # the library gives up on some broken headers
        return ""


def _attachments(mail: EmailMessage) -> list[EmailMessage]:
    try:
        return [part for part in mail.iter_attachments() if isinstance(part, EmailMessage)]
    except (AttributeError, KeyError):  # a mail that says it has parts and has none
        return []


def _write_body(mail: EmailMessage, name: str, builder: DocumentBuilder) -> None:
    body = mail.get_body(preferencelist=("plain", "html"))
    if body is None:
        return
    payload = body.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    text = _decoded(raw, body.get_content_charset() or "", name)
    if body.get_content_subtype() == "html":
        write_html(text, builder)
        return
    for paragraph in paragraphs(clean(text)):
        builder.block(paragraph)


def _decoded(raw: bytes, charset: str, name: str) -> str:
    try:
        return raw.decode(charset or "utf-8")
    except (LookupError, UnicodeDecodeError):
        return decode(raw, name)
