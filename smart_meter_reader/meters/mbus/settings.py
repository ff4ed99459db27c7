"""Settings of the client `mbus`, and what they mean for the line and the address."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

from smart_meter_reader.codecs.mbus.address import SECONDARY_PATTERN, Address, Primary, address_of
from smart_meter_reader.codecs.mbus.frame import ANY, LAST_PRIMARY
from smart_meter_reader.meters.base import PolledSettings
from smart_meter_reader.meters.mbus.timing import BAUDS, BUS_LINE, CONVERTER_DELAY, BusTiming, line_at
from smart_meter_reader.meters.mbus.typical import typical_of
from smart_meter_reader.meters.ports import port_setting
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.aliases import ALIASES, quantity_meant
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.text import is_digits
from smart_meter_reader.transport import LineSettings

_PRIMARY_DIGITS = 3

ON_BUS = Schedule(interval=timedelta(minutes=1))
THROUGH_HEAD = Schedule(interval=timedelta(hours=1))


@dataclass(frozen=True, slots=True, kw_only=True)
class MbusSettings(PolledSettings):
    """Settings of the client `mbus`: meters on wired M-Bus, or with M-Bus at their optical head."""

    port: str = port_setting(", of the level converter; meters on one bus have the same")
    address: int | None = setting(
        f"primary address, 0 to {LAST_PRIMARY}; by default {ANY}, to which any meter answers that is alone",
        default=None,
        minimum=0,
        maximum=ANY,
        identifies=False,
    )
    secondary_address: str = setting(
        "instead of address: 8 digits of the identification number, F for any, or 16 with maker, version and "
        "medium",
        default="",
        pattern=SECONDARY_PATTERN,
        pattern_help="8 digits in quotes, F for any, and 8 hexadecimal digits more or none",
        identifies=True,
    )
    registers: tuple[str, ...] = setting(
        "quantities to publish; all that the meter tells by default",
        default=(),
        choices=tuple(QUANTITIES),
        aliases=quantity_meant,
        known_aliases=ALIASES,
    )
    interval: Schedule = setting(
        "how often, or when, the meter is read; by default every minute, and every hour with a wake_up",
        default=ON_BUS,
    )
    serial_number: str | None = setting(
        "the meter's identification or fabrication number; another meter is not read",
        default=None,
        pattern=r"[0-9A-Za-z]{1,16}",
        pattern_help="the number in quotes",
        identifies=True,
    )
    wake_up: Literal["none", "0x55"] = setting(
        "0x55: what a meter that speaks M-Bus at its optical head is sent for 2.2 s before it is asked",
        default="none",
    )
    mains_powered: bool = setting(
        "there is no battery to be careful with: no warning at short intervals, where wake_up is set",
        default=False,
    )
    read_now_distance: timedelta | None = setting(
        "least time between two readings that are asked for beside the interval; by default none on a bus, "
        "and 5min with a wake_up",
        default=None,
        minimum=timedelta(0),
        maximum=timedelta(days=1),
    )
    baud: int = setting(
        "speed of the bus; one of 300, 600, 1200, 2400, 4800 and 9600",
        default=BUS_LINE.baud,
        minimum=BAUDS[0],
        maximum=BAUDS[-1],
    )
    converter_delay: timedelta = setting(
        "what converter and network add to the time that the standard gives the meter to answer",
        default=timedelta(seconds=CONVERTER_DELAY),
        minimum=timedelta(milliseconds=10),
        maximum=timedelta(seconds=30),
    )
    retries: int = setting("repeats of an unanswered request", default=2, minimum=0, maximum=20)
    poll_timeout: timedelta = setting(
        "when one reading with all its repeats must be over; 16 telegrams at 300 Bd take minutes",
        default=timedelta(minutes=2),
        minimum=timedelta(seconds=1),
        maximum=timedelta(minutes=30),
    )

    def __post_init__(self) -> None:
        if self.baud not in BAUDS:
            raise ValueError(f"baud: found {self.baud}; allowed: {', '.join(map(str, BAUDS))}")
        if self.secondary_address and self.address is not None:
            raise ValueError("address and secondary_address are two ways to name a meter: set one of them")
        if self.address is not None and LAST_PRIMARY < self.address < ANY:
            raise ValueError(
                f"address: found {self.address}; allowed: 0 to {LAST_PRIMARY}, and {ANY} for any"
            )
        if self.through_head and self.interval is ON_BUS:
            # The one who looks at the settings shall see what holds.
            object.__setattr__(self, "interval", THROUGH_HEAD)

    @classmethod
    def address_keys(cls, address: str) -> Mapping[str, Any]:
        """What is longer than a primary address is a secondary one."""
        is_primary = is_digits(address, _PRIMARY_DIGITS)
        return {"address": int(address)} if is_primary else {"secondary_address": address}

    @property
    def whom(self) -> Address:
        """The address that is asked."""
        if self.secondary_address:
            address = address_of(self.secondary_address)
            if address is not None:
                return address
        return Primary(ANY if self.address is None else self.address)

    @property
    def through_head(self) -> bool:
        """Whether the meter is at an optical head, with its battery to think of."""
        return self.wake_up != "none"

    @property
    def line(self) -> LineSettings:
        return line_at(self.baud)

    @property
    def timing(self) -> BusTiming:
        """How long to wait on this line."""
        return BusTiming(self.line, self.converter_delay.total_seconds())

    @property
    def named_quantities(self) -> tuple[str, ...]:
        return self.registers

    def typical_quantities(self, meter: str) -> tuple[str, ...] | None:
        return typical_of(meter, self.whom)

    @property
    def place_on_port(self) -> Hashable:
        """Its address; none for a meter that is asked as the only one there."""
        alone = not self.secondary_address and self.address in (None, ANY)
        return None if self.through_head or alone else self.whom

    @property
    def remarks(self) -> tuple[str, ...]:
        if self.through_head or self.secondary_address or self.address is not None:
            return ()
        return ("address is not set, so that any meter answers: with two of them on the bus, none is read",)
