"""Prices that were told on MQTT topics, kept for ever, so that what the past cost stays what it was.

A price of the past that is known stays; one that was missing is taken, and one of a time to come may change.
"""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TypeAlias

from smart_meter_reader.history.costs.contracts import MomentPrices, decimals_of
from smart_meter_reader.history.errors import NoHistoryError
from smart_meter_reader.history.storage.connecting import connect, explained_for, whole_or_nothing
from smart_meter_reader.history.storage.schema import PRICES, migrate

# What is told anew in the first seconds of a quarter is of that quarter still.
_JUST_NOW = 60
_EVER = 2**40
_State: TypeAlias = tuple[tuple[int, int] | None, ...]


class ToldPrice(NamedTuple):
    """A price from ``since``, seconds since 1970 UTC, to the next one, for ``longest`` seconds at most."""

    since: int
    longest: int
    price: Decimal


def keep_prices(path: Path, topic: str, told: Sequence[ToldPrice], now: int) -> int:
    """Write what a topic told; how many of the past were told otherwise than before, and stay. Blocks.

    Raises HistoryError.
    """
    with closing(connect(path, PRICES)) as connection, explained_for(path):
        migrate(connection, PRICES)
        with whole_or_nothing(connection):
            return sum(not _kept(connection, topic, each, now) for each in told)


def _kept(connection: sqlite3.Connection, topic: str, told: ToldPrice, now: int) -> bool:
    known = connection.execute(
        "SELECT longest, price FROM price WHERE topic = ? AND since = ?", (topic, told.since)
    ).fetchone()
    if known == (told.longest, str(told.price)):
        return True
    if known is not None and told.since < now - _JUST_NOW:
        return Decimal(known[1]) == told.price
    connection.execute(
        "INSERT OR REPLACE INTO price VALUES (?, ?, ?, ?)",
        (topic, told.since, told.longest, str(told.price)),
    )
    return True


def newest_price(path: Path, topic: str) -> ToldPrice | None:
    """The last one that a topic told; None for none. Blocks; raises HistoryError."""
    rows = _rows(path, "WHERE topic = ? ORDER BY since DESC LIMIT 1", topic)
    return rows[0] if rows else None


class ToldPrices:
    """The prices of topics, read again when something was told."""

    def __init__(self) -> None:
        self._read: dict[tuple[Path, str, Decimal], tuple[_State, MomentPrices]] = {}

    def prices(self, path: Path, topic: str, factor: Decimal) -> MomentPrices:
        """All prices of a topic, each multiplied by ``factor``; none where none was told. HistoryError."""
        state = tuple(_seen(path.with_name(f"{path.name}{end}")) for end in ("", "-wal"))
        known = self._read.get((path, topic, factor))
        if known is None or known[0] != state:
            made = _moments(_rows(path, "WHERE topic = ? ORDER BY since", topic), factor)
            known = self._read[path, topic, factor] = state, made
        return known[1]


def _moments(rows: Sequence[ToldPrice], factor: Decimal) -> MomentPrices:
    begins, prices = array("q"), list[Decimal | None]()
    nexts = [*(row.since for row in rows[1:]), _EVER]
    for row, following in zip(rows, nexts, strict=False):
        begins.append(row.since)
        prices.append(row.price * factor)
        if row.since + row.longest < following:
            begins.append(row.since + row.longest)
            prices.append(None)
    decimals = max((decimals_of(price) for price in prices if price is not None), default=0)
    whole = [None if price is None else int(price.scaleb(decimals)) for price in prices]
    return MomentPrices(begins, whole, decimals, _EVER)


def _rows(path: Path, which: str, topic: str) -> list[ToldPrice]:
    try:
        connection = connect(path, PRICES, read_only=True)
    except NoHistoryError:
        return []
    with closing(connection), explained_for(path):
        found = connection.execute(f"SELECT since, longest, price FROM price {which}", (topic,))  # noqa: S608
        return [ToldPrice(since, longest, Decimal(price)) for since, longest, price in found]


def _seen(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
