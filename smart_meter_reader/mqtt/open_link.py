"""Opens a link with the newest MQTT version, and with as much of a will, as both sides know."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from smart_meter_reader.mqtt.failures import (
    HungUpError,
    QosRefusedError,
    RetainRefusedError,
    SilentError,
    WrongVersionError,
)
from smart_meter_reader.mqtt.link import CONNACK_SECONDS, Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.paho import Version
from smart_meter_reader.mqtt.settings import BrokerSettings

# Where another version is tried next: not much of a broker needs longer than this.
FIRST_CONNACK_SECONDS = 5.0


async def open_link(
    broker: BrokerSettings, client_id: str, will: MqttMessage | None = None, **callbacks: Any
) -> Link:
    """An open link, by the protocol that the settings name or allow. ``callbacks`` are those of Link.

    Raises SinkError with what to do about it.
    """
    versions: list[Version] = ["5", "3.1.1"] if broker.protocol == "auto" else [broker.protocol]
    retain = True
    while True:
        link = Link(broker, client_id, versions[0], will, **callbacks)
        try:
            await link.open(FIRST_CONNACK_SECONDS if versions[1:] else CONNACK_SECONDS)
        except (WrongVersionError, HungUpError, SilentError) as error:
            # Brokers that know only MQTT 3.1.1 refuse version 5, hang up, or say nothing (amqtt 0.12).
            if versions[1:]:
                versions = versions[1:]
                continue
            if not isinstance(error, HungUpError) or will is None or not will.retain:
                raise
            # One without retained messages can say so in version 5 only: in 3.1.1 Mosquitto hangs up.
            will, retain = replace(will, retain=False), False
        except (RetainRefusedError, QosRefusedError) as error:
            smaller = _smaller(will, error)
            if smaller is None:
                raise
            will = smaller
        else:
            link.limits = replace(link.limits, retain=link.limits.retain and retain)
            return link


def _smaller(will: MqttMessage | None, refusal: RetainRefusedError | QosRefusedError) -> MqttMessage | None:
    """The will without what the broker refuses of it; None when nothing of that is in it."""
    if will is not None and isinstance(refusal, RetainRefusedError) and will.retain:
        return replace(will, retain=False)
    if will is not None and isinstance(refusal, QosRefusedError) and will.qos:
        return replace(will, qos=will.qos - 1)
    return None
