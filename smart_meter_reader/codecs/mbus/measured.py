"""From M-Bus records to quantities, with units as the meters' displays and Kamstrup's KMP have them.

What a record is becomes a quantity by the medium of its meter: energy is that of heat, of cooling or of
electricity. What the maker alone knows is a quantity for Kamstrup's meters only, by captures of the 302, 303,
403 and 603 (docs/references.md): FF 07 and FF 08 are E8 and E9, which count in hundreds of the last place of
the volume; FF 02 behind an energy is E3, FF 22 the info code, FF 21 behind an operating time the same time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.info_codes import BITS, family_of
from smart_meter_reader.codecs.mbus.header import (
    COOLING,
    ELECTRICITY,
    GAS,
    HEAT,
    KAMSTRUP,
    WATER,
    Header,
)
from smart_meter_reader.codecs.mbus.records import Record
from smart_meter_reader.codecs.mbus.telegram import MbusTelegram
from smart_meter_reader.codecs.mbus.value_information import ONLY_NEGATIVE_WORDS
from smart_meter_reader.quantities import QUANTITIES, Kind
from smart_meter_reader.quantities.measurement import Measurement
from smart_meter_reader.quantities.units import measures
from smart_meter_reader.text import is_bounded

NOTHING_REPORTED: Final = "none"
"""What ``reported_problems`` is of a meter whose status byte says that all is well."""
_EXPORTED: Final = f", {ONLY_NEGATIVE_WORDS}"
_SPELLINGS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "m3": "m³",
        "m3/h": "m³/h",
        "m3/min": "m³/min",
        "m3/s": "m³/s",
        "degC": "°C",
        "degF": "°F",
        "hours": "h",
        "minutes": "min",
        "seconds": "s",
        "days": "d",
        "ft3": "ft³",
    }
)
# By unit sent: from which power of ten on a display has which unit, and how many times the unit sent that is.
_DISPLAYED: Final[Mapping[str, tuple[tuple[int, str, int], ...]]] = MappingProxyType(
    {
        "Wh": ((4, "MWh", 6), (1, "kWh", 3)),
        "J": ((6, "GJ", 9), (4, "MJ", 6), (3, "kJ", 3)),
        "W": ((4, "MW", 6), (1, "kW", 3)),
        "kg": ((1, "t", 3),),
    }
)
_LITRES: Final = -3  # m³/h from here down are L/h

# Records of instantaneous values, storage 0, no tariff and no subunit, by what they are called.
_FLOWING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "volume": "volume",
        "mass": "mass",
        "power": "power",
        "volume flow": "volume_flow",
        "flow temperature": "flow_temperature",
        "return temperature": "return_temperature",
        "temperature difference": "temperature_difference",
        "external temperature": "ambient_temperature",
    }
)
_OF_ANY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "on time": "operating_hours",
        "operating time": "operating_hours",
        "error flags": "error_code",
        "remaining battery life": "battery_remaining",
    }
)
_ELECTRIC: Final[Mapping[str, str]] = MappingProxyType(
    {
        "energy": "active_energy_import",
        f"energy{_EXPORTED}": "active_energy_export",
        "reactive energy": "reactive_energy_import",
        f"reactive energy{_EXPORTED}": "reactive_energy_export",
        "power": "active_power_import",
        f"power{_EXPORTED}": "active_power_export",
        "reactive power": "reactive_power_import",
        f"reactive power{_EXPORTED}": "reactive_power_export",
        "voltage": "voltage",
        "current": "current",
        "frequency": "frequency",
    }
)
# Sent several times without a word on which phase each is of, they are of none.
_OF_A_PHASE: Final = frozenset({"voltage", "current", "power", "reactive power"})
_PHASES: Final[Mapping[str, str]] = MappingProxyType(
    {f", phase L{number}": f"_l{number}" for number in (1, 2, 3)}
)
_INPUTS: Final[Mapping[int, str]] = MappingProxyType({1: "pulse_input_a", 2: "pulse_input_b"})
_VOLUME_TIMES: Final[Mapping[str, str]] = MappingProxyType(
    {"07": "volume_times_flow_temperature", "08": "volume_times_return_temperature"}
)
# The last places of a volume for which a capture shows how E8 and E9 count.
_PROVEN_PLACES: Final = (-2, -1, 0)


def measured_in(telegram: MbusTelegram) -> dict[str, Measurement]:
    """The measurements by quantity: each quantity once, the first record that tells it."""
    found: dict[str, Measurement] = {}
    for quantity, value, unit in _quantities(telegram):
        if quantity not in found and is_bounded(value) and _fits(unit, QUANTITIES[quantity].kind):
            found[quantity] = {"value": value, "unit": unit}
    header = telegram.header
    if (
        found and header.id and header.maker != KAMSTRUP and not telegram.fixed
    ):  # Kamstrup's have a code of their own
        words = " ".join(
            state.removeprefix("an ").removeprefix("a ").replace(" ", "_") for state in header.states
        )
        found["reported_problems"] = {"value": words or NOTHING_REPORTED, "unit": ""}
    return found


def _fits(unit: str, kind: Kind) -> bool:
    """Whether a quantity can have this unit. What is counted at a pulse input is the owner's choice."""
    return not unit or kind is Kind.COUNT or measures(unit, kind)


def displayed(record: Record) -> tuple[Decimal, str]:
    """A number as the meter's display has it: 37351 kWh for what is sent as that many times 1000 Wh."""
    if record.unit == "m3/h" and record.exponent <= _LITRES:
        return _shifted(record, -3), "l/h"
    for least, unit, power in _DISPLAYED.get(record.unit, ()):
        if record.exponent >= least:
            return _shifted(record, power), unit
    return _shifted(record, 0), _SPELLINGS.get(record.unit, record.unit)


def _shifted(record: Record, power: int) -> Decimal:
    """A number in a unit of ten to that power, with the places that the meter sent and no more."""
    value = record.value if isinstance(record.value, Decimal) else Decimal(0)
    whole = value.scaleb(-power)
    places = whole.quantize(Decimal(1).scaleb(min(0, record.exponent - power)))
    # One that came as a floating number has more of them, and none for the power of ten.
    return places if places == whole else whole.normalize()


def _quantities(telegram: MbusTelegram) -> Iterator[tuple[str, Decimal, str]]:
    header, records = telegram.header, telegram.records
    medium = _medium(header, records)
    for record in _countable(records):
        quantity = _quantity(record, header, medium, records)
        if quantity:
            yield quantity, *displayed(record)
    if header.maker == KAMSTRUP:
        yield from _of_kamstrup(header, records)
    if medium == GAS:
        yield from _of_the_last_hour(records)


def _of_the_last_hour(records: tuple[Record, ...]) -> Iterator[tuple[str, Decimal, str]]:
    """What a Dutch gas meter tells instead of the volume of now: the newest hour's, and when that was.

    DSMR P2 companion standard; Landis+Gyr G350 (libmbus, LGB_G350): storage 1 with a time, and no storage 0.
    With a date alone it would be of a due date, and beside a volume of now it is older than that.
    """
    volumes = [
        each
        for each in records
        if each.quantity == "volume"
        and each.function == "instantaneous"
        and not (each.tariff or each.subunit)
    ]
    timed = any(each.quantity == "date time" and each.storage == 1 and each.value for each in records)
    if timed and [each.storage for each in volumes] == [1] and isinstance(volumes[0].value, Decimal):
        yield "gas_volume", *displayed(volumes[0])


def _countable(records: tuple[Record, ...]) -> Iterator[Record]:
    """The numbers of now; of what is of a phase that nobody names, none."""
    now = [each for each in records if isinstance(each.value, Decimal) and each.storage == 0]
    times = Counter(
        (each.quantity, each.function, each.tariff, each.subunit)
        for each in now
        if each.quantity in _OF_A_PHASE
    )
    for each in now:
        if times[each.quantity, each.function, each.tariff, each.subunit] <= 1:
            yield each


def _medium(header: Header, records: tuple[Record, ...]) -> int:
    """The medium; heat where none is told and what flows has a temperature."""
    known = header.medium in HEAT | COOLING | WATER | {ELECTRICITY, GAS}
    if not known and any(record.quantity == "flow temperature" for record in records):
        return min(HEAT)
    return header.medium


def _quantity(record: Record, header: Header, medium: int, records: tuple[Record, ...]) -> str:
    """The quantity that a record of now is; "" for none."""
    if record.function == "error":
        return "error_hours" if record.quantity == "on time" and not record.tariff else ""
    if record.function != "instantaneous":
        return ""
    if record.subunit:
        is_input = header.maker == KAMSTRUP and record.quantity == "volume" and not record.tariff
        return _INPUTS.get(record.subunit, "") if is_input and medium in HEAT | COOLING else ""
    if medium == ELECTRICITY:
        return _electric(record, records)
    if record.tariff:
        return _tariff(record, header) if medium in HEAT | COOLING else ""
    if record.quantity in _OF_ANY:
        return _OF_ANY[record.quantity]
    if record.quantity.startswith("energy"):
        return _energy(record, medium)
    if record.quantity == "volume":
        return _volume(header, medium)
    return _FLOWING.get(record.quantity, "")


def _energy(record: Record, medium: int) -> str:
    if record.quantity == "energy":
        return "heat_energy" if medium in HEAT else "cooling_energy" if medium in COOLING else ""
    return "cooling_energy" if record.quantity == f"energy{_EXPORTED}" and medium in HEAT else ""


def _volume(header: Header, medium: int) -> str:
    if medium == GAS:
        return "gas_volume"
    # Kamstrup's water meters have it in the register in which a heat meter has that of its carrier.
    return "water_volume" if medium in WATER and header.maker != KAMSTRUP else "volume"


def _tariff(record: Record, header: Header) -> str:
    """Heat: on MULTICAL the first tariff of M-Bus is the register TA2, since it has no TA1."""
    number = record.tariff + (header.maker == KAMSTRUP)
    return f"energy_tariff_{number}" if record.quantity == "energy" and 2 <= number <= 4 else ""


def _electric(record: Record, records: tuple[Record, ...]) -> str:
    name, phase = record.quantity, ""
    for words, ending in _PHASES.items():
        if name.endswith(words) or f"{words}, " in name:
            name, phase = name.replace(words, ""), ending
    quantity = _ELECTRIC.get(name, "") or (_OF_ANY.get(name, "") if not phase else "")
    if not quantity:
        return ""
    if name == "power" and _counts_both_ways(record, records):
        quantity = "active_power_net"
    tariff = f"_tariff_{record.tariff}" if record.tariff else ""
    return whole if (whole := f"{quantity}{tariff}{phase}") in QUANTITIES else ""


def _counts_both_ways(record: Record, records: tuple[Record, ...]) -> bool:
    """Whether a power can be one of export, with a minus sign."""
    negative = isinstance(record.value, Decimal) and record.value < 0
    return negative or any(each.quantity == f"energy{_EXPORTED}" for each in records)


def _of_kamstrup(header: Header, records: tuple[Record, ...]) -> Iterator[tuple[str, Decimal, str]]:
    for record in records:
        if record.storage or record.tariff or record.subunit or record.function != "instantaneous":
            continue
        if not isinstance(record.value, Decimal):
            continue
        match record.quantity, record.modifiers:
            case "energy, VIFE FF, VIFE 02", _:
                yield "cooling_energy", *displayed(record)
            case "operating time, VIFE FF, VIFE 21", _:
                yield "operating_hours", *displayed(record)
            case "manufacturer specific", ("22",):
                yield ("info_bits" if family_of(header.model) is BITS else "info_code"), record.value, ""
            case "manufacturer specific", ("07" | "08" as which,):
                yield from _volume_times_temperature(_VOLUME_TIMES[which], record.value, records)


def _volume_times_temperature(
    quantity: str, number: Decimal, records: tuple[Record, ...]
) -> Iterator[tuple[str, Decimal, str]]:
    volume = next(
        (each for each in records if each.quantity == "volume" and not (each.storage or each.subunit)), None
    )
    if volume is not None and volume.exponent in _PROVEN_PLACES:
        yield quantity, number * 10 ** (volume.exponent + 2), "m³·°C"
