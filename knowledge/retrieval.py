"""KnowledgeBase: company documents kept, changed and searched.

It knows what can be asked of the documents. It does not know who asks, or what a model makes of the answer.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from knowledge.cache import Encoder
from knowledge.chunking import CutSettings, Passage
from knowledge.deliveries import Arrival, opened
from knowledge.documents import Document, Guard
from knowledge.documents.text import one_line
from knowledge.errors import KnowledgeError
from knowledge.library import READY, REFUSED, Library, Progress, Report, now, silent
from knowledge.names import check_name, files_under
from knowledge.preferences import Preferences, change_preferences, read_preferences
from knowledge.ranking import Query
from knowledge.renewal import Renewal
from knowledge.searching import Findings, Found, Reranker, joined
from knowledge.support import claims, is_supported
from knowledge.versions import DocumentState

__all__ = [
    "DocumentState",
    "Encoder",
    "Findings",
    "Found",
    "KnowledgeBase",
    "Progress",
    "Reranker",
    "files_under",
    "joined",
]


class KnowledgeBase:
    """The documents of one company and the index over them, in one folder.

    Safe to use from several threads and processes: one change is made at a time, and a search sees the
    state before or after it. A change that fails, or whose `progress` raises, leaves everything as it was.
    """

    def __init__(
        self,
        folder: Path,
        load_encoder: Callable[[], Encoder],
        *,
        load_reranker: Callable[[], Reranker | None] = lambda: None,
        settings: CutSettings | None = None,
    ) -> None:
        """Open the knowledge base kept in `folder`; models are loaded when they are first needed.

        Without `settings`, passages are cut as a person chose, or else as they were before.
        """
        self.folder = folder
        self._load_reranker = load_reranker
        self._reranker: Reranker | None = None
        self._choosing = threading.Lock()
        self._library = Library(folder, load_encoder, settings)
        self.renewal = Renewal(self._library)

    # Looking things up

    def __len__(self) -> int:
        """How many passages can be searched."""
        return sum(document.passages for document in self._library.manifest().ready)

    def __bool__(self) -> bool:
        """True even while empty: `if knowledge` asks whether there is one, not whether it holds anything."""
        return True

    @property
    def version(self) -> str:
        """The version of the index in force; an empty string before the first change."""
        return self._library.versions.current()

    @property
    def notice(self) -> str:
        """What a person should know of the last change, such as that a damaged index was built again."""
        return self._library.manifest().notice

    def documents(self) -> list[DocumentState]:
        """All documents by name, with those that were refused and why."""
        return sorted(self._library.manifest().documents, key=lambda document: document.name)

    def digests(self) -> frozenset[str]:
        """What tells each document that can be searched from others, by its bytes: sixteen digits."""
        return frozenset(document.digest[:16] for document in self._library.manifest().ready)

    def removed(self) -> list[DocumentState]:
        """The documents of the last removal, which `restore` brings back."""
        return list(self._library.manifest().removed)

    def document(self, name: str) -> Document:
        """A document as it was read.

        Raises:
            KnowledgeError: there is no such document, it was refused, or its stored copy is gone.
        """
        state = self._ready(name)
        with Guard() as guard:
            return self._library.originals.read(state.digest, name, guard)

    def text(self, name: str) -> str:
        """The whole text of a document; passages are slices of it."""
        return self.document(name).text

    def file(self, name: str) -> Path:
        """The document's file as it was added."""
        return self._library.originals.path(self._ready(name).digest, name)

    def check_copies(self) -> list[str]:
        """What is wrong with the stored copies of the documents; each is read for it."""
        told = []
        for state in self._library.manifest().ready:
            try:
                self._library.originals.check(state.digest, state.name)
            except KnowledgeError as problem:
                told.append(str(problem))
        return told

    def passage(self, passage_id: str, document: str) -> Passage:
        """The passage with this id.

        Raises:
            KnowledgeError: it is no longer there.
        """
        passage = self._library.snapshot().by_id.get((document, passage_id))
        if passage is None:
            raise KnowledgeError(
                f"This passage of {document} is no longer there: the document was changed or removed since. "
                "Open the document to see what it says now, or ask again."
            )
        return passage

    def search(self, question: str, history: Sequence[tuple[str, str]] = (), *, count: int = 10) -> Findings:
        """The passages that fit a question best; `history` is what was said before, as (role, content)."""
        started = time.perf_counter()
        query = Query.of(question, history)
        if not self._library.manifest().ready:
            return Findings(query.whole, (), self.version, time.perf_counter() - started)
        if self._library.is_outdated():
            self.renewal.start()
        snapshot, encoder = self._library.serving()
        if encoder is None:  # another one made the index, which is being made anew
            found, fit = snapshot.by_words(query, count), None
        else:
            vectors = encoder.encode(query.texts)
            found, fit = snapshot.search(query, vectors, count, self._reranking())
        return Findings(query.whole, found, snapshot.number, time.perf_counter() - started, fit)

    def unsupported(self, text: str, *, ignoring: Sequence[str] = ()) -> tuple[str, ...]:
        """The sentences of an answer that no document supports, in its order.

        Sentences that claim nothing are passed over, and so are those that hold a phrase of `ignoring`, such
        as a greeting. Where there are no documents there is nothing to hold an answer against.
        """
        said = claims(text, ignoring=ignoring)
        if not said or not self._library.manifest().ready:
            return ()
        snapshot, encoder = self._library.serving()
        if encoder is None:
            return ()
        return tuple(
            sentence
            for sentence, vector in zip(said, encoder.encode(said), strict=True)
            if not is_supported(sentence, *snapshot.nearest(sentence, vector))
        )

    # Changes

    def add(
        self, files: Sequence[tuple[Path, str]], *, progress: Report | None = None
    ) -> list[DocumentState]:
        """Add files, as (path, name); one whose name is there already replaces that document.

        Zip files are opened, and each file in them counts as one. A file that can't be used costs only
        itself: its state says why. The states come in the files' order.
        """
        report = progress or silent
        with (
            self._library.changing() as manifest,
            Guard() as guard,
            opened(files, self.folder) as arrivals,
        ):
            states = {document.name: document for document in manifest.documents}
            outcomes: list[DocumentState] = []
            for done, arrival in enumerate(arrivals):
                report(Progress("Reading", done, len(arrivals), arrival.name))
                outcome = self._take(arrival, states, {state.name for state in outcomes}, guard)
                outcomes.append(outcome)
                states[outcome.name] = _merged(states.get(outcome.name), outcome)
            wanted = replace(manifest, documents=tuple(states.values()))
            complete = self._library.publish(manifest, wanted, guard, report)
        final = {document.name: document for document in complete.documents}
        return [final[state.name] if state.state == READY else state for state in outcomes]

    def remove(self, names: Sequence[str]) -> None:
        """Remove documents, or dismiss refused ones. The last removal can be undone with `restore`.

        Raises:
            KnowledgeError: there is no such document; then none is removed.
        """
        with self._library.changing() as manifest, Guard() as guard:
            gone = tuple(_named(manifest.documents, name, "in the list") for name in dict.fromkeys(names))
            kept = tuple(document for document in manifest.documents if document not in gone)
            wanted = replace(manifest, documents=kept, removed=gone or manifest.removed)
            self._library.publish(manifest, wanted, guard)

    def restore(self, names: Sequence[str]) -> None:
        """Bring back documents of the last removal.

        Raises:
            KnowledgeError: one was not part of it, or its name or content has been added again since.
        """
        with self._library.changing() as manifest, Guard() as guard:
            back = tuple(
                _named(manifest.removed, name, "among those just removed") for name in dict.fromkeys(names)
            )
            for state in back:
                _refuse_copy(state, manifest.documents)
                _refuse_name(state, manifest.documents)
            left = tuple(document for document in manifest.removed if document not in back)
            wanted = replace(manifest, documents=manifest.documents + back, removed=left)
            self._library.publish(manifest, wanted, guard)

    @property
    def settings(self) -> CutSettings:
        """How passages are to be cut; the index follows in the background."""
        return self._library.wanted_settings()

    def change_settings(self, settings: CutSettings) -> None:
        """Cut passages otherwise: the index is made anew in the background, then swapped whole."""
        change_preferences(self.folder, cut=settings)
        self._renew()

    def load_encoder(self) -> Encoder:
        """The embedding model, loaded now where it was not needed yet."""
        return self._library.encoder()

    @property
    def preferences(self) -> Preferences:
        """What a person chose for this company's documents."""
        return read_preferences(self.folder)

    def use_encoder(self, load_encoder: Callable[[], Encoder], *, name: str = "") -> None:
        """Embed with another model: the index is made anew in the background, then swapped whole.

        `name` is what the model is called, and what is kept of it; empty for the one a new company has.
        """
        change_preferences(self.folder, embedder=name)
        self._library.use_encoder(load_encoder)
        self._renew()

    def use_reranker(self, load_reranker: Callable[[], Reranker | None], *, name: str = "") -> None:
        """Put what is found in the order of another model, from the next search on; `name` is kept."""
        change_preferences(self.folder, reranker=name)
        with self._choosing:
            self._load_reranker, self._reranker = load_reranker, None

    def _reranking(self) -> Reranker | None:
        """The model that puts what was found in order, loaded when it is first needed."""
        with self._choosing:
            if self._reranker is None:
                self._reranker = self._load_reranker()
            return self._reranker

    def renew(self, *, progress: Report | None = None) -> None:
        """Make the index anew, here and now, if other settings, readers or another encoder are wanted."""
        self.renewal.run(progress or silent)

    def _renew(self) -> None:
        if self._library.manifest().ready:
            self.renewal.retry()

    def reindex(self, *, progress: Report | None = None) -> None:
        """Cut all documents anew and embed what has no vector yet."""
        with self._library.changing() as manifest, Guard() as guard:
            self._library.publish(manifest, manifest, guard, progress or silent, afresh=True)

    def _take(
        self, arrival: Arrival, states: Mapping[str, DocumentState], batch: set[str], guard: Guard
    ) -> DocumentState:
        """Store and read one file. Whatever is wrong with it becomes its state."""
        path, name = arrival.path, one_line(arrival.name)
        size = path.stat().st_size if path.is_file() else 0
        if arrival.problem:
            return DocumentState(name, size, 0, REFUSED, arrival.problem, now())
        try:
            name = check_name(name)
            if name in batch:
                raise KnowledgeError(
                    f"{name} came twice in one go. Documents are told apart by their names. "
                    "Rename one of the two and add it again."
                )
            state = DocumentState(name, size, 0, READY, "", now(), self._library.originals.store(path, name))
            _refuse_copy(state, states.values())
            self._library.originals.read(state.digest, name, guard)
        except KnowledgeError as problem:
            return DocumentState(name, size, 0, REFUSED, str(problem), now())
        return state

    def _ready(self, name: str) -> DocumentState:
        state = _named(self._library.manifest().documents, name, "in the list")
        if state.state == REFUSED:
            raise KnowledgeError(state.message)
        return state


def _named(states: Sequence[DocumentState], name: str, where: str) -> DocumentState:
    for state in states:
        if state.name == name:
            return state
    raise KnowledgeError(
        f"There is no document {name!r} {where}. Only documents listed there can be chosen. "
        "Reload the list; it may have changed meanwhile."
    )


def _refuse_copy(state: DocumentState, others: Iterable[DocumentState]) -> None:
    for other in others:
        if state.digest and other.digest == state.digest and other.name != state.name:
            raise KnowledgeError(
                f"{state.name} is already there as {other.name}: the two files are the same, byte for byte. "
                "Each document is kept once. To give it the new name, remove the other one first."
            )


def _refuse_name(state: DocumentState, others: Iterable[DocumentState]) -> None:
    if any(other.name == state.name for other in others):
        raise KnowledgeError(
            f"{state.name} can't be brought back: a document of that name has been added since. "
            "Two documents can't share a name. Remove the newer one first."
        )


def _merged(before: DocumentState | None, now: DocumentState) -> DocumentState:
    """What the list says after a file came in: a refused file does not push out the one that works."""
    if before is None or before.state == REFUSED:
        return now
    if now.state == REFUSED:
        message = f"A newer file was refused, the earlier one stays in use. {now.message}"
        return replace(before, message=message)
    return replace(before, message="") if before.digest == now.digest else now
