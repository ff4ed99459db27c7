"""Puts an emulated meter on a real stream: a pseudo-terminal or a TCP port, at the speed of a real line."""

from __future__ import annotations

import asyncio
import os
import socket
import tty
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.transport import LineSettings

# As long as a real line would take for the kilobyte of a long telegram: then bytes fall on the floor, as
# they do on a line where nobody listens.
_NOBODY_READS = 1.0


class EmulatedLine(Protocol):
    """The line as the meter sees it."""

    line: LineSettings | None  # None: as fast as the stream; a meter that changes its speed sets another

    async def read(self) -> bytes:
        """What was sent to the meter, once it has gone over the line; b"" when the other side has gone."""

    async def write(self, payload: bytes) -> None:
        """Send at the speed of the line; returns when the last byte has gone over it."""


class EmulatedMeter(Protocol):
    """A meter. ``serve`` is entered once per listener, and ends when ``read`` gives b""."""

    async def serve(self, line: EmulatedLine) -> None:
        """Talk on this line until it ends."""


class _Paced:
    """Delays both directions by what the bytes would take on the wire."""

    def __init__(self, line: LineSettings | None) -> None:
        self.line = line
        self._heard_until = 0.0

    async def read(self) -> bytes:
        received = await self._receive()
        if self.line is not None and received:
            now = asyncio.get_running_loop().time()
            self._heard_until = max(now, self._heard_until) + self.line.seconds(len(received))
            await asyncio.sleep(self._heard_until - now)
        return received

    async def write(self, payload: bytes) -> None:
        if self.line is None:
            await self._send(payload)
            return
        loop = asyncio.get_running_loop()
        started, sent = loop.time(), 0
        while sent < len(payload):
            # Against the start and not against the last byte, so that late wake-ups do not add up.
            elapsed = loop.time() - started
            due = min(len(payload), int(elapsed / self.line.seconds(1)))
            if due > sent:
                await self._send(payload[sent:due])
                sent = due
            else:
                await asyncio.sleep(self.line.seconds(sent + 1) - elapsed)

    async def _receive(self) -> bytes:
        raise AssertionError("a line without a carrier")

    async def _send(self, payload: bytes) -> None:
        raise AssertionError("a line without a carrier")


class _TcpLine(_Paced):
    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: LineSettings | None
    ) -> None:
        super().__init__(line)
        self._reader = reader
        self._writer = writer

    async def _receive(self) -> bytes:
        return await self._reader.read(4096)

    async def _send(self, payload: bytes) -> None:
        self._writer.write(payload)
        await self._writer.drain()


class _PtyLine(_Paced):
    """The master side of a pseudo-terminal."""

    def __init__(self, master: int, line: LineSettings | None) -> None:
        super().__init__(line)
        self._master = master

    async def _receive(self) -> bytes:
        while True:
            await self._ready(writing=False)
            try:
                return os.read(self._master, 4096)
            except BlockingIOError:
                continue

    async def _send(self, payload: bytes) -> None:
        while payload:
            try:
                payload = payload[os.write(self._master, payload) :]
            except BlockingIOError:
                try:
                    async with asyncio.timeout(_NOBODY_READS):
                        await self._ready(writing=True)
                except TimeoutError:
                    return  # nobody reads: the bytes are gone, as on a real line

    async def _ready(self, *, writing: bool) -> None:
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        add, remove = (
            (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
        )
        add(self._master, ready.set)
        try:
            await ready.wait()
        finally:
            remove(self._master)


@asynccontextmanager
async def on_pty(
    meter: EmulatedMeter, *, link: Path | None = None, line: LineSettings | None = None
) -> AsyncIterator[str]:
    """The meter on a pseudo-terminal; gives its path, which is ``link`` where one is asked for.

    Raises SettingsError when ``link`` exists and is no link, or cannot be made.
    """
    master, slave = os.openpty()
    try:
        # Raw from the start: a terminal's own echo would come back to the meter as a request.
        tty.setraw(slave)
        os.set_blocking(master, False)
        # The slave stays open here, so that the line survives readers that come and go.
        path = os.ttyname(slave)
        if link is not None:
            _make_link(link, path)
        talking = asyncio.create_task(meter.serve(_PtyLine(master, line)), name=f"emulated meter on {path}")
        talking.add_done_callback(_tell_crash)
        try:
            yield str(link or path)
        finally:
            await _end([talking])
            if link is not None:
                _remove_link(link, path)
    finally:
        os.close(master)
        os.close(slave)


@asynccontextmanager
async def on_tcp(
    meter: EmulatedMeter, *, host: str = "127.0.0.1", port: int = 0, line: LineSettings | None = None
) -> AsyncIterator[str]:
    """The meter on a TCP port for any number of listeners; gives ``host:port``. Port 0 takes a free one.

    Raises SettingsError when nothing can listen there.
    """
    tasks: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(_talk(meter, reader, writer, line), name="emulated meter, one listener")
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        task.add_done_callback(_tell_crash)

    server = await _listening(accept, host, port)
    try:
        taken = server.sockets[0].getsockname()[1]
        yield f"[{host}]:{taken}" if ":" in host else f"{host}:{taken}"
    finally:
        server.close()
        await _end(list(tasks))


async def _talk(
    meter: EmulatedMeter,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    line: LineSettings | None,
) -> None:
    """Be the meter for one listener."""
    try:
        await meter.serve(_TcpLine(reader, writer, line))
    except ConnectionError:
        pass  # the listener has gone; others may come
    except asyncio.CancelledError:
        # Not to wait for what a listener that has stopped reading will never take.
        writer.transport.abort()
        raise
    finally:
        writer.close()


async def _listening(
    accept: Callable[[asyncio.StreamReader, asyncio.StreamWriter], None], host: str, port: int
) -> asyncio.Server:
    """A server that hands over each listener. Raises SettingsError."""
    try:
        return await asyncio.start_server(accept, host, port)
    except UnicodeError:
        raise SettingsError([f"cannot listen on {host}:{port}: no computer has such a name"]) from None
    except OSError as error:
        # asyncio's text for a port that is taken repeats the address; a lookup has numbers of its own.
        reason = error.strerror or str(error)
        if error.errno and not isinstance(error, socket.gaierror):
            reason = os.strerror(error.errno)
        raise SettingsError([f"cannot listen on {host}:{port}: {reason}"]) from error


def _tell_crash(task: asyncio.Task[None]) -> None:
    """A meter that ends by an error is a bug of the meter: said at once, not when the emulator stops."""
    if not task.cancelled() and (error := task.exception()) is not None:
        task.get_loop().call_exception_handler(
            {"message": f"{task.get_name()} crashed", "exception": error, "task": task}
        )


async def _end(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.sleep(0)  # lets aborted connections close their sockets


def _make_link(link: Path, target: str) -> None:
    if not link.name:  # "", "." and "/"
        raise SettingsError([f"--link {link} names no file: write a name, such as /tmp/meter"])
    beside = link.with_name(f".{link.name}.{os.getpid()}")
    try:
        if link.exists() and not link.is_symlink():
            raise SettingsError([f"--link {link} exists and is no link: choose another name"])
        beside.symlink_to(target)
        beside.replace(link)  # in one step: a reader sees the old name or the new one, never none
    except OSError as error:
        raise SettingsError([f"--link {link} cannot be made: {error.strerror}"]) from error


def _remove_link(link: Path, target: str) -> None:
    try:
        if str(link.readlink()) == target:
            link.unlink()
    except OSError:
        pass  # already gone, or taken over by another emulator
