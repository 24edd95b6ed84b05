"""A file is imported: read as it streams in, cleaned, compared with what is kept; kept whole or not at all.

It knows the order of things, progress and the way to stop. One conversation is held at a time, and of each
that was kept what it takes to tell the next ones from it.
"""

import hashlib
import json
from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from assistant.conversations.about import About
from assistant.conversations.cleaning import Cleaning, Repeats, Tally, cleaned, privacy
from assistant.conversations.cleaning.patience import patience
from assistant.conversations.formats import Recognised, Source, read
from assistant.conversations.model import Conversation, Exported, Refusal, UnusableError
from assistant.conversations.reading import conversation_in, line_of
from assistant.conversations.sampling import fair_places
from assistant.conversations.store import ConversationStore, checked_name, digest_of
from assistant.errors import AssistantError, unwritable
from assistant.scratch import scratch_folder

MOST_KEPT = 1_000_000
"""Conversations kept of one file: a fair sample where there are more. A voice is learned from far fewer."""
MOST_BYTES = 3_000_000_000
"""Bytes of the conversations, as they were exported, that are kept of one file."""
OWN_SAMPLE = 20_000
"""Conversations, a fair sample, that tell which contacts are the company's own."""
REFUSALS = 100
"""Refused places that are kept with their reasons."""
READING = 0.1
"""Share of the time that reading takes; the rest is cleaning."""
STEP = 200
"""Conversations between two reports."""


@dataclass(frozen=True)
class Progress:
    """How far an import is, 0 to 1, and how many conversations were read."""

    text: str
    fraction: float
    conversations: int


Report = Callable[[Progress], None]
"""Told how far it is; may raise to end the import, of which nothing is kept then."""


def import_file(
    store: ConversationStore,
    source: Source,
    recognised: Recognised,
    cleaning: Cleaning,
    report: Report = lambda progress: None,
) -> About:
    """Import a file into the store under its name, in place of an earlier one of that name.

    Raises:
        AssistantError: it holds no usable conversation, or it can't be read or kept.
    """
    name = checked_name(source.name)
    store.folder.mkdir(parents=True, exist_ok=True)
    course = _Course(source, recognised, cleaning, report)
    try:
        with scratch_folder(store.folder, ".import-") as room:
            every, made = room / "every", room / "made"
            course.read_all(every)
            there = store.read().conversations.outside(name) if cleaning.folded else ()
            course.write_new(every, there, made)
            about = course.about()
            store.keep(made, name, about, course.checking)
    except OSError as problem:
        raise unwritable(store.folder / name, problem) from problem
    return about


class _Course:
    """One import under way: what it has read, refused and changed so far."""

    def __init__(self, source: Source, recognised: Recognised, cleaning: Cleaning, report: Report) -> None:
        self.source, self.recognised, self.cleaning, self.report = source, recognised, cleaning, report
        self.tally = Tally()
        self.refusals: list[Refusal] = []
        self.refused = 0
        self.ends = array("Q", [0])
        """Where each line of the file of all conversations ends."""
        self.sampled = 0

    def read_all(self, every: Path) -> None:
        """Write each conversation of the source as a line, as it was exported."""
        with every.open("wb") as file:
            for found in read(self.source, self.recognised):
                if isinstance(found, Refusal):
                    self._refuse(found)
                    continue
                if len(self.ends) % STEP == 1:
                    self._tell("Reading", READING * self.source.fraction)
                line = json.dumps(found.to_json()).encode() + b"\n"
                file.write(line)
                self.ends.append(self.ends[-1] + len(line))

    def write_new(self, every: Path, there: Sequence[Conversation], made: Path) -> None:
        """Clean each conversation, or a fair sample of too many, and write those that are new.

        Raises:
            AssistantError: not one is usable, or none is new.
        """
        own = self._own_contacts(every) if self.cleaning.masked else set()
        chosen = self._chosen()
        repeats = Repeats(self.cleaning, self.tally, len(there) + len(chosen))
        for number, known in enumerate(there):
            if number % STEP == 0:
                self._tell("Looking at what is kept beside", READING)
            repeats.know(known)
        usable = 0
        with _Made(made, there) as new:
            for done, found in enumerate(self._exported(every, chosen)):
                if done % STEP == 0:
                    self._tell("Cleaning", READING + (1 - READING) * done / len(chosen))
                try:
                    conversation = self._cleaned(found, own)
                except UnusableError as problem:
                    self._refuse(problem.refusal(self.source.name, found.line))
                    continue
                usable += 1
                if repeats.new(conversation, new.told):
                    new.add(conversation)
        self._check(usable, len(new))

    def checking(self, number: int) -> None:
        """Tell that what was made is looked through, up to this line."""
        self._tell("Checking", 1.0)

    def _check(self, usable: int, new: int) -> None:
        if not usable:
            first = f" The first: {self.refusals[0].text}" if self.refusals else ""
            raise AssistantError(
                f"{self.source.name} has no usable conversation ({self.refused} refused).{first}"
            )
        if not new:
            raise AssistantError(
                f"{self.source.name} holds nothing new: each of its {usable:,} conversations is almost "
                "the same as one that is kept already. Nothing was added."
            )

    def _own_contacts(self, every: Path) -> set[str]:
        """The company's own contacts, as a fair sample tells: a rare one may be a customer's."""
        chosen = fair_places(len(self.ends) - 1, OWN_SAMPLE)

        def looked_through() -> Iterator[Exported]:
            for done, found in enumerate(self._exported(every, chosen)):
                if done % STEP == 0:
                    self._tell("Looking through", READING)
                yield found

        return own_contacts(looked_through())

    def _exported(self, every: Path, chosen: Sequence[int]) -> Iterator[Exported]:
        """The chosen conversations as they were exported, in the order of the file."""
        with every.open("rb") as lines:
            for number in chosen:
                lines.seek(self.ends[number])
                yield Exported.of(json.loads(lines.readline()))

    def about(self) -> About:
        """What became of it."""
        return About(
            title=self.recognised.title,
            digest=digest_of(*self.source.paths),
            seen=len(self.ends) - 1,
            refused=self.refused,
            refusals=tuple(self.refusals),
            counts=dict(self.tally.counts),
            examples={step: tuple(examples) for step, examples in self.tally.examples.items()},
            masked=dict(self.tally.masked),
            sampled=self.sampled,
            cleaning=asdict(self.cleaning),
        )

    def _chosen(self) -> Sequence[int]:
        count = len(self.ends) - 1
        chosen = fair_places(count, min(MOST_KEPT, int(MOST_BYTES * count / max(self.ends[-1], 1)) or 1))
        self.sampled = len(chosen) if len(chosen) < count else 0
        return chosen

    def _cleaned(self, found: Exported, own: Container[str]) -> Conversation:
        name, unit = self.source.name, self.recognised.unit
        return conversation_of(found, name, self.cleaning, self.tally, unit=unit, own=own)

    def _tell(self, text: str, fraction: float) -> None:
        self.report(Progress(f"{text} {self.source.name}", fraction, len(self.ends) - 1))

    def _refuse(self, refusal: Refusal) -> None:
        self.refused += 1
        if len(self.refusals) < REFUSALS:
            self.refusals.append(refusal)


def own_contacts(exported: Iterable[Exported]) -> set[str]:
    """The company's own contacts: its side gives them in several conversations."""
    seen: Counter[str] = Counter()
    for each in exported:
        with suppress(UnusableError), patience():
            seen.update(privacy.contacts(turn.text for turn in each.turns if turn.side == "assistant"))
    return {contact for contact, count in seen.items() if count >= privacy.OWN_AFTER}


def conversation_of(
    found: Exported,
    name: str,
    cleaning: Cleaning,
    tally: Tally,
    *,
    unit: str = "line",
    own: Container[str] = (),
) -> Conversation:
    """An exported conversation, cleaned; who the customer is stays as a hash, `own` contacts as they are.

    Raises:
        UnusableError: nothing can be learned from it.
    """
    with patience():
        messages = cleaned(found, cleaning, tally, own)
    team = dict.fromkeys(turn.author for turn in found.turns if turn.side == "assistant" and turn.author)
    customer = hashlib.sha256(found.customer.lower().encode()).hexdigest()[:12] if found.customer else ""
    topic = found.topic
    if cleaning.masked:
        topic = privacy.mask(topic, privacy.find(topic, found.names))
    return Conversation(
        messages,
        f"{name}:{found.line}",
        topic=topic.strip()[:80],
        time=found.time,
        customer=customer,
        team=tuple(team)[:4],
        place=f"{unit} {found.line}",
    )


class _Made:
    """The file of what is kept, written line by line; tells what was written, and what is kept beside it."""

    def __init__(self, path: Path, there: Sequence[Conversation]) -> None:
        self._path, self._there = path, there
        self._starts = array("Q")
        self._file = path.open("wb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, value: object, trace: TracebackType | None) -> None:
        self._file.close()

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, conversation: Conversation) -> None:
        """Write one more."""
        self._starts.append(self._file.tell())
        self._file.write(line_of(conversation))

    def told(self, number: int) -> Conversation:
        """The one of this number, those beside counted first."""
        if number < len(self._there):
            return self._there[number]
        self._file.flush()
        with self._path.open("rb") as file:
            file.seek(self._starts[number - len(self._there)])
            return conversation_in(file.readline().rstrip(b"\n"), "")
