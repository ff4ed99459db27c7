"""The clock inside an emulated meter: standard time of its zone, summer time beside it, and its drift."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from smart_meter_reader.codecs.kmp.clock import LocalTime
from smart_meter_reader.meters.backfill.stamps import standard_offset


@dataclass(frozen=True, slots=True)
class InnerClock:
    """``start`` is the true time when the emulated seconds begin; ``zone`` None: that of this computer.

    ``drift`` is how many seconds the clock is ahead of the true time.
    """

    start: datetime
    zone: tzinfo | None = UTC
    drift: float = 0.0

    def local(self, seconds: float) -> LocalTime:
        """What the clock says so many true seconds after the start."""
        at = self.start + timedelta(seconds=seconds + self.drift)
        standard = self._standard_offset(at)
        local = at.astimezone(self.zone).utcoffset() or timedelta(0)
        return LocalTime(
            (at.astimezone(UTC).replace(tzinfo=None) + standard).replace(microsecond=0),
            round((local - standard) / timedelta(minutes=1)),
        )

    def seconds(self, standard: datetime) -> float:
        """How many true seconds after the start the clock says so."""
        zone = timezone(standard_offset(self.zone, standard.year))
        return (standard.replace(tzinfo=zone) - self.start).total_seconds() - self.drift

    def set_to(self, standard: datetime, seconds: float) -> InnerClock:
        """The clock as it is once somebody has set it so many true seconds after the start."""
        return replace(self, drift=self.drift + self.seconds(standard) - seconds)

    def _standard_offset(self, at: datetime) -> timedelta:
        return standard_offset(self.zone, at.year)
