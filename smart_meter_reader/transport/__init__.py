"""Byte streams to meters: device paths, ``socket://host:port`` and ``rfc2217://host:port``.

``replay:FILE`` is a stream too: a recording that answers as the meter did. Whoever runs a client can put an
opener of his own in the place of the usual one (``opening_by``): to record what passes, or to replay.

Every error of the system below leaves here as a TransportError with a stable reason word and a sentence
on what to do: ``port_missing``, ``no_permission``, ``port_busy``, ``not_a_serial_port``, ``port_failed``,
``host_unknown``, ``connection_refused``, ``connect_timeout``, ``unreachable``, ``connect_failed``,
``not_rfc2217``, ``line_refused``, ``recording_unusable``, ``lost``, ``write_timeout``.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TypeAlias
from urllib.parse import urlsplit

from smart_meter_reader.exceptions import SettingsError
from smart_meter_reader.transport.device import open_device
from smart_meter_reader.transport.line import LineSettings, Parity
from smart_meter_reader.transport.stream import Transport
from smart_meter_reader.transport.tcp import open_tcp

__all__ = [
    "PORT_HELP",
    "PORT_PATTERN",
    "LineSettings",
    "OpenPort",
    "Parity",
    "Transport",
    "open_transport",
    "opening_by",
    "port_meant",
]

# Up to 65535, in the digits of ASCII: \d takes others as well, which no address has.
_NUMBER = r"(6553[0-5]|655[0-2][0-9]|65[0-4][0-9]{2}|6[0-4][0-9]{3}|[1-5][0-9]{4}|[0-9]{1,4})"
PORT_PATTERN = (
    r"(/|replay:)[^\x00-\x1f\x7f]+"
    rf"|(socket|rfc2217)://(\[[0-9A-Fa-f:.%\w]+\]|[^/:\s\[\]@?#]+):{_NUMBER}/?"
)
PORT_HELP = "a device path such as /dev/serial/by-id/..., socket://host:port or rfc2217://host:port"


def port_meant(text: str) -> str:
    """The port that a text which is none was meant to be, as it is typed; "" where nobody knows.

    People leave out /dev, or write host:port, http://host:port and tcp://host:port.
    """
    device = re.fullmatch(r"/?(?:dev/)?(tty\w+|serial/\S+)", text)
    address = re.fullmatch(r"(?:\w+://)?(\[[^\]\s]+\]|[^/:\s\[\]@?#]+):([0-9]{1,5})/?", text)
    meant = f"/dev/{device[1]}" if device else f"socket://{address[1]}:{address[2]}" if address else ""
    return f'"{meant}"' if re.fullmatch(PORT_PATTERN, meant) else ""


CONNECT_TIMEOUT = 10.0
_REPLAY = "replay:"

OpenPort: TypeAlias = Callable[[str, LineSettings, float], Awaitable[Transport]]
"""Opens a port: its name, the line, how many seconds a connection may take. Errors as ``open_transport``."""

# Of the task that runs a client, and not of the process: other meters open their ports as usual.
_opener: ContextVar[OpenPort | None] = ContextVar("opener", default=None)


@contextmanager
def opening_by(opener: OpenPort) -> Iterator[None]:
    """Inside, whatever this task opens is opened by ``opener``; that one itself gets the usual way."""
    token = _opener.set(opener)
    try:
        yield
    finally:
        _opener.reset(token)


async def open_transport(
    url: str, line: LineSettings, *, connect_timeout: float = CONNECT_TIMEOUT
) -> Transport:
    """Open a byte stream. Raises TransportError; SettingsError for a port that is none of these kinds."""
    opener = _opener.get()
    if opener is None:
        return await _open(url, line, connect_timeout)
    token = _opener.set(None)
    try:
        return await opener(url, line, connect_timeout)
    finally:
        _opener.reset(token)


async def _open(url: str, line: LineSettings, connect_timeout: float) -> Transport:
    if url.startswith(_REPLAY):
        # Imported only now: hardly any service ever needs it.
        from smart_meter_reader.recordings.player import open_replay

        return open_replay(url, Path(url.removeprefix(_REPLAY)), line)
    if "://" not in url:
        return open_device(url, line)
    scheme, host, port = _split(url)
    if scheme == "socket":
        return await open_tcp(url, host, port, line, connect_timeout)
    if scheme == "rfc2217":
        # Imported only now: most lines end at this computer.
        from smart_meter_reader.transport.rfc2217 import open_rfc2217

        return await open_rfc2217(url, host, port, line, connect_timeout)
    raise SettingsError([f"port {url!r} is of an unknown kind: use {PORT_HELP}"])


def _split(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        port = None
    else:
        if parts.hostname and port is not None:
            return parts.scheme, parts.hostname, port
    raise SettingsError([f"port {url!r} lacks a host or a port number: use {PORT_HELP}"])
