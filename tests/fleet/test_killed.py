"""kill -9 of edges and writers at random moments: nothing that a spool took is missing, or twice."""

from __future__ import annotations

import asyncio
import random

from tests.fleet.fleet import Fleet, all_there
from tests.peers.postgresql import PostgresServer

# In all runs of the tests together: each is another moment. The large count is in benchmarks.fleet.
KILLS = 8
# Of each meter, in half a minute or more: some are on their way at each kill.
COUNT = 60


async def test_edges_and_writers_die_at_random_points(fleet: Fleet, postgres: PostgresServer) -> None:
    chance = random.Random()
    writers = [fleet.writer(f"w{number}", fetch=20) for number in (1, 2)]
    edges = [fleet.edge(f"e{number}", meters=5, count=COUNT, pace=0.02) for number in (1, 2)]
    for number in range(KILLS):
        await asyncio.sleep(chance.uniform(0.3, 2.0))
        # By turns, so that both kinds die in each run.
        victim = chance.choice((edges, writers)[number % 2])
        victim.kill()
        await asyncio.sleep(chance.uniform(0.0, 0.5))
        victim.start()
    found = await all_there(postgres, fleet.name, edges, 2 * 5 * COUNT, patience=120)
    assert set(found.values()) == {1}
    # What was not in the spool when its edge died may be missing, and was never noted.
    assert len(found) >= 2 * 5 * COUNT


async def test_a_message_whose_writer_died_comes_again(fleet: Fleet, postgres: PostgresServer) -> None:
    edge = fleet.edge("e1", meters=1, count=30)
    first = fleet.writer("w1", fetch=1)
    await asyncio.sleep(2.0)
    first.kill()
    fleet.writer("w2")
    # The engine waits 30 s for an acknowledgement that the first one owes.
    found = await all_there(postgres, fleet.name, [edge], 30, patience=90)
    assert set(found.values()) == {1}
