"""What is known of each meter now: its newest values, its state, who it is. For the page and for metrics.

Pure: times are arguments, in seconds of a clock that is never set.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from smart_meter_reader.history.media import medium_of
from smart_meter_reader.messages import STARTING, Info, Message, Reading, Status
from smart_meter_reader.messages.freshness import Freshness, freshness, stays_fresh
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.measurement import Measurement

# Which value is shown in large: what flows now says more than what has flowed until now.
_MAIN = (
    "active_power_import",
    "power",
    "heat_energy",
    "cooling_energy",
    "active_energy_import",
    "active_energy_import_tariff_1",
)
# Made-up names in a stream that nobody trusts shall not fill the memory.
MOST_METERS = 2500


@dataclass(slots=True)
class LiveMeter:
    """One meter, as its messages have told until now."""

    meter: str
    status: Status | None = None
    info: Info | None = None
    read_at: float | None = None
    time: datetime | None = None  # of the newest reading
    values: dict[str, tuple[Measurement, datetime]] = field(default_factory=dict)
    health: Mapping[str, Any] = field(default_factory=dict)

    def take(self, message: Message, now: float) -> None:
        """Keep what is new in a message."""
        if message["type"] == "reading":
            self._take_reading(message, now)
        elif message["type"] == "status":
            self.status = message
            self.health = message.get("health", self.health)
        elif message["type"] == "info":
            self.info = message

    def _take_reading(self, reading: Reading, now: float) -> None:
        self.read_at, self.time = now, reading["time"]
        for key, measurement in reading["measurements"].items():
            if key in QUANTITIES:
                self.values[key] = (measurement, reading["time"])

    @property
    def state(self) -> str:
        return self.status["state"] if self.status is not None else "offline"

    @property
    def expires(self) -> int:
        """After how many seconds without a reading the last one is nothing to go by any more."""
        return stays_fresh(self._interval)

    @property
    def _interval(self) -> int:
        return self.info.get("interval", 0) if self.info is not None else 0

    def age(self, now: float) -> int | None:
        """Seconds since the last reading; None when there was none yet."""
        return None if self.read_at is None else max(0, round(now - self.read_at))

    def freshness(self, now: float) -> Freshness:
        """Whether its readings still come."""
        reason = self.status["reason"] if self.status is not None else STARTING
        return freshness(self.state, reason, self.age(now), self._interval)

    def shown(self, now: float, *, can_be_asked: bool) -> dict[str, Any]:
        """As an element of ``meters`` in the answer `now`, and as an event of the stream."""
        status, info = self.status, self.info
        return {
            "meter": self.meter,
            "medium": medium_of(self.values),
            "state": self.state,
            "reason": status["reason"] if status else STARTING,
            "detail": status["detail"] if status else "waiting for the first reading",
            "since": status["time"] if status else None,
            "age_seconds": self.age(now),
            "read_at": self.time,
            "expires_seconds": self.expires,
            "manufacturer": info.get("manufacturer", "") if info else "",
            "model": info.get("model", "") if info else "",
            "serial_number": info.get("serial_number", "") if info else "",
            "via": info.get("via", "") if info else "",
            "main": main_quantity(self.values),
            "measurements": {key: self._measured(key) for key in self.values},
            "health": dict(self.health),
            "can_be_asked": can_be_asked,
        }

    def _measured(self, key: str) -> dict[str, Any]:
        measurement, time = self.values[key]
        shown = {
            "value": measurement["value"],
            "unit": measurement["unit"],
            "name": QUANTITIES[key].name,
        }
        # A value that the newest reading did not bring says of when it is.
        when = measurement.get("measured_at", time if time != self.time else None)
        return shown if when is None else {**shown, "measured_at": when}


class Live:
    """All meters, and who wants to know when something of them is new."""

    def __init__(self) -> None:
        self._meters: dict[str, LiveMeter] = {}
        self._listeners: set[Changes] = set()

    def expect(self, meters: Iterable[str]) -> None:
        """These are in the settings: each is there from the start, without a reading."""
        for meter in meters:
            self._meters.setdefault(meter, LiveMeter(meter))

    def take(self, message: Message, now: float) -> bool:
        """A message of a meter has come; whether there is a place for that meter."""
        name = message["meter"]
        meter = self._meters.get(name)
        if meter is None:
            if len(self._meters) >= MOST_METERS:
                return False
            meter = self._meters[name] = LiveMeter(name)
        meter.take(message, now)
        for listener in self._listeners:
            listener.add(name)
        return True

    @property
    def meters(self) -> list[LiveMeter]:
        """In the order of the settings; those that come along with others behind them."""
        return list(self._meters.values())

    def meter(self, name: str) -> LiveMeter | None:
        return self._meters.get(name)

    def forget(self, name: str) -> None:
        """There is no meter of that name after all."""
        self._meters.pop(name, None)
        for listener in self._listeners:
            listener.drop(name)

    def listen(self, changes: Changes) -> None:
        """From now on ``changes`` is told of each change."""
        self._listeners.add(changes)

    def leave(self, changes: Changes) -> None:
        self._listeners.discard(changes)


class Changes:
    """Meters of which something is new; each once, however often it changes until somebody looks."""

    def __init__(self, meters: Iterable[str]) -> None:
        self._names = dict.fromkeys(meters)

    def add(self, meter: str) -> None:
        self._names[meter] = None

    def drop(self, meter: str) -> None:
        self._names.pop(meter, None)

    def take(self) -> list[str]:
        """Those since the last time."""
        names = list(self._names)
        self._names.clear()
        return names


def main_quantity(keys: Collection[str]) -> str | None:
    """The one that a person looks for first; None when there is none at all."""
    for key in _MAIN:
        if key in keys:
            return key
    counters = [key for key in keys if QUANTITIES[key].cumulative]
    return next(iter(counters or keys), None)
