"""Personal data in a text: names of customers, e-mail, phone, card, IBAN, order numbers, addresses.

It finds them by pattern and check digit, and masks them with what they are ("[e-mail]"). It knows no files.
`python -m tests.benchmarks.privacy` measures how well it does.
"""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import phonenumbers

from assistant.conversations.cleaning import patterns

KINDS = ("name", "e-mail", "phone", "card", "IBAN", "number", "address")
"""What is found; "number" is that of an order, ticket, account or parcel."""
REGIONS = ("US", "GB", "DE", "FR", "ES", "IT", "NL", "IN", "AU")
"""Countries whose way to write a phone number without its prefix is known."""


@dataclass(frozen=True)
class Span:
    """A piece of personal data in a text, from `start` to before `end`."""

    start: int
    end: int
    kind: str


OWN_AFTER = 3
"""In so many conversations the company's side gives an address or number that is its own, no customer's."""
NEAR = 120
"""Characters before an address or number in which the name beside it is looked for."""
CONTACTS = ("e-mail", "phone", "address", "IBAN")


def contacts(texts: Iterable[str]) -> set[str]:
    """How the company can be reached, or customers, as these texts say; each by its letters and digits."""
    return {
        _key(text[span.start : span.end]) for text in texts for span in find(text) if span.kind in CONTACTS
    }


def find(text: str, names: Iterable[str] = (), own: Container[str] = ()) -> list[Span]:
    """The personal data in a message, in order and without overlap.

    Args:
        text: the message.
        names: what customers are called.
        own: the company's own contacts, as `contacts` gives them, which are no personal data.
    """
    found: list[Span] = []
    taken = bytearray(len(text))
    for span in _candidates(text, names):
        if span.kind in CONTACTS and _key(text[span.start : span.end]) in own:
            continue
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"\1" * (span.end - span.start)
            found.append(span)
    return sorted(found, key=lambda span: span.start)


def mask(text: str, spans: Sequence[Span]) -> str:
    """The text with each span replaced by its kind in brackets."""
    parts, end = list[str](), 0
    for span in sorted(spans, key=lambda each: each.start):
        parts += [text[end : span.start], f"[{span.kind}]"]
        end = span.end
    return "".join([*parts, text[end:]])


def names_in(messages: Sequence[tuple[str, str]]) -> list[str]:
    """The names that the messages of a conversation give away by how they stand there.

    Args:
        messages: each message's text and its side, "user" or "assistant". A customer's signature is a name,
            the company's belongs to its voice; after the company asked for a name, the answer holds one.
    """
    names, asked = [], False
    for text, side in messages:
        if side in ("user", "assistant"):
            names += [text[span.start : span.end] for span in _names(text, side, asked and side == "user")]
        asked = side == "assistant" and bool(patterns.ASKED.search(text))
    return names


def _key(contact: str) -> str:
    return "".join(filter(str.isalnum, contact.lower()))


def _candidates(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Spans, the surest kinds first; a later one that overlaps an earlier one is dropped."""
    yield from _shaped(text)
    yield from _known(text, names)


@lru_cache(maxsize=64)
def _shaped(text: str) -> tuple[Span, ...]:
    """What its shape gives away; a message is asked about several times in a row."""
    return tuple(_by_shape(text))


def _by_shape(text: str) -> Iterator[Span]:
    yield from (Span(*match.span(), "e-mail") for match in patterns.EMAIL.finditer(text))
    if patterns.DIGIT.search(text):
        yield from (
            Span(*match.span(), "IBAN") for match in patterns.IBAN.finditer(text) if _is_iban(match[0])
        )
        yield from (
            Span(*match.span(), "card") for match in patterns.CARD.finditer(text) if _is_card(match[0])
        )
        for pattern in patterns.ADDRESSES:
            yield from (Span(*match.span(), "address") for match in pattern.finditer(text))
        yield from _references(text, (patterns.REFERRED, patterns.HASHED))
        yield from _phones(text)
        yield from _references(text, (patterns.CODE,))


def _is_iban(text: str) -> bool:
    """Whether the check digits fit (ISO 13616: remainder 1 of 97)."""
    code = re.sub(r"[ -]", "", text)
    if not 15 <= len(code) <= 34:
        return False
    return int("".join(str(int(letter, 36)) for letter in code[4:] + code[:4])) % 97 == 1


def _is_card(text: str) -> bool:
    """Whether the check digit fits (Luhn)."""
    digits = [int(letter) for letter in text if letter.isdigit()]
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0 and len(set(digits)) > 1


def _phones(text: str) -> Iterator[Span]:
    for match in patterns.PHONE.finditer(text):
        found = match[0].strip()
        digits = sum(letter.isdigit() for letter in found)
        if not 7 <= digits <= 15 or patterns.DATE.match(found):
            continue
        prefixed = found.startswith(("+", "00"))
        grouped = bool(re.search(r"\d[\s./()-]+\d", found)) and digits >= 9
        called = bool(patterns.CALLING.search(text[max(match.start() - 60, 0) : match.start()]))
        if (prefixed or grouped or called or (found[0] == "0" and digits >= 10)) and _possible(found):
            yield Span(match.start(), match.start() + len(match[0].rstrip()), "phone")


def _possible(number: str) -> bool:
    number = "+" + number[2:] if number.startswith("00") else number
    for region in REGIONS:
        try:
            parsed = phonenumbers.parse(number, region)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            return True
        if number[0] == "+" and number[1] != "0":
            return False  # it names its country, so the others say the same
    return False


def _references(text: str, shapes: Iterable[re.Pattern[str]]) -> Iterator[Span]:
    for pattern in shapes:
        for match in pattern.finditer(text):
            code = match["code"]
            long = sum(letter.isdigit() for letter in code) >= 3
            if long and not patterns.DATE.match(code) and not re.fullmatch(r"(?:19|20)\d{2}", code):
                yield Span(*match.span("code"), "number")


def _known(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Each place where one of these names stands, whole or in part."""
    parts = {part for name in names for part in (name.strip(), *_parts(name))}
    usable = sorted((part for part in parts if _may_be_name(part)), key=len, reverse=True)
    for part in usable:
        if " " not in part and part not in text:
            continue
        pattern = rf"(?<!\w){re.escape(part)}(?!\w)"
        for match in re.finditer(pattern, text, re.I if " " in part else 0):
            yield Span(*match.span(), "name")


def _parts(name: str) -> list[str]:
    """First and last names, as far as they are written like names."""
    return [part for part in re.split(r"[\s,]+", name) if len(part) > 2 and part[0].isupper()]


def _may_be_name(part: str) -> bool:
    words = part.lower().split()
    return (
        len(part) > 1
        and "@" not in part
        and not part.isdigit()
        and any(word not in patterns.NO_NAMES for word in words)
    )


def _names(text: str, side: str, asked_name: bool) -> Iterator[Span]:
    shapes = [patterns.INTRODUCED, patterns.TITLED, patterns.BOOKED]
    if side == "user":
        shapes += [patterns.THIS_IS, patterns.HERE, patterns.SIGNED, patterns.PARTING]
    else:
        shapes += [patterns.GREETED, patterns.THANKED, patterns.ADDRESSED]
    spans = find(text)
    streets = {span.end for span in spans if span.kind == "address"}
    for pattern in shapes:
        for match in pattern.finditer(text):
            if match.start() not in streets:  # what follows one is its town
                yield from _trimmed(text, *match.span("name"))
    for span in spans:
        first = max(span.start - NEAR, 0)
        beside = patterns.BESIDE.search(text[first : span.start])
        if beside and side == "user" and span.kind != "number":
            start, end = beside.span("name")
            yield from _trimmed(text, first + start, first + end)
    answer = patterns.ANSWERED.match(text.strip()) if asked_name else None
    if answer:
        group = "name" if answer["name"] else "plain"
        offset = len(text) - len(text.lstrip())
        start, end = answer.span(group)
        yield from _trimmed(text, start + offset, end + offset)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The words of a name, up to the first that can't belong to one."""
    stop = start
    for word in re.finditer(r"\S+", text[start:end]):
        if word[0].strip(".,!'’").lower() in patterns.NO_NAMES:
            break
        stop = start + word.end()
    while stop > start and text[stop - 1] in ".,!'’" and not re.search(r"\b[A-Z]\.$", text[start:stop]):
        stop -= 1
    if stop - start > 1:
        yield Span(start, stop, "name")
