"""The connections of the page: few, each with limits of time and size, so that nobody can hold up a reading.

One connection is taken in one turn of the event loop. When there are too many, the one that has waited
longest without asking for anything makes room: whoever opens a thousand and says nothing shuts nobody out.
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
from collections.abc import Callable, Coroutine
from functools import partial
from typing import cast

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.log import Seldom
from smart_meter_reader.sinks.web.access.certificates import ServerCertificate

_log = logging.getLogger(__name__)

MOST_CONNECTIONS = 100
MOST_HANDSHAKES = 50
# A request is there within this time, and the next one on the same connection too.
IDLE_SECONDS = 20.0
# A client takes what it is sent, or is dropped.
STUCK_SECONDS = 10.0
HANDSHAKE_SECONDS = 5.0
# A telephone that has left the house says no goodbye: what is sent to it is not confirmed for so long.
_UNCONFIRMED_SECONDS = 30
# Heads and bodies that came since the last answer: some requests at once, each of a few kilobytes.
MOST_BYTES = 64 * 1024
_BACKLOG = 128
# Where the system gives no more files.
_PAUSE_SECONDS = 1.0

_Opening = Callable[[socket.socket], Coroutine[object, object, None]]


class Gate(asyncio.Protocol):
    """Stands between a connection and what answers it: counts, and ends what takes too long."""

    def __init__(self, inner: asyncio.Protocol, gates: dict[object, Gate]) -> None:
        self._inner = inner
        self._gates = gates
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()
        self._bytes = 0
        self._working = 0
        self.idle_since = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._stuck: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._gates[self._inner] = self
        self._inner.connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        self._bytes += len(data)
        if self._bytes > MOST_BYTES:
            self.drop()
        else:
            self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()
        self._stuck = self._loop.call_later(STUCK_SECONDS, self.drop)

    def resume_writing(self) -> None:
        _cancel(self._stuck)
        self._inner.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._timer)
        _cancel(self._stuck)
        self._gates.pop(self._inner, None)
        self._inner.connection_lost(exc)

    def drop(self) -> None:
        """End the connection at once; what is not sent yet is lost."""
        if self._transport is not None:
            self._transport.abort()

    def begin(self) -> None:
        """A request is being answered."""
        self._working += 1
        _cancel(self._timer)

    def end(self) -> None:
        """It has been."""
        self._working -= 1
        self._bytes = 0
        self._wait()

    @property
    def is_working(self) -> bool:
        """Whether a request is being answered."""
        return self._working > 0

    def _wait(self) -> None:
        self.idle_since = self._loop.time()
        _cancel(self._timer)
        self._timer = self._loop.call_later(IDLE_SECONDS, self.drop)


class Listener:
    """Takes connections, and gives each to what ``answering`` makes for it."""

    def __init__(self, name: str, certificate: ServerCertificate | None) -> None:
        self._name = name
        self._certificate = certificate
        self._gates: dict[object, Gate] = {}
        self._shaking: dict[asyncio.Task[None], None] = {}  # handshakes under way, the oldest first
        self._said = Seldom()

    def begin(self, answering: object) -> None:
        """A request came through the protocol ``answering``."""
        if (gate := self._gates.get(answering)) is not None:
            gate.begin()

    def end(self, answering: object) -> None:
        """It is answered."""
        if (gate := self._gates.get(answering)) is not None:
            gate.end()

    def drop(self, answering: object) -> None:
        """Nobody has time for what comes through it."""
        if (gate := self._gates.get(answering)) is not None:
            gate.drop()

    async def listen(self, sockets: list[socket.socket], answering: Callable[[], asyncio.Protocol]) -> None:
        """Take connections until cancelled; then close all, and the sockets too."""
        try:
            async with asyncio.TaskGroup() as group:
                for each in sockets:
                    opening = partial(self._open, answering)
                    group.create_task(self._take(each, opening, group), name=f"{self._name} listens")
        finally:
            for each in sockets:
                each.close()
            self.drop_all()

    def drop_all(self) -> None:
        """End all connections."""
        for gate in list(self._gates.values()):
            gate.drop()

    async def _take(self, listening: socket.socket, opening: _Opening, group: asyncio.TaskGroup) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError as error:
                self._tell(error)
                await asyncio.sleep(_PAUSE_SECONDS)
                continue
            if not self._make_room():
                connection.close()
            elif self._certificate is None:
                await opening(connection)
            else:
                task = group.create_task(opening(connection), name=f"{self._name} handshake")
                self._shaking[task] = None
                task.add_done_callback(self._shaking.pop)

    def _make_room(self) -> bool:
        """Whether one more connection has a place; the one that is idle longest is dropped for it."""
        if len(self._shaking) >= MOST_HANDSHAKES:
            next(iter(self._shaking)).cancel()
        if len(self._gates) < MOST_CONNECTIONS:
            return True
        idle = [gate for gate in self._gates.values() if not gate.is_working]
        if not idle:
            return False
        min(idle, key=lambda gate: gate.idle_since).drop()
        return True

    async def _open(self, answering: Callable[[], asyncio.Protocol], connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        context = self._certificate.context(loop.time()) if self._certificate else None
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNCONFIRMED_SECONDS * 1000)
            await loop.connect_accepted_socket(
                lambda: Gate(answering(), self._gates),
                connection,
                ssl=context,
                ssl_handshake_timeout=HANDSHAKE_SECONDS if context else None,
            )
        except OSError:  # SSLError and TimeoutError are such
            # It is gone again, or speaks something else: nothing of ours, and no news.
            connection.close()

    def _tell(self, error: OSError) -> None:
        more = self._said.more(str(error.errno), asyncio.get_running_loop().time())
        if more is not None:
            _log.warning("sink %s: no connection can be taken: %s%s", self._name, error.strerror, more)


async def bound(host: str, port: int) -> list[socket.socket]:
    """Sockets that listen on each address of ``host``. Raises SinkError that says why that cannot be."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise SinkError(
            "no_such_host", f"`host` is {host}, which is no name of this computer: {error.strerror}"
        ) from error
    sockets: list[socket.socket] = []
    try:
        for family, _, _, _, address in dict.fromkeys(found):
            sockets.append(_bound(family, address))
    except OSError as error:
        for each in sockets:
            each.close()
        raise _refused(error, host, port) from error
    return sockets


def _bound(family: int, address: object) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)  # type: ignore[arg-type]
        made.listen(_BACKLOG)
    except BaseException:  # whatever it is, the socket is not left open
        made.close()
        raise
    return made


def _refused(error: OSError, host: str, port: int) -> SinkError:
    where = f"port {port} of {host}"
    match error.errno:
        case errno.EADDRINUSE:
            return SinkError("port_in_use", f"{where} is taken by another program: end that, or set `port`")
        case errno.EADDRNOTAVAIL:
            return SinkError("no_such_address", f"this computer has no address {host} now: set `host`")
        case errno.EPERM | errno.EACCES:
            return NeedsAPersonError(
                "port_refused",
                f"this service may not listen on {where}: a port above 1023 needs no rights; under systemd "
                "`smart-meter-reader service install` allows it the port of the settings",
            )
    return SinkError("port_unusable", f"{where} cannot be listened on: {error.strerror}")


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
