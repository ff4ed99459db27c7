"""Which device tells the readings of one name, and whether two do by turns, which mixes them. Pure.

A meter that was exchanged is another device once, and for good. A lease moves a meter from one machine to
another: its serial number stays, or the number of the lease says that this is meant. Two that come back after
each other are two meters of one name at one site.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

# So long after it was seen last a mix is over: one of the two has another name now.
MIX_LASTS: Final = timedelta(days=1)
_MOST_BEFORE: Final = 4
_SERIAL: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_BY_EDGE: Final = "edge "


def device_name(serial: str, meter: str, edge: str | None, *, leased: bool) -> str:
    """What tells a device from others; "" where nothing does. ``serial``: the meter's name where it has none.

    Without a serial number it is the machine that stands for what hangs on it, unless a lease moves that.
    """
    if edge is not None and not _SERIAL.fullmatch(edge):
        edge = None  # the header of a stranger
    if serial != meter and _SERIAL.fullmatch(serial):
        return f"{serial} ({edge})" if edge else serial
    return f"{_BY_EDGE}{edge}" if edge and not leased else ""


@dataclass(frozen=True, slots=True)
class Devices:
    """The device of now since its first reading, those before it, and when two of them last came by turns."""

    now: str = ""
    since: datetime | None = None
    before: tuple[str, ...] = ()
    mixed: datetime | None = None

    def heard(self, device: str, time: datetime) -> Devices:
        """What is known after a reading of ``device``, taken at ``time``; itself, where nothing is new."""
        if not device or (self.since is not None and time <= self.since):
            return self  # what comes late says nothing of who is there now
        if device == self.now or (_is_edge(device) and _same(device, self.now)):
            return self  # a serial number is not known again at once after each start
        if not self.now or _same(device, self.now):
            return replace(self, now=device, since=time)
        others = tuple(each for each in self.before if not _same(device, each))
        returned = len(others) < len(self.before)
        return Devices(device, time, (*others, self.now)[-_MOST_BEFORE:], time if returned else self.mixed)

    def is_mixed(self, time: datetime) -> bool:
        """Whether what is read at ``time`` needs to be told apart by its device."""
        return self.mixed is not None and abs(time - self.mixed) < MIX_LASTS


def _is_edge(device: str) -> bool:
    return device.startswith(_BY_EDGE)


def _same(one: str, other: str) -> bool:
    """The same serial number; where one has none, the same machine."""
    if _is_edge(one) or _is_edge(other):
        return _edge_of(one) == _edge_of(other)
    return one.partition(" (")[0] == other.partition(" (")[0]


def _edge_of(device: str) -> str:
    return device.removeprefix(_BY_EDGE) if _is_edge(device) else device.partition(" (")[2].rstrip(")")
