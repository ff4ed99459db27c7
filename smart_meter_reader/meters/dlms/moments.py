"""When a list was measured: by a clock whose distance from UTC the meter often does not tell.

A meter of Europe is one to three hours ahead of UTC, or counts in it. So local time is the one of these
that is nearest to when the list arrived; what is near none of them says nothing. Pure: the arrival is an
argument.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from smart_meter_reader.codecs.dlms.date_time import MeterTime

_HOURS: Final = (1, 2, 3, 0)  # in Europe, the likelier first
# A clock that is further off tells nothing, and neither does a list that was sent so late.
_FARTHEST: Final = timedelta(minutes=15)


def measured_at(time: MeterTime | None, received: datetime) -> datetime | None:
    """The moment in UTC; None where the meter tells none that can be right."""
    if time is None or not time.valid:
        return None
    if time.moment.tzinfo is not None:
        moment = time.moment.astimezone(UTC)
        if abs(moment - received) <= _FARTHEST:
            return moment
    local = time.moment.replace(tzinfo=UTC)
    moments = [local - timedelta(hours=hours) for hours in _HOURS]
    nearest = min(moments, key=lambda moment: abs(moment - received))
    return nearest if abs(nearest - received) <= _FARTHEST else None
