"""Where prices are published: the broker of contracts with a `price_topic`."""

from __future__ import annotations

from dataclasses import dataclass

from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.hosts import HOST_HELP, HOST_PATTERN, host_meant
from smart_meter_reader.settings.schema import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBrokerSettings(BrokerSettings):
    """How to reach it."""

    host: str = setting(
        "name or address of the broker",
        default="localhost",
        pattern=HOST_PATTERN,
        pattern_help=HOST_HELP,
        meant=host_meant,
        identifies=True,
    )
