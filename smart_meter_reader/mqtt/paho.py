"""paho-mqtt, imported without what we do not need, and with a socket that saves system calls."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types

from smart_meter_reader.mqtt.buffered_socket import BufferedSocket


def _import_without_http() -> None:
    """Import paho without ``urllib.request``, which brings http, email and tempfile: 2 MiB resident.

    paho wants it for one thing only, to find a proxy for PySocks; so it is left out where there is none.
    """
    name = "urllib.request"
    if name in sys.modules or importlib.util.find_spec("socks") is not None:
        return
    sys.modules[name] = types.ModuleType(name)
    try:
        importlib.import_module("paho.mqtt.client")
    finally:
        del sys.modules[name]


_import_without_http()

import paho.mqtt.client as mqtt  # noqa: E402 - must follow the lighter import
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion  # noqa: E402
from paho.mqtt.properties import Properties  # noqa: E402
from paho.mqtt.reasoncodes import ReasonCode  # noqa: E402

__all__ = [
    "BufferedClient",
    "CallbackAPIVersion",
    "MQTTErrorCode",
    "MQTTProtocolVersion",
    "Properties",
    "ReasonCode",
    "mqtt",
]


class BufferedClient(mqtt.Client):
    """A paho client on a ``BufferedSocket``.

    The hook is not part of paho's public interface. Should a later paho no longer call it, ``buffered``
    stays None and ``Link`` refuses to open: a test would notice long before a user does.
    """

    buffered: BufferedSocket | None = None

    def _create_socket(self) -> BufferedSocket:
        # Blocking: name lookup, TCP, TLS and websocket handshake. See Link, which calls it off the loop.
        self.buffered = BufferedSocket(super()._create_socket())
        return self.buffered
