"""What the lines of a telegram mean: OBIS code to quantity, type and role.

Our own table comes first: the codes that all meters share (``codecs.obis``), those of the P1 specifications,
and those that are known to be no quantity of ours. dsmr-parser is asked for a code that it lacks: a line that
has the same name there as one of ours means the same (``dsmr_names``). Only what neither knows stays without
a meaning. A code is looked at once; a telegram then costs one dict look-up per line.

P1 specifications: DSMR 5.0.2 P1, section 6.12; eMUCS-P1 2.1 (BE); Luxembourg P1 1.1.3; and what E.ON (HU),
ESO (LT), Aidon (SE) and EasyMeter (Q3D, DE) tell of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from smart_meter_reader.codecs.obis import FURTHER_TARIFFS, PHASES, is_stored, with_own
from smart_meter_reader.exceptions import MeterReaderError
from smart_meter_reader.quantities import QUANTITIES, Kind

# code: a number where it is one ("0002"), text where a meter writes words ("TARIFF 1", "ON");
# octets: text written as pairs of hexadecimal digits.
ValueType = Literal["number", "integer", "code", "octets", "text"]
Role = Literal[
    "", "time", "clock", "date", "version", "serial", "device_name", "log", "months", "peak", "mbus", "first"
]

_CODE = re.compile(
    r"([0-9]{1,3})(?:-([0-9]{1,3}))?:([0-9]{1,3})[.:]([0-9]{1,3})\.([0-9]{1,3})(?:[.*]([0-9]{1,3}))?",
    re.ASCII,
)
_TOTAL = 255  # as E
_MAX_CODES = 1024  # a telegram has some 60 codes; what noise brings must not add up


class Meaning(NamedTuple):
    """What one OBIS code means: the quantity ("" = none of ours), its type, and what else it serves."""

    quantity: str
    value_type: ValueType
    role: Role
    group: tuple[int, int]  # A and B of A-B:C.D.E; the device it belongs to when the role is "mbus"
    reduced: str  # C.D.E


class ElectricityCode(NamedTuple):
    """What a line of the electricity meter means, whatever its channel."""

    quantity: str = ""
    value_type: ValueType = "text"
    role: Role = ""


class CodeTableError(MeterReaderError):
    """dsmr-parser has to be asked: call ``Further.load`` off the event loop, then do the same again."""


# What only the specifications of P1 say.
_ELECTRICITY: Final = {
    "1.6.0": "active_demand_import_maximum",  # eMUCS-P1: of this month
    **{f"{12 + more}.24.0": f"voltage_average_l{phase}" for phase, more in PHASES.items()},  # ESO
    "96.5.5": "equipment_state",  # Q3D
    # IEC 62056-61: E is the rate, and some meters of Lithuania number a second set so.
    **{
        f"{c}.8.{rate}": f"active_energy_{way}_tariff_{rate}"
        for c, way in ((1, "import"), (2, "export"))
        for rate in FURTHER_TARIFFS
    },
    "94.32.1": "grid_type",  # eMUCS-P1: 230 is three phases without neutral, 400 with it
    # ESO: averages of the measurement period; how long and how strong the last sag and swell were.
    "0.8.2": "measurement_period",
    "1.24.0": "active_power_import_average",
    "2.24.0": "active_power_export_average",
    "15.24.0": "active_power_sum_average",
    "16.24.0": "active_power_net_average",
    **{
        f"{12 + more}.{d}.0": f"voltage_{what}_l{phase}"
        for phase, more in PHASES.items()
        for d, what in (
            (33, "sag_duration"),
            (34, "sag_magnitude"),
            (37, "swell_duration"),
            (38, "swell_magnitude"),
        )
    },
}
_ABSTRACT: Final = {
    "17.0.0": "active_power_threshold",  # DSMR, E.ON
    "96.50.68": "switch_position",  # E.ON: the breaker, which Wasion and others tell at 96.3.10
    "96.14.1": "second_tariff",  # ESO, beside rates 11 to 13
    **{f"96.13.{number}": f"text_message_{number}" for number in (2, 3, 4, 5)},  # Luxembourg
}

_ROLES: Final[Mapping[str, Role]] = MappingProxyType(
    {
        "0-0:1.0.0": "time",
        "1-3:0.2.8": "version",
        "0-0:96.1.4": "version",  # eMUCS-P1
        "0-0:96.1.1": "serial",
        "1-0:0.0.0": "serial",  # Q3D
        "0-0:0.0.0": "serial",  # Hager
        "0-0:96.1.255": "serial",  # Q3D
        "0-0:96.1.0": "serial",  # E.ON
        "0-0:42.0.0": "device_name",  # Luxembourg, E.ON
        "1-0:99.97.0": "log",
        "1-0:1.6.0": "peak",
        "0-0:98.1.0": "months",  # eMUCS-P1: peaks; E.ON: registers
        "1-0:0.9.1": "clock",  # Iskraemeco, where 0-0:1.0.0 is missing
        "1-0:0.9.2": "date",
        "0-0:0.9.1": "clock",
        "0-0:0.9.2": "date",
    }
)

# Lines that tell nothing of ours. Without them here dsmr-parser would be asked, which costs memory and, for
# the first three, would be wrong.
_NOTHING: Final = (
    *("0-0:0.2.8", "1-0:0.2.8"),  # ESO numbers its firmware so; the version of P1 is 1-3:0.2.8
    "1-1:31.4.0",  # Luxembourg: a pair of limits, though Switzerland writes 1-1 for 1-0
    "0-0:96.1.2",  # eMUCS-P1: EAN
    "1-0:0.2.0",  # ESO: firmware
    "1-0:99.1.0",  # ESO: the last quarter of an hour of its load profile, which is history and no reading
    "0-0:25.1.0",  # Iskraemeco: modem
    *(f"0-0:94.98.{e}" for e in (31, 32, 33)),  # Elgama in Poland: codes that no public source explains
)

_TYPES: Final[Mapping[Kind, ValueType]] = MappingProxyType(
    {Kind.COUNT: "integer", Kind.CODE: "code", Kind.TEXT: "octets"}
)


def _known() -> dict[str, ElectricityCode]:
    tables = with_own({0: _ABSTRACT, 1: _ELECTRICITY})
    quantities = {f"{a}-0:{code}": key for a in (1, 0) for code, key in tables[a].items()}
    known = {code: ElectricityCode() for code in _NOTHING}
    known |= {code: ElectricityCode(role=role) for code, role in _ROLES.items()}
    for code, key in quantities.items():
        value_type = _TYPES.get(QUANTITIES[key].kind, "number")
        known[code] = ElectricityCode(key, value_type, _ROLES.get(code, ""))
    # A bit field in hexadecimal digits: 0x82 is not eighty-two.
    known["1-0:96.5.5"] = ElectricityCode("equipment_state", "text")
    return known


RELAYS: Final = (1, 2, 3, 4)
"""Channels on which 96.3.10 is a relay of the electricity meter, whatever device has that channel on M-Bus.

Luxembourg P1 1.1.3, "Relay 1 control state"; Fluvius sends all four without any device.
"""

KNOWN: Final[Mapping[str, ElectricityCode]] = MappingProxyType(_known())
"""Our table, by A-B:C.D.E. Channel 0 stands for all from 0 to 9 that have no line of their own."""


class Further:
    """dsmr-parser's table, for the codes that ours lacks; imported when the first such code comes.

    That takes a tenth of a second on a PC, seconds on the smallest Raspberry Pi, and 14 MiB. With ``aside``
    such a code raises CodeTableError instead, so that who reads a line can import it off the event loop.
    """

    def __init__(self, *, aside: bool = False) -> None:
        self._aside = aside
        self._look_up: Callable[[str], ElectricityCode] | None = None

    def load(self) -> Callable[[str], ElectricityCode]:
        """Import the table; a thread may do so."""
        from smart_meter_reader.codecs.p1.dsmr_names import look_up

        self._look_up = look_up
        return look_up

    def look_up(self, code: str) -> ElectricityCode:
        """What dsmr-parser makes of a code, A-B:C.D.E."""
        if self._look_up is None and self._aside:
            raise CodeTableError(f"dsmr-parser has to be asked for {code}")
        return (self._look_up or self.load())(code)


class Meanings(dict[str, Meaning]):
    """The meanings of the codes seen so far; a new code is looked up in the tables once."""

    def __init__(self, further: Further) -> None:
        super().__init__()
        self._further = further

    def __missing__(self, code: str) -> Meaning:
        meaning = _meaning(code, self._further)
        if len(self) >= _MAX_CODES:
            self.clear()
        self[code] = meaning
        return meaning


def _meaning(code: str, further: Further) -> Meaning:
    parts = _CODE.fullmatch(code)
    if parts is None:
        return Meaning("", "text", "", (0, 0), "")
    # Hager leaves out the channel: 0:0.0.0.
    a, b, c, d, e = (int(part or 0) for part in parts.groups()[:5])
    reduced = f"{c}.{d}.{e}"
    if is_stored(parts[6]):
        # PAFAL and EMH mark the current value *00 where they number billing periods from 1.
        role: Role = "first" if a == 1 and int(parts[6]) == 0 else ""
        return Meaning("", "text", role, (a, b), reduced)
    if a == 0 and b in RELAYS and reduced == "96.3.10":
        return Meaning(f"relay_{b}_position", "code", "", (0, 0), reduced)
    # A names the medium: 5 to 8 are the heat, cold, gas and water meters of DSMR 2.2, without a channel.
    if (a == 0 and b) or 5 <= a <= 8:
        return Meaning("", "text", "mbus", (a, b), reduced)
    known = KNOWN.get(f"{a}-{b}:{reduced}")
    if known is None and b <= 9:
        known = KNOWN.get(f"{a}-0:{reduced}")
    if known is None and e == _TOTAL:
        # EasyMeter's Q3D, before it wrote 0 as all others do: 1.7.255 is the power over all tariffs, 1.7.0.
        known = KNOWN.get(f"{a}-{b}:{c}.{d}.0")
    if known is None:
        known = further.look_up(f"{a}-{b}:{reduced}")
    return Meaning(known.quantity, known.value_type, known.role, (a, b), reduced)
