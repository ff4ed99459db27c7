"""What cannot be written, and streams that take no more: the rest goes on, and somebody is told."""

from __future__ import annotations

import asyncio
import time

from nats.js.client import JetStreamContext

from tests.fleet.fleet import PATIENCE, Fleet, FleetProcess, all_there, journal
from tests.peers.postgresql import PostgresServer

SUBJECT = "smr.v1.tenant-a.site-1.reading"
BAD = {
    "no-json": b"{",
    "no-time": b'{"measurements":{}}',
    "nul": b'{"time":"2026-11-29T12:00:00Z","measurements":{"a":{"value":"\\u0000","unit":""}}}',
}


async def test_bad_messages_do_not_stop_the_rest(fleet: Fleet, postgres: PostgresServer) -> None:
    edge_client = await fleet.connect(fleet.keys.edge_a, inbox_prefix="_INBOX.tenant-a.site-1")
    for name, body in BAD.items():
        await edge_client.jetstream().publish(f"{SUBJECT}.{name}", body, headers={"Nats-Msg-Id": name})
    edge = fleet.edge("e1", meters=3, count=10)
    writer = fleet.writer("w1")
    found = await all_there(postgres, fleet.name, [edge], 30)
    assert set(found.values()) == {1}
    admin = await fleet.connect(fleet.keys.admin)
    streams = admin.jetstream()
    dead = await streams.pull_subscribe("smr.dead.>", stream="DEAD")
    letters = await dead.fetch(3, timeout=20)
    assert {each.subject.rpartition(".")[2]: each.data for each in letters} == BAD
    assert all(each.headers and each.headers["Smr-Reason"] for each in letters)
    await until_empty(streams)
    assert "dead letter" in writer.log()
    for client in (edge_client, admin):
        await client.close()


async def test_what_the_database_refuses_goes_to_the_dead_letters_after_some_attempts(
    fleet: Fleet, postgres: PostgresServer
) -> None:
    await postgres.asked(
        "ALTER TABLE fleet_reading ADD CONSTRAINT none_of_m1 CHECK (meter <> 'm1')", database=fleet.name
    )
    edge = fleet.edge("e1", meters=3, count=4)
    writer = fleet.writer("w1", max_deliver=2)
    until = time.monotonic() + 60
    while "dead letter" not in writer.log():
        assert time.monotonic() < until, writer.log()
        await asyncio.sleep(0.3)
    admin = await fleet.connect(fleet.keys.admin)
    await until_empty(admin.jetstream())
    assert (await admin.jetstream().stream_info("DEAD")).state.messages == 4
    await admin.close()
    rows = await postgres.asked(
        "SELECT meter, count(*) FROM fleet_reading GROUP BY 1 ORDER BY 1", database=fleet.name
    )
    assert [tuple(row) for row in rows] == [("m0", 8), ("m2", 8)]
    # The edge is told, says so, and keeps them no longer.
    until = time.monotonic() + 60
    while "the database does not take" not in edge.log():
        assert time.monotonic() < until, edge.log()
        await asyncio.sleep(0.3)


async def test_a_database_that_breaks_long_statements_off_gets_small_batches(
    fleet: Fleet, postgres: PostgresServer
) -> None:
    for statement in (
        "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
        "$$BEGIN PERFORM pg_sleep(0.005); RETURN NEW; END$$",
        "CREATE TRIGGER slow BEFORE INSERT ON fleet_reading FOR EACH ROW EXECUTE FUNCTION slow()",
        f"ALTER DATABASE {fleet.name} SET statement_timeout = '500ms'",
    ):
        await postgres.asked(statement, database=fleet.name)
    edge = fleet.edge("e1", meters=3, count=60)
    await until_published(edge, 180)
    fleet.writer("w1")
    assert set((await all_there(postgres, fleet.name, [edge], 180)).values()) == {1}


async def until_published(edge: FleetProcess, count: int) -> None:
    """Wait until the edge has taken so many readings, so that they wait all at once."""
    until = time.monotonic() + 60
    while len(journal(edge)) < count:
        assert time.monotonic() < until, edge.log()
        await asyncio.sleep(0.1)


async def test_a_table_that_takes_no_row_buries_none(fleet: Fleet, postgres: PostgresServer) -> None:
    await postgres.asked("ALTER TABLE fleet_reading ADD COLUMN household text NOT NULL", database=fleet.name)
    edge = fleet.edge("e1", meters=3, count=4)
    writer = fleet.writer("w1", max_deliver=1)
    until = time.monotonic() + 60
    while "household that is none of ours" not in writer.log():
        assert time.monotonic() < until, writer.log()
        await asyncio.sleep(0.1)
    await postgres.asked(
        "ALTER TABLE fleet_reading ALTER COLUMN household DROP NOT NULL", database=fleet.name
    )
    assert set((await all_there(postgres, fleet.name, [edge], 12, patience=180)).values()) == {1}
    assert "dead letter" not in writer.log()


async def test_a_full_stream_refuses_and_the_edge_keeps_what_it_has(
    fleet: Fleet, postgres: PostgresServer
) -> None:
    admin = await fleet.connect(fleet.keys.admin)
    streams = admin.jetstream()
    for name in ("READINGS", "HISTORY"):
        config = (await streams.stream_info(name)).config
        config.max_msgs = 20
        await streams.update_stream(config)
    edge = fleet.edge("e1", meters=4, count=50)
    until = time.monotonic() + 60
    while "is full" not in edge.log():
        assert time.monotonic() < until, edge.log()
        await asyncio.sleep(0.2)
    await asyncio.sleep(2)
    tries = (await streams.stream_info("READINGS")).state.messages
    assert tries == 20
    # It does not spin: it is told once, and asked again after longer and longer.
    assert edge.log().count("is full") == 1
    fleet.writer("w1")
    found = await all_there(postgres, fleet.name, [edge], 200, patience=120)
    assert set(found.values()) == {1}
    await admin.close()


async def test_a_consumer_that_is_removed_is_told_and_not_asked_for_without_a_pause(
    fleet: Fleet, postgres: PostgresServer
) -> None:
    writer = fleet.writer("w1")
    until = time.monotonic() + PATIENCE
    while "are reached" not in writer.log():
        assert time.monotonic() < until, writer.log()
        await asyncio.sleep(0.2)
    admin = await fleet.connect(fleet.keys.admin)
    await admin.jetstream().delete_consumer("READINGS", "writer")
    while "have no stream READINGS with a consumer" not in writer.log():
        assert time.monotonic() < until, writer.log()
        await asyncio.sleep(0.2)
    await admin.close()
    assert "writer --prepare" in writer.log()
    fleet.prepare()
    edge = fleet.edge("e1", meters=2, count=5)
    found = await all_there(postgres, fleet.name, [edge], 10, patience=120)
    assert set(found.values()) == {1}


async def until_empty(streams: JetStreamContext, patience: float = 60) -> None:
    until = time.monotonic() + patience
    while (await streams.stream_info("READINGS")).state.messages:
        assert time.monotonic() < until
        await asyncio.sleep(0.2)
