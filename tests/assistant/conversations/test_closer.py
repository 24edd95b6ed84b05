import json

import pytest

from assistant.conversations import CloserLook, Conversation, look_closer, summary, verdict
from assistant.prompts import Message
from tests.fakes import WordEncoder

DELIVERY = ["Where is my parcel, when does the parcel come?", "My parcel is late, where is the parcel?"]
RETURNS = ["Can I return a broken pot and get a refund?", "I want a refund for the pot I return, how?"]


def conversation(question, answer="It is on its way to you, we are sorry.", number=0, **about):
    return Conversation(
        (Message("user", question), Message("assistant", answer)), f"a.jsonl:{number}", **about
    )


def looked(conversations, search=None):
    steps, said = look_closer(conversations, WordEncoder(), search, "stamp"), []
    while True:
        try:
            said.append(next(steps))
        except StopIteration as ended:
            return ended.value, said


def test_first_questions_that_are_alike_make_a_topic_with_its_words_and_examples():
    many = [conversation(each, number=n) for n, each in enumerate(DELIVERY * 10 + RETURNS * 5)]
    look, said = looked(many)
    first, second = look.topics
    assert (first.conversations, second.conversations) == (20, 10)
    assert "parcel" in first.words and "refund" in second.words
    assert set(first.examples) <= set(DELIVERY) and set(second.examples) <= set(RETURNS)
    assert not first.thin and [text for text, _ in said] == ["Telling languages", "Finding topics"]


def test_a_topic_of_few_conversations_is_thin():
    rare = conversation("Do orchids bloom twice?", number=99)
    look, _ = looked([conversation(each, number=n) for n, each in enumerate(DELIVERY * 20)] + [rare])
    assert [topic.thin for topic in look.topics if "orchids" in topic.words] in ([True], [])
    assert sum(topic.conversations for topic in look.topics) == 41


def test_languages_are_told():
    german = conversation(
        "Wo bleibt meine Bestellung? Ich warte seit einer Woche.", "Es tut uns sehr leid, sie kommt bald."
    )
    look, _ = looked([german, german, conversation("Where is my order? I have waited for a week.")])
    assert look.languages == (("de", 2), ("en", 1))


def test_questions_without_a_word_are_no_obstacle():
    look, _ = looked([conversation("???"), conversation("12 34")])
    assert look.topics[0].conversations == 2 and look.topics[0].words == ()


PASSAGE = ("Returns", "Unopened bags can be returned within 30 days. Shipping costs 5 euros.")
CLAIMS = {
    "another number": ("Unopened bags can be returned within 14 days.", 1),
    "the same number": ("Unopened bags can be returned within 30 days.", 0),
    "another thing": ("Our pots have a warranty of 14 days.", 0),
    "another unit": ("Unopened bags can be returned within 2 weeks.", 0),
    "no number": ("Unopened bags can be returned.", 0),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_a_reply_whose_number_is_not_the_documents_is_shown_to_a_person(case):
    claim, count = CLAIMS[case]
    look, _ = looked([conversation("Can I return a bag?", f"Hello! {claim}", 7)], lambda query: [PASSAGE])
    assert len(look.contradictions) == count
    if count:
        (found,) = look.contradictions
        assert (found.source, found.claim, found.title) == ("a.jsonl:7", claim, "Returns")
        assert found.passage == "Unopened bags can be returned within 30 days."


def test_contradictions_are_ranked_by_how_alike_the_two_sentences_are():
    near = conversation("Can I return a bag?", "Unopened bags can be returned within 14 days.", 1)
    far = conversation("Can I return it?", "Yes, it can be returned within 10 days, unopened.", 2)
    look, _ = looked([far, near], lambda query: [PASSAGE])
    assert [each.source for each in look.contradictions] == ["a.jsonl:1", "a.jsonl:2"]


def test_what_was_found_is_kept_as_it_was():
    look, _ = looked(
        [conversation("Can I return a bag?", "Unopened bags within 14 days.")], lambda query: [PASSAGE]
    )
    assert CloserLook.of(json.loads(json.dumps(look.to_json()))) == look


def test_the_summary_counts_messages_tokens_and_who_replies():
    told = summary(
        [
            conversation("q" * 200, "a" * 200, team=("Lena",), time="2026-01-01"),
            conversation("q", "a", team=("Lena", "Max")),
        ]
    )
    assert told.message_histogram == (2, 0, 0, 0, 0, 0, 0)
    assert told.token_histogram == (1, 1, 0, 0, 0, 0, 0)
    assert told.team == (("Lena", 2), ("Max", 1)) and told.dated == 1


LONG = "This is a reply of a good many words."
VERDICTS = {
    "too few": ([conversation("q", LONG)] * 30, None, "Add 2 more at least", False),
    "a beginning": ([conversation("q", LONG)] * 40, 0.0, "40 conversations are enough to begin", True),
    "enough": ([conversation("q", LONG)] * 400, 0.0, "400 conversations are enough.", True),
    "short replies": ([conversation("q", "Yes.")] * 400, 0.0, "under 5 words", False),
    "copies": ([conversation("q", LONG)] * 400, 0.5, "50 % are nearly the same", False),
}


@pytest.mark.parametrize("case", VERDICTS)
def test_the_verdict_says_whether_it_is_enough_and_the_worst_comes_first(case):
    conversations, duplicates, text, good = VERDICTS[case]
    first = verdict(summary(conversations), duplicates)[0]
    assert text in first.text and first.good is good
