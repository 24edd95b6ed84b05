"""`python -m tests.benchmarks.fitting`: how often "nothing fits" is said rightly, and how often wrongly.

Questions that the documents answer should fit: *declined* is the share of them that does not. Three kinds
should not fit, and *caught* is the share that does not: the demo's questions that nothing answers, questions
whose documents were taken out (others that say much the same stay), and another company's questions.
"""

import argparse
from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from knowledge.lexical import words_of
from knowledge.ranking import Query
from knowledge.searching import Snapshot
from tests.benchmarks.companies import Asked, Company, demo_company, load_encoder, shared_company, vectors_of

MOST = 200
"""Questions of each kind."""
FEWEST_WORDS = 3
"""Words that say something in another company's question: "what about it?" could be asked of anybody."""


def main() -> None:
    """Print a line for each company and kind of question."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--split", default="dev", choices=("train", "dev", "test"))
    split = parser.parse_args().split
    encoder = load_encoder()
    demo = demo_company(encoder)
    shared = [_of_split(shared_company(name, encoder), split) for name in ("hotel_concierge", "dmv")]

    def declines(asked: Asked, snapshot: Snapshot) -> bool:
        query = Query.of(asked.question, asked.history)
        _, fit = snapshot.search(query, vectors_of(query.texts, encoder), 1)
        return fit is not None and not fit.holds

    def declined(asked: Iterable[tuple[Asked, Snapshot]]) -> str:
        said = [declines(*pair) for pair in asked]
        return f"{np.mean(said):6.1%} of {len(said)}"

    print(f"{'company':18} {'declined':>16} {'caught':>16}  questions that should not fit")
    _demo(demo, declined)
    for company, other in zip(shared, reversed(shared), strict=True):
        _shared(company, other, declined)


Declined = Callable[[Iterable[tuple[Asked, Snapshot]]], str]


def _demo(demo: Company, declined: Declined) -> None:
    snapshot = demo.snapshot()
    good = declined((each, snapshot) for each in demo.questions if each.documents)
    bad = declined((each, snapshot) for each in demo.questions if not each.documents)
    print(f"{demo.name:18} {good:>16} {bad:>16}  that nothing answers")


def _shared(company: Company, other: Company, declined: Declined) -> None:
    whole, lacking = company.snapshot(), {}
    for each in company.questions:
        if each.documents not in lacking:
            lacking[each.documents] = company.snapshot(without=each.documents)
    good = declined((each, whole) for each in company.questions)
    out = declined((each, lacking[each.documents]) for each in company.questions)
    strange = [each for each in other.questions if len(words_of(each.question)) >= FEWEST_WORDS]
    foreign = declined((replace(each, history=()), whole) for each in strange)
    print(f"{company.name:18} {good:>16} {out:>16}  whose documents were taken out")
    print(f"{company.name:18} {'':16} {foreign:>16}  of {other.name}")


def _of_split(company: Company, split: str) -> Company:
    """The company with the questions of one split that hold words."""
    asked = [each for each in company.questions if each.split == split and words_of(each.question)]
    return replace(company, questions=tuple(asked[:MOST]))


if __name__ == "__main__":
    main()
