"""The studio holds the open parts together: one company, the models, its knowledge, chats and jobs.

Pages and the command line ask here. It knows which part does what, and none of how they do it.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from assistant import injection
from assistant.access import AuditLog
from assistant.adapters import Adapter, check, current
from assistant.brand import Brand, read_brand, write_brand
from assistant.chats import Chats
from assistant.comparison import Answering
from assistant.conversations import ConversationStore, Incoming, look_closer
from assistant.demo import add_demo_documents
from assistant.endpoint import Endpoint
from assistant.errors import AssistantError
from assistant.gaps import Gap, gaps
from assistant.jobs import Job, Jobs
from assistant.lanes import (
    LANES,
    NO_ADAPTER,
    NO_SERVED_ADAPTER,
    Answer,
    Engine,
    Lane,
    Sampling,
    Setup,
    ask,
)
from assistant.prompts import check_question
from assistant.ratings import Desk, Marks
from assistant.search_models import SearchModels, SearchModelSource
from assistant.store import open_database
from assistant.support import checked
from assistant.trainings import Trainings
from assistant.workspace import Workspace, companies_beside, create_company, open_workspace
from knowledge.errors import KnowledgeError
from knowledge.retrieval import Encoder

SAVE_EVERY = 2.0
"""Seconds between two savings of answers that are still being written."""

logger = logging.getLogger(__name__)

Report = Callable[[str, float], None]
"""Told what is being done and how far it is, 0 to 1."""


class AdapterEngine(Engine, Protocol):
    """An engine that can take up an adapter from its folder, under an id."""

    def load_adapter(self, adapter: str, folder: Path) -> None:
        """Make the adapter ready; nothing happens if it already is."""

    def describe(self) -> str:
        """One line for people: model, device, precision and why."""


class ModelSource(SearchModelSource, Protocol):
    """Where all models come from; opening may download and takes seconds."""

    @property
    def endpoint(self) -> Endpoint | None:
        """The model server that answers; None where the chat model is on this machine."""

    def folder(self, report: Report) -> Path:
        """The chat model's folder, for training."""

    def engine(self, report: Report) -> AdapterEngine:
        """Load the chat model."""


@dataclass(frozen=True)
class Readiness:
    """What is loaded: `text` says it in one line; `problem` what went wrong and what to do."""

    ready: bool
    text: str
    fraction: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class Step:
    """A first step of a new company: what to do, on which page, and whether it is done."""

    name: str
    page: str
    done: bool


class Studio:
    """One open company and the models that answer for it."""

    def __init__(self, root: Path, models: ModelSource) -> None:
        self._models = models
        self._engine: AdapterEngine | None = None
        self.search_models = SearchModels(models, self._report)
        self._loading = threading.Lock()
        self._stops: dict[str, threading.Event] = {}
        self._sound: set[Path] = set()
        """Adapters whose files were compared with their checksums; the engine keeps what it has loaded."""
        self.answering = Answering()
        self.readiness = Readiness(False, "The models are not loaded yet.")
        self.told: Report = lambda text, fraction: None
        """Told too, besides `readiness`, what is being loaded and how far it is."""
        self.open(root)

    # -- the company --

    def open(self, root: Path) -> None:
        """Open the company kept in `root` in place of the present one, which stays where it can't be.

        Raises:
            AssistantError: it can't be written, is damaged, or a newer Quartet made it.
        """
        workspace = open_workspace(root)
        database = open_database(workspace.database)
        self.workspace: Workspace = workspace
        self.chats, self.marks = Chats(database), Marks(database)
        self.desk = Desk.of(database)
        self.studies, self.rounds, self.votes = self.desk.studies, self.desk.rounds, self.desk.votes
        self.knowledge = self.search_models.open(self.workspace.knowledge)
        self.conversations = ConversationStore(self.workspace.conversations)
        self.incoming = Incoming(self.workspace.incoming)
        self.jobs = Jobs(self.workspace.jobs)
        self.audit = AuditLog(self.workspace.audit_log)

    def companies(self) -> list[Workspace]:
        """The companies that can be opened, the open one too."""
        return companies_beside(self.workspace)

    def create(self, name: str) -> Workspace:
        """Make an empty company beside the open one, and open it."""
        workspace = create_company(self.workspace, name)
        write_brand(workspace.brand_file, Brand(name=name.strip()))
        self.open(workspace.root)
        return workspace

    def brand(self) -> Brand:
        """The open company's voice; named after its folder until a person names it."""
        if not self.workspace.brand_file.exists():
            return Brand(name=self.workspace.root.name)
        return read_brand(self.workspace.brand_file)

    def save_brand(self, brand: Brand) -> None:
        """Keep the voice; the next answers use it."""
        write_brand(self.workspace.brand_file, brand)

    def save_instructions(self, instructions: str) -> None:
        """Keep a person's own system prompt; empty goes back to the one composed from the voice."""
        self.save_brand(replace(self.brand(), instructions=instructions.strip()))

    def adapter(self) -> Adapter | None:
        """The company's current adapter."""
        return current(self.workspace.adapters)

    def has_adapter(self) -> bool:
        """Whether the tuned lanes can answer: with the model server's adapter, or else the company's."""
        endpoint = self._models.endpoint
        return bool(endpoint.adapter) if endpoint else self.adapter() is not None

    @property
    def remote(self) -> bool:
        """Whether a model server answers; it runs its adapter at full strength only."""
        return self._models.endpoint is not None

    def first_steps(self) -> tuple[Step, ...]:
        """What a new company needs, in order."""
        brand = self.brand()
        described = bool(brand.tone or brand.always or brand.never or brand.instructions)
        return (
            Step("Describe the company and its voice", "company", described),
            Step("Add the company's documents", "documents", len(self.knowledge) > 0),
            Step("Add conversations with good replies", "conversations", bool(self.conversations.files())),
            Step("Train the voice", "train", self.has_adapter()),
        )

    # -- the models --

    def load_in_background(self) -> None:
        """Load the models in a thread; `readiness` says how far it is."""
        threading.Thread(target=self._load_quietly, name="load-models", daemon=True).start()

    def load(self) -> None:
        """Load the models that are not loaded yet; a second caller waits for the first.

        A model that was chosen for the documents and can't be loaded costs the searches alone: they say so.
        """
        try:
            self.load_knowledge()
        except KnowledgeError as problem:
            logger.warning("The documents can't be searched. %s", problem)
        except AssistantError as problem:
            if not self.knowledge.preferences.embedder:
                raise
            logger.warning("The documents can't be searched. %s", problem)
        with self._loading:
            self._engine = self._engine or self._models.engine(self._report)
            self.readiness = Readiness(True, self._engine.describe(), 1.0)
        self.told("The models are loaded", 1.0)
        logger.info("Answering: %s", self.readiness.text)

    def load_knowledge(self) -> None:
        """Load what a search needs: the embedding model and, at its first start, the demo's documents."""
        self.load_encoder()
        add_demo_documents(
            self.workspace, self.knowledge, lambda at: self._report(at.text, at.done / max(at.total, 1))
        )

    def load_encoder(self) -> Encoder:
        """The open company's embedding model, loaded on first use."""
        return self.search_models.encoder(self.knowledge.preferences.embedder)

    def _load_quietly(self) -> None:
        try:
            self.load()
        except AssistantError as problem:
            self._fail(str(problem))
        except Exception as problem:  # noqa: BLE001 - a thread has nobody above it who would show this
            self._fail(f"Loading the models failed: {problem}. Start again, or name another with --model.")

    def _fail(self, problem: str) -> None:
        self.readiness = Readiness(False, "The models could not be loaded.", problem=problem)
        logger.error("The models could not be loaded. %s", problem)

    def _report(self, text: str, fraction: float) -> None:
        self.told(text, fraction)
        if not self.readiness.ready:
            self.readiness = Readiness(False, text, fraction)

    # -- asking --

    def setup(self, sampling: Sampling | None = None, *, scale: float = 1.0) -> Setup:
        """What the lanes answer with now.

        Raises:
            AssistantError: the models are still loading, or could not be loaded.
        """
        if self._engine is None:
            state = self.readiness
            loading = f"{state.text.rstrip('.')}. Your question can be asked in a moment."
            raise AssistantError(state.problem or loading)
        endpoint = self._models.endpoint
        return Setup(
            self.brand(),
            self._engine,
            self.knowledge if len(self.knowledge) else None,
            (endpoint.adapter or None) if endpoint else self._load_adapter(self._engine),
            scale,
            sampling or Sampling(),
            NO_SERVED_ADAPTER if endpoint else NO_ADAPTER,
        )

    def _load_adapter(self, engine: AdapterEngine) -> str | None:
        """Make the company's current adapter ready; returns its id, or None if there is none.

        Raises:
            AssistantError: its files are not those that were trained.
        """
        adapter = self.adapter()
        if adapter is None:
            return None
        if adapter.folder not in self._sound:
            check(adapter)
            self._sound.add(adapter.folder)
        engine.load_adapter(adapter.key, adapter.folder)
        return adapter.key

    def ask(
        self,
        chat_id: str,
        question: str,
        *,
        lanes: Sequence[Lane] = LANES,
        sampling: Sampling | None = None,
        scale: float = 1.0,
    ) -> Iterator[tuple[Answer, ...]]:
        """Ask in a chat; the question is stored first, the answers while they are written and at their end.

        `stop(chat_id)` ends it, and so does closing this generator.
        """
        yield from self._ask(chat_id, question, lanes, self.setup(sampling, scale=scale))

    def ask_again(self, chat_id: str, *, scale: float = 1.0) -> Iterator[tuple[Answer, ...]]:
        """Ask the chat's last question again, with another seed and some freedom (temperature 0.7)."""
        chat = self.chats.read(chat_id)
        if not chat.turns:
            raise AssistantError("There is no question to ask again. Type one first.")
        last = chat.turns[-1]
        seeds = [answer.record.sampling.seed for answer in last.answers.values() if answer.record]
        sampling = Sampling(temperature=0.7, seed=max(seeds, default=0) + 1)
        yield from self._ask(chat_id, last.question, LANES, self.setup(sampling, scale=scale), again=last.id)

    def stop(self, chat_id: str) -> None:
        """End the answers that are being written in this chat."""
        if chat_id in self._stops:
            self.chats.read(chat_id)  # raises for another person's
            self._stops[chat_id].set()

    def _ask(
        self, chat_id: str, question: str, lanes: Sequence[Lane], setup: Setup, *, again: int | None = None
    ) -> Iterator[tuple[Answer, ...]]:
        """Ask as a new turn, or as the turn `again`, whose answers are replaced."""
        # These, also if another company is opened meanwhile.
        chats, marks, knowledge = self.chats, self.marks, self.knowledge
        question = check_question(question)
        chat = chats.read(chat_id)
        histories = {lane.key: chat.history(lane.key, before=again) for lane in lanes}
        stop = self._stops[chat_id] = threading.Event()
        given = ask(question, setup, lanes=lanes, histories=histories, cancelled=stop.is_set, owner=chat_id)
        latest, saved = next(given), time.monotonic()
        turn_id = chats.add_turn(chat_id, question) if again is None else again
        marks.clear(turn_id)  # given to answers that are about to be replaced
        try:
            yield latest
            for latest in given:
                if time.monotonic() - saved > SAVE_EVERY:
                    chats.save_answers(turn_id, latest)
                    saved = time.monotonic()
                yield latest
        finally:
            stop.set()
            for ended in given:  # cut short: the lanes end now, each with a record of what it had said
                latest = ended
            chats.save_answers(turn_id, latest)
            latest = injection.marked(checked(latest, setup.brand, knowledge), question, setup.brand)
            chats.save_answers(turn_id, latest)

    def answer_study(self, study_id: str) -> None:
        """Begin or go on to answer a study's questions in the background; `answering` says how far it is."""
        self.answering.start(self.studies, self.rounds, study_id, self.setup())

    # -- conversations --

    def import_conversations(self, incoming: Incoming | None = None) -> Job:
        """Start to import the files that wait in `incoming`, the company's if none is named, by a job."""
        places = {"workspace": self.workspace.root, "incoming": (incoming or self.incoming).folder}
        return self.jobs.start("assistant.conversations", {name: str(path) for name, path in places.items()})

    def gaps(self) -> tuple[Gap, ...]:
        """The questions asked so far that nobody could answer, those that ask the same together."""
        asked = self.chats.everything()
        return gaps(asked, self.brand(), self.knowledge.search, self.load_encoder())

    def look_closer(self) -> Iterator[tuple[str, float]]:
        """Look closer at the conversations, and keep what is found; tells what is done and how far it is.

        Raises:
            AssistantError: there are none.
        """
        store = self.conversations
        told, stamp = store.read().conversations, store.stamp
        if not told:
            raise AssistantError("There are no conversations to look at. Add some first.")
        yield "Loading the embedding model", 0.0
        encoder = self.load_encoder()
        look = look_closer(told, encoder, self._passages if len(self.knowledge) else None, stamp)
        while True:
            try:
                yield next(look)
            except StopIteration as ended:
                store.keep_look(ended.value)
                return

    def _passages(self, question: str) -> list[tuple[str, str]]:
        found = self.knowledge.search(question, count=4).found
        return [(each.passage.title, each.passage.text) for each in found]

    # -- training --

    @property
    def trainings(self) -> Trainings:
        """The trainings of the open company."""
        return Trainings(self.workspace, self.jobs)

    def training_model(self) -> Path:
        """The folder of the base model that is trained, fetched first if it is not there."""
        return self._models.folder(self._report)

    def train(self, settings: Mapping[str, Any]) -> Job:
        """Start a training of the company's conversations in a process of its own."""
        if not self.conversations.files():
            raise AssistantError(
                "There are no conversations to learn from. Add some on the page Conversations."
            )
        model = self.training_model()
        expected = self.trainings.estimate(self.conversations.read().conversations, settings, model)
        return self.trainings.start(settings, model, expected)
