"""The transports on real pseudo-terminals, real sockets and a real ser2net."""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import socket
import subprocess
import sys
import tty
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from smart_meter_reader.codecs.parity import add_parity, strip_parity
from smart_meter_reader.exceptions import SettingsError, TransportError
from smart_meter_reader.transport import LineSettings, Transport, open_transport, ports
from smart_meter_reader.transport.device import port_error
from tests.peers.ports import free_port
from tests.peers.ser2net import ser2net

LINE = LineSettings(1200, 8, "N", 2)
SEVEN_BITS = LineSettings(300, 7, "E", 1)
EVERY_BYTE = bytes(range(256))


@pytest.fixture
def pty() -> Iterator[tuple[int, str]]:
    """The master's descriptor and the path of a raw pseudo-terminal."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.set_blocking(master, False)
    yield master, os.ttyname(slave)
    os.close(slave)
    os.close(master)


async def take(transport: Transport, count: int) -> bytes:
    received = b""
    async with asyncio.timeout(5):
        while len(received) < count:
            received += await transport.read()
    return received


async def take_from_master(master: int, count: int) -> bytes:
    received = b""
    async with asyncio.timeout(5):
        while len(received) < count:
            try:
                received += os.read(master, 4096)
            except BlockingIOError:
                await asyncio.sleep(0.01)
    return received


Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def tcp_server(answer: Answer) -> AsyncIterator[str]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except ConnectionError:
            pass  # the side under test has closed
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while received := await reader.read(4096):
        writer.write(received)


async def say_nothing(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
    while await reader.read(4096):
        pass


async def test_pty_carries_every_byte_both_ways(pty: tuple[int, str]) -> None:
    master, path = pty
    async with await open_transport(path, LINE) as transport:
        os.write(master, EVERY_BYTE)
        assert await take(transport, 256) == EVERY_BYTE
        await transport.write(EVERY_BYTE)
        assert await take_from_master(master, 256) == EVERY_BYTE


async def test_socket_carries_every_byte_both_ways() -> None:
    async with tcp_server(echo) as place, await open_transport(f"socket://{place}", LINE) as transport:
        await transport.write(EVERY_BYTE)
        assert await take(transport, 256) == EVERY_BYTE


@pytest.mark.parametrize(("scheme", "accepter"), [("socket", "tcp"), ("rfc2217", "telnet(rfc2217),tcp")])
async def test_ser2net_carries_every_byte_both_ways(
    pty: tuple[int, str], tmp_path: Path, scheme: str, accepter: str
) -> None:
    master, path = pty
    async with (
        ser2net(path, tmp_path, accepter=accepter) as place,
        await open_transport(f"{scheme}://{place}", LINE) as transport,
    ):
        await transport.write(EVERY_BYTE)
        assert await take_from_master(master, 256) == EVERY_BYTE
        os.write(master, EVERY_BYTE)
        assert await take(transport, 256) == EVERY_BYTE


async def test_rfc2217_sets_the_speed_of_the_remote_port(pty: tuple[int, str], tmp_path: Path) -> None:
    master, path = pty

    def speed() -> str:
        return subprocess.run(
            ["stty", "-F", path, "speed"], check=True, capture_output=True, text=True
        ).stdout.strip()

    async with (
        ser2net(path, tmp_path, accepter="telnet(rfc2217),tcp", line="9600n81") as place,
        await open_transport(f"rfc2217://{place}", LINE) as transport,
    ):
        assert speed() == "1200"
        await transport.change_line(LineSettings(2400, 8, "N", 1))
        assert speed() == "2400"
        assert transport.line.baud == 2400
        os.write(master, b"after")
        assert await take(transport, 5) == b"after"


async def test_seven_bits_and_parity_are_made_in_software_on_a_pty(pty: tuple[int, str]) -> None:
    master, path = pty
    async with await open_transport(path, SEVEN_BITS) as transport:
        assert transport.software_parity
        await transport.write(b"/#1")
        assert await take_from_master(master, 3) == bytes.fromhex("AFA3B1")
        os.write(master, bytes.fromhex("AFA3B1"))
        assert await take(transport, 3) == b"/#1"
        transport.add_parity = False
        await transport.write(b"/#1")
        assert await take_from_master(master, 3) == b"/#1"


async def test_seven_bits_and_parity_are_made_in_software_over_tcp(
    pty: tuple[int, str], tmp_path: Path
) -> None:
    master, path = pty
    for scheme, accepter in (("socket", "tcp"), ("rfc2217", "telnet(rfc2217),tcp")):
        async with (
            ser2net(path, tmp_path, accepter=accepter) as place,
            await open_transport(f"{scheme}://{place}", SEVEN_BITS) as transport,
        ):
            # ser2net asks the pseudo-terminal for seven bits and gets eight; over raw TCP nobody asks.
            assert transport.software_parity
            await transport.write(b"/#1")
            assert await take_from_master(master, 3) == bytes.fromhex("AFA3B1")


@pytest.mark.parametrize("parity", ["E", "O"])
def test_parity_is_even_or_odd_for_every_character(parity: str) -> None:
    sent = add_parity(bytes(range(128)), "E" if parity == "E" else "O")
    assert {byte.bit_count() % 2 for byte in sent} == ({0} if parity == "E" else {1})
    assert strip_parity(sent) == bytes(range(128))


async def test_change_line_on_a_pty_keeps_the_stream(pty: tuple[int, str]) -> None:
    master, path = pty
    async with await open_transport(path, SEVEN_BITS) as transport:
        await transport.change_line(LineSettings(9600, 8, "N", 1))
        assert not transport.software_parity
        await transport.write(EVERY_BYTE)
        assert await take_from_master(master, 256) == EVERY_BYTE


async def test_parity_of_eight_bits_is_done_without_on_a_pty(pty: tuple[int, str]) -> None:
    master, path = pty
    async with await open_transport(path, LineSettings(2400, 8, "E", 1)) as transport:
        assert not transport.software_parity
        await transport.write(EVERY_BYTE)
        assert await take_from_master(master, 256) == EVERY_BYTE


async def test_discard_input_drops_what_has_arrived(pty: tuple[int, str]) -> None:
    master, path = pty
    async with await open_transport(path, LINE) as transport:
        os.write(master, b"stale")
        await asyncio.sleep(0.05)
        assert transport.discard_input() == 5
        os.write(master, b"fresh")
        assert await take(transport, 5) == b"fresh"


async def test_a_missing_port_is_named() -> None:
    with pytest.raises(TransportError, match="smart-meter-reader ports") as caught:
        await open_transport("/dev/serial/by-id/nothing-here", LINE)
    assert caught.value.reason == "port_missing"


async def test_a_file_is_no_serial_port(tmp_path: Path) -> None:
    path = tmp_path / "plain"
    path.write_bytes(b"")
    with pytest.raises(TransportError) as caught:
        await open_transport(str(path), LINE)
    assert caught.value.reason == "not_a_serial_port"


async def test_a_held_port_names_the_process_that_holds_it(pty: tuple[int, str]) -> None:
    _master, path = pty
    holder = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import fcntl, sys; port = open(sys.argv[1], 'rb+', buffering=0);"
            "fcntl.flock(port, fcntl.LOCK_EX); print('held', flush=True); sys.stdin.read()",
            path,
        ],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(TransportError, match=f"process {holder.pid}") as caught:
            await open_transport(path, LINE)
        assert caught.value.reason == "port_busy"
    finally:
        holder.communicate()


async def test_an_open_port_is_exclusive(pty: tuple[int, str]) -> None:
    _master, path = pty
    async with await open_transport(path, LINE):
        other = os.open(path, os.O_RDWR | os.O_NOCTTY)
        try:
            with pytest.raises(BlockingIOError):
                fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(other)


def test_a_forbidden_port_names_its_group(tmp_path: Path) -> None:
    path = tmp_path / "port"
    path.write_bytes(b"")
    error = port_error(PermissionError(errno.EACCES, "Permission denied"), str(path))
    assert error.reason == "no_permission"
    assert "group" in error.detail


def test_of_a_group_that_the_service_cannot_see_no_name_is_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With PrivateUsers= every group but its own has the number 65534, and usermod would not help."""
    monkeypatch.setattr(ports, "in_container", lambda: False)
    path = tmp_path / "port"
    path.write_bytes(b"")
    os.chown(path, -1, 65_534)
    error = port_error(PermissionError(errno.EACCES, "Permission denied"), str(path))
    assert "another group only" in error.detail
    assert "udev rule" in error.detail
    assert "usermod" not in error.detail


def test_somebody_without_rights_is_told_so(pty: tuple[int, str]) -> None:
    _master, path = pty
    Path(path).chmod(0)
    pid = os.fork()
    if pid == 0:
        if os.getuid() == 0:  # root may open everything: be somebody else
            os.setgroups([])
            os.setuid(65_534)
        try:
            asyncio.run(open_transport(path, LINE))
        except TransportError as error:
            os._exit(0 if error.reason == "no_permission" else 2)
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0


async def test_a_hang_up_is_an_error_and_not_an_empty_read() -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    tty.setraw(slave)
    transport = await open_transport(path, LINE)
    os.close(slave)
    os.close(master)
    with pytest.raises(TransportError) as caught:
        async with asyncio.timeout(5):
            await transport.read()
    assert caught.value.reason == "lost"
    with pytest.raises(TransportError):
        await transport.write(b"anyone?")
    await transport.close()
    await transport.close()


async def change_lines(transport: Transport) -> None:
    """Change the line again and again, until the carrier has noticed that there is none."""
    async with asyncio.timeout(10):
        while True:
            await transport.change_line(LINE)
            await transport.change_line(SEVEN_BITS)


async def test_a_line_that_has_gone_cannot_be_changed() -> None:
    master, slave = os.openpty()
    path = os.ttyname(slave)
    os.close(slave)
    async with await open_transport(path, SEVEN_BITS) as transport:
        os.close(master)
        with pytest.raises(TransportError) as caught:
            await change_lines(transport)
        assert caught.value.reason in ("lost", "port_failed", "port_missing")


async def test_what_arrived_before_the_end_is_still_read() -> None:
    async def say_good_bye(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"good-bye")

    async with (
        tcp_server(say_good_bye) as place,
        await open_transport(f"socket://{place}", LINE) as transport,
    ):
        await asyncio.sleep(0.1)
        assert await take(transport, 8) == b"good-bye"
        with pytest.raises(TransportError) as caught:
            await transport.read()
        assert caught.value.reason == "lost"


@pytest.mark.parametrize("scheme", ["socket", "rfc2217"])
async def test_a_refused_connection_is_told(scheme: str) -> None:
    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(TransportError) as caught:
            await open_transport(f"{scheme}://{host}:{free_port()}", LINE)
        assert caught.value.reason == "connection_refused"


async def test_an_unknown_host_is_told() -> None:
    with pytest.raises(TransportError) as caught:
        await open_transport("socket://no-such-host.invalid:7000", LINE)
    assert caught.value.reason == "host_unknown"


async def test_a_server_that_never_negotiates_is_no_rfc2217_server() -> None:
    async with tcp_server(say_nothing) as place:
        with pytest.raises(TransportError) as caught:
            await open_transport(f"rfc2217://{place}", LINE, connect_timeout=0.2)
    assert caught.value.reason == "not_rfc2217"


async def test_a_listener_that_does_not_accept_times_out() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        place = f"127.0.0.1:{listener.getsockname()[1]}"
        # Linux takes one connection more than the backlog; the next one gets no answer.
        with socket.create_connection(listener.getsockname()), pytest.raises(TransportError) as caught:
            await open_transport(f"socket://{place}", LINE, connect_timeout=0.3)
    assert caught.value.reason == "connect_timeout"


async def test_tcp_connections_are_kept_alive() -> None:
    async with tcp_server(echo) as place, await open_transport(f"socket://{place}", LINE) as transport:
        connection = transport._carrier.get_extra_info("socket")
        assert connection.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


@pytest.mark.parametrize("url", ["tcp://host:1", "socket://host", "socket://:1", "rfc2217://host:port"])
async def test_an_unusable_url_is_a_settings_error(url: str) -> None:
    with pytest.raises(SettingsError, match="socket://host:port"):
        await open_transport(url, LINE)


async def test_a_flood_nobody_reads_is_held_back() -> None:
    async def flood(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(64):
            writer.write(bytes(65_536))
            await writer.drain()

    async with tcp_server(flood) as place, await open_transport(f"socket://{place}", LINE) as transport:
        await asyncio.sleep(0.2)
        assert len(await transport.read()) < 1_000_000
        assert len(await take(transport, 3_000_000)) >= 3_000_000


def test_byte_times_follow_from_the_line() -> None:
    assert LINE.bits_per_byte == 11
    assert LINE.seconds(1200) == 11.0
    assert SEVEN_BITS.bits_per_byte == 10
    assert str(SEVEN_BITS) == "300 Bd 7E1"
