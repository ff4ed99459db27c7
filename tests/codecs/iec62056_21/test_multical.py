"""Short answers: strict fields, scaling by B and CCC, and when two of them agree."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.iec62056_21.agreement import (
    compare_answers,
    compare_data_sets,
    middle_answer,
    middle_data_sets,
)
from smart_meter_reader.codecs.iec62056_21.data_set import DataSet, parse_data_sets
from smart_meter_reader.codecs.iec62056_21.multical import (
    SIGNED,
    SINGLE_LINE,
    ShortAnswer,
    encode_short_answer,
    measure_answer,
    parse_line,
    parse_record,
)
from smart_meter_reader.codecs.iec62056_21.scaling import (
    ProgramNumber,
    Scaling,
    parse_program,
    scaling_of_program,
    scaling_of_readout,
)
from smart_meter_reader.exceptions import FrameError, ValueFormatError
from smart_meter_reader.quantities import QUANTITIES
from tests.codecs.iec62056_21.captures import capture

LINE = capture("iec-66c-kenanv-1")[:-1]
ANSWER = parse_line("#1", LINE)


@pytest.mark.parametrize(
    ("request_", "name"), [("#1", "1"), ("#2", "2"), ("#4", "4"), ("#B", "b"), ("#D", "d")]
)
def test_document_lines_both_ways(request_: str, name: str) -> None:
    line = capture(f"iec-66c-kenanv-{name}")
    answer = parse_line(request_, line[:-1])
    assert encode_short_answer(request_, answer.numbers()) == line


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (LINE[:-8], "field_count"),
        (LINE + b"0000000 ", "field_count"),
        (LINE.replace(b" 1296626", b"  1296626"), "field_count"),
        (LINE.replace(b"1296626", b"129662"), "field_length"),
        (LINE.replace(b"1296626", b"12966260"), "field_length"),
        (LINE.replace(b"0507109", b"050:109"), "non-decimal"),
        (LINE.replace(b"0507109", b"0c07109"), "non-decimal"),
        (LINE.replace(b"0507109", b"-507109"), "non-decimal"),
        (LINE.replace(b"0507109", b"05071\xb29"), "non-decimal"),
        (LINE.replace(b"0003445", b"0-03445"), "non-decimal"),
        (b"", "field_count"),
    ],
)
def test_what_is_not_strictly_an_answer_is_damage(line: bytes, reason: str) -> None:
    with pytest.raises(FrameError) as caught:
        parse_line("#1", line)
    assert caught.value.reason == reason


def test_a_negative_difference_takes_one_place_of_the_width() -> None:
    answer = parse_line("#1", LINE.replace(b"0003445", b"-002735"))
    measured = measure_answer(answer, Scaling())
    assert measured["temperature_difference"] == {"value": Decimal("-27.35"), "unit": "K"}


def test_without_a_program_only_what_needs_none_is_measured() -> None:
    assert set(measure_answer(ANSWER, Scaling())) == {
        "operating_hours",
        "flow_temperature",
        "return_temperature",
        "temperature_difference",
        "info_code",
    }


def test_the_quantities_are_in_the_catalogue() -> None:
    used = {field.quantity for fields in SINGLE_LINE.values() for field in fields if field.quantity}
    assert used <= set(QUANTITIES)


@pytest.mark.parametrize(
    ("text", "program"),
    [
        ("0044119", ProgramNumber(4, 4, "119")),
        ("44119119", ProgramNumber(4, 4, "119")),
        ("32137", ProgramNumber(3, 2, "137")),
    ],
)
def test_programs(text: str, program: ProgramNumber) -> None:
    assert parse_program(text) == program


@pytest.mark.parametrize("text", ["", "441", "441191", "4411x", "٤٤١١٩", "1144119", "004411"])
def test_no_program(text: str) -> None:
    with pytest.raises(ValueFormatError, match="program number"):
        parse_program(text)


@pytest.mark.parametrize(
    ("program", "energy", "volume", "flow", "power"),
    [
        ("44119", "507.109 MWh", "12966.26 m³", "79 L/h", "3.1 kW"),
        ("42119", "5071.09 GJ", "12966.26 m³", "79 L/h", "3.1 kW"),
        ("43116", "507109 kWh", "12966.26 m³", "79 L/h", "3.1 kW"),
        ("45136", "507.109 Gcal", "12966.26 m³", "79 L/h", "3.1 kW"),
        ("42137", "50710.9 GJ", "129662.6 m³", "79 L/h", "3.1 kW"),
        ("34158", "50710.9 MWh", "1296626 m³", "0.79 m³/h", "31 kW"),
        ("34170", "50710.9 MWh", "1296626 m³", "0.79 m³/h", "0.031 MW"),
        ("32171", "5071090 GJ", "12966260 m³", "7.9 m³/h", "0.31 MW"),
    ],
)
def test_units_and_decimals_by_program(program: str, energy: str, volume: str, flow: str, power: str) -> None:
    measured = measure_answer(ANSWER, scaling_of_program(parse_program(program)))
    found = [measured[key] for key in ("heat_energy", "volume", "volume_flow", "power")]
    assert [f"{each['value']} {each['unit']}" for each in found] == [energy, volume, flow, power]


@pytest.mark.parametrize(("program", "energy"), [("43137", None), ("44999", None), ("49119", None)])
def test_what_the_program_does_not_tell_is_not_guessed(program: str, energy: None) -> None:
    assert scaling_of_program(parse_program(program)).energy is energy


def test_a_readout_tells_units_and_decimals() -> None:
    sets = parse_data_sets(b"6.8(0456.631*GJ)6.26(03447.38*m3)!").sets
    told = scaling_of_readout(sets)
    assert told == Scaling(energy=("GJ", 3), volume=("m³", 2))
    settings = Scaling(volume=("m³", 1), flow=("L/h", 0))
    assert settings.completed_by(told) == Scaling(energy=("GJ", 3), volume=("m³", 1), flow=("L/h", 0))
    assert settings.completed_by(told).unknown() == ("power",)


def test_masses_have_the_places_of_volumes() -> None:
    fields = {field.name: 1234 for field in SINGLE_LINE["#B"]}
    answer = parse_line("#B", encode_short_answer("#B", fields)[:-1])
    measured = measure_answer(answer, Scaling(volume=("m³", 2)))
    assert {key: f"{each['value']} {each['unit']}" for key, each in measured.items()} == {
        "volume": "12.34 m³",
        "volume_2": "12.34 m³",
        "mass": "12.34 t",
        "mass_2": "12.34 t",
    }
    tens = measure_answer(answer, Scaling(volume=("m³", -1)))
    assert str(tens["mass"]["value"]) == "12340"
    assert "mass" not in measure_answer(answer, Scaling(energy=("GJ", 2)))


def test_a_logger_record_may_hold_digits_beyond_nine() -> None:
    line = b"0000012 0090121 ?927228 0236824 "
    assert parse_record("#J", line)[2] == "?927228"
    with pytest.raises(FrameError, match="non-decimal"):
        parse_record("#J", line.replace(b"?", b"@"))
    with pytest.raises(FrameError, match="no record"):
        parse_record("#J", line[8:])


def changed(**texts: str) -> ShortAnswer:
    return ShortAnswer("#1", {**ANSWER.fields, **texts})


@pytest.mark.parametrize("field", ["energy", "volume", "hours", "info"])
def test_totals_and_codes_must_be_equal(field: str) -> None:
    agreement = compare_answers(ANSWER, changed(**{field: "0000001"}))
    assert agreement.contradicted == (field,)


@pytest.mark.parametrize(
    ("field", "near", "far"),
    [
        ("t_flow", "0007011", "0007012"),
        ("t_diff", "0003845", "0003846"),
        ("power", "0000051", "0000052"),
        ("flow", "0000105", "0000106"),
    ],
)
def test_momentary_values_may_move_a_little(field: str, near: str, far: str) -> None:
    assert not compare_answers(ANSWER, changed(**{field: near})).unsteady
    agreement = compare_answers(ANSWER, changed(**{field: far}))
    assert agreement.unsteady == (field,)
    assert not agreement.contradicted


@pytest.mark.parametrize(
    ("second", "contradicted", "unsteady"),
    [
        (b"1.8.0(000123.5*kWh)1.7.0(1.00*kW)!", (), ()),
        (b"1.8.0(000124.2*kWh)1.7.0(1.20*kW)!", (), ()),
        (b"1.8.0(000124.4*kWh)1.7.0(1.00*kW)!", ("1.8.0",), ()),
        (b"1.8.0(000123.4*kWh)1.7.0(1.00*kW)!", ("1.8.0",), ()),
        (b"1.8.0(000123.5*MWh)1.7.0(1.00*kW)!", ("1.8.0",), ()),
        (b"1.8.0(000123.5*kWh)1.7.0(9.00*kW)!", (), ("1.7.0",)),
        (b"1.8.0(000123.5*kWh)!", ("the codes",), ()),
    ],
)
def test_readouts_without_a_bcc(
    second: bytes, contradicted: tuple[str, ...], unsteady: tuple[str, ...]
) -> None:
    first = parse_data_sets(b"1.8.0(000123.5*kWh)1.7.0(1.00*kW)!").sets
    agreement = compare_data_sets(first, parse_data_sets(second).sets)
    assert (agreement.contradicted, agreement.unsteady) == (contradicted, unsteady)


@st.composite
def answers(draw: st.DrawFn) -> tuple[str, dict[str, int]]:
    request = draw(st.sampled_from(sorted(SINGLE_LINE)))
    fields = {}
    for field in SINGLE_LINE[request]:
        low = -(10 ** (field.width - 1) - 1) if field.measure in SIGNED else 0
        fields[field.name] = draw(st.integers(low, 10**field.width - 1))
    return request, fields


@given(answers())
def test_short_answers_both_ways(answer: tuple[str, dict[str, int]]) -> None:
    request, fields = answer
    assert parse_line(request, encode_short_answer(request, fields)[:-1]).numbers() == fields


@given(st.sampled_from(sorted(SINGLE_LINE)), st.binary(max_size=100))
def test_any_line_parses_or_raises_frame_error(request: str, line: bytes) -> None:
    try:
        answer = parse_line(request, line)
    except FrameError:
        return
    assert len(answer.fields) == len(SINGLE_LINE[request])


@given(st.integers(0, len(LINE) - 1), st.integers(0x30, 0x39))
def test_one_wrong_digit_never_passes_as_a_confirmed_total(place: int, digit: int) -> None:
    wrong = LINE[:place] + bytes([digit]) + LINE[place + 1 :]
    try:
        answer = parse_line("#1", wrong)
    except FrameError:
        return
    differing = [name for name, text in answer.fields.items() if text != ANSWER.fields[name]]
    agreement = compare_answers(ANSWER, answer)
    for name in differing:
        assert name in agreement.contradicted + agreement.unsteady + agreement.moved
    for name in set(differing) & {"energy", "volume", "hours", "info"}:
        assert name in agreement.contradicted


@pytest.mark.parametrize("damaged", [0, 1, 2])
@pytest.mark.parametrize("wrong", ["0006871", "0000811", "-006811"])
def test_one_damaged_answer_of_three_moves_no_value(damaged: int, wrong: str) -> None:
    answers = [ANSWER, changed(t_flow="0006815"), ANSWER]
    answers[damaged] = changed(t_flow=wrong)
    assert middle_answer(answers).fields["t_flow"] in ("0006811", "0006815")
    assert middle_answer(answers).fields["energy"] == answers[-1].fields["energy"]


def test_the_middle_readout_of_three() -> None:
    def sets(energy: str, power: str = "1.00*kW") -> tuple[DataSet, ...]:
        return parse_data_sets(f"0.0.0(4711)1.8.0({energy}*kWh)1.7.0({power})!".encode()).sets

    def told(*readouts: tuple[DataSet, ...]) -> str:
        return middle_data_sets(readouts)[1].values[0].text

    assert told(sets("000123.5"), sets("000123.9"), sets("000123.7")) == "000123.7"
    assert told(sets("900123.5"), sets("000123.6"), sets("000123.7")) == "000123.7"
    # What is not three times a number with the same unit is taken as it is in the last.
    assert told(sets("000123.5"), sets("000123.x"), sets("000123.4")) == "000123.4"
    assert told(parse_data_sets(b"1.7.0(1*kW)!").sets, sets("000123.6"), sets("000123.4")) == "000123.4"
