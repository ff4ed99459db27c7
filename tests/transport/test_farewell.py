"""What a serial server says as it hangs up is heard, though our own words break that connection."""

from __future__ import annotations

import asyncio
import os
import pty
from pathlib import Path

import pytest

from smart_meter_reader.exceptions import LostError
from smart_meter_reader.transport import open_transport
from smart_meter_reader.transport.inbox import LONGEST_FAREWELL, Inbox
from smart_meter_reader.transport.line import LineSettings
from tests.peers.ser2net import ser2net

LINE = LineSettings(baud=1200, stopbits=2)
TIMES = 20


async def ask(url: str) -> None:
    async with await open_transport(url, LINE) as transport, asyncio.timeout(10):
        while True:
            await transport.write(b"anybody?")
            await transport.read()


async def refused(url: str) -> str:
    with pytest.raises(LostError) as caught:
        await ask(url)
    return caught.value.detail


@pytest.mark.parametrize(("scheme", "accepter"), [("socket", "tcp"), ("rfc2217", "telnet(rfc2217),tcp")])
async def test_a_port_that_somebody_else_has(tmp_path: Path, scheme: str, accepter: str) -> None:
    _, theirs = pty.openpty()
    async with (
        ser2net(os.ttyname(theirs), tmp_path, accepter=accepter) as place,
        await open_transport(f"{scheme}://{place}", LINE),
    ):
        for _ in range(TIMES):
            assert 'which says "Port already in use"' in await refused(f"{scheme}://{place}")


@pytest.mark.parametrize(("scheme", "accepter"), [("socket", "tcp"), ("rfc2217", "telnet(rfc2217),tcp")])
async def test_a_device_that_is_not_there(tmp_path: Path, scheme: str, accepter: str) -> None:
    async with ser2net("/dev/nowhere", tmp_path, accepter=accepter) as place:
        for _ in range(TIMES):
            assert 'which says "Device open failure' in await refused(f"{scheme}://{place}")


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ([b"Port already in use\r\n"], "Port already in use"),
        (
            [b"\xff\xfb\x03\xff\xfd\x00Device open ", b"failure: No such file\r\n"],
            "Device open failure: No such file",
        ),
        ([b"/KAM5MC402\r\n"], ""),
        ([b"SERIAL 12345678 OK\r\n"], ""),
        ([b"\x10\x5b\x01\x5c\x16"], ""),
        ([b"word " * LONGEST_FAREWELL], ""),
        ([b"many words", b" and then a telegram \x00\x01"], ""),
        ([], ""),
    ],
)
def test_only_words_are_a_farewell(said: list[bytes], told: str) -> None:
    inbox = Inbox()
    for each in said:
        inbox.data_received(each)
    assert inbox.farewell == "", "nobody has hung up yet"
    inbox.connection_lost(None)
    assert inbox.farewell == told
