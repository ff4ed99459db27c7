"""Keeps whose days are counted in the file itself, so that they are the same wherever it is looked at."""

from __future__ import annotations

import logging
import time

from smart_meter_reader.history.rows import EventRow
from smart_meter_reader.history.storage.schema import YEAR_BEGINS, ZONE
from smart_meter_reader.history.storage.store import Store
from smart_meter_reader.sinks.history.settings import HistorySettings

_log = logging.getLogger(__name__)


def keep_house(sink: str, settings: HistorySettings, store: Store) -> list[EventRow]:
    """Bring the file to the settings; an event for what was otherwise. Blocking; raises HistoryError."""
    changes: list[EventRow] = []
    for key, now in ((ZONE, settings.zone), (YEAR_BEGINS, settings.year_begins)):
        before = store.setting(key)
        if before == now:
            continue
        if before:
            change = f"{key} was {before} and is {now} now: days and years of the past are cut anew"
            _log.warning("sink %s: %s", sink, change)
            changes.append(EventRow("", int(time.time()), f"{key}_changed", change))
        store.keep_setting(key, now)
    return changes
