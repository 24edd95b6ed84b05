import json
import zipfile

import pytest

from assistant.conversations.formats import Layout, Source, arranged, read, recognise, sample
from assistant.conversations.formats.times import iso_time
from assistant.conversations.model import Exported, Refusal
from assistant.errors import AssistantError
from tests.assistant.conversations import exports


def source(tmp_path, data, name="export.bin"):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return Source([path], name)


def told(tmp_path, data):
    """The conversations of a file as (side, text) pairs."""
    file = source(tmp_path, data)
    return [[(turn.side, turn.text) for turn in each.turns] for each in read(file, recognise(file))]


FORMATS = {
    "OpenAI messages": (exports.OPENAI, [["system", "user", "assistant"]]),
    "ShareGPT": (exports.SHAREGPT, [["user", "assistant"]]),
    "Alpaca": (exports.ALPACA, [["user", "assistant"]]),
    "Zendesk tickets": (exports.ZENDESK, [["user", "note", "bot", "assistant"]]),
    "Intercom conversations": (exports.INTERCOM, [["user", "bot", "note", "assistant"]]),
    "CSV table": (exports.CSV_MESSAGES, [["user", "assistant", "user"], ["user", "assistant"]]),
    "Excel workbook": (exports.workbook(), [["user", "assistant"], ["user", "assistant"]]),
    "Mail": (exports.MBOX, [["user", "assistant"], ["user", "assistant"]]),
    "Transcript": (exports.TRANSCRIPT, [["user", "assistant", "user"], ["user", "assistant"]]),
}


@pytest.mark.parametrize("title", FORMATS)
def test_a_format_is_recognised_by_what_it_holds_and_read(tmp_path, title):
    data, sides = FORMATS[title]
    file = source(tmp_path, data, "file-without-an-ending")
    assert recognise(file).title == title
    assert [[side for side, _ in turns] for turns in told(tmp_path, data)] == sides


def test_openai_content_may_come_in_parts(tmp_path):
    assert told(tmp_path, exports.OPENAI)[0][2] == ("assistant", "Yes, three.")


def test_alpaca_joins_instruction_and_input(tmp_path):
    assert told(tmp_path, exports.ALPACA) == [
        [("user", "Answer the customer.\n\nWhere is my parcel?"), ("assistant", "On its way.")]
    ]


def test_rows_of_a_thread_need_not_stand_together_and_are_put_in_the_order_of_time(tmp_path):
    lines = exports.CSV_MESSAGES.splitlines(keepends=True)
    shuffled = "".join([*lines[:2], lines[6], lines[5], lines[7], lines[4], *lines[2:4]])
    turned = told(tmp_path, shuffled)
    assert sorted(turned) == sorted(told(tmp_path, exports.CSV_MESSAGES))


def test_a_table_of_pairs_has_a_conversation_a_row(tmp_path):
    file = source(tmp_path, exports.CSV_PAIRS)
    found = recognise(file)
    assert found.layout == Layout(
        "pairs", {"question": "Customer question", "answer": "Agent reply", "topic": "Category"}
    )
    first = next(read(file, found))
    assert [turn.text for turn in first.turns] == ["Can I return an opened bag?", "Yes, within 30 days."]
    assert (first.topic, first.line) == ("returns", 2)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_table_is_read_in_any_usual_encoding(tmp_path, encoding):
    data = "question;answer\nGrüße?;Schöne Grüße!\nWie geht's?;Gut\n".encode(encoding)
    assert told(tmp_path, data)[0] == [("user", "Grüße?"), ("assistant", "Schöne Grüße!")]


def test_who_answers_is_the_company_where_names_tell_nothing(tmp_path):
    file = source(tmp_path, exports.CSV_MESSAGES)
    found = recognise(file)
    assert found.layout.team == ("Lena",)
    assert set(found.speakers) == {"Lena", "Mia Wong", "Tom Hale"}


def test_a_corrected_layout_is_followed(tmp_path):
    file = source(tmp_path, "a,b,c\nx,left,Hello?\nx,right,Hi!\ny,left,Open?\ny,right,Yes.\n")
    found = recognise(file)
    assert found.layout.missing == ("thread", "speaker", "text")
    with pytest.raises(AssistantError, match="say which column is Conversation and Who writes and Text"):
        sample(file, found, 3)
    columns = {"thread": "a", "speaker": "b", "text": "c"}
    corrected = arranged(file, found, Layout("messages", columns))
    assert corrected.layout.team == ("right",)
    sides = [[turn.side for turn in each.turns] for each in sample(file, corrected, 9)]
    assert sides == [["user", "assistant"], ["user", "assistant"]]
    turned = arranged(file, corrected, Layout("messages", columns, team=("left",)))
    assert [turn.side for turn in sample(file, turned, 1)[0].turns] == ["assistant", "user"]


def test_columns_are_told_by_their_names_however_written(tmp_path):
    head = "ConversationID,sender_type,MessageText,SentAt,CustomerEmail\n"
    row = "1,customer,Hello?,2026-01-01 10:00,a@example.com\n1,agent,Hi,2026-01-01 10:01,\n"
    assert recognise(source(tmp_path, head + row)).layout.columns == {
        "thread": "ConversationID",
        "speaker": "sender_type",
        "text": "MessageText",
        "time": "SentAt",
        "customer": "CustomerEmail",
    }


def test_bots_and_notes_of_a_table_are_told_by_their_role(tmp_path):
    rows = "ticket,role,text\n1,customer,Hi\n1,bot,Please wait\n1,internal note,VIP\n1,agent,Hello\n"
    assert [side for side, _ in told(tmp_path, rows)[0]] == ["user", "bot", "note", "assistant"]


@pytest.mark.parametrize(
    ("head", "note", "message"),
    [
        ("Internal", "yes", ""),
        ("is_private", "TRUE", "FALSE"),
        ("Public", "false", "true"),
        ("Visibility", "Private", "Public"),
        ("Intern", "Ja", "Nein"),
    ],
)
def test_notes_of_a_table_are_told_by_a_column_of_their_own(tmp_path, head, note, message):
    rows = f"ticket,role,text,{head}\n1,customer,Hi,{message}\n1,agent,VIP,{note}\n1,agent,Hello,{message}\n"
    assert recognise(source(tmp_path, rows)).layout.columns["private"] == head
    assert [side for side, _ in told(tmp_path, rows)[0]] == ["user", "note", "assistant"]


def test_a_column_of_words_beside_a_message_makes_it_no_note(tmp_path):
    rows = "ticket,role,text,internal comment\n1,customer,Hi,\n1,agent,Hello,said with a smile\n"
    assert [side for side, _ in told(tmp_path, rows)[0]] == ["user", "assistant"]


def test_a_row_without_its_conversation_is_refused_with_its_place(tmp_path):
    file = source(tmp_path, "ticket,role,text\n1,customer,Hi\n,agent,Hello\n1,agent,Hello\n")
    refused = [each for each in read(file, recognise(file)) if isinstance(each, Refusal)]
    assert [refusal.text for refusal in refused] == [
        "export.bin, line 3: found no conversation; each row needs its conversation (column ticket). "
        "Fill it in, or leave the row out."
    ]


def test_mails_are_joined_to_threads_and_the_company_is_whom_they_are_sent_to(tmp_path):
    file = source(tmp_path, exports.MBOX)
    found = recognise(file)
    assert found.layout.team == ("@fernhollow.example",)
    first, second = read(file, found)
    assert (first.topic, first.customer, first.names) == ("Wilting fern", "nora@example.com", ("Nora Field",))
    assert first.time == "2026-06-01T07:00:00+00:00"
    assert second.turns[1].text.strip() == "At nine."


def test_single_mails_make_threads_too(tmp_path):
    paths = []
    for number, mail in enumerate((exports.MAIL_2, exports.MAIL_1)):
        paths.append(tmp_path / f"{number}.eml")
        paths[-1].write_text(mail)
    file = Source(paths, "mails")
    (thread,) = read(file, recognise(file))
    assert [turn.side for turn in thread.turns] == ["user", "assistant"]


@pytest.mark.parametrize("date", [f"Mon, 1 Jun {9**30} 09:00:00 +0000", f"Mon, 1 Jun 2026 09:00:00 +{9**30}"])
def test_a_date_beyond_all_calendars_counts_as_missing(tmp_path, date):
    file = source(tmp_path, exports.MBOX.replace("Date: Mon, 01 Jun 2026 09:00:00 +0200", f"Date: {date}"))
    first, _ = read(file, recognise(file))
    assert [turn.side for turn in first.turns] == ["user", "assistant"]
    assert first.time == "2026-06-01T08:00:00+00:00", "the next mail's"


def test_automatic_mails_count_as_a_bot(tmp_path):
    mail = exports.MAIL_2.replace("Subject:", "Auto-Submitted: auto-replied\nSubject:")
    box = "".join(f"From x Mon Jun  1 09:00:00 2026\n{each}\n" for each in (exports.MAIL_1, mail))
    assert [side for side, _ in told(tmp_path, box)[0]] == ["user", "bot"]


def test_a_transcript_keeps_lines_that_go_on(tmp_path):
    assert told(tmp_path, exports.TRANSCRIPT)[0][1] == ("assistant", "It is.\nYou can put it anywhere.")


def test_a_line_that_is_no_record_is_refused_and_the_others_read(tmp_path):
    file = source(tmp_path, exports.OPENAI + "nonsense\n" + exports.OPENAI)
    _, refused, _ = read(file, recognise(file))
    assert refused.text.startswith("export.bin, line 2: found 'nonsense', not valid JSON at column 1;")


BAD_RECORDS = {
    "another shape": ({"a": 1}, "found the fields a; a record should be OpenAI messages"),
    "unknown role": (
        {"messages": [{"role": "judge", "content": "x"}]},
        'message 1 has the role "judge"; "role" should be user, assistant or system',
    ),
    "text of a strange kind": (
        {"messages": [{"role": "user", "content": {"a": 1}}]},
        "its messages should be a list",
    ),
    "no list": ({"messages": "hello"}, "its messages should be a list of objects with a text and an author"),
}


@pytest.mark.parametrize("case", BAD_RECORDS)
def test_a_bad_record_is_refused_with_its_rule(tmp_path, case):
    record, text = BAD_RECORDS[case]
    file = source(tmp_path, exports.OPENAI + json.dumps(record))
    assert text in list(read(file, recognise(file)))[1].text


def test_a_document_that_breaks_off_keeps_what_stood_before(tmp_path):
    file = source(
        tmp_path,
        exports.ZENDESK[: exports.ZENDESK.rindex('"count"')].replace("]\n    }\n  ],", "]\n    }, {"),
    )
    ticket, refused = read(file, recognise(file))
    assert isinstance(ticket, Exported)
    assert "a document should be whole" in refused.text


NOT_THESE = {
    "empty": (b"", "is empty"),
    "blank": (b"\xef\xbb\xbf \n", "is empty"),
    "a picture": (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "is nothing that is known here"),
    "prose": (
        b"A letter about ferns.\nThey are green, and tall.\n\nYours.\n",
        "is nothing that is known here",
    ),
    "other JSON": (b'{"plants": ["fern"]}', "is nothing that is known here"),
}


@pytest.mark.parametrize("case", NOT_THESE)
def test_what_is_no_conversation_is_refused(tmp_path, case):
    data, text = NOT_THESE[case]
    with pytest.raises(AssistantError, match=text):
        recognise(source(tmp_path, data))


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path):
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"0" * 30_000_000)
    with pytest.raises(AssistantError, match="No real workbook does"):
        recognise(Source([path], "bomb.xlsx"))


def test_a_file_called_a_workbook_that_is_none_is_refused(tmp_path):
    path = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("xl/workbook.xml", b"<nothing/>")
    with pytest.raises(AssistantError, match="can't be read as an Excel workbook"):
        recognise(Source([path], "broken.xlsx"))


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2026-06-01T09:00:00Z", "2026-06-01T09:00:00+00:00"),
        ("2026-06-01 09:00", "2026-06-01T09:00:00+00:00"),
        ("Mon, 01 Jun 2026 09:00:00 +0200", "2026-06-01T07:00:00+00:00"),
        ("06/13/2026 4:05 PM", "2026-06-13T16:05:00+00:00"),
        ("13.6.2026 16:05", "2026-06-13T16:05:00+00:00"),
        ("1.6.2026 16:05", "2026-06-01T16:05:00+00:00"),
        (1717401600, "2024-06-03T08:00:00+00:00"),
        ("1717401600000", "2024-06-03T08:00:00+00:00"),
        ("12345", ""),
        ("yesterday evening", ""),
        ("0001-01-01 00:00:00", ""),
        (None, ""),
    ],
)
def test_times_are_understood_as_they_are_written(written, meant):
    assert iso_time(written) == meant
