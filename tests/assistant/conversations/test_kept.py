import json
import random
from dataclasses import replace

import pytest

from assistant.conversations import (
    MAX_BYTES,
    Conversation,
    ConversationStore,
    near_duplicate_rate,
    read_conversations,
    split,
    summary,
)
from assistant.errors import AssistantError
from assistant.prompts import Message

GOOD = {
    "messages": [{"role": "user", "content": "Is it in stock?"}, {"role": "assistant", "content": "Yes."}]
}
SHAPES = 'A line holds {"messages": [{"role": "user", "content": "..."}, ...]}.'


def jsonl(path, *lines):
    path.write_bytes(
        b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
    )
    return path


def turns(*pairs):
    return {"messages": [{"role": role, "content": content} for role, content in pairs]}


def test_openai_and_sharegpt_lines_are_read_from_one_file(tmp_path):
    sharegpt = {
        "conversations": [
            {"from": "system", "value": "Be brief."},
            {"from": "human", "value": "Hello"},
            {"from": "gpt", "value": "Hello!"},
        ],
        "meta": {"topic": "greeting"},
    }
    reading = read_conversations(jsonl(tmp_path / "chats.jsonl", GOOD, b"", sharegpt))
    assert reading.refused == ()
    first, second = reading.conversations
    assert first == Conversation(
        (Message("user", "Is it in stock?"), Message("assistant", "Yes.")), "chats.jsonl:1"
    )
    assert [message.role for message in second.messages] == ["system", "user", "assistant"]
    assert (second.source, second.topic) == ("chats.jsonl:3", "greeting")


def test_text_is_cleaned_where_it_enters(tmp_path):
    line = turns(("user", " a\r\nb\u202e\x00 "), ("assistant", "c"))
    reading = read_conversations(jsonl(tmp_path / "chats.jsonl", line))
    assert reading.conversations[0].messages[0].content == "a\nb"


def test_a_byte_order_mark_is_no_obstacle(tmp_path):
    path = tmp_path / "chats.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + json.dumps(GOOD).encode())
    assert len(read_conversations(path).conversations) == 1


BAD_LINES = {
    "broken JSON": (
        b'{"messages": [',
        "found '{\"messages\": [', not valid JSON at column 15; a line should be one JSON object. "
        "Correct the line, or remove it.",
    ),
    "a list": (
        [GOOD["messages"][0]],
        'found [{"role": "user", "content": "Is it in stock?"}]; a line should be a JSON object. '
        "Write each conversation of the list on a line of its own.",
    ),
    "a number": (7, f"found 7; a line should be a JSON object. {SHAPES}"),
    "other fields": (
        {"prompt": "a", "completion": "b"},
        f'found the fields prompt, completion; a line needs "messages" or "conversations". {SHAPES}',
    ),
    "no messages": ({"messages": []}, f"found []; a conversation should be a list of messages. {SHAPES}"),
    "a message that is a text": (
        {"messages": ["Hello"]},
        f'message 1 is "Hello"; a message should be a JSON object. {SHAPES}',
    ),
    "unknown role": (
        turns(("user", "a"), ("tool", "b")),
        'message 2 has the role "tool"; "role" should be one of system, user, assistant. '
        "Correct the role, or leave the message out.",
    ),
    "unknown speaker": (
        {"conversations": [{"from": "bing", "value": "a"}]},
        'message 1 has the role "bing"; "from" should be one of human, gpt, system. '
        "Correct the role, or leave the message out.",
    ),
    "content of parts": (
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        'message 1 has the content [{"type": "text"}]; "content" should be a text. '
        "Write the text of the message there.",
    ),
    "empty content": (
        turns(("user", "a"), ("assistant", " \n")),
        "message 2 is empty; a message needs text. Write its text, or leave it out.",
    ),
    "no assistant turn": (
        turns(("system", "s"), ("user", "a")),
        "found the roles system, user; a conversation needs an assistant message after a user message. "
        "Add the reply that was given, or remove the line.",
    ),
    "assistant before any user": (
        turns(("assistant", "Hello"), ("user", "a")),
        "found the roles assistant, user; a conversation needs an assistant message after a user message. "
        "Add the reply that was given, or remove the line.",
    ),
    "two system turns": (
        turns(("system", "s"), ("user", "a"), ("system", "t"), ("assistant", "b")),
        "message 3 is a system message; only the first message may be a system message. "
        "Remove it, or merge it into the first.",
    ),
    "system turn late": (
        turns(("user", "a"), ("system", "t"), ("assistant", "b")),
        "message 2 is a system message; only the first message may be a system message. "
        "Remove it, or merge it into the first.",
    ),
    "not UTF-8": (
        b'{"messages": "\xe9"}',
        "found the byte 0xe9 at column 15; text should be UTF-8. Save the file as UTF-8.",
    ),
    "a list over many lines": (
        b"[",
        "found '[', not valid JSON at column 2; a line should be one JSON object. "
        "Write each conversation whole on a line of its own (JSON Lines), with no list around them.",
    ),
    "nested without end": (
        b'{"messages":' + b"[" * 100_000,
        f"found '{{\"messages\":{'[' * 45}...', not valid JSON; a line should be one JSON object. "
        "Correct the line, or remove it.",
    ),
}


@pytest.mark.parametrize(("line", "text"), BAD_LINES.values(), ids=BAD_LINES.keys())
def test_a_bad_line_is_refused_with_its_place_value_rule_and_next_step(tmp_path, line, text):
    reading = read_conversations(jsonl(tmp_path / "chats.jsonl", *[GOOD] * 6, line, GOOD))
    assert [refusal.text for refusal in reading.refused] == [f"chats.jsonl, line 7: {text}"]
    assert len(reading.conversations) == 7


def test_an_empty_file_is_refused(tmp_path):
    path = jsonl(tmp_path / "chats.jsonl", b" ", b"")
    with pytest.raises(AssistantError) as problem:
        read_conversations(path)
    assert str(problem.value) == f"chats.jsonl is empty; it should hold one conversation a line. {SHAPES}"


def test_a_file_in_utf_16_is_refused(tmp_path):
    path = tmp_path / "chats.jsonl"
    path.write_text(json.dumps(GOOD), encoding="utf-16")
    with pytest.raises(AssistantError) as problem:
        read_conversations(path)
    assert (
        str(problem.value)
        == "chats.jsonl is written in UTF-16; conversations are read as UTF-8. Save it as UTF-8."
    )


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path):
    path = tmp_path / "chats.jsonl"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 2_000_000)
    with pytest.raises(AssistantError) as problem:
        read_conversations(path)
    expected = (
        "chats.jsonl has 252 MB; 250 MB is the most that is read. Split it into smaller files and add each."
    )
    assert str(problem.value) == expected


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(AssistantError) as problem:
        read_conversations(tmp_path / "none.jsonl")
    assert str(problem.value) == f"{tmp_path / 'none.jsonl'} is not there. Check the path, then try again."


def test_the_store_keeps_files_by_name_and_counts_them(tmp_path):
    store = ConversationStore(tmp_path / "kept")
    assert store.files() == []
    path = jsonl(tmp_path / "upload-1", GOOD, GOOD, b"nonsense")
    reading = store.add(path, "chats.jsonl")
    assert reading.refused[0].text.startswith("chats.jsonl, line 3: ")
    (file,) = store.files()
    assert (file.name, file.conversations, file.refused, file.bytes) == (
        "chats.jsonl",
        2,
        1,
        path.stat().st_size,
    )
    assert [each.source for each in ConversationStore(tmp_path / "kept").read().conversations] == [
        "chats.jsonl:1",
        "chats.jsonl:2",
    ]


def test_a_file_of_the_same_name_takes_the_place_of_the_old_one(tmp_path):
    store = ConversationStore(tmp_path / "kept")
    store.add(jsonl(tmp_path / "one", GOOD), "chats.jsonl")
    store.add(jsonl(tmp_path / "two", GOOD, GOOD), "chats.jsonl")
    assert [file.conversations for file in store.files()] == [2]


def test_an_identical_file_is_refused_under_any_name(tmp_path):
    store = ConversationStore(tmp_path / "kept")
    path = jsonl(tmp_path / "one", GOOD)
    store.add(path, "chats.jsonl")
    with pytest.raises(AssistantError, match=r"^chats.jsonl is already there, byte for byte the same file\."):
        store.add(path, "chats.jsonl")
    with pytest.raises(AssistantError) as problem:
        store.add(path, "again.jsonl")
    assert (
        str(problem.value)
        == "again.jsonl is already there as chats.jsonl, byte for byte the same file. Nothing was added."
    )


def test_a_file_with_nothing_usable_is_refused_with_its_first_problem(tmp_path):
    store = ConversationStore(tmp_path / "kept")
    with pytest.raises(AssistantError) as problem:
        store.add(jsonl(tmp_path / "one", 7, 8), "chats.jsonl")
    assert str(problem.value) == (
        "chats.jsonl has no usable conversation (2 lines refused). "
        f"The first: chats.jsonl, line 1: found 7; a line should be a JSON object. {SHAPES}"
    )
    assert store.files() == []


@pytest.mark.parametrize("name", ["", ".hidden", "../up.jsonl", "a/b.jsonl", "a\\b.jsonl", "a\x00b"])
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(AssistantError) as problem:
        ConversationStore(tmp_path).add(jsonl(tmp_path / "one", GOOD), name)
    assert str(problem.value) == (
        f"The file name {name!r} can't be used; it may hold no path and not begin with a dot. Rename it."
    )


def test_a_removed_file_can_be_restored(tmp_path):
    store = ConversationStore(tmp_path / "kept")
    store.add(jsonl(tmp_path / "one", GOOD), "chats.jsonl")
    store.remove("chats.jsonl")
    assert store.files() == [] and len(store.read().conversations) == 0
    store.restore("chats.jsonl")
    assert [file.name for file in store.files()] == ["chats.jsonl"]


def test_removing_or_restoring_what_is_not_there_says_so(tmp_path):
    store = ConversationStore(tmp_path / "kept")
    with pytest.raises(
        AssistantError, match=r"^There is no file named a\.jsonl here\. Choose one of the list\.$"
    ):
        store.remove("a.jsonl")
    with pytest.raises(
        AssistantError, match=r"^There is no file named a\.jsonl here\. Add the file again\.$"
    ):
        store.restore("a.jsonl")


def conversation(question, answer, number=0):
    return Conversation((Message("user", question), Message("assistant", answer)), f"chats.jsonl:{number}")


def test_the_summary_counts_replies_and_their_words():
    found = summary(
        [conversation("q", "one two"), conversation("q", " ".join(["word"] * 12)), conversation("q", "one")]
    )
    assert (found.conversations, found.messages, found.replies, found.turns_each) == (3, 6, 3, 2.0)
    assert (found.mean_words, found.median_words, found.longest_words) == (5.0, 2.0, 12)
    assert found.reply_histogram == (2, 1, 0, 0, 0, 0, 0)


def test_the_summary_of_nothing_is_zero():
    assert summary([]).mean_words == 0.0 and summary([]).turns_each == 0.0


def unlike(count):
    """Conversations of random words: no two are alike."""
    chance = random.Random(1)
    return [
        conversation(" ".join(f"w{chance.randrange(9999)}" for _ in range(20)), f"reply {number}", number)
        for number in range(count)
    ]


def test_nothing_is_held_out_of_few_conversations():
    few = unlike(31)
    assert split(few).train == tuple(few) and split(few).evaluation == ()


def test_a_share_is_held_out_by_seed_and_nothing_is_lost():
    many = unlike(100)
    parts = split(many, share=0.2, seed=3)
    assert len(parts.evaluation) == 20
    assert sorted((*parts.train, *parts.evaluation), key=lambda each: int(each.source[12:])) == many
    assert split(many, share=0.2, seed=3) == parts != split(many, share=0.2, seed=4)


def test_near_duplicates_are_never_on_both_sides():
    chance = random.Random(2)
    families = unlike(40)
    many = []
    for number, original in enumerate(families):
        for _copy in range(3):
            words = original.messages[0].content.split()
            words[chance.randrange(20)] = "changed"
            many.append(
                Conversation((Message("user", " ".join(words)), original.messages[1]), "", topic=str(number))
            )
    chance.shuffle(many)
    for seed in range(5):
        parts = split(many, share=0.25, seed=seed)
        assert 20 <= len(parts.evaluation) <= 30
        assert not {each.topic for each in parts.train} & {each.topic for each in parts.evaluation}


def test_the_near_duplicate_rate_counts_conversations_that_have_a_twin():
    many = unlike(6)
    assert near_duplicate_rate(many) == 0.0
    assert near_duplicate_rate([*many, many[0], many[0]]) == pytest.approx(3 / 8)
    assert near_duplicate_rate([]) == 0.0


def test_conversations_of_one_customer_are_never_on_both_sides():
    many = [replace(each, customer=f"c{number % 40}") for number, each in enumerate(unlike(120))]
    for seed in range(5):
        parts = split(many, share=0.25, seed=seed)
        assert 20 <= len(parts.evaluation) <= 30
        assert not {each.customer for each in parts.train} & {each.customer for each in parts.evaluation}


def test_an_address_that_many_share_joins_nobody():
    many = [replace(each, customer="noreply") for each in unlike(60)]
    assert len(split(many, share=0.2).evaluation) == 12


def test_where_there_are_times_the_newest_are_held_out():
    days = [
        replace(each, time=f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}") for n, each in enumerate(unlike(100))
    ]
    chance = random.Random(3)
    shuffled = chance.sample(days, 100)
    parts = split(shuffled, share=0.2, seed=1)
    assert parts.by_time
    assert set(parts.evaluation) == set(days[80:])


def test_an_old_customer_who_writes_again_stays_where_the_past_is():
    days = [
        replace(each, time=f"2026-{1 + n // 28:02d}-{1 + n % 28:02d}") for n, each in enumerate(unlike(100))
    ]
    days[99] = replace(days[99], customer="ada")
    days[3] = replace(days[3], customer="ada")
    parts = split(days, share=0.2)
    assert days[99] in parts.train and days[3] in parts.train and len(parts.evaluation) == 20


def test_few_times_do_not_order_a_split():
    some = [replace(each, time="2026-01-01" if n < 50 else "") for n, each in enumerate(unlike(100))]
    assert not split(some).by_time
