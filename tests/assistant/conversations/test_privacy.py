import pytest

from assistant.conversations import Cleaning
from assistant.conversations.cleaning import Tally, cleaned, privacy
from assistant.conversations.model import Exported, Turn
from tests.benchmarks.privacy import SPANS, conversations, score

RECALL, PRECISION = 0.88, 0.95
"""Floors on conversations that nothing was tuned on."""


def kinds(text):
    return [(span.kind, text[span.start : span.end]) for span in privacy.find(text)]


FOUND = {
    "a card that checks": ("Use 4111 1111 1111 1111 please", [("card", "4111 1111 1111 1111")]),
    "an IBAN that checks": ("To DE89 3704 0044 0532 0130 00.", [("IBAN", "DE89 3704 0044 0532 0130 00")]),
    "a phone abroad": ("Ring +49 30 901820!", [("phone", "+49 30 901820")]),
    "a phone told as one": ("call me: 7946095", [("phone", "7946095")]),
    "an order": ("order FH-20394 is late", [("number", "FH-20394")]),
    "an address": (
        "at 14 Elm Street, Springfield, IL 62704",
        [("address", "14 Elm Street, Springfield, IL 62704")],
    ),
    "a date": ("on 2026-06-01, or 01.06.2026 at 10:30", []),
    "a price and sizes": ("1,299.00 EUR for 3 pots of 12 cm, 25% off, order 30 pieces", []),
    "a year": ("order of 2026 and account of 2025", []),
    "a lamp": ("the RTX-4090 and WD-40", []),
}


@pytest.mark.parametrize("case", FOUND)
def test_personal_data_is_told_from_other_numbers(case):
    text, spans = FOUND[case]
    assert kinds(text) == spans


def test_a_number_whose_check_digit_is_wrong_is_no_card_and_no_iban():
    assert "card" not in dict(kinds("Use 4111 1111 1111 1112 please"))
    assert "IBAN" not in dict(kinds("To DE88 3704 0044 0532 0130 00."))


def test_a_mask_says_what_stood_there_and_leaves_the_rest():
    text = "Write to a@b.example or +49 30 901820."
    assert privacy.mask(text, privacy.find(text)) == "Write to [e-mail] or [phone]."


@pytest.mark.parametrize(
    ("text", "side"),
    [
        ("You find us at 14 Corve Street, Ludlow. Do come in!", "assistant"),
        ("I want a second order for Mother's Day", "user"),
    ],
    ids=["a town behind its street", "a holiday"],
)
def test_what_stands_where_a_name_could_is_told_from_one(text, side):
    assert privacy.names_in([(text, side)]) == []
    assert privacy.names_in([("You find us at nine, Lena. Do come in!", "assistant")]) == ["Lena"]


def test_who_signs_for_the_company_stays_even_where_a_customer_says_the_name():
    turns = (
        Turn("My order came broken, Lena said to write. Thanks, Mia", "user", "Mia"),
        Turn("Dear Mia, sorry! Warm regards, Lena", "assistant", "Lena"),
        Turn("This is Lena again? Thanks Lena", "user", "Mia"),
    )
    told = cleaned(Exported(turns, 1, names=("Mia",)), Cleaning(), Tally())
    assert [message.content for message in told] == [
        "My order came broken, Lena said to write. Thanks, [name]",
        "Dear [name], sorry! Warm regards, Lena",
        "This is Lena again? Thanks Lena",
    ]


def test_the_labelled_set_is_large_enough_to_mean_something():
    spans = [
        span
        for half in ("tuned", "held out")
        for told in conversations(half)
        for each in told
        for span in each.spans
    ]
    assert len(spans) >= 300 and {span.kind for span in spans} == set(privacy.KINDS)
    assert "{" not in "".join(
        each.text for half in ("tuned", "held out") for told in conversations(half) for each in told
    )
    assert SPANS.read_text().count("}") == len(spans) + 1  # the one in the note at the top


def test_what_was_never_tuned_on_is_masked_as_well_as_promised():
    held = score("held out")
    assert held.recall >= RECALL, "\n".join(held.mistakes)
    assert held.precision >= PRECISION, "\n".join(held.mistakes)


def test_a_number_that_names_its_country_is_looked_up_once(monkeypatch):
    asked, parse = [], privacy.phonenumbers.parse
    monkeypatch.setattr(privacy.phonenumbers, "parse", lambda *given: asked.append(given) or parse(*given))
    assert kinds("Ring +1 555 0100 23 or 001 555 0100 23!") == []
    assert [number for number, _ in asked] == ["+1 555 0100 23", "+1 555 0100 23"]
