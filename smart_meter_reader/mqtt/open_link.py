"""Opens a link with the newest MQTT version that both sides know."""

from __future__ import annotations

from typing import Any

from smart_meter_reader.mqtt.failures import HungUpError, WrongVersionError
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.paho import Version
from smart_meter_reader.mqtt.settings import BrokerSettings


async def open_link(
    broker: BrokerSettings, client_id: str, will: MqttMessage | None = None, **callbacks: Any
) -> Link:
    """An open link, by the protocol that the settings name or allow. ``callbacks`` are those of Link.

    Raises SinkError with what to do about it.
    """
    versions: tuple[Version, ...] = ("5", "3.1.1") if broker.protocol == "auto" else (broker.protocol,)
    for version in versions[:-1]:
        link = Link(broker, client_id, version, will, **callbacks)
        try:
            await link.open()
            return link
        except (WrongVersionError, HungUpError):
            continue  # brokers that know only MQTT 3.1.1 refuse version 5, or just hang up
    link = Link(broker, client_id, versions[-1], will, **callbacks)
    await link.open()
    return link
