"""The data report of the page Conversations as HTML: the verdict, plots, who speaks, topics, contradictions.

It knows how they look. It does not know how they are counted or found.
"""

from collections.abc import Sequence
from html import escape

from assistant.conversations import CloserLook, Contradiction, Judgement, Summary, Topic
from assistant.conversations.report import HISTOGRAM, MESSAGES, TOKENS
from assistant.ui.charts import bars
from assistant.ui.layout import notice
from assistant.ui.parts import action, facts, quiet, section
from assistant.wording import counted

SPEAKERS = 6
"""People of the team who are named; the others are counted."""
LANGUAGES = {
    "en": "English",
    "de": "German",
    "fr": "French",
    "es": "Spanish",
    "it": "Italian",
    "nl": "Dutch",
    "pt": "Portuguese",
    "pl": "Polish",
}
NUMBERS_ONLY = (
    "Replies are compared with your documents by the numbers they name. Look at each yourself: the reply may "
    "be old, the document may be, or both may be right."
)


def verdict_html(judgements: Sequence[Judgement]) -> str:
    """Whether the conversations are enough, in plain words."""
    rows = "".join(
        f'<li class="q-report-{"good" if each.good else "lacks"}">{escape(each.text)}</li>'
        for each in judgements
    )
    title = section("Enough to train?" if all(each.good for each in judgements) else "Something is missing")
    return f'{title}<ul class="q-report-verdict">{rows}</ul>'


def numbers_html(told: Summary, duplicates: float | None) -> str:
    """All conversations in numbers and plots, and who speaks."""
    sampled = told.counted < told.conversations
    pairs = [
        ("Conversations", f"{told.conversations:,}"),
        *([("Counted in a fair sample of", f"{told.counted:,}")] if sampled else []),
        ("Messages", f"{told.messages:,}"),
        ("Replies", f"{told.replies:,}"),
        ("Words per reply", f"{told.median_words:.0f}"),
        ("Longest reply", f"{told.longest_words:,} words"),
        ("Near-duplicates", "–" if duplicates is None else f"{100 * duplicates:.1f} %"),
    ]
    plots = (
        bars(_bins(HISTOGRAM), told.reply_histogram, "Replies by their length in words")
        + bars(_bins(MESSAGES), told.message_histogram, "Conversations by their messages")
        + bars(_bins(TOKENS), told.token_histogram, "Conversations by their tokens, about")
    )
    body = facts(pairs) + plots + _team(told)
    return f'{section("In numbers")}<div class="q-card q-conversations-numbers">{body}</div>'


def looking_html(text: str, fraction: float) -> str:
    """How far a closer look is."""
    return (
        f'<div class="q-card q-intake-progress" role="status"><div><b>{escape(text)}</b></div>'
        f'<span class="q-meter q-parts-meter"><span style="width:{round(100 * fraction)}%"></span></span>'
        "</div>"
    )


def closer_html(look: CloserLook | None, stamp: str) -> str:
    """What a closer look found; says so where the conversations have changed since."""
    if look is None:
        return quiet("Languages, topics, and replies that say other numbers than your documents.")
    old = notice("The conversations have changed since. Look again for what holds now.")
    said = counted(look.looked_at, "conversation")
    languages = ", ".join(f"{LANGUAGES.get(name, name)} {count:,}" for name, count in look.languages)
    return (
        ("" if look.stamp == stamp else old)
        + f'<div class="q-card q-report-closer">{facts([("Languages", languages), ("Looked at", said)])}'
        + f"<h3>Topics</h3>{_topics(look.topics)}</div>"
        + _contradictions(look)
    )


def _topics(topics: Sequence[Topic]) -> str:
    most = max((topic.conversations for topic in topics), default=1)
    rows = "".join(
        f"<li><details><summary><b>{escape(', '.join(topic.words) or 'Various')}</b>"
        f"{'<i>thin</i>' if topic.thin else ''}<span>{topic.conversations:,}</span>"
        f'<em style="width:{100 * topic.conversations / most:.0f}%"></em></summary>'
        + "".join(f"<p>{escape(example)}</p>" for example in topic.examples)
        + "</details></li>"
        for topic in topics
    )
    thin = [topic for topic in topics if topic.thin]
    advice = quiet(f"{counted(len(thin), 'topic')} with few conversations: add some, or expect little there.")
    return f'<ul class="q-report-topics">{rows}</ul>{advice if thin else ""}'


def _contradictions(look: CloserLook) -> str:
    if not look.answers:
        return quiet("No reply with a number was compared: there are no documents yet, or no such replies.")
    if not look.contradictions:
        return quiet(f"No number in {counted(look.answers, 'conversation')} differs from the documents.")
    rows = "".join(map(_contradiction, look.contradictions))
    title = section("Replies against the documents", counted(len(look.contradictions), "place"))
    return f'{title}{quiet(NUMBERS_ONLY)}<ul class="q-report-against">{rows}</ul>'


def _contradiction(found: Contradiction) -> str:
    out = action("Leave out", "exclude", f"0 {found.source}", label=f"Leave out {found.source}")
    return (
        f"<li><p><b>Reply</b> {escape(found.claim)}</p>"
        f"<p><b>{escape(found.title)}</b> {escape(found.passage)}</p>"
        f"<div><span>{escape(found.source)}</span>{out}</div></li>"
    )


def _team(told: Summary) -> str:
    if not told.team:
        return ""
    named = ", ".join(f"{escape(name)} {count:,}" for name, count in told.team[:SPEAKERS])
    others = len(told.team) - SPEAKERS
    more = f" and {others:,} more" if others > 0 else ""
    return quiet(f"Replies by: {named}{more}.", "q-conversations-note")


def _bins(ends: Sequence[int]) -> list[str]:
    """Short names of bins by their ends, which fit under narrow bars on a phone."""
    return [*(f"≤{end}" for end in ends), f">{ends[-1]}"]
