"""A web server that answers as Home Assistant's RESTful API does, and misbehaves on demand."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

TOKEN = "eyJhbGciOiJIUzI1NiJ9.a-token.of-this-test"


class HomeAssistantHttp:
    """``states`` by entity id as posted; ``trouble`` is "", "hang", "garbage" or an HTTP status as text."""

    def __init__(self, certificate: Path | None = None) -> None:
        self.states: dict[str, dict[str, Any]] = {}
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.requests = 0
        self.connections = 0
        self.trouble = ""
        self.token = TOKEN
        self.refused_entities: set[str] = set()
        self._release = threading.Event()
        self._certificate = certificate
        self._open: set[socket.socket] = set()
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._certificate else 'http'}://localhost:{self.port}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        self._release.clear()
        self._server = _Server(("127.0.0.1", self.port), _Handler)
        self._server.home = self
        self.port = self._server.server_address[1]
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop answering, drop the connections, and forget all states, as a restart does."""
        assert self._server is not None
        assert self._thread is not None
        self._release.set()
        self._server.shutdown()
        self._thread.join()
        for connection in list(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # it has gone already
        self._server.server_close()
        self.states.clear()

    def restart(self) -> None:
        self.stop()
        self.start()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    block_on_close = False
    home: HomeAssistantHttp

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Connections that a test breaks are no news."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.home.connections += 1
        self.server.home._open.add(self.connection)

    def finish(self) -> None:
        self.server.home._open.discard(self.connection)
        super().finish()

    def do_GET(self) -> None:
        if not self._fine():
            return
        home = self.server.home
        if self.path == "/api/":
            self._answer(200, {"message": "API running."})
            return
        entity_id = self.path.removeprefix("/api/states/")
        if entity_id in home.states:
            self._answer(200, home.states[entity_id])
        else:
            self._answer(404, {"message": "Entity not found."})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._fine():
            return
        home = self.server.home
        entity_id = self.path.removeprefix("/api/states/")
        if entity_id in home.refused_entities:
            self._answer(400, {"message": "Invalid state"})
            return
        new = entity_id not in home.states
        home.states[entity_id] = body
        home.posts.append((entity_id, body))
        self._answer(201 if new else 200, body)

    def _fine(self) -> bool:
        home = self.server.home
        home.requests += 1
        if home.trouble == "hang":
            home._release.wait()
            self.close_connection = True
            return False
        if home.trouble == "garbage":
            self.wfile.write(b"\x15\x03\x01\x00\x02\x02\x16\r\n\r\n")
            self.close_connection = True
            return False
        if home.trouble:
            self._answer(int(home.trouble), {})
            return False
        if self.headers["Authorization"] != f"Bearer {home.token}":
            self._answer(401, {})
            return False
        return True

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
        """Nothing on the tests' output."""
