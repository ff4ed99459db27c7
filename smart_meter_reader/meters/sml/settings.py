"""Settings of the client `sml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Literal

from smart_meter_reader.meters.ports import port_setting
from smart_meter_reader.meters.push.settings import (
    PushSettings,
    dtr_setting,
    interval_setting,
    rts_setting,
    timeout_setting,
)
from smart_meter_reader.meters.sml.lines import LINE
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.transport import LineSettings

MOST_METERS = 4
"""On one line: a head hears one as a rule, a gateway a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmlSettings(PushSettings):
    """Settings of the client `sml`: German electricity meters that send SML at their optical head."""

    sub_meters: ClassVar[frozenset[str]] = frozenset(str(number) for number in range(2, MOST_METERS + 1))

    port: str = port_setting()
    interval: timedelta = interval_setting(
        'the newest telegram each time; the line is always read; "0s" publishes every telegram'
    )
    serial_number: str = setting(
        "the number of the only meter that is read, where several are heard at one port: as it stands on its "
        'front, such as "1 EBZ01 0000 0013"; blanks do not count',
        default="",
        identifies=True,
    )
    direction_bit: int | None = setting(
        "the bit of the status word that says export, where the meter tells its power without a sign: "
        "EMH's (5) is known; the sign as sent, by default",
        default=None,
        minimum=0,
        maximum=63,
    )
    baud: int = setting("speed of the line", default=LINE.baud, minimum=300, maximum=921_600)
    format: Literal["8N1", "8E1"] = setting("bits of the line", default="8N1")
    timeout: timedelta | None = timeout_setting("a minute")
    rts: bool | None = rts_setting("some heads")
    dtr: bool | None = dtr_setting()

    @property
    def line(self) -> LineSettings:
        """The line of the head."""
        return self.line_of(self.baud, self.format)

    @property
    def lines(self) -> Sequence[LineSettings]:
        return (self.line,)

    @property
    def wanted(self) -> str:
        """The serial number that is wanted, as telegrams have it; "" for any."""
        return self.serial_number.replace(" ", "").upper()
