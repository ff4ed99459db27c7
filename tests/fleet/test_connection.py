"""The connection to the servers: what is told when none answers, and when one is killed; at once and once."""

from __future__ import annotations

import asyncio
import logging
import socket
import struct
from pathlib import Path

import pytest

from smart_meter_reader.exceptions import LoginRefusedError, SinkError
from smart_meter_reader.fleet import connection
from smart_meter_reader.fleet.connection import linked
from smart_meter_reader.fleet.keys import new_key
from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.network.outages import Outages
from tests.fleet.fleet import PATIENCE
from tests.peers.nats import nats_server
from tests.peers.ports import free_port


async def test_that_nobody_listens_is_told_without_a_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """The library tries for ever, and ten seconds passed until we gave up."""
    monkeypatch.setattr(connection, "CONNECT_SECONDS", 100 * PATIENCE)
    servers = (f"127.0.0.1:{free_port()}", f"127.0.0.1:{free_port()}")
    async with asyncio.timeout(PATIENCE):
        with pytest.raises(
            SinkError, match=r"no NATS server answers .*: nothing listens there; check `servers`"
        ):
            async with linked("edge", NatsSettings(servers=servers)):
                pass


async def test_a_server_that_is_killed_is_one_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    async with nats_server(tmp_path) as server, asyncio.timeout(PATIENCE):
        where = f"127.0.0.1:{server.port}"
        async with linked("sink nats", NatsSettings(servers=(where,))) as link:
            server.kill()
            while link.is_up:
                await asyncio.sleep(0.05)
            await asyncio.sleep(3)  # a few attempts to connect
            await server.start()
            await link.up()
        ours = [each for each in caplog.records if each.name == connection.__name__]
        assert [each.getMessage() for each in ours] == [
            f"sink nats: the connection to the NATS servers ({where}) is lost; it comes back as soon as one "
            "answers",
            "sink nats: connected to a NATS server again",
        ]


async def test_two_connections_that_share_outages_lose_them_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    outages = Outages()
    async with nats_server(tmp_path) as server, asyncio.timeout(PATIENCE):
        settings = NatsSettings(servers=(f"127.0.0.1:{server.port}",))
        async with (
            linked("sink nats", settings, outages) as sink,
            linked("leases", settings, outages) as leases,
        ):
            server.kill()
            while sink.is_up or leases.is_up:
                await asyncio.sleep(0.05)
            await asyncio.sleep(3)  # a few attempts to connect
            await server.start()
            await sink.up()
            await leases.up()
            await asyncio.sleep(0)
    said = [each.getMessage() for each in caplog.records if each.name == connection.__name__]
    assert ["is lost" in each for each in said] == [True, False]
    assert said[1].endswith("connected to a NATS server again")


async def test_a_refusal_that_is_lost_in_a_reset_is_heard_at_the_next_attempt() -> None:
    """A server closes as it refuses; what we said meanwhile makes a reset of that, and its word is gone."""
    attempts = 0

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.write(b'INFO {"server_id":"S","version":"2.10.27","auth_required":true,"nonce":"bm9uY2U"}\r\n')
        assert (await reader.readline()).startswith(b"CONNECT ")
        if attempts == 1:
            linger = struct.pack("ii", 1, 0)
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            writer.write(b"-ERR 'Authorization Violation'\r\n")
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server, asyncio.timeout(PATIENCE):
        port = server.sockets[0].getsockname()[1]
        settings = NatsSettings(servers=(f"127.0.0.1:{port}",), nkey=new_key().seed)
        with pytest.raises(LoginRefusedError, match="do not let us in"):
            async with linked("edge", settings):
                pass
    assert attempts == 2
