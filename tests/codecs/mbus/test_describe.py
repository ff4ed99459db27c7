"""`decode mbus`: what is printed of each frame, and how `decode auto` finds it."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest
from click.testing import CliRunner

from smart_meter_reader.cli.decode.auto import auto
from smart_meter_reader.codecs.mbus.describe import describe_capture, describe_frame, frame_name
from smart_meter_reader.codecs.mbus.frame import LongFrame, ShortFrame, SingleCharacter
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
    several = describe_capture(b"abc" + SHARKY + SHARKY + b"d" + SHARKY)
    assert [each.get("skipped_bytes") for each in several.frames] == [3, None, 1]


def test_damage_is_told_with_its_octets() -> None:
    long, short = (
        describe_capture(MULTICAL_403[:-3]).frames + describe_capture(b"\x10\x5b\x01\xff\x16").frames
    )
    assert (long["frame"], long["error"]["kind"]) == ("long", "incomplete")
    assert long["bytes"] == MULTICAL_403[:-3].hex().upper()
    assert (short["frame"], short["error"]["kind"], short["bytes"]) == ("short", "checksum", "105B01FF16")


@pytest.mark.parametrize(
    ("ci", "length", "name", "error"),
    [
        (0x52, 8, "select", None),
        (0x52, 7, "SND_UD", None),
        (0x51, 8, "SND_UD", None),
        (0x00, 8, "SND_UD", "dlms"),
        (0x1F, 2, "SND_UD", "dlms"),
        (0x20, 2, "SND_UD", None),
    ],
)
def test_what_a_reader_sends(ci: int, length: int, name: str, error: str | None) -> None:
    told = describe_frame(LongFrame(0x53, 1, ci, b"\xab" * length))
    assert (told["request"], told.get("error", {}).get("kind")) == (name, error)
    assert told.get("payload") == (None if name == "select" else "AB" * length)


def test_requests_by_their_names() -> None:
    names = [frame_name(describe_frame(ShortFrame(control, 7))) for control in (0x40, 0x5A, 0x7A, 0x5B, 0x7B)]
    assert names == [
        "request SND_NKE to 7",
        "request REQ_UD1 to 7",
        "request REQ_UD1 to 7, FCB",
        "request REQ_UD2 to 7",
        "request REQ_UD2 to 7, FCB",
    ]
    assert frame_name(describe_frame(SingleCharacter())) == "acknowledge (E5)"
    assert frame_name(describe_frame(LongFrame(0x08, 7, 0x78, b""))) == "answer"


def test_an_answer_without_header_tells_of_its_records_alone() -> None:
    told = describe_frame(LongFrame(0x08, 7, 0x78, bytes.fromhex("8c1086f00001000000")))
    assert told.keys() == {
        *("protocol", "frame", "address", "control", "ci"),
        *("medium", "access", "status", "records", "measurements"),
    }
    (record,) = told["records"]
    assert (record["dif"], record["vif"], "modifiers" in record) == ("8C10", "86F000", False)


def test_an_answer_tells_states_model_and_what_is_the_makers() -> None:
    header = bytes.fromhex("78563412" + "2d2c" + "3404" + "07" + "04" + "0000")
    told = describe_frame(LongFrame(0x08, 7, 0x72, header + bytes.fromhex("04863b01000000" + "1fabcd")))
    assert (told["states"], told["model"], told["status"]) == (["low power"], "MULTICAL 403", "04")
    assert (told["manufacturer_data"], told["more_follows"]) == ("ABCD", True)
    assert told["records"][0]["modifiers"] == ["only positive"]
    (other,) = describe_capture(SHARKY).frames
    assert (other["manufacturer"], "model" in other) == ("HYD", False)


def test_an_answer_that_is_none_is_told_with_its_octets() -> None:
    told = describe_frame(LongFrame(0x00, 7, 0x72, b"\xab"))
    assert (told["error"]["kind"], told["payload"]) == ("control", "AB")
    assert "C field 00h" in told["error"]["detail"]
    told = describe_frame(LongFrame(0x08, 7, 0x72, b"\xab"))
    assert (told["error"]["kind"], told["payload"]) == ("header", "AB")


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
