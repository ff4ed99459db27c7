"""The NATS servers that other tests rely on: what a cluster took stays, keys and TLS hold, one is too old."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import nats
import pytest
from nats.errors import Error
from nats.js.api import StreamConfig

from tests.peers.mosquitto import Certificates
from tests.peers.nats import PATIENCE, NatsServer, Setup, make_key, nats_cluster, nats_server


async def test_a_cluster_keeps_what_it_acknowledged_when_its_leader_is_killed(tmp_path: Path) -> None:
    async with nats_cluster(tmp_path) as cluster:
        client = await nats.connect(cluster.urls)
        streams = client.jetstream(timeout=10)
        await streams.add_stream(StreamConfig(name="READINGS", subjects=["reading.>"], num_replicas=3))
        await streams.publish("reading.1", b"before")
        leader = await cluster.leader("READINGS")
        assert len(await cluster.followers("READINGS")) == 2
        leader.kill()
        assert not leader.runs
        assert await cluster.leader("READINGS") is not leader
        await leader.start()
        await cluster.until_ready()
        assert (await streams.get_last_msg("READINGS", "reading.1")).data == b"before"
        await client.close()


async def test_a_paused_server_answers_nothing_and_then_all(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        client = await nats.connect(server.url)
        try:
            server.pause()
            asked = asyncio.ensure_future(client.jetstream().account_info())
            await asyncio.sleep(0.3)
            assert not asked.done()
            server.resume()
            assert (await asked).api.errors == 0
            assert server.resident() > 1000
        finally:
            await client.close()


async def test_a_key_reaches_its_own_account_only_until_it_is_revoked(tmp_path: Path) -> None:
    key, other = make_key(), make_key()
    accounts = (
        f"  A {{ jetstream: enabled, users: [ {{ nkey: {key.public} }} ] }}\n"
        f"  B {{ jetstream: enabled, users: [ {{ nkey: {other.public} }} ] }}\n"
    )
    async with nats_server(tmp_path, Setup(accounts=accounts)) as server:
        mine = await nats.connect(server.url, nkeys_seed_str=key.seed, reconnect_time_wait=0.1)
        theirs = await nats.connect(server.url, nkeys_seed_str=other.seed)
        heard = await theirs.subscribe("a.>")
        await theirs.flush()
        await mine.publish("a.1", b"")
        await mine.flush()
        with pytest.raises(Error):
            await heard.next_msg(timeout=0.2)
        await theirs.close()
        server.setup = Setup(accounts="  A { jetstream: enabled, users: [ { user: x, password: y } ] }")
        server.reload()
        async with asyncio.timeout(PATIENCE):
            while "authentication error" not in server.log():
                await asyncio.sleep(0.05)
        assert not mine.is_connected
        await mine.close()


async def test_a_cluster_speaks_tls(tmp_path: Path, certificates: Certificates) -> None:
    lines = f'tls {{ cert_file: "{certificates.server}", key_file: "{certificates.server}" }}\n'
    context = ssl.create_default_context(cafile=certificates.ca)
    setup = Setup(lines=lines, login={"tls": context})
    async with nats_cluster(tmp_path, setup) as cluster:
        client = await nats.connect(cluster.urls, tls=context)
        assert (await client.jetstream().account_info()).streams == 0
        await client.close()


async def test_the_old_server_runs_and_knows_no_sync_interval(tmp_path: Path) -> None:
    async with nats_server(tmp_path / "old", Setup(release="bookworm", jetstream="")) as server:
        assert (await server.told("varz"))["version"] == "2.9.10"
    refused = NatsServer(tmp_path / "refused", Setup(release="bookworm"))
    with pytest.raises(AssertionError, match="sync_interval"):
        await refused.start()
