"""The parts of the rater's page as HTML: the conversation, an answer's card, its scores, the ranking.

They are given texts by position, A, B, C ..., and never who wrote them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from assistant.comparison import HIGHEST_SCORE, LETTERS, LOWEST_SCORE, Criterion
from assistant.prompts import Message
from assistant.ratings import Judgement

Paragraphs = Sequence[Sequence[str]]
"""An answer: paragraphs of sentences."""

PLACES = ("Best", "2nd", "3rd", "4th", "5th")
SPEAKERS = {"user": "Customer", "assistant": "Agent"}
BOARD = """<section class="board" aria-label="Ranking">
<h3>Rank them</h3>
<p>Drag each letter to its place, or tap a letter and then a place. Ties are fine.</p>
<div class="placing"><div class="tray">{chips}</div><div class="slots">{slots}</div></div>
<label class="none"><input type="checkbox" data-none{checked}>
None is usable: I would send none of these</label>
</section>"""
WORDS = """<section class="words">
<h3>Say more, if you like</h3>
<p>Click a sentence in an answer that is wrong.</p>
<label><span class="unseen">Comment</span>
<textarea data-comment maxlength="4000" rows="2" placeholder="Comment">{comment}</textarea></label>
<label><span class="unseen">A better answer</span>
<textarea data-better maxlength="4000" rows="2" placeholder="The answer you would have liked">
{better}</textarea></label>
</section>"""


@dataclass(frozen=True)
class Shown:
    """What a rater sees of one showing: the conversation, and the answers A, B, C ... in their order."""

    place: int
    question: str
    history: Sequence[Message]
    answers: Sequence[Paragraphs]


def talk(shown: Shown) -> str:
    """What was said before, and the question."""
    turns = "".join(
        f"<li><b>{SPEAKERS[turn.role]}</b> {_broken(turn.content)}</li>"
        for turn in shown.history
        if turn.role in SPEAKERS
    )
    before = f'<ol class="history" aria-label="What was said before">{turns}</ol>' if turns else ""
    question = f"<h2><span>Customer</span>{_broken(shown.question)}</h2>"
    return f'<section class="talk">{before}{question}</section>'


def meanings(criteria: Sequence[Criterion]) -> str:
    """What the scores mean, by criterion."""
    rows = "".join(
        f"<div><dt>{escape(each.name)}</dt><dd><b>{LOWEST_SCORE}</b> {escape(each.low)}</dd>"
        f"<dd><b>{HIGHEST_SCORE}</b> {escape(each.high)}</dd></div>"
        for each in criteria
    )
    summary = "<summary>What the scores mean</summary>"
    return f'<details class="meanings" open>{summary}<dl class="criteria">{rows}</dl></details>'


def card(position: int, answer: Paragraphs, below: str, wrong: Sequence[str] = ()) -> str:
    """An answer under its letter, sentence by sentence; `below` is what is said of it, as HTML."""
    number, paragraphs = 0, []
    for paragraph in answer:
        sentences = [_sentence(number + at, text, text in wrong) for at, text in enumerate(paragraph)]
        number += len(paragraph)
        paragraphs.append(f"<p>{' '.join(sentences)}</p>")
    return (
        f'<article data-answer="{position}"><h3>{LETTERS[position]}</h3>'
        f'<div class="text">{"".join(paragraphs)}</div><div class="below">{below}</div></article>'
    )


def scales(criteria: Sequence[Criterion], position: int, judgement: Judgement | None) -> str:
    """The scores of one answer, filled in where it was judged before."""
    return "".join(
        _scale(each, position, judgement.scores[each.key][position] if judgement else 0) for each in criteria
    )


def board(answers: int, judgement: Judgement | None) -> str:
    """The ranking: letters to be put in places, and whether none is usable."""
    ranks = judgement.ranks if judgement else ()
    chips = "".join(
        f'<button type="button" class="chip" data-chip="{position}" data-stop'
        f"{f' data-rank={ranks[position]}' if ranks else ''}>{LETTERS[position]}</button>"
        for position in range(answers)
    )
    slots = "".join(
        f'<div class="slot" data-slot="{place}"><span>{PLACES[place - 1]}</span></div>'
        for place in range(1, answers + 1)
    )
    return BOARD.format(
        chips=chips, slots=slots, checked=" checked" if judgement and judgement.unusable else ""
    )


def words(judgement: Judgement | None) -> str:
    """A comment, and the answer that the rater would have liked."""
    return WORDS.format(
        comment=escape(judgement.comment) if judgement else "",
        better=escape(judgement.better) if judgement else "",
    )


def guess(position: int) -> str:
    """Whether an answer was looked up."""
    return (
        f'<label class="guess" data-stop><input type="checkbox" data-guess="{position}"> '
        f'<span>Looked things up<span class="unseen">: answer {LETTERS[position]}</span></span></label>'
    )


def writer(name: str, place: int, scores: Sequence[tuple[str, int]], sources: Sequence[str]) -> str:
    """Who wrote an answer, told after the round, beside what the rater said of it."""
    said = "".join(f", {escape(criterion)} {score}" for criterion, score in scores)
    items = "".join(f"<li>{escape(source)}</li>" for source in sources)
    listed = f'<p class="sources">Looked up in</p><ul class="sources">{items}</ul>' if sources else ""
    return f'<p class="who"><b>{escape(name)}</b> · you placed it {PLACES[place - 1]}{said}</p>{listed}'


def marked(answer: Paragraphs, numbers: Sequence[int]) -> tuple[str, ...]:
    """The sentences behind the numbers that a page sent; numbers that there are not are left out."""
    sentences = [sentence for paragraph in answer for sentence in paragraph]
    return tuple(sentences[number] for number in sorted(set(numbers)) if 0 <= number < len(sentences))


def _broken(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _sentence(number: int, text: str, wrong: bool) -> str:
    state = f'aria-pressed="{str(wrong).lower()}" data-number="{number}"'
    return f'<span class="sentence" role="button" tabindex="-1" {state}>{escape(text)}</span>'


def _scale(criterion: Criterion, position: int, chosen: int) -> str:
    name, key = escape(f"{criterion.key}-{position}"), escape(criterion.key)
    cells = "".join(
        f'<label><input type="radio" name="{name}" value="{score}"{" checked" if score == chosen else ""}>'
        f"<span>{score}</span></label>"
        for score in range(LOWEST_SCORE, HIGHEST_SCORE + 1)
    )
    legend = f'{escape(criterion.name)}<span class="unseen"> of answer {LETTERS[position]}</span>'
    return (
        f'<fieldset class="scale" data-criterion="{key}" data-stop>'
        f"<legend>{legend}</legend><div>{cells}</div></fieldset>"
    )
