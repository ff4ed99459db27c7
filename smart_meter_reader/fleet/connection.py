"""The connection to the servers: who we are, TLS, what refusals mean; once there, it comes back by itself.

Every wait for a server is bounded. An error that a person has to mend is told apart from one that passes.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Final

import nats.errors
from nats.aio.client import Client
from nats.js.client import JetStreamContext

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.fleet.login import login_of
from smart_meter_reader.fleet.settings import NatsSettings
from smart_meter_reader.log import Seldom
from smart_meter_reader.network.outages import Outages
from smart_meter_reader.network.tls import client_context
from smart_meter_reader.network.untrusted import certificate_error

_log = logging.getLogger(__name__)

CONNECT_SECONDS: Final = 10.0
# Of one request to the engine. Without a leader it does not answer; a new one takes 5 to 9 s (docs/fleet.md).
REQUEST_SECONDS: Final = 5.0
_RECONNECT_SECONDS: Final = 2
_PING_SECONDS: Final = 10
_CLOSE_SECONDS: Final = 2.0
# Word of the protocol (NATS, Client Protocol, "-ERR"): the library has no class for it while it connects.
_REFUSED: Final = ("Authorization Violation", "User Authentication", "Account Authentication")
# What the library says of a connection that ends, and of each attempt to make it again.
_LOST: Final = (
    nats.errors.UnexpectedEOF,
    nats.errors.StaleConnectionError,
    nats.errors.ConnectionClosedError,
    nats.errors.NoServersError,
    TimeoutError,
    OSError,
)
# Somebody is there. A server that refuses us says so and closes at once; when our next words reach a closed
# connection, its refusal is lost in the reset (7 of 100 times, measured). The next attempt hears it.
_ANSWERED: Final = (TimeoutError, ConnectionResetError, BrokenPipeError, ConnectionAbortedError)


class ServersAwayError(SinkError):
    """None of the servers answers: the same for all that is connected to them."""


class FleetClient(Client):
    """The library's client; with TLS it says nothing of itself to a server that does not ask for it."""

    def __init__(self, *, tls: bool) -> None:
        super().__init__()
        self._must_encrypt = tls

    @property
    def server_info(self) -> dict[str, Any]:
        """What the server said of itself."""
        return dict(self._server_info)

    def _connect_command(self) -> bytes:
        # Called for each connection when the server has introduced itself and before we do: the library takes
        # a server without TLS as well, and so it would take whoever sits on the way to the right one.
        if self._must_encrypt and not self._server_info.get("tls_required"):
            raise nats.errors.SecureConnWantedError
        return super()._connect_command()


class NatsLink:
    """A connection that is there, or comes back. ``client`` is the library's."""

    def __init__(self, name: str, settings: NatsSettings, outages: Outages | None = None) -> None:
        """``outages``: of all that are connected to these servers, told once."""
        self.name = name
        self.client = FleetClient(tls=settings.tls)
        self._settings = settings
        self._up = asyncio.Event()
        self._closed = asyncio.Event()
        self._last: Exception | None = None
        self._said = Seldom()
        self._outages = outages or Outages()
        self._up_since = 0.0
        self._opened = False
        self._absent = 0  # attempts to connect for the first time that found nobody

    @property
    def streams(self) -> JetStreamContext:
        """The engine; its requests wait ``REQUEST_SECONDS`` at most."""
        return self.client.jetstream(timeout=REQUEST_SECONDS)

    def told_of(self, key: str) -> Any:
        """What the server said of itself when we connected (NATS, Client Protocol, "INFO")."""
        return self.client.server_info.get(key)

    @property
    def is_up(self) -> bool:
        """Whether a server is connected now."""
        return self._up.is_set() and self.client.is_connected

    async def up(self) -> None:
        """Wait until a server is connected, for as long as none is."""
        await self._up.wait()

    async def ended(self) -> None:
        """Wait until no server takes us back; raises SinkError that says why."""
        await self._closed.wait()
        self._last = self.client.last_error or self._last
        raise (
            self._explained()
            if self._last
            else ServersAwayError("nats_connection_lost", "the NATS servers closed it")
        )

    async def open(self, **options: Any) -> None:
        """Connect to the first server that answers. Raises SinkError."""
        settings = self._settings
        tls = (
            client_context(
                ca=settings.ca,
                insecure=False,
                client_cert=settings.client_cert,
                client_key=settings.client_key,
            )
            if settings.tls
            else None
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await self.client.connect(
                    settings.urls,
                    name=f"{self.name} on {socket.gethostname()}",
                    tls=tls,
                    error_cb=self._note,
                    disconnected_cb=self._lose,
                    reconnected_cb=self._regain,
                    closed_cb=self._end,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_SECONDS,
                    connect_timeout=int(CONNECT_SECONDS / 2),
                    ping_interval=_PING_SECONDS,
                    **login_of(settings),
                    **options,
                )
        except SinkError:  # of ``_note``
            await self.close()
            raise
        except (TimeoutError, OSError, nats.errors.Error) as error:
            if self._last is None or not isinstance(error, TimeoutError):
                self._last = error
            await self.close()
            raise self._explained() from error
        self._opened = True
        self._set_up()

    def _set_up(self) -> None:
        self._up_since = time.monotonic()
        self._up.set()

    async def close(self) -> None:
        """Say goodbye, in bounded time."""
        self._up.clear()
        self._opened = False
        try:
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self.client.close()
        except (TimeoutError, OSError, nats.errors.Error):
            pass  # it is given up anyway

    async def _note(self, error: Exception) -> None:
        self._last = error
        known = self._explained()
        if not self._opened:
            # One that is slow is waited for; where nothing listens there is nothing to wait for.
            self._absent += isinstance(error, OSError) and not isinstance(error, _ANSWERED)
            if isinstance(known, NeedsAPersonError) or self._absent >= len(self._settings.servers):
                # Out of the library's ``connect``, which would go on for ever.
                raise known
            return
        if isinstance(error, _LOST) and not isinstance(known, NeedsAPersonError):
            return  # told once, by ``_lose``
        sentence = known.detail if isinstance(known, NeedsAPersonError) else f"NATS server: {_words(error)}"
        if (more := self._said.more(sentence, time.monotonic())) is not None:
            _log.warning("%s: %s%s", self.name, sentence, more)

    async def _lose(self) -> None:
        self._up.clear()
        if self._opened:
            servers = ", ".join(self._settings.servers)
            lost = ServersAwayError(
                "nats_connection_lost", f"the connection to the NATS servers ({servers}) is lost"
            )
            news = self._outages.failed(self._settings.party, lost, self._up_since, time.monotonic())
            _log.log(
                logging.WARNING if news else logging.DEBUG,
                "%s: %s; it comes back as soon as one answers",
                self.name,
                lost.detail,
            )

    async def _regain(self) -> None:
        self._set_up()
        self._said.forget()
        news = self._outages.connected(self._settings.party, "")
        _log.log(logging.INFO if news else logging.DEBUG, "%s: connected to a NATS server again", self.name)

    async def _end(self) -> None:
        self._up.clear()
        self._closed.set()

    def _explained(self) -> SinkError:
        error, servers = self._last, ", ".join(self._settings.servers)
        if isinstance(error, nats.errors.AuthorizationError) or any(word in str(error) for word in _REFUSED):
            return LoginRefusedError(
                "login_refused",
                f"the NATS servers ({servers}) do not let us in: compare the nkey in their configuration "
                "with the public one of ours",
            )
        if isinstance(error, ssl.SSLCertVerificationError):
            return certificate_error(error, servers, "servers", self._settings.ca)
        if isinstance(error, nats.errors.SecureConnWantedError):
            return NeedsAPersonError(
                "tls_missing",
                f"`tls` is set, and a NATS server ({servers}) does not encrypt: give it a certificate, "
                "`tls { ... }` in its configuration",
            )
        return ServersAwayError("nats_unreachable", f"no NATS server answers ({servers}): {_words(error)}")


@asynccontextmanager
async def linked(
    name: str, settings: NatsSettings, outages: Outages | None = None, **options: Any
) -> AsyncIterator[NatsLink]:
    """A connection for a block; ``options`` are the library's. Raises SinkError when none can be had."""
    link = NatsLink(name, settings, outages)
    await link.open(**options)
    try:
        yield link
    finally:
        await link.close()


def _words(error: Exception | None) -> str:
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; check `servers`, and whether they run"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    text = str(error or "").removeprefix("nats: ")
    return text or (type(error).__name__ if error else "no answer in time")
