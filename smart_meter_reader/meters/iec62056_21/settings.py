"""Settings of the client `iec62056_21`, and what they mean for the line and the scaling."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Literal

from smart_meter_reader.codecs.iec62056_21.codes import AssumedUnits
from smart_meter_reader.codecs.iec62056_21.multical import SINGLE_LINE
from smart_meter_reader.codecs.iec62056_21.request import MODE_D_BAUD
from smart_meter_reader.codecs.iec62056_21.scaling import Scale, Scaling
from smart_meter_reader.meters.backfill.budget import check_budget
from smart_meter_reader.meters.backfill.settings import LoggerSettings, budget_setting, zone_setting
from smart_meter_reader.meters.iec62056_21.lines import SIGN_ON_LINE
from smart_meter_reader.meters.ports import port_setting
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.aliases import ALIASES, quantity_meant
from smart_meter_reader.settings.schedule import Schedule
from smart_meter_reader.settings.schema import setting
from smart_meter_reader.transport import LineSettings

ModelName = Literal[
    "auto", "multical_66c", "multical_401", "multical_iii", "382", "uh50", "t550", "2wr5", "generic"
]

READOUT = "readout"
# The months, with the clock and what each table holds at present: the least that can be read.
MONTHS_SECONDS = 39.0
MOMENTARY = "#!"
"""The readout of a UH50 with power, flow and temperatures."""

LANDIS_GYR = ("uh50", "t550", "2wr5")
DEFAULT_INTERVAL = Schedule(interval=timedelta(hours=1))
# Each readout wakes the whole meter: Landis+Gyr's batteries are meant for one a day.
DAILY = Schedule(interval=timedelta(days=1))


def _decimals(what: str, where: str) -> int | None:
    value: int | None = setting(
        f"decimals of {what} on the display, where the meter does not tell them; -1: it counts {where}",
        default=None,
        minimum=-1,
        maximum=4,
    )
    return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Iec62056_21Settings(LoggerSettings):  # noqa: N801 - 62056-21 is one number
    """Settings of the client `iec62056_21`: MULTICAL 66C, III, 401, the 382, others by their data sets."""

    port: str = port_setting()
    model: ModelName = setting("which meter it is; auto signs on and finds out", default="auto")
    registers: tuple[str, ...] = setting(
        "quantities to publish; all that the meter tells by default",
        default=(),
        choices=tuple(QUANTITIES),
        aliases=quantity_meant,
        known_aliases=ALIASES,
    )
    requests: tuple[str, ...] = setting(
        "what is asked for at each reading; by default what the model answers best",
        default=(),
        choices=(READOUT, MOMENTARY, *SINGLE_LINE),
    )
    interval: Schedule = setting(
        "how often, or when, the meter is read; daily for uh50, t550 and 2wr5, also where auto finds one",
        default=DEFAULT_INTERVAL,
    )
    mode: Literal["request", "push"] = setting(
        "request: the meter is asked (modes A to C, short requests); push: it sends by itself (mode D)",
        default="request",
    )
    serial_number: str | None = setting(
        "the meter's number (on MULTICAL: customer number); another meter is not read",
        default=None,
        pattern=r"[0-9A-Za-z.-]{1,32}",
        pattern_help="the number in quotes",
        identifies=True,
    )
    address: str = setting(
        "device address for the sign-on, where several meters share a line",
        default="",
        pattern=r"[0-9A-Za-z ]{0,32}",
        pattern_help="up to 32 letters and digits",
        identifies=True,
    )
    mains_powered: bool = setting(
        "there is no battery to be careful with: no warning at intervals below 5 minutes", default=False
    )
    logger: bool = setting(
        "read back what a MULTICAL 66-CDE remembers (months, days, hours) where a sink takes a past",
        default=True,
    )
    logger_budget: timedelta | None = budget_setting("; 0s: none; months need 39s, days 60s, hours 13min")
    logger_zone: str = zone_setting()
    read_now_distance: timedelta | None = setting(
        "least time between two readings that are asked for beside the interval; by default 5min, 1h for "
        "uh50, t550 and 2wr5, and none with mains_powered, for a 382 and for mode push",
        default=None,
        minimum=timedelta(0),
        maximum=timedelta(days=1),
    )
    wake_up: Literal["auto", "none", "nul", "0x55"] = setting(
        "what a sleeping meter is sent before it is asked, for 2.2 s: NULs or 55h; auto: NULs where nothing "
        "else brings an answer to the sign-on, and for uh50, t550 and 2wr5",
        default="auto",
    )
    energy_unit: Literal["GJ", "kWh", "MWh", "Gcal"] | None = setting(
        "unit of the energies, where the program number does not tell", default=None
    )
    energy_decimals: int | None = _decimals("energies", "tens")
    volume_decimals: int | None = _decimals("volumes", "tens of m³")
    flow_unit: Literal["L/h", "m³/h"] = setting("unit of the flow, with flow_decimals", default="L/h")
    flow_decimals: int | None = _decimals("the flow", "tens")
    power_unit: Literal["kW", "MW"] = setting("unit of the power, with power_decimals", default="kW")
    power_decimals: int | None = _decimals("the power", "tens")
    electricity_energy_unit: Literal["Wh", "kWh", "MWh"] = setting(
        "what an electricity meter counts that sends no unit", default="kWh"
    )
    electricity_power_unit: Literal["W", "kW"] | None = setting(
        "what the power of an electricity meter is in that sends no unit; left out by default", default=None
    )
    baud: int | None = setting(
        "speed of the first request; by default 300, and 2400 for mode push",
        default=None,
        minimum=300,
        maximum=19_200,
    )
    stopbits: Literal[1, 2] = setting("stop bits; MULTICAL 66-CDE insists on two", default=2)
    rts: bool | None = setting("level of RTS, for heads that live on it; left alone by default", default=None)
    dtr: bool | None = setting("level of DTR, for heads that live on it; left alone by default", default=None)
    repeat_after: timedelta = setting(
        "how long to wait for an answer before the request is repeated; a MULTICAL ignores requests while "
        "it calculates",
        default=timedelta(seconds=5),
        minimum=timedelta(milliseconds=10),
        maximum=timedelta(minutes=1),
    )
    retries: int = setting("repeats of an unanswered request", default=3, minimum=0, maximum=20)
    poll_timeout: timedelta = setting(
        "when one reading with all its repeats must be over; a long readout at 300 Bd takes minutes",
        default=timedelta(minutes=5),
        minimum=timedelta(seconds=1),
        maximum=timedelta(minutes=30),
    )

    def __post_init__(self) -> None:
        check_budget(self.logger_budget, MONTHS_SECONDS)
        # The one who looks at the settings shall see what holds.
        object.__setattr__(self, "interval", self.schedule_of(self.model))
        if (self.energy_unit is None) != (self.energy_decimals is None):
            raise ValueError("energy_unit and energy_decimals belong together: set both or none")
        self.check_zone()

    def schedule_of(self, model: str) -> Schedule:
        """When a meter of ``model`` is read, which may have been found out only now."""
        # Told apart by identity: who wrote "1h" means it.
        return DAILY if model in LANDIS_GYR and self.interval is DEFAULT_INTERVAL else self.interval

    @property
    def reads_back(self) -> tuple[str, ...]:
        if (
            not self.logger
            or not self.daily_budget
            or self.model not in ("multical_66c", "auto")
            or self.mode == "push"
        ):
            return ()
        return (
            f"what a MULTICAL 66-CDE remembers is read back, {self.budget_text} (logger_budget): months "
            "30 s, days 54 s, hours 13min",
        )

    @property
    def named_quantities(self) -> tuple[str, ...]:
        return self.registers

    @property
    def line(self) -> LineSettings:
        """The line at the speed of the first request."""
        baud = self.baud or (MODE_D_BAUD if self.mode == "push" else SIGN_ON_LINE.baud)
        return replace(SIGN_ON_LINE, baud=baud, stopbits=self.stopbits, rts=self.rts, dtr=self.dtr)

    @property
    def assumed_units(self) -> AssumedUnits:
        """What an electricity meter is taken to mean that sends no units."""
        return AssumedUnits(self.electricity_energy_unit, self.electricity_power_unit or "")

    @property
    def scaling(self) -> Scaling:
        """What the settings tell about units and decimals."""
        return Scaling(
            energy=_scale(self.energy_unit, self.energy_decimals),
            volume=_scale("m³", self.volume_decimals),
            flow=_scale(self.flow_unit, self.flow_decimals),
            power=_scale(self.power_unit, self.power_decimals),
        )


def _scale(unit: str | None, decimals: int | None) -> Scale | None:
    return None if unit is None or decimals is None else (unit, decimals)
