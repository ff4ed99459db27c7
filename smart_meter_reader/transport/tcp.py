"""Raw TCP to a serial server: ``socket://host:port``."""

from __future__ import annotations

import asyncio
import errno
import socket

from smart_meter_reader.exceptions import AbsentError, TransportError
from smart_meter_reader.network import stalls
from smart_meter_reader.transport.inbox import Inbox
from smart_meter_reader.transport.line import LineSettings
from smart_meter_reader.transport.stream import Transport

# A peer that went without a word is noticed after 30 + 3 x 10 s of an idle line.
_KEEPALIVE = {"TCP_KEEPIDLE": 30, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 30_000}


async def connect_tcp(host: str, port: int, within: float) -> tuple[asyncio.Transport, Inbox]:
    """A TCP connection with keepalive. Raises TransportError."""
    loop = asyncio.get_running_loop()
    place = f"{host}:{port}"
    try:
        async with stalls.timeout(within):
            carrier, inbox = await loop.create_connection(Inbox, host, port)
    except TimeoutError:
        raise TransportError(
            "connect_timeout",
            f"{place} did not answer within {within:g} s: check the address, the network and the firewall",
        ) from None
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one
        raise _explain(error, place) from error
    except RuntimeError as error:
        raise TransportError(
            "connect_failed",
            f"the system gives no thread to look up {host} with ({error}): allow the service more tasks "
            "(TasksMax), or set the address instead of the name",
        ) from error
    _keep_alive(carrier.get_extra_info("socket"))
    return carrier, inbox


def _keep_alive(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _KEEPALIVE.items():
        option: int | None = getattr(socket, name, None)  # names differ outside Linux
        if option is not None:
            connection.setsockopt(socket.IPPROTO_TCP, option, value)


def _explain(error: OSError | UnicodeError, place: str) -> TransportError:
    if isinstance(error, socket.gaierror | UnicodeError):
        return TransportError("host_unknown", f"no address is known for {place}: check the host name")
    if isinstance(error, ConnectionRefusedError) or _all_refused(error):
        return AbsentError(
            "connection_refused",
            f"{place} refuses connections: start the serial server there, or check the port",
        )
    if error.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.ENETDOWN):
        return AbsentError("unreachable", f"{place} cannot be reached: check the network ({error.strerror})")
    return TransportError("connect_failed", f"{place} cannot be opened ({error}): check address and network")


def _all_refused(error: OSError) -> bool:
    # A name with several addresses (localhost: ::1 and 127.0.0.1) fails with one error for all of them.
    return error.errno is None and "refused" in str(error).lower()


async def open_tcp(url: str, host: str, port: int, line: LineSettings, within: float) -> Transport:
    """Open ``socket://``: bytes as they are; the serial server holds the line settings."""
    carrier, inbox = await connect_tcp(host, port, within)
    transport = Transport(url, line, carrier, inbox)
    transport.software_parity = line.bytesize == 7
    return transport
