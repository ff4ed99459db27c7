"""What `doctor` and `writer --check` say of servers: each sentence by a real server that deserves it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import nats
import pytest
from nats.js.api import DiscardPolicy, StreamConfig

from smart_meter_reader.console.checks import Check, Level
from smart_meter_reader.fleet.examination import examine_hub, examine_monitors, examine_servers
from smart_meter_reader.fleet.judged import judge_clock, judge_placement, judge_version
from smart_meter_reader.fleet.leases.examination import examine as examine_leases
from smart_meter_reader.fleet.leases.settings import LeaseSettings
from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.settings.schema import Secret
from smart_meter_reader.sinks.nats.examination import examine as examine_sink
from smart_meter_reader.sinks.nats.settings import NatsSinkSettings
from tests.fleet.fleet import Fleet, Keys
from tests.peers.nats import NatsServer, Setup, make_key, nats_cluster, nats_server


async def told(checks: AsyncIterator[Check]) -> dict[Level, str]:
    """All sentences by how bad they are."""
    found: dict[Level, list[str]] = {}
    async for check in checks:
        found.setdefault(check.level, []).append(check.text)
    return {level: "\n".join(texts) for level, texts in found.items()}


def settings_of(server: NatsServer, **more: object) -> NatsSettings:
    return replace(
        NatsSettings(servers=(f"127.0.0.1:{server.port}",), monitor_port=server.monitor_port),
        **more,  # type: ignore[arg-type]
    )


async def test_a_server_that_is_right_is_told_so(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        found = await told(examine_servers("servers", settings_of(server), partial(examine_hub, "servers")))
    assert found[Level.OK].count("is NATS 2.10.27") == 2  # as it says itself, and its monitoring port
    assert "has on its disk what it acknowledges" in found[Level.OK]
    assert "clocks of this computer and of 127.0.0.1 agree" in found[Level.OK]
    assert "there is no stream READINGS: `smart-meter-reader writer --prepare`" in found[Level.UNAVAILABLE]


async def test_a_server_that_is_too_old(tmp_path: Path) -> None:
    async with nats_server(tmp_path, Setup(release="bookworm", jetstream="")) as server:
        found = await told(examine_servers("servers", settings_of(server), partial(examine_hub, "servers")))
    assert found[Level.UNAVAILABLE].count("is NATS 2.9.10, which is too old") == 2
    assert "Install 2.10.27 or newer" in found[Level.UNAVAILABLE]


async def test_a_server_that_acknowledges_before_it_is_on_the_disk(tmp_path: Path) -> None:
    async with nats_server(tmp_path, Setup(jetstream="")) as server:
        found = await told(examine_monitors("servers", settings_of(server)))
    assert "acknowledges up to 120 s before it is on the disk" in found[Level.UNAVAILABLE]
    assert "sync_interval: always" in found[Level.UNAVAILABLE]


async def test_a_monitoring_port_that_does_not_answer_is_no_fault(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        found = await told(examine_monitors("servers", replace(settings_of(server), monitor_port=1)))
    assert found.keys() == {Level.OK}
    assert "was not asked whether it keeps" in found[Level.OK]


async def test_streams_that_throw_away_or_are_on_one_server(tmp_path: Path) -> None:
    async with nats_cluster(tmp_path) as cluster:
        client = await nats.connect(cluster.urls)
        streams = client.jetstream()
        await streams.add_stream(StreamConfig(name="READINGS", subjects=["r"], num_replicas=3))
        await streams.add_stream(
            StreamConfig(name="STATES", subjects=["s"], num_replicas=1, discard=DiscardPolicy.NEW)
        )
        await streams.add_stream(
            StreamConfig(name="HISTORY", subjects=["h"], num_replicas=3, discard=DiscardPolicy.NEW)
        )
        settings = settings_of(cluster.servers[0])
        found = await told(examine_servers("servers", settings, partial(examine_hub, "servers")))
        # What was tried is gone.
        assert {info.config.name for info in await streams.streams_info()} == {
            "READINGS",
            "STATES",
            "HISTORY",
        }
        await client.close()
    assert "stream READINGS throws the oldest readings away" in found[Level.UNAVAILABLE]
    assert "stream STATES is on 1 of 3 servers" in found[Level.WARNING]
    assert "stream HISTORY: on 3 of 3 servers, and refuses when it is full" in found[Level.OK]
    assert "streams of three replicas can be placed" in found[Level.OK]


async def test_a_cluster_of_which_too_few_servers_are_up_places_nothing(tmp_path: Path) -> None:
    async with nats_cluster(tmp_path) as cluster:
        settings = replace(
            settings_of(cluster.servers[0]), servers=tuple(f"127.0.0.1:{s.port}" for s in cluster.servers)
        )
        client = await nats.connect(cluster.urls)
        await client.jetstream().add_stream(StreamConfig(name="READINGS", subjects=["r"], num_replicas=3))
        await client.close()
        cluster.servers[2].stop()
        found = await told(examine_servers("servers", settings, partial(examine_hub, "servers")))
    assert "10005" in found.get(Level.UNAVAILABLE, "") or "no leader" in found.get(Level.UNAVAILABLE, "")


def test_a_cluster_that_refuses_three_replicas_is_to_be_restarted() -> None:
    check = judge_placement("servers", 10005, "no suitable peers for placement")
    assert check.level is Level.UNAVAILABLE
    assert "restart them one by one" in check.text


async def test_wrong_keys_and_servers_without_streams(tmp_path: Path, hub: NatsServer) -> None:
    wrong = settings_of(hub, nkey=Secret(make_key().seed))
    found = await told(examine_servers("servers", wrong, partial(examine_hub, "servers")))
    assert "do not let us in: compare the nkey" in found[Level.UNAVAILABLE]


async def test_the_sink_is_told_whether_a_writer_answers(fleet: Fleet, hub: NatsServer, keys: Keys) -> None:
    settings = NatsSinkSettings(
        servers=(f"127.0.0.1:{hub.port}",),
        monitor_port=hub.monitor_port,
        tenant="tenant-a",
        site="site-1",
        edge="e",
        nkey=Secret(keys.edge_a.seed.reveal()),
    )
    found = await told(examine_sink("sink nats", settings))
    assert "no writer runs" in "\n".join(found.values())
    writer = fleet.writer("w1")
    while "are reached" not in writer.log():
        assert writer.runs, writer.log()
    found = await told(examine_sink("sink nats", settings))
    assert "a writer answers for tenant-a, site-1" in found[Level.OK]
    foreign = await told(examine_sink("sink nats", replace(settings, site="site-2")))
    assert "this key has no right to it" in foreign[Level.UNAVAILABLE]


async def test_leases_need_the_same_ttl_and_a_right(hub: NatsServer, keys: Keys) -> None:
    settings = LeaseSettings(
        servers=(f"127.0.0.1:{hub.port}",),
        monitor_port=hub.monitor_port,
        tenant="tenant-a",
        site="site-1",
        edge="e",
        nkey=Secret(keys.edge_a.seed.reveal()),
    )
    found = await told(examine_leases("leases", settings))
    assert "the first machine that runs makes it" in found[Level.OK]
    client = await nats.connect(hub.url, nkeys_seed_str=keys.edge_a.seed.reveal(),
                                inbox_prefix="_INBOX.tenant-a.site-1")  # fmt: skip
    await client.jetstream().create_key_value(bucket="leases", ttl=60)
    await client.close()
    found = await told(examine_leases("leases", settings))
    assert "leases live 1min in the bucket leases, on 1 server" in found[Level.OK]
    short = replace(settings, ttl=timedelta(seconds=20), renew=timedelta(seconds=3))
    found = await told(examine_leases("leases", short))
    assert "`ttl` says 20 s" in found[Level.UNAVAILABLE]
    assert "shorter than a fail-over" in found[Level.WARNING]
    foreign = await told(examine_leases("leases", replace(settings, bucket="others")))
    assert "this key may not ask" in foreign[Level.UNAVAILABLE]


@pytest.mark.parametrize(
    ("told_time", "level", "sentence"),
    [
        ("2026-11-29T12:00:00.876545963Z", Level.OK, "agree"),
        ("2026-11-29T11:58:00Z", Level.UNAVAILABLE, "120 s ahead of"),
        ("2026-11-29T12:01:00Z", Level.UNAVAILABLE, "60 s behind"),
    ],
)
def test_a_clock_that_is_off(told_time: str, level: Level, sentence: str) -> None:
    (check,) = judge_clock("servers", "hub-1", told_time, datetime(2026, 11, 29, 12, tzinfo=UTC))
    assert check.level is level
    assert sentence in check.text


def test_nothing_is_said_of_a_time_that_is_none() -> None:
    assert not list(judge_clock("servers", "hub-1", "soon", datetime.now(UTC)))


@pytest.mark.parametrize(
    ("version", "level"),
    [
        ("2.10.27", Level.OK),
        ("2.12.1", Level.OK),
        ("3.0.0", Level.OK),
        ("2.10.26", Level.UNAVAILABLE),
        ("dev", Level.WARNING),
    ],
)
def test_versions(version: str, level: Level) -> None:
    assert judge_version("servers", "hub-1", version).level is level
