"""Plain transcripts: lines that begin with who speaks ("Agent: ..."), conversations parted by lines or files.

It knows lines. Who of the speakers is the company stands in a `Layout`.
"""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from assistant.conversations.formats.sides import Layout, called, guess_team
from assistant.conversations.formats.source import MAX_LINE, Source
from assistant.conversations.formats.times import iso_time
from assistant.conversations.model import Exported, Turn

_TIME = r"(?:[\[(]?(?P<time>\d[\d\s:./,T-]{3,24}(?:[AaPp]\.?[Mm]\.?)?)[\])]?\s*[-–]?\s*)?"
_SPOKEN = re.compile(
    rf"^\s*{_TIME}(?P<who>[^\W\d_][\w .'’()&-]{{0,39}}?)\s*(?:\((?P<after>\d[^)]*)\))?\s*:\s+(?P<text>.*)$"
)
_PARTED = re.compile(
    r"^\s*([-=*_#~]{3,}.*|(#+\s*)?(conversation|chat|ticket|transcript|case|thread)\b[^:]{0,30}[\d#][^:]*:?)\s*$",
    re.IGNORECASE,
)
SAMPLE = 200
"""Conversations that are looked at to guess who writes for the company."""
FEWEST = 2


def looks_spoken(text: str) -> bool:
    """Whether these lines read like a transcript: most begin with one of a few speakers."""
    lines = [line for line in text.splitlines() if line.strip() and not _PARTED.match(line)]
    spoken = [match["who"].strip() for line in lines if (match := _SPOKEN.match(line))]
    speakers = Counter(spoken)
    repeated = sum(count for count in speakers.values() if count > 1) if len(spoken) > 3 else len(spoken)
    return len(speakers) >= FEWEST and repeated >= 0.3 * len(lines)


def read_transcript(source: Source, layout: Layout) -> Iterator[Exported]:
    """The conversations of transcripts."""
    for path in source.paths:
        for line, turns in _conversations(source, path):
            told = tuple(Turn(text, layout.side(who), who, moment) for who, text, moment in turns)
            names = called(turn.author for turn in told if turn.side == "user")
            yield Exported(told, line, names=names)


def look_at_transcript(source: Source) -> tuple[list[str], Layout]:
    """The speakers, the most frequent first, and those who are likeliest the company's."""
    found = [
        [who for who, _, _ in turns]
        for path in source.paths[:SAMPLE]
        for _, turns in islice(_conversations(source, path), SAMPLE)
    ]
    team, left_out = guess_team(found)
    counts = Counter(speaker for speakers in found for speaker in speakers)
    return [speaker for speaker, _ in counts.most_common()], Layout(team=team, left_out=left_out)


def _conversations(source: Source, path: Path) -> Iterator[tuple[int, list[tuple[str, str, str]]]]:
    """Each conversation's first line and its turns (speaker, text, time)."""
    began, turns, blank = 0, list[tuple[str, str, str]](), 0
    with source.text(path) as file:
        for number, line in enumerate(iter(lambda: file.readline(MAX_LINE), ""), start=1):
            spoken = _SPOKEN.match(line.rstrip())
            # Two empty lines part conversations as well as a line of dashes does.
            if turns and (_PARTED.match(line) or (blank >= 2 and spoken)):
                yield began, turns
                turns = []
            if spoken:
                began = began if turns else number
                moment = iso_time(spoken["time"] or spoken["after"])
                turns.append((spoken["who"].strip(), spoken["text"], moment))
            elif turns and line.strip() and not _PARTED.match(line):
                who, text, moment = turns[-1]
                turns[-1] = (who, f"{text}\n{line.rstrip()}", moment)
            blank = 0 if line.strip() else blank + 1
    if turns:
        yield began, turns
