"""What the chats tell of the documents: which are cited how often, and which questions none of them answers.

It knows turns and what grounded lanes said. It does not know where chats are kept or how gaps are shown.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assistant.brand import Brand
from assistant.chats import Turn
from assistant.lanes import Answer, lane_of
from assistant.spreadsheet import to_csv
from knowledge.retrieval import Encoder, Findings

ALIKE = 0.6
"""Cosine from which two questions ask for much the same."""
MOST = 500
"""Questions that are looked at, the newest."""

NOTHING_FITS, DECLINED = "nothing in the documents fits", "the assistants declined"


@dataclass(frozen=True)
class Gap:
    """Questions that ask for much the same and that nobody could answer, the newest first."""

    questions: tuple[str, ...]
    latest: str
    reason: str

    @property
    def times(self) -> int:
        """How often it was asked."""
        return len(self.questions)


def times_cited(turns: Iterable[Turn]) -> Counter[str]:
    """How many questions each document was shown for, by its name."""
    return Counter(
        document
        for turn in turns
        for document in {source.document for answer in turn.answers.values() for source in answer.sources}
    )


def gaps(
    turns: Iterable[Turn], brand: Brand, search: Callable[[str], Findings], encoder: Encoder
) -> tuple[Gap, ...]:
    """The questions that nobody could answer, those that ask the same together, the most frequent first.

    A question is one if each lane that looks things up was shown nothing, or said the brand's sentence for
    what it does not know. One that was shown nothing counts no more once documents that fit it were added.
    """
    found: list[tuple[Turn, str]] = []
    for turn in turns:
        reason = _reason(turn, brand)
        if reason and not _answered_since(turn, reason, search):
            found.append((turn, reason))
        if len(found) == MOST:
            break
    return _grouped(found, encoder)


def gaps_csv(found: Sequence[Gap]) -> str:
    """The gaps as CSV, a row for each question."""
    rows = (
        (str(number), str(gap.times), question, gap.reason, gap.latest)
        for number, gap in enumerate(found, 1)
        for question in gap.questions
    )
    return to_csv(("gap", "times asked", "question", "why", "latest (UTC)"), rows)


def _reason(turn: Turn, brand: Brand) -> str:
    """Why the documents left a question open; empty where they did not."""
    grounded = [answer for key, answer in turn.answers.items() if lane_of(key).grounded and _searched(answer)]
    if not grounded:
        return ""
    if not any(answer.sources for answer in grounded):
        return NOTHING_FITS
    open_ = all(not answer.sources or _declines(answer, brand) for answer in grounded)
    return DECLINED if open_ else ""


def _searched(answer: Answer) -> bool:
    return answer.record is not None and answer.record.index_version is not None


def _declines(answer: Answer, brand: Brand) -> bool:
    sentence = brand.decline.strip().rstrip(".").casefold()
    return bool(sentence) and sentence in answer.text.replace("’", "'").casefold()


def _answered_since(turn: Turn, reason: str, search: Callable[[str], Findings]) -> bool:
    """Whether the documents have changed since, and now something fits."""
    if reason != NOTHING_FITS:
        return False
    findings = search(turn.question)
    seen = {answer.record.index_version for answer in turn.answers.values() if answer.record}
    return findings.index_version not in seen and findings.fits


def _grouped(found: Sequence[tuple[Turn, str]], encoder: Encoder) -> tuple[Gap, ...]:
    """Each question goes to the first group whose newest question is much like it, else begins one."""
    if not found:
        return ()
    vectors = encoder.encode([turn.question for turn, _ in found])
    groups: list[list[int]] = []
    for at in range(len(found)):
        near = [float(np.dot(vectors[at], vectors[group[0]])) for group in groups]
        best = int(np.argmax(near)) if near else -1
        if best >= 0 and near[best] >= ALIKE:
            groups[best].append(at)
        else:
            groups.append([at])
    made = [_gap([found[at] for at in group]) for group in groups]
    return tuple(sorted(made, key=lambda gap: gap.times, reverse=True))


def _gap(members: Sequence[tuple[Turn, str]]) -> Gap:
    turn, reason = members[0]
    return Gap(tuple(member.question for member, _ in members), turn.created, reason)
