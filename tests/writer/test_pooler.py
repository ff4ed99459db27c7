"""The writer's database behind a real PgBouncer that gives each transaction another connection."""

from __future__ import annotations

import asyncio

from smart_meter_reader.writer.database import Database
from smart_meter_reader.writer.settings import WriterSettings
from tests.peers.pgbouncer import pgbouncer
from tests.peers.postgresql import USER, PostgresServer
from tests.writer.test_database import EDGE, told

_ROUNDS = 10


async def test_a_pooler_by_transactions_takes_all_that_the_writer_does(postgres: PostgresServer) -> None:
    await postgres.create("pooled")
    async with pgbouncer(postgres.port, USER) as port:
        settings = WriterSettings(database=f"postgresql://{USER}@127.0.0.1:{port}/pooled")
        first, second = Database(settings), Database(settings)
        try:
            for database in (first, second):
                await database.open()
                await database.prepare()
                await database.check()
            for number in range(_ROUNDS):
                writes = (
                    database.write([told(number, meter=meter)])
                    for database, meters in ((first, "abc"), (second, "def"))
                    for meter in meters
                )
                await asyncio.gather(*writes, first.counts(), second.known(EDGE, [(0, number)]))
            assert (await second.counts())["meters"] == 6
            assert await first.known(EDGE, [(0, _ROUNDS)]) == ([(0, _ROUNDS - 1)], [])
        finally:
            await first.close()
            await second.close()
    rows = await postgres.asked("SELECT count(DISTINCT (meter, time)) FROM fleet_reading", database="pooled")
    assert rows[0][0] == 6 * _ROUNDS
