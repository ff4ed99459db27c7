"""Where prices are published: the broker of contracts with a `price_topic`."""

from __future__ import annotations

from dataclasses import dataclass

from smart_meter_reader.mqtt.settings import BrokerSettings
from smart_meter_reader.settings.schema import setting


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceBrokerSettings(BrokerSettings):
    """How to reach it."""

    host: str = setting(
        "name or address of the broker",
        default="localhost",
        pattern=r"[^\s/@]+",
        pattern_help="a name or address alone, without mqtt:// before it and without a login",
        identifies=True,
    )
