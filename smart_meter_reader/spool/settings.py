"""The settings of a spool, inherited by those of every sink that has one."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Self

from smart_meter_reader.guard.state import state_path
from smart_meter_reader.settings.schema import DriverSettings, setting
from smart_meter_reader.spool.entries import SpoolLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoolSettings(DriverSettings):
    """Where and how much is kept of what the destination has not confirmed."""

    spool_directory: str = setting(
        'where the file is that keeps what the destination does not have yet; "": in the state directory',
        default="",
        identifies=True,
    )
    spool_name: str = setting(
        'what that file begins with; "": the name of the environment', default="", identifies=True
    )
    spool_mib: int = setting(
        "how many MiB of it are kept; then the oldest is dropped, and told",
        default=64,
        minimum=1,
        maximum=100_000,
    )
    spool_after: timedelta = setting(
        "what is not delivered by then goes to the disk: what a power cut costs at most; 0s: always, at once",
        default=timedelta(minutes=1),
        minimum=timedelta(0),
        maximum=timedelta(hours=1),
    )

    def named(self, environment: str) -> Self:
        """Each environment has files of its own, unless the settings say how they are called."""
        return self if self.spool_name else replace(self, spool_name=environment)

    def spool_file(self, sink: str) -> Path | None:
        """The file of one sink; None where the computer has no place for it (no HOME, no state directory)."""
        name = self.spool_name or "default"
        if self.spool_directory:
            directory = Path(self.spool_directory).expanduser()
        elif state := state_path(name, os.environ):
            directory = state.parent
        else:
            return None
        return directory / f"{name.replace('/', '_')}.{sink}.spool.sqlite"

    @property
    def spool_limits(self) -> SpoolLimits:
        """The bounds that these settings set."""
        return SpoolLimits(most_bytes=self.spool_mib << 20, disk_after=self.spool_after)
