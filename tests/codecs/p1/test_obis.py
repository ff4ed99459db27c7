"""Our table of P1 codes beside dsmr-parser's, and when that is asked."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from typing import Any

import pytest
from dsmr_parser import telegram_specifications

from smart_meter_reader.codecs.p1.dsmr_names import names
from smart_meter_reader.codecs.p1.encode import encode_telegram
from smart_meter_reader.codecs.p1.obis import KNOWN, CodeTableError, ElectricityCode, Further, Meanings
from smart_meter_reader.codecs.p1.reader import P1Reader
from smart_meter_reader.codecs.p1.telegram import Telegram
from smart_meter_reader.quantities import QUANTITIES
from tests.codecs.p1.streams import read, telegrams

# What dsmr-parser's names mean, written down here once more and by hand: ours are learnt from the codes.
NAMED = {
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
    "FUSE_THRESHOLD_L1": "current_average_l1",  # in Belgium a limit: see derived
    "FUSE_THRESHOLD_L2": "current_average_l2",
    "FUSE_THRESHOLD_L3": "current_average_l3",
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

ROLES = {
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

# Names of lines that are no quantity of ours, and of those that are the M-Bus channels' to read.
OF_NO_USE = {
    "BELGIUM_MAXIMUM_DEMAND_13_MONTHS",
    "DEVICE_TYPE",
    "GAS_METER_READING",
    "HOURLY_GAS_METER_READING",
    "MBUS_DEVICE_TYPE",
    "MBUS_EQUIPMENT_IDENTIFIER",
    "MBUS_METER_READING",
    "MBUS_VALVE_POSITION",
    "MSN_CT_RATIO",
    "MSN_MBUS_SWITCH_POSITION",
    "VALVE_POSITION_GAS",
}
# Texts that its specifications leave as they are on the wire, or call numbers in one and texts in another.
AS_WRITTEN = {"code", "octets", "text"}

# Every code of a line that dsmr-parser knows, on a group that only it expects there.
MISPLACED = "0-0:21.7.0(00.123*kW)"


def lines() -> list[dict[str, Any]]:
    """dsmr-parser's lines, of all its specifications."""
    return [
        line
        for specification in vars(telegram_specifications).values()
        if isinstance(specification, dict)
        for line in specification.get("objects", ())
    ]


def telegram(*data_lines: str) -> bytes:
    body = "/XMX5\r\n\r\n" + "".join(f"{line}\r\n" for line in data_lines) + "!"
    return encode_telegram(body.encode("latin-1"))


def test_every_name_of_dsmr_parser_is_known_here() -> None:
    """A new version may name more: then say here what it means, and put its code into our table."""
    assert {line["value_name"] for line in lines()} == {*NAMED, *ROLES, *OF_NO_USE}


@pytest.mark.parametrize("code", KNOWN)
def test_our_table_says_what_dsmr_parser_says(code: str) -> None:
    """For every code that both know. 1-0:0.2.8, 1-1:31.4.0: ours says that those are other lines there."""
    known = KNOWN[code]
    theirs = [name for name in names(code) if name not in OF_NO_USE]
    if theirs and code not in ("0-0:0.2.8", "1-0:0.2.8", "1-1:31.4.0"):
        assert {NAMED.get(name, "") for name in theirs} == {known.quantity}
        assert {ROLES.get(name, "") for name in theirs} == {known.role}


def test_our_table_has_every_code_that_dsmr_parser_has_a_meaning_for() -> None:
    """So that no meter's usual telegram brings the import."""
    named = {name for code, known in KNOWN.items() if known.quantity or known.role for name in names(code)}
    assert named >= {*NAMED, *ROLES}


@pytest.mark.parametrize("code", [code for code, known in KNOWN.items() if known.quantity])
def test_types_are_those_of_dsmr_parser(code: str) -> None:
    known = KNOWN[code]
    assert known.quantity in QUANTITIES
    for line in lines():
        if line["value_name"] in names(code) and line["value_name"] not in OF_NO_USE:
            wanted = line["value_parser"].value_formats[-1].coerce_type
            if known.value_type not in AS_WRITTEN:
                assert {"number": Decimal, "integer": int}[known.value_type] is wanted
            else:
                assert wanted in (str, int)


# Run in a process of its own, which tells what was imported in the end.
_READ = """
import sys
from smart_meter_reader.codecs.p1.reader import P1Reader
reader = P1Reader()
reader.receive_data(bytes.fromhex(sys.stdin.read()))
telegram = reader.next_telegram()
assert telegram is not None
print(sorted(telegram.measurements), *[m for m in ("dsmr_parser", "cryptography") if m in sys.modules])
"""
_READ_ALL = """
import re, sys
from smart_meter_reader.codecs.p1.describe import describe_capture
from smart_meter_reader.codecs.p1.telegram import TelegramParser
from smart_meter_reader.meters.p1.emulated_telegrams import TEMPLATES
from tests.codecs.p1.vectors import ENCRYPTED, PLAIN, wire
parsed = 0
for capture in (*map(wire, PLAIN), *TEMPLATES.values()):
    # Whatever its checksum, so that it is about all codes that were ever seen.
    for body in re.findall(rb"/[^!]*\\n!", capture):
        parsed += bool(TelegramParser().parse(body, "ok").measurements)
assert parsed >= len(PLAIN), (parsed, len(PLAIN))
for frame in ENCRYPTED:
    assert "error" in next(describe_capture(wire(frame)))
print(*[m for m in ("dsmr_parser", "cryptography") if m in sys.modules])
"""


def run(code: str, given: str = "") -> str:
    return subprocess.run(
        [sys.executable, "-c", code], input=given, capture_output=True, text=True, check=True
    ).stdout.strip()


def test_no_usual_telegram_brings_the_import() -> None:
    """Of every dialect, nor an encrypted one without a key: 14 MiB that a Raspberry Pi needs not spend."""
    assert run(_READ_ALL) == ""


def test_a_code_of_dsmr_parser_alone_brings_it() -> None:
    sent = telegram("1-0:1.7.0(00.300*kW)", MISPLACED).hex()
    assert run(_READ, sent) == "['active_power_import', 'active_power_import_l1'] dsmr_parser cryptography"


@pytest.mark.parametrize(
    ("line", "quantity", "value"),
    [
        (MISPLACED, "active_power_import_l1", Decimal("0.123")),
        ("3-0:1.8.0(000012.500*kWh)", "active_energy_import", Decimal("12.500")),
        ("1-0:96.14.0(0002)", "tariff", 2),
        ("1-1:96.13.0(48656C6C6F)", "text_message", "Hello"),
    ],
)
def test_what_dsmr_parser_alone_knows_is_measured(line: str, quantity: str, value: object) -> None:
    (found,) = telegrams(read(telegram(line)))
    assert found.measurements[quantity]["value"] == value


@pytest.mark.parametrize(
    "code", ["1-0:1.8.9", "1-0:1.8.11", "1-10:1.8.0", "2-0:77.7.0", "1-1:31.4.0", "1-0:0.2.8"]
)
def test_what_neither_knows_stays_as_it_is(code: str) -> None:
    (found,) = telegrams(read(telegram(f"{code}(00.123*kW)")))
    assert found.objects == {code: {"value": Decimal("0.123"), "unit": "kW"}}
    assert found.measurements == {}
    assert found.identity.version == ""


def test_a_reader_on_a_loop_is_told_before_the_import_and_loses_nothing() -> None:
    further = Further(aside=True)
    reader = P1Reader(further=further)
    reader.receive_data(
        telegram("1-0:1.7.0(00.100*kW)")
        + telegram("1-0:1.7.0(00.200*kW)", MISPLACED)
        + telegram("1-0:1.7.0(00.300*kW)", MISPLACED)
    )
    assert power(reader.next_telegram()) == (Decimal("0.100"), None)
    for _ in range(2):
        with pytest.raises(CodeTableError, match=r"0-0:21\.7\.0"):
            reader.next_telegram()
    further.load()
    assert power(reader.next_telegram()) == (Decimal("0.200"), Decimal("0.123"))
    assert power(reader.next_telegram()) == (Decimal("0.300"), Decimal("0.123"))
    assert reader.next_telegram() is None


def power(found: Telegram | None) -> tuple[object, object]:
    assert found is not None
    values = {quantity: item["value"] for quantity, item in found.measurements.items()}
    return values["active_power_import"], values.get("active_power_import_l1")


def test_the_codes_of_noise_do_not_add_up() -> None:
    meanings = Meanings(Further())
    for number in range(5000):
        assert meanings[f"1-0:{number % 100}.99.{number // 100}"].quantity == ""
        assert len(meanings) <= 1024


# Quantity, type, role, A and B, C.D.E.
NO_CODE = ("", "text", "", (0, 0), "")
MEANINGS = {
    "": NO_CODE,
    "1.8.0": NO_CODE,
    "x1-0:1.8.0": NO_CODE,
    "1-0:1.8.0x": NO_CODE,
    "1-0:1.8.0": ("active_energy_import", "number", "", (1, 0), "1.8.0"),
    # How F is written where the value is that of now, and where it is not.
    "1-0:1.8.0*255": ("active_energy_import", "number", "", (1, 0), "1.8.0"),
    "1-0:1.8.0.255": ("active_energy_import", "number", "", (1, 0), "1.8.0"),
    "1-0:1.8.0*01": ("", "text", "", (1, 0), "1.8.0"),
    "1-0:1.8.0*100": ("", "text", "", (1, 0), "1.8.0"),
    "1-2:1.8.0*00": ("", "text", "first", (1, 2), "1.8.0"),
    "1-0:1.8.0*0": ("", "text", "first", (1, 0), "1.8.0"),
    "0-0:96.1.1*00": ("", "text", "", (0, 0), "96.1.1"),
    "2-0:1.8.0*00": ("", "text", "", (2, 0), "1.8.0"),
    # Relays are the electricity meter's own.
    "0-1:96.3.10": ("relay_1_position", "code", "", (0, 0), "96.3.10"),
    "0-4:96.3.10": ("relay_4_position", "code", "", (0, 0), "96.3.10"),
    "0-5:96.3.10": ("", "text", "mbus", (0, 5), "96.3.10"),
    "0-0:96.3.10": ("switch_position", "code", "", (0, 0), "96.3.10"),
    "1-1:96.3.10": ("switch_position", "code", "", (1, 1), "96.3.10"),
    "0-1:96.3.11": ("", "text", "mbus", (0, 1), "96.3.11"),
    # Devices: a channel of theirs, or a medium.
    "0-1:24.2.1": ("", "text", "mbus", (0, 1), "24.2.1"),
    "4-0:1.0.1": ("", "text", "", (4, 0), "1.0.1"),
    "5-0:1.0.1": ("", "text", "mbus", (5, 0), "1.0.1"),
    "8-1:1.0.1": ("", "text", "mbus", (8, 1), "1.0.1"),
    "9-0:1.0.1": ("", "text", "", (9, 0), "1.0.1"),
    # Channels of the electricity meter: a line of its own, else that of channel 0, up to 9.
    "1-9:1.8.0": ("active_energy_import", "number", "", (1, 9), "1.8.0"),
    "1-10:1.8.0": ("", "text", "", (1, 10), "1.8.0"),
    "1-3:0.2.8": ("", "text", "version", (1, 3), "0.2.8"),
    "1-0:0.2.8": ("", "text", "", (1, 0), "0.2.8"),
    "1-1:31.4.0": ("", "text", "", (1, 1), "31.4.0"),
    "1-0:31.4.0": ("current_average_l1", "number", "", (1, 0), "31.4.0"),
    "0:0.0.0": ("", "text", "serial", (0, 0), "0.0.0"),
    # E of all tariffs.
    "1-0:1.7.255": ("active_power_import", "number", "", (1, 0), "1.7.255"),
    "1-3:1.7.255": ("", "text", "", (1, 3), "1.7.255"),
    "1-0:1.7.254": ("", "text", "", (1, 0), "1.7.254"),
    "0-0:96.1.255": ("", "text", "serial", (0, 0), "96.1.255"),
    # What dsmr-parser alone knows.
    "0-0:21.7.0": ("active_power_import_l1", "number", "", (0, 0), "21.7.0"),
}


@pytest.mark.parametrize("code", MEANINGS)
def test_what_a_code_means(code: str) -> None:
    meanings = Meanings(Further())
    assert tuple(meanings[code]) == MEANINGS[code]
    assert tuple(meanings[code]) == MEANINGS[code], "remembered"


def test_the_nine_channels_of_our_own_lines_bring_no_import() -> None:
    meanings = Meanings(Further(aside=True))
    assert meanings["1-9:1.8.0"].quantity == "active_energy_import"
    with pytest.raises(CodeTableError):
        meanings["1-10:1.8.0"]


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("1-0:1.8.0", ElectricityCode("active_energy_import", "number")),
        ("0-0:1.8.0", None),
        ("1-0:1.6.0", ElectricityCode("active_demand_import_maximum", "number", "peak")),
        ("1-0:32.24.0", ElectricityCode("voltage_average_l1", "number")),
        ("1-0:72.38.0", ElectricityCode("voltage_swell_magnitude_l3", "number")),
        ("1-0:2.8.13", ElectricityCode("active_energy_export_tariff_13", "number")),
        ("1-0:32.32.0", ElectricityCode("voltage_sags_l1", "integer")),
        ("0-0:96.14.0", ElectricityCode("tariff", "code")),
        ("0-0:96.14.1", ElectricityCode("second_tariff", "code")),
        ("0-0:96.13.5", ElectricityCode("text_message_5", "octets")),
        ("0-0:17.0.0", ElectricityCode("active_power_threshold", "number")),
        ("0-0:1.0.0", ElectricityCode(role="time")),
        ("0-0:98.1.0", ElectricityCode(role="months")),
        ("1-0:99.1.0", ElectricityCode()),
        ("0-0:94.98.33", ElectricityCode()),
        # A bit field in hexadecimal digits.
        ("1-0:96.5.5", ElectricityCode("equipment_state", "text")),
    ],
)
def test_lines_of_the_table(code: str, known: ElectricityCode | None) -> None:
    assert KNOWN.get(code) == known
