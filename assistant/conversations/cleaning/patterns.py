"""What personal data looks like: patterns, and the words around it.

It knows how people write names, numbers and addresses. `privacy.py` says what is done with what they find.
"""

import re

_UPPER = "A-ZÀ-ÖØ-Þ"
_LOWER = "a-zß-öø-ÿ"
_MEASURE = (
    r"(?![\w%€$£]|[.,]\d|\s?(?:€|usd|eur|days?|weeks?|pieces|items|times|am|pm|%|kg|euros?|dollars?|hours?|"
    r"minutes?|years?|months?|o'clock|cm|mm|ml|watts?)\b)"
)
"""What does not follow a number that names something: such a number counts or measures."""

DIGIT = re.compile(r"\d")
EMAIL = re.compile(r"(?<![\w.+%-])[\w.+%-]+@[\w-]+(?:\.[\w-]+)*\.[A-Za-z]{2,}")
IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,4})?\b")
CARD = re.compile(r"(?<![\w-])\d(?:[ -]?\d){12,18}(?![\w-])")
PHONE = re.compile(
    r"(?<![\w#/.-])(?:(?:\+|00)\d{1,3}[\s./-]?)?(?:\(0?\d{1,5}\)[\s./-]?)?"
    r"\d{1,5}(?:[\s./-]?\d{1,5}){1,6}(?![\w%€$£]|[.,]\d)"
)
CALLING = re.compile(
    r"\b(phone|call|tel|telephone|mobile|cell|reach|ring|text|whatsapp|sms|dial|fax|contact|number is|"
    r"telefon|handy|anrufen|erreichbar|rufnummer|téléphone|móvil|teléfono)\b\W*(?:\w+\W+){0,5}$",
    re.I,
)
"""Words that stand before a phone number."""
REFERRED = re.compile(
    r"\b(?:order|ticket|case|booking|reservation|invoice|tracking|customer|account|acct|reference|ref|policy|"
    r"confirmation|parcel|shipment|package|delivery|claim|member(?:ship)?|contract|serial|transaction|pin|"
    r"passcode|loyalty|client|purchase|receipt|rma|bestellung|bestell|auftrags?|rechnungs?|sendungs?|kunden|"
    r"vertrags?|commande|pedido|factura)"
    r"(?:[- ]?(?:number|num|no|nr|nummer|id|code|reference|ref|numéro|número))?\.?"
    r"(?:\s+(?:is|was|number|no|nr|with|under|ist|lautet|should be|says|it's|its|n°|num))*"
    r"\s*[:#=]?\s*(?:is\s+)?[#\"']?"
    r"(?P<code>(?=[A-Z0-9/_-]*\d)[A-Z0-9][A-Z0-9/_-]{2,30}(?<![-/_]))" + _MEASURE,
    re.I,
)
"""A code behind the word for what it names."""
HASHED = re.compile(r"(?<!\w)#\s?(?P<code>[A-Z0-9-]*\d[A-Z0-9-]{2,})\b", re.I)
CODE = re.compile(
    r"(?<![\w/.-])(?P<code>[A-Z]{1,5}[-_]?\d{5,14}[A-Z]{0,3}|\d[A-Z]\d[A-Z0-9]{9,20}|\d{8,20}|"
    r"[A-Z]{2,5}-\d{2,4}-\d{3,8}|\d{3}-\d{7}-\d{7}|[A-Z]{2}\d{9}[A-Z]{2})(?![\w%€$£-]|[.,]\d)"
)
"""A code that stands alone and is none of a product."""
DATE = re.compile(
    r"^(?:\d{4}[-./]\d{1,2}[-./]\d{1,2}|\d{1,2}[-./ ]\d{1,2}[-./ ]\d{2,4}|"
    r"(?:19|20)\d{2}\s?[-/]\s?(?:19|20)?\d{2})$"
)

_WORD = rf"[{_UPPER}][\w'’-]+"
_STREETS = (
    "Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Court|Ct|Boulevard|Blvd|Way|Place|Pl|Square|Sq|Terrace|"
    "Close|Crescent|Parkway|Pkwy|Highway|Hwy|Circle|Cir|Trail|Gardens|Grove|Mews|Row|Hill|Walk|Quay"
)
_UNIT = r"(?:,?\s*(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|#)\.?\s*#?\w{1,5})?"
_TOWN = (
    rf"(?:,?\s*(?:{_WORD})(?:\s{_WORD}){{0,2}},?\s+"
    r"(?:[A-Z]{2}\s+\d{5}(?:-\d{4})?|[A-Z]{1,2}\d[A-Z\d]?\s*\d[A-Z]{2}))?"
)
_POST = (
    rf"(?:,?\s*(?:D-|A-|CH-|F-)?\d{{4,5}}\s+[{_UPPER}][\w'’-]+"
    r"(?:\s(?:am|an der|sur|de|[A-Z][\w-]+)){0,3})?"
)
ADDRESSES = (
    re.compile(
        r"\b\d{1,5}[A-Za-z]?,?\s+(?:(?:[NSEW]|North|South|East|West)\.?\s+)?"
        rf"(?:(?:{_WORD}|\d+(?:st|nd|rd|th))\s+){{1,3}}(?:{_STREETS})\b\.?{_UNIT}{_TOWN}"
    ),
    re.compile(
        rf"\b(?:{_WORD}[ -]){{0,3}}(?:[A-ZÄÖÜ][\wäöüß]*"
        r"(?:straße|strasse|str\.|weg|platz|allee|gasse|ring|damm|ufer)"
        rf"|(?:Straße|Strasse|Str\.|Weg|Platz|Allee)(?:\s{_WORD})?)\s+\d{{1,4}}\s?[a-z]?\b{_POST}"
    ),
    re.compile(
        rf"\b(?:Am|An der|An den|Im|In der|Zum|Zur|Auf dem)\s+(?:{_WORD}\s+){{1,2}}\d{{1,3}}"
        rf",?\s*\d{{4,5}}\s+[{_UPPER}][\w'’-]+"
    ),
    re.compile(
        r"\b\d{1,4}(?:\s?bis)?,?\s+(?:rue|avenue|boulevard|place|chemin|impasse|allée|quai)\s+"
        rf"(?:(?:de|du|des|la|le|les|l')\s*)*(?:{_WORD}[\s-]?){{1,4}}{_POST}"
    ),
    re.compile(
        r"\b(?i:calle|via|avenida|plaza|piazza|viale)\s+(?:(?:de|del|la|di|della)\s+)*"
        rf"(?:{_WORD}\s?){{1,3}},?\s*\d{{1,4}}{_POST}"
    ),
    re.compile(r"\b[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}\b"),
    re.compile(rf"\b{_WORD}(?:\s{_WORD}){{0,2}},\s*[A-Z]{{2}}\s+\d{{5}}(?:-\d{{4}})?\b"),
    re.compile(r"\bP\.?\s?O\.?\s?Box\s+\d{2,6}\b", re.I),
)

_PART = (
    rf"[{_UPPER}](?:[{_LOWER}]+|['’][{_UPPER}][{_LOWER}]+|\.)"
    rf"(?:[-'’]?[{_UPPER}]?[{_LOWER}]+)?(?:-[{_UPPER}][{_LOWER}]+)?"
)
_FULL = rf"{_PART}(?:\s+(?:(?:de|van|von|der|den|la|di|el|al|bin|da|dos|du|le)\s+)*{_PART}){{0,3}}"
_ANYCASE = r"[^\W\d_]{2,}(?:[-'’ ][^\W\d_]{2,}){0,2}"
INTRODUCED = re.compile(
    r"(?:\b(?i:my (?:full |first |last )?name is|my name's|name\s*:|the name is|under the name(?: of)?|"
    r"name on the (?:account|card|order|booking) is|signed,|ich heiße|mein name ist|je m'appelle|me llamo|"
    r"mi chiamo|call me|(?:policy|account|card) holder(?: is|:)?|holder|"
    r"speak(?:ing)? (?:with|to)|on behalf of|addressed to|in the name of|"
    r"my (?:wife|husband|son|daughter|mother|father|partner|colleague|brother|sister|boss|friend)(?:,| is)?)"
    rf"\s+)(?P<name>{_FULL})"
)
THIS_IS = re.compile(
    r"\b(?i:this is|i am|i'm|it's|here is|hier ist|ich bin|c'est)\s+"
    rf"(?P<name>{_FULL})(?=\s*(?:[.,!;-]|$|from|here|and|again|writing|speaking|with|calling))"
)
HERE = re.compile(rf"(?:^|[,.!]\s+|\n)(?P<name>{_FULL})\s+(?i:here|hier|speaking)\b")
BOOKED = re.compile(
    r"\b(?i:booking|order|reservation|room|table|ticket|parcel|policy|account|invoice|package)\b[^.\n]{0,30}"
    rf"\b(?:for|to|of|by)\s+(?P<name>{_PART}\s+{_FULL})"
)
ADDRESSED = re.compile(
    rf"(?<!regards)(?<!wishes)(?<!Best)(?<!Yours)(?<!Sincerely),\s+(?P<name>{_FULL})(?=[.!?:](?:\s|$))"
)
"""The one a reply speaks to, at the end of a sentence."""
PARTING = re.compile(
    r"\b(?i:thanks|thank you|danke|regards|cheers|best wishes|merci|gracias|lg|vg)[,.!]?\s+"
    rf"(?P<name>{_FULL})\s*$"
)
"""The name under a customer's last word, on the same line."""
BESIDE = re.compile(rf"(?P<name>{_PART}\s+{_FULL})[,;:]?\s+$")
"""A whole name right before an address or a number."""
TITLED = re.compile(
    r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Herrn?|Frau|Familie|Signora?|Madame|Monsieur|Señora?|Sir|Mme|Sra?)\.?\s+"
    rf"(?P<name>{_FULL})"
)
GREETED = re.compile(
    r"(?:^|\n|[.!?]\s+)\s*(?i:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|lieber?|"
    r"guten (?:tag|morgen|abend)|bonjour|hola|ciao)(?:\s+(?:there|again))?,?\s+"
    rf"(?P<name>{_FULL})(?=\s*(?:[,.!:–-]|\n|$))"
)
THANKED = re.compile(
    r"\b(?i:thanks|thank you|sorry|welcome|cheers|danke|merci|gracias|apologies|of course|certainly|sure)"
    rf"(?:\s+(?i:so much|again|back|very much))?,?\s+(?P<name>{_PART})(?=\s*(?:[,.!?–-]|\n|$))"
)
SIGNED = re.compile(
    r"(?i:regards|wishes|thanks|thank you|cheers|sincerely|best|grüßen?|gruß|dank|cordialement|saludos|yours)"
    rf"[ ,.!–-]*\n+\s*(?P<name>{_FULL})\s*(?=\n|$)"
)
ASKED = re.compile(
    r"\b(your (?:full |first |last )?name|who am i (?:speaking|chatting)|name (?:please|on the)|"
    r"ihr(?:en)? name)",
    re.I,
)
ANSWERED = re.compile(
    r"^(?:(?i:it is|it's|sure|yes|ok(?:ay)?|of course|hi|hello)[,.!:]?\s+)*"
    rf"(?P<name>{_FULL})|^(?P<plain>{_ANYCASE})[.!]?$"
)
"""The answer of somebody who was asked for a name."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NO_NAMES = _words(
    """
    a ah all am an and any are as at be best but by can customer customers dear did do does everyone
    everybody folks for from good great guys happy have hello help hey hi how i if in is it just let looking
    madam ma'am maam many may me miss mister my no not now of ok okay on one order our please reply sad sir
    so sorry sure support team thank thanks that the there they this to today tomorrow tonight us valued
    very was we welcome what when where which who why will with would yes you your yours both still back
    calling writing waiting trying having getting going using unable able afraid glad interested aware
    confused hoping wondering ready done home late new only really monday tuesday wednesday thursday friday
    saturday sunday january february march april june july august september october november december
    christmas easter mother's father's valentine's thanksgiving halloween boxing diwali hanukkah ramadan eid
    service assistant agent manager english german french spanish italian london paris berlin madrid rome
    york amazon google apple paypal visa mastercard dhl ups fedex hermes dpd zendesk intercom outlook gmail
    iphone android samsung windows whatsapp facebook instagram klarna leute zusammen kunde kundin alle herr
    frau damen herren ihr ihre sie wir tous monsieur madame cliente señor señora god perfect right fine well
    here again also actually however mr mrs ms dr prof mein meine meanwhile regarding number name address
    email phone goodbye bye its restaurant hotel
    """
)
"""Words that stand where names do and are none, in lower case."""
