"""What the lines of a telegram mean: OBIS code to quantity, from dsmr-parser's specifications and our own.

dsmr-parser says which line carries what (its references) and of which type the value is (its value
parsers), for all the national versions it knows; they agree with each other, so that one table serves all
and nobody has to choose a version. ``_NAMED`` translates its names into our quantities. ``_FURTHER``
adds lines of which it knows nothing: Lithuanian ESO, Aidon (SE), eMUCS-P1 2.1 (BE), and reduced codes by
IEC 62056-61 in general. A code is looked at once; a telegram then costs one dict look-up per line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from dsmr_parser import telegram_specifications

# code: a number where it is one ("0002"), text where a meter writes words ("TARIFF 1", "ON");
# octets: text written as pairs of hexadecimal digits.
ValueType = Literal["number", "integer", "code", "octets", "text"]
Role = Literal["", "time", "version", "serial", "device_name", "log", "peak", "mbus"]

_CODE = re.compile(
    r"([0-9]{1,3})-([0-9]{1,3}):([0-9]{1,3})[.:]([0-9]{1,3})\.([0-9]{1,3})(?:[.*][0-9]{1,3})?", re.ASCII
)
_MAX_CODES = 1024  # a telegram has some 60 codes; what noise brings must not add up


class Meaning(NamedTuple):
    """What one OBIS code means: the quantity ("" = none of ours), its type, and what else it serves."""

    quantity: str
    value_type: ValueType
    role: Role
    group: tuple[int, int]  # A and B of A-B:C.D.E; the device it belongs to when the role is "mbus"
    reduced: str  # C.D.E


_NAMED: Final = {
    "ELECTRICITY_IMPORTED_TOTAL": "active_energy_import",
    "ELECTRICITY_EXPORTED_TOTAL": "active_energy_export",
    "ELECTRICITY_USED_TARIFF_1": "active_energy_import_tariff_1",
    "ELECTRICITY_USED_TARIFF_2": "active_energy_import_tariff_2",
    "ELECTRICITY_USED_TARIFF_3": "active_energy_import_tariff_3",
    "ELECTRICITY_USED_TARIFF_4": "active_energy_import_tariff_4",
    "ELECTRICITY_DELIVERED_TARIFF_1": "active_energy_export_tariff_1",
    "ELECTRICITY_DELIVERED_TARIFF_2": "active_energy_export_tariff_2",
    "ELECTRICITY_DELIVERED_TARIFF_3": "active_energy_export_tariff_3",
    "ELECTRICITY_DELIVERED_TARIFF_4": "active_energy_export_tariff_4",
    "ELECTRICITY_COMBINED": "active_energy_sum",
    "ELECTRICITY_REACTIVE_IMPORTED_TOTAL": "reactive_energy_import",
    "ELECTRICITY_REACTIVE_IMPORTED_TARIFF_1": "reactive_energy_import_tariff_1",
    "ELECTRICITY_REACTIVE_IMPORTED_TARIFF_2": "reactive_energy_import_tariff_2",
    "ELECTRICITY_REACTIVE_EXPORTED_TOTAL": "reactive_energy_export",
    "ELECTRICITY_REACTIVE_EXPORTED_TARIFF_1": "reactive_energy_export_tariff_1",
    "ELECTRICITY_REACTIVE_EXPORTED_TARIFF_2": "reactive_energy_export_tariff_2",
    "ELECTRICITY_REACTIVE_TOTAL_Q1": "reactive_energy_q1",
    "ELECTRICITY_REACTIVE_TOTAL_Q2": "reactive_energy_q2",
    "ELECTRICITY_REACTIVE_TOTAL_Q3": "reactive_energy_q3",
    "ELECTRICITY_REACTIVE_TOTAL_Q4": "reactive_energy_q4",
    "CURRENT_ELECTRICITY_USAGE": "active_power_import",
    "CURRENT_ELECTRICITY_DELIVERY": "active_power_export",
    "CURRENT_REACTIVE_IMPORTED": "reactive_power_import",
    "CURRENT_REACTIVE_EXPORTED": "reactive_power_export",
    "INSTANTANEOUS_ACTIVE_POWER_L1_POSITIVE": "active_power_import_l1",
    "INSTANTANEOUS_ACTIVE_POWER_L2_POSITIVE": "active_power_import_l2",
    "INSTANTANEOUS_ACTIVE_POWER_L3_POSITIVE": "active_power_import_l3",
    "INSTANTANEOUS_ACTIVE_POWER_L1_NEGATIVE": "active_power_export_l1",
    "INSTANTANEOUS_ACTIVE_POWER_L2_NEGATIVE": "active_power_export_l2",
    "INSTANTANEOUS_ACTIVE_POWER_L3_NEGATIVE": "active_power_export_l3",
    "INSTANTANEOUS_REACTIVE_POWER_L1_POSITIVE": "reactive_power_import_l1",
    "INSTANTANEOUS_REACTIVE_POWER_L2_POSITIVE": "reactive_power_import_l2",
    "INSTANTANEOUS_REACTIVE_POWER_L3_POSITIVE": "reactive_power_import_l3",
    "INSTANTANEOUS_REACTIVE_POWER_L1_NEGATIVE": "reactive_power_export_l1",
    "INSTANTANEOUS_REACTIVE_POWER_L2_NEGATIVE": "reactive_power_export_l2",
    "INSTANTANEOUS_REACTIVE_POWER_L3_NEGATIVE": "reactive_power_export_l3",
    "INSTANTANEOUS_REACTIVE_POWER_Q1": "reactive_power_q1",
    "INSTANTANEOUS_REACTIVE_POWER_Q2": "reactive_power_q2",
    "INSTANTANEOUS_REACTIVE_POWER_Q3": "reactive_power_q3",
    "INSTANTANEOUS_REACTIVE_POWER_Q4": "reactive_power_q4",
    "MSN_INSTANTANEOUS_APPARENT_POWER_POSITIVE": "apparent_power_import",
    "MSN_INSTANTANEOUS_APPARENT_POWER_NEGATIVE": "apparent_power_export",
    "BELGIUM_CURRENT_AVERAGE_DEMAND": "active_demand_import",
    "BELGIUM_MAXIMUM_DEMAND_MONTH": "active_demand_import_maximum",
    "INSTANTANEOUS_VOLTAGE_L1": "voltage_l1",
    "INSTANTANEOUS_VOLTAGE_L2": "voltage_l2",
    "INSTANTANEOUS_VOLTAGE_L3": "voltage_l3",
    "INSTANTANEOUS_CURRENT_L1": "current_l1",
    "INSTANTANEOUS_CURRENT_L2": "current_l2",
    "INSTANTANEOUS_CURRENT_L3": "current_l3",
    "INSTANTANEOUS_POWER_FACTOR_TOTAL": "power_factor",
    "INSTANTANEOUS_POWER_FACTOR_L1": "power_factor_l1",
    "INSTANTANEOUS_POWER_FACTOR_L2": "power_factor_l2",
    "INSTANTANEOUS_POWER_FACTOR_L3": "power_factor_l3",
    "FREQUENCY": "frequency",
    "ELECTRICITY_ACTIVE_TARIFF": "tariff",
    "ACTUAL_SWITCH_POSITION": "switch_position",
    "ACTUAL_TRESHOLD_ELECTRICITY": "active_power_threshold",
    "FUSE_THRESHOLD_L1": "current_threshold_l1",
    "FUSE_THRESHOLD_L2": "current_threshold_l2",
    "FUSE_THRESHOLD_L3": "current_threshold_l3",
    "SHORT_POWER_FAILURE_COUNT": "power_failures",
    "LONG_POWER_FAILURE_COUNT": "long_power_failures",
    "VOLTAGE_SAG_L1_COUNT": "voltage_sags_l1",
    "VOLTAGE_SAG_L2_COUNT": "voltage_sags_l2",
    "VOLTAGE_SAG_L3_COUNT": "voltage_sags_l3",
    "VOLTAGE_SWELL_L1_COUNT": "voltage_swells_l1",
    "VOLTAGE_SWELL_L2_COUNT": "voltage_swells_l2",
    "VOLTAGE_SWELL_L3_COUNT": "voltage_swells_l3",
    "TEXT_MESSAGE": "text_message",
    "TEXT_MESSAGE_CODE": "text_message_code",
    "MSN_TEXT_MESSAGE_2": "text_message_2",
    "MSN_TEXT_MESSAGE_3": "text_message_3",
    "MSN_TEXT_MESSAGE_4": "text_message_4",
    "MSN_TEXT_MESSAGE_5": "text_message_5",
    "Q3D_EQUIPMENT_STATE": "equipment_state",
}

_NAMED_ROLES: Final[dict[str, Role]] = {
    "P1_MESSAGE_TIMESTAMP": "time",
    "P1_MESSAGE_HEADER": "version",
    "BELGIUM_VERSION_INFORMATION": "version",
    "EQUIPMENT_IDENTIFIER": "serial",
    "BELGIUM_EQUIPMENT_IDENTIFIER": "serial",
    "EQUIPMENT_IDENTIFIER_GAS": "serial",  # 96.1.0 outside the M-Bus channels: E.ON Hungary
    "EQUIPMENT_SERIAL_NUMBER": "serial",
    "Q3D_EQUIPMENT_IDENTIFIER": "serial",
    "Q3D_EQUIPMENT_SERIALNUMBER": "serial",
    "LUXEMBOURG_EQUIPMENT_IDENTIFIER": "device_name",
    "COSEM_LOGICAL_DEVICE_NAME": "device_name",
    "POWER_EVENT_FAILURE_LOG": "log",
    "BELGIUM_MAXIMUM_DEMAND_MONTH": "peak",
}

# Names whose line means something else by its group A-B: 1-1:31.4.0 is Luxembourg's pair of limits.
_LEFT_OUT: Final = frozenset({"MSN_CT_RATIO"})

_TYPES: Final[dict[object, ValueType]] = {Decimal: "number", int: "integer", str: "text"}

# Where dsmr-parser leaves a text as it is on the wire, or its specifications differ (96.3.10, 96.13.1).
_OWN_TYPES: Final[dict[str, ValueType]] = {
    "tariff": "code",
    "switch_position": "code",
    "text_message": "octets",
    "text_message_code": "octets",
    "text_message_2": "octets",
    "text_message_3": "octets",
    "text_message_4": "octets",
    "text_message_5": "octets",
}

_FURTHER: Final[dict[str, tuple[str, ValueType]]] = {
    **{
        f"{c}.8.{tariff}": (f"{power}_{way}_tariff_{tariff}", "number")
        for c, power, way in (
            (1, "active_energy", "import"),
            (2, "active_energy", "export"),
            (3, "reactive_energy", "import"),
            (4, "reactive_energy", "export"),
        )
        for tariff in (1, 2, 3, 4)
    },
    **{
        f"{first + 20 * phase}.7.0": (f"{key}_l{phase + 1}", "number")
        for first, key in ((29, "apparent_power_import"), (30, "apparent_power_export"))
        for phase in (0, 1, 2)
    },
    **{f"{32 + 20 * phase}.24.0": (f"voltage_average_l{phase + 1}", "number") for phase in (0, 1, 2)},
    "2.4.0": ("active_demand_export", "number"),
    "3.4.0": ("reactive_demand_import", "number"),
    "4.4.0": ("reactive_demand_export", "number"),
    "9.4.0": ("apparent_demand_import", "number"),
    "10.4.0": ("apparent_demand_export", "number"),
    "11.7.0": ("current", "number"),
    "12.7.0": ("voltage", "number"),
    "13.3.0": ("power_factor_minimum", "number"),
    "15.7.0": ("active_power_sum", "number"),
    "16.7.0": ("active_power_net", "number"),
    "90.7.0": ("current_sum", "number"),
    "91.7.0": ("current_neutral", "number"),
    "96.14.1": ("", "text"),
}


class Meanings(dict[str, Meaning]):
    """The meanings of the codes seen so far; a new code is looked up in the specifications once."""

    def __missing__(self, code: str) -> Meaning:
        if len(self) >= _MAX_CODES:
            self.clear()
        meaning = self[code] = _meaning(code)
        return meaning


class _Reference(NamedTuple):
    pattern: re.Pattern[str]
    name: str
    value_type: ValueType


def _references() -> Iterator[_Reference]:
    """dsmr-parser's lines over all its specifications, each reference and name once."""
    seen: set[tuple[str, str]] = set()
    for specification in vars(telegram_specifications).values():
        if not (isinstance(specification, dict) and "objects" in specification):
            continue
        for line in specification["objects"]:
            reference, name = line["obis_reference"], line["value_name"]
            if (reference, name) in seen or name in _LEFT_OUT:
                continue
            seen.add((reference, name))
            # Their references end in ".+?\r\n", which takes 1.8.11 for 1.8.1; ours end at the bracket.
            pattern = re.compile(reference.replace(r".+?\r\n", r"\(", 1).replace(r".+?\r\n", ""), re.ASCII)
            yield _Reference(pattern, name, _value_type(line["value_parser"]))


def _value_type(value_parser: Any) -> ValueType:
    formats = getattr(value_parser, "value_formats", ())
    if not formats:
        return "text"
    return _TYPES.get(formats[-1].coerce_type, "text")


_REFERENCES: Final = tuple(_references())


def _meaning(code: str) -> Meaning:
    parts = _CODE.fullmatch(code)
    if parts is None:
        return Meaning("", "text", "", (0, 0), "")
    a, b, c, d, e = (int(part) for part in parts.groups())
    reduced = f"{c}.{d}.{e}"
    # A names the medium: 5 to 8 are the heat, cold, gas and water meters of DSMR 2.2, without a channel.
    if (a == 0 and b) or 5 <= a <= 8:
        return Meaning("", "text", "mbus", (a, b), reduced)
    quantity, value_type, role = _look_up(a, b, reduced)
    return Meaning(quantity, value_type, role, (a, b), reduced)


def _look_up(a: int, b: int, reduced: str) -> tuple[str, ValueType, Role]:
    # ESO (LT) numbers its firmware 1-0:0.2.8, which elsewhere, as 1-3:0.2.8, is the version of P1.
    if reduced == "0.2.8" and (a, b) != (1, 3):
        return "", "text", ""
    # Switzerland writes 1-1 for 1-0, but 1-1:31.4.0 is Luxembourg's pair of limits.
    if (a, b, reduced) == (1, 1, "31.4.0"):
        return "", "text", ""
    line = f"{a}-{b}:{reduced}("
    for reference in _REFERENCES:
        if reference.pattern.match(line):
            quantity = _NAMED.get(reference.name, "")
            role = _NAMED_ROLES.get(reference.name, "")
            if quantity or role:
                return quantity, _OWN_TYPES.get(quantity, reference.value_type), role
    quantity, value_type = _FURTHER.get(reduced, ("", "text"))
    return quantity, value_type, ""
