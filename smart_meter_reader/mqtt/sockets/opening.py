"""Opens a socket to a broker: name lookup, TCP, TLS and websocket handshake. All of it blocks."""

from __future__ import annotations

import socket
import ssl

from smart_meter_reader.mqtt import failures
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.sockets.raw import RawSocket
from smart_meter_reader.mqtt.sockets.websocket import handshake
from smart_meter_reader.network import untrusted
from smart_meter_reader.network.tls import client_context


def open_socket(broker: BrokerSettings, seconds: float) -> RawSocket:
    """A socket that is ready for CONNECT. ``seconds`` is for each address of the host and each handshake.

    Raises SinkError with what to do about it.
    """
    context = _tls(broker) if broker.tls else None
    try:
        plain = socket.create_connection((broker.host, broker.effective_port), seconds)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that cannot be one
        raise failures.not_connected(broker, error) from error
    try:
        # Packets are gathered before they are written; to hold them back once more only costs time.
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure = context.wrap_socket(plain, server_hostname=broker.host) if context else plain
    except (OSError, ValueError) as error:
        plain.close()
        if context is None or not isinstance(error, ssl.SSLCertVerificationError):
            raise failures.not_connected(broker, error) from error
        seen, names = untrusted.look_again(error, context, broker.host, broker.effective_port, seconds)
        raise failures.not_connected(broker, seen, names) from error
    if broker.transport == "tcp":
        return secure
    try:
        return handshake(secure, broker.host, broker.effective_port, broker.path, seconds=seconds)
    except (OSError, ValueError) as error:
        secure.close()
        raise failures.no_websocket(broker, error) from error


def _tls(broker: BrokerSettings) -> ssl.SSLContext:
    return client_context(
        ca=broker.ca,
        insecure=broker.insecure,
        client_cert=broker.client_cert,
        client_key=broker.client_key,
    )
