"""A web server that answers as Home Assistant's Supervisor does when an app asks for the broker."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

TOKEN = "0123456789abcdef-of-this-test"


class SupervisorHttp:
    """``broker`` is its ``data``, None while no app offers one; ``body`` is sent instead, if it is set."""

    def __init__(self, broker: dict[str, Any] | None = None, body: bytes | None = None) -> None:
        self.broker = broker
        self.body = body
        self.asked: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str, authorization: str) -> tuple[int, bytes]:
        self.asked.append(path)
        if authorization != f"Bearer {TOKEN}":
            return 401, b"401: Unauthorized"
        if self.body is not None:
            return 200, self.body
        if path != "/services/mqtt":
            return 404, b"404: Not Found"
        if self.broker is None:
            return 400, json.dumps({"result": "error", "message": "Service not enabled"}).encode()
        return 200, json.dumps({"result": "ok", "data": self.broker}).encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        supervisor = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = supervisor._answer(self.path, self.headers.get("Authorization", ""))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it so
                pass

        return Handler
