"""EDIS and OBIS codes of data sets, and our quantities for them.

A code is ``A-B:C.D.E*F`` with parts left out: the older meters write C.D.E or C.D only (EDIS, DIN 43863-3).
Sources: IEC 62056-61 tables 4 to 8 (electricity, C and D), DLMS UA blue book part 1 §7.6 (heat, A = 6),
EN 1434-3 (the two-part codes of heat meters), and Kamstrup's 382 for its 1.20 and 1.31.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, DataValue
from smart_meter_reader.text import LONGEST_NAME, printable
from smart_meter_reader.units import canonical, converts_energy

_CODE = re.compile(
    r"(?:(?P<a>\d{1,3})-(?P<b>\d{1,3}):)?"
    r"(?P<c>[0-9A-Z]{1,3})\.(?P<d>[0-9A-Z]{1,3})(?:\.(?P<e>\d{1,3}))?(?:[*&](?P<f>\d{1,3}))?",
    re.ASCII,
)

_POWER = frozenset({"W", "kW", "MW"})


@dataclass(frozen=True, slots=True)
class _Meaning:
    quantity: str
    kind: str  # what its unit must be: see _FITS


def _electricity() -> dict[str, _Meaning]:
    table = {
        "1.8": ("active_energy_import", "energy"),
        "2.8": ("active_energy_export", "energy"),
        "3.8": ("reactive_energy_import", "reactive_energy"),
        "4.8": ("reactive_energy_export", "reactive_energy"),
    }
    meanings = {
        "1.7.0": _Meaning("active_power_import", "power"),
        "2.7.0": _Meaning("active_power_export", "power"),
        "14.7.0": _Meaning("frequency", "Hz"),
        # The 382 counts energy at 1.20, its tariffs at 1.20.1 and 1.20.2, hours at 1.31.
        "1.20": _Meaning("active_energy_import", "energy"),
        "1.20.1": _Meaning("active_energy_import_tariff_1", "energy"),
        "1.20.2": _Meaning("active_energy_import_tariff_2", "energy"),
        "1.31": _Meaning("operating_hours", "h"),
    }
    for code, (quantity, kind) in table.items():
        meanings[f"{code}.0"] = _Meaning(quantity, kind)
        for tariff in (1, 2, 3, 4):
            meanings[f"{code}.{tariff}"] = _Meaning(f"{quantity}_tariff_{tariff}", kind)
    for phase, offset in ((1, 0), (2, 20), (3, 40)):
        meanings[f"{32 + offset}.7.0"] = _Meaning(f"voltage_l{phase}", "V")
        meanings[f"{31 + offset}.7.0"] = _Meaning(f"current_l{phase}", "A")
        meanings[f"{21 + offset}.7.0"] = _Meaning(f"active_power_import_l{phase}", "power")
        meanings[f"{22 + offset}.7.0"] = _Meaning(f"active_power_export_l{phase}", "power")
    return meanings


_ELECTRICITY = _electricity()

_HEAT_EDIS = {
    "6.8": _Meaning("heat_energy", "energy"),
    "6.26": _Meaning("volume", "m³"),
    "6.31": _Meaning("operating_hours", "h"),
}

_HEAT_OBIS = {
    "1.0.0": _Meaning("heat_energy", "energy"),
    "1.8.0": _Meaning("heat_energy", "energy"),
    "2.0.0": _Meaning("volume", "m³"),
    "8.0.0": _Meaning("power", "power"),
    "9.0.0": _Meaning("volume_flow", "flow"),
    "10.0.0": _Meaning("flow_temperature", "°C"),
    "11.0.0": _Meaning("return_temperature", "°C"),
    "12.0.0": _Meaning("temperature_difference", "K"),
}

# Serial numbers, by how surely the code names one: C.1.0 and 96.1.0 the device itself, 9.21 Landis+Gyr's,
# 0.0.0 and 0.0 a number that the utility gives, which on MULTICAL and 382 is the customer number.
_SERIAL_CODES = ("C.1.0", "96.1.0", "96.1.255", "9.21", "C.1", "0.0.0", "0.0")


def _fits(unit: str, kind: str) -> bool:
    if kind == "energy":
        return converts_energy(unit, "kWh")
    if kind == "power":
        return unit in _POWER
    if kind == "reactive_energy":
        return unit in ("varh", "kvarh", "Mvarh")
    if kind == "flow":
        return unit in ("L/h", "m³/h")
    return unit == kind


def reduced_code(code: str) -> str:
    """The code without A-B and without an *F of 255 ("now"): 1-0:1.8.0*255 gives 1.8.0."""
    match = _CODE.fullmatch(code)
    if match is None:
        return code
    parts = [part for part in (match["c"], match["d"], match["e"]) if part is not None]
    historic = f"*{match['f']}" if match["f"] not in (None, "255") else ""
    return ".".join(parts) + historic


def quantity_of(code: str, value: DataValue) -> str | None:
    """The quantity that a data set measures, or None. The unit must fit: 6.8 is heat, 6.8.0 is not."""
    match = _CODE.fullmatch(code)
    if match is None or match["f"] not in (None, "255") or not value.is_number:
        return None
    short = reduced_code(code)
    if match["a"] == "6" or (match["a"] is None and short in _HEAT_EDIS):
        meaning = (_HEAT_OBIS if match["a"] else _HEAT_EDIS).get(short)
    elif match["a"] in (None, "1"):
        meaning = _ELECTRICITY.get(short) or _ELECTRICITY.get(_with_total(match["c"], match["d"], match["e"]))
    else:
        meaning = None
    if meaning is None or not _fits(value.spelled_unit, meaning.kind):
        return None
    return meaning.quantity


def _with_total(c: str, d: str, e: str | None) -> str:
    """The code with E = 0, total, for one without (L+G E350: 32.7) or with 255 (Easymeter Q3D: 21.7.255)."""
    return f"{c}.{d}.0" if e in (None, "255") else ""


def measure(sets: Iterable[DataSet]) -> dict[str, tuple[Decimal, str]]:
    """Number and unit by quantity key, for the data sets whose meaning and unit are known.

    The first of two data sets with the same meaning counts: meters send the current value first.
    """
    measured: dict[str, tuple[Decimal, str]] = {}
    for data_set in sets:
        if len(data_set.values) != 1:
            continue
        value = data_set.values[0]
        quantity = quantity_of(data_set.code, value)
        if quantity is not None and quantity not in measured:
            measured[quantity] = (value.number(), canonical(value.spelled_unit))
    return measured


def serial_number(sets: Iterable[DataSet]) -> str:
    """The number that tells this meter from others, without leading zeros; "" when there is none."""
    by_code = {reduced_code(data_set.code): data_set.values[0].text for data_set in sets if data_set.values}
    for code in _SERIAL_CODES:
        text = by_code.get(code, "").strip()
        if text:
            return printable(text.lstrip("0") or "0", LONGEST_NAME)
    return ""
