"""Sound files bent at random, and what has to hold whatever comes of it."""

import io
import zipfile
from pathlib import Path

from hypothesis import strategies
from hypothesis.strategies import DrawFn, SearchStrategy
from typer.testing import CliRunner

from assistant.cli import app
from assistant.conversations import Cleaning, Source
from assistant.conversations.cleaning import Tally
from assistant.conversations.formats import read, recognise, sample
from assistant.conversations.importing import conversation_of, own_contacts
from assistant.conversations.model import Refusal, UnusableError
from assistant.errors import AssistantError
from knowledge.documents import Guard
from knowledge.errors import KnowledgeError
from tests.nasty import sound
from tests.nasty.cases import verdict

GRAINS = (
    *(
        b"\0",
        b"\xff\xfe",
        b"\n\n\n",
        b'"',
        b"'",
        b",",
        b";",
        b"{",
        b"]",
        b"<",
        b">",
        b"&",
        b"&#0;",
        b"%s",
        b"\\",
    ),
    *(
        b"-1",
        b"1e999",
        b"NaN",
        b"null",
        b"9" * 50,
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"<![CDATA[",
        b"From ",
        b"{}",
    ),
)
"""What is strewn into files."""
BAD = ("crashed", "too long", "no memory")
"""What a small bent file may not do to the process that reads it."""


@strategies.composite
def bent(draw: DrawFn, data: bytes) -> bytes:
    """A file with a few bytes changed, cut out, doubled or strewn into; of a zip, or of a file in it."""
    if data[:2] == b"PK" and draw(strategies.booleans()):
        return _bent_within(draw, data)
    for _ in range(draw(strategies.integers(1, 6))):
        data = _bent_once(draw, data)
    return data


def _bent_once(draw: DrawFn, data: bytes) -> bytes:
    start = draw(strategies.integers(0, len(data)))
    end = min(start + draw(strategies.integers(0, 200)), len(data))
    how = draw(strategies.sampled_from(("change", "cut", "end", "double", "strew")))
    if how == "change":
        return data[:start] + draw(strategies.binary(max_size=4)) + data[start + 4 :]
    if how == "strew":
        return data[:start] + draw(strategies.sampled_from(GRAINS)) + data[start:]
    if how == "double":
        return data[:end] + data[start:end] * draw(strategies.integers(1, 50)) + data[end:]
    return data[:start] + (data[end:] if how == "cut" else b"")


def _bent_within(draw: DrawFn, data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        name = draw(strategies.sampled_from(sorted(archive.namelist())))
        return sound.zipped({name: _bent_once(draw, archive.read(name))}, data)


def files(kept: dict[str, bytes]) -> SearchStrategy[tuple[str, bytes]]:
    """A bent file of one of these formats, with its name; sometimes with that of another."""
    names = strategies.sampled_from(sorted(kept))
    return names.flatmap(
        lambda name: strategies.tuples(strategies.one_of(strategies.just(name), names), bent(kept[name]))
    )


def document_settles(guard: Guard, folder: Path, name: str, data: bytes) -> None:
    """A document is read or refused, by a reader that goes on living."""
    path = folder / "bent"
    path.write_bytes(data)
    try:
        text = guard.read(path, name).text
    except KnowledgeError as problem:
        assert verdict(str(problem)) not in BAD, problem
    else:
        text.encode()


def conversations_settle(folder: Path, name: str, data: bytes) -> None:
    """A file of conversations is recognised and read to its end, or refused."""
    path = folder / "bent"
    path.write_bytes(data)
    source, tally = Source([path], name), Tally()
    try:
        found = recognise(source)
        own_contacts(sample(source, found, 20))
        for each in read(source, found):
            if isinstance(each, Refusal):
                each.text.encode()
                continue
            try:
                conversation_of(each, name, Cleaning(), tally)
            except UnusableError:
                continue
    except AssistantError as problem:
        str(problem).encode()


RATINGS = b"item,system,aspect,rater,score\n1,a,voice,r,3\n1,b,voice,r,4\n2,a,voice,r,1\n2,b,voice,r,5\n"
WORDS = strategies.one_of(
    strategies.sampled_from(
        ("-1", "0", "", ".", "..", "/", "nan", "1e9", "--", "-k", "=1", "{}", "\u202e", "a\0b")
    ),
    strategies.text(max_size=8),
)
COMMANDS = (
    *(["stats"], ["stats", "--json"], ["restore", "--workspace", "new"], ["report", "--workspace", "w"]),
    *(["version", "show", "--workspace", "w"], ["version", "import", "--workspace", "w"], ["user", "remove"]),
    *(["backup", "--workspace", "w"], ["train", "--workspace", "w", "--settings"], ["user", "add", "--role"]),
    *(["evaluate", "--workspace", "w", "--answers"], ["ask", "--workspace", "w", "--questions"], []),
    ["version", "use", "--workspace", "w"],
)
"""Commands that end before a model is asked for, whatever stands behind them."""


def command_settles(arguments: list[str]) -> None:
    """A command ends by itself, with a sentence where something is wrong, never with a traceback."""
    ended = CliRunner().invoke(app, arguments, input="secret word\n")
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exc_info
    assert "Traceback" not in ended.output
