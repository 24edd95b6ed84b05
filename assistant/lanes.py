"""The four assistants: tuned or not, grounded or not, and the one function that answers for all of them.

It owns the protocol an engine keeps and what an answer records. It does not know torch, pages or storage.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from assistant.brand import Brand
from assistant.budget import Budget
from assistant.errors import AssistantError
from assistant.prompts import Message, chat_messages, check_question, prompt_hash
from knowledge.retrieval import Findings, Found, joined


@dataclass(frozen=True)
class Lane:
    """One of the four assistants: two switches of a 2×2 design."""

    key: str
    name: str
    tuned: bool
    grounded: bool


LANES = (
    Lane("prompt", "Prompt only", tuned=False, grounded=False),
    Lane("tuned", "Fine-tuned", tuned=True, grounded=False),
    Lane("rag", "RAG", tuned=False, grounded=True),
    Lane("combined", "Combined", tuned=True, grounded=True),
)


def lane_of(key: str) -> Lane:
    """The lane with this key.

    Raises:
        AssistantError: there is none.
    """
    for lane in LANES:
        if lane.key == key:
            return lane
    raise AssistantError(
        f"{key!r} is no lane; the lanes are {', '.join(lane.key for lane in LANES)}. Name one of them."
    )


@dataclass(frozen=True)
class Sampling:
    """How tokens are chosen, and what ends an answer. `temperature` 0 takes the likeliest token."""

    max_tokens: int = 100
    temperature: float = 0.0
    top_p: float = 1.0
    """Of the likeliest tokens, those that together reach this share of the chances are drawn from."""
    top_k: int = 0
    """Only this many of the likeliest tokens are drawn from; 0 for all."""
    repetition_penalty: float = 1.0
    """Divides the logits of tokens the answer has said already (multiplies negative ones)."""
    stop: tuple[str, ...] = ()
    """Texts that end the answer before them."""
    seconds: float = 300.0
    """Time an answer may take, from being asked to its last word."""
    seed: int = 0


@dataclass(frozen=True)
class Request:
    """One row for an engine: a chat, and the adapter (or none) and its scale to answer it with."""

    messages: tuple[Message, ...]
    adapter: str | None = None
    scale: float = 0.0
    sampling: Sampling = Sampling()


@dataclass(frozen=True)
class Finish:
    """What an engine observed of a row when it ended; times in seconds since the row was handed in."""

    reason: str
    """end (the model stopped), stop (a stop text came), length (token limit), time (time limit), cancelled,
    busy (the waiting line was full), or failed."""
    base: str
    adapter: str | None
    scale: float
    prompt_tokens: int
    completion_tokens: int
    first_token_seconds: float
    seconds: float
    error: str = ""
    reused_tokens: int = 0
    """How many of the prompt's tokens had been read for an earlier row."""


@dataclass(frozen=True)
class Piece:
    """New text of one row, or its place in the waiting line; `finish` comes with its last piece."""

    row: int
    text: str
    finish: Finish | None = None
    waiting: int | None = None
    """How many rows start before this one."""


class Engine(Protocol):
    """What answers: the local model, or anything that streams text for rows."""

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Strings that the model's tokenizer reads as control tokens."""

    @property
    def window(self) -> int | None:
        """Tokens that a chat and its answer may have together; None where a model server does not tell."""

    def count_tokens(self, text: str) -> int:
        """How many tokens a text is to the model."""

    def generate(
        self, requests: Sequence[Request], cancelled: Callable[[], bool], owner: str = ""
    ) -> Iterator[Piece]:
        """Stream all rows at the same time; ends when each row has sent its finish.

        Owners that ask at the same time take turns, so that nobody waits for all that another one asked.
        """


class Library(Protocol):
    """What finds passages for a conversation."""

    @property
    def version(self) -> str:
        """The version of the index in force."""

    def search(self, question: str, history: Sequence[tuple[str, str]] = (), *, count: int = 10) -> Findings:
        """The passages that fit best, best first; `history` holds (role, content) pairs."""


@dataclass(frozen=True)
class Source:
    """A passage an answer was given: its place in the document, and the text as it was."""

    document: str
    passage_id: str
    place: str
    title: str
    text: str
    start: int
    end: int
    score: float

    @classmethod
    def of(cls, found: Found) -> "Source":
        """The source for a passage that a search found."""
        passage = found.passage
        return cls(
            passage.document,
            passage.id,
            passage.place,
            passage.title,
            passage.text,
            passage.start,
            passage.end,
            round(found.score, 6),
        )


@dataclass(frozen=True)
class Record:
    """What really produced an answer, observed at generation."""

    base: str
    adapter: str | None
    scale: float
    index_version: str | None
    query: str | None
    passages: tuple[str, ...]
    prompt_hash: str
    sampling: Sampling
    finish: str
    prompt_tokens: int
    completion_tokens: int
    retrieval_seconds: float
    first_token_seconds: float
    seconds: float
    created: str
    reused_tokens: int = 0
    """How many of the prompt's tokens had been read for an earlier answer."""


@dataclass(frozen=True)
class Followed:
    """An order to the assistant that stands in a document, and that an answer follows."""

    document: str
    order: str


@dataclass(frozen=True)
class Answer:
    """What one lane said to one question, so far or finally (`record` is there when it has ended)."""

    lane: str
    text: str = ""
    sources: tuple[Source, ...] = ()
    record: Record | None = None
    error: str = ""
    waiting: int | None = None
    """How many answers start before this one, while it waits in line."""
    unsupported: tuple[str, ...] = ()
    """Sentences of the text that no document supports, known once the answer has ended."""
    followed: tuple[Followed, ...] = ()
    """Orders in the sources that the answer seems to follow, known once it has ended."""

    @property
    def done(self) -> bool:
        """Whether no more text will come."""
        return self.record is not None or bool(self.error)

    @property
    def words_per_second(self) -> float:
        """Words a second after the first one; 0 where there are too few to tell."""
        words = len(self.text.split())
        decoding = self.record.seconds - self.record.first_token_seconds if self.record else 0.0
        return (words - 1) / decoding if decoding > 0 and words > 1 else 0.0

    def to_json(self) -> dict[str, Any]:
        """Plain values for storage."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "Answer":
        """The answer that `to_json` wrote."""
        record = value["record"]
        if record:
            chosen = record["sampling"]
            sampling = Sampling(**chosen | {"stop": tuple(chosen.get("stop", ()))})
            record = Record(**record | {"sampling": sampling, "passages": tuple(record["passages"])})
        sources = tuple(Source(**source) for source in value["sources"])
        unsupported = tuple(value.get("unsupported", ()))
        followed = tuple(Followed(**each) for each in value.get("followed", ()))
        return cls(
            value["lane"],
            value["text"],
            sources,
            record,
            value["error"],
            unsupported=unsupported,
            followed=followed,
        )


TURN_TOKENS = 8
"""Tokens at most that a chat template puts around each turn."""
NO_ADAPTER = "No adapter yet: this lane answers once you have trained one on the page Train."
NO_SERVED_ADAPTER = (
    "The model server has no adapter for this lane. Load one there, and start Quartet with "
    "--endpoint-adapter and its name."
)


@dataclass(frozen=True)
class Setup:
    """What the lanes answer with; the same for all of them but for the two switches."""

    brand: Brand
    engine: Engine
    library: Library | None = None
    adapter: str | None = None
    scale: float = 1.0
    sampling: Sampling = field(default_factory=Sampling)
    no_adapter: str = NO_ADAPTER
    """What a tuned lane says where there is no adapter."""


def ask(
    question: str,
    setup: Setup,
    *,
    lanes: Sequence[Lane] = LANES,
    histories: Mapping[str, Sequence[Message]] | None = None,
    cancelled: Callable[[], bool] = lambda: False,
    owner: str = "",
) -> Iterator[tuple[Answer, ...]]:
    """Answer one question in several lanes at the same time.

    Args:
        question: what is asked.
        setup: brand, engine, library, adapter and sampling.
        lanes: which assistants answer; the result keeps their order.
        histories: by lane key, that lane's own earlier turns, oldest first.
        cancelled: asked often; once true, all lanes end where they are.
        owner: who asks; in the engine's waiting line owners take turns.

    Yields:
        All answers so far, one for each lane, each time one of them has grown; the last has all of them done.

    Raises:
        AssistantError: the question is empty or too long.
    """
    question = check_question(question)
    earlier = {lane.key: tuple((histories or {}).get(lane.key, ())) for lane in lanes}
    findings = _find(question, setup, lanes, earlier)
    answers = [_opening(lane, setup, findings) for lane in lanes]
    rows = [index for index, answer in enumerate(answers) if not answer.done]
    requests = [
        _request(lanes[index], question, earlier[lanes[index].key], answers[index], setup) for index in rows
    ]
    yield tuple(answers)
    for piece in setup.engine.generate(requests, cancelled, owner):
        index, request = rows[piece.row], requests[piece.row]
        grown = replace(answers[index], text=answers[index].text + piece.text, waiting=piece.waiting)
        answers[index] = _ended(grown, request, piece.finish, findings) if piece.finish else grown
        yield tuple(answers)


def shown(findings: Findings, budget: Budget) -> tuple[Found, ...]:
    """The passages that a grounded lane reads: as many as fit the budget, overlapping ones joined.

    There are none if nothing in the documents fits the question.
    """
    if not findings.fits:
        return ()
    fitting = budget.fitting([found.passage for found in findings.found])
    return joined(findings.found[:fitting])


def budget_of(question: str, setup: Setup, histories: Iterable[Sequence[Message]] = ((),)) -> Budget:
    """What passages may take of the model's window beside the longest of the chats and its answer."""
    count, taken = setup.engine.count_tokens, 0
    for history in histories:
        messages = chat_messages(setup.brand, question, history, passages=())
        spoken = sum(count(message.content) + TURN_TOKENS for message in messages)
        taken = max(taken, spoken + setup.sampling.max_tokens)
    return Budget.of(setup.engine.window, count, taken=taken)


def _find(
    question: str, setup: Setup, lanes: Sequence[Lane], earlier: Mapping[str, Sequence[Message]]
) -> Findings | None:
    """Search once for all grounded lanes, with the history of the last of them (Combined where asked).

    Where nothing fits the question, no passage is shown: a model would make an answer of the nearest ones.
    """
    grounded = [lane for lane in lanes if lane.grounded]
    if not grounded or setup.library is None:
        return None
    history = [(message.role, message.content) for message in earlier[grounded[-1].key]]
    budget = budget_of(question, setup, [earlier[lane.key] for lane in grounded])
    findings = setup.library.search(question, history, count=budget.most)
    return replace(findings, found=shown(findings, budget))


def _opening(lane: Lane, setup: Setup, findings: Findings | None) -> Answer:
    if lane.tuned and setup.adapter is None:
        return Answer(lane.key, error=setup.no_adapter)
    found = findings.found if lane.grounded and findings else ()
    return Answer(lane.key, sources=tuple(Source.of(each) for each in found))


def _request(lane: Lane, question: str, history: Sequence[Message], answer: Answer, setup: Setup) -> Request:
    messages = chat_messages(
        setup.brand,
        question,
        history,
        passages=answer.sources if lane.grounded else None,
        special=setup.engine.special_tokens,
    )
    adapter = setup.adapter if lane.tuned else None
    return Request(messages, adapter, setup.scale if lane.tuned else 0.0, setup.sampling)


def _ended(answer: Answer, request: Request, finish: Finish, findings: Findings | None) -> Answer:
    grounded = lane_of(answer.lane).grounded and findings is not None
    record = Record(
        base=finish.base,
        adapter=finish.adapter,
        scale=finish.scale,
        index_version=findings.index_version if grounded and findings else None,
        query=findings.query if grounded and findings else None,
        passages=tuple(source.passage_id for source in answer.sources),
        prompt_hash=prompt_hash(request.messages),
        sampling=request.sampling,
        finish=finish.reason,
        prompt_tokens=finish.prompt_tokens,
        completion_tokens=finish.completion_tokens,
        retrieval_seconds=findings.seconds if grounded and findings else 0.0,
        first_token_seconds=finish.first_token_seconds,
        seconds=finish.seconds,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        reused_tokens=finish.reused_tokens,
    )
    return replace(answer, text=answer.text.strip(), record=record, error=finish.error)
