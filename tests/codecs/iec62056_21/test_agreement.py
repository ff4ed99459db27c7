"""When two answers without a checksum count: where exactly the bounds lie, and which of three is taken."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.iec62056_21.agreement import (
    compare_answers,
    compare_data_sets,
    middle_answer,
    middle_data_sets,
)
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, parse_data_sets
from smart_meter_reader.codecs.iec62056_21.multical import ShortAnswer

FIELDS = {
    "energy": "0001000",
    "volume": "0002000",
    "hours": "0003000",
    "t_flow": "0005000",
    "t_return": "0003000",
    "t_diff": "0002000",
    "power": "0000100",
    "flow": "0000100",
    "peak_power_actual": "0000100",
    "info": "0000000",
}


def answer(**texts: str) -> ShortAnswer:
    return ShortAnswer("#1", FIELDS | texts)


@pytest.mark.parametrize(
    ("field", "last_moved", "first_unsteady"),
    [
        ("t_flow", "0005200", "0005201"),
        ("t_return", "0002800", "0002799"),
        ("t_diff", "0001600", "0001599"),
        ("flow", "0000133", "0000134"),  # a quarter of the greater, in whole steps
        ("power", "0000075", "0000074"),
        ("power", "-000010", "-000011"),
    ],
)
def test_how_far_momentary_values_may_move(field: str, last_moved: str, first_unsteady: str) -> None:
    first = answer(power="0000010") if last_moved.startswith("-") else answer()
    assert compare_answers(first, answer(**{field: last_moved})).moved == (field,)
    assert compare_answers(first, answer(**{field: first_unsteady})).unsteady == (field,)


def test_momentary_values_of_an_unknown_unit_are_not_compared() -> None:
    names = ("t1", "t3", "t2", "p1", "p2", "flow1", "flow2", "power1")
    one = ShortAnswer("#C", dict.fromkeys(names, "0000100"))
    other = ShortAnswer("#C", {**one.fields, "p1": "9999999"})
    found = compare_answers(one, other)
    assert (found.contradicted, found.unsteady, found.moved) == ((), (), ())


def test_of_three_answers_the_middle_of_what_moves_and_the_last_of_what_counts() -> None:
    three = [
        answer(energy="0001001", t_flow="0005010", power="-000009"),
        answer(energy="0001005", t_flow="0005030", power="-000010"),
        answer(energy="0001009", t_flow="0005020", power="0000001"),
    ]
    middle = middle_answer(three)
    assert {key: middle.fields[key] for key in ("energy", "t_flow", "power")} == {
        "energy": "0001009",
        "t_flow": "0005020",
        "power": "-000009",
    }
    assert middle.request == "#1"


def sets(text: str) -> tuple[DataSet, ...]:
    return parse_data_sets(text.encode() + b"!").sets


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        # Totals: 0.8 kWh, 0.1 of all others; never down, and of one unit.
        ("1.8.0(100.0*kWh)", "1.8.0(100.00*kWh)", "moved"),
        ("1.8.0(100.0*kWh)", "1.8.0(100.8*kWh)", "moved"),
        ("1.8.0(100.0*kWh)", "1.8.0(100.9*kWh)", "contradicted"),
        ("1.8.0(100.0*kWh)", "1.8.0(99.9*kWh)", "contradicted"),
        ("1.8.0(1.0000*MWh)", "1.8.0(1.0008*MWh)", "moved"),
        ("1.8.0(1.0000*MWh)", "1.8.0(1.0009*MWh)", "contradicted"),
        ("6.26(1.00*m3)", "6.26(1.10*m3)", "moved"),
        ("6.26(1.00*m3)", "6.26(1.11*m3)", "contradicted"),
        ("1.8.0(100.0*kWh)", "1.8.0(100.0*MWh)", "contradicted"),
        ("1.8.0(10O.0*kWh)", "1.8.0(100.0*kWh)", "contradicted"),
        # Others: a quarter of the greater.
        ("1.7.0(1.00*kW)", "1.7.0(0.75*kW)", "moved"),
        ("1.7.0(1.00*kW)", "1.7.0(0.74*kW)", "unsteady"),
        ("1.7.0(-1.00*kW)", "1.7.0(-0.75*kW)", "moved"),
        ("1.7.0(0.75*kW)", "1.7.0(1.00*kW)", "moved"),
        ("1.7.0(1.00*kW)", "1.7.0(1.00*W)", "unsteady"),
        ("1.7.0(1.00)", "1.7.0(1.01)", "unsteady"),
        ("1.7.0(x*kW)", "1.7.0(1.00*kW)", "unsteady"),
        ("1.7.0(1.00*kW)", "1.7.0(x*kW)", "unsteady"),
        ("0.9.1(120000)", "0.9.1(120001)", "unsteady"),
        ("1.6(1.00*kW&2.00*kW)", "1.6(1.01*kW&2.00*kW)", "moved"),
        ("1.6(1.00*kW&2.00*kW)", "1.6(1.01*kW&9.00*kW)", "unsteady"),
        ("1.6(1.00*kW&2.00*kW)", "1.6(1.00*kW)", "unsteady"),
    ],
)
def test_how_far_the_numbers_of_two_readouts_may_be_apart(before: str, after: str, told: str) -> None:
    found = compare_data_sets(sets(before), sets(after))
    kinds = {"contradicted": found.contradicted, "unsteady": found.unsteady, "moved": found.moved}
    assert {kind: codes for kind, codes in kinds.items() if codes} == {told: (before.partition("(")[0],)}


@pytest.mark.parametrize(
    ("three", "middle"),
    [
        (("9.4(20.0*C)", "9.4(90.0*C)", "9.4(21.0*C)"), "9.4(21.0*C)"),
        (("9.4(21.0*C)", "9.4(20.0*C)", "9.4(90.0*C)"), "9.4(21.0*C)"),
        (("9.4(90.0*C)", "9.4(21.0*C)", "9.4(20.0*C)"), "9.4(21.0*C)"),
        (("9.4(-20.0*C)", "9.4(-30.0*C)", "9.4(-25.0*C)"), "9.4(-25.0*C)"),
        # Where they cannot be put in order the last stands.
        (("9.4(20.0)", "9.4(19.0)", "9.4(90.0)"), "9.4(90.0)"),
        (("9.4(20.0*C)", "9.4(19.0*K)", "9.4(90.0*C)"), "9.4(90.0*C)"),
        (("9.4(2O.0*C)", "9.4(19.0*C)", "9.4(90.0*C)"), "9.4(90.0*C)"),
        (("9.4(20.0*C)", "9.4(19.0*C&1*C)", "9.4(90.0*C)"), "9.4(90.0*C)"),
        (("9.4(20.0*C)", "9.5(19.0*C)", "9.4(90.0*C)"), "9.4(90.0*C)"),
    ],
)
def test_which_of_three_data_sets_is_taken(three: tuple[str, ...], middle: str) -> None:
    assert middle_data_sets([sets(each) for each in three]) == sets(middle)
