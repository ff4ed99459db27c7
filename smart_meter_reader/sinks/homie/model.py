"""The Homie4 package as a pure model of one device: what it publishes is collected, nothing is connected.

Source: the Homie convention 4.0.0, https://homieiot.github.io/specification/spec-core-v4_0_0/

The package is made to open a connection of its own with a thread beside it. Its seam is the client that its
devices share: an ``MQTT_Base`` of ours in that place collects what the device publishes. What the package
does besides (statistics of a timer thread, a global list of devices, a subscription below the device for
broadcasts) is left out, none of it being asked for by the convention.

``$extensions`` is mandatory, and a broker keeps no empty payload for those who come later. So the device has
the extension that describes what it runs on, and names it as the convention wants, with version and brackets.
Source: "Legacy firmware" 0.1.1, https://github.com/homieiot/convention/blob/develop/extensions/documents/
homie_legacy_firmware_extension.md
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from smart_meter_reader import __version__
from smart_meter_reader.mqtt.message import MqttMessage, Watched
from smart_meter_reader.sinks.homie.layout import NODES, Slot
from smart_meter_reader.sinks.homie.own_address import local_ip, mac_address
from smart_meter_reader.text import plain

with warnings.catch_warnings():
    # Homie4 0.4 has invalid escapes and an `is not ""`; Python says so when it compiles the package.
    warnings.simplefilter("ignore", SyntaxWarning)
    warnings.simplefilter("ignore", DeprecationWarning)
    from homie import device_base
    from homie.mqtt import homie_mqtt_client
    from homie.mqtt.mqtt_base import MQTT_Base
    from homie.node.node_base import Node_Base
    from homie.node.property.property_base import Property_Base as Property_Base
    from homie.node.property.property_boolean import Property_Boolean
    from homie.node.property.property_enum import Property_Enum
    from homie.node.property.property_float import Property_Float
    from homie.node.property.property_integer import Property_Integer
    from homie.node.property.property_string import Property_String

# The package tells of each device it makes that it uses "a common MQTT client": ours to tell, and not so.
logging.getLogger("homie").setLevel(logging.WARNING)

DeviceState: TypeAlias = Literal["init", "ready", "alert", "disconnected"]

CONVENTION = "4.0.0"
_FIRMWARE = "org.homie.legacy-firmware:0.1.1:[4.x]"
QOS = 1  # "recommended" by the convention, section "QoS and retained messages"

# What this service alone says of a device: its state, and who says it.
WATCHED: Mapping[str, Watched] = MappingProxyType(
    {"$state": "availability", "$implementation": "identity", "$mac": "identity"}
)


class Collector(MQTT_Base):  # type: ignore[misc]  # the package has no types
    """Stands where the package expects its connection, and keeps what is published through it."""

    def __init__(self) -> None:
        super().__init__({"MQTT_SHARE_CLIENT": True}, None)
        self._messages: list[MqttMessage] = []

    def publish(self, topic: str, payload: str, retain: bool, qos: int) -> None:
        watched = WATCHED.get(topic.rpartition("/")[2], "")
        self._messages.append(MqttMessage(topic, payload, qos=qos, retain=retain, watched=watched))

    def taken(self) -> list[MqttMessage]:
        """What was published since the last call."""
        messages, self._messages = self._messages, []
        return messages


class MeterDevice(device_base.Device_Base):  # type: ignore[misc]  # the package has no types
    """One Homie device, at first ``init`` and unannounced. ``taken`` gives what it has published."""

    def __init__(self, device_id: str, name: str, base: str, service: str = "") -> None:
        self._outbox = Collector()
        with _in_place_of_a_connection(self._outbox):
            super().__init__(
                device_id,
                name,
                # A table of its own: the package writes its defaults into what it is given.
                homie_settings={
                    "version": CONVENTION,
                    "topic": base,
                    "implementation": f"smart-meter-reader {__version__} {service}".rstrip(),
                },
                mqtt_settings={"MQTT_BROKER": "(ours)", "MQTT_SHARE_CLIENT": True},
                extensions=[],
            )
        # The package remembers every device for its exit handler and would keep this one for ever.
        device_base.devices.remove(self)

    def taken(self) -> list[MqttMessage]:
        """What was published since the last call."""
        return self._outbox.taken()

    def announce(self, state: DeviceState) -> None:
        """All attributes, nodes, properties and values, between ``init`` and the given state."""
        self.state = "init"
        self.publish_attributes()
        self.publish_nodes()
        if state != "init":
            self.state = state

    def publish_extensions(self, retain: bool = True, qos: int = QOS) -> None:
        """The identifier of the extension, where the package gives a name of its own, and its attributes."""
        ip = local_ip()
        for attribute, payload in (
            ("$extensions", _FIRMWARE),
            ("$localip", ip),
            ("$mac", mac_address(ip)),  # the package tells "NoMAC"
            ("$fw/name", "smart-meter-reader"),
            ("$fw/version", __version__),
        ):
            self.publish(f"{self.topic}/{attribute}", payload, retain, qos)

    def place(self, slot: Slot) -> Property_Base:
        """A new property without a value, in its node. Only outside ``ready``: else it is announced at once.

        A property of the same id is replaced, since its attributes have changed.
        """
        node = self.get_node(slot.node)
        if node is None:
            node = Node_Base(self, slot.node, *NODES[slot.node], qos=QOS)
            self.add_node(node)
        node.properties.pop(slot.property_id, None)
        new = _new_property(node, slot)
        node.add_property(new)
        return new


@contextmanager
def _in_place_of_a_connection(outbox: Collector) -> Iterator[None]:
    """Let the device made inside find ``outbox`` as the connection shared by all devices."""
    before = homie_mqtt_client.common_mqtt_client
    homie_mqtt_client.common_mqtt_client = outbox
    try:
        yield
    finally:
        homie_mqtt_client.common_mqtt_client = before


class _Float(Property_Float):  # type: ignore[misc]  # the package has no types
    """A float whose payload has the meter's own digits: a point, no exponent, no binary rounding."""

    def get_payload_from_value(self, value: Decimal | int) -> str:
        return plain(value)


class _Integer(Property_Integer):  # type: ignore[misc]  # the package has no types
    def get_payload_from_value(self, value: Decimal | int) -> str:
        return str(int(value))


class _String(Property_String):  # type: ignore[misc]  # the package has no types
    def get_payload_from_value(self, value: object) -> str:
        return plain(value)


def _not_through_the_package(value: object) -> None:
    """The package wants to know who takes what is set; commands come another way (``mqtt/commands.py``)."""


def _new_property(node: Node_Base, slot: Slot) -> Property_Base:
    common: dict[str, Any] = {"settable": False, "retained": True, "qos": QOS, "unit": slot.unit or None}
    if slot.settable:
        common |= {"settable": True, "set_value": _not_through_the_package}
    if slot.datatype == "boolean":
        return Property_Boolean(node, slot.property_id, slot.name, **common)
    if slot.datatype == "enum":
        return Property_Enum(node, slot.property_id, slot.name, data_format=slot.format, **common)
    kinds = {"float": _Float, "integer": _Integer, "string": _String}
    return kinds[slot.datatype](node, slot.property_id, slot.name, **common)
