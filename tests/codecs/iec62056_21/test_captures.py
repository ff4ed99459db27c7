"""Every published capture, as seven-bit bytes and as a line of 7E1 looks at 8N1."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.iec62056_21.describe import NO_IDENTIFICATION, describe_capture
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling, parse_program, scaling_of_program
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.quantities import QUANTITIES
from tests.codecs.iec62056_21.captures import CAPTURES, capture

PROGRAM = scaling_of_program(parse_program("44119"))
WITH_FIELDS = [name for name, entry in CAPTURES.items() if (entry["expected"] or {}).get("fields")]
SCALED = [
    name for name in WITH_FIELDS if CAPTURES[name]["expected"].get("scaled_B4_CCC119") and "-x-" not in name
]
UNITS = {"m3": "m³", "degC": "°C", "l/h": "L/h"}
QUANTITY = {
    "energy": "heat_energy",
    "energy_E1_E2": "heat_energy",
    "energy_cold": "cooling_energy",
    "volume1": "volume",
    "volume2": "volume_2",
    "hours": "operating_hours",
    "t_flow": "flow_temperature",
    "t_return": "return_temperature",
    "t_diff": "temperature_difference",
    "flow": "volume_flow",
    "peak_power_actual": "power_maximum_month",
}


def describe_both(name: str) -> list[dict[str, Any]]:
    """The description of a capture, which its eighth bit must not change."""
    plain = describe_capture(capture(name), scaling=PROGRAM)
    with_parity = describe_capture(
        bytes.fromhex(CAPTURES[name]["bytes_as_8n1_even_parity_hex"]), scaling=PROGRAM
    )
    without_bytes = [
        [{key: value for key, value in answer.items() if key != "bytes"} for answer in answers]
        for answers in (plain, with_parity)
    ]
    assert without_bytes[0] == without_bytes[1]
    return plain


@pytest.mark.parametrize("name", list(CAPTURES))
def test_every_capture_gives_answers_or_reasons(name: str) -> None:
    for answer in describe_both(name):
        assert ("error" in answer) != ("kind" in answer)
        assert set(answer.get("measurements", ())) <= set(QUANTITIES)


@pytest.mark.parametrize("name", WITH_FIELDS)
def test_fields_as_the_source_asserts_them(name: str) -> None:
    (answer,) = describe_both(name)
    assert answer["fields"] == CAPTURES[name]["expected"]["fields"]


@pytest.mark.parametrize("name", SCALED)
def test_units_and_decimals_of_program_44119(name: str) -> None:
    (answer,) = describe_both(name)
    for field, expected in CAPTURES[name]["expected"]["scaled_B4_CCC119"].items():
        if "value" not in expected:
            continue
        measured = answer["measurements"][QUANTITY.get(field, field)]
        # Compared as text, since the decimals count too.
        assert str(measured["value"]) == expected["value"]
        assert measured["unit"] == UNITS.get(expected["unit"], expected["unit"])


@pytest.mark.parametrize(
    ("name", "request_", "records"),
    [
        ("iec-66c-kenanv-5", "#5", 22),
        ("iec-66c-kenanv-6", "#6", 19),
        ("iec-66c-kenanv-8", "#8", 15),
        ("iec-66c-kenanv-9", "#9", 14),
        ("iec-66c-kenanv-j", "#J", 45),
    ],
)
def test_loggers_give_the_whole_records_and_tell_that_the_last_is_cut(
    name: str, request_: str, records: int
) -> None:
    answer, cut = describe_both(name)
    assert answer["request"] == request_
    assert len(answer["records"]) == records
    assert cut["error"]["kind"] == "incomplete"


def test_logger_digits_beyond_nine_are_kept_as_sent() -> None:
    answer, _ = describe_both("iec-66c-kenanv-8")
    assert answer["records"][0][3] == ":224384"


@pytest.mark.parametrize(
    ("name", "kind"), [("iec-x-truncated", "incomplete"), ("iec-x-nondecimal", "non-decimal")]
)
def test_damaged_answers_say_why(name: str, kind: str) -> None:
    (answer,) = describe_both(name)
    assert answer["error"]["kind"] == kind


def test_parity_is_taken_off() -> None:
    (answer,) = describe_capture(capture("iec-x-parity"))
    assert answer["fields"]["energy"] == "0507109"


def test_en61107_readout_of_a_66() -> None:
    (answer,) = describe_both("iec-ml-en61107-0053189")
    assert answer["bcc"] == "sum"
    assert (answer["manufacturer"], answer["ident"], answer["mode"]) == ("KAM", "MC", "A")
    assert answer["measurements"] == {
        "heat_energy": {"value": Decimal("0.00"), "unit": "MWh"},
        "volume": {"value": Decimal("0.0"), "unit": "m³"},
        "operating_hours": {"value": Decimal(53189), "unit": "h"},
        "serial_number": {"value": "40", "unit": ""},
    }


def test_a_401_sends_no_line_ends_between_its_values() -> None:
    (answer,) = describe_both("iec-401-completed")
    assert answer["bcc"] == "sum"
    assert answer["objects"]["6.8"] == {"value": Decimal("456.631"), "unit": "GJ"}
    assert answer["objects"]["6.26"] == {"value": Decimal("3447.381"), "unit": "m3"}
    assert answer["measurements"]["operating_hours"] == {"value": Decimal(40345), "unit": "h"}


def test_a_transcript_without_etx_is_read_and_told_to_be_unchecked() -> None:
    (answer,) = describe_capture(capture("iec-401-completed").partition(b"!")[0] + b"!")
    assert answer["bcc"] == "absent"
    assert answer["measurements"]["heat_energy"] == {"value": Decimal("456.631"), "unit": "GJ"}


@pytest.mark.parametrize(
    ("name", "energy", "unit", "number"),
    [("iec-lg-uh50", "328.871", "GJ", "66153690"), ("iec-lg-uh50-kwh", "71813", "kWh", "70376057")],
)
def test_a_landis_gyr_is_read_by_its_data_sets(name: str, energy: str, unit: str, number: str) -> None:
    (answer,) = describe_both(name)
    assert answer["ident"] == "UH50"
    assert answer["measurements"]["heat_energy"] == {"value": Decimal(energy), "unit": unit}
    assert answer["measurements"]["serial_number"]["value"] == number
    assert answer["objects"]["9.4"][0]["unit"] == "C"
    assert answer["objects"]["6.33"]["unit"] == "m3ph"
    # Last year's value has a code of its own and must not pass for the current one.
    assert answer["objects"]["6.8*01"]["value"] != answer["objects"]["6.8"]["value"]


def test_a_program_in_the_capture_scales_the_answers_around_it() -> None:
    captured = capture("iec-66c-kenanv-1") + capture("iec-66c-kenanv-d")
    answer, program = describe_capture(captured)
    assert program["fields"]["ABCCCCCC"] == "44119119"
    assert answer["measurements"]["heat_energy"] == {"value": Decimal("507.109"), "unit": "MWh"}


def test_a_recorded_request_tells_what_the_answer_is() -> None:
    line = capture("iec-66c-kenanv-1")
    (answer,) = describe_capture(add_parity(b"/#1\r\n") + line)
    assert answer["request"] == "#1"
    assert "error" not in answer
    (answer,) = describe_capture(b"/#4\r" + line)
    assert answer["error"]["kind"] == "field_count"


def test_an_answer_that_lost_a_field_is_no_other_answer() -> None:
    (answer,) = describe_capture(capture("iec-66c-kenanv-1")[8:])
    assert answer["error"]["kind"] == "field_count"


def test_the_same_answer_again_and_again_is_no_logger() -> None:
    answers = describe_capture(capture("iec-66c-kenanv-b") * 3)
    assert [answer["request"] for answer in answers] == ["#B"] * 3


def test_nothing_in_a_capture_is_told() -> None:
    (answer,) = describe_capture(b"\x00\xffhello")
    assert answer["error"]["kind"] == "no_answer"


def test_the_power_of_a_q3d_that_feeds_in_is_told_as_export() -> None:
    capture = (
        b"/ESY5Q3DA1024 V3.02\r\n\r\n1-0:1.8.0*255(00000504.9023619*kWh)\r\n"
        b"1-0:21.7.0*255(-000115.94*W)\r\n1-0:1.7.255*255(-000100.44*W)\r\n!\r\n"
    )
    (answer,) = describe_capture(capture)
    told = {key: str(item["value"]) for key, item in answer["measurements"].items() if "power" in key}
    assert told == {
        "active_power_import": "0.00",
        "active_power_export": "100.44",
        "active_power_net": "-100.44",
        "active_power_import_l1": "0.00",
        "active_power_export_l1": "115.94",
        "active_power_net_l1": "-115.94",
    }
    assert "note" not in answer


def test_a_negative_power_beside_an_export_is_not_told() -> None:
    (answer,) = describe_capture(b"/XYZ5M\r\n\r\n1.7.0(-0.5*kW)\r\n2.7.0(0.5*kW)\r\n!\r\n")
    assert set(answer["measurements"]) == {"active_power_export"}
    assert answer["unread"] == ["active_power_import is negative"]


def test_data_sets_without_an_identification_are_told_as_such() -> None:
    (answer,) = describe_capture(b"2.8.0(000010.490*kWh)\r\n15.8.0(061571.780*kWh)\r\n!\r\n")
    assert set(answer["measurements"]) == {"active_energy_export", "active_energy_sum"}
    assert answer["note"] == NO_IDENTIFICATION


def test_damage_is_told_with_its_bytes() -> None:
    block = b"\x021.8.0(1*kWh)\r\n!\r\n\x03"
    (wrong,) = describe_capture(block + b"\x7f")
    assert (wrong["error"]["kind"], wrong["bytes"], wrong["bcc"]) == (
        "checksum",
        (block + b"\x7f").hex().upper(),
        "bad",
    )
    (cut,) = describe_capture(b"\x021.8.0(1*k")
    assert (cut["error"]["kind"], cut["bytes"], "bcc" in cut) == (
        "incomplete",
        b"\x021.8.0(1*k".hex().upper(),
        False,
    )
    (nothing,) = describe_capture(b"")
    assert nothing.keys() == {"protocol", "error"}


def test_values_of_one_code_are_a_list_in_their_order() -> None:
    sets = b"1.8.0(1*kWh)\r\n2.8.0(9*kWh)\r\n1.8.0(2*kWh)\r\n1.8.0(3*kWh)(4*kWh)\r\n!\r\n"
    (answer,) = describe_capture(b"/XYZ5M\r\n" + sets)
    assert answer["objects"]["2.8.0"] == {"value": Decimal(9), "unit": "kWh"}
    assert [each["value"] for each in answer["objects"]["1.8.0"]] == [1, 2, 3, 4]
    assert "unread" not in answer


def test_what_is_known_of_a_meter_goes_before_what_its_capture_tells() -> None:
    captured = capture("iec-66c-kenanv-1") + capture("iec-66c-kenanv-d")
    other = scaling_of_program(parse_program("42119"))
    answer, _ = describe_capture(captured, scaling=other)
    assert answer["measurements"]["heat_energy"] == {"value": Decimal("5071.09"), "unit": "GJ"}
    # And what is not known of it, the capture completes.
    answer, _ = describe_capture(captured, scaling=Scaling())
    assert answer["measurements"]["heat_energy"] == {"value": Decimal("507.109"), "unit": "MWh"}
