"""Which device a meter's readings are of: its segments begin here, with its serial number."""

from __future__ import annotations

from collections.abc import Iterator

from smart_meter_reader.history.intake.closing import gauge_rows, last_row
from smart_meter_reader.history.intake.seen import MeterSeen
from smart_meter_reader.history.rows import Row, SegmentRow, SerialRow
from smart_meter_reader.messages import Info
from smart_meter_reader.text import is_same_serial


def segment_rows(name: str, meter: MeterSeen, now: int) -> Iterator[Row]:
    """Before the first reading of a device: its segment."""
    if meter.serial_number is None:
        meter.serial_number = meter.announced
        yield SegmentRow(name, now, meter.serial_number, "first reading")
    elif meter.replaced and any(counter.unit for counter in meter.counters.values()):
        for key, counter in meter.counters.items():
            yield from last_row(name, key, counter)
            counter.unit, counter.seen, counter.kept = "", 0, -1
        yield from gauge_rows(name, meter)
        meter.serial_number = meter.announced
        meter.since = now
        yield SegmentRow(name, now, meter.serial_number, meter.replaced)
    elif meter.announced and (meter.replaced or not meter.serial_number):
        meter.serial_number = meter.announced
        yield SerialRow(name, meter.serial_number)
    else:
        return
    meter.replaced = meter.announced = ""


def take_info(meter: MeterSeen, info: Info) -> None:
    """Who the meter is. Whether another serial number is another meter, the guard says, which hears it too.

    It does not know what the store remembers, so that the first one after a start counts by itself.
    """
    told_serial(meter, info.get("serial_number", "").strip())


def told_serial(meter: MeterSeen, serial: str) -> None:
    """A serial number was told, "" for none: perhaps of another device."""
    if not serial:
        return
    known = meter.serial_number or ""
    meter.announced = "" if known and is_same_serial(serial, known) else serial
    if meter.announced and meter.serial_number and not meter.heard_info:
        meter.replaced = "another serial number than before the start"
    meter.heard_info = True
