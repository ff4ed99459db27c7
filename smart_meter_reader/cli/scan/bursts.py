"""What a meter sends at once, from its beginning to its end: enough to know whether the speed is right."""

from __future__ import annotations

from typing import Final

# Between what meters send lies more than this, and within it less, also where a network lies between.
PAUSE: Final = 0.5
# A line that is just opened may give a byte or two that nobody sent.
_FEWEST: Final = 16
# The longest telegrams have 8 KiB; what goes on without a pause has no burst.
_MOST: Final = 32 * 1024


class Bursts:
    """Bytes of one line in by ``note``; the first burst that was heard from its beginning, by ``take``.

    No clock in it: whoever calls says what time it is. A burst that was under way when the line was opened is
    none, since at the right speed it would make no sense either.
    """

    def __init__(self, opened: float) -> None:
        self._last = opened
        self._octets: bytearray | None = None  # since the last pause; None before the first one

    @property
    def ends(self) -> float:
        """When what is coming is over, unless more of it comes; infinity where nothing is."""
        return self._last + PAUSE if self._octets else float("inf")

    def note(self, received: bytes, now: float) -> None:
        """Bytes that have come."""
        if now - self._last >= PAUSE:
            self._octets = bytearray()
        self._last = now
        if self._octets is not None:
            self._octets += received[: _MOST - len(self._octets)]

    def take(self, now: float) -> bytes:
        """A whole burst that is over; b"" where there is none, and for what is too little to judge."""
        if self._octets is None or now < self.ends:
            return b""
        burst, self._octets = bytes(self._octets), bytearray()
        return burst if len(burst) >= _FEWEST else b""
