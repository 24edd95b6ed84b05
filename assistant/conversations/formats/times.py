"""Times as exports write them, as ISO times in UTC."""

import re
from datetime import UTC, datetime
from typing import Any

from dateutil import parser

FIRST, LAST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


def iso_time(value: Any) -> str:
    """A time as ISO in UTC, whatever way it is written; empty where it is none. Without a zone it is UTC."""
    try:
        moment = _moment(value)
    except (ValueError, OverflowError, OSError):
        return ""
    if moment is None:
        return ""
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return moment.isoformat(timespec="seconds") if FIRST <= moment < LAST else ""


def _moment(value: Any) -> datetime | None:
    if isinstance(value, datetime):
        return value
    text = str(value or "").strip()
    if re.fullmatch(r"\d{9,10}(\.\d+)?", text):
        return datetime.fromtimestamp(float(text), UTC)
    if re.fullmatch(r"\d{13}", text):
        return datetime.fromtimestamp(int(text) / 1000, UTC)
    # A lone number or word is no time, though the parser would make one of it.
    if len(text) < 8 or len(text) > 60 or not re.search(r"\d.*\D.*\d", text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return parser.parse(text, dayfirst=bool(re.match(r"\d{1,2}\.", text)))
