"""What settings say of a meter's own memory, alike for all that are read back: how much time, whose zone."""

from __future__ import annotations

from abc import abstractmethod
from datetime import timedelta, tzinfo
from typing import Any, Final

from smart_meter_reader.history.zone import is_zone
from smart_meter_reader.meters.backfill.budget import UNLIMITED
from smart_meter_reader.meters.base import PolledSettings
from smart_meter_reader.settings.schema import setting

# What a meter on battery gives for its loggers: on KMP about what an hour's readings of two days cost. Of a
# MULTICAL 66-CDE a table cannot be read in parts: months take 30 s, days, checked by what those told, 54 s.
_BUDGET: Final = timedelta(minutes=1)


def budget_setting(more: str = "") -> Any:
    """How much line time a day; ``more`` is added to the help."""
    return setting(
        f"how much line time a day that may take; by default 60s, and without limit with mains_powered{more}",
        default=None,
        minimum=timedelta(0),
        maximum=timedelta(hours=12),
    )


def zone_setting() -> Any:
    """Whose winter time the meter's clock has."""
    return setting(
        'whose winter time the meter\'s clock has, such as Europe/Amsterdam; "": the zone of this computer',
        default="",
        identifies=False,
    )


class LoggerSettings(PolledSettings):
    """What the settings of meters say whose own memory is read back, under the same keys."""

    __slots__ = ()

    @property
    @abstractmethod
    def logger_budget(self) -> timedelta | None:
        """How much line time a day; None: by the meter's battery."""

    @property
    @abstractmethod
    def logger_zone(self) -> str:
        """Whose winter time the meter's clock has; "": this computer's."""

    @property
    @abstractmethod
    def mains_powered(self) -> bool:
        """Whether there is no battery to be careful with."""

    def check_zone(self) -> None:
        """Raises ValueError for a zone that there is not."""
        if self.logger_zone and not is_zone(self.logger_zone):
            raise ValueError(
                f"logger_zone: this computer knows no zone {self.logger_zone!r}; needed: one such as "
                "Europe/Amsterdam"
            )

    @property
    def daily_budget(self) -> float:
        """Seconds of line time a day for what the meter remembers."""
        if self.logger_budget is not None:
            return self.logger_budget.total_seconds()
        return UNLIMITED if self.mains_powered else _BUDGET.total_seconds()

    @property
    def budget_text(self) -> str:
        """The same for a person."""
        limit = self.daily_budget
        return "without limit" if limit == UNLIMITED else f"for {limit:g} s of the line a day at most"

    @property
    def zone(self) -> tzinfo | None:
        """Whose winter time the meter's clock has; None: this computer's."""
        if not self.logger_zone:
            return None
        from zoneinfo import ZoneInfo  # most never need it in memory

        return ZoneInfo(self.logger_zone)
