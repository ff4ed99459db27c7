"""Closes what a test of the history has left open, of which Python 3.13 warns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress

import pytest

from smart_meter_reader.history.errors import HistoryError
from smart_meter_reader.history.intake.intake import StoredMeter
from smart_meter_reader.history.storage.store import Store


@pytest.fixture(autouse=True)
def close_stores(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every store that a test opens is closed behind it, whatever became of its file."""
    opened: list[Store] = []
    as_usual = Store.open

    def open_store(store: Store) -> Mapping[str, StoredMeter]:
        opened.append(store)
        return as_usual(store)

    monkeypatch.setattr(Store, "open", open_store)
    yield
    for store in opened:
        with suppress(HistoryError):
            store.close()
