"""The sink `postgresql` behind a real PgBouncer that gives each transaction another connection."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from smart_meter_reader.sinks.postgresql.database import connected
from smart_meter_reader.sinks.postgresql.settings import PostgreSqlSettings
from smart_meter_reader.sinks.spooled.rows import MessageRows, ValueRow
from tests.peers.pgbouncer import pgbouncer
from tests.peers.postgresql import USER
from tests.sinks.postgresql.cluster import DATABASE, cluster

T = datetime(2026, 11, 29, 12, tzinfo=UTC)
_ROUNDS = 20


def rows(meter: str, number: int) -> list[MessageRows]:
    time = T + timedelta(seconds=number)
    return [MessageRows((ValueRow(meter, "heat_energy", "kWh", time, Decimal(number)),))]


async def test_a_pooler_by_transactions_takes_all_that_the_sink_does() -> None:
    async def works(settings: PostgreSqlSettings, meter: str) -> None:
        for number in range(_ROUNDS):
            async with connected(settings) as database:
                assert not await database.store(rows(meter, number))

    with cluster() as server:
        await server.set_up()
        async with pgbouncer(server.port, USER) as port:
            settings = PostgreSqlSettings(host="127.0.0.1", port=port, database=DATABASE, username=USER)
            async with connected(settings):
                pass  # the tables, by one of them
            await asyncio.gather(*(works(settings, meter) for meter in "abcde"))
        assert len(await server.rows()) == 5 * _ROUNDS
