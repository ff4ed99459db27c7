"""The clock of an emulated meter, which can run faster or slower than ours."""

from __future__ import annotations

import asyncio

# A century in a tenth of a second: whoever wants more has mistyped.
FASTEST = 1e10
# Then it starts again: at a high rate the meter's calendar and counters would soon be too small.
_CENTURY = 36_525 * 86_400


class EmulatedClock:
    """Starts when it is first looked at, which is when the meter is first asked.

    ``rate`` is how many emulated seconds pass in one.
    """

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self._started: float | None = None
        self._ahead = 0.0

    def seconds(self) -> float:
        """Emulated seconds since the start."""
        now = asyncio.get_running_loop().time()
        if self._started is None:
            self._started = now
        return ((now - self._started) * self._rate + self._ahead) % _CENTURY

    def advance(self, seconds: float) -> None:
        """So many emulated seconds pass at once."""
        self._ahead += seconds
