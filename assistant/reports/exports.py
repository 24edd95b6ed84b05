"""A report for other programs: JSON, all votes as CSV, preference pairs, and corrected answers to learn from.

It knows the formats. It works nothing out.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from itertools import combinations
from typing import Any

from assistant.comparison import Item
from assistant.ratings import Vote
from assistant.reports.evidence import Evidence, system_name
from assistant.reports.judged import Report
from assistant.reports.plain_json import to_json
from assistant.reports.words import agreement_in_words, blinding_in_words, headline, recommendation
from assistant.spreadsheet import to_csv

FORMAT_VERSION = 1


def votes_csv(evidence: Evidence) -> str:
    """All votes as CSV, a line for each answer that was judged, with the header first."""
    criteria = [criterion.key for criterion in evidence.study.criteria]
    heads = ["study", "question", "text", "topic", "rater", "kind", "place", "letter", "system", "rank"]
    tail = ["none_usable", "comment", "wrong", "better", "seconds", "created", "corrections"]
    rows = (
        [str(cell) for cell in _line(evidence, vote, position, criteria)]
        for vote in evidence.votes
        for position in range(len(vote.showing.systems))
    )
    return to_csv([*heads, *criteria, *tail], rows)


def _line(evidence: Evidence, vote: Vote, position: int, criteria: Sequence[str]) -> list[Any]:
    showing, said = vote.showing, vote.judgement
    item = evidence.by_id[showing.item_id]
    wrong = said.wrong[position] if said.wrong else ()
    return [
        evidence.study.name,
        item.id,
        item.question,
        item.topic,
        evidence.names.get(showing.rater_id, ""),
        showing.kind,
        showing.place,
        "ABCDE"[position],
        showing.systems[position],
        said.ranks[position],
        *(said.scores[key][position] if key in said.scores else "" for key in criteria),
        int(said.unusable),
        said.comment,
        " | ".join(wrong),
        said.better,
        said.seconds,
        vote.created,
        vote.corrections,
    ]


def as_json(report: Report) -> str:
    """The report's figures and sentences as JSON; what nobody can say is null."""
    found, evidence = report.findings, report.evidence
    value = {
        "version": FORMAT_VERSION,
        "company": report.company,
        "study": {"id": evidence.study.id, "name": evidence.study.name, "state": evidence.study.state},
        "headline": headline(found),
        "recommendation": recommendation(found),
        "trust": [*agreement_in_words(found), blinding_in_words(found.blinding)],
        "findings": asdict(found),
        "costs": {system: asdict(cost) for system, cost in report.costs.items()},
        "orders": [asdict(order) for order in report.orders],
        "topics": [asdict(topic) for topic in report.topics],
        "training_seconds": report.training_seconds,
        "setup": report.setup,
        "systems": {system: system_name(system) for system in evidence.systems},
    }
    return to_json(value)


def preference_pairs(evidence: Evidence, left_out: Sequence[int] = ()) -> Iterator[dict[str, Any]]:
    """Pairs of answers, one preferred, in the shape that DPO trainers read (prompt, chosen, rejected).

    A pair is given once a question, where more votes prefer one answer than the other; a vote that finds
    no answer usable prefers none.
    """
    for item in evidence.items:
        votes = [
            vote
            for vote in evidence.counted
            if vote.showing.item_id == item.id
            and vote.showing.rater_id not in left_out
            and not vote.judgement.unusable
        ]
        for first, second in combinations(item.answers, 2):
            before = sum(_prefers(vote, first, second) for vote in votes)
            behind = sum(_prefers(vote, second, first) for vote in votes)
            if before != behind and item.answers[first].text != item.answers[second].text:
                chosen, rejected = (first, second) if before > behind else (second, first)
                yield {
                    "prompt": _messages(item),
                    "chosen": [{"role": "assistant", "content": item.answers[chosen].text}],
                    "rejected": [{"role": "assistant", "content": item.answers[rejected].text}],
                    "meta": {
                        "study": evidence.study.name,
                        "question": item.id,
                        "chosen": chosen,
                        "rejected": rejected,
                        "votes": [max(before, behind), min(before, behind)],
                    },
                }


def _prefers(vote: Vote, first: str, second: str) -> bool:
    ranks = vote.ranks
    return first in ranks and second in ranks and ranks[first] < ranks[second]


def corrected_conversations(evidence: Evidence) -> Iterator[dict[str, Any]]:
    """Answers that raters wrote in place of those they saw, as conversations to train on."""
    for vote in evidence.counted:
        if vote.judgement.better:
            item = evidence.by_id[vote.showing.item_id]
            answer = {"role": "assistant", "content": vote.judgement.better}
            meta = {"study": evidence.study.name, "question": item.id, "topic": item.topic}
            yield {"messages": [*_messages(item), answer], "meta": meta}


def _messages(item: Item) -> list[dict[str, str]]:
    earlier = [{"role": turn.role, "content": turn.content} for turn in item.history]
    return [*earlier, {"role": "user", "content": item.question}]


def as_lines(values: Iterator[dict[str, Any]]) -> str:
    """JSON Lines."""
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


def as_text(report: Report) -> str:
    """The report in plain sentences, for a terminal."""
    found = report.findings
    said = [*recommendation(found), "", *agreement_in_words(found), blinding_in_words(found.blinding)]
    return "\n".join([f"{report.company}: {report.evidence.study.name}", headline(found), "", *said])
