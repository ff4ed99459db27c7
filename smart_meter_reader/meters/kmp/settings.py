"""Settings of the client `kamstrup`, and what they mean in registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType
from typing import Literal

from smart_meter_reader.codecs.kmp import HEAT_METER
from smart_meter_reader.codecs.kmp.registers import resolve_register
from smart_meter_reader.meters.base import PolledSettings
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE
from smart_meter_reader.meters.poll_plan import Group
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.transport import PORT_HELP, PORT_PATTERN, LineSettings

# One request of eight, all of which a MULTICAL 403 has.
DEFAULT_REGISTERS = (
    "heat_energy",
    "volume",
    "volume_flow",
    "power",
    "flow_temperature",
    "return_temperature",
    "temperature_difference",
    "info_code",
)
# What the default becomes on a meter that has none of those and counts electricity: the 382.
ELECTRICITY_REGISTERS = (
    "active_energy_import",
    "active_energy_export",
    "active_power_import",
    "voltage_l1",
    "voltage_l2",
    "voltage_l3",
    "operating_hours",
)
# The life that Kamstrup states for the battery of a 403 (manual, 10.4) assumes one reading an hour.
DEFAULT_INTERVAL = Schedule(interval=timedelta(hours=1))

_REGISTERS_HELP = "quantities or register ids, such as heat_energy, 60 or 0x3C"


def _ids(registers: tuple[int | str, ...], key: str) -> tuple[int, ...]:
    if not registers:
        raise ValueError(f"{key} is empty; needed: {_REGISTERS_HELP}")
    try:
        return tuple(dict.fromkeys(resolve_register(register).id for register in registers))
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """Further registers with their own interval: monthly peaks once a day, say."""

    registers: tuple[int | str, ...] = setting(_REGISTERS_HELP, identifies=False)
    interval: Schedule = setting("how often, or when, this group is read")

    def __post_init__(self) -> None:
        _ids(self.registers, "registers")


@dataclass(frozen=True, slots=True, kw_only=True)
class KamstrupSettings(PolledSettings):
    """Settings of the client `kamstrup`: MULTICAL and other KMP meters at an optical head."""

    port: str = setting(PORT_HELP, pattern=PORT_PATTERN, pattern_help=PORT_HELP, identifies=False)
    registers: tuple[int | str, ...] = setting(_REGISTERS_HELP, default=DEFAULT_REGISTERS, identifies=False)
    interval: Schedule = setting("how often, or when, the meter is read", default=DEFAULT_INTERVAL)
    groups: Mapping[str, GroupSettings] = setting(
        "further registers with their own interval", default=MappingProxyType({})
    )
    mains_powered: bool = setting("no warning about the battery at intervals below 5 minutes", default=False)
    serial_number: int | str | None = setting(
        "the meter's serial number; another meter is not read",
        default=None,
        pattern=r"[0-9]{1,10}",
        pattern_help="the digits of a serial number in quotes",
        identifies=True,
    )
    model: str = setting(
        'what the meter is called, such as "MULTICAL 403"; for meters whose type code tells nothing',
        default="",
        pattern=r"[^\x00-\x1f]{0,60}",
        pattern_help="up to 60 characters",
        identifies=False,
    )
    baud: int = setting("speed of the line", default=OPTICAL_LINE.baud, minimum=300, maximum=115_200)
    parity: Literal["N", "E", "O"] = setting("parity: none, even, odd", default=OPTICAL_LINE.parity)
    stopbits: Literal[1, 2] = setting("stop bits", default=2)
    rts: bool | None = setting("level of RTS, for heads that live on it; left alone by default", default=None)
    dtr: bool | None = setting("level of DTR, for heads that live on it; left alone by default", default=None)
    address: int = setting(
        "destination address; 63 is the meter itself", default=HEAT_METER, minimum=0, maximum=255
    )
    answer_timeout: timedelta = setting(
        "how long to wait for an answer to begin before the request is repeated",
        default=timedelta(seconds=1),
        minimum=timedelta(milliseconds=100),
        maximum=timedelta(seconds=30),
    )
    retries: int = setting("repeats of an unanswered request", default=3, minimum=0, maximum=20)
    poll_timeout: timedelta = setting(
        "when one poll with all its repeats must be over",
        default=timedelta(minutes=1),
        minimum=timedelta(seconds=1),
        maximum=timedelta(minutes=10),
    )

    def __post_init__(self) -> None:
        _ids(self.registers, "registers")

    @property
    def named_quantities(self) -> tuple[str, ...]:
        return tuple(
            quantity
            for quantity in (resolve_register(key).quantity for key in self.registers if isinstance(key, str))
            if quantity in QUANTITIES
        )

    @property
    def line(self) -> LineSettings:
        """The line that these settings describe."""
        return LineSettings(self.baud, OPTICAL_LINE.bytesize, self.parity, self.stopbits, self.rts, self.dtr)

    @property
    def plan(self) -> list[Group]:
        """The groups in order: ``registers`` first, then ``groups``."""
        main = Group(_ids(self.registers, "registers"), self.interval)
        others = [Group(_ids(group.registers, "registers"), group.interval) for group in self.groups.values()]
        return [main, *others]
