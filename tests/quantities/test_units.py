"""Units: exact conversion, and that no step of a counter is lost in it."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp.units import UNITS as KMP_UNITS
from smart_meter_reader.codecs.p1 import values as p1_values
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.quantities import Kind
from smart_meter_reader.quantities.units import (
    JOULES,
    UNITS,
    canonical,
    convert_energy,
    converts_energy,
    gas_equivalent,
    measures,
    ratio,
    scale,
)
from smart_meter_reader.sinks.home_assistant import classes

ENERGIES = sorted(JOULES)
COUNTERS = st.builds(
    lambda digits, decimals: Decimal(digits).scaleb(-decimals),
    st.integers(0, 10**16),
    st.integers(0, 6),
)


@pytest.mark.parametrize(
    ("value", "unit", "to", "expected"),
    [
        ("227.445", "GJ", "kWh", "63179.17"),
        ("227.445", "GJ", "MWh", "63.17917"),
        ("1", "MWh", "GJ", "3.6"),
        ("1.000", "MWh", "GJ", "3.6000"),
        ("3.6", "GJ", "MWh", "1.000"),
        ("63179", "kWh", "GJ", "227.4444"),
        ("1.5", "kWh", "kWh", "1.5"),
        ("0.00", "GJ", "kWh", "0.0"),
        ("1.00", "Gcal", "GJ", "4.184"),
        ("-7.60", "MWh", "kWh", "-7600"),
        ("1E+2", "GJ", "MJ", "100000"),
    ],
)
def test_energy_in_another_unit(value: str, unit: str, to: str, expected: str) -> None:
    assert str(convert_energy(Decimal(value), unit, to)) == expected


@given(COUNTERS, st.sampled_from(ENERGIES), st.sampled_from(ENERGIES))
def test_converting_back_gives_the_original(value: Decimal, unit: str, to: str) -> None:
    there = convert_energy(value, unit, to)
    back = Fraction(there) * JOULES[to] / JOULES[unit]
    decimals = -int(value.as_tuple().exponent)
    # A twentieth of a step at most, so rounding to the original's decimals finds it again.
    assert abs(back - Fraction(value)) <= Fraction(1, 20 * 10**decimals)


@given(COUNTERS, st.integers(1, 10**6), st.sampled_from(ENERGIES), st.sampled_from(ENERGIES))
def test_a_counter_that_rises_keeps_rising(value: Decimal, steps: int, unit: str, to: str) -> None:
    later = value + steps * Decimal(1).scaleb(int(value.as_tuple().exponent))
    assert convert_energy(later, unit, to) > convert_energy(value, unit, to)


@given(COUNTERS)
def test_results_are_plain_numbers(value: Decimal) -> None:
    assert "E" not in str(scale(value, Fraction(1, 3))).upper() or scale(value, Fraction(1, 3)) < 1


def test_gas_equivalent() -> None:
    assert gas_equivalent(Decimal("227.445"), "GJ", Decimal("31.65")) == Decimal("7198.634")
    assert gas_equivalent(Decimal("1.000"), "MWh", Decimal("32")) == Decimal("115.200")
    with pytest.raises(ValueFormatError, match="m³"):
        gas_equivalent(Decimal(1), "m³", Decimal(32))


def test_what_is_no_energy_is_refused() -> None:
    with pytest.raises(ValueFormatError, match="'m³' is not a unit of energy"):
        convert_energy(Decimal(1), "m3", "kWh")
    with pytest.raises(ValueFormatError, match="NaN"):
        convert_energy(Decimal("NaN"), "GJ", "kWh")
    assert not converts_energy("GJ", "m³")
    assert converts_energy("KWh", "GJ")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ("m3", "m³"),
        ("l/h", "L/h"),
        ("C", "°C"),
        ("kVArh", "kvarh"),
        ("GJ", "GJ"),
        ("", ""),
        ("furlong", "furlong"),
    ],
)
def test_spelling(found: str, expected: str) -> None:
    assert canonical(found) == expected
    assert canonical(expected) == expected


@pytest.mark.parametrize(
    ("unit", "to", "expected"),
    [
        ("GJ", "MWh", "0.2777777777777777777777777778"),
        ("MWh", "GJ", "3.6"),
        ("l/h", "m³/h", "0.001"),
        ("kWh", "kvarh", None),
        ("m3", "m³", "1"),
        ("furlong", "m³", None),
        ("furlong", "furlong", "1"),
        ("kV", "V", "1000"),
        ("gal/h", "L/min", "0.0630901964"),
        ("inHg", "mmHg", "25.4"),
        ("K", "°C", None),
        ("%", "", None),
    ],
)
def test_ratio(unit: str, to: str, expected: str | None) -> None:
    found = ratio(unit, to)
    assert found == (None if expected is None else Decimal(expected))


# Of what no quantity is.
NO_QUANTITY = {"t/h", "imp/l", "l/imp", "°", "%RH", "%O₂", "m/s", "kJ/kg", "pH", "g/kg"}


def test_every_unit_that_others_name_is_in_the_one_table() -> None:
    named = {unit.symbol for unit in KMP_UNITS.values()} - NO_QUANTITY | {*p1_values._UNITS}
    named = named.union(*classes.UNITS.values())
    assert {canonical(unit) for unit in named} <= {*UNITS}


def test_the_table_has_the_one_spelling() -> None:
    assert [unit for unit in UNITS if canonical(unit) != unit] == []


@given(st.sampled_from(sorted(UNITS)), st.sampled_from(sorted(UNITS)))
def test_a_ratio_and_its_inverse_are_one(unit: str, to: str) -> None:
    there, back = ratio(unit, to), ratio(to, unit)
    assert (there is None) == (back is None)
    if there is not None and back is not None:
        assert abs(there * back - 1) < Decimal("1e-26")
        assert UNITS[unit] is UNITS[to]


@pytest.mark.parametrize(
    ("unit", "kind", "expected"),
    [
        ("m3", Kind.WATER, True),
        ("m³", Kind.GAS, True),
        ("K", Kind.TEMPERATURE_DIFFERENCE, True),
        ("KW", Kind.POWER, True),
        ("kW", Kind.ENERGY, False),
        ("V", Kind.CURRENT, False),
        ("", Kind.POWER_FACTOR, True),
        ("furlong", Kind.TEXT, False),
        ("", Kind.TEXT, False),
    ],
)
def test_what_a_unit_measures(unit: str, kind: Kind, expected: bool) -> None:
    assert measures(unit, kind) is expected
