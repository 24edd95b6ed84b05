from dataclasses import replace

import pytest

from assistant.conversations import STEPS, Cleaning, Conversation
from assistant.conversations.cleaning import Repeats, Tally, cleaned
from assistant.conversations.cleaning.texts import plain_text, without_quotes, without_signature
from assistant.conversations.model import Exported, Turn, UnusableError
from assistant.prompts import Message

NOTHING = Cleaning(**dict.fromkeys(STEPS, False))
QUOTED = (
    "Sure, thank you.\n\nOn Mon, 1 Jun 2026 at 09:00, Lena <help@shop.example> wrote:\n> Shall we send it?\n"
)
SIGNED = "It broke.\n\nBest regards,\nNora Field\nHead of Plants\nGreen Ltd\n+49 30 901820"


def exported(*turns, names=()):
    return Exported(tuple(Turn(text, side) for side, text in turns), 1, names=names)


def texts(messages):
    return [message.content for message in messages]


HTML = {
    "paragraphs": (
        "<p>Dear Ada,<br>it comes <b>today</b>.</p><p>Bye</p>",
        "Dear Ada,\nit comes today.\n\nBye",
    ),
    "a list": ("<ul><li>one</li><li>two</li></ul>", "- one\n- two"),
    "scripts": ("<div>Hi<script>alert(1)</script></div>", "Hi"),
    "entities alone": ("Pots &amp; bags&nbsp;here", "Pots & bags here"),
    "a smaller-than sign": ("Is 3 < 4 and <brand> fine?", "Is 3 < 4 and <brand> fine?"),
}


@pytest.mark.parametrize("case", HTML)
def test_markup_becomes_text(case):
    markup, text = HTML[case]
    assert plain_text(markup) == text


QUOTES = {
    "English": (QUOTED, "Sure, thank you."),
    "German": (
        "Ja, bitte.\n\nAm 01.06.2026 um 09:00 schrieb Lena <help@shop.example>:\n> Senden?",
        "Ja, bitte.",
    ),
    "Outlook": (
        "Fine.\n\nFrom: Lena <help@shop.example>\nSent: Monday, June 1, 2026 9:00 AM\n"
        "To: Nora <n@example.com>\nSubject: Pot\n\nShall we?",
        "Fine.",
    ),
    "marks alone": ("Yes.\n> Shall we?\n> Tell us.", "Yes."),
    "none": ("From here on: > 3 pots wrote off", "From here on: > 3 pots wrote off"),
    "nothing but a quote": ("> Shall we?", "> Shall we?"),
}


@pytest.mark.parametrize("case", QUOTES)
def test_quoted_replies_are_cut_off(case):
    mail, own = QUOTES[case]
    assert without_quotes(mail) == own


SIGNATURES = {
    "contacts go, closing and name stay": (SIGNED, "It broke.\n\nBest regards,\nNora Field"),
    "the mark": ("Yes.\n\n-- \nNora Field\nGreen Ltd", "Yes."),
    "a phone": ("Yes.\n\nSent from my iPhone", "Yes."),
    "a closing alone": ("Done.\n\nKind regards,\nLena", "Done.\n\nKind regards,\nLena"),
    "thanks in the middle": ("Thanks\n\nThe pot is 30 cm.", "Thanks\n\nThe pot is 30 cm."),
}


@pytest.mark.parametrize("case", SIGNATURES)
def test_signatures_are_cut_off(case):
    text, left = SIGNATURES[case]
    assert without_signature(text) == left


def test_each_step_is_counted_and_shown_before_and_after():
    tally = Tally()
    chat = exported(
        ("user", "<p>Hello</p>"),
        ("user", QUOTED),
        ("note", "VIP"),
        ("bot", "A person will answer."),
        ("assistant", SIGNED),
    )
    messages = cleaned(chat, Cleaning(), tally)
    assert texts(messages) == ["Hello\n\nSure, thank you.", "It broke.\n\nBest regards,\nNora Field"]
    assert dict(tally.counts) == {"html": 1, "quotes": 1, "signatures": 1, "left_out": 2, "merged": 1}
    (example,) = tally.examples["html"]
    assert (example.before, example.after) == ("<p>Hello</p>", "Hello")


SWITCHES = {
    "html": (("user", "<p>Hi</p>"), "<p>Hi</p>"),
    "quotes": (("user", "Yes.\n> Well?"), "Yes.\n> Well?"),
    "signatures": (("user", "Yes.\n\nSent from my iPhone"), "Yes.\n\nSent from my iPhone"),
    "masked": (("user", "I am at a@b.example"), "I am at a@b.example"),
}


@pytest.mark.parametrize("step", SWITCHES)
def test_a_step_can_be_switched_off(step):
    turn, kept = SWITCHES[step]
    chat = exported(turn, ("assistant", "Hello"))
    assert texts(cleaned(chat, NOTHING, Tally()))[0] == kept
    only = Cleaning(**{**dict.fromkeys(STEPS, False), step: True})
    tally = Tally()
    assert texts(cleaned(chat, only, tally))[0] != kept
    assert dict(tally.counts) == {step: 1}


def test_notes_and_turns_in_a_row_stay_where_nobody_wants_them_gone():
    chat = exported(("user", "Hi"), ("user", "Hello?"), ("note", "VIP"), ("assistant", "Yes?"))
    assert texts(cleaned(chat, NOTHING, Tally())) == ["Hi", "Hello?", "VIP", "Yes?"]


UNUSABLE = {
    "nothing": ([("user", " ")], "found no text"),
    "nobody answers": ([("user", "Hello?"), ("note", "Spam")], "found the roles user"),
    "nobody asks": ([("assistant", "Buy!")], "found the roles assistant"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_empty_and_unanswered_conversations_are_refused(case):
    turns, value = UNUSABLE[case]
    with pytest.raises(UnusableError) as problem:
        cleaned(exported(*turns), Cleaning(), Tally())
    assert problem.value.value == value


def test_personal_data_is_masked_in_all_turns_once_it_is_known():
    chat = exported(
        ("user", "Hi, this is Katarina Miller, order FH-20394."),
        ("assistant", "Dear Katarina, may I have your e-mail?"),
        ("user", "k.miller@example.com"),
        ("assistant", "Thank you, Katarina. Warm regards, Lena"),
    )
    tally = Tally()
    assert texts(cleaned(chat, Cleaning(), tally)) == [
        "Hi, this is [name], order [number].",
        "Dear [name], may I have your e-mail?",
        "[e-mail]",
        "Thank you, [name]. Warm regards, Lena",
    ]
    assert tally.masked == {"name": 3, "number": 1, "e-mail": 1}


def test_a_known_customer_is_masked_without_an_introduction():
    chat = exported(
        ("user", "The pot of Mia Wong came broken."), ("assistant", "Sorry, Mia!"), names=("Mia Wong",)
    )
    assert texts(cleaned(chat, Cleaning(), Tally())) == ["The pot of [name] came broken.", "Sorry, [name]!"]


def conversation(question, answer, number=0):
    return Conversation((Message("user", question), Message("assistant", answer)), f"a.jsonl:{number}")


def many(count, answer="We open at nine."):
    return [
        conversation(" ".join(f"w{number}x{word}" for word in range(20)), answer, number)
        for number in range(count)
    ]


def without_repeats(chats, there, cleaning, tally):
    """Those of the chats that are new beside what is there."""
    known, repeats = list(there), Repeats(cleaning, tally, len(there) + len(chats))
    for each in there:
        repeats.know(each)
    for each in chats:
        if repeats.new(each, lambda number: known[number]):
            known.append(each)
    return known[len(there) :]


def test_near_duplicates_are_folded_into_the_first_and_into_what_is_there():
    first, second = many(2)
    words = first.messages[0].content
    twin, kin = (
        conversation(f"{words} please", "We open at nine."),
        conversation(words.replace("w0x1 ", "w0x1 w"), "No."),
    )
    tally = Tally()
    assert without_repeats([first, twin, second], [], Cleaning(), tally) == [first, second]
    (example,) = tally.examples["folded"]
    assert tally.counts["folded"] == 1 and "please" in example.before and example.before != example.after
    assert example.after == f"user: {words}\nassistant: {first.messages[1].content}"
    assert without_repeats([twin, second], [first], Cleaning(), Tally()) == [second]
    assert without_repeats([first, twin], [], NOTHING, Tally()) == [first, twin]
    assert kin in without_repeats([first, kin], [], Cleaning(), Tally())


def test_conversations_of_nothing_but_a_canned_answer_are_capped():
    canned, own = many(15), conversation("Another thing", "Our own answer.", 99)
    tally = Tally()
    kept = without_repeats([*canned, own], [], Cleaning(), tally)
    assert kept == [*canned[:10], own]
    assert tally.counts["capped"] == 5
    assert without_repeats(canned, [], NOTHING, Tally()) == canned


def test_fixed_phrases_in_ever_new_turns_are_no_canned_answers():
    phrases = [f"Phrase {letter}." for letter in "abcdefghij"]
    pairs = [(first, second) for first in phrases for second in phrases if first < second]
    chats = [
        Conversation(
            (*asked.messages, Message("user", "And then?"), Message("assistant", second)), asked.source
        )
        for (first, second), asked in zip(pairs, many(len(pairs), "x"), strict=True)
        for asked in [replace(asked, messages=(asked.messages[0], Message("assistant", first)))]
    ]
    assert without_repeats(chats, [], Cleaning(), Tally()) == chats
