"""Opens a socket to a broker: name lookup, TCP, TLS and websocket handshake. All of it blocks."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

from smart_meter_reader.mqtt import failures
from smart_meter_reader.mqtt.buffered_socket import RawSocket
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.websocket import handshake


def open_socket(broker: BrokerSettings, seconds: float) -> RawSocket:
    """A socket that is ready for CONNECT. ``seconds`` is for each address of the host and each handshake.

    Raises SinkError with what to do about it.
    """
    context = _tls_context(broker) if broker.tls else None
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
        raise failures.not_connected(broker, error) from error
    if broker.transport == "tcp":
        return secure
    try:
        return handshake(secure, broker.host, broker.effective_port, broker.path, seconds=seconds)
    except (OSError, ValueError) as error:
        secure.close()
        raise failures.no_websocket(broker, error) from error


def _tls_context(broker: BrokerSettings) -> ssl.SSLContext:
    """Verify the broker with the system's CAs, or with ``ca`` only; not at all with ``insecure``."""
    try:
        context = ssl.create_default_context(cafile=_path(broker.ca))
    except OSError as error:  # SSLError is one too
        raise failures.unfit_certificate("ca", broker.ca, error) from error
    if broker.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if broker.client_cert:
        try:
            # A password that is never asked for: a key that needs one fails instead of prompting.
            certificate = broker.client_cert.expanduser()
            context.load_cert_chain(certificate, _path(broker.client_key), password=lambda: "")
        except OSError as error:
            which = "client_key" if broker.client_key else "client_cert"
            raise failures.unfit_certificate(which, getattr(broker, which), error) from error
    return context


def _path(path: Path | None) -> str | None:
    return str(path.expanduser()) if path else None
