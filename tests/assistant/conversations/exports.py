"""Exports of help desks as they come: small, written here, with the untidiness of the real ones."""

import json
from io import BytesIO

from openpyxl import Workbook

OPENAI = (
    '{"messages": [{"role": "system", "content": "Be kind."}, '
    '{"role": "user", "content": "Is it in stock?"}, '
    '{"role": "assistant", "content": [{"type": "text", "text": "Yes, three."}]}], '
    '"meta": {"topic": "stock"}}\n'
)
SHAREGPT = json.dumps(
    [
        {
            "conversations": [
                {"from": "human", "value": "Do you ship abroad?"},
                {"from": "gpt", "value": "We do."},
            ]
        }
    ],
    indent=1,
)
ALPACA = json.dumps(
    [{"instruction": "Answer the customer.", "input": "Where is my parcel?", "output": "On its way."}],
    indent=1,
)
CSV_MESSAGES = """\
Export of June;;;;
Ticket ID;Author;Message;Created at;Subject
T-1;Mia Wong;"Hello, my basil
arrived brown.";2026-06-01 09:00;Damage
T-2;Tom Hale;Do you open on Sunday?;2026-06-01 09:05;Hours
T-1;Lena;I am sorry! A new one is on its way.;2026-06-01 09:10;Damage
T-2;Lena;We do, from ten.;2026-06-01 09:20;Hours
T-1;Mia Wong;Thank you!;2026-06-01 09:30;Damage
"""
CSV_PAIRS = """\
Customer question,Agent reply,Category
Can I return an opened bag?,"Yes, within 30 days.",returns
How long is delivery?,Two to four days.,delivery
"""
TRANSCRIPT = """\
Conversation 1
[10:02] Customer: Hi, is the fern safe for cats?
[10:03] Agent: It is.
You can put it anywhere.
[10:04] Customer: Great, thanks!

Conversation 2
[11:00] Customer: Which soil for a cactus?
[11:01] Agent: Our gritty mix.
"""
ZENDESK = json.dumps(
    {
        "tickets": [
            {
                "id": 7,
                "subject": "Late parcel",
                "requester_id": 11,
                "requester": {"id": 11, "name": "Ada Byron", "email": "ada@example.com"},
                "comments": [
                    {
                        "author_id": 11,
                        "body": "Where is my order?",
                        "public": True,
                        "created_at": "2026-05-01T08:00:00Z",
                    },
                    {
                        "author_id": 3,
                        "body": "Ask the depot first.",
                        "public": False,
                        "created_at": "2026-05-01T08:10:00Z",
                    },
                    {
                        "author_id": -1,
                        "body": "Ticket assigned.",
                        "public": True,
                        "created_at": "2026-05-01T08:11:00Z",
                    },
                    {
                        "author_id": 3,
                        "html_body": "<p>Dear Ada,<br>it comes <b>today</b>.</p>",
                        "public": True,
                    },
                ],
            }
        ],
        "count": 1,
    },
    indent=2,
)
INTERCOM = json.dumps(
    {
        "type": "conversation.list",
        "conversations": [
            {
                "type": "conversation",
                "created_at": 1717401600,
                "source": {
                    "subject": "Pots",
                    "body": "<p>Do you sell <i>blue</i> pots?</p>",
                    "author": {"type": "user", "id": "u1", "name": "Jo March"},
                },
                "conversation_parts": {
                    "conversation_parts": [
                        {
                            "part_type": "comment",
                            "body": "<p>Hello! A person will answer soon.</p>",
                            "author": {"type": "bot", "name": "Fin"},
                            "created_at": 1717401660,
                        },
                        {
                            "part_type": "note",
                            "body": "VIP",
                            "author": {"type": "admin", "name": "Lena"},
                            "created_at": 1717401700,
                        },
                        {"part_type": "assignment", "body": None, "author": {"type": "admin"}},
                        {
                            "part_type": "comment",
                            "body": "<p>We do, in two sizes.</p>",
                            "author": {"type": "admin", "name": "Lena"},
                            "created_at": 1717402000,
                        },
                    ]
                },
            }
        ],
    }
)
MAIL_1 = """\
From: Nora Field <nora@example.com>
To: help@fernhollow.example
Subject: Wilting fern
Message-ID: <1@example.com>
Date: Mon, 01 Jun 2026 09:00:00 +0200

Hello,

my fern wilts. What can I do?

Best regards,
Nora Field
+49 30 901820
"""
MAIL_2 = """\
From: Lena <help@fernhollow.example>
To: Nora Field <nora@example.com>
Subject: Re: Wilting fern
Message-ID: <2@fernhollow.example>
In-Reply-To: <1@example.com>
References: <1@example.com>
Date: Mon, 01 Jun 2026 10:00:00 +0200

Dear Nora,

water it once a week.

Kind regards,
Lena

On Mon, 1 Jun 2026 at 09:00, Nora Field <nora@example.com> wrote:
> Hello,
> my fern wilts. What can I do?
"""
MAIL_3 = """\
From: Max <max@example.org>
To: help@fernhollow.example
Subject: Opening hours
Message-ID: <3@example.org>
Date: Tue, 02 Jun 2026 09:00:00 +0200

When do you open?
"""
MAIL_4 = """\
From: Lena <help@fernhollow.example>
To: Max <max@example.org>
Subject: AW: Opening hours
Message-ID: <4@fernhollow.example>
Date: Tue, 02 Jun 2026 09:30:00 +0200

At nine.
"""
MBOX = "".join(
    f"From x@example.com Mon Jun  1 09:00:00 2026\n{mail}\n" for mail in (MAIL_1, MAIL_3, MAIL_2, MAIL_4)
)


def workbook() -> bytes:
    """The table of messages as an Excel workbook, beside a sheet of notes."""
    book = Workbook()
    book.active.title = "Notes"
    book.active.append(["Made by the help desk"])
    sheet = book.create_sheet("Messages")
    for row in (
        ("conversation_id", "role", "text", "timestamp"),
        (1, "customer", "Is the pot blue?", "2026-06-01 09:00"),
        (1, "agent", "It is.", "2026-06-01 09:01"),
        (2, "customer", "And the bag?", "2026-06-02 09:00"),
        (2, "agent", "Red.", "2026-06-02 09:01"),
    ):
        sheet.append(row)
    file = BytesIO()
    book.save(file)
    return file.getvalue()
