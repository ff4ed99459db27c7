"""The settings of all sinks that store in a database elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from smart_meter_reader.history.intake.clock import TRUST_TOLD, Trust
from smart_meter_reader.settings.durations import format_duration
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.spool.settings import SpoolSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class StoringSettings(SpoolSettings):
    """How often something is stored, and what is kept meanwhile."""

    every: timedelta = setting(
        "of each meter one reading in so long is stored; 0s: every one",
        default=timedelta(seconds=10),
        minimum=timedelta(0),
        maximum=timedelta(days=1),
    )
    write_every: timedelta = setting(
        "how long is gathered before it is sent, all at once; 0s: nothing is gathered",
        default=timedelta(seconds=10),
        minimum=timedelta(0),
        maximum=timedelta(hours=1),
    )
    clock: Trust = setting(
        TRUST_TOLD,
        default="auto",
    )
    past: bool = setting("also store what meters had kept in their own memory", default=True)

    @property
    def takes_past(self) -> bool:
        return self.past

    @property
    def remarks(self) -> tuple[str, ...]:
        """What is not stored by these settings."""
        if not self.every:
            return ()
        return (f"of each meter one reading in {format_duration(self.every)} is stored: `every` says so",)
