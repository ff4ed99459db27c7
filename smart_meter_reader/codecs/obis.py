"""What OBIS codes measure: the tables, one for each medium, that all codecs with such codes share.

A code is ``A-B:C.D.E*F``. A names the medium and so the table, which leads from C.D.E to the key of a
quantity in the catalogue, whose kind tells what units fit. B, the channel, and F, an earlier billing period,
are for the codec to judge.

What a code means in one country, for one make or in one protocol only does not belong here but to the codec
that meets it, which lays its own lines over these (``with_own``)::

    _TABLES = with_own({1: {"1.6.0": "active_demand_import_maximum", "15.7.0": ""}})
    quantity_of(code, _TABLES)

Its line counts where both have one, and "" takes a meaning away. Nothing else of the tables changes, for no
other codec; a protocol that writes codes of its own (C.D without E) adds them in the same way.

Sources: IEC 62056-61 and its successor IEC 62056-6-1, value groups C, D and E; DLMS UA blue book, part 1.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple, TypeAlias

from smart_meter_reader.exceptions import ValueFormatError

CURRENT: Final = 255
"""F of the value that holds now, where a meter writes it; without F it is the same."""


def is_stored(period: str | None) -> bool:
    """Whether F, as the meter writes it, names an earlier billing period: never a value of now.

    IEC 62056-61, value group F: 0 to 99 are periods that have ended, 101 to 125 the newest of them.
    """
    return period is not None and int(period) != CURRENT


PHASES: Final = {1: 20, 2: 40, 3: 60}
"""What C has more for L1, L2 and L3 than for the sum: 1.7.0 is all active power, 21.7.0 that of L1."""

TARIFFS: Final = (1, 2, 3, 4)
FURTHER_TARIFFS: Final = (11, 12, 13)
"""Rates that only some meters number so."""

# C of the sums over all phases. D: 4 is demand, the average of the period that runs; 7 the value at this
# moment; 8 the total since the meter was made, by tariffs in E with 0 for all of them.
_SUMS: Final = {
    1: ("active", "import"),
    2: ("active", "export"),
    3: ("reactive", "import"),
    4: ("reactive", "export"),
    9: ("apparent", "import"),
    10: ("apparent", "export"),
}
_QUADRANTS: Final = {5: "q1", 6: "q2", 7: "q3", 8: "q4"}


def _electricity() -> Iterator[tuple[str, str]]:
    for c, (power, way) in _SUMS.items():
        yield f"{c}.4.0", f"{power}_demand_{way}"
        yield f"{c}.7.0", f"{power}_power_{way}"
        for phase, more in PHASES.items():
            yield f"{c + more}.7.0", f"{power}_power_{way}_l{phase}"
        if power != "apparent":
            yield f"{c}.8.0", f"{power}_energy_{way}"
            for tariff in TARIFFS:
                yield f"{c}.8.{tariff}", f"{power}_energy_{way}_tariff_{tariff}"
        if power == "active":
            for phase, more in PHASES.items():
                yield f"{c + more}.8.0", f"{power}_energy_{way}_l{phase}"
    for phase, more in PHASES.items():
        yield f"{16 + more}.7.0", f"active_power_net_l{phase}"
    for c, quadrant in _QUADRANTS.items():
        yield f"{c}.7.0", f"reactive_power_{quadrant}"
        yield f"{c}.8.0", f"reactive_energy_{quadrant}"
    for phase, more in PHASES.items():
        yield f"{11 + more}.4.0", f"current_average_l{phase}"
        yield f"{11 + more}.7.0", f"current_l{phase}"
        yield f"{12 + more}.7.0", f"voltage_l{phase}"
        yield f"{13 + more}.7.0", f"power_factor_l{phase}"
        # D: 32 counts the times below a limit, 36 those above it.
        yield f"{12 + more}.32.0", f"voltage_sags_l{phase}"
        yield f"{12 + more}.36.0", f"voltage_swells_l{phase}"


ELECTRICITY: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict(_electricity()),
        "11.7.0": "current",
        "12.7.0": "voltage",
        "13.3.0": "power_factor_minimum",
        "13.7.0": "power_factor",
        "14.7.0": "frequency",
        "15.7.0": "active_power_sum",
        "15.8.0": "active_energy_sum",
        "16.7.0": "active_power_net",
        "90.7.0": "current_sum",
        "91.7.0": "current_neutral",
        # C = 81: the angle between the two of which E has the numbers, tens from units. 0 to 2 are the
        # voltages, 4 to 6 the currents of L1 to L3.
        "81.7.1": "voltage_angle_l2",
        "81.7.2": "voltage_angle_l3",
        "81.7.4": "phase_angle_l1",
        "81.7.15": "phase_angle_l2",
        "81.7.26": "phase_angle_l3",
    }
)
"""A = 1."""

HEAT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "1.0.0": "heat_energy",
        "1.8.0": "heat_energy",
        "2.0.0": "volume",
        "8.0.0": "power",
        "9.0.0": "volume_flow",
        "10.0.0": "flow_temperature",
        "11.0.0": "return_temperature",
        "12.0.0": "temperature_difference",
    }
)
"""A = 6."""

ABSTRACT: Final[Mapping[str, str]] = MappingProxyType(
    {
        "96.3.10": "switch_position",
        "96.7.9": "long_power_failures",
        "96.7.21": "power_failures",
        "96.13.0": "text_message",
        "96.13.1": "text_message_code",
        "96.14.0": "tariff",
    }
)
"""A = 0: general and service entries, which belong to no medium."""

Tables: TypeAlias = Mapping[int, Mapping[str, str]]
"""By A: the key of a quantity by C.D.E."""

TABLES: Final[Tables] = MappingProxyType(
    {
        0: ABSTRACT,
        1: ELECTRICITY,
        # Cooling counts as heat does.
        5: MappingProxyType({**HEAT, "1.0.0": "cooling_energy", "1.8.0": "cooling_energy"}),
        6: HEAT,
        7: MappingProxyType({"3.0.0": "gas_volume"}),
        8: MappingProxyType({"1.0.0": "water_volume"}),
        9: MappingProxyType({"1.0.0": "water_volume"}),
    }
)
"""All that the standard says. A: 7 is gas, as the meter counts it; 8 is cold and 9 hot water."""


def with_own(own: Tables) -> Tables:
    """The tables with the lines of a codec of its own laid over them; "" takes a meaning away."""
    laid = {a: MappingProxyType({**TABLES.get(a, {}), **lines}) for a, lines in own.items()}
    return MappingProxyType({**TABLES, **laid})


class ObisCode(NamedTuple):
    """A code as protocols of octets send it (SML, DLMS): one octet for each letter."""

    a: int
    b: int
    c: int
    d: int
    e: int
    f: int

    @classmethod
    def from_octets(cls, octets: bytes) -> ObisCode:
        """The code in six octets. Raises ValueFormatError for any other number of them."""
        if len(octets) != _OCTETS:
            raise ValueFormatError(f"an OBIS code has six octets, not {len(octets)}: {octets.hex()}")
        return cls(*octets)

    @property
    def reduced(self) -> str:
        """``C.D.E``"""
        return f"{self.c}.{self.d}.{self.e}"

    @property
    def stored(self) -> bool:
        """Whether it is an earlier period's: never a value of now."""
        return self.f != CURRENT

    def __str__(self) -> str:
        """``A-B:C.D.E``, with ``*F`` where F is not 255."""
        short = f"{self.a}-{self.b}:{self.c}.{self.d}.{self.e}"
        return f"{short}*{self.f}" if self.f != CURRENT else short


_OCTETS: Final = 6


def quantity_of(code: ObisCode, tables: Tables = TABLES) -> str:
    """The quantity that a code measures now, on whatever channel; "" for none and for an earlier period.

    Whether the unit that the meter sends fits it is still to be asked (``quantities.units.measures``).
    """
    return "" if code.stored else tables.get(code.a, {}).get(code.reduced, "")
