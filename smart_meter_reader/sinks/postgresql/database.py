"""One database: connects, sees that the tables are there and fit, stores batches, each in one transaction.

After any failure the connection is given up, whatever state it is in: asyncpg may else wait for a server that
hangs, to tell it that nobody waits any more.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import asyncpg

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.network.tls import client_context
from smart_meter_reader.sinks.postgresql import tables as sql
from smart_meter_reader.sinks.postgresql.failures import (
    ANYTHING,
    REFUSES_ROWS,
    RowsRefusedError,
    ServerWords,
    explained,
    unfit_table,
)
from smart_meter_reader.sinks.postgresql.settings import PostgreSqlSettings
from smart_meter_reader.sinks.postgresql.tables import (
    STATE_COLUMNS,
    VALUE_COLUMNS,
    SinkTables,
    Table,
    state_arrays,
    value_arrays,
)
from smart_meter_reader.sinks.spooled.destination import Destination
from smart_meter_reader.sinks.spooled.rows import MessageRows

_Result = TypeVar("_Result")


class PostgreSql(Destination):
    """The database of the settings. Every method raises SinkError."""

    def __init__(self, settings: PostgreSqlSettings) -> None:
        self._settings = settings
        self._tables = SinkTables.named(settings.schema, settings.table)
        self._connection: asyncpg.Connection[Any] | None = None

    async def store(self, batch: Sequence[MessageRows]) -> Mapping[int, str]:
        """A row whose meter, quantity and time are there takes the place of that one."""
        return {place: words async for place, words in self._refused(batch, 0)}

    async def _refused(self, batch: Sequence[MessageRows], begin: int) -> AsyncIterator[tuple[int, str]]:
        """Store; of what is refused the place. Halves are tried until that is one."""
        try:
            await self.do(lambda connection: self._store(connection, batch))
        except RowsRefusedError as error:
            if len(batch) == 1:
                yield begin, error.detail
                return
            middle = len(batch) // 2
            for half, first in ((batch[:middle], begin), (batch[middle:], begin + middle)):
                async for each in self._refused(half, first):
                    yield each

    async def _store(self, connection: asyncpg.Connection[Any], batch: Sequence[MessageRows]) -> None:
        values, states = value_arrays(batch), state_arrays(batch)
        await connection.execute("BEGIN")
        try:
            if values[0]:
                await connection.execute(self._tables.values.upsert, *values)
            if states[0]:
                await connection.execute(self._tables.states.upsert, *states)
            await connection.execute("COMMIT")
        except REFUSES_ROWS as error:
            await connection.execute("ROLLBACK")
            raise _explained(error, self._settings) from error

    async def prepare(self) -> None:
        """Connect, and create the tables that are not there."""
        await self.do(self._prepare)

    async def _prepare(self, connection: asyncpg.Connection[Any]) -> None:
        for table in (self._tables.values, self._tables.states):
            if (await self.missing_rights(connection, table)) is None:
                continue
            await connection.execute(table.creation)
            if table is self._tables.values and await connection.fetchval(sql.TIMESCALE):
                await connection.fetchval(sql.HYPERTABLE, table.quoted)

    async def missing_rights(self, connection: asyncpg.Connection[Any], table: Table) -> bool | None:
        """None: it is there and fits. Else whether it may be created. Raises NeedsAPersonError."""
        found = await connection.fetchrow(sql.LOOK, table.quoted)
        assert found is not None
        user, name = self._settings.username, f"{table.schema}.{table.name}"
        if found["number"] is None:
            may = await connection.fetchval(sql.MAY_CREATE, table.schema)
            if may is None:
                raise NeedsAPersonError(
                    "no_schema",
                    f"{self._settings.database} has no schema {table.schema}: create it, or check `schema`",
                )
            if not may:
                raise NeedsAPersonError(
                    "may_not_create",
                    f"{user} may not create tables in {table.schema} of {self._settings.database}: "
                    f"GRANT CREATE ON SCHEMA {table.schema} TO {user}; or let somebody else do it: "
                    f"{table.creation}",
                )
            return True
        if not (found["may_select"] and found["may_insert"] and found["may_update"]):
            raise NeedsAPersonError(
                "may_not_write",
                f"{user} may not write to {name}: GRANT SELECT, INSERT, UPDATE ON {name} TO {user}",
            )
        await self._require_fit(connection, table, found["number"])
        return None

    async def _require_fit(self, connection: asyncpg.Connection[Any], table: Table, number: int) -> None:
        there = {row["attname"]: row["kind"] for row in await connection.fetch(sql.COLUMNS, number)}
        name = f"{table.schema}.{table.name}"
        for column, kind in table.columns.items():
            if there.get(column) != kind:
                seen = f"is {there[column]}" if column in there else "is missing"
                raise NeedsAPersonError(
                    "other_table",
                    f"the table {name} is another one: its column {column} {seen}, and should be {kind}; set "
                    "`table` to a name that is free",
                )
        unique = [row["columns"] for row in await connection.fetch(sql.UNIQUE, number)]
        if sorted(table.key) not in unique:
            key = ", ".join(table.key)
            raise NeedsAPersonError(
                "no_key",
                f"the table {name} lets the same row in twice: ALTER TABLE {name} ADD PRIMARY KEY ({key})",
            )

    async def do(self, work: Callable[[asyncpg.Connection[Any]], Awaitable[_Result]]) -> _Result:
        """Do something with the connection, which is made where there is none, within the settings' time."""
        usable = False
        try:
            async with asyncio.timeout(self._settings.timeout.total_seconds()):
                if self._connection is None or self._connection.is_closed():
                    # An idle server may have been started anew: that is no trouble yet.
                    self._connection = await self._connect()
                result = await work(self._connection)
            usable = True
            return result
        except RowsRefusedError:
            usable = True
            raise
        except ANYTHING as error:
            raise _explained(error, self._settings) from error
        finally:
            if not usable:
                self.give_up()

    async def _connect(self) -> asyncpg.Connection[Any]:
        settings = self._settings
        context = (
            client_context(
                ca=settings.ca,
                insecure=settings.insecure,
                client_cert=settings.client_cert,
                client_key=settings.client_key,
            )
            if settings.tls
            else None
        )
        return await asyncpg.connect(
            host=settings.host,
            port=settings.port,
            database=settings.database,
            user=settings.username,
            password=settings.password.reveal() or None,
            # Without TLS neither a certificate of ~/.postgresql, nor what PGSSLMODE says.
            ssl=context or "disable",
            # Not that of this user. One that is no file is warned of, and one that is not there is not.
            passfile="/dev/null/none",
            timeout=settings.timeout.total_seconds(),
            # A pooler before the server may give each statement another connection.
            statement_cache_size=0,
            server_settings={"application_name": "smart_meter_reader"},
        )

    def give_up(self) -> None:
        """Leave the connection, without a word to the server."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()


@asynccontextmanager
async def connected(settings: PostgreSqlSettings) -> AsyncIterator[PostgreSql]:
    """The database with its tables. Raises SinkError."""
    database = PostgreSql(settings)
    try:
        await database.prepare()
        yield database
    finally:
        database.give_up()


_OURS = frozenset(VALUE_COLUMNS) | frozenset(STATE_COLUMNS)


def _explained(error: BaseException, settings: PostgreSqlSettings) -> SinkError:
    if unfit := unfit_table(error, _OURS):
        return NeedsAPersonError(
            "unfit_table", f"{settings.database} at {settings.where} takes no rows: {unfit}"
        )
    match error:
        case (
            asyncpg.InvalidSchemaNameError() | asyncpg.UndefinedTableError() | asyncpg.UndefinedColumnError()
        ):
            # The next attempt looks at the tables, and creates those that have gone.
            return SinkError("table_changed", f"the tables in {settings.database} have changed ({error})")
        case _:
            return explained(error, _words(settings))


def _words(settings: PostgreSqlSettings) -> ServerWords:
    return ServerWords(
        where=settings.where,
        user=settings.username,
        database=settings.database,
        place="`host`" if settings.is_socket else "`host` and `port`",
        name_setting="host",
        login="`username`, `password` and `tls`",
        tls="`tls`",
        ca_setting="ca",
        ca=settings.ca,
        rights="grant it that right",
        seconds=settings.timeout.total_seconds(),
    )
