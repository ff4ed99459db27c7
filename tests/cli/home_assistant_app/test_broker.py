"""What the Supervisor may answer when it is asked for the broker: nonsense becomes a sentence."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from smart_meter_reader.cli.home_assistant_app.broker import SupervisorError, ask_for_broker
from tests.cli.home_assistant_app.test_app import HEAT, options, refused
from tests.peers.supervisor_http import TOKEN, SupervisorHttp

_OK = b"HTTP/1.1 200 OK\r\n"
_CHUNKED = _OK + b"Transfer-Encoding: chunked\r\n\r\n"
NO_HTTP = {
    "nothing": b"",
    "garbage": b"\x00\xff\x00garbage\r\n\r\n",
    "no status": b"HTTP/1.1 abc OK\r\n\r\n",
    "a line without end": b"HTTP/1.1 200 " + b"x" * 70_000,
    "many headers": _OK + b"a: b\r\n" * 300 + b"\r\n",
    "no size of a chunk": _CHUNKED + b"zz\r\n",
    "half a chunk": _CHUNKED + b"10\r\nab",
    "a way to nowhere": b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:port/\r\n\r\n",
}
NO_JSON = {
    "brackets": b"[" * 60_000,
    "a number": b"1" * 20_000,
    "a half": b'{"data": {"host": "a"',
    "no UTF-8": b"\xff\xfe\x00",
    "nothing": b"",
}
UNUSABLE = [
    ("host", '{"a": 1}'), ("host", '["a", null]'), ("host", "5"), ("host", r'"a\ud800"'),
    ("host", r'"a\u0000"'), ("username", "5"), ("username", r'"\udfff"'),
    ("password", '{"a": "secret"}'), ("password", "7"),
]  # fmt: skip
NO_PORT = ["65536", "-1", "1e999", "NaN", '"1883"', "null", "true", "1.5", "[1]", "99999999999999999999"]


@contextmanager
def answering(raw: bytes) -> Iterator[str]:
    """The address of somebody who answers one request with these bytes."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection, suppress(OSError):  # whoever has seen enough leaves
                connection.recv(65_536)
                connection.sendall(raw)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join(10)


@pytest.mark.parametrize("name", NO_HTTP)
def test_what_is_no_http(name: str) -> None:
    with answering(NO_HTTP[name]) as address, pytest.raises(SupervisorError, match="cut off or is no HTTP"):
        ask_for_broker(address, TOKEN)


@pytest.mark.parametrize("name", NO_JSON)
def test_what_is_no_json(name: str) -> None:
    with (
        SupervisorHttp(body=NO_JSON[name]) as supervisor,
        pytest.raises(SupervisorError, match="cut off or is no JSON"),
    ):
        ask_for_broker(supervisor.url, TOKEN)


@pytest.mark.parametrize("body", ["[]", "5", "null", "{}", '{"data": []}', '{"data": "host"}'])
def test_what_has_no_data(body: str) -> None:
    with (
        SupervisorHttp(body=body.encode()) as supervisor,
        pytest.raises(SupervisorError, match="its answer has no data"),
    ):
        ask_for_broker(supervisor.url, TOKEN)


@pytest.mark.parametrize(("key", "value"), UNUSABLE)
def test_what_is_no_text_is_named_and_not_told(key: str, value: str) -> None:
    values = {"host": '"a"', key: value}
    data = ", ".join(f'"{name}": {each}' for name, each in values.items())
    with (
        SupervisorHttp(body=f'{{"data": {{{data}}}}}'.encode()) as supervisor,
        pytest.raises(SupervisorError) as told,
    ):
        ask_for_broker(supervisor.url, TOKEN)
    assert str(told.value) == f"the {key} in its answer is no text that can be used"


@pytest.mark.parametrize("port", NO_PORT)
def test_what_is_no_port(port: str) -> None:
    with (
        SupervisorHttp(body=f'{{"data": {{"host": "a", "port": {port}}}}}'.encode()) as supervisor,
        pytest.raises(SupervisorError, match="the port in its answer is no number from 0 to 65535"),
    ):
        ask_for_broker(supervisor.url, TOKEN)


@pytest.mark.parametrize(
    ("data", "settings"),
    [
        ({"host": "a"}, {"host": "a", "port": 0}),
        ({"host": "a", "port": 65_535, "ssl": False}, {"host": "a", "port": 65_535}),
        ({"host": "ä", "port": 0, "ssl": True}, {"host": "ä", "port": 0, "tls": True}),
        (
            {"host": "a", "port": 1883, "username": "addons", "password": "two\twords\u00a0"},
            {"host": "a", "port": 1883, "username": "addons", "password": "two\twords\u00a0"},
        ),
        ({"host": "a", "port": 1883, "username": None, "password": ""}, {"host": "a", "port": 1883}),
        ({"host": ""}, None),
        ({}, None),
    ],
)
def test_what_can_be_used(data: dict[str, object], settings: dict[str, object] | None) -> None:
    with SupervisorHttp(body=json.dumps({"result": "ok", "data": data}).encode()) as supervisor:
        found = ask_for_broker(supervisor.url, TOKEN)
    assert (found.settings if found else None) == settings


@pytest.mark.parametrize("name", ["garbage", "half a chunk", "brackets"])
def test_the_app_says_it_and_goes_on_to_the_options(tmp_path: Path, name: str) -> None:
    """As where it cannot be reached; what is wrong in the options ends it, and no traceback does."""
    options(tmp_path, {"meters": [{**HEAT, "interval": "often"}], "home_assistant": True})
    with answering(NO_HTTP.get(name) or _OK + b"\r\n" + NO_JSON[name]) as address:
        told = refused(tmp_path, address)
    assert told.startswith("the Supervisor does not tell of a broker: its answer is cut off or is no ")
    assert "option meters, heat, interval: found" in told
