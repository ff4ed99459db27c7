"""Home Assistant's RESTful API over one keep-alive connection; every call blocks, every failure is explained.

Source: developers.home-assistant.io, "REST API": GET /api/, GET and POST
/api/states/<entity_id>, bearer token.
Redirects are not followed: the token goes to the host in the settings and to nobody else.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from pathlib import Path
from urllib.parse import urlsplit

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.network import untrusted
from smart_meter_reader.network.tls import client_context
from smart_meter_reader.sinks.home_assistant.bounded_http import (
    LONGEST_ANSWER,
    BoundedHttp,
    BoundedHttps,
    EndlessAnswerError,
)

# A connection that was idle may have been closed by the other side without our noticing.
_STALE = (
    http.client.RemoteDisconnected,
    ConnectionResetError,
    BrokenPipeError,
    http.client.CannotSendRequest,
)


class Api:
    """One Home Assistant. Not for two threads at once, but for ``close``."""

    def __init__(self, url: str, token: str, *, ca: Path | None, insecure: bool, timeout: float) -> None:
        """Connect to nothing yet. ``timeout``: seconds for each step of a request; one is the answer."""
        parts = urlsplit(url)
        self.url = url.rstrip("/")
        self._host = parts.hostname or ""
        self._tls = parts.scheme == "https"
        self._port = parts.port or (443 if self._tls else 80)
        self._path = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        self._ca = ca
        self._insecure = insecure
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None
        self._closed = False

    def check(self) -> None:
        """See whether the API is there and takes the token. Raises SinkError."""
        status, body = self._request("GET", "/api/")
        if status == 400:
            raise SinkError(
                "bad_request",
                f"Home Assistant at {self.url} refuses the request (HTTP 400): a proxy before it has to be "
                "among its `trusted_proxies`",
            )
        if status != 200 or not body.lstrip().startswith(b"{"):
            raise SinkError(
                "not_home_assistant", f"{self.url} answers, but not as Home Assistant does: check `url`"
            )

    def post(self, entity_id: str, payload: bytes) -> bool | None:
        """Set a state: True when the entity was not there before, None when Home Assistant refuses it.

        Raises SinkError.
        """
        status, _ = self._request("POST", f"/api/states/{entity_id}", payload)
        return None if status == 400 else status == 201

    def knows(self, entity_id: str) -> bool:
        """Whether there is such an entity. Raises SinkError."""
        status, _ = self._request("GET", f"/api/states/{entity_id}", missing_is_fine=True)
        return status == 200

    def close(self) -> None:
        """Close for good, also under a request in another thread, which then fails."""
        self._closed = True
        self._disconnect()

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        if connection.sock is not None:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has ended already
        connection.close()

    def _request(
        self, method: str, path: str, body: bytes | None = None, *, missing_is_fine: bool = False
    ) -> tuple[int, bytes]:
        fresh = self._connection is None
        try:
            try:
                status, answer = self._exchange(method, path, body)
            except _STALE:
                if fresh or self._closed:
                    raise
                self._disconnect()
                status, answer = self._exchange(method, path, body)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._disconnect()
            raise self._unreachable(error) from error
        if status not in (200, 201, 400) and not (status == 404 and missing_is_fine):
            self._disconnect()
            raise self._refused(status)
        return status, answer

    def _exchange(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        if self._connection is None:
            self._connection = self._connect()
        connection = self._connection
        connection.request(method, self._path + path, body, self._headers)
        response = connection.getresponse()
        answer = response.read(LONGEST_ANSWER)
        if not response.isclosed():
            raise EndlessAnswerError(f"an answer of more than {LONGEST_ANSWER} bytes")
        return response.status, answer

    def _connect(self) -> http.client.HTTPConnection:
        if not self._tls:
            return BoundedHttp(self._host, self._port, timeout=self._timeout)
        return BoundedHttps(self._host, self._port, timeout=self._timeout, context=self._context())

    def _context(self) -> ssl.SSLContext:
        return client_context(ca=self._ca, insecure=self._insecure)

    def _refused(self, status: int) -> SinkError:
        if status == 401:
            return LoginRefusedError(
                "token_refused",
                f"Home Assistant at {self.url} does not accept the token: create a long-lived access token "
                "in your Home Assistant profile (Security) and set `token` to it in .secrets.toml",
            )
        if status == 403:
            return LoginRefusedError(
                "banned",
                f"Home Assistant at {self.url} does not let this computer in: it may have banned its address "
                "after wrong tokens (ip_bans.yaml), or the token's user is not allowed to set states",
            )
        if 300 <= status < 400:
            return SinkError(
                "redirected", f"{self.url} redirects elsewhere: set `url` to the address it ends up at"
            )
        if status in (404, 405):
            return SinkError(
                "not_home_assistant",
                f"{self.url} has no RESTful API (HTTP {status}): check `url`, and that Home Assistant has "
                "the integration `api` (default_config brings it)",
            )
        return SinkError("server_error", f"Home Assistant at {self.url} answers with HTTP {status}")

    def _unreachable(self, error: Exception) -> SinkError:
        where = f"{self._host}:{self._port}"
        if isinstance(error, socket.gaierror):
            return SinkError("unknown_host", f"there is no host {self._host!r}: check `url`")
        if isinstance(error, ssl.SSLCertVerificationError):
            seen, names = untrusted.look_again(error, self._context(), self._host, self._port, self._timeout)
            return untrusted.certificate_error(seen, where, "url", self._ca, names)
        if isinstance(error, ssl.SSLError):
            return NeedsAPersonError(
                "tls_failed",
                f"TLS with {where} fails ({error.reason}): check that `url` has its https port; with "
                "http:// the token would go out unencrypted to whoever answers there",
            )
        if isinstance(error, TimeoutError):
            return SinkError("timeout", f"{where} does not answer within {self._timeout:g} s")
        if isinstance(error, ConnectionRefusedError):
            return SinkError(
                "port_closed", f"nothing listens on {where}: check `url`, and whether Home Assistant runs"
            )
        if isinstance(error, EndlessAnswerError):
            return SinkError("not_home_assistant", f"{where} sends {error}: check `url`")
        if isinstance(error, http.client.HTTPException | ConnectionError | ValueError):
            hint = "" if self._tls else "; does `url` have to begin with https://?"
            return SinkError("not_http", f"{where} ends the connection without an answer in HTTP{hint}")
        return SinkError("unreachable", f"{where} cannot be reached ({error}): check `url` and the network")
