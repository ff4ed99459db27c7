"""One InfluxDB over HTTP; every failure is explained.

Redirects are not followed: the token is for the host in the settings and for nobody else.
"""

from __future__ import annotations

import base64
import ssl
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from urllib.parse import urlsplit

import aiohttp

from smart_meter_reader.exceptions import NeedsAPersonError, SinkError
from smart_meter_reader.network import untrusted
from smart_meter_reader.network.off_loop import in_daemon_thread
from smart_meter_reader.network.tls import client_context
from smart_meter_reader.sinks.influxdb.answers import Refusal, WriteAnswer, understand
from smart_meter_reader.sinks.influxdb.settings import InfluxDbSettings
from smart_meter_reader.sinks.spooled.destination import SlowError
from smart_meter_reader.text import printable

# InfluxDB 3 tells each line that it refuses.
_LONGEST_ANSWER = 1024 * 1024
# Below it compressing saves no packet.
_WORTH_COMPRESSING = 1000
_GZIP = 16 + zlib.MAX_WBITS


class Server:
    """The server of the settings. Every method raises SinkError."""

    def __init__(self, settings: InfluxDbSettings, session: aiohttp.ClientSession) -> None:
        self.url = settings.url.rstrip("/")
        self._settings = settings
        self._session = session
        self._write_to, self._parameters = _write_address(settings)

    async def write(self, lines: Sequence[str]) -> Refusal | None:
        """Write lines; what is refused of them, None for nothing."""
        body = "\n".join(lines).encode()
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if len(body) >= _WORTH_COMPRESSING:
            packer = zlib.compressobj(1, wbits=_GZIP)
            body = packer.compress(body) + packer.flush()
            headers["Content-Encoding"] = "gzip"
        answer = await self._ask("POST", self._write_to, self._parameters, body, headers)
        return understand(answer, self.url, self._settings.database)

    async def version(self) -> str:
        """What it says it is, "" where it does not."""
        answer = await self._ask("GET", "/ping")
        return printable(answer.headers.get("x-influxdb-version", ""), 40)

    async def _ask(
        self,
        method: str,
        path: str,
        parameters: Mapping[str, str] | None = None,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> WriteAnswer:
        try:
            async with self._session.request(
                method,
                f"{self.url}{path}",
                params=parameters,
                data=body,
                headers={"Accept-Encoding": "identity", **(headers or {}), **_login(self._settings)},
                allow_redirects=False,
            ) as response:
                told = await _body(response)
                named = {name.lower(): value for name, value in response.headers.items()}
                return WriteAnswer(response.status, named, told)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise await self._unreachable(error) from error

    async def _unreachable(self, error: BaseException) -> SinkError:
        where = self.url
        match error:
            case aiohttp.ClientConnectorCertificateError():
                refused = error.certificate_error
                if isinstance(refused, ssl.SSLCertVerificationError):
                    return await self._untrusted(refused)
                return _tls_failed(where)
            case aiohttp.ClientConnectorSSLError():
                return _tls_failed(where)
            case aiohttp.ClientConnectorDNSError():
                return SinkError("unknown_host", f"there is no host of the address {where}: check `url`")
            case TimeoutError():
                seconds = self._settings.timeout.total_seconds()
                return SlowError("batch_timeout", f"{where} does not answer within {seconds:g} s")
            case ConnectionRefusedError() | aiohttp.ClientConnectorError():
                return SinkError(
                    "port_closed", f"{where} cannot be reached: check `url`, and whether the server runs"
                )
            case _:
                return SinkError(
                    "not_http",
                    f"{where} ends the connection without an answer in HTTP: does it run, and does `url` "
                    "have to begin with https://?",
                )

    async def _untrusted(self, error: ssl.SSLCertVerificationError) -> SinkError:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or 443
        seconds = self._settings.timeout.total_seconds()
        look = partial(untrusted.look_again, error, tls_of(self._settings), host, port, seconds)
        seen, names = await in_daemon_thread(look)
        return untrusted.certificate_error(seen, f"{host}:{port}", "url", self._settings.ca, names)


async def _body(response: aiohttp.ClientResponse) -> bytes:
    body = b""
    async for piece in response.content.iter_any():
        body += piece
        if len(body) > _LONGEST_ANSWER:
            break
    return body[:_LONGEST_ANSWER]


def _tls_failed(where: str) -> SinkError:
    return NeedsAPersonError("tls_failed", f"TLS with {where} fails: check that `url` has its https port")


def tls_of(settings: InfluxDbSettings) -> ssl.SSLContext:
    """Whom to trust. Raises SinkError."""
    return client_context(ca=settings.ca, insecure=settings.insecure)


def _write_address(settings: InfluxDbSettings) -> tuple[str, Mapping[str, str]]:
    """Path and parameters of a write, with nanoseconds."""
    match settings.api:
        case "v1":
            policy = {"rp": settings.retention_policy} if settings.retention_policy else {}
            return "/write", {"db": settings.database, "precision": "ns", **policy}
        case "v2":
            return "/api/v2/write", {"org": settings.org, "bucket": settings.database, "precision": "ns"}
        case "v3":
            return "/api/v3/write_lp", {"db": settings.database, "precision": "nanosecond"}


def _login(settings: InfluxDbSettings) -> Mapping[str, str]:
    token = settings.token.reveal().strip()
    if token:
        return {"Authorization": f"{'Token' if settings.api == 'v2' else 'Bearer'} {token}"}
    if settings.username:
        pair = f"{settings.username}:{settings.password.reveal()}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


@asynccontextmanager
async def connected(settings: InfluxDbSettings) -> AsyncIterator[Server]:
    """The server, with one connection that is kept. Asks it nothing yet. Raises SinkError."""
    tls = tls_of(settings) if settings.url.startswith("https:") else True
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=1, ssl=tls),
        timeout=aiohttp.ClientTimeout(total=settings.timeout.total_seconds()),
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
    ) as session:
        yield Server(settings, session)
