"""`decode mbus`: what is printed of each frame, and how `decode auto` finds it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from smart_meter_reader.cli.decode.auto import auto
from smart_meter_reader.codecs.mbus.describe import describe_capture
from smart_meter_reader.console import EXIT_DATA, EXIT_OK
from smart_meter_reader.drivers import Likeness
from smart_meter_reader.meters.mbus.decode import looks_wireless, mbus, sniff
from tests.codecs.mbus.captures import MULTICAL_403, SHARKY, wire

EXCHANGE = bytes.fromhex("1040fd3d16680b0b6873fd52ffffff1fffffffffda16e5105bfd5816") + wire(
    "mbus-scan-secondary"
)


def test_an_answer_has_the_keys_that_scripts_rely_on() -> None:
    result = CliRunner().invoke(mbus, ["--json", MULTICAL_403.hex()])
    assert result.exit_code == EXIT_OK
    told = json.loads(result.stdout, parse_float=Decimal)
    assert {key: told[key] for key in ("protocol", "frame", "address", "id", "manufacturer", "version")} == {
        "protocol": "mbus",
        "frame": "long",
        "address": 74,
        "id": "77447744",
        "manufacturer": "KAM",
        "version": 0x34,
    }
    assert told["medium"] == "heat (outlet)"
    energy = {key: told["records"][0][key] for key in ("quantity", "value", "unit", "function")}
    assert energy == {"quantity": "energy", "value": 34_510_000, "unit": "Wh", "function": "instantaneous"}
    assert [told["records"][0][key] for key in ("storage", "tariff", "subunit")] == [0, 0, 0]
    assert told["measurements"]["heat_energy"] == {"value": 34510, "unit": "kWh"}
    assert told["measurements"]["volume"] == {"value": Decimal("2232.49"), "unit": "m³"}


def test_an_exchange_is_one_object_for_each_frame_in_order() -> None:
    result = CliRunner().invoke(mbus, ["--json", EXCHANGE.hex()])
    told = [json.loads(line) for line in result.stdout.splitlines()]
    assert [each["frame"] for each in told] == ["short", "long", "ack", "short", "long"]
    assert [each.get("request") for each in told] == ["SND_NKE", "select", None, "REQ_UD2", None]
    assert told[1]["secondary_address"] == "1FFFFFFFFFFFFFFF"
    assert told[-1]["more_follows"] is True
    assert {each["why"] for each in told[-1]["missing"]} == {"not set", "not available (80000000)"}
    assert not any(each["value"] is None for each in told[-1]["records"])


def test_a_damaged_frame_ends_with_65_and_gives_no_value() -> None:
    result = CliRunner().invoke(mbus, ["--json", wire("mbus-bad-checksum").hex()])
    assert result.exit_code == EXIT_DATA
    told = json.loads(result.stdout)
    assert told["error"]["kind"] == "checksum"
    assert not {"records", "measurements"} & told.keys()
    both = CliRunner().invoke(mbus, ["--json", (wire("mbus-bad-checksum") + MULTICAL_403).hex()])
    assert both.exit_code == EXIT_DATA
    assert [json.loads(line).get("id") for line in both.stdout.splitlines()] == [None, "77447744"]
    assert "1 frame of 2 cannot be read" in both.stderr


@pytest.mark.parametrize("capture", ["00ff", "1055aa", ""])
def test_no_frame_at_all_ends_with_65(capture: str) -> None:
    result = CliRunner().invoke(mbus, [capture or "-"], input="")
    assert result.exit_code == EXIT_DATA
    assert "no M-Bus frame found" in result.stderr


def test_the_old_byte_order_is_refused_and_no_number_is_printed() -> None:
    result = CliRunner().invoke(mbus, [wire("mbus-mode2-msb-first").hex()])
    assert result.exit_code == EXIT_DATA
    assert "highest octet first" in result.stdout
    assert "measurements" not in result.stdout


def test_a_person_gets_who_what_and_what_is_missing() -> None:
    result = CliRunner().invoke(mbus, [EXCHANGE.hex()])
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines[0] == "request SND_NKE to 253"
    assert "secondary address: 1FFFFFFFFFFFFFFF" in lines
    assert "acknowledge (E5)" in lines
    assert "answer from 0: ZRI 10000099, heat (outlet)" in lines
    assert "flow temperature 30.34 °C" in lines
    assert "energy (storage 9): no value, not available (80000000)" in lines
    assert "more records follow in the next telegram" in lines
    assert "heat_energy 147 kWh" in lines


@pytest.mark.parametrize("capture", [SHARKY, MULTICAL_403, EXCHANGE, b"\x00\xff" + SHARKY])
def test_decode_auto_takes_it_for_what_it_is(capture: bytes) -> None:
    result = CliRunner().invoke(auto, ["--json", capture.hex()])
    assert result.exit_code == EXIT_OK, result.stderr
    assert "taken for M-Bus" in result.stderr


def test_how_much_a_capture_looks_like_it() -> None:
    dlms = bytes.fromhex("68080868530100000102030460")
    whole = dlms[:-1] + bytes([sum(dlms[4:-1]) & 0xFF]) + b"\x16"
    assert sniff(SHARKY) is Likeness.CHECKED
    assert sniff(wire("mbus-bad-checksum")) is Likeness.FRAMED
    assert sniff(wire("mbus-primary-read")) is Likeness.FRAMED
    assert sniff(whole) is not Likeness.CHECKED
    assert sniff(b"\xe5\xe5") is sniff(b"") is Likeness.NONE


def test_bytes_outside_of_frames_are_counted() -> None:
    described = describe_capture(b"abc" + SHARKY + b"de")
    assert described.skipped_bytes == 5
    assert described.frames[0]["skipped_bytes"] == 3


def test_a_telegram_by_radio_is_named_as_that() -> None:
    """rscada/libmbus#146: a Sonometer 30, and its length without and with two octets of checksum."""
    telegram = bytes.fromhex("4e44d310131705005004 7aaf003005") + bytes(0x4F - 15)
    assert looks_wireless(telegram)
    assert looks_wireless(telegram + b"\1\2")
    assert not looks_wireless(telegram[:-1])
    assert not looks_wireless(b"\x68" + telegram[1:])
    result = CliRunner().invoke(mbus, [telegram.hex()])
    assert result.exit_code == EXIT_DATA
    assert "wireless M-Bus" in result.stderr
