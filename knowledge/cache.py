"""Vectors that were paid for once: kept in SQLite by the hash of their text and the encoder's identity.

It knows texts and vectors. It does not know which document a text came from. Losing it costs time only.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import KnowledgeError
from knowledge.storage import digest_of

BATCH = 64
SPARE = 2_000

Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """What turns texts into unit vectors. Two encoders share an identity only if they encode alike."""

    identity: str
    dimension: int

    def encode(self, texts: Sequence[str]) -> Vectors:
        """One unit vector a text: float32 of shape [texts, dimension]."""
        ...


class VectorCache:
    """The vectors of every text met before."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def vectors(
        self, texts: Sequence[str], encoder: Encoder, progress: Callable[[int, int], None]
    ) -> Vectors:
        """The vectors of the texts, in their order; only those not met before are encoded.

        `progress` is told how many of these are done, and of how many. Each batch is kept as soon as it is
        there, so that work broken off is not done twice.
        """
        if not texts:
            return np.zeros((0, encoder.dimension), dtype=np.float32)
        keys = [digest_of(text.encode()) for text in texts]
        with self._open() as connection:
            known = _read(connection, set(keys), encoder)
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
            todo = sorted(missing, key=lambda key: len(missing[key]))
            for start in range(0, len(todo), BATCH):
                progress(start, len(todo))
                batch = todo[start : start + BATCH]
                found = dict(zip(batch, _encode(encoder, [missing[key] for key in batch]), strict=True))
                _write(connection, found, encoder)
                known |= found
        return np.stack([known[key] for key in keys])

    def prune(self, texts: Sequence[str], encoder: Encoder) -> None:
        """Forget what is no longer in use, once that has become most of what is kept."""
        with self._open() as connection, connection:
            connection.execute("DELETE FROM vectors WHERE encoder != ?", [encoder.identity])
            (stored,) = connection.execute("SELECT COUNT(*) FROM vectors").fetchone()
            if stored <= 2 * len(texts) + SPARE:
                return
            used = {digest_of(text.encode()) for text in texts}
            keys = connection.execute("SELECT encoder, text FROM vectors").fetchall()
            unused = [key for key in keys if key[1] not in used]
            connection.executemany("DELETE FROM vectors WHERE encoder = ? AND text = ?", unused)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """The database; one that is damaged is thrown away, for everything in it can be made again."""
        try:
            connection = _connect(self._path)
        except sqlite3.DatabaseError:
            for suffix in ("", "-journal"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            connection = _connect(self._path)
        with closing(connection):
            yield connection


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=30)
    try:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS vectors (encoder TEXT, text TEXT, vector BLOB, PRIMARY KEY "
            "(encoder, text)) WITHOUT ROWID"
        )
        if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
            raise sqlite3.DatabaseError("damaged")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def _read(connection: sqlite3.Connection, keys: set[str], encoder: Encoder) -> dict[str, Vectors]:
    found = {}
    size = encoder.dimension * 4
    for key in keys:
        row = connection.execute(
            "SELECT vector FROM vectors WHERE encoder = ? AND text = ?", [encoder.identity, key]
        ).fetchone()
        if row is not None and len(row[0]) == size:
            found[key] = np.frombuffer(row[0], dtype=np.float32)
    return found


def _write(connection: sqlite3.Connection, found: dict[str, Vectors], encoder: Encoder) -> None:
    rows = [(encoder.identity, key, vector.tobytes()) for key, vector in found.items()]
    with connection:
        connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?, ?)", rows)


def _encode(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    vectors = np.asarray(encoder.encode(texts), dtype=np.float32)
    if vectors.shape != (len(texts), encoder.dimension) or not np.isfinite(vectors).all():
        raise KnowledgeError(
            f"The embedding model gave vectors of shape {vectors.shape} for {len(texts)} texts, or numbers "
            f"that are not finite. It must give {encoder.dimension} numbers a text. Choose another "
            "embedding model."
        )
    return vectors
