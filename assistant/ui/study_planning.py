"""How many questions a study needs, worked out beside the page: the simulation takes seconds.

It knows threads. The arithmetic is known by `assistant.statistics`.
"""

import threading

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
