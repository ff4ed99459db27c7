"""The whole path: edge, JetStream, writer, PostgreSQL; each reading once, and then the edge forgets it."""

from __future__ import annotations

from tests.fleet.fleet import Fleet, all_there
from tests.peers.postgresql import PostgresServer


async def test_readings_come_through_once(fleet: Fleet, postgres: PostgresServer) -> None:
    writers = [fleet.writer(f"w{number}") for number in (1, 2)]
    edge = fleet.edge("e1", meters=20, count=10)
    found = await all_there(postgres, fleet.name, [edge], 200)
    assert len(found) == 200
    assert set(found.values()) == {1}
    assert all(each.runs for each in writers), [each.log() for each in writers]
