"""The database: connects, makes or checks the tables, and writes a batch in one transaction.

What it refuses for a message's own sake is told apart from what passes by itself.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import asyncpg

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.fleet.written import Range, ranges_of
from smart_meter_reader.network.tls import client_context
from smart_meter_reader.writer import sql
from smart_meter_reader.writer.arrivals import Arrival
from smart_meter_reader.writer.failures import ANYTHING, explained
from smart_meter_reader.writer.settings import WriterSettings

CONNECT_SECONDS: Final = 10.0
STATEMENT_SECONDS: Final = 20.0
_CONNECTIONS: Final = 5  # one for each lane, one for questions, one for the page

Edge = tuple[str, str, str]
"""Tenant, site, edge."""
Meter = tuple[str, str, str]
"""Tenant, site, meter."""


class RefusedRowsError(SinkError):
    """The database refuses what is to be written, and not just now."""


@dataclass(frozen=True, slots=True)
class WrittenBatch:
    """What one transaction has brought: rows, of which so many were ``new``, and sequences by edge."""

    rows: int
    new: int
    outdated: int
    sequences: Mapping[Edge, tuple[int, ...]]


class Database:
    """The connections to it. All methods raise SinkError."""

    def __init__(self, settings: WriterSettings) -> None:
        self._settings = settings
        self._pool: asyncpg.Pool[Any] | None = None

    async def open(self) -> None:
        """Connect, and see that the tables are there."""
        settings = self._settings
        password = settings.database_password
        # None: as `sslmode` in the address says.
        verified = _verified(settings) if settings.database_tls else None
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                self._pool = await asyncpg.create_pool(
                    settings.database,
                    password=password.reveal() if password else None,
                    ssl=verified,
                    # The library logs a traceback for each attempt to keep up a least number.
                    min_size=0,
                    max_size=_CONNECTIONS,
                    command_timeout=STATEMENT_SECONDS,
                    timeout=CONNECT_SECONDS / 2,
                    server_settings={"application_name": "smart-meter-reader writer"},
                )
        except ANYTHING as error:
            raise explained(error, settings) from error
        await self._fetch("SELECT")

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
        await self._require_columns()
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
        await self._require_columns()
        if lacking := await self._fetch(sql.MISSING_RIGHTS, sql.TABLES):
            tables, who = ", ".join(row["relation"] for row in lacking), lacking[0]["who"]
            raise NeedsAPersonError(
                "may_not_write",
                f"{who} may not write to the tables: GRANT SELECT, INSERT, UPDATE ON {tables} TO {who}",
            )

    async def _require_columns(self) -> None:
        pairs = [(table, name) for table, names in sql.COLUMNS.items() for name in names.split()]
        if lacking := await self._fetch(sql.MISSING_COLUMNS, *_columns(pairs)):
            table = lacking[0]["relation"]
            names = ", ".join(row["name"] for row in lacking if row["relation"] == table)
            raise NeedsAPersonError(
                "other_tables",
                f"the table {table} of the database lacks {names}: it is another one, or of another version "
                "of this program; rename it, then `smart-meter-reader writer --prepare` makes ours",
            )

    async def write(self, arrivals: Sequence[Arrival]) -> WrittenBatch:
        """Write all or nothing. Raises RefusedRowsError when it is one of them that is refused."""
        sequences = _sequences(arrivals)
        try:
            async with self._opened.acquire() as connection, connection.transaction():
                fences = await _write_meters(connection, arrivals)
                rows, new, outdated = await _write_readings(connection, arrivals, fences)
                await _write_events(connection, arrivals)
                await _write_edges(connection, sequences, {})
        except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:
            raise RefusedRowsError("rows_refused", f"the database refuses it: {error}") from error
        except ANYTHING as error:
            raise explained(error, self._settings) from error
        return WrittenBatch(rows, new, outdated, sequences)

    async def refuse(self, sequences: Mapping[Edge, Sequence[int]]) -> None:
        """Remember that these will never be written, for edges that ask."""
        try:
            async with self._opened.acquire() as connection, connection.transaction():
                await _write_edges(connection, {}, sequences)
        except ANYTHING as error:
            raise explained(error, self._settings) from error

    async def known(self, edge: Edge, asked: Iterable[Range]) -> tuple[list[Range], list[Range]]:
        """Of an edge's sequences those that were written, and those that were refused."""
        found = await self._fetch(sql.ASKED, *edge, _multirange(asked))
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


def _verified(settings: WriterSettings) -> ssl.SSLContext:
    return client_context(ca=settings.database_ca, insecure=False, ca_setting="database_ca")


async def _write_meters(connection: Any, arrivals: Sequence[Arrival]) -> dict[Meter, int]:
    """Note the newest reading of each meter; the highest fence that came before, of those that have one."""
    newest: dict[Meter, datetime] = {}
    for each in arrivals:
        if each.body is None:
            newest[each.meter] = max(each.time, newest.get(each.meter, each.time))
    if not newest:
        return {}
    keys = sorted(newest)
    found = await connection.fetch(sql.METERS, *_columns(keys), [newest[key] for key in keys])
    return {tuple(row)[:3]: row["fence"] for row in found if row["fence"] is not None}


async def _write_readings(
    connection: Any, arrivals: Sequence[Arrival], before: Mapping[Meter, int]
) -> tuple[int, int, int]:
    """Rows, how many of them are new, and how many came from a reader after another one's."""
    rows, fences = [], dict(before)
    for each in arrivals:
        fence, outdated = each.origin.fence, False
        if each.rows and fence is not None:
            outdated = fence < fences.get(each.meter, fence)
            fences[each.meter] = max(fence, fences.get(each.meter, fence))
        rows += [
            (*each.meter, row.quantity, row.time, row.value, row.text, row.unit, fence, outdated)
            for row in each.rows
        ]
    higher = sorted((*meter, fence) for meter, fence in fences.items() if before.get(meter) != fence)
    if higher:
        await connection.execute(sql.FENCES, *_columns(higher))
    if not rows:
        return 0, 0, 0
    rows.sort(key=lambda row: row[:5])
    told: str = await connection.execute(sql.READINGS, *_columns(rows))
    # "INSERT 0 12"
    return len(rows), int(told.rpartition(" ")[2]), sum(1 for row in rows if row[-1])


async def _write_events(connection: Any, arrivals: Sequence[Arrival]) -> None:
    bodies = sorted(
        (
            (*each.meter, each.subject.kind, each.time, each.body)
            for each in arrivals
            if each.body is not None
        ),
        key=lambda row: row[:5],
    )
    if not bodies:
        return
    await connection.execute(sql.EVENTS, *_columns(bodies))
    for kind, statement in (("status", sql.STATUSES), ("info", sql.INFOS)):
        newest = {row[:3]: (*row[:3], *row[4:]) for row in bodies if row[3] == kind}
        if newest:
            await connection.execute(statement, *_columns([newest[key] for key in sorted(newest)]))


async def _write_edges(
    connection: Any, written: Mapping[Edge, Sequence[int]], refused: Mapping[Edge, Sequence[int]]
) -> None:
    edges = sorted({*written, *refused})
    if edges:
        ranges = [
            [_multirange(ranges_of(found.get(edge, ()))) for edge in edges] for found in (written, refused)
        ]
        await connection.execute(sql.EDGES, *_columns(edges), *ranges)


def _sequences(arrivals: Iterable[Arrival]) -> dict[Edge, tuple[int, ...]]:
    found: dict[Edge, list[int]] = {}
    for each in arrivals:
        if each.origin.edge is not None and each.origin.sequence is not None:
            edge = each.subject.tenant, each.subject.site, each.origin.edge
            found.setdefault(edge, []).append(each.origin.sequence)
    return {edge: tuple(numbers) for edge, numbers in found.items()}


def _columns(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]


def _multirange(ranges: Iterable[Range]) -> str:
    return "{" + ",".join(f"[{first},{last}]" for first, last in ranges) + "}"


def _ranges_in(text: str) -> list[Range]:
    """PostgreSQL tells them with the first number that is not in them: {[1,13),[14,15)}."""
    return [(int(first), int(end) - 1) for first, end in re.findall(r"\[(\d+),(\d+)\)", text)]
