"""How long one conversation may be worked on: some are written to take hours.

It knows the clock of this process. It does not know what is done meanwhile.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from assistant.conversations.model import UnusableError

SECONDS = 3.0
"""Of work on one conversation; a real one takes a thousandth."""


@contextmanager
def patience() -> Iterator[None]:
    """End the work within, where it takes longer than `SECONDS`; outside of the main thread nothing can.

    Raises:
        UnusableError: it took longer.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _end)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)


def _end(number: int, frame: FrameType | None) -> None:
    raise UnusableError(
        f"found a text that takes longer than {SECONDS:.0f} seconds to clean",
        "people's texts take much less",
        "Leave it out.",
    )
