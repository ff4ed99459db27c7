"""Home Assistant's WebSocket API, as far as statistics go; every failure is explained.

Source: developers.home-assistant.io, "WebSocket API": auth_required, auth, auth_ok or auth_invalid; then
commands with an ``id`` each, answered by ``result``. Redirects are not followed: the token goes to the host
that was named and to nobody else.
"""

from __future__ import annotations

import asyncio
import json
import re
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.json_text import dumps
from smart_meter_reader.network import untrusted
from smart_meter_reader.network.tls import client_context
from smart_meter_reader.sinks.home_assistant.rest import HomeAssistantRestSettings
from smart_meter_reader.text import printable

_STEP_SECONDS = 30.0
_LONGEST_ANSWER = 4 * 1024 * 1024
_LONGEST_TEXT = 300
_VERSION = re.compile(r"(\d{4})\.(\d{1,2})")


class WebSocketApi:
    """One connection that is logged in. Raises SinkError throughout."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse, where: str) -> None:
        self.where = where
        self.version = (0, 0)  # year and month
        self.version_text = "of an unknown version"
        self._socket = socket
        self._number = 0

    async def log_in(self, token: str) -> None:
        """Say who we are, once it asks; learn which version it is."""
        first = await self._receive()
        if first.get("type") != "auth_required":
            raise self._not_home_assistant()
        await self._send({"type": "auth", "access_token": token})
        answer = await self._receive()
        if answer.get("type") == "auth_invalid":
            raise LoginRefusedError(
                "token_refused",
                f"Home Assistant at {self.where} does not accept the token: create a long-lived access token "
                "in your Home Assistant profile (Security)",
            )
        if answer.get("type") != "auth_ok":
            raise self._not_home_assistant()
        self.version_text = printable(str(answer.get("ha_version", "")), 40)
        if found := _VERSION.match(self.version_text):
            self.version = int(found[1]), int(found[2])

    async def command(self, kind: str, **keys: object) -> Any:
        """What a command gives. Raises SinkError, with what Home Assistant says, when it is refused."""
        self._number += 1
        await self._send({"id": self._number, "type": kind, **keys})
        try:
            # All of it, as others' messages may come in between without end.
            async with asyncio.timeout(_STEP_SECONDS):
                answer = await self._result()
        except TimeoutError:
            raise self._silent() from None
        if answer.get("success"):
            return answer.get("result")
        error = answer.get("error")
        raise self._refused(kind, error if isinstance(error, dict) else {})

    async def _result(self) -> dict[str, Any]:
        """The answer to the last command."""
        while True:
            answer = await self._receive()
            if answer.get("id") == self._number and answer.get("type") == "result":
                return answer

    async def import_statistics(self, metadata: Mapping[str, object], stats: Sequence[object]) -> None:
        """Have rows of one statistic taken; those of an hour that it has already take the place of these."""
        await self.command("recorder/import_statistics", metadata=metadata, stats=stats)

    def _refused(self, kind: str, error: Mapping[str, object]) -> SinkError:
        said = printable(str(error.get("message", "")), _LONGEST_TEXT)
        match error.get("code"):
            case "unauthorized":
                return LoginRefusedError(
                    "no_administrator",
                    f"Home Assistant at {self.where} lets only administrators change statistics: create the "
                    "token as one",
                )
            case "unknown_command":
                return NeedsAPersonError(
                    "too_old",
                    f"Home Assistant {self.version_text} at {self.where} does not know {kind}: it is too old "
                    "(2022.10 is the first), or runs without its recorder (`default_config` brings it)",
                )
            case _:
                return SinkError(
                    "refused", f"Home Assistant {self.version_text} at {self.where} refuses {kind}: {said}"
                )

    async def _send(self, message: Mapping[str, object]) -> None:
        try:
            async with asyncio.timeout(_STEP_SECONDS):
                await self._socket.send_str(dumps(message))
        except TimeoutError:
            raise self._silent() from None
        except (aiohttp.ClientError, ConnectionError) as error:
            raise self._ended() from error

    async def _receive(self) -> dict[str, Any]:
        try:
            async with asyncio.timeout(_STEP_SECONDS):
                message = await self._socket.receive()
        except TimeoutError:
            raise self._silent() from None
        if message.type is not aiohttp.WSMsgType.TEXT:
            raise self._ended()
        try:
            found = json.loads(message.data)
        except (ValueError, RecursionError):
            raise self._not_home_assistant() from None
        if not isinstance(found, dict):
            raise self._not_home_assistant()
        return found

    def _silent(self) -> SinkError:
        return SinkError("timeout", f"{self.where} does not answer within {_STEP_SECONDS:g} s")

    def _ended(self) -> SinkError:
        return SinkError(
            "ended_by_home_assistant", f"Home Assistant at {self.where} has ended the connection"
        )

    def _not_home_assistant(self) -> SinkError:
        return SinkError(
            "not_home_assistant", f"{self.where} answers, but not as Home Assistant does: check the address"
        )


@asynccontextmanager
async def logged_in(settings: HomeAssistantRestSettings) -> AsyncIterator[WebSocketApi]:
    """A connection by an address and a token. Raises SinkError."""
    tls = settings.url.startswith("https:")
    context = client_context(ca=settings.ca, insecure=settings.insecure) if tls else False
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    address = f"ws{settings.url.removeprefix('http').rstrip('/')}/api/websocket"
    try:
        async with (
            aiohttp.ClientSession(
                trace_configs=[trace], timeout=aiohttp.ClientTimeout(_STEP_SECONDS)
            ) as session,
            session.ws_connect(address, ssl=context, max_msg_size=_LONGEST_ANSWER) as socket,
        ):
            api = WebSocketApi(socket, settings.url)
            await api.log_in(settings.token.reveal().strip())
            yield api
    except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
        raise _unreachable(error, settings) from error


async def _refuse_redirect(*_: object) -> None:
    raise SinkError("redirected", "Home Assistant redirects elsewhere: name the address it ends up at")


def _unreachable(error: BaseException, settings: HomeAssistantRestSettings) -> SinkError:
    where = settings.url
    match error:
        case aiohttp.ClientConnectorCertificateError():
            refused = error.certificate_error
            if isinstance(refused, ssl.SSLCertVerificationError):
                return untrusted.certificate_error(refused, where, "url", settings.ca)
            return NeedsAPersonError(
                "tls_failed", f"TLS with {where} fails: check that it has its https port"
            )
        case aiohttp.ClientConnectorSSLError():
            return NeedsAPersonError(
                "tls_failed", f"TLS with {where} fails: check that it has its https port"
            )
        case aiohttp.ClientConnectorDNSError():
            return SinkError("unknown_host", f"there is no host of the address {where}")
        case aiohttp.WSServerHandshakeError():
            return SinkError(
                "not_home_assistant",
                f"{where} has no WebSocket API (HTTP {error.status}): check the address; a proxy before Home "
                "Assistant has to pass WebSockets on, and to be among its `trusted_proxies`",
            )
        case TimeoutError():
            return SinkError("timeout", f"{where} does not answer within {_STEP_SECONDS:g} s")
        case ConnectionRefusedError() | aiohttp.ClientConnectorError():
            return SinkError(
                "port_closed",
                f"{where} cannot be reached: check the address, and whether Home Assistant runs",
            )
        case _:
            return SinkError(
                "not_http", f"{where} does not answer in HTTP: does the address have to begin with https://?"
            )
