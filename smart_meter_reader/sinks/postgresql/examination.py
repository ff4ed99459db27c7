"""What `doctor` asks of a PostgreSQL: that it is there, lets us in, is new enough, and that we may write."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from smart_meter_reader.console.checks import Check, ok, unavailable, warning
from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.sinks.postgresql import tables as sql
from smart_meter_reader.sinks.postgresql.settings import PostgreSqlSettings
from smart_meter_reader.sinks.postgresql.sink import no_driver
from smart_meter_reader.sinks.postgresql.tables import SinkTables

if TYPE_CHECKING:
    import asyncpg


async def examine(subject: str, settings: PostgreSqlSettings) -> AsyncIterator[Check]:
    """Look at the server and the tables; creates and writes nothing."""
    try:
        from smart_meter_reader.sinks.postgresql.database import PostgreSql
    except ImportError:
        yield unavailable(subject, no_driver().detail)
        return
    database = PostgreSql(settings)
    tables = SinkTables.named(settings.schema, settings.table)

    async def looked(connection: asyncpg.Connection[Any]) -> list[Check]:
        checks = [await _server(subject, settings, connection)]
        if settings.tls and not settings.insecure:
            checks.append(
                ok(subject, f"TLS verifies the server by {settings.ca or 'the CAs of this system'}")
            )
        for table in (tables.values, tables.states):
            name = f"{table.schema}.{table.name}"
            if await database.missing_rights(connection, table):
                checks.append(ok(subject, f"{name} is not there yet; {settings.username} may create it"))
            else:
                checks.append(ok(subject, f"{settings.username} may write to {name}"))
        checks += [each async for each in _timescale(subject, tables, connection)]
        return checks

    try:
        for check in await database.do(looked):
            yield check
    except SinkError as error:
        yield unavailable(subject, error.detail)
    finally:
        database.give_up()


async def _server(subject: str, settings: PostgreSqlSettings, connection: asyncpg.Connection[Any]) -> Check:
    version = str(await connection.fetchval("SHOW server_version"))
    number = int(await connection.fetchval("SHOW server_version_num"))
    text = f"{settings.where} is PostgreSQL {version} and lets {settings.username} into {settings.database}"
    if number < sql.LEAST_VERSION:
        return warning(subject, f"{text}; older ones than 12 have not been tried with this program")
    return ok(subject, text)


async def _timescale(
    subject: str, tables: SinkTables, connection: asyncpg.Connection[Any]
) -> AsyncIterator[Check]:
    version = await connection.fetchval(sql.TIMESCALE)
    if not version:
        return
    name = tables.values.name
    if not await connection.fetchval("SELECT to_regclass($1)::oid", tables.values.quoted):
        yield ok(subject, f"TimescaleDB {version} is there: {name} will be a hypertable")
    elif await connection.fetchval(sql.IS_HYPERTABLE, tables.values.schema, name):
        yield ok(subject, f"{name} is a hypertable of TimescaleDB {version}")
    else:
        yield warning(
            subject,
            f"TimescaleDB {version} is there, and {name} is no hypertable: "
            f"SELECT create_hypertable('{name}', 'time', migrate_data => true) makes it one",
        )
