"""The rater's pages as HTML: before the round, a question to judge, one to guess about, the end, the reveal.

It knows what stands on which page. The parts are known by `parts.py`.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

from assistant.ballot.parts import Shown, board, card, guess, meanings, scales, talk, words, writer
from assistant.ballot.standing import Standing
from assistant.comparison import Criterion
from assistant.ratings import Judgement

FOLDER = Path(__file__).parent
STYLES = (FOLDER.parent / "ui" / "colours.css", FOLDER / "page.css")
SCRIPT = FOLDER / "page.js"

MARK = """<span class="mark"><svg viewBox="0 0 22 22" width="20" height="20" aria-hidden="true">
<rect x="1" y="9" width="3.5" height="12" rx="1.2"/><rect x="6.5" y="5" width="3.5" height="16" rx="1.2"/>
<rect x="12" y="7" width="3.5" height="14" rx="1.2"/><rect x="17.5" y="1" width="3.5" height="20" rx="1.2"/>
</svg></span>"""
KEYS = (
    ("1 – 5", "score, or place, what is marked; then on to the next"),
    ("Tab, Backspace", "on, and back"),
    ("N", "none is usable"),
    ("W", "mark a wrong sentence: arrows choose, Space marks, Esc leaves"),
    ("C", "comment; Esc leaves it"),
    ("U", "undo the last one"),
    ("Enter", "next"),
)
WHOLE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Which answer is best?</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="robots" content="noindex">
<link rel="icon" href="data:,"><style nonce="{nonce}">{styles}</style></head>
<body data-home="{home}"><div id="problem" role="alert" hidden></div><div id="content">{content}</div>
<noscript><p>This page needs JavaScript. Switch it on in your browser, then load it again.</p></noscript>
<script nonce="{nonce}">{script}</script></body></html>"""
GUESS_LEAD = (
    "Some answers were written with the company’s documents at hand, some without. Mark those that you "
    "believe had them; perhaps none. No guess is wrong: together they tell how blind the round was."
)
EARLY = (
    "The answers are still being prepared. Keep this link: your questions come as soon as the round opens."
)
NOTHING = "There is nothing for you to judge in this round."
DONE = "All your votes are stored. Once the round is over, this link shows who wrote what, with sources."
OVER = "The round is over. This is who wrote what."
NOWHERE = "It may be cut off, or no longer in use. Ask whoever sent it to you for a new one."


def whole(content: str, home: str, nonce: str) -> str:
    """The whole page around what is shown now; styles and script stand in it, so it asks for nothing else.

    `home` is where this rater's pages are.
    """
    styles = "\n".join(path.read_text(encoding="utf-8") for path in STYLES)
    script = SCRIPT.read_text(encoding="utf-8")
    return WHOLE.format(content=content, home=escape(home), nonce=nonce, styles=styles, script=script)


def voting(at: Standing, shown: Shown, path: str) -> str:
    """A question with its answers to rank and score; filled in where it was judged before."""
    vote = at.votes.get(shown.place)
    judgement = vote.judgement if vote else None
    wrong = judgement.wrong if judgement and judgement.wrong else ((),) * len(shown.answers)
    cards = "".join(
        card(position, answer, scales(at.study.criteria, position, judgement), wrong[position])
        for position, answer in enumerate(shown.answers)
    )
    return (
        f"{_header(at, shown.place, path)}"
        f'<main data-step="vote" data-post="{path}/{shown.place}"{" data-judged" if vote else ""}>'
        f'<div class="top">{talk(shown)}{meanings(at.study.criteria)}</div><div class="answers">{cards}</div>'
        f'<div class="verdict">{board(len(shown.answers), judgement)}{words(judgement)}</div>'
        f"{_footer('Change it' if vote else 'Next')}</main>"
    )


def guessing(at: Standing, shown: Shown, path: str) -> str:
    """A question judged before, with the guess which of its answers were looked up."""
    cards = "".join(card(position, answer, guess(position)) for position, answer in enumerate(shown.answers))
    number = len(at.to_guess) - len(at.unguessed) + 1
    progress = f'<span class="progress">One last thing: <b>{number}</b> of {len(at.to_guess)}</span>'
    return (
        f'<header><div class="bar">{MARK}{progress}</div></header>'
        f'<main data-step="guess" data-post="{path}/{shown.place}/guess">'
        f'<h1>Which of these do you think looked things up?</h1><p class="lead">{GUESS_LEAD}</p>'
        f'<div class="top">{talk(shown)}</div><div class="answers">{cards}</div>{_footer("Next")}</main>'
    )


def early(at: Standing) -> str:
    """What a rater reads before the round is open."""
    return _message(f"Hello, {at.rater.name}", EARLY)


def done(at: Standing, path: str) -> str:
    """What a rater reads when everything is judged; until the round is over they may change their mind."""
    if not at.sheet:
        return _message(f"Hello, {at.rater.name}", NOTHING)
    places = "".join(f'<li><a href="{path}/{each.place}">{each.place}</a></li>' for each in at.sheet)
    again = f'<h2>Changed your mind?</h2><ol class="places">{places}</ol>'
    return _message(f"Thank you, {at.rater.name}", DONE, again)


def over(at: Standing, told: str) -> str:
    """What a rater reads after the round; `told` shows who wrote what, as HTML."""
    return _message(f"Thank you, {at.rater.name}", OVER, told)


def reveal(
    shown: Shown,
    names: Sequence[str],
    sources: Sequence[Sequence[str]],
    judgement: Judgement,
    criteria: Sequence[Criterion],
) -> str:
    """One question after the round: each answer with its writer, its sources and what the rater said."""
    cards = []
    for position, answer in enumerate(shown.answers):
        scores = [(each.name, judgement.scores[each.key][position]) for each in criteria]
        below = writer(names[position], judgement.ranks[position], scores, sources[position])
        cards.append(card(position, answer, below))
    return f'<section class="told">{talk(shown)}<div class="answers">{"".join(cards)}</div></section>'


def nowhere() -> str:
    """What stands under a link that is nobody's."""
    return _message("This link leads nowhere", NOWHERE)


def _message(title: str, text: str, more: str = "") -> str:
    return (
        f'<header><div class="bar">{MARK}</div></header><main data-step="words"><h1>{escape(title)}</h1>'
        f'<p class="lead">{text}</p>{more}</main>'
    )


def _header(at: Standing, place: int, path: str) -> str:
    minutes = max(1, round(at.seconds_left / 60))
    left = f"about {minutes} min left" if at.unjudged else "done before; you may change it"
    undo = f'<a class="undo" href="{path}/{place - 1}" data-undo>Undo last</a>' if place > 1 else ""
    keys = "".join(f"<div><dt>{escape(key)}</dt><dd>{escape(does)}</dd></div>" for key, does in KEYS)
    progress = f'<span class="progress" role="status"><b>{place}</b> of {len(at.sheet)} · {left}</span>'
    help_button = '<button type="button" class="help" data-help aria-expanded="false">Keys</button>'
    return (
        f'<header><div class="bar">{MARK}{progress}{undo}{help_button}</div>'
        f'<progress max="{len(at.sheet)}" value="{at.done}" aria-label="Judged so far"></progress>'
        f'<dl class="keys" hidden>{keys}</dl></header>'
    )


def _footer(text: str) -> str:
    return (
        '<footer><span class="missing" role="status"></span>'
        f'<button type="button" class="next" data-next>{text}</button></footer>'
    )
