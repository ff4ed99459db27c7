"""Frame counters of encrypted meters: which frame is new, and which was recorded. Time is an argument.

A meter counts its frames under each key (DLMS UA 1000-2, Green Book, 9.2.3.3.7.3: the invocation counter, the
second half of the nonce, never repeats). So a frame that is authentic and does not count on was recorded, but
for a meter whose counter was reset: that one goes on, and is believed after a day.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smart_meter_reader.exceptions import ReplayedError

HIGHEST: Final = 0xFFFF_FFFF
MAX_METERS: Final = 16
# A counter that fell is believed when the meter has gone on with it for so long, without longer pauses.
FALL_LASTS: Final = timedelta(days=1)
LONGEST_PAUSE: Final = timedelta(hours=1)
# Nothing vouches for the counter of an unauthenticated frame: only these last ones themselves are refused.
_UNPROVEN_KEPT: Final = 64


@dataclass(frozen=True, slots=True)
class Fall:
    """Authentic frames that count on among themselves, below the last counter: the last, and their times."""

    counter: int
    since: datetime
    seen: datetime


@dataclass(frozen=True, slots=True)
class FrameCounter:
    """The counter of a meter's last authentic frame, and the row below it, if there is one."""

    last: int
    fall: Fall | None = None


class FrameCounters:
    """The counters of the meters of one line, by system title."""

    def __init__(self) -> None:
        self._proven: dict[bytes, FrameCounter] = {}
        self._unproven: dict[bytes, deque[int]] = {}

    @property
    def values(self) -> dict[bytes, FrameCounter]:
        """What to remember, by system title."""
        return dict(self._proven)

    def recall(self, values: Mapping[bytes, FrameCounter]) -> None:
        """Begin with what ``values`` gave before."""
        self._proven = dict(values)

    def count(self, title: bytes, counter: int, now: datetime | None) -> None:
        """Count an authentic frame received at ``now``. Raises DecryptionError ``replayed``.

        Without a time no counter that fell is ever believed.
        """
        before = self._proven.get(title)
        if before is not None and counter <= before.last:
            fall = before.fall if counter == before.last else _continued(before.fall, counter, now)
            if fall is None or fall.seen - fall.since < FALL_LASTS:
                self._proven[title] = FrameCounter(before.last, fall)
                raise _replayed(counter, before.last)
        self._proven.pop(title, None)  # the meter heard last stands last
        self._proven[title] = FrameCounter(counter)
        _forget_oldest(self._proven)

    def check(self, title: bytes, counter: int, *, against_proven: bool) -> None:
        """Judge a frame that nothing authenticates: it moves no counter. Raises DecryptionError ``replayed``.

        ``against_proven``: one that does not count on from the last authentic frame is refused too.
        """
        proven = self._proven.get(title)
        if against_proven and proven is not None and counter <= proven.last:
            raise _replayed(counter, proven.last)
        recent = self._unproven.pop(title, None)
        if recent is None:
            recent = deque(maxlen=_UNPROVEN_KEPT)
        self._unproven[title] = recent
        _forget_oldest(self._unproven)
        if counter in recent:
            raise _replayed(counter, recent[-1])
        recent.append(counter)


def _continued(fall: Fall | None, counter: int, now: datetime | None) -> Fall | None:
    """The row of falling counters with one more, or a new one."""
    if now is None:
        return fall
    # A clock that was set, or nothing for long: who replays a recording shall not have it easier by that.
    if fall is None or counter <= fall.counter or not timedelta(0) <= now - fall.seen <= LONGEST_PAUSE:
        return Fall(counter, now, now)
    return Fall(counter, fall.since, now)


def _forget_oldest(table: dict[bytes, FrameCounter] | dict[bytes, deque[int]]) -> None:
    if len(table) > MAX_METERS:
        del table[next(iter(table))]


def _replayed(counter: int, last: int) -> ReplayedError:
    return ReplayedError(
        "replayed",
        f"frame counter {counter} after {last}: a repeated or recorded telegram. Should the meter's counter "
        "have begun anew, it is believed when it has counted on for a day; to have it believed now, stop the "
        "service and remove its state file (docs/guard.md)",
    )
