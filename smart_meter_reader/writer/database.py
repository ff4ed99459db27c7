"""The database: connects, makes or checks the tables, and writes a batch in one transaction.

What it refuses for a message's own sake is told apart from what passes by itself.

A pooler (PgBouncer) may stand before it: then each transaction may be another connection's, which has none of
the statements that were prepared before. It is known by the process that answers, which is not the one that
the login has named; then no statement is kept. One that is used at once reaches one connection even so: the
library ends its request only when the answer is there (Flush, not Sync, behind Parse and Describe).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import asyncpg

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.written import SequenceRange
from smart_meter_reader.network.tls import client_context
from smart_meter_reader.sinks.postgresql.failures import ANYTHING, REFUSES_ROWS, unfit_table
from smart_meter_reader.writer import sql
from smart_meter_reader.writer.arrivals import Arrival
from smart_meter_reader.writer.failures import STATEMENT_SECONDS, explained
from smart_meter_reader.writer.settings import WriterSettings
from smart_meter_reader.writer.transaction import (
    Edge,
    WrittenBatch,
    as_arrays,
    multirange,
    write_batch,
    write_edges,
)

CONNECT_SECONDS: Final = 10.0
_CLOSE_SECONDS: Final = 1.0
_CONNECTIONS: Final = 5  # one for each lane, one for questions, one for the page
_STATEMENTS: Final = 100  # kept prepared by each connection


class RefusedRowsError(SinkError):
    """The database refuses what is to be written, and not just now."""


class Database:
    """The connections to it. All methods raise SinkError."""

    def __init__(self, settings: WriterSettings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool[Any] | None = None

    async def open(self) -> None:
        """Connect, and see who answers."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                address = _address(self._settings)
                self._pool = await asyncpg.create_pool(
                    **address,
                    # The library logs a traceback for each attempt to keep up a least number.
                    min_size=0,
                    max_size=_CONNECTIONS,
                    command_timeout=STATEMENT_SECONDS,
                    statement_cache_size=0 if await _is_pooled(address) else _STATEMENTS,
                )
        except ANYTHING as error:
            raise explained(error, self._settings) from error

    async def close(self) -> None:
        """Give up what is under way."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.terminate()

    async def prepare(self) -> Sequence[str]:
        """Make the tables that are not there; one sentence each. Raises NeedsAPersonError for other ones."""
        before = await self._tables()
        for statement in sql.CREATE:
            await self._fetch(statement)
        await self._require_columns(sql.FIRST_COLUMNS)  # nothing is added to tables of somebody else
        for statement in sql.ADD:
            await self._fetch(statement)
        return [f"table {name}: {'it is there' if name in before else 'made'}" for name in sql.TABLES]

    async def who(self) -> tuple[str, str, bool]:
        """The server's version, who we are there, and whether the connection is encrypted."""
        found = (await self._fetch(sql.WHO))[0]
        return found["version"], found["who"], found["encrypted"]

    async def check(self) -> None:
        """Raises NeedsAPersonError where tables are missing, or the server is too old."""
        found = await self._fetch("SELECT current_setting('server_version_num')::int AS version")
        if found[0]["version"] < sql.VERSION:
            raise NeedsAPersonError("postgresql_old", "the writer needs PostgreSQL 14 or newer")
        missing = [name for name in sql.TABLES if name not in await self._tables()]
        if missing:
            raise NeedsAPersonError(
                "tables_missing",
                f"the database has no table {', '.join(missing)}: `smart-meter-reader writer --prepare` "
                "makes them, as a user who may (CREATE on the schema)",
            )
        await self._require_columns(sql.COLUMNS)
        if lacking := await self._fetch(sql.MISSING_RIGHTS, sql.TABLES):
            tables, who = ", ".join(row["relation"] for row in lacking), lacking[0]["who"]
            raise NeedsAPersonError(
                "may_not_write",
                f"{who} may not write to the tables: GRANT SELECT, INSERT, UPDATE ON {tables} TO {who}",
            )

    async def _require_columns(self, wanted: Mapping[str, str]) -> None:
        pairs = [(table, name) for table, names in wanted.items() for name in names.split()]
        if lacking := await self._fetch(sql.MISSING_COLUMNS, *as_arrays(pairs)):
            table = lacking[0]["relation"]
            names = ", ".join(row["name"] for row in lacking if row["relation"] == table)
            raise NeedsAPersonError(
                "other_tables",
                f"the table {table} of the database lacks {names}: `smart-meter-reader writer --prepare` "
                "adds what a newer version of this program has; rename the table before if it is another one",
            )

    async def write(self, arrivals: Sequence[Arrival]) -> WrittenBatch:
        """Write all or nothing. Raises RefusedRowsError when it is one of them that is refused."""
        try:
            async with self._opened.acquire() as connection, connection.transaction():
                written = await write_batch(connection, arrivals)
        except (*REFUSES_ROWS, UnicodeError) as error:  # a text that is none
            if unfit := unfit_table(error, sql.ALL_COLUMNS):
                raise NeedsAPersonError("unfit_table", f"the database takes no rows: {unfit}") from error
            raise RefusedRowsError("rows_refused", f"the database refuses it: {error}") from error
        except ANYTHING as error:
            raise explained(error, self._settings) from error
        return written

    async def refuse(self, sequences: Mapping[Edge, Sequence[int]]) -> None:
        """Remember that these will never be written, for edges that ask."""
        try:
            async with self._opened.acquire() as connection, connection.transaction():
                await write_edges(connection, {}, sequences)
        except ANYTHING as error:
            raise explained(error, self._settings) from error

    async def known(
        self, edge: Edge, asked: Iterable[SequenceRange]
    ) -> tuple[list[SequenceRange], list[SequenceRange]]:
        """Of an edge's sequences those that were written, and those that were refused."""
        found = await self._fetch(sql.ASKED, *edge, multirange(asked))
        if not found:
            return [], []
        return _ranges_in(found[0]["written"]), _ranges_in(found[0]["refused"])

    async def ages(self, most: int) -> Sequence[Mapping[str, Any]]:
        """The meters whose newest readings are oldest."""
        return await self._fetch(sql.AGES, most)

    async def counts(self) -> Mapping[str, Any]:
        """How many meters there are, how many are late, and the oldest of the newest readings."""
        found: Mapping[str, Any] = (await self._fetch(sql.COUNTS, self._settings.alert_age))[0]
        return found

    async def page(self, most: int) -> Sequence[Mapping[str, Any]]:
        """The meters by tenant, site and name."""
        return await self._fetch(sql.PAGE, most)

    @property
    def _opened(self) -> asyncpg.Pool[Any]:
        if self._pool is None:
            raise SinkError("database_closed", "the database is not connected")
        return self._pool

    async def _tables(self) -> set[str]:
        found = await self._fetch(
            "SELECT name FROM unnest($1::text[]) AS name WHERE to_regclass(name) IS NOT NULL", sql.TABLES
        )
        return {row["name"] for row in found}

    async def _fetch(self, statement: str, *values: object) -> Sequence[Mapping[str, Any]]:
        try:
            found: Sequence[Mapping[str, Any]] = await self._opened.fetch(statement, *values)
        except ANYTHING as error:
            raise explained(error, self._settings) from error
        return found


def _address(settings: WriterSettings) -> dict[str, Any]:
    """Where it is and as whom, as the library takes it."""
    password = settings.database_password
    return {
        "dsn": settings.database,
        "password": password.reveal() if password else None,
        # None: as `sslmode` in the address says.
        "ssl": _verified(settings) if settings.database_tls else None,
        "timeout": CONNECT_SECONDS / 2,
        "server_settings": {"application_name": "smart-meter-reader writer"},
    }


async def _is_pooled(address: Mapping[str, Any]) -> bool:
    """Whether another process answers than the one that the login has told (BackendKeyData)."""
    connection = await asyncpg.connect(**address, statement_cache_size=0)
    try:
        return bool(await connection.fetchval("SELECT pg_backend_pid()") != connection.get_server_pid())
    finally:
        await connection.close(timeout=_CLOSE_SECONDS)


def _verified(settings: WriterSettings) -> ssl.SSLContext:
    return client_context(ca=settings.database_ca, insecure=False, ca_setting="database_ca")


def _ranges_in(text: str) -> list[SequenceRange]:
    """PostgreSQL tells them with the first number that is not in them: {[1,13),[14,15)}."""
    return [(int(first), int(end) - 1) for first, end in re.findall(r"\[(\d+),(\d+)\)", text)]
