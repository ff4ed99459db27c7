"""Tenants: the key of one neither reads nor writes anything of another; one that is taken out is out."""

from __future__ import annotations

import asyncio
import dataclasses

import nats.errors
import pytest
from nats.js.errors import NoStreamResponseError

from smart_meter_reader.exceptions import LoginRefusedError
from smart_meter_reader.fleet.connection import linked
from smart_meter_reader.fleet.keys import new_key
from smart_meter_reader.fleet.settings import NatsSettings
from tests.fleet.fleet import Fleet, Keys, Setup
from tests.peers.nats import NatsServer

A, B = "smr.v1.tenant-a", "smr.v1.tenant-b"


@pytest.mark.parametrize(
    "subject",
    [
        f"{B}.site-1.reading.heat",
        f"{A}.site-2.reading.heat",
        f"{A}.written.site-1",
        "smr.dead.x",
        "$JS.API.STREAM.INFO.READINGS",
        "$JS.API.STREAM.MSG.GET.READINGS",
        "$JS.API.CONSUMER.MSG.NEXT.READINGS.writer",
        "$JS.API.STREAM.PURGE.READINGS",
    ],
)
async def test_an_edge_says_nothing_but_its_own(fleet: Fleet, subject: str) -> None:
    said: list[Exception] = []

    async def note(error: Exception) -> None:
        said.append(error)

    client = await fleet.connect(fleet.keys.edge_a, inbox_prefix="_INBOX.tenant-a.site-1", error_cb=note)
    with pytest.raises((nats.errors.TimeoutError, nats.errors.NoRespondersError, NoStreamResponseError)):
        await client.jetstream(timeout=0.5).publish(subject, b"{}")
    assert "permissions violation" in str(said[0]).lower()
    await client.close()
    admin = await fleet.connect(fleet.keys.admin)
    info = await admin.jetstream().stream_info("READINGS")
    assert info.state.messages == 0
    await admin.close()


@pytest.mark.parametrize(
    "subject", [">", f"{A}.>", f"{B}.>", f"{B}.written.*", f"{A}.written.site-2", "_INBOX.>"]
)
async def test_an_edge_hears_nothing_but_its_own(fleet: Fleet, subject: str) -> None:
    said: list[Exception] = []

    async def note(error: Exception) -> None:
        said.append(error)

    client = await fleet.connect(fleet.keys.edge_a, error_cb=note)
    await client.subscribe(subject)
    await client.flush()
    await asyncio.sleep(0.2)
    assert any("permissions violation" in str(each).lower() for each in said)
    await client.close()


async def test_what_a_tenant_is_told_no_other_hears(fleet: Fleet) -> None:
    a = await fleet.connect(fleet.keys.edge_a)
    b = await fleet.connect(fleet.keys.edge_b)
    writer = await fleet.connect(fleet.keys.writer)
    heard_a = await a.subscribe(f"{A}.written.site-1")
    heard_b = await b.subscribe(f"{B}.written.site-1")
    await a.flush()
    await b.flush()
    await writer.publish(f"{A}.written.site-1", b"told")
    await writer.flush()
    assert (await heard_a.next_msg(5)).data == b"told"
    with pytest.raises(nats.errors.TimeoutError):
        await heard_b.next_msg(0.5)
    for client in (a, b, writer):
        await client.close()


async def test_a_writer_makes_and_forges_nothing(fleet: Fleet) -> None:
    said: list[Exception] = []

    async def note(error: Exception) -> None:
        said.append(error)

    writer = await fleet.connect(fleet.keys.writer, error_cb=note)
    for subject in (f"{A}.site-1.reading.heat", "$JS.API.STREAM.DELETE.READINGS", "$JS.API.STREAM.CREATE.X"):
        with pytest.raises(nats.errors.TimeoutError):
            await writer.request(subject, b"", timeout=0.5)
    assert len(said) == 3
    await writer.close()


async def test_a_key_that_is_taken_out_is_out(fleet: Fleet, hub: NatsServer, keys: Keys) -> None:
    ended = asyncio.Event()

    async def note() -> None:
        ended.set()

    client = await fleet.connect(keys.edge_a, closed_cb=note, allow_reconnect=False)
    await client.flush()
    hub.setup = Setup(accounts=dataclasses.replace(keys, edge_a=new_key()).accounts())
    hub.reload()
    # The server does it as it reads the file; the limit is for a machine that is busy.
    async with asyncio.timeout(30):
        await ended.wait()
    settings = NatsSettings(servers=tuple(fleet.servers), nkey=keys.edge_a.seed)
    with pytest.raises(LoginRefusedError, match="do not let us in"):
        async with linked("edge", settings):
            pass
