"""How much of a logger is read and stored as one: the window that fits into time and budget. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from smart_meter_reader.meters.backfill.cost import LoggerCost
from smart_meter_reader.meters.backfill.ranges import TimeRange
from smart_meter_reader.meters.backfill.state import DAY, HOUR, INFO, MONTH, YEAR, LoggerState, Window

# A window is what an interruption costs, and what a live reading may have to wait for: so many seconds, or
# one answer where more goes into it.
_COMFORTABLE = 8.0
_LARGEST: Mapping[str, int] = MappingProxyType({MONTH: 36, YEAR: 20, DAY: 128, INFO: 64, HOUR: 72})
# Less than this is not worth a request of its own, as long as more is missing.
_LEAST_ROWS = 6


def fitted(
    logger: str,
    state: LoggerState,
    cost: LoggerCost,
    part: TimeRange,
    *,
    oldest: int,
    unchecked: bool,
    limit: int | None,
    allowed: float,
) -> Window | None:
    """The oldest window of a missing range for so many seconds; None where nothing fits.

    ``oldest`` is the id of the oldest entry there is; ``unchecked``: the stored entry is to be looked at
    first; ``limit``: rows at most, where more failed.
    """
    (first, last), stored = part, state.check
    checks = unchecked and stored is not None and stored.entry >= oldest
    if checks and stored is not None:
        # What joins the entry that is stored costs one row more; elsewhere it is a request of its own.
        first = stored.entry
        last = last if part[0] == first + 1 else first
    # What an info code newly says, and what no longer, the entry before it tells.
    joins = logger == INFO and not checks and first > oldest and limit != 1
    first -= joins
    missing, page = last - first + 1, state.page or cost.page
    rows = min(missing, _LARGEST[logger], missing if limit is None else limit)
    rows = min(rows, max(page, cost.most_rows(_COMFORTABLE, page), 1 + joins))
    if cost.rows(rows, page) > allowed:
        rows = min(rows, cost.most_rows(allowed, page))
        if rows < max(1 + joins, min(missing, page, _LEAST_ROWS)):
            return None
    if page < rows < missing and rows - rows % page > joins:
        rows -= rows % page
    return Window(logger, first, first + rows - 1, cost.rows(rows, page), checks, joins)
