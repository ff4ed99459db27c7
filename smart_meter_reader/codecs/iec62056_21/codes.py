"""EDIS and OBIS codes of data sets, and our quantities for them.

A code is ``A-B:C.D.E*F`` with parts left out: the older meters write C.D.E or C.D only (EDIS, DIN 43863-3).
``codecs.obis`` says what OBIS codes measure; here is what only this protocol has: the two-part codes of heat
meters (EN 1434-3), and 1.20 and 1.31 of Kamstrup's 382.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, DataValue
from smart_meter_reader.codecs.obis import ELECTRICITY, HEAT
from smart_meter_reader.quantities import QUANTITIES
from smart_meter_reader.quantities.units import canonical, measures
from smart_meter_reader.text import LONGEST_NAME, printable

_CODE = re.compile(
    r"(?:(?P<a>\d{1,3})-(?P<b>\d{1,3}):)?"
    r"(?P<c>[0-9A-Z]{1,3})\.(?P<d>[0-9A-Z]{1,3})(?:\.(?P<e>\d{1,3}))?(?:[*&](?P<f>\d{1,3}))?",
    re.ASCII,
)

# What is taken of the codes that all share: energies, and power, voltage, current and frequency now.
_TAKEN = re.compile(r"[1-4]\.8\.[0-4]|(?:[12]|14|[2-7][12])\.7\.0")
_ELECTRICITY = {
    **{code: quantity for code, quantity in ELECTRICITY.items() if _TAKEN.fullmatch(code)},
    # The 382 counts energy at 1.20, its tariffs at 1.20.1 and 1.20.2, hours at 1.31.
    "1.20": "active_energy_import",
    "1.20.1": "active_energy_import_tariff_1",
    "1.20.2": "active_energy_import_tariff_2",
    "1.31": "operating_hours",
}

_HEAT_EDIS = {"6.8": "heat_energy", "6.26": "volume", "6.31": "operating_hours"}

# Serial numbers, by how surely the code names one: C.1.0 and 96.1.0 the device itself, 9.21 Landis+Gyr's,
# 0.0.0 and 0.0 a number that the utility gives, which on MULTICAL and 382 is the customer number.
_SERIAL_CODES = ("C.1.0", "96.1.0", "96.1.255", "9.21", "C.1", "0.0.0", "0.0")


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
        quantity = (HEAT if match["a"] else _HEAT_EDIS).get(short)
    elif match["a"] in (None, "1"):
        total = _with_total(match["c"], match["d"], match["e"])
        quantity = _ELECTRICITY.get(short) or _ELECTRICITY.get(total)
    else:
        return None
    return quantity if quantity and measures(value.spelled_unit, QUANTITIES[quantity].kind) else None


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
