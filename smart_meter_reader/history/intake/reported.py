"""What a meter reports of itself by its info code, as events: raised and cleared, once each. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from smart_meter_reader.history.intake.kept import HOUR
from smart_meter_reader.history.intake.seen import MeterSeen
from smart_meter_reader.history.reports import REPORTS, changes, event_text, sentences
from smart_meter_reader.history.rows import EventRow, Row
from smart_meter_reader.quantities.measurement import Measurement

# A meter whose line comes and goes must not fill the file.
EVENTS_AN_HOUR = 20


def reported(
    name: str, meter: MeterSeen, time: int, measurements: Mapping[str, Measurement]
) -> Iterator[Row]:
    """What the meter newly reports of itself by a reading, and what no longer."""
    if REPORTS not in measurements:
        return
    told = sentences(str(measurements[REPORTS]["value"]))
    before, meter.reports = meter.reports, told
    for kind, changed in changes(before, told):
        if may_tell(meter, time):
            yield EventRow(name, time, kind, event_text(kind, changed))


def may_tell(meter: MeterSeen, time: int) -> bool:
    """Whether there is room for one more event of the meter in this hour."""
    hour, events = meter.events if meter.events[0] == time // HOUR else (time // HOUR, 0)
    meter.events = hour, events + 1
    return events < EVENTS_AN_HOUR
