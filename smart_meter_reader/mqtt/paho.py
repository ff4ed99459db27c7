"""paho-mqtt, imported without what we do not need, and put on a socket that we open ourselves."""

from __future__ import annotations

import importlib
import sys
import types
from typing import Literal, TypeAlias

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.mqtt.sockets.buffered_socket import BufferedSocket
from smart_meter_reader.mqtt.sockets.incoming import LONGEST_PACKET, RECEIVE_MAXIMUM


def _import_without_http() -> None:
    """Import paho without ``urllib.request``, which brings http, email and tempfile: 2 MiB resident.

    paho wants it for one thing only: to find a proxy when it opens a socket, which it never does here.
    """
    name = "urllib.request"
    if name in sys.modules:
        return
    sys.modules[name] = types.ModuleType(name)
    try:
        importlib.import_module("paho.mqtt.client")
    finally:
        del sys.modules[name]


_import_without_http()

import paho.mqtt.client as mqtt  # noqa: E402 - must follow the lighter import
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion  # noqa: E402
from paho.mqtt.packettypes import PacketTypes  # noqa: E402
from paho.mqtt.properties import Properties  # noqa: E402
from paho.mqtt.reasoncodes import ReasonCode  # noqa: E402

__all__ = [
    "ClientOnSocket",
    "Properties",
    "ReasonCode",
    "Version",
    "mqtt",
    "new_client",
    "refusal_reason",
    "send_connect",
]


Version: TypeAlias = Literal["3.1.1", "5"]

_FAILURE = 0x80  # MQTT 5.0, 2.4
_VERSIONS = {"3.1.1": MQTTProtocolVersion.MQTTv311, "5": MQTTProtocolVersion.MQTTv5}


class ClientOnSocket(mqtt.Client):
    """A paho client whose ``connect`` uses the socket given here and does not block.

    paho's own opening blocks, and leaks the socket when a handshake fails. The hook is not part of its
    public interface; ``poetry.lock`` holds the version that the tests have seen.
    """

    ready: BufferedSocket | None = None

    def _create_socket(self) -> BufferedSocket:
        assert self.ready, "connect() was called before the socket was opened"
        return self.ready


def new_client(
    broker: BrokerSettings, client_id: str, version: Version, will: MqttMessage | None
) -> ClientOnSocket:
    """A client for one connection, with login and will."""
    client = ClientOnSocket(
        CallbackAPIVersion.VERSION2,
        client_id=client_id,
        protocol=_VERSIONS[version],
        # Or paho answers a refusal of MQTT 3.1.1 with a connect of its own, as MQTT 3.1.
        reconnect_on_failure=False,
    )
    if broker.username:
        client.username_pw_set(broker.username, broker.password.reveal() or None)
    if will:
        client.will_set(will.topic, will.payload, will.qos, will.retain)
    client.max_inflight_messages = 0  # unlimited here, for the outbox knows the broker's limit
    return client


def send_connect(client: ClientOnSocket, broker: BrokerSettings) -> None:
    """Send CONNECT on the client's socket. With MQTT 5 it says how much we are ready to take."""
    bounds: Properties | None = None
    if client.protocol == MQTTProtocolVersion.MQTTv5:
        bounds = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # has no types
        # MQTT 5.0, 3.1.2.11.3 and 3.1.2.11.4
        bounds.ReceiveMaximum, bounds.MaximumPacketSize = RECEIVE_MAXIMUM, LONGEST_PACKET
    client.connect(broker.host, broker.effective_port, broker.keepalive, properties=bounds)


def refusal_reason(code: int) -> str:
    """Why a broker refuses a message, by the reason code of its acknowledgement; "" if it does not."""
    if code < _FAILURE:
        return ""
    try:
        return str(ReasonCode(PacketTypes.PUBACK, identifier=code))
    except (KeyError, ValueError):  # paho knows no such code, or not in an acknowledgement
        return f"reason code {code:02X}h"
