"""Settings of the sink `history`."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Self

from smart_meter_reader.console import PROGRAM
from smart_meter_reader.guard.state import state_path
from smart_meter_reader.history.intake.clock import TRUST_TOLD, Trust
from smart_meter_reader.history.places import history_file, recent_file
from smart_meter_reader.history.zone import is_zone, system_zone
from smart_meter_reader.settings.hosts import URL_HELP, URL_PATTERN, require_url
from smart_meter_reader.settings.schema import DriverSettings, Secret, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class HistorySettings(DriverSettings):
    """What is kept, where, for how long, and by whose days it is counted."""

    directory: str = setting(
        'where the files are; "": in the state directory of the service', default="", identifies=True
    )
    file_name: str = setting(
        'what the files begin with; "": the name of the environment', default="", identifies=True
    )
    time_zone: str = setting(
        'whose days are counted, such as Europe/Amsterdam; "": the zone of this computer',
        default="",
        identifies=False,
    )
    year_begins: str = setting(
        "month and day on which the year of the bill begins, such as 06-01",
        default="01-01",
        pattern=r"(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])",
        pattern_help="month and day as MM-DD",
        identifies=False,
    )
    recent_days: int = setting(
        "for how many days every single reading is kept; 0: not at all",
        default=31,
        minimum=0,
        maximum=3660,
    )
    recent_directory: str = setting(
        'where every single reading is kept, such as a directory in memory; "": beside the history',
        default="",
        identifies=True,
    )
    write_every: timedelta = setting(
        "how often is written to the disk; what a power cut costs at most, in detail but not in energy",
        default=timedelta(minutes=15),
        minimum=timedelta(seconds=1),
        maximum=timedelta(hours=1),
    )
    backup_every: timedelta = setting(
        "how often a backup is made beside the history, of which the newest two stay; 0s: never",
        # Of ten years it is 108 MB: every week that would be more than all the rest that is written.
        default=timedelta(days=30),
        minimum=timedelta(0),
        maximum=timedelta(days=366),
    )
    clock: Trust = setting(
        TRUST_TOLD,
        default="auto",
    )

    home_assistant_url: str = setting(
        'address of Home Assistant, as in the browser, for `history push`; "": asked for',
        default="",
        pattern=f"|{URL_PATTERN}",
        pattern_help=URL_HELP,
        identifies=True,
    )
    home_assistant_token: Secret | None = setting(
        "long-lived access token of an administrator there, for `history push`", default=None
    )
    home_assistant_ca: Path | None = setting(
        "PEM file of the CA that signed Home Assistant's certificate, for `history push`",
        default=None,
        identifies=False,
    )

    def __post_init__(self) -> None:
        require_url("home_assistant_url", self.home_assistant_url)
        if self.time_zone and not is_zone(self.time_zone):
            raise ValueError(
                f"time_zone: this computer knows no zone {self.time_zone!r}; `timedatectl list-timezones` "
                "lists them, and the package tzdata brings them"
            )
        month, day = map(int, self.year_begins.split("-"))
        try:
            date(2024, month, day)  # a leap year
        except ValueError:
            raise ValueError(f"year_begins: there is no {self.year_begins} in any year") from None

    def named(self, environment: str) -> Self:
        """Each environment has files of its own, unless the settings say how they are called."""
        return self if self.file_name else replace(self, file_name=environment)

    @property
    def takes_past(self) -> bool:
        return True

    @property
    def zone(self) -> str:
        """The zone of the house by its name."""
        return self.time_zone or system_zone(os.environ)

    @property
    def file(self) -> Path | None:
        """The history; None where the computer has no place for it (no HOME, no state directory)."""
        directory = self._directory(self.directory)
        return history_file(directory, self.file_name) if directory else None

    @property
    def recent(self) -> Path | None:
        """The ring of recent readings; None where there shall be none."""
        directory = self._directory(self.recent_directory or self.directory)
        return recent_file(directory, self.file_name) if self.recent_days and directory else None

    def _directory(self, named: str) -> Path | None:
        if named:
            return Path(named).expanduser()
        state = state_path(self.file_name, os.environ)
        return state.parent if state else None

    def shown_at(self, meters: Sequence[str], printed: str) -> Iterator[str]:
        yield f"The history: `{PROGRAM} history show`"
