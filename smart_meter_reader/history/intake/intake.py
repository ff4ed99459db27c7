"""Decides what of the meters' messages is kept: pure, the messages bring their times with them.

Counters: the first reading of each quarter of an hour with its own time, so that a bar of any length can be
cut from them; of meters that are read seldom, each reading; and the last one before a gap. Gauges: by the
hour, how often, lowest, highest and sum. Values of sub-meters by the time at which they were measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from smart_meter_reader.history.intake.closing import gauge_rows, gauged, last_row, newest_rows
from smart_meter_reader.history.intake.device import segment_rows, take_info, told_serial
from smart_meter_reader.history.intake.kept import (
    HOUR,
    QUARTER,
    is_coarser,
    is_counter,
    is_gauge,
    one_turn,
    slot_seconds,
)
from smart_meter_reader.history.intake.reported import may_tell, reported
from smart_meter_reader.history.intake.seen import SELDOM, CounterSeen, GaugeSeen, MeterSeen
from smart_meter_reader.history.rows import (
    CounterRow,
    EventRow,
    RestartRow,
    Row,
)
from smart_meter_reader.messages import METER_REPORTS, STARTING, Message, Reading, Status
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.measurement import Measurement

# A meter's clock that is further behind than this says nothing about when something was measured. One that
# is ahead never does: a row of a time to come would make this computer's clock look as if it had gone back.
_BEHIND = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class StoredCounter:
    """The newest stored row of a counter."""

    unit: str
    time: int
    value: Decimal


@dataclass(frozen=True, slots=True)
class StoredMeter:
    """What the store knows of a meter when the service starts."""

    serial_number: str
    counters: Mapping[str, StoredCounter]
    reports: tuple[str, ...] = ()  # what it reports of itself, in sentences


class Intake:
    """The one place that knows which reading of which value becomes a row. Remembers the newest of each."""

    def __init__(self, known: Mapping[str, StoredMeter]) -> None:
        self._meters = {name: _remembered(meter) for name, meter in known.items()}
        # Readings that came with a time that was there already but another value, or with an earlier one.
        self.passed_over = 0

    def take(self, message: Message) -> list[Row]:
        """The rows that follow from a message, in the order in which they are to be written."""
        meter = self._meters.get(message["meter"])
        if meter is None:
            meter = self._meters[message["meter"]] = MeterSeen(None)
        match message["type"]:
            case "reading":
                return self._reading(message["meter"], meter, message)
            case "status":
                return list(_status(message["meter"], meter, message))
            case "info":
                take_info(meter, message)
                return []
            case "past":
                return []  # it is placed among what is stored already

    def in_another_file(self, known: Mapping[str, StoredMeter]) -> Intake:
        """What goes on where the file is another one now, which knows of perhaps other devices."""
        new = Intake(known)
        for name, before in self._meters.items():
            meter = new._meters.setdefault(name, MeterSeen(None))
            told_serial(meter, before.announced or before.serial_number or "")
            meter.replaced = meter.replaced or before.replaced
        return new

    def flush(self) -> list[Row]:
        """What was seen of the gauges since the last time."""
        return [row for name, meter in self._meters.items() for row in gauge_rows(name, meter)]

    def close(self) -> list[Row]:
        """Everything that is not written yet, before the service stops: the newest of each counter too."""
        newest = [row for name, meter in self._meters.items() for row in newest_rows(name, meter)]
        return newest + self.flush()

    def _reading(self, name: str, meter: MeterSeen, reading: Reading) -> list[Row]:
        now = int(reading["time"].timestamp())
        hour = now - now % HOUR
        rows = list(segment_rows(name, meter, now)) if meter.may_begin else []
        rows.extend(reported(name, meter, now, reading["measurements"]))
        kept_for, rebased = meter.kept_for, meter.rebased
        for key, measurement in reading["measurements"].items():
            try:
                kept = kept_for[key]
            except KeyError:
                kept = _look_up(meter, key)
            if kept is None:
                continue
            value = measurement["value"]
            if not isinstance(value, Decimal):
                if not isinstance(value, int):
                    continue
                value = Decimal(value)
            unit = measurement["unit"]
            if isinstance(kept, CounterSeen):
                time = now
                if "measured_at" in measurement:
                    time = max(meter.since, _measured_at(measurement, reading["time"], now))
                # Of a telegram a second nearly every value passes here.
                if kept.goes_on(unit, now, time, value) and key not in rebased:
                    kept.seen, kept.value = time, value
                else:
                    rows.extend(self._count(name, key, meter, kept, unit, time, value))
            elif kept.hour == hour and kept.unit == unit:
                kept.add(value)
            else:
                rows.extend(gauged(name, key, kept, unit, now, value))
        return rows

    def _count(
        self,
        name: str,
        key: str,
        meter: MeterSeen,
        counter: CounterSeen,
        unit: str,
        time: int,
        value: Decimal,
    ) -> Iterator[Row]:
        if unit != counter.unit:
            yield from last_row(name, key, counter)
            counter.unit, counter.seen, counter.kept = unit, 0, -1
        elif time <= counter.seen:
            # The same value once more says nothing new, whatever the time that comes with it.
            if value != counter.value:
                self.passed_over += 1
            return
        elif key not in meter.rebased and is_coarser(counter.value, value):
            return  # nothing new: the meter tells the same in coarser steps
        elif value < counter.value or key in meter.rebased:
            yield from last_row(name, key, counter)
            turn = None if key in meter.rebased else one_turn(counter.value, value)
            yield RestartRow(name, key, unit, time, turn)
            counter.kept = -1
        meter.rebased -= {key}
        since, counter.seen, counter.value = time - counter.seen, time, value
        if (
            counter.kept < 0
            or time // counter.slot != counter.kept // counter.slot
            or _seldom(counter, since)
        ):
            counter.kept = time
            yield CounterRow(name, key, unit, time, value)


def _seldom(counter: CounterSeen, since: int) -> bool:
    return since >= SELDOM and counter.slot == QUARTER


def _remembered(known: StoredMeter) -> MeterSeen:
    meter = MeterSeen(known.serial_number, reports=known.reports)
    for key, each in known.counters.items():
        counter = _look_up(meter, key)
        if isinstance(counter, CounterSeen):
            counter.unit, counter.seen, counter.value, counter.kept = (
                each.unit,
                each.time,
                each.value,
                each.time,
            )
    return meter


def _look_up(meter: MeterSeen, key: str) -> CounterSeen | GaugeSeen | None:
    kept: CounterSeen | GaugeSeen | None = None
    if is_counter(key):
        kept = meter.counters[key] = CounterSeen(slot_seconds(key))
    elif is_gauge(key):
        kept = meter.gauges[key] = GaugeSeen()
    elif key not in QUANTITIES:
        return None  # ever new ones must not fill the memory
    meter.kept_for[key] = kept
    return kept


def _measured_at(measurement: Measurement, time: datetime, now: int) -> int:
    own = measurement.get("measured_at")
    if own is None or not time - _BEHIND <= own <= time:
        return now
    return int(own.timestamp())


def _status(name: str, meter: MeterSeen, status: Status) -> Iterator[Row]:
    state, reason = status["state"], status["reason"]
    if reason == "meter_replaced":
        meter.replaced = status["detail"] or "meter replaced"
    elif reason == "new_baseline":
        meter.rebased = frozenset(status.get("quantities", ())) - frozenset(status.get("rolled_over", ()))
    before, meter.state = meter.state, state if state != "online" else ""
    if reason == STARTING:
        meter.state = ""
        return
    if state == "offline" and before != "offline":
        for key, counter in meter.counters.items():
            yield from last_row(name, key, counter)
    if reason == METER_REPORTS:
        reason = ""  # told by its readings
    told = reason or (state if before else "")
    if not told or (state == "offline" and before == "offline"):
        return
    time = int(status["time"].timestamp())
    if may_tell(meter, time):
        yield EventRow(name, time, told, status["detail"])
