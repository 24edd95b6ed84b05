"""Personal data in a text: names of customers, e-mail, phone, card, IBAN, order numbers, addresses.

It finds them by pattern and check digit, and masks them with what they are ("[e-mail]"). It does not know files.
`python -m tests.benchmarks.privacy` measures how well it does.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import phonenumbers

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


_EMAIL = re.compile(r"[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}", re.UNICODE)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?\b")
_CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w#/.-])(?:(?:\+|00)\d{1,3}[\s./-]?)?(?:\(0?\d{1,5}\)[\s./-]?)?\d{1,5}(?:[\s./-]?\d{1,5}){1,6}(?![\w%€$£]|[.,]\d)"
)
_CALLING = re.compile(
    r"\b(phone|call|tel|telephone|mobile|cell|reach|ring|text|whatsapp|sms|dial|fax|contact|number is|telefon|handy|anrufen|"
    r"erreichbar|rufnummer|téléphone|móvil|teléfono)\b\W*(?:\w+\W+){0,5}$",
    re.I,
)
_REFERRED = re.compile(
    r"\b(?:order|ticket|case|booking|reservation|invoice|tracking|customer|account|acct|reference|ref|policy|"
    r"confirmation|parcel|shipment|package|delivery|claim|member(?:ship)?|contract|serial|transaction|pin|passcode|loyalty|client|"
    r"purchase|receipt|rma|bestellung|bestell|auftrags?|rechnungs?|sendungs?|kunden|vertrags?|commande|pedido|factura)"
    r"(?:[- ]?(?:number|num|no|nr|nummer|id|code|reference|ref|numéro|número))?\.?"
    r"(?:\s+(?:is|was|number|no|nr|with|under|ist|lautet|should be|says|it's|its|n°|num))*\s*[:#=]?\s*(?:is\s+)?[#\"']?"
    r"(?P<code>(?=[A-Z0-9/_-]*\d)[A-Z0-9][A-Z0-9/_-]{2,30}(?<![-/_]))(?![\w%€$£]|[.,]\d|\s?(?:€|usd|eur|days?|weeks?|pieces|items|times|am|pm|%|kg|euros?|dollars?|hours?|minutes?|years?)\b)",
    re.I,
)
_HASHED = re.compile(r"(?<!\w)#\s?(?P<code>[A-Z0-9-]*\d[A-Z0-9-]{2,})\b", re.I)
_CODE = re.compile(
    r"(?<![\w/.-])(?P<code>[A-Z]{1,5}[-_]?\d{5,14}[A-Z]{0,3}|\d[A-Z]\d[A-Z0-9]{9,20}|\d{8,20}|[A-Z]{2,5}-\d{2,4}-\d{3,8}|\d{3}-\d{7}-\d{7}|[A-Z]{2}\d{9}[A-Z]{2})(?![\w%€$£-]|[.,]\d)"
)
_DATE = re.compile(
    r"^(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4}|(?:19|20)\d{2}\s?[-/]\s?(?:19|20)?\d{2})$"
)

_WORD = r"[A-ZÀ-ÖØ-Þ][\w'’-]+"
_STREETS = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Terrace|Close|Crescent|"
    "Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Gardens|Grove|Mews|Row|Hill|Walk|Quay"
)
_UNIT = r"(?:,?\s*(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.?\s*#?\w{1,5})?"
_TOWN = rf"(?:,?\s*(?:{_WORD})(?:\s{_WORD}){{0,2}},?\s+(?:[A-Z]{{2}}\s+\d{{5}}(?:-\d{{4}})?|[A-Z]{{1,2}}\d[A-Z\d]?\s*\d[A-Z]{{2}}))?"
_POST = r"(?:,?\s*(?:D-|A-|CH-|F-)?\d{4,5}\s+[A-ZÀ-ÖØ-Þ][\w'’-]+(?:\s(?:am|an der|sur|de|[A-Z][\w-]+)){0,3})?"
_ADDRESSES = (
    re.compile(
        rf"\b\d{{1,5}}[A-Za-z]?,?\s+(?:(?:[NSEW]|North|South|East|West)\.?\s+)?(?:(?:{_WORD}|\d+(?:st|nd|rd|th))\s+){{1,3}}(?:{_STREETS})\b\.?{_UNIT}{_TOWN}"
    ),
    re.compile(
        rf"\b(?:{_WORD}[ -]){{0,3}}(?:[A-ZÄÖÜ][\wäöüß]*(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer)|(?:Straße|Strasse|Str\.|Weg|Platz|Allee)(?:\s{_WORD})?)\s+\d{{1,4}}\s?[a-z]?\b{_POST}"
    ),
    re.compile(
        rf"\b\d{{1,4}}(?:\s?bis)?,?\s+(?:rue|avenue|boulevard|place|chemin|impasse|allée|quai)\s+(?:(?:de|du|des|la|le|les|l')\s*)*(?:{_WORD}[\s-]?){{1,4}}{_POST}"
    ),
    re.compile(
        rf"\b(?:calle|via|avenida|plaza|piazza|viale)\s+(?:(?:de|del|la|di|della)\s+)*(?:{_WORD}\s?){{1,3}},?\s*\d{{1,4}}{_POST}",
        re.I,
    ),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b"),
    re.compile(rf"\b{_WORD}(?:\s{_WORD}){{0,2}},\s*[A-Z]{{2}}\s+\d{{5}}(?:-\d{{4}})?\b"),
    re.compile(r"\bP\.?\s?O\.?\s?Box\s+\d{2,6}\b", re.I),
)

_PART = r"[A-ZÀ-ÖØ-Þ](?:[a-zß-öø-ÿ]+|['’][A-Z][a-zß-öø-ÿ]+|\.)(?:[-'’][A-ZÀ-ÖØ-Þ]?[a-zß-öø-ÿ]+)?"
_FULL = rf"{_PART}(?:\s+(?:(?:de|van|von|der|den|la|di|el|al|bin|da|dos|du|le)\s+)*{_PART}){{0,3}}"
_ANYCASE = r"[^\W\d_]{2,}(?:[-'’ ][^\W\d_]{2,}){0,2}"
_INTRODUCED = re.compile(
    rf"(?:\b(?i:my (?:full |first |last )?name is|my name's|name\s*:|the name is|under the name(?: of)?|name on the (?:account|card|order|booking) is|"
    rf"signed,|ich heiße|mein name ist|je m'appelle|me llamo|mi chiamo|call me|speak(?:ing)? (?:with|to)|on behalf of|addressed to|in the name of|"
    rf"my (?:wife|husband|son|daughter|mother|father|partner|colleague|brother|sister|boss|friend)(?:,| is)?)\s+)(?P<name>{_FULL})"
)
_THIS_IS = re.compile(
    rf"\b(?i:this is|i am|i'm|it's|here is|hier ist|ich bin|c'est)\s+(?P<name>{_FULL})(?=\s*(?:[.,!;-]|$|from|here|and|again|writing|speaking|with|calling))"
)
_TITLED = re.compile(
    rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau|Madame|Monsieur|Señora?|Sir|Mme|Sra?)\.?\s+(?P<name>{_FULL})"
)
_GREETED = re.compile(
    rf"(?:^|\n|[.!?]\s+)\s*(?i:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|lieber?|guten (?:tag|morgen|abend)|bonjour|hola|ciao)"
    rf"(?:\s+(?:there|again))?,?\s+(?P<name>{_FULL})(?=\s*(?:[,.!:–-]|\n|$))"
)
_THANKED = re.compile(
    rf"\b(?i:thanks|thank you|sorry|welcome|cheers|danke|merci|gracias|apologies|of course|certainly|sure)(?:\s+(?i:so much|again|back|very much))?,?\s+(?P<name>{_PART})(?=\s*(?:[,.!?–-]|\n|$))"
)
_SIGNED = re.compile(
    rf"(?i:regards|wishes|thanks|thank you|cheers|sincerely|best|grüßen?|gruß|dank|cordialement|saludos|yours)[ ,.!–-]*\n+\s*(?P<name>{_FULL})\s*(?=\n|$)"
)
_ASKED = re.compile(
    r"\b(your (?:full |first |last )?name|who am i (?:speaking|chatting)|name (?:please|on the)|ihr(?:en)? name)",
    re.I,
)
_ANSWERED = re.compile(
    rf"^(?:(?i:it is|it's|sure|yes|ok(?:ay)?|of course|hi|hello)[,.!:]?\s+)*(?P<name>{_FULL})|^(?P<plain>{_ANYCASE})[.!]?$"
)

_NO_NAMES = frozenset(
    """a ah all am an and any are as at be best but by can customer customers dear did do does everyone everybody
    folks for from good great guys happy have hello help hey hi how i if in is it just let looking madam ma'am maam many may
    me miss mister my no not now of ok okay on one order our please reply sad sir so sorry sure support team thank thanks
    that the there they this to today tomorrow tonight us valued very was we welcome what when where which who why
    will with would yes you your yours both still back calling writing waiting trying having getting going using
    unable able afraid glad interested aware confused hoping wondering ready done home late new only really
    monday tuesday wednesday thursday friday saturday sunday january february march april june july august
    september october november december christmas easter service assistant agent manager
    english german french spanish italian london paris berlin madrid rome new york amazon google apple paypal visa
    mastercard dhl ups fedex hermes dpd zendesk intercom outlook gmail iphone android samsung windows whatsapp facebook instagram klarna
    leute zusammen kunde kundin alle herr frau damen herren ihr ihre sie wir tous monsieur madame cliente señor señora god
    perfect right fine well here again also actually however meanwhile regarding number name address email phone""".split()
)


def find(text: str, names: Iterable[str] = ()) -> list[Span]:
    """The personal data in a message, in order and without overlap; `names` are what customers are called."""
    taken: list[Span] = []
    for span in _candidates(text, names):
        if all(span.end <= other.start or span.start >= other.end for other in taken):
            taken.append(span)
    return sorted(taken, key=lambda span: span.start)


def mask(text: str, spans: Sequence[Span]) -> str:
    """The text with each span replaced by its kind in brackets."""
    for span in sorted(spans, key=lambda each: -each.start):
        text = f"{text[: span.start]}[{span.kind}]{text[span.end :]}"
    return text


def asks_for_name(text: str) -> bool:
    """Whether a message asks for a name, so that the answer holds one."""
    return bool(_ASKED.search(text))


def named(text: str, *, side: str, asked_name: bool = False) -> list[str]:
    """The names that a message gives away by how they stand in it.

    Args:
        text: the message.
        side: "user" or "assistant"; a customer's signature is a name, the company's belongs to its voice.
        asked_name: whether the message before asked for a name.
    """
    return [text[span.start : span.end] for span in _names(text, side, asked_name)]


def _candidates(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Spans, the surest kinds first; a later one that overlaps an earlier one is dropped."""
    yield from (Span(*match.span(), "e-mail") for match in _EMAIL.finditer(text))
    if any(character.isdigit() for character in text):
        yield from (Span(*match.span(), "IBAN") for match in _IBAN.finditer(text) if _is_iban(match[0]))
        yield from (Span(*match.span(), "card") for match in _CARD.finditer(text) if _is_card(match[0]))
        for pattern in _ADDRESSES:
            yield from (Span(*match.span(), "address") for match in pattern.finditer(text))
        yield from _references(text, (_REFERRED, _HASHED))
        yield from _phones(text)
        yield from _references(text, (_CODE,))
    yield from _known(text, names)


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
    for match in _PHONE.finditer(text):
        found = match[0].strip()
        digits = sum(letter.isdigit() for letter in found)
        if not 7 <= digits <= 15 or _DATE.match(found):
            continue
        prefixed = found.startswith(("+", "00"))
        grouped = bool(re.search(r"\d[\s./()-]+\d", found)) and digits >= 9
        called = bool(_CALLING.search(text[max(match.start() - 60, 0) : match.start()]))
        if (prefixed or grouped or called or (found[0] == "0" and digits >= 10)) and _possible(found):
            yield Span(match.start(), match.start() + len(match[0].rstrip()), "phone")


def _possible(number: str) -> bool:
    number = "+" + number[2:] if number.startswith("00") else number
    for region in REGIONS:
        try:
            if phonenumbers.is_possible_number(phonenumbers.parse(number, region)):
                return True
        except phonenumbers.NumberParseException:
            continue
    return False


def _references(text: str, patterns: Iterable[re.Pattern[str]]) -> Iterator[Span]:
    for pattern in patterns:
        for match in pattern.finditer(text):
            code = match["code"]
            long = sum(letter.isdigit() for letter in code) >= 3
            if long and not _DATE.match(code) and not re.fullmatch(r"(?:19|20)\d{2}", code):
                yield Span(*match.span("code"), "number")


def _known(text: str, names: Iterable[str]) -> Iterator[Span]:
    """Each place where one of these names stands, whole or in part."""
    parts = {part for name in names for part in (name.strip(), *_parts(name))}
    usable = sorted((part for part in parts if _may_be_name(part)), key=len, reverse=True)
    for part in usable:
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
        and any(word not in _NO_NAMES for word in words)
    )


def _names(text: str, side: str, asked_name: bool) -> Iterator[Span]:
    patterns = [_INTRODUCED, _TITLED]
    patterns += [_THIS_IS, _SIGNED] if side == "user" else [_GREETED, _THANKED]
    for pattern in patterns:
        for match in pattern.finditer(text):
            yield from _trimmed(text, *match.span("name"))
    if asked_name and (match := _ANSWERED.match(text.strip())):
        group = "name" if match["name"] else "plain"
        offset = len(text) - len(text.lstrip())
        start, end = match.span(group)
        yield from _trimmed(text, start + offset, end + offset)


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    """The words of a name, up to the first that can't belong to one."""
    stop = start
    for word in re.finditer(r"\S+", text[start:end]):
        if word[0].strip(".,!'’").lower() in _NO_NAMES:
            break
        stop = start + word.end()
    while stop > start and text[stop - 1] in ".,!'’" and not re.search(r"\b[A-Z]\.$", text[start:stop]):
        stop -= 1
    if stop - start > 1:
        yield Span(start, stop, "name")
