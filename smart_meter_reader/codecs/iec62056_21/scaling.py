"""Units and decimals of MULTICAL short answers: from the meter's B and CCC codes, its readout, or settings.

Published readers disagree by factors of ten because each has the numbers of one meter written in. The meter
tells them itself: B is the energy unit, CCC the resolution (5511-634 C1, tables 2.2.1.1 and 2.2.1.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from smart_meter_reader.codecs.iec62056_21.codes import quantity_of
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.text import is_digits

Scale: TypeAlias = tuple[str, int]
"""A unit and the number of decimals; -1 decimals: the meter counts tens of the unit."""

ENERGY_UNITS: Mapping[int, str] = MappingProxyType({2: "GJ", 3: "kWh", 4: "MWh", 5: "Gcal"})
"""The energy unit by the B code."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaling:
    """Unit and decimals of what a short answer holds; None where nothing has told them."""

    energy: Scale | None = None
    volume: Scale | None = None
    flow: Scale | None = None
    power: Scale | None = None

    @property
    def mass(self) -> Scale | None:
        """Masses (t) have the resolution of volumes (m³)."""
        return ("t", self.volume[1]) if self.volume else None

    def completed_by(self, other: Scaling) -> Scaling:
        """This one, with what it does not know taken from another."""
        return Scaling(
            energy=self.energy or other.energy,
            volume=self.volume or other.volume,
            flow=self.flow or other.flow,
            power=self.power or other.power,
        )

    def unknown(self) -> tuple[str, ...]:
        """What nothing has told: "energy", "volume", "flow", "power"."""
        told = {"energy": self.energy, "volume": self.volume, "flow": self.flow, "power": self.power}
        return tuple(name for name, scale in told.items() if scale is None)


@dataclass(frozen=True, slots=True)
class ProgramNumber:
    """A, B and CCC of a meter's programming: flow sensor's place, energy unit, resolution."""

    a: int
    b: int
    ccc: str


def parse_program(text: str) -> ProgramNumber:
    """The program from a field: "0044119" (ABCCC of #2) or "44119119" (ABCCCCCC of #D).

    Raises ValueFormatError when it is neither.
    """
    # ABCCC is zero-padded to the seven digits of every field; A is 3 or 4 and never 0.
    code = text[2:] if len(text) == 7 and text.startswith("00") else text
    if len(code) not in (5, 8) or not is_digits(code):
        raise ValueFormatError(f"{text!r} is no program number ABCCC or ABCCCCCC")
    return ProgramNumber(int(code[0]), int(code[1]), code[2:5])


# Decimals by CCC: kWh, MWh or Gcal, GJ, m³, then flow and power, each with its unit.
_FINE = (0, 3, 2, 2, ("L/h", 0), ("kW", 1))
_MEDIUM = (None, 2, 1, 1, ("L/h", 0), ("kW", 1))
_COARSE = (None, 1, 0, 0, ("m³/h", 2), ("MW", 3))
_COARSEST = (None, 0, -1, -1, ("m³/h", 1), ("MW", 2))

_Decimals: TypeAlias = tuple[int | None, int, int, int, Scale, Scale]

_CCC: Mapping[str, _Decimals] = MappingProxyType(
    {
        **dict.fromkeys(("116", "197", "119", "198", "136"), _FINE),
        **dict.fromkeys(("151", "137", "178", "120", "179"), _MEDIUM),
        "158": (None, 1, 0, 0, ("m³/h", 2), ("kW", 0)),
        **dict.fromkeys(("170", "180", "147", "181"), _COARSE),
        **dict.fromkeys(("171", "172", "182"), _COARSEST),
    }
)


def scaling_of_program(program: ProgramNumber) -> Scaling:
    """What B and CCC tell; nothing of a CCC that is not in the table of MULTICAL 66-CDE."""
    decimals = _CCC.get(program.ccc)
    if decimals is None:
        return Scaling()
    kwh, mwh, gj, m3, flow, power = decimals
    unit = ENERGY_UNITS.get(program.b, "")
    energy_decimals = {"kWh": kwh, "MWh": mwh, "Gcal": mwh, "GJ": gj}.get(unit)
    energy = (unit, energy_decimals) if energy_decimals is not None else None
    return Scaling(energy=energy, volume=("m³", m3), flow=flow, power=power)


def scaling_of_readout(sets: Iterable[DataSet]) -> Scaling:
    """What a readout's data sets tell: 6.8(0456.631*GJ) has three decimals and counts GJ."""
    found: dict[str, Scale] = {}
    for data_set in sets:
        value = data_set.values[0]
        quantity = quantity_of(data_set.code, value)
        if quantity in ("heat_energy", "volume"):
            decimals = len(value.text.replace(",", ".").partition(".")[2])
            found["energy" if quantity == "heat_energy" else "volume"] = (value.spelled_unit, decimals)
    return Scaling(**found)
