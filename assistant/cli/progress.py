"""How far long work is, on stderr: one line that changes on a terminal, a line now and then in a log."""

import sys
import time

STEPS = 10
"""Into how many shares the work is divided in a log, with a line for each."""
CLEAR = "\r\x1b[K"
"""Back to the start of the line, and nothing on it."""
MEANINGFUL = 0.05
"""The share of the work that has to be done before the time left can be told from it."""


class Progress:
    """Told what is being done and how far it is, 0 to 1; shows it, with the time left."""

    def __init__(self) -> None:
        self._text = ""
        self._began = time.monotonic()
        self._step = -1
        self._open = False

    def __call__(self, text: str, fraction: float) -> None:
        """Show how far it is; work with another name begins anew."""
        if text != self._text:
            self.end()
            self._text, self._began, self._step = text, time.monotonic(), -1
        if sys.stderr.isatty():
            done = fraction >= 1
            sys.stderr.write(CLEAR + self._line(fraction) + "\n" * done)
            self._open = not done
        elif (step := int(fraction * STEPS + 1e-9)) > self._step:
            sys.stderr.write(self._line(fraction) + "\n")
            self._step = step
        sys.stderr.flush()

    def end(self) -> None:
        """Take the line away that still changes, so that results begin on their own."""
        if self._open:
            sys.stderr.write(CLEAR)
            sys.stderr.flush()
            self._open = False

    def _line(self, fraction: float) -> str:
        if not 0 < fraction < 1:
            return self._text
        line = f"{self._text}: {100 * fraction:.0f} %"
        took = time.monotonic() - self._began
        if fraction < MEANINGFUL or took < 1:
            return line
        return f"{line}, {took / fraction * (1 - fraction):.0f} s left"
