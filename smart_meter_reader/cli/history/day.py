"""A day as people type it behind an option: by the calendar, and of a year in which meters were read."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from smart_meter_reader.history.periods import YEARS

_WRITTEN = click.DateTime(["%Y-%m-%d"])


class Day(click.ParamType[date]):
    """YYYY-MM-DD as a date; days of other years do not add up."""

    name = "date"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> date:
        """The day. Raises click.BadParameter."""
        day: date = _WRITTEN.convert(value, param, ctx).date()
        if day.year not in YEARS:
            self.fail(f"no meter was read in {day.year}", param, ctx)
        return day


def require_order(first: tuple[str, date | None], last: tuple[str, date | None]) -> None:
    """Raise click.UsageError where the last day lies before the first; each with its option's name."""
    if first[1] is not None and last[1] is not None and last[1] < first[1]:
        raise click.UsageError(f"{last[0]} is before {first[0]}")
