"""EDIS and OBIS codes of data sets, and our quantities for them.

A code is ``A-B:C.D.E*F`` with parts left out: the older meters write C.D.E or C.D only (EDIS, DIN 43863-3).
``codecs.obis`` says what OBIS codes measure; here is what only this protocol has: the two-part codes of heat
meters (EN 1434-3), 1.20 and 1.31 of Kamstrup's 382, and 8.0 to 8.4 of meters that count import alone.

*F names an earlier billing period: such a value never stands in for the current one, which has none or 255.
Only *00 does, on meters (PAFAL, EMH) that send nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from smart_meter_reader.codecs.iec62056_21 import landis_gyr
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, DataValue
from smart_meter_reader.codecs.obis import ELECTRICITY, TARIFFS, is_stored, with_own
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import canonical, measures, shift_in_use, shifted

_CODE = re.compile(
    r"(?:(?P<a>\d{1,3})-(?P<b>\d{1,3}):)?"
    r"(?P<c>[0-9A-Z]{1,3})\.(?P<d>[0-9A-Z]{1,3})(?:\.(?P<e>\d{1,3}))?(?:[*&](?P<f>\d{1,3}))?",
    re.ASCII,
)

_FIRST = ("0", "00")  # the current value of meters that number billing periods from 1

_OWN = {
    # The 382 counts energy at 1.20, its tariffs at 1.20.1 and 1.20.2, hours at 1.31.
    "1.20": "active_energy_import",
    "1.20.1": "active_energy_import_tariff_1",
    "1.20.2": "active_energy_import_tariff_2",
    "1.31": "operating_hours",
    # Meters for households that count one way leave C out.
    "8.0": "active_energy_import",
    **{f"8.{tariff}": f"active_energy_import_tariff_{tariff}" for tariff in TARIFFS},
}
_ABSTRACT = 0
_TABLES = {a: table for a, table in with_own({1: _OWN}).items() if a != _ABSTRACT}
_NEEDS_UNIT = frozenset({"1.31", "8.0", *(f"8.{tariff}" for tariff in TARIFFS)})

_HEAT_GROUPS = frozenset("6789")  # C of what is no electricity, in codes of two parts (EN 1434-3)
_HEAT_EDIS = {"6.8": "heat_energy", "6.26": "volume", "6.31": "operating_hours"}

_NAMED_BY_CODE = frozenset(
    quantity for quantity in ELECTRICITY.values() if QUANTITIES[quantity].kind is not Kind.COUNT
)


@dataclass(frozen=True, slots=True)
class AssumedUnits:
    """What electricity is counted in where the meter sends no unit; "" where nobody knows."""

    energy: str = "kWh"
    power: str = ""

    def of(self, kind: Kind) -> str:
        """The unit of a kind of quantity: reactive and apparent ones like the active ones."""
        match kind:
            case Kind.ENERGY:
                return self.energy
            case Kind.REACTIVE_ENERGY:
                return self.energy.replace("Wh", "varh")
            case Kind.POWER:
                return self.power
            case Kind.REACTIVE_POWER:
                return self.power.replace("W", "var")
            case Kind.APPARENT_POWER:
                return self.power.replace("W", "VA")
            case _:
                return {Kind.VOLTAGE: "V", Kind.CURRENT: "A", Kind.FREQUENCY: "Hz"}.get(kind, "")


USUAL_UNITS = AssumedUnits()


def _fits(unit: str, quantity: str) -> bool:
    return measures(unit, QUANTITIES[quantity].kind)


def reduced_code(code: str) -> str:
    """The code without A-B and without an *F of 255 ("now"): 1-0:1.8.0*255 gives 1.8.0."""
    match = _CODE.fullmatch(code)
    if match is None:
        return code
    parts = [part for part in (match["c"], match["d"], match["e"]) if part is not None]
    historic = f"*{match['f']}" if is_stored(match["f"]) else ""
    return ".".join(parts) + historic


def quantity_of(code: str, value: DataValue) -> str | None:
    """The quantity that a data set measures, or None. The unit must fit: 6.8 is heat, in kvarh it is not.

    A value without a unit counts where the code alone says what it is, which OBIS codes of electricity do.
    """
    match = _CODE.fullmatch(code)
    if match is None or not value.is_number or (is_stored(match["f"]) and match["f"] not in _FIRST):
        return None
    short = reduced_code(code).partition("*")[0]
    if not value.unit and (short in _NEEDS_UNIT or (match["a"] is None and _of_heat(match, short))):
        return None
    for quantity in _candidates(match, short):
        if _fits(_spelled(value, quantity), quantity):
            return quantity
        if not value.unit and quantity in _NAMED_BY_CODE:
            return quantity
    return None


def _of_heat(match: re.Match[str], short: str) -> bool:
    """Whether heat meters write such a code: 6.8, or 9.7 of a UH50, which is no apparent power there."""
    return short in _HEAT_EDIS or (match["e"] is None and match["c"] in _HEAT_GROUPS)


def _candidates(match: re.Match[str], short: str) -> Iterator[str]:
    """What a code can mean, the likelier first."""
    table = _TABLES.get(int(match["a"] or 1), {})
    if match["a"] in (None, "1"):
        heat = None if match["a"] else _HEAT_EDIS.get(short)
        total = _with_total(match["c"], match["d"], match["e"])
        found = [heat, table.get(short), table.get(total)]
    else:
        found = [table.get(short)]
    yield from filter(None, found)


def _with_total(c: str, d: str, e: str | None) -> str:
    """The code with E = 0, total, for one without (L+G E350: 32.7) or with 255 (Easymeter Q3D: 21.7.255)."""
    return f"{c}.{d}.0" if e in (None, "255") else ""


def _spelled(value: DataValue, quantity: str) -> str:
    unit = canonical(value.spelled_unit)
    # Landis+Gyr writes a temperature difference in *C, and minutes as m.
    if unit == "°C" and QUANTITIES[quantity].kind is Kind.TEMPERATURE_DIFFERENCE:
        return "K"
    return "min" if unit == "m" else unit


def measure(sets: Iterable[DataSet], assumed: AssumedUnits = USUAL_UNITS) -> dict[str, Measurement]:
    """Measurements by quantity key, of the data sets whose meaning and unit are known.

    The first of two data sets with the same meaning counts: meters send the current value first. One marked
    *00 counts where there is none without, and no other billing period's is higher, since totals never fall.
    """
    listed = list(sets)
    later = [data_set for data_set in listed if _period(data_set.code)[1] in _FIRST]
    measured: dict[str, Measurement] = {}
    for data_set in listed:
        if not is_stored(_period(data_set.code)[1]):
            _take(data_set, assumed, measured)
    highest = _highest(listed) if later else {}
    for data_set in later:
        value = data_set.values[0]
        if value.is_number and value.number() >= highest[_period(data_set.code)[0]]:
            _take(data_set, assumed, measured)
    if landis_gyr.is_landis_gyr_heat(frozenset(data_set.code for data_set in listed)):
        for data_set in listed:
            _take_landis_gyr(data_set, measured)
    return measured


def without_unit(sets: Iterable[DataSet], assumed: AssumedUnits = USUAL_UNITS) -> list[str]:
    """The quantities that the meter sends without a unit, where nothing tells what it would be."""
    found = []
    for data_set in sets:
        value = data_set.values[0]
        quantity = quantity_of(data_set.code, value)
        if quantity and not value.unit and not _fits(assumed.of(QUANTITIES[quantity].kind), quantity):
            found.append(quantity)
    return found


def _take(data_set: DataSet, assumed: AssumedUnits, measured: dict[str, Measurement]) -> None:
    if len(data_set.values) != 1:
        return
    value = data_set.values[0]
    quantity = quantity_of(data_set.code, value)
    if quantity is None or quantity in measured:
        return
    unit = _spelled(value, quantity) or assumed.of(QUANTITIES[quantity].kind)
    if _fits(unit, quantity):
        in_use, decimals = shift_in_use(unit)
        number = shifted(value.number(), decimals) if decimals else value.number()
        measured[quantity] = {"value": number, "unit": in_use}


def _take_landis_gyr(data_set: DataSet, measured: dict[str, Measurement]) -> None:
    quantities = landis_gyr.CODES.get(data_set.code, ())
    if len(quantities) != len(data_set.values):
        if data_set.code == landis_gyr.ERROR_CODE and data_set.values[0].is_number:
            measured.setdefault("error_code", {"value": data_set.values[0].number(), "unit": ""})
        return
    for quantity, value in zip(quantities, data_set.values, strict=True):
        unit = _spelled(value, quantity)
        if value.is_number and _fits(unit, quantity):
            measured.setdefault(quantity, {"value": value.number(), "unit": unit})


def quantities_of(data_set: DataSet) -> frozenset[str]:
    """Everything that a data set may tell."""
    known = landis_gyr.CODES.get(data_set.code)
    if known:
        return frozenset(known)
    if data_set.code == landis_gyr.ERROR_CODE:
        return frozenset({"error_code"})
    return frozenset(filter(None, [quantity_of(data_set.code, value) for value in data_set.values[:1]]))


def _period(code: str) -> tuple[str, str | None]:
    """The code without its billing period, and that."""
    match = _CODE.fullmatch(code)
    return (reduced_code(code).partition("*")[0], match["f"]) if match else (code, None)


def _highest(sets: Iterable[DataSet]) -> dict[str, Decimal]:
    """The highest value of each code, whatever its billing period."""
    highest: dict[str, Decimal] = {}
    for data_set in sets:
        short, value = _period(data_set.code)[0], data_set.values[0]
        if value.is_number:
            highest[short] = max(value.number(), highest.get(short, value.number()))
    return highest
