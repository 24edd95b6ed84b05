"""The documents of one folder and the index over them: read, changed as a whole, mended.

It knows how a list of documents becomes a version of the index. It does not know who wants a change, or what
is asked.
"""

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from knowledge.boilerplate import NOTHING, Trim, edges_of, trimmed, trims_of
from knowledge.cache import Encoder, VectorCache, Vectors
from knowledge.chunking import CUT_VERSION, CutSettings, Passage, cut
from knowledge.documents import Guard
from knowledge.errors import KnowledgeError
from knowledge.index import VectorIndex, build_index
from knowledge.lexical import Words
from knowledge.orders import orders
from knowledge.originals import READER_VERSION, Originals
from knowledge.preferences import read_preferences
from knowledge.searching import Snapshot
from knowledge.storage import folder_lock
from knowledge.versions import DamagedManifestError, DocumentState, Manifest, Versions

EDITION = f"{READER_VERSION}.{CUT_VERSION}"
READY, REFUSED = "ready", "refused"
ORDER_SHOWN = 200
"""Characters of an order in a document that are kept for the list."""
MENDED = "The index was damaged. It has been built again from the stored documents."


@dataclass(frozen=True)
class Progress:
    """How far a change has come: `done` of `total` files or passages."""

    stage: str
    done: int
    total: int
    name: str = ""

    @property
    def text(self) -> str:
        """A line to show: "Reading returns.pdf (2 of 9)"."""
        return f"{' '.join(filter(None, (self.stage, self.name)))} ({self.done} of {self.total})"


Report = Callable[[Progress], None]
PassagesInForce = Mapping[tuple[str, Trim], tuple[Passage, ...]]
"""By the digest of their document, and what of it was left out."""


def silent(progress: Progress) -> None:
    """Nobody watches."""


def now() -> str:
    """The time as it is written down."""
    return datetime.now(UTC).isoformat(timespec="seconds")


class Library:
    """What `folder` holds: `files` (originals), `versions` and `current` (the index), `vectors.sqlite`.

    It also holds the settings a person chose, in `settings.json`.
    """

    def __init__(
        self, folder: Path, load_encoder: Callable[[], Encoder], settings: CutSettings | None = None
    ) -> None:
        """Open a folder; without `settings`, passages are cut as was chosen, or else as they were before."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.originals = Originals(folder / "files")
        self.versions = Versions(folder)
        self._settings = settings
        self._cache = VectorCache(folder / "vectors.sqlite")
        self._load_encoder = load_encoder
        self._encoder: Encoder | None = None
        self._former: dict[str, Encoder] = {}
        self._served: tuple[Snapshot, str] | None = None
        """The version that is held in memory, and the identity of the encoder that made it."""
        self._words = Words()
        self._loading = threading.RLock()

    def encoder(self) -> Encoder:
        """The encoder that is wanted, loaded when it is first needed."""
        with self._loading:
            if self._encoder is None:
                self._encoder = self._load_encoder()
                self._former[self._encoder.identity] = self._encoder
            return self._encoder

    def use_encoder(self, load_encoder: Callable[[], Encoder]) -> None:
        """Want another encoder from now on; the one in use answers until the index is made anew."""
        with self._loading:
            self._load_encoder, self._encoder = load_encoder, None

    def wanted_settings(self, manifest: Manifest | None = None) -> CutSettings:
        """How passages are to be cut: as was said when this was opened, as a person chose, or as before."""
        return self._settings or read_preferences(self.folder).cut or (manifest or self.manifest()).settings

    def serving(self) -> tuple[Snapshot, Encoder | None]:
        """The version in force and the encoder that made it; None where that one is no longer at hand."""
        with self._loading:
            snapshot, made_by = self._in_memory()
            return snapshot, self._former.get(made_by)

    def manifest(self) -> Manifest:
        """The manifest in force; where it is damaged, everything is first made again."""
        try:
            return self.versions.manifest()
        except DamagedManifestError:
            with self.changing() as manifest, Guard() as guard:
                return self.publish(manifest, manifest, guard)

    def snapshot(self) -> Snapshot:
        """The version in force, in memory. One that is damaged is built again from the stored documents."""
        return self._in_memory()[0]

    def _in_memory(self) -> tuple[Snapshot, str]:
        with self._loading:
            manifest = self.manifest()
            while True:
                try:
                    held = self._held(manifest)
                    self._served = held, manifest.index.encoder if manifest.index else ""
                    return self._served
                except KnowledgeError:
                    manifest = self._mended(manifest)

    def _held(self, manifest: Manifest) -> Snapshot:
        """A version as it is held in memory, else read from the disk."""
        if self._served and self._served[0].number == manifest.number:
            return self._served[0]
        return Snapshot(manifest.number, *self.versions.load(manifest), self._words)

    def is_outdated(self) -> bool:
        """Whether another encoder, other settings or earlier readers made the index."""
        manifest = self.manifest()
        if not manifest.ready:
            return False
        foreign = manifest.index is not None and manifest.index.encoder != self.encoder().identity
        return foreign or (self.wanted_settings(manifest), EDITION) != (manifest.settings, manifest.edition)

    def prepare(self, report: Report) -> None:
        """Pay for the vectors of an index made anew, so that putting it in force takes little time.

        Others can search and make changes meanwhile.
        """
        manifest = self.manifest()
        settings = self.wanted_settings(manifest)
        passages: list[Passage] = []
        with Guard() as guard:
            states = self._compared(manifest.ready, guard)
            for done, state in enumerate(states):
                report(Progress("Cutting", done, len(states), state.name))
                passages += self._cut(state, settings, {}, guard)[1]
        self._vectors(passages, report)

    @contextmanager
    def changing(self) -> Iterator[Manifest]:
        """The manifest in force, to be changed by nobody else; disk trouble gets a text for people."""
        try:
            with folder_lock(self.folder / "lock"):
                yield self._sound_manifest()
        except (OSError, sqlite3.OperationalError) as problem:
            reason = getattr(problem, "strerror", None) or problem
            raise KnowledgeError(
                f"The documents in {self.folder} could not be changed ({reason}). "
                "There must be room on the disk and leave to write. "
                "Nothing was changed; put it right and try again."
            ) from problem

    def publish(
        self,
        before: Manifest,
        wanted: Manifest,
        guard: Guard,
        report: Report = silent,
        *,
        afresh: bool = False,
        mending: bool = False,
    ) -> Manifest:
        """Put `wanted` in force in place of `before`; only what differs is cut and embedded.

        With `afresh` everything is cut again. Call it within `changing`.
        """
        wanted = replace(wanted, settings=self.wanted_settings(wanted), edition=EDITION)
        if wanted == before and before.number and not afresh:
            return before
        mending = mending or (not before.number and bool(before.notice))
        held = Snapshot("", (), None)
        if not afresh and (wanted.settings, EDITION) == (before.settings, before.edition):
            try:
                held = self._held(before)
            except KnowledgeError:
                mending = True
        kept = _by_document(before, held)
        states = self._compared(wanted.documents, guard)
        cuts = [self._cut(state, wanted.settings, kept, guard) for state in states]
        passages = [passage for _, pieces in cuts for passage in pieces]
        index, identity = self._embedded(passages, before, held, report)
        complete = replace(
            wanted, documents=tuple(state for state, _ in cuts), notice=MENDED if mending else ""
        )
        published = self.versions.publish(complete, passages, index, identity)
        self._served = Snapshot(published.number, passages, index, self._words), identity
        self.originals.keep_only({state.digest for state in (*complete.documents, *complete.removed)})
        return published

    def _sound_manifest(self) -> Manifest:
        """The manifest in force; where it is damaged, one made again from what is stored."""
        try:
            return self.versions.manifest()
        except DamagedManifestError:
            stored = self.originals.everything()
            states = {name: DocumentState(name, size, 0, READY, "", now(), key) for key, name, size in stored}
            return Manifest(documents=tuple(states.values()), notice=MENDED)

    def _mended(self, damaged: Manifest) -> Manifest:
        """A sound version: made by somebody else meanwhile, or now from the stored documents."""
        with self.changing() as manifest, Guard() as guard:
            if manifest.number != damaged.number:
                return manifest
            return self.publish(manifest, manifest, guard, afresh=True, mending=True)

    def _compared(self, states: Sequence[DocumentState], guard: Guard) -> tuple[DocumentState, ...]:
        """The documents with what is left out of each, since many others begin or end in the same way."""
        looked = [self._with_edges(state, guard) for state in states]
        trims = trims_of({state.name: state.edges for state in looked if state.edges})
        return tuple(replace(state, trim=trims.get(state.name, NOTHING)) for state in looked)

    def _with_edges(self, state: DocumentState, guard: Guard) -> DocumentState:
        if state.state == REFUSED or state.edges:
            return state
        try:
            return replace(state, edges=edges_of(self.originals.read(state.digest, state.name, guard)))
        except KnowledgeError:  # its stored copy is damaged or gone, which is told when it is cut
            return state

    def _cut(
        self, state: DocumentState, settings: CutSettings, kept: PassagesInForce, guard: Guard
    ) -> tuple[DocumentState, tuple[Passage, ...]]:
        """The passages of one document: those in force where they still hold, else cut from its text."""
        if state.state == REFUSED:
            return state, ()
        passages = kept.get((state.digest, state.trim), ())
        if not passages or passages[0].document != state.name:
            try:
                document = self.originals.read(state.digest, state.name, guard)
                passages = cut(trimmed(document, state.trim), settings)
            except KnowledgeError as problem:  # its stored copy is damaged or gone
                return replace(state, state=REFUSED, passages=0, message=str(problem), digest=""), ()
            given = (order for passage in passages for order in orders(passage.search_text))
            state = replace(state, order=next(given, "")[:ORDER_SHOWN])
        return replace(state, passages=len(passages)), passages

    def _embedded(
        self, passages: Sequence[Passage], before: Manifest, held: Snapshot, report: Report
    ) -> tuple[VectorIndex | None, str]:
        """The vectors of the passages and who made them; nothing is encoded that was before.

        What the index that is `held` has of them is taken from it, if the same encoder made it.
        """
        if not passages:
            return None, ""
        encoder = self.encoder()
        index = None
        if held.index is not None and before.index and before.index.encoder == encoder.identity:
            index = self._updated(held.index, held.passages, passages, report)
        if index is None:
            index = build_index(self._vectors(passages, report))
        self._cache.prune([passage.search_text for passage in passages], encoder)
        report(Progress("Saving passages", len(passages), len(passages)))
        return index, encoder.identity

    def _updated(
        self, index: VectorIndex, held: Sequence[Passage], passages: Sequence[Passage], report: Report
    ) -> VectorIndex | None:
        """The index for other passages, of which it has most; None if it is to be built anew."""
        places = {passage.key: position for position, passage in enumerate(held)}
        origins = np.array([places.get(passage.key, -1) for passage in passages])
        new = [passage for passage, origin in zip(passages, origins, strict=True) if origin < 0]
        return index.updated(origins, self._vectors(new, report))

    def _vectors(self, passages: Sequence[Passage], report: Report) -> Vectors:
        return self._cache.vectors(
            [passage.search_text for passage in passages],
            self.encoder(),
            lambda done, total: report(Progress("Embedding passages", done, total)),
        )


def _by_document(manifest: Manifest, held: Snapshot) -> PassagesInForce:
    """The passages of a version that are held."""
    grouped: dict[str, list[Passage]] = {}
    for passage in held.passages:
        grouped.setdefault(passage.document, []).append(passage)
    return {(state.digest, state.trim): tuple(grouped.get(state.name, ())) for state in manifest.documents}
