"""Drivers with settings of every kind, for the tests of the settings; they never run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal

from smart_meter_reader.guard.settings import GuardSettings
from smart_meter_reader.settings.loading import Registries
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import DriverSettings, Secret, setting
from tests.records import meter_record, sink_record


class Parity(StrEnum):
    NONE = "none"
    EVEN = "even"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    registers: tuple[int | str, ...] = setting("registers by name or number")
    interval: Schedule = setting("when to read them")


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatSettings(DriverSettings):
    port: str = setting("device path or URL of the infrared head")
    interval: Schedule = setting("when to read", default=Schedule.parse("1h"))
    timeout: timedelta = setting(
        "how long to wait for an answer",
        default=timedelta(seconds=2),
        minimum=timedelta(milliseconds=100),
        maximum=timedelta(minutes=1),
    )
    retries: int = setting("repeated requests", default=2, minimum=0, maximum=9)
    stop_bits: Literal[1, 2] = setting("stop bits", default=2)
    parity: Parity = setting("parity", default=Parity.NONE)
    factor: Decimal = setting("multiplies every value", default=Decimal(1), minimum=0)
    mains_powered: bool = setting("no battery", default=False)
    serial_number: str | None = setting("refuse any other meter", default=None)
    recording: Path | None = setting("file to record to", default=None)
    encryption_key: Secret | None = setting(
        "key", default=None, pattern="[0-9a-fA-F]{32}", pattern_help="32 hexadecimal digits"
    )
    groups: Mapping[str, Group] = setting("registers with their own interval", default={})


class HeatClient:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerSettings(DriverSettings):
    shared_table: ClassVar[str] = "mqtt"

    host: str = setting("name or address of the broker", default="localhost", required=True)
    username: str = setting("login name", default="")
    password: Secret | None = setting("password", default=None)
    ca: Path | None = setting("CA file", default=None)
    tls: bool = setting("encrypt", default=False)

    def __post_init__(self) -> None:
        if self.ca is not None and not self.tls:
            raise ValueError("ca needs tls = true")


class MqttSink:
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class ScreenSettings(DriverSettings):
    format: Literal["json", "table"] = setting("how to write", default="json")


class ScreenSink:
    pass


HEAT = meter_record(f"{__name__}:HeatClient", f"{__name__}:HeatSettings")
MQTT_JSON = sink_record(f"{__name__}:MqttSink", f"{__name__}:BrokerSettings")
SCREEN = sink_record(f"{__name__}:ScreenSink", f"{__name__}:ScreenSettings")
REGISTRIES = Registries(
    {"heat": f"{__name__}:HEAT", "absent": "a_package_that_is_not_there:DRIVER"},
    {"mqtt_json": f"{__name__}:MQTT_JSON", "screen": f"{__name__}:SCREEN"},
    GuardSettings,
)
