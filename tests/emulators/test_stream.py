"""Where an emulated meter is found: links, ptys that outlive their readers, TCP ports."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from smart_meter_reader.emulators.serve import run_emulator
from smart_meter_reader.emulators.stream import EmulatedLine, on_pty, on_tcp
from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.transport import LineSettings, open_transport

LINE = LineSettings(9600)


class Parrot:
    """Sends back what it gets."""

    async def serve(self, line: EmulatedLine) -> None:
        while received := await line.read():
            await line.write(received)


class Pusher:
    """Sends without being asked, as a P1 port does."""

    async def serve(self, line: EmulatedLine) -> None:
        for number in range(1_000_000):
            await line.write(f"telegram {number}\r\n".encode() * 100)
            await asyncio.sleep(0)


async def say(port: str, text: bytes) -> bytes:
    async with await open_transport(port, LINE) as transport, asyncio.timeout(5):
        await transport.write(text)
        received = b""
        while len(received) < len(text):
            received += await transport.read()
    return received


async def test_a_pty_outlives_its_readers_and_its_link_goes_with_it(tmp_path: Path) -> None:
    link = tmp_path / "head"
    async with on_pty(Parrot(), link=link) as port:
        assert port == str(link)
        for text in (b"one", b"two", bytes(range(256)) * 40):
            assert await say(port, text) == text
    assert not link.is_symlink()


async def test_a_link_left_over_is_replaced_and_a_file_is_not(tmp_path: Path) -> None:
    link = tmp_path / "head"
    link.symlink_to("/nowhere")
    async with on_pty(Parrot(), link=link) as port:
        assert await say(port, b"here") == b"here"
    link.write_text("precious")
    with pytest.raises(SettingsError, match="is no link"):
        async with on_pty(Parrot(), link=link):
            pass
    assert link.read_text() == "precious"
    with pytest.raises(SettingsError, match="cannot be made"):
        async with on_pty(Parrot(), link=tmp_path / "no" / "folder"):
            pass


async def test_a_link_taken_over_by_another_is_left_alone(tmp_path: Path) -> None:
    link = tmp_path / "head"
    async with on_pty(Parrot(), link=link):
        link.unlink()
        link.symlink_to("/somewhere/else")
    assert link.is_symlink()


async def test_tcp_serves_several_listeners_and_survives_their_leaving() -> None:
    async with on_tcp(Parrot()) as place:
        port = f"socket://{place}"
        assert await asyncio.gather(*(say(port, b"me %d" % n) for n in range(5))) == [
            b"me %d" % n for n in range(5)
        ]
        assert await say(port, b"again") == b"again"


async def test_a_port_in_use_is_told() -> None:
    async with on_tcp(Parrot()) as place:
        taken = int(place.rpartition(":")[2])
        with pytest.raises(SettingsError, match="cannot listen"):
            async with on_tcp(Parrot(), port=taken):
                pass


@pytest.mark.parametrize("host", ["nosuchhost.invalid", ".a", "a" * 64 + ".b"])
async def test_a_host_that_is_none_is_told(host: str) -> None:
    with pytest.raises(SettingsError, match=r"^cannot listen on .*:0: [A-Za-z ]+$") as raised:
        async with on_tcp(Parrot(), host=host):
            pass
    assert "Unknown error" not in str(raised.value)


async def test_a_meter_that_pushes_reaches_every_listener_over_tcp_and_pty() -> None:
    async with on_tcp(Pusher()) as place, on_pty(Pusher()) as path:
        for port in (f"socket://{place}", f"socket://{place}", path):
            async with await open_transport(port, LINE) as transport, asyncio.timeout(5):
                received = b""
                while b"\n" not in received:
                    received += await transport.read()
                assert b"telegram" in received


@pytest.mark.parametrize("listen", ["localhost", "localhost:", "127.0.0.1:99999", ":x"])
def test_a_place_without_a_port_is_told(listen: str) -> None:
    with pytest.raises(SettingsError, match="HOST:PORT"):
        run_emulator(Parrot(), None, lambda port: None, listen=listen)
