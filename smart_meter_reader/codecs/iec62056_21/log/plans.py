"""The log tables of MULTICAL 66-CDE (/#5 to /#9, /#J): their columns and their depth.

What the columns of /#5, /#6, /#7 and /#J are is documented (5511-634 §4), and shown by KenanV's dump of a
66C. Of /#8 and /#9 only width and number of the columns is sure; date, energy and volume are taken to stand
where they stand in /#3 and /#5, and the rest is left as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from smart_meter_reader.codecs.iec62056_21.multical import Field, Measure

CUSTOMER_WIDTH = 11
COUNTER_DIGITS = 7  # of every counter in the data strings (5511-634 §4); other meters have 8


@dataclass(frozen=True, slots=True)
class LogPlan:
    """One table: which logger it is, its columns, and how many rows it has at most.

    ``grows``: its energies and masses are what was added in the period, no counter readings. ``sure``: what
    its columns are is documented and was seen.
    """

    logger: str
    fields: tuple[Field, ...]
    depth: int
    grows: bool = False
    customer_first: bool = False  # the first line begins with the customer number
    sure: bool = True

    @property
    def fills(self) -> bool:
        """Whether it is full one day: only of a young meter, or broken off, it has fewer lines."""
        return self.logger != "info"

    @property
    def line_length(self) -> int:
        """Bytes of a line: each field with its blank, and the CR."""
        return sum(field.width + 1 for field in self.fields) + 1


_DATE = Field("date")
_ENERGY = Field("energy", Measure.ENERGY, "heat_energy")
_VOLUME = Field("volume", Measure.VOLUME, "volume")
_TARIFFS_AND_INPUTS = (Field("TA2"), Field("TA3"), Field("input_a"), Field("input_b"))
_MONTH = (
    _DATE,
    _ENERGY,
    _VOLUME,
    *_TARIFFS_AND_INPUTS,
    Field("peak_power", Measure.POWER, "power_maximum_month"),
)


def _untold(first: int, last: int) -> tuple[Field, ...]:
    return tuple(Field(f"field_{number}") for number in range(first, last + 1))


def _growth(period: str) -> tuple[Field, ...]:
    """The columns of days and hours: what was added, and means weighted by nothing that is told."""
    return (
        _DATE,
        Field("energy_E1_E2", Measure.ENERGY, "heat_energy", 5),
        Field("mass1", Measure.MASS, "mass", 5),
        Field("mass2", Measure.MASS, "mass_2", 5),
        Field("input_a", width=5),
        Field("input_b", width=5),
        Field("p1", Measure.MOMENTARY, width=5),
        Field("p2", Measure.MOMENTARY, width=5),
        Field("t1", Measure.TEMPERATURE, f"flow_temperature_average_{period}", 5),
        Field("t3", Measure.TEMPERATURE, f"temperature_t3_average_{period}", 5),
        Field("t2", Measure.TEMPERATURE, f"return_temperature_average_{period}", 5),
        Field("info", Measure.CODE, "info_code"),
    )


LOG_PLANS: Mapping[str, LogPlan] = MappingProxyType(
    {
        "#5": LogPlan("month", _MONTH, 31, customer_first=True),
        "#6": LogPlan("day", _growth("day"), 60, grows=True),
        "#7": LogPlan("hour", _growth("hour"), 960, grows=True),
        "#8": LogPlan("month", (_DATE, _ENERGY, _VOLUME, *_untold(4, 12)), 36, sure=False),
        "#9": LogPlan("year", (_DATE, _ENERGY, _VOLUME, *_untold(4, 13)), 15, sure=False),
        "#J": LogPlan("info", (Field("info", Measure.CODE, "info_code"), _DATE, Field("clock"), _ENERGY), 10),
    }
)
"""The tables by the request that brings them (5511-634 §4; the depths from its section on data loggers)."""
