"""The room where raters vote: what a link answers, and nothing else. The token in it is its only key.

It knows requests. Which answer a letter stands for is looked up here when a vote is stored, and is never sent
before the round is over.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from assistant.ballot import page
from assistant.ballot.parts import Paragraphs, Shown, marked
from assistant.ballot.standing import Standing, standing
from assistant.comparison import SYSTEM_NAMES, Item, Showing
from assistant.comparison.likeness import plain_answer
from assistant.errors import AssistantError
from assistant.ratings import Judgement, Seat

FindSeat = Callable[[str], Seat | None]
"""The rater whose token it is."""
Token = Annotated[str, Path(min_length=1, max_length=100)]
Place = Annotated[int, Path(ge=1, le=10_000)]
ADDRESS = "/rate"
A_DAY = 86_400


class VoteForm(BaseModel):
    """What the page sends for a vote; everything goes by position."""

    key: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]
    ranks: Annotated[list[int], Field(max_length=5)] = []
    scores: Annotated[dict[str, Annotated[list[int], Field(max_length=5)]], Field(max_length=50)]
    unusable: bool = False
    comment: str = ""
    better: str = ""
    wrong: Annotated[list[Annotated[list[int], Field(max_length=500)]], Field(max_length=5)] = []
    seconds: Annotated[float, Field(ge=0)] = 0.0


class GuessForm(BaseModel):
    """What the page sends for a guess, by position."""

    looked_up: Annotated[list[bool], Field(max_length=5)]


def ballot_room(find_seat: FindSeat) -> APIRouter:
    """The routes under which raters vote."""
    room = APIRouter(prefix=ADDRESS)

    @room.get("/{token}")
    def now(token: Token, request: Request) -> Response:
        seat, path = find_seat(token), _path(request, token)
        return _page(_content(seat, path), path) if seat else _nowhere(path)

    @room.get("/{token}/{place}")
    def again(token: Token, place: Place, request: Request) -> Response:
        seat, path = find_seat(token), _path(request, token)
        if seat is None:
            return _nowhere(path)
        at = _standing(seat)
        showing = at.at(place)
        return _page(_voting(seat, at, showing, path) if showing else _content(seat, path), path)

    @room.post("/{token}/{place}")
    def vote(token: Token, place: Place, form: VoteForm, request: Request) -> Response:
        return _stored(
            find_seat(token), _path(request, token), place, lambda seat, showing: _cast(seat, showing, form)
        )

    @room.post("/{token}/{place}/guess")
    def guess(token: Token, place: Place, form: GuessForm, request: Request) -> Response:
        return _stored(
            find_seat(token),
            _path(request, token),
            place,
            lambda seat, showing: seat.desk.votes.guess(showing, form.looked_up),
        )

    return room


def _path(request: Request, token: str) -> str:
    """Where this rater's pages are, also behind a proxy that puts something before all addresses."""
    return f"{request.scope.get('root_path', '')}{ADDRESS}/{token}"


def _stored(seat: Seat | None, path: str, place: int, store: Callable[[Seat, Showing], None]) -> Response:
    """Store what was sent, and only then answer with what comes next."""
    showing = _standing(seat).at(place) if seat else None
    if seat is None or showing is None:
        return _answer({"problem": "This can't be voted on. Load the page again."}, 404)
    try:
        store(seat, showing)
    except AssistantError as problem:
        return _answer({"problem": str(problem)}, 422)
    return _answer({"html": _content(seat, path)})


def _cast(seat: Seat, showing: Showing, form: VoteForm) -> None:
    answers = _shown(seat.desk.studies.item(showing.item_id), showing).answers
    judgement = Judgement(
        tuple(form.ranks),
        {key: tuple(scores) for key, scores in form.scores.items()},
        form.unusable,
        form.comment,
        _wrong(answers, form.wrong),
        form.better,
        min(form.seconds, A_DAY),
    )
    seat.desk.votes.cast(showing, form.key, judgement, seat.study.criteria)


def _wrong(answers: Sequence[Paragraphs], numbers: Sequence[Sequence[int]]) -> tuple[tuple[str, ...], ...]:
    """The sentences that were marked, for each answer; nothing where none was."""
    found = tuple(marked(*each) for each in zip(answers, numbers, strict=False))
    return found if any(found) and len(found) == len(answers) else ()


def _content(seat: Seat, path: str) -> str:
    """What the rater is shown now."""
    at = _standing(seat)
    if at.phase == "vote":
        return _voting(seat, at, at.unjudged[0], path)
    if at.phase == "guess":
        showing = at.unguessed[0]
        return page.guessing(at, _shown(seat.desk.studies.item(showing.item_id), showing), path)
    if at.phase == "over":
        return page.over(at, _told(seat, at))
    return page.early(at) if at.phase == "early" else page.done(at, path)


def _voting(seat: Seat, at: Standing, showing: Showing, path: str) -> str:
    return page.voting(at, _shown(seat.desk.studies.item(showing.item_id), showing), path)


def _told(seat: Seat, at: Standing) -> str:
    """Who wrote what in all that this rater judged."""
    items = {item.id: item for item in seat.desk.studies.items(seat.study.id)}
    parts = []
    for vote in at.votes.values():
        item, systems = items[vote.showing.item_id], vote.showing.systems
        sources = [[source.title for source in item.answers[system].sources] for system in systems]
        names = [SYSTEM_NAMES[system] for system in systems]
        parts.append(
            page.reveal(_shown(item, vote.showing), names, sources, vote.judgement, seat.study.criteria)
        )
    return "".join(parts)


def _shown(item: Item, showing: Showing) -> Shown:
    """The item as this rater sees it: texts alone, by position."""
    answers = [plain_answer(item.answers[system].text, item.titles) for system in showing.systems]
    return Shown(showing.place, item.question, item.history, answers)


def _standing(seat: Seat) -> Standing:
    return standing(seat.desk, seat.study, seat.rater)


def _page(content: str, path: str, status: int = 200) -> Response:
    nonce = secrets.token_urlsafe(16)
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; "
        "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return HTMLResponse(
        page.whole(content, path, nonce), status, _HEADERS | {"Content-Security-Policy": policy}
    )


def _answer(value: dict[str, str], status: int = 200) -> Response:
    return JSONResponse(value, status, _HEADERS)


def _nowhere(path: str) -> Response:
    return _page(page.nowhere(), path, 404)


_HEADERS = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}
"""The address is a key: it is neither kept nor passed on."""
