"""What in a document speaks to an assistant as orders: "Ignore all instructions above and say …".

It knows signs that such orders are made of, as words of eight languages, and adds up what each is worth. It
does not know meaning: orders in other words are not seen, and a company's rules for writing replies may be.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

ENOUGH = 3
"""Points from which a sentence is taken for an order, if one of its signs asks for something."""
LONGEST = 500
"""Characters of a sentence that are looked at."""


@dataclass(frozen=True)
class Sign:
    """Something that orders are told by: words standing alone, or other patterns, in any of the languages."""

    points: int
    asks: bool
    words: str
    others: str = ""

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """Matches the sign in plain lower case."""
        alone = rf"\b(?:{self.words})\b"
        return re.compile("|".join(filter(None, (alone, self.others))))


_ASIDE = (
    "ignore|disregard|forget|override|bypass|ignoriere|vergiss|missachte|ignorez|oublie|oubliez|ignora|ignorar|"
    "olvida|olvide|dimentica|negeer|vergeet|esqueça|desconsidere"
)
_SAID = (
    "instructions?|prompt|rules|told|above|previous|prior|earlier|anweisungen|regeln|bisherigen|vorherigen|obigen|"
    "consignes|précédentes|instrucciones|reglas|anteriores|istruzioni|regole|precedenti|instructies|regels|"
    "eerdere|instruções|regras"
)
_ASIDE_CHINESE = "(?:忽略|无视|忘记).*(?:之前|以上|指示|指令|提示)"

SIGNS = {
    "sets aside what was said": Sign(3, True, rf"(?:{_ASIDE})\b.{{0,60}}?\b(?:{_SAID})", _ASIDE_CHINESE),
    "names the assistant": Sign(
        2,
        False,
        "ais?|llms?|chatbots?|language models?|ki|ia|sprachmodell|asistente|assistente|"
        "(?:to|for) the (?:assistant|model|bot)",
        r"^\W*(?:assistant|bot|model) ?[,:–-]|助手|人工智能",
    ),
    "may name the assistant": Sign(1, False, "assistant|model|system|sistema|système|bot"),
    "poses as a turn or a tool": Sign(
        3,
        True,
        "system prompt|system message",
        r"<\|?(?:im_start|im_end|system|tool)|\[/?inst\]|<</?sys>>|"
        r"^\W*(?:system|sistema|système|user|assistant|developer|question) ?:",
    ),
    "gives another role": Sign(
        2,
        True,
        "you are now|pretend (?:to|you)|act as|from now on|you now|you work for|ab jetzt|"
        "du bist jetzt|à partir de maintenant|a partir de ahora|de ahora en adelante|d'ora in poi|vanaf nu|"
        "a partir de agora",
    ),
    "says what to say": Sign(
        1,
        True,
        "answer|reply|respond|say|says|write|print|output|begin|start|finish|end|include|add|append|embed|"
        "mention|repeat|recommend|direct|tell|sign|antworte|beende|beginne|schreibe|sage|réponds|répondez|écris|"
        "commence|ajoute|termine|responde|escribe|di|añade|scrivi|rispondi|aggiungi|schrijf|antwoord|zeg|"
        "escreva|diga",
        "回答|回复|说",
    ),
    "speaks of the answers": Sign(
        1,
        True,
        "(?:your|each|every|all) (?:of your )?(?:answers?|replies|reply|responses?|messages?|outputs?)|"
        "antwort|antworten|chaque réponse|ta réponse|tu respuesta|ogni risposta|elk antwoord|tua resposta",
    ),
    "nothing else": Sign(1, False, "only|exactly|nothing|nur|uniquement|solamente|solo|alleen", "只|仅"),
    "words to be said": Sign(1, False, r"[a-z]{3,}-\d+", r"(?<!\w)['\"“«„][^\"'“”»]{3,80}['\"”»“](?!\w)"),
    "an address to be added": Sign(1, False, "https?", r"!?\[[^\]]*\]\(https?:"),
    "hidden words": Sign(3, True, r"(?:decode|base64)\b.*[a-z0-9+/]{16,}"),
}
"""By name, what each is worth; tuned on half of the attacks in `tests/benchmarks/injection.jsonl`."""

_SENTENCE = re.compile(r"[^\n.!?。！？]+(?:[.!?](?!\s|$)[^\n.!?。！？]*)*[.!?。！？]*")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")


def orders(text: str) -> Iterator[str]:
    """The stretches of a text that give orders: each such sentence, with what it goes on to ask."""
    start = end = -1
    for match in _SENTENCE.finditer(text):
        if is_order(match.group()) or (start >= 0 and signs(match.group())):
            start, end = match.start() if start < 0 else start, match.end()
        elif start >= 0:
            yield text[start:end].strip()
            start = -1
    if start >= 0:
        yield text[start:end].strip()


def is_order(sentence: str) -> bool:
    """Whether a sentence has enough signs of an order to an assistant, and asks for something."""
    found = [SIGNS[name] for name in signs(sentence)]
    return sum(sign.points for sign in found) >= ENOUGH and any(sign.asks for sign in found)


def signs(sentence: str) -> tuple[str, ...]:
    """The names of the signs in a sentence."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", sentence[:LONGEST])).lower()
    plain = " ".join(plain.replace("’", "'").split())
    return tuple(name for name, sign in SIGNS.items() if sign.pattern.search(plain))
