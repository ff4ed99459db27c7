"""Settings of the client `sml`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar, Literal

from smart_meter_reader.meters.base import ClientSettings
from smart_meter_reader.meters.sml.lines import LINE
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.transport import PORT_HELP, PORT_PATTERN, LineSettings, port_meant

MOST_METERS = 4
"""On one line: a head hears one as a rule, a gateway a few."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmlSettings(ClientSettings):
    """Settings of the client `sml`: German electricity meters that send SML at their optical head."""

    sub_meters: ClassVar[frozenset[str]] = frozenset(str(number) for number in range(2, MOST_METERS + 1))

    port: str = setting(
        PORT_HELP, pattern=PORT_PATTERN, pattern_help=PORT_HELP, meant=port_meant, identifies=False
    )
    interval: timedelta = setting(
        "how often a reading is published, the newest telegram each time; the line is always read; "
        '"0s" publishes every telegram',
        default=timedelta(0),
        minimum=timedelta(0),
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
    timeout: timedelta | None = setting(
        "without a good telegram for so long, the port is opened again; by default six times the meter's "
        "own interval, and a minute as long as that is not known",
        default=None,
        minimum=timedelta(seconds=1),
        maximum=timedelta(hours=1),
    )
    rts: bool | None = setting("level of RTS; some heads live on it; left alone by default", default=None)
    dtr: bool | None = setting("level of DTR; left alone by default", default=None)

    @property
    def reads_from(self) -> str:
        return self.port

    @property
    def longest_reading(self) -> timedelta | None:
        return self.timeout

    @property
    def line(self) -> LineSettings:
        """The line of the head."""
        parity: Literal["N", "E"] = "N" if self.format == "8N1" else "E"
        return replace(LINE, baud=self.baud, parity=parity, rts=self.rts, dtr=self.dtr)

    @property
    def lines(self) -> Sequence[LineSettings]:
        return (self.line,)

    @property
    def wanted(self) -> str:
        """The serial number that is wanted, as telegrams have it; "" for any."""
        return self.serial_number.replace(" ", "").upper()
