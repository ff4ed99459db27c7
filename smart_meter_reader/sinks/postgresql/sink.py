"""The sink: what it shares with others, and a database of its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from smart_meter_reader.exceptions import NeedsAPersonError
from smart_meter_reader.sinks.postgresql.settings import PostgreSqlSettings
from smart_meter_reader.sinks.spooled.destination import Destination
from smart_meter_reader.sinks.spooled.sink import SpooledSink


class PostgreSqlSink(SpooledSink):
    """One database."""

    def __init__(self, name: str, settings: PostgreSqlSettings) -> None:
        super().__init__(name, settings)
        self._postgresql = settings

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Destination]:
        async with connected(self._postgresql) as database:
            yield database


@asynccontextmanager
async def connected(settings: PostgreSqlSettings) -> AsyncIterator[Destination]:
    """The database. Raises SinkError, also where the package is not installed that talks to it."""
    try:
        from smart_meter_reader.sinks.postgresql import database
    except ImportError as error:
        raise no_driver() from error
    async with database.connected(settings) as found:
        yield found


def no_driver() -> NeedsAPersonError:
    """What is to be done where asyncpg is not there."""
    return NeedsAPersonError(
        "no_asyncpg",
        "the package asyncpg, which talks to PostgreSQL, is not installed: install this program with its "
        "extra `postgresql`, or asyncpg beside it",
    )
