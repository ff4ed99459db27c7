"""What a broker says that it takes (MQTT 5.0, 3.2.2.3), and how a message is made to fit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.paho import Properties

_FIXED = 1 + 4 + 2 + 2 + 1  # header, remaining length, lengths of topic and properties, packet identifier


class TooLarge(str):
    """Why a message was not sent: no refusal of the broker, which has said before what it takes."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class BrokerLimits:
    """Of one connection. Without a word of the broker, and with MQTT 3.1.1, everything is allowed."""

    retain: bool = True
    most_qos: int = 2
    longest: int = 0  # bytes of a packet; 0: any
    at_once: int = 65_535  # messages on the way

    @classmethod
    def told_by(cls, properties: Properties | None) -> BrokerLimits:
        """Those in CONNACK: Receive Maximum (.3), QoS (.4), Retain Available (.5), packet size (.6)."""
        told = vars(properties) if properties else {}
        usual = cls()
        return cls(
            bool(told.get("RetainAvailable", 1)),
            told.get("MaximumQoS", usual.most_qos),
            told.get("MaximumPacketSize", usual.longest),
            told.get("ReceiveMaximum", usual.at_once),
        )

    def fitted(self, message: MqttMessage) -> MqttMessage:
        """The message as the broker takes it."""
        if message.qos <= self.most_qos and (self.retain or not message.retain):
            return message
        return replace(message, qos=min(message.qos, self.most_qos), retain=message.retain and self.retain)

    def too_large(self, message: MqttMessage) -> str:
        """Why a message cannot be sent; "" when it can."""
        if not self.longest:
            return ""
        size = _FIXED + len(message.topic.encode(errors="replace")) + len(message.octets)
        return (
            TooLarge(f"it has {size} bytes, the broker takes {self.longest}") if size > self.longest else ""
        )

    def sentences(self) -> Iterator[str]:
        """What a person should know of them."""
        if not self.retain:
            yield (
                "the broker keeps no retained messages, so that who subscribes later, and Home Assistant "
                "after a restart, waits for the next reading: allow them there (Mosquitto: retain_available)"
            )
        if self.most_qos < 1:
            yield (
                "the broker takes QoS 0 only, so that what is lost on the way stays lost: allow QoS 1 there "
                "(Mosquitto: max_qos 1)"
            )
