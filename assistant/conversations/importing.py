"""A file is imported: read as it streams in, cleaned, sampled where it is huge, and kept whole or not at all.

It knows the order of things, progress and the way to stop. Memory does not grow with the file's size.
"""

import hashlib
import json
import random
import tempfile
from array import array
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from assistant.conversations.about import About
from assistant.conversations.cleaning import Cleaning, Tally, cleaned, privacy, without_repeats
from assistant.conversations.cleaning.patience import patience
from assistant.conversations.formats import Recognised, Source, read
from assistant.conversations.model import Conversation, Exported, Refusal, UnusableError
from assistant.conversations.reading import line_of
from assistant.conversations.store import ConversationStore, checked_name, digest_of
from assistant.errors import AssistantError, unwritable

MOST_KEPT = 20_000
"""Conversations kept of one file: a fair sample where there are more. A voice is learned from far fewer."""
MOST_BYTES = 200_000_000
"""Bytes kept of one file."""
REFUSALS = 100
"""Refused places that are kept with their reasons."""
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
        with tempfile.TemporaryDirectory(prefix=".import-", dir=store.folder) as room:
            every, made = Path(room) / "every", Path(room) / "made"
            course.read_all(every)
            cleaned_ones = course.clean_some(every)
            there = _others(store, name) if cleaning.folded else []
            course.write_new(cleaned_ones, there, made)
            about = course.about()
            store.keep(made, name, about)
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
                    self._tell("Reading", 0.5 * self.source.fraction)
                line = json.dumps(found.to_json()).encode() + b"\n"
                file.write(line)
                self.ends.append(self.ends[-1] + len(line))

    def clean_some(self, every: Path) -> list[Conversation]:
        """Clean all conversations or, where there are too many, a fair sample in the order of the file.

        Raises:
            AssistantError: not one is usable.
        """
        usable = []
        own = own_contacts(self._exported(every, "Looking through", 0.5)) if self.cleaning.masked else set()
        for found in self._exported(every, "Cleaning", 0.7):
            try:
                usable.append(self._cleaned(found, own))
            except UnusableError as problem:
                self._refuse(problem.refusal(self.source.name, found.line))
        if not usable:
            first = f" The first: {self.refusals[0].text}" if self.refusals else ""
            raise AssistantError(
                f"{self.source.name} has no usable conversation ({self.refused} refused).{first}"
            )
        return usable

    def _exported(self, every: Path, doing: str, begins: float) -> Iterator[Exported]:
        """The chosen conversations as they were exported, in the order of the file."""
        chosen = self._chosen()
        with every.open("rb") as lines:
            for done, number in enumerate(chosen):
                if done % STEP == 0:
                    self._tell(doing, begins + 0.2 * done / len(chosen))
                lines.seek(self.ends[number])
                yield Exported.of(json.loads(lines.readline()))

    def write_new(self, usable: list[Conversation], there: Sequence[Conversation], made: Path) -> None:
        """Write those of the conversations that are new.

        Raises:
            AssistantError: none is.
        """

        def each(number: int) -> None:
            if number % STEP == 0:
                self._tell("Comparing", 0.9 + 0.1 * number / len(usable))

        kept = without_repeats(usable, there, self.cleaning, self.tally, each)
        if not kept:
            raise AssistantError(
                f"{self.source.name} holds nothing new: each of its {len(usable):,} conversations is almost "
                "the same as one that is kept already. Nothing was added."
            )
        with made.open("wb") as file:
            file.writelines(map(line_of, kept))

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
        most = min(MOST_KEPT, int(MOST_BYTES * count / max(self.ends[-1], 1)) or 1)
        if count <= most:
            return range(count)
        self.sampled = most
        return sorted(random.Random(0).sample(range(count), most))  # noqa: S311 - has to be repeatable

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


def _others(store: ConversationStore, name: str) -> list[Conversation]:
    """What is kept already in files of another name."""
    return [each for each in store.read().conversations if each.source.rpartition(":")[0] != name]
