"""The hub is away, or loses what it had: the order stays, new readings come first, nothing is lost."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smart_meter_reader.fleet.connection import linked
from smart_meter_reader.messages import Message, Past
from smart_meter_reader.messages.receipts import Receipts
from smart_meter_reader.sinks.nats import lanes, sink
from smart_meter_reader.sinks.nats.settings import NatsSinkSettings
from smart_meter_reader.sinks.nats.sink import NatsSink
from smart_meter_reader.spool.entries import Spooled, SpoolEntry, SpoolLimits
from smart_meter_reader.spool.spool import Spool
from tests.fleet.fed_edge import reading
from tests.fleet.fleet import PATIENCE, Fleet, all_there
from tests.peers.nats import NatsServer
from tests.peers.postgresql import PostgresServer

NOW = datetime.now(UTC)


class Edge:
    """The sink in this process; what is put is taken by it."""

    def __init__(self, fleet: Fleet, folder: Path) -> None:
        self.settings = NatsSinkSettings(
            servers=tuple(fleet.servers), nkey=fleet.keys.edge_a.seed, tenant="tenant-a", site="site-1",
            edge="e1", spool_directory=str(folder),
        )  # fmt: skip
        self.sink = NatsSink("nats", self.settings.named("home"))
        self._queue: asyncio.Queue[Message | None] = asyncio.Queue()
        self._task: asyncio.Task[None] | None = None

    def put(self, *messages: Message) -> None:
        for each in messages:
            self._queue.put_nowait(each)

    async def __aenter__(self) -> Edge:
        self._task = asyncio.create_task(self.sink.run(self._messages()))
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._queue.put_nowait(None)
        assert self._task
        async with asyncio.timeout(PATIENCE):
            await self._task

    async def _messages(self) -> AsyncIterator[Message]:
        while (message := await self._queue.get()) is not None:
            yield message

    async def until_kept(self, depth: int) -> None:
        """Wait until so many are in the spool: 0 when the database has all."""
        until = time.monotonic() + PATIENCE
        while self.sink.backlog[0] != depth or not self._queue.empty():
            assert time.monotonic() < until, self.sink.backlog
            await asyncio.sleep(0.1)


async def test_after_an_outage_the_order_is_kept_and_new_ones_do_not_wait(
    fleet: Fleet, hub: NatsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lanes, "FRESH_SECONDS", 5.0)
    hub.stop()
    async with Edge(fleet, tmp_path) as edge:
        old = NOW - timedelta(hours=1)
        edge.put(*(reading("heat", number, old + timedelta(seconds=number)) for number in range(300)))
        await edge.until_kept(300)
        await hub.start()
        edge.put(reading("heat", 1000, datetime.now(UTC)))
        admin = await fleet.connect(fleet.keys.admin)
        streams = admin.jetstream()
        until = time.monotonic() + PATIENCE
        while (await streams.stream_info("HISTORY")).state.messages < 300:
            assert time.monotonic() < until
            await asyncio.sleep(0.1)
        # The new one is in a stream of its own, behind nothing.
        assert (await streams.stream_info("READINGS")).state.messages == 1
        late = [(await streams.get_msg("HISTORY", seq=number)).data for number in range(1, 301)]
        assert late == sorted(late, key=lambda body: body or b"")
        await admin.close()
        # Nothing of it is dropped before a writer says so.
        assert edge.sink.backlog[0] == 301
        fleet.writer("w1")
        await edge.until_kept(0)


async def test_what_the_engine_loses_is_published_again(
    fleet: Fleet, postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As servers do that lose power before the disk has what they acknowledged."""
    monkeypatch.setattr(sink, "ASK_SECONDS", 1.0)
    monkeypatch.setattr(sink, "_PATIENCE_SECONDS", 1.0)
    async with Edge(fleet, tmp_path) as edge:
        edge.put(*(reading("heat", number, datetime.now(UTC)) for number in range(20)))
        admin = await fleet.connect(fleet.keys.admin)
        streams = admin.jetstream()
        until = time.monotonic() + PATIENCE
        while (await streams.stream_info("READINGS")).state.messages < 20:
            assert time.monotonic() < until
            await asyncio.sleep(0.1)
        config = (await streams.stream_info("READINGS")).config
        await streams.delete_stream("READINGS")
        await streams.add_stream(config)
        await admin.close()
        fleet.prepare()
        fleet.writer("w1")
        await edge.until_kept(0)
    rows = await postgres.asked("SELECT count(*) FROM fleet_reading", database=fleet.name)
    assert rows[0][0] == 40


async def test_what_no_server_ever_takes_is_lost_and_not_published(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = Edge(fleet, tmp_path).settings
    spool, published, lost = Spool("nats", None, SpoolLimits()), list[Spooled](), list[Spooled]()
    await spool.open()
    bodies = {
        "large": ("reading.m1", bytes(2 << 20)),
        "strange": ("nothing", b"{}"),
        "good": ("reading.m1", b"{}"),
    }
    await spool.add(SpoolEntry(key, datetime.now(UTC), body, kind) for key, (kind, body) in bodies.items())
    sender = lanes.Lanes("nats", settings, spool, published.append, lost.append)
    async with linked("edge", settings, inbox_prefix="_INBOX.tenant-a.site-1") as link:
        sending = asyncio.create_task(sender.send_new(link))
        until = time.monotonic() + PATIENCE
        while len(published) + len(lost) < len(bodies):
            assert time.monotonic() < until
            await asyncio.sleep(0.05)
        sending.cancel()
    assert [each.entry.id for each in published] == ["good"]
    assert {each.entry.id for each in lost} == {"large", "strange"}
    assert (spool.state.depth, sender.given_up) == (1, 2)
    assert "a message is lost" in caplog.text


async def test_what_was_told_while_the_edge_was_away_is_asked_for(
    fleet: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sink, "ASK_SECONDS", 0.5)
    monkeypatch.setattr(sink, "_PATIENCE_SECONDS", 0.5)
    # Nothing that writers say by themselves is heard.
    monkeypatch.setattr(sink, "written_subject", lambda tenant, site: f"_INBOX.{tenant}.{site}.deaf")
    fleet.writer("w1")
    async with Edge(fleet, tmp_path) as edge:
        edge.put(*(reading("heat", number, datetime.now(UTC)) for number in range(10)))
        await edge.until_kept(0)


async def test_a_meters_memory_is_safe_on_the_disk_and_comes_over_the_stream_of_its_own(
    fleet: Fleet, postgres: PostgresServer, tmp_path: Path
) -> None:
    rows = tuple(
        {"measured_at": NOW - timedelta(hours=hours), "log_id": hours, "measurements": each["measurements"]}
        for hours, each in zip(range(24, 0, -1), itertools.repeat(reading("heat", 5, NOW)), strict=False)
    )
    receipts = Receipts(["nats"])
    receipt = receipts.issue()
    past: Past = {
        "type": "past", "meter": "heat", "time": NOW, "logger": "hour", "rows": rows,  # type: ignore[typeddict-item]
        "receipt": receipt.key,
    }  # fmt: skip
    edge = Edge(fleet, tmp_path)
    edge.sink.take_receipts(receipts.of("nats"))
    async with edge:
        edge.put(past)
        async with asyncio.timeout(PATIENCE):
            assert await receipt.settled()
        fleet.writer("w1")
        await edge.until_kept(0)
    found = await postgres.asked("SELECT count(DISTINCT time) FROM fleet_reading", database=fleet.name)
    assert found[0][0] == 24


async def test_a_restart_of_the_server_takes_nothing(
    fleet: Fleet, hub: NatsServer, postgres: PostgresServer
) -> None:
    edge = fleet.edge("e1", meters=5, count=100, pace=0.01)
    fleet.writer("w1")
    await asyncio.sleep(1.5)
    hub.kill()
    await asyncio.sleep(1.0)
    await hub.start()
    found = await all_there(postgres, fleet.name, [edge], 500, patience=120)
    assert set(found.values()) == {1}
