"""What is written when something ends: the hour of a gauge, the row of a counter before a gap."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from smart_meter_reader.history.intake.kept import HOUR
from smart_meter_reader.history.intake.seen import CounterSeen, GaugeSeen, MeterSeen
from smart_meter_reader.history.rows import CounterRow, GaugeRow, Row


def gauged(name: str, key: str, gauge: GaugeSeen, unit: str, now: int, value: Decimal) -> Iterator[Row]:
    """A value of a gauge, behind the hour that it may end."""
    hour = now - now % HOUR
    if gauge.n and (hour != gauge.hour or unit != gauge.unit):
        yield _row(name, key, gauge)
        gauge.n = 0
    gauge.hour, gauge.unit = hour, unit
    gauge.add(value)


def _row(name: str, key: str, gauge: GaugeSeen) -> GaugeRow:
    return GaugeRow(name, key, gauge.unit, gauge.hour, gauge.n, gauge.low, gauge.high, gauge.total)


def gauge_rows(name: str, meter: MeterSeen) -> Iterator[Row]:
    """What was seen of all gauges since the last time."""
    for key, gauge in meter.gauges.items():
        if gauge.n:
            yield _row(name, key, gauge)
            gauge.n = 0


def newest_rows(name: str, meter: MeterSeen) -> Iterator[Row]:
    """The newest reading of each counter, where it is not kept yet."""
    for key, counter in meter.counters.items():
        yield from last_row(name, key, counter)


def last_row(name: str, key: str, counter: CounterSeen) -> Iterator[Row]:
    """The newest reading of a counter, where it is not kept yet: the one before a gap."""
    if counter.seen > counter.kept >= 0:
        counter.kept = counter.seen
        yield CounterRow(name, key, counter.unit, counter.seen, counter.value)
