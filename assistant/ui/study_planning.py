"""How many questions a study needs, and how far it is: worked out beside the page, and not twice.

It knows threads and what was worked out. The arithmetic is known by `assistant.statistics`.
"""

import threading

from assistant.comparison import Study
from assistant.ratings import Desk
from assistant.reports.evidence import Evidence
from assistant.reports.findings import findings
from assistant.reports.words import standing
from assistant.statistics.power import Plan, plan

WIN_RATE = 0.65
"""The smallest difference worth finding: being preferred 65 times in 100."""


class Plans:
    """Plans by number of raters and of raters a question; each is worked out once, in a thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._plans: dict[tuple[int, int], Plan | None] = {}

    def of(self, raters: int, per_item: int) -> Plan | None:
        """The plan; None while it is being worked out."""
        key = (raters, min(per_item, raters))
        with self._lock:
            if key not in self._plans:
                self._plans[key] = None
                threading.Thread(target=self._work, args=key, name="plan-study", daemon=True).start()
            return self._plans[key]

    def _work(self, raters: int, per_item: int) -> None:
        self._plans[raters, per_item] = plan(WIN_RATE, raters, per_question=per_item)


class Standings:
    """How far studies are, in a line each; worked out anew only where votes have come or changed."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[object, str]] = {}

    def of(self, desk: Desk, study: Study) -> str:
        """How far a study is, such as "Not enough votes yet: about 35 more rankings."."""
        evidence = Evidence.of(desk, study.id)
        seen = study.state, len(evidence.raters), tuple(vote.id for vote in evidence.votes)
        known = self._known.get(study.id)
        if known is None or known[0] != seen:
            known = self._known[study.id] = (seen, standing(evidence, findings(evidence)))
        return known[1]
