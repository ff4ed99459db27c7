"""Stands in for InfluxDB 2 and 3, which no Debian has: takes and refuses what their API is documented to.

Sources: docs.influxdata.com, "Troubleshoot issues writing data" of InfluxDB OSS 2 and "v3 write_lp API" of
InfluxDB 3 Core. The reader of line protocol is written for this file alone, after "Line protocol".
"""

from __future__ import annotations

import gzip
import json
import re
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qs, urlsplit

TOKEN = "Zm9yIHRlc3RzIG9ubHk=-a-token"
ORG, BUCKET = "home org", "meter bucket"


class Point(NamedTuple):
    """One point as it was read."""

    measurement: str
    tags: dict[str, str]
    fields: dict[str, Any]
    time: int


class MalformedLineError(ValueError):
    """A line that is none."""


_ESCAPED = re.compile(r"\\([, =\\])")
_KEY = r"((?:[^,= \\\n]|\\.)+)"
_LINE = re.compile(
    rf"(?P<measurement>(?:[^, \\\n]|\\.)+)(?P<tags>(?:,{_KEY}={_KEY})*) (?P<fields>.*?) (?P<time>-?\d+)"
)
_TAG = re.compile(rf",{_KEY}={_KEY}")
_FIELD = re.compile(rf'{_KEY}=("(?:[^"\\]|\\.)*"|[^,"\s]+)(,|$)')
_FLOAT = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")


def read_line(line: str) -> Point:
    """A line of line protocol. Raises MalformedLineError."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise MalformedLineError("expected measurement, tags, fields and time")
    tags = {_plain(name): _plain(value) for name, value in _TAG.findall(found["tags"])}
    fields: dict[str, Any] = {}
    position = 0
    while position < len(found["fields"]):
        field = _FIELD.match(found["fields"], position)
        if field is None:
            raise MalformedLineError("expected field")
        fields[_plain(field[1])] = _value(field[2])
        position = field.end()
    if not fields:
        raise MalformedLineError("expected field")
    return Point(_plain(found["measurement"]), tags, fields, int(found["time"]))


def _plain(text: str) -> str:
    return _ESCAPED.sub(r"\1", text)


def _value(text: str) -> Any:
    if text.startswith('"'):
        return re.sub(r'\\(["\\])', r"\1", text[1:-1])
    if _FLOAT.fullmatch(text):
        return float(text)
    if re.fullmatch(r"-?\d+[iu]", text):
        return int(text[:-1])
    if text in ("true", "false", "t", "f"):
        return text[0] == "t"
    raise MalformedLineError("invalid field format")


class InfluxStandIn:
    """``points`` by what identifies them; ``trouble`` is "", "hang", "garbage" or an HTTP status as text."""

    def __init__(self, version: int, certificate: Path | None = None) -> None:
        self.version = version
        self.points: dict[tuple[str, tuple[tuple[str, str], ...], int], dict[str, Any]] = {}
        self.types: dict[tuple[str, str], type] = {}
        self.bodies: list[str] = []
        self.requests: list[tuple[int, int]] = []  # bytes as they came, and the status they got
        self.largest = 10**9
        self.trouble = ""
        self.later = ""  # a Retry-After that goes with a trouble
        self.says_which_line = True
        self.token = TOKEN
        self._certificate = certificate
        self._release = threading.Event()
        self._server: ThreadingHTTPServer | None = None
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
        stand_in = self
        self._release.clear()

        class Handler(_Handler):
            influx = stand_in

        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        if self._certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        assert self._server is not None
        self._release.set()
        self._server.shutdown()
        self._server.server_close()

    def hang(self) -> None:
        self._release.wait()

    def write(self, text: str) -> tuple[int, Any]:
        """Take lines; status and answer."""
        lines = text.split("\n") if text else []
        self.bodies.append(text)
        return self._write_2(lines) if self.version == 2 else self._write_3(lines)

    def _write_2(self, lines: list[str]) -> tuple[int, Any]:
        if not lines:
            return 400, {"code": "invalid", "message": "writing requires points"}
        points: list[Point] = []
        for line in lines:
            try:
                points.append(read_line(line))
            except MalformedLineError as error:
                said = f"unable to parse '{line}': {error}"
                return 400, {"code": "invalid", "message": said}
        dropped = [said for point in points if (said := self._store(point))]
        if dropped:
            said = f"failure writing points to database: partial write: {dropped[0]} dropped={len(dropped)}"
            return 422, {"code": "unprocessable entity", "message": said}
        return 204, None

    def _write_3(self, lines: list[str]) -> tuple[int, Any]:
        told = []
        for number, line in enumerate(lines, start=1):
            try:
                point = read_line(line)
                both = point.tags.keys() & point.fields.keys()
                said = f"{both} are tags and fields" if both else self._store(point)
            except MalformedLineError as error:
                said = str(error)
            if said:
                told.append({"original_line": line[:20], "line_number": number, "error_message": said})
        if told:
            named = {"data": told} if self.says_which_line else {}
            return 400, {"error": "partial write of line protocol occurred", **named}
        return 204, None

    def _store(self, point: Point) -> str:
        for name, value in point.fields.items():
            known = self.types.setdefault((point.measurement, name), type(value))
            if known is not type(value):
                return f'input field "{name}" is type {type(value).__name__}, already exists as {known}'
        key = point.measurement, tuple(sorted(point.tags.items())), point.time
        self.points.setdefault(key, {}).update(point.fields)
        return ""

    @property
    def values(self) -> list[tuple[str, str, str, int, float]]:
        """Meter, quantity, unit, time and value of every number, in order."""
        return sorted(
            (dict(tags)["meter"], dict(tags)["quantity"], dict(tags).get("unit", ""), time, fields["value"])
            for (measurement, tags, time), fields in self.points.items()
            if "value" in fields and measurement == "smart_meter"
        )


class _Handler(BaseHTTPRequestHandler):
    influx: InfluxStandIn
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.influx.trouble == "hang":
            self.influx.hang()
        self._answer(204 if self.influx.version == 2 else 200, None)

    def do_POST(self) -> None:
        sent = self.rfile.read(int(self.headers["Content-Length"]))
        influx = self.influx
        if influx.trouble == "hang":
            influx.hang()
        if influx.trouble == "endless":
            self.wfile.write(b"HTTP/1.1 400 Bad Request\r\nTransfer-Encoding: chunked\r\n\r\n")
            try:
                while True:
                    self.wfile.write(b"8000\r\n" + b"x" * 0x8000 + b"\r\n")
            except OSError:
                self.close_connection = True
                return
        if influx.trouble == "garbage":
            self.wfile.write(b"\x00\x01\x02 no answer at all\r\n\r\n")
            self.close_connection = True
            return
        status, told = self._judged(sent)
        influx.requests.append((len(sent), status))
        self._answer(status, told)

    def _judged(self, sent: bytes) -> tuple[int, Any]:
        influx = self.influx
        if influx.trouble:
            return int(influx.trouble), {
                "error": "trouble",
                "code": "trouble",
                "message": "as the test wants",
            }
        parts = urlsplit(self.path)
        asked = {key: value[0] for key, value in parse_qs(parts.query).items()}
        scheme, path, wanted = {
            2: ("Token", "/api/v2/write", {"org": ORG, "bucket": BUCKET, "precision": "ns"}),
            3: ("Bearer", "/api/v3/write_lp", {"db": BUCKET, "precision": "nanosecond"}),
        }[influx.version]
        if parts.path != path:
            return 404, None
        if self.headers["Authorization"] != f"{scheme} {influx.token}":
            return 401, {"code": "unauthorized", "message": "unauthorized access"}
        for key, value in wanted.items():
            if asked.get(key) != value:
                return 404, {"code": "not found", "message": f'{key} "{asked.get(key)}" not found'}
        if len(sent) > influx.largest:
            return 413, {"code": "request too large", "message": "cannot read data: points in batch"}
        text = gzip.decompress(sent) if self.headers["Content-Encoding"] == "gzip" else sent
        return influx.write(text.decode())

    def _answer(self, status: int, told: Any) -> None:
        body = json.dumps(told).encode() if told is not None else b""
        self.send_response(status)
        if self.influx.trouble and self.influx.later:
            self.send_header("Retry-After", self.influx.later)
        self.send_header("X-Influxdb-Version", f"v{self.influx.version}.7.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        # As it comes over a network: not at once.
        self.wfile.write(body[:20])
        self.wfile.flush()
        time.sleep(0.01)
        self.wfile.write(body[20:])

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the base class
        pass
