"""Every way a connection to a broker can fail, as one sentence that names the setting to look at."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Mapping
from types import MappingProxyType

from smart_meter_reader.exceptions import LoginRefusedError, NeedsAPersonError, SinkError
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.network import untrusted
from smart_meter_reader.rooms import INTERNAL_ERROR


class WrongVersionError(NeedsAPersonError):
    """The broker does not speak the version of MQTT that it was asked in."""


class HungUpError(SinkError):
    """The broker ended the connection instead of an answer to CONNECT: it may not know the version."""


class SilentError(NeedsAPersonError):
    """The broker takes the connection and never answers CONNECT: it may not know the version."""


class RetainRefusedError(NeedsAPersonError):
    """The broker keeps no retained messages, and takes no will that asks for it."""


class QosRefusedError(NeedsAPersonError):
    """The broker does not take the quality of service of the will."""


class LinkLostError(SinkError):
    """The connection was up and ended without a word of the broker."""


class LinkFaultError(SinkError):
    """Something of ours did not stand what happened on a connection."""

    def __init__(self, reason: str, detail: str, fault: BaseException) -> None:
        super().__init__(reason, detail)
        self.__cause__ = self.fault = fault


# MQTT 5.0, 3.2.2.2 and 3.14.2.1; paho translates the return codes of MQTT 3.1.1 (3.2.2.3) into these.
UNSUPPORTED_PROTOCOL_VERSION = 132
_CLIENT_ID_NOT_VALID = 133
_BAD_LOGIN = 134
NOT_AUTHORIZED = 135
_SERVER_UNAVAILABLE = 136
_SERVER_BUSY = 137
_BANNED = 138
_SESSION_TAKEN_OVER = 142
_PACKET_TOO_LARGE = 149
_RETAIN_NOT_SUPPORTED = 154
_QOS_NOT_SUPPORTED = 155
PROTOCOL_ERROR = 130

_CONNACK = b"\x20"
_TLS_JUST_ENDED = (ssl.SSLEOFError, ssl.SSLZeroReturnError)

# Parts of what OpenSSL says: alerts of the broker (RFC 8446, 6.2), and what this system does not stand.
_TLS_ALERTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "ALERT_CERTIFICATE_EXPIRED": (
            "client_certificate",
            "says that our certificate has expired: renew the one in `client_cert`",
        ),
        "ALERT_CERTIFICATE_REVOKED": (
            "client_certificate",
            "says that our certificate has been revoked: replace the one in `client_cert`",
        ),
        "ALERT_PROTOCOL_VERSION": ("tls_version", "speaks no version of TLS that we do: update the broker"),
        "UNSUPPORTED_PROTOCOL": ("tls_version", "speaks no version of TLS that we do: update the broker"),
        "UNRECOGNIZED_NAME": ("wrong_host_name", "does not know the name in `host`: use one that it knows"),
        "KEY_TOO_SMALL": ("tls_weak", "has too short a key for this system: give the broker a longer one"),
        "NO_SHARED_CIPHER": ("tls_version", "and we have no cipher in common: update the broker"),
        "NO_CIPHERS": ("tls_version", "and we have no cipher in common: update the broker"),
    }
)

_REFUSALS: Mapping[int, tuple[type[SinkError], str, str]] = MappingProxyType(
    {
        UNSUPPORTED_PROTOCOL_VERSION: (
            WrongVersionError,
            "protocol_version",
            "does not speak the MQTT version asked for: set `protocol` to the other one",
        ),
        _CLIENT_ID_NOT_VALID: (
            NeedsAPersonError,
            "client_id_refused",
            "refuses the client id: change `client_id`",
        ),
        _BAD_LOGIN: (
            LoginRefusedError,
            "login_refused",
            "refuses the login: check `username` and `password`",
        ),
        NOT_AUTHORIZED: (
            LoginRefusedError,
            "not_authorized",
            "does not let us in: check `username`, `password` and what the broker allows this user",
        ),
        _RETAIN_NOT_SUPPORTED: (
            RetainRefusedError,
            "no_retain",
            "takes no retained messages: allow them there (Mosquitto: retain_available true)",
        ),
        _QOS_NOT_SUPPORTED: (
            QosRefusedError,
            "qos",
            "does not take this quality of service: allow QoS 1 there, or set `qos` to a lower one",
        ),
        _SERVER_UNAVAILABLE: (SinkError, "broker_unavailable", "says that it is not available"),
        _SERVER_BUSY: (SinkError, "broker_unavailable", "says that it is too busy"),
        _BANNED: (LoginRefusedError, "banned", "has banned us; its administrator has to lift that"),
        _SESSION_TAKEN_OVER: (
            SinkError,
            "taken_over",
            "dropped us because another client came with the same client id: give each its own `client_id`",
        ),
        _PACKET_TOO_LARGE: (
            NeedsAPersonError,
            "packet_too_large",
            "hangs up at a message that is too large for it: raise its limit (Mosquitto: max_packet_size), "
            "or read fewer quantities",
        ),
    }
)


def refused(broker: BrokerSettings, code: int, text: str) -> SinkError:
    """The broker answered CONNECT with a refusal, or sent DISCONNECT with a reason."""
    kind, reason, sentence = _REFUSALS.get(code, (SinkError, "refused", f"ends the connection: {text}"))
    return kind(reason, f"the broker {broker.address} {sentence}")


def silent(broker: BrokerSettings, seconds: float) -> SinkError:
    """The connection stands and CONNECT stays without an answer."""
    other = {
        "auto": "; it was asked in MQTT 5 and in 3.1.1, see `protocol`",
        "5": '; or set `protocol` to "3.1.1"',
        "3.1.1": '; or set `protocol` to "5"',
    }
    return SilentError(
        "silent",
        f"{broker.address} takes the connection and says nothing for {seconds:g} s: "
        f"check that `port` is the broker's {_kind(broker)} port{other[broker.protocol]}",
    )


def timed_out(broker: BrokerSettings, seconds: float) -> SinkError:
    """Not even a connection."""
    return SinkError(
        "timeout",
        f"no connection to {broker.address} within {seconds:g} s: check `host` and `port`, "
        "and whether a firewall stands between",
    )


def ended_early(
    broker: BrokerSettings, first_bytes: bytes, error: OSError | None, broken: str = ""
) -> SinkError:
    """The connection ended before CONNECT was answered as MQTT wants it; ``broken``: what came instead."""
    if isinstance(error, ssl.SSLError) and not isinstance(error, _TLS_JUST_ENDED):
        return _tls(broker, error)
    # MQTT 3.1.1, 3.2.2.3: paho keeps this refusal to itself.
    if first_bytes == b"\x20\x02\x00\x01":
        return refused(broker, UNSUPPORTED_PROTOCOL_VERSION, "")
    # A TLS alert record (RFC 8446, 5.1): the peer expected a ClientHello.
    if first_bytes.startswith(b"\x15\x03"):
        return NeedsAPersonError("needs_tls", f"{broker.address} speaks TLS only: set `tls` to true")
    if first_bytes.startswith(b"HTTP"):
        return NeedsAPersonError(
            "not_mqtt", f'{broker.address} is a web server: set `transport` to "websockets", or change `port`'
        )
    if first_bytes.startswith(_CONNACK) and broken:
        return WrongVersionError(
            "protocol_version",
            f"{broker.address} answers the login with {broken}: set `protocol` to the other MQTT version",
        )
    if broken:
        return NeedsAPersonError(
            "not_mqtt",
            f"{broker.address} answers with {broken}, and a broker would not: check that `port` is the "
            f"broker's {_kind(broker)} port",
        )
    also = "" if broker.tls else ", and `tls` if it wants TLS"
    if broker.tls and not broker.client_cert:
        also = ", and `client_cert` if it wants a client certificate"
    return HungUpError(
        "closed",
        f"{broker.address} closes the connection without an answer: check that `port` is the broker's "
        f"{_kind(broker)} port{also}",
    )


def lost(broker: BrokerSettings, error: OSError | None) -> SinkError:
    """The connection was up and ended without a word of the broker."""
    why = f" ({_said(error)})" if error else ""
    # With a client id of our own making, another client with the same one cannot be the cause.
    shared = "; if this repeats, another client may use the same `client_id`" if broker.client_id else ""
    return LinkLostError("connection_lost", f"the broker {broker.address} is gone{why}{shared}")


def broken(broker: BrokerSettings, what: str) -> SinkError:
    """The connection was up, and the broker sent what MQTT does not allow it."""
    return SinkError(
        "broken_protocol",
        f"the broker {broker.address} sends what MQTT does not allow it ({what}): the connection is opened "
        "anew; look at the broker's version and at what stands between it and us",
    )


def unexpected(broker: BrokerSettings, error: BaseException) -> LinkFaultError:
    """Something of ours did not stand what happened on this connection; the error is its cause."""
    return LinkFaultError(
        INTERNAL_ERROR,
        f"the connection to the broker {broker.address} ended by a fault of this program "
        f"({type(error).__name__}): it is opened anew; please report what the log says of it",
        error,
    )


def unacknowledged(broker: BrokerSettings, count: int) -> SinkError:
    """The broker takes messages and does not acknowledge them."""
    return SinkError(
        "not_acknowledged", f"the broker {broker.address} does not acknowledge: {count} messages wait for it"
    )


def not_connected(
    broker: BrokerSettings, error: OSError | ValueError, names: untrusted.Names | None = None
) -> SinkError:
    """Name lookup, TCP, TLS or websocket handshake failed; ``names``: whom the certificate is for."""
    where = broker.address
    if isinstance(error, socket.gaierror):
        return SinkError("unknown_host", f"there is no host {broker.host!r} ({_said(error)}): check `host`")
    if isinstance(error, ssl.SSLError):
        return _tls(broker, error, names)
    if isinstance(error, TimeoutError):
        return SinkError("timeout", f"{where} does not answer: check `host` and `port`")
    if isinstance(error, ConnectionRefusedError):
        return SinkError(
            "port_closed", f"nothing listens on {where}: check `port`, and whether the broker runs"
        )
    if broker.tls and isinstance(error, ConnectionError):
        return NeedsAPersonError("no_tls", f"{where} breaks off the TLS handshake: {_plain_port(broker)}")
    return SinkError("unreachable", f"{where} cannot be reached ({_said(error)}): check `host` and `port`")


def no_websocket(broker: BrokerSettings, error: OSError | ValueError) -> SinkError:
    """TCP and TLS stand, the websocket handshake failed."""
    return NeedsAPersonError(
        "no_websocket",
        f"{broker.address} does not speak MQTT over websockets at {broker.path} ({_said(error)}): "
        "check `port` and `path`",
    )


def _tls(broker: BrokerSettings, error: ssl.SSLError, names: untrusted.Names | None = None) -> SinkError:
    where = broker.address
    if isinstance(error, ssl.SSLCertVerificationError):
        return untrusted.certificate_error(error, where, "host", broker.ca, names)
    said = error.reason or _said(error)
    if isinstance(error, _TLS_JUST_ENDED) or said == "UNEXPECTED_EOF_WHILE_READING":
        return NeedsAPersonError("no_tls", f"{where} breaks off the TLS handshake: {_plain_port(broker)}")
    if said in ("WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"):
        return NeedsAPersonError("no_tls", f"{where} does not answer with TLS: {_plain_port(broker)}")
    for part, (reason, sentence) in _TLS_ALERTS.items():
        if part in said:
            return NeedsAPersonError(reason, f"{where} {sentence} ({said})")
    if "CERTIFICATE" in said or "UNKNOWN_CA" in said or "HANDSHAKE_FAILURE" in said:
        wants = "does not accept our certificate" if broker.client_cert else "wants a client certificate"
        return NeedsAPersonError(
            "client_certificate", f"{where} {wants} ({said}): check `client_cert` and `client_key`"
        )
    return NeedsAPersonError("tls_failed", f"TLS with {where} fails: {said}")


def _plain_port(broker: BrokerSettings) -> str:
    """What to do at a port without TLS; whoever stands between may be the cause, and wait for the secret."""
    advice = "set `port` to the broker's TLS port, or switch TLS on there"
    if broker.password.reveal():
        return f"{advice}; leave `tls` on, or the password goes out unencrypted to whoever answers there"
    return f"{advice}; with `tls` off anybody on the way could read and change what is published"


def _kind(broker: BrokerSettings) -> str:
    kind = "websocket" if broker.transport == "websockets" else "MQTT"
    return f"{kind} TLS" if broker.tls else kind


def _said(error: Exception) -> str:
    by_system = error.strerror if isinstance(error, OSError) else None
    return by_system or str(error) or type(error).__name__
