"""Settings of the client `kamstrup`, and what they mean in registers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time, timedelta
from types import MappingProxyType
from typing import Literal

from smart_meter_reader.codecs.kmp import HEAT_METER
from smart_meter_reader.codecs.kmp.registers import register_of, resolve_register
from smart_meter_reader.meters.backfill.budget import check_budget
from smart_meter_reader.meters.backfill.cost import LineCost
from smart_meter_reader.meters.backfill.settings import LoggerSettings, budget_setting, zone_setting
from smart_meter_reader.meters.kmp.lines import OPTICAL_LINE
from smart_meter_reader.meters.kmp.loggers.costs import (
    DATE_AND_TIME,
    HOURLY_REGISTERS,
    day_costs,
    learning_seconds,
)
from smart_meter_reader.meters.poll_plan import Group
from smart_meter_reader.meters.ports import port_setting
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.quantity import TOTALS
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.transport import LineSettings

# Two requests of six, all of which a MULTICAL 403 has. Volume, E8 and E9 are in one of them: only what was
# told at one instant gives the mean temperature of the water that has passed (history/questions/heat.py).
# What is in OPTIONAL_REGISTERS comes last, since the meter is awake by then.
DEFAULT_REGISTERS = (
    "heat_energy",
    "volume",
    "volume_times_flow_temperature",
    "volume_times_return_temperature",
    "volume_flow",
    "power",
    "flow_temperature",
    "return_temperature",
    "temperature_difference",
    "info_code",
    "info_bits",
    "info_event_count",
)
# Of those, what some meters lack and may even fall silent over. They cost no request of their own.
OPTIONAL_REGISTERS = ("info_bits", "info_event_count")
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
# In log mode: soon after midnight, when the meter has logged the day that is over.
LOG_INTERVAL = Schedule(times=(time(0, 10),))
_LOG_PERIOD = timedelta(hours=12)
# What the loggers of all models have, hourly too; what else is read live and counts is added.
LOGGER_REGISTERS = ("heat_energy", "volume")

_REGISTERS_HELP = "quantities or register ids, such as heat_energy, 60 or 0x3C"
# Tells when the info logger has news.
_INFO_EVENTS = resolve_register("info_event_count").id


def _ids(registers: tuple[int | str, ...], key: str) -> tuple[int, ...]:
    if not registers:
        raise ValueError(f"{key} is empty; needed: {_REGISTERS_HELP}")
    try:
        return tuple(dict.fromkeys(resolve_register(register).id for register in registers))
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None


def _counts(quantity: str) -> bool:
    return quantity in QUANTITIES and QUANTITIES[quantity].cumulative and QUANTITIES[quantity].kind in TOTALS


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupSettings:
    """Further registers with their own interval: monthly peaks once a day, say."""

    registers: tuple[int | str, ...] = setting(_REGISTERS_HELP, identifies=False)
    interval: Schedule = setting("how often, or when, this group is read")

    def __post_init__(self) -> None:
        _ids(self.registers, "registers")


@dataclass(frozen=True, slots=True, kw_only=True)
class KamstrupSettings(LoggerSettings):
    """Settings of the client `kamstrup`: MULTICAL and other KMP meters at an optical head."""

    port: str = port_setting()
    registers: tuple[int | str, ...] = setting(_REGISTERS_HELP, default=DEFAULT_REGISTERS, identifies=False)
    interval: Schedule = setting("how often, or when, the meter is read", default=DEFAULT_INTERVAL)
    groups: Mapping[str, GroupSettings] = setting(
        "further registers with their own interval", default=MappingProxyType({})
    )
    mode: Literal["poll", "log"] = setting(
        "poll: the meter is read at its interval; log: once a day (daily 00:10, or interval), with the hours "
        "since the last time out of its own memory: kindest to the battery",
        default="poll",
    )
    logger: bool = setting(
        "read back what the meter keeps itself (months, days, hours of outages) where a sink takes a past",
        default=True,
    )
    logger_budget: timedelta | None = budget_setting("; 0s: none")
    logger_registers: tuple[int | str, ...] = setting(
        "what is read of its loggers; by default heat_energy, volume, and what of registers only counts up",
        default=(),
        identifies=False,
    )
    logger_zone: str = zone_setting()
    mains_powered: bool = setting(
        "there is no battery to be careful with: no warning at intervals below 5 minutes", default=False
    )
    read_now_distance: timedelta | None = setting(
        "least time between two readings that are asked for beside the interval; by default 5min, "
        "and none with mains_powered",
        default=None,
        minimum=timedelta(0),
        maximum=timedelta(days=1),
    )
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
        "destination address; 63 is the meter itself",
        default=HEAT_METER,
        minimum=0,
        maximum=255,
        identifies=False,
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
        if self.logger_registers:
            _ids(self.logger_registers, "logger_registers")
        self.check_zone()
        # Reading what there is comes in pieces of any size; finding out what there is does not.
        check_budget(self.logger_budget, learning_seconds(self.line_cost))
        self._settle_mode()

    def _settle_mode(self) -> None:
        if self.mode != "log":
            return
        if self.interval is DEFAULT_INTERVAL:
            # The one who looks at the settings shall see what holds.
            object.__setattr__(self, "interval", LOG_INTERVAL)
        if self.interval.period < _LOG_PERIOD:
            raise ValueError(
                f'interval: mode = "log" reads the meter once a day and brings the hours all the same, not '
                f'every {self.interval}; leave interval out, or write one such as "daily 06:00"'
            )
        if not self.logger:
            raise ValueError('logger: mode = "log" lives on what the meter keeps; leave logger out')
        if not self.daily_budget:
            raise ValueError('logger_budget: mode = "log" lives on what the meter keeps; leave it out')

    @property
    def every_hour(self) -> bool:
        """Whether the hours come out of the meter's memory, and not from the readings."""
        return self.mode == "log"

    @property
    def log_registers(self) -> tuple[int, ...]:
        """What is read of a logger that has it, in this order."""
        if self.logger_registers:
            return _ids(self.logger_registers, "logger_registers")
        live = (register_of(register) for group in self.plan for register in group.registers)
        counting = (each.id for each in live if _counts(each.quantity))
        return tuple(dict.fromkeys((*_ids(LOGGER_REGISTERS, "logger_registers"), *counting)))

    @property
    def line_cost(self) -> LineCost:
        """What a byte costs on this line."""
        return LineCost(self.baud, self.line.bits_per_byte)

    @property
    def needs_past(self) -> bool:
        return self.mode == "log"

    @property
    def reads_back(self) -> tuple[str, ...]:
        if not self.logger or not self.daily_budget:
            return ()
        costs = day_costs(self.line_cost, len(self.plan[0].registers), (DATE_AND_TIME, *HOURLY_REGISTERS))
        told = (
            f"what the meter keeps itself is read back, {self.budget_text} (logger_budget)",
            f"hourly values: {costs}",
        )
        if any(_INFO_EVENTS in group.registers for group in self.plan):
            return told
        return (
            *told,
            "its info logger is left alone, as nothing tells when it has news: info_event_count is not among "
            "registers",
        )

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
