"""Opens a link with the newest MQTT version that both sides know."""

from __future__ import annotations

from typing import Any

from smart_meter_reader.exceptions import SinkError
from smart_meter_reader.mqtt.link import Link
from smart_meter_reader.mqtt.message import MqttMessage
from smart_meter_reader.mqtt.paho import Version
from smart_meter_reader.mqtt.settings import BrokerSettings

# Brokers that know only MQTT 3.1.1 refuse version 5, or just hang up.
_MAY_BE_TOO_OLD = frozenset({"protocol_version", "closed"})


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
        except SinkError as error:
            if error.reason not in _MAY_BE_TOO_OLD:
                raise
    link = Link(broker, client_id, versions[-1], will, **callbacks)
    await link.open()
    return link
