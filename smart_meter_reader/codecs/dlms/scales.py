"""What one step of a number is worth where the meter does not say: by make and model, or by a setting.

Layouts b, c and d often carry neither scaler nor unit, and the same code is 0.1 V in one model and 1 V in
another. So the table goes by what a list tells of its meter; ``plausibility`` then looks whether that
can be right.

Sources: Kaifa's and Kamstrup's HAN descriptions (NVE); Kamstrup's counters are in Wh in Sweden and
Switzerland (amsreader-firmware #239, #359, #874; amshan-homeassistant #43), which the type number tells
as far as it is known; the Swiss list (VSE 2026) and captures of E360, E450, E570 and AM550; EG.D's
description of XT211.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType
from typing import Final, NamedTuple

from smart_meter_reader.codecs.dlms.layouts import Layout
from smart_meter_reader.quantities import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberSteps:
    """What one step is worth, in Wh or varh, W or var or VA, V and A; None: not known."""

    energy: Decimal | None = Decimal(1)
    power: Decimal | None = Decimal(1)
    voltage: Decimal | None = None
    current: Decimal | None = None
    power_factor: Decimal | None = None

    def of(self, kind: Kind) -> Decimal | None:
        """The step of a quantity of this kind; None when it is not known."""
        if kind in _ENERGIES:
            return self.energy
        if kind in _POWERS:
            return self.power
        others = {
            Kind.VOLTAGE: self.voltage,
            Kind.CURRENT: self.current,
            Kind.POWER_FACTOR: self.power_factor,
        }
        return others.get(kind)

    def overridden(self, own: OwnSteps) -> NumberSteps:
        """With what the settings say in place of the table's."""
        told = {name: step for name, step in own._asdict().items() if step is not None}
        return replace(self, **told) if told else self


class OwnSteps(NamedTuple):
    """What the settings say of steps; None leaves it to the table."""

    energy: Decimal | None = None
    power: Decimal | None = None
    voltage: Decimal | None = None
    current: Decimal | None = None


_ENERGIES: Final = frozenset({Kind.ENERGY, Kind.REACTIVE_ENERGY})
_POWERS: Final = frozenset({Kind.POWER, Kind.REACTIVE_POWER, Kind.APPARENT_POWER})
UNIT_OF_STEPS: Final[Mapping[Kind, str]] = MappingProxyType(
    {
        Kind.ENERGY: "Wh",
        Kind.REACTIVE_ENERGY: "varh",
        Kind.POWER: "W",
        Kind.REACTIVE_POWER: "var",
        Kind.APPARENT_POWER: "VA",
        Kind.VOLTAGE: "V",
        Kind.CURRENT: "A",
        Kind.POWER_FACTOR: "",
        Kind.FREQUENCY: "Hz",
    }
)
"""The unit that the steps of a kind are in."""

_TENTH, _HUNDREDTH, _THOUSANDTH = Decimal("0.1"), Decimal("0.01"), Decimal("0.001")
_ONE, _TEN = Decimal(1), Decimal(10)

KAIFA: Final = NumberSteps(voltage=_TENTH, current=_THOUSANDTH, power_factor=_THOUSANDTH)
KAMSTRUP: Final = NumberSteps(voltage=_ONE, current=_HUNDREDTH, power_factor=_HUNDREDTH)
KAMSTRUP_TENS: Final = replace(KAMSTRUP, energy=_TEN)
WHOLE_VOLTS: Final = NumberSteps(voltage=_ONE, current=_HUNDREDTH, power_factor=_THOUSANDTH)
TENTHS_OF_VOLTS: Final = replace(WHOLE_VOLTS, voltage=_TENTH)
NO_OWN_STEPS: Final = OwnSteps()
SWISS: Final = NumberSteps(current=_HUNDREDTH, power_factor=_THOUSANDTH)
UNKNOWN: Final = NumberSteps()
"""Powers and energies in whole W and Wh; nothing is said of the others."""


# What a low voltage network has, and the steps that bring a number there: no two of them do so for the same.
_RANGES: Final[Mapping[Kind, tuple[Decimal, Decimal]]] = MappingProxyType(
    {Kind.VOLTAGE: (Decimal(180), Decimal(280)), Kind.FREQUENCY: (Decimal(45), Decimal(65))}
)
_STEPS_OF_RANGES: Final = (_ONE, _TENTH, _HUNDREDTH)


def step_by_range(kind: Kind, numbers: Collection[Decimal]) -> Decimal | None:
    """The one step with which all these numbers of a list are what a house has; None: none has it.

    For voltages (180 to 280 V) and frequencies (45 to 65 Hz) of models that are in no table. A phase that is
    not there has 0, which says nothing.
    """
    told = [each for each in numbers if each]
    if kind not in _RANGES or not told:
        return None
    low, high = _RANGES[kind]
    return next((step for step in _STEPS_OF_RANGES if all(low <= each * step <= high for each in told)), None)


class Telling(NamedTuple):
    """What a list tells of its meter, "" where it does not."""

    list_name: str  # KFM_001, Kamstrup_V0001
    device_name: str  # the COSEM logical device name: LGZ1030..., ISK1030...
    type_number: str  # Kamstrup's
    manufacturer: str  # three letters, of the system title or the device name
    make: str  # of the positional table
    layout: Layout


# Kamstrup: 68411.1BN243... is sold in Norway, ...245... in Sweden, ...240... in Switzerland.
_KAMSTRUP_IN_WH = re.compile(r"6841[0-9]{3}BN24[05]")
# Landis+Gyr names its devices by type: LGZ 1030 1.. is an E360, 6.. an E450, 7.. an E570.
_LANDIS_TENTHS = re.compile(r"LGZ10301")


def number_steps(telling: Telling) -> NumberSteps:
    """The line of the table for a meter; ``UNKNOWN`` where there is none."""
    if telling.list_name.startswith("KFM") or telling.make == "kaifa":
        return KAIFA
    if telling.list_name.startswith("Kamstrup"):
        return KAMSTRUP if _KAMSTRUP_IN_WH.match(telling.type_number) else KAMSTRUP_TENS
    if telling.manufacturer in ("LGZ", "LSE", "ELS") or telling.make == "landis+gyr":
        return TENTHS_OF_VOLTS if _LANDIS_TENTHS.match(telling.device_name) else WHOLE_VOLTS
    if telling.manufacturer == "ISK" or telling.make == "iskra":
        return TENTHS_OF_VOLTS
    # The Swiss list: volts differ from model to model, amperes do not.
    return SWISS if telling.layout == "push objects" else UNKNOWN
