"""Windows that were read and published, and are not yet safe in every sink that takes a past."""

from __future__ import annotations

from dataclasses import dataclass

from smart_meter_reader.messages.receipts import Receipt
from smart_meter_reader.meters.backfill.plan import Planner
from smart_meter_reader.meters.backfill.ranges import TimeRanges, union
from smart_meter_reader.meters.backfill.state import StoredEntry, Window

# A history writes every quarter of an hour; what is under way would be read again after a restart.
MOST = 32


@dataclass(frozen=True, slots=True)
class _Published:
    window: Window
    newest: StoredEntry
    receipt: Receipt


class UnderWay:
    """Those of one meter."""

    def __init__(self) -> None:
        self._published: list[_Published] = []

    @property
    def full(self) -> bool:
        """Whether the sinks are to catch up first."""
        return len(self._published) >= MOST

    def add(self, window: Window, newest: StoredEntry, receipt: Receipt) -> None:
        """A window goes out, and ``newest`` is what it ends with."""
        self._published.append(_Published(window, newest, receipt))

    def settle(self, planner: Planner) -> None:
        """What is safe is done; what a sink has dropped is no longer under way, and so is read again."""
        for each in self._published:
            if each.receipt.is_safe:
                planner.done(each.window, each.newest)
        self._published = [
            each for each in self._published if not each.receipt.is_safe and not each.receipt.is_lost
        ]

    def ids(self) -> dict[str, TimeRanges]:
        """By logger, so that nothing is read twice meanwhile."""
        found: dict[str, TimeRanges] = {}
        for each in self._published:
            window = each.window
            found[window.logger] = union(found.get(window.logger, ()), [window.wanted])
        return found
