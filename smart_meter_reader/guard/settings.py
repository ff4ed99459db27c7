"""Settings of the counter guard: `[ENV.guard]`, and per meter `[ENV.meters.NAME.guard]`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import ClassVar, Literal

from smart_meter_reader.settings.schema import DriverSettings, setting


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings(DriverSettings):
    """What is believed of a meter's values. The default ceilings fit anything up to a large building."""

    shared_table: ClassVar[str] = "guard"

    mode: Literal["auto", "all", "off"] = setting(
        '"auto" watches the totals of every real meter, and every counter of a meter whose protocol has no '
        'checksum; "all" watches every counter of every meter; "off" lets everything pass',
        default="auto",
    )
    confirmations: int = setting(
        "so many readings in a row that agree with each other are believed after all", default=3, minimum=1
    )
    zero_confirmation: timedelta = setting(
        "how long a total that was not zero must read zero until that is believed",
        default=timedelta(hours=1),
    )
    energy_per_hour: Decimal | None = setting(
        "fastest believable rise of an energy total, in kWh per hour, before transformer_ratio; unset: 1000, "
        "and 250 for a meter whose protocol has no checksum",
        default=None,
        minimum=Decimal("0.001"),
    )
    volume_per_hour: Decimal | None = setting(
        "fastest believable rise of a volume in m³ per hour, or of a mass in t per hour; unset: 100, and 25 "
        "for a meter whose protocol has no checksum",
        default=None,
        minimum=Decimal("0.001"),
    )
    energy_threshold: Decimal = setting(
        "largest believable rise of an energy total between two readings, in the meter's unit; 0: any",
        default=Decimal(0),
        minimum=Decimal(0),
    )
    volume_threshold: Decimal = setting(
        "largest believable rise of a volume between two readings, in the meter's unit; 0: any",
        default=Decimal(0),
        minimum=Decimal(0),
    )
    temperature_min: Decimal = setting("lowest believable temperature in °C", default=Decimal(-50))
    temperature_max: Decimal = setting("highest believable temperature in °C", default=Decimal(200))
    flow_max: Decimal = setting(
        "largest believable flow in m³/h, in either direction", default=Decimal(100), minimum=Decimal(0)
    )
    power_max: Decimal = setting(
        "largest believable power in kW, in either direction, before transformer_ratio",
        default=Decimal(1000),
        minimum=Decimal(0),
    )

    def __post_init__(self) -> None:
        if self.temperature_min >= self.temperature_max:
            raise ValueError(
                f"temperature_min ({self.temperature_min}) must be below temperature_max "
                f"({self.temperature_max})"
            )
