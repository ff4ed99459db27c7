"""What `decode kmp` tells of captures: every published one, every single-bit flip, and any bytes at all."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp.describe import describe_capture, describe_frame
from smart_meter_reader.codecs.kmp.frame import Frame
from smart_meter_reader.codecs.kmp.message import GetRegisterResponse, encode_response
from smart_meter_reader.codecs.kmp.record import RegisterValue
from smart_meter_reader.json_text import dumps
from smart_meter_reader.text import LONGEST_NUMBER
from tests.codecs.kmp.vectors import VECTORS, Vector, wire

DAMAGED_KINDS = {
    "kmp-doc-getreg-resp-misprint": ["checksum"],
    "kmp-doc-setclock": ["checksum"],
    # On the wire the unstuffed 40 starts a frame of its own, which ends at once.
    "kmp-jk-log-unstuffed-crc": ["incomplete", "length"],
    "kmp-flowiq-unstuffed-request": ["incomplete", "checksum"],
    "kmp-jk-bad-stuffing": ["stuffing"],
    "kmp-jk-truncated-stuffing": ["stuffing"],
    "kmp-ml-1004-unstuffed": ["stuffing"],
    "kmp-golles-crc-error": ["checksum"],
    "kmp-x-nob-too-long": ["length"],
    "kmp-x-bitflip": ["checksum"],
    "kmp-x-truncated": ["checksum"],
    # A byte too many behind a request for rows of a logger.
    "kmp-jk-log-short-req": ["length"],
    # Its start byte makes it a request, which its content is not.
    "kmp-x-wrong-start": ["length"],
}
# These test the CRC alone and are no frames.
NO_FRAMES = {"kmp-crc-check": 9}

GOOD = [
    vector
    for id_, vector in VECTORS.items()
    if id_ not in DAMAGED_KINDS and id_ not in NO_FRAMES and vector["kind"] != "note"
]


def ids(vector: Vector) -> str:
    return str(vector["id"])


@pytest.mark.parametrize("vector", GOOD, ids=ids)
def test_good_vectors(vector: Vector) -> None:
    capture = describe_capture(bytes.fromhex(vector["bytes_hex"]))
    decoded = vector["decoded_by_collector"]
    assert (len(capture.frames), capture.damaged, capture.skipped_bytes) == (1, 0, 0)
    (frame,) = capture.frames
    if decoded.get("ack"):
        assert frame == {"protocol": "kmp", "direction": "ack"}
        return
    assert frame["direction"] == decoded["direction"]
    assert frame["address"] == int(decoded["dest"], 16)
    assert frame["cid"] == int(decoded["cid"], 16)
    if "serial" in decoded:
        assert frame["serial_number"] == int(decoded["serial"])
    if "meter_type" in decoded:
        assert (frame["meter_type"], frame["software_revision"]) == (decoded["meter_type"], decoded["sw_rev"])
    if "registers_requested" in decoded:
        assert [register["id"] for register in frame["registers"]] == decoded["registers_requested"]
    for register, expected in zip(frame.get("registers", []), decoded.get("registers", []), strict=False):
        _assert_register(register, expected)
    assert len(decoded.get("registers", [])) in (0, len(frame.get("registers", [])))
    if decoded.get("data"):
        assert frame["payload"] == decoded["data"].upper()


def _assert_register(register: dict[str, Any], expected: dict[str, Any]) -> None:
    assert register["id"] == expected["register"]
    if "error" in register:  # the example of 5512-447, 6.2.4, has 25 digits
        assert len(expected["value"].replace(".", "")) > LONGEST_NUMBER
        return
    value = register["value"]
    if isinstance(value, Decimal):
        assert format(value, "f") == expected["value"]
        if expected["unit_code"] not in (0x00, 0x33):
            assert register["unit"] == expected["unit"].replace("days", "d")
    elif value is None:
        assert int(expected["value"]) == 0
    else:
        assert value == expected.get("date", expected.get("time", "2012-09-10T16:02:33"))


def _claims(vector: Vector) -> dict[int, str]:
    """The values by register that the source itself gives: as {"60": "55.006 MWh"}."""
    expected = vector.get("expected_from_source") or {}
    return {int(key): str(value) for key, value in expected.items() if key.isdigit()}


@pytest.mark.parametrize("vector", [vector for vector in GOOD if _claims(vector)], ids=ids)
def test_what_the_sources_say_themselves(vector: Vector) -> None:
    (frame,) = describe_capture(bytes.fromhex(vector["bytes_hex"])).frames
    found = {register["id"]: register for register in frame["registers"]}
    for id_, claim in _claims(vector).items():
        value, unit = found[id_]["value"], found[id_]["unit"]
        number = claim.split()[0]
        if isinstance(value, Decimal):
            assert value == Decimal(number)
            if " " in claim:
                said = claim.split()[1]
                assert said in (unit, unit.replace("³", "3"), unit.replace("°", ""), {"d": "days"}.get(unit))
        else:
            assert re.sub("[-:]", "", str(value)).removeprefix("20") == number


@pytest.mark.parametrize(("id_", "kinds"), DAMAGED_KINDS.items(), ids=DAMAGED_KINDS)
def test_damaged_vectors_yield_no_value(id_: str, kinds: list[str]) -> None:
    capture = describe_capture(wire(id_))
    assert [frame["error"]["kind"] for frame in capture.frames] == kinds
    assert not [frame for frame in capture.frames if "registers" in frame]


@pytest.mark.parametrize(("id_", "skipped"), NO_FRAMES.items(), ids=NO_FRAMES)
def test_what_is_no_frame_is_skipped_and_counted(id_: str, skipped: int) -> None:
    capture = describe_capture(wire(id_))
    assert (capture.frames, capture.skipped_bytes) == ((), skipped)


def test_a_session_with_echo_garbage_damage_and_a_cut_end() -> None:
    request, answer = wire("kmp-t403-60-req"), wire("kmp-t403-60-resp")
    capture = describe_capture(
        request + request + b"\x00" + answer + b"\xff\xfe" + wire("kmp-x-bitflip") + b"\x06" + answer[:6]
    )
    asked = {
        "protocol": "kmp",
        "direction": "request",
        "address": 63,
        "cid": 16,
        "command": "GetRegister",
        "registers": [{"id": 60, "name": "heat_energy"}],
    }
    assert capture.frames[:2] == (asked, asked)
    assert capture.frames[2] == {
        **asked,
        "direction": "response",
        "registers": [{"id": 60, "name": "heat_energy", "value": Decimal("55.006"), "unit": "MWh"}],
    }
    assert capture.frames[3]["error"]["kind"] == "checksum"
    assert capture.frames[3]["skipped_bytes"] == 2
    assert capture.frames[4] == {"protocol": "kmp", "direction": "ack"}
    assert capture.frames[5]["error"]["kind"] == "incomplete"
    assert (len(capture.frames), capture.damaged, capture.skipped_bytes) == (6, 2, 2)


def test_of_what_makes_no_sense_the_bytes_are_told() -> None:
    frame = describe_frame(Frame("response", 0x3F, 0x02, b"\xab"))
    assert (frame["error"]["kind"], frame["payload"]) == ("length", "AB")
    request, answer = wire("kmp-t403-60-req"), wire("kmp-x-bitflip")
    for damaged, direction in ((request[:-3] + b"\xab" + request[-2:], "request"), (answer, "response")):
        (frame,) = describe_capture(damaged).frames
        assert frame["direction"] == direction
        assert frame["bytes"] == damaged.hex().upper()


@pytest.mark.parametrize(
    ("meter_type", "model"), [(b"\x00\x01", {"model": "MULTICAL 601 (Pt500)"}), (b"\xff\xff", {})]
)
def test_a_model_is_told_where_a_source_names_it(meter_type: bytes, model: dict[str, str]) -> None:
    frame = describe_frame(Frame("response", 0x3F, 0x01, meter_type + b"\x01\x02"))
    assert {key: value for key, value in frame.items() if key == "model"} == model
    assert frame["meter_type"] == meter_type.hex().upper()


@pytest.mark.parametrize("noise", [b"\x40", b"\x80", b"\x80\x40", b"\xaa\x40\xbb", b"\x40\x10\x3f"])
def test_a_start_byte_in_noise_makes_no_frame(noise: bytes) -> None:
    request, answer = wire("kmp-t403-60-req"), wire("kmp-t403-60-resp")
    capture = describe_capture(noise + request + noise + answer)
    assert (len(capture.frames), capture.damaged) == (2, 0)
    assert [frame["skipped_bytes"] for frame in capture.frames] == [len(noise)] * 2
    assert capture.skipped_bytes == 2 * len(noise)


def test_a_frame_that_was_cut_by_the_next_one_is_told() -> None:
    answer = wire("kmp-t403-60-resp")
    for length in range(2, len(answer)):
        capture = describe_capture(answer[:length] + answer)
        assert [frame.get("error", {}).get("kind") for frame in capture.frames] == ["incomplete", None]
        assert capture.skipped_bytes == 0


def test_a_number_of_a_hundred_decimals_is_told_as_none() -> None:
    # SignExp 7Fh: the mantissa times 10 to the power of -63. The client leaves such a value out as well.
    far = encode_response(GetRegisterResponse((RegisterValue(60, 2, 0x7F, b"\0\0\x30\x39"),)))
    (register,) = describe_capture(far).frames[0]["registers"]
    assert "value" not in register
    assert "more than 20 digits" in register["error"]["detail"]


def test_one_impossible_date_leaves_its_neighbours() -> None:
    answer = GetRegisterResponse(
        (
            RegisterValue(123, 0x30, 0, (221301).to_bytes(4, "big")),
            RegisterValue(124, 0x29, 0, (245).to_bytes(4, "big")),
            RegisterValue(127, 0x30, 0, bytes(4)),
        )
    )
    capture = describe_capture(encode_response(answer))
    assert capture.damaged == 0
    bad, flow, never = capture.frames[0]["registers"]
    assert bad["error"]["kind"] == "value"
    assert "value" not in bad
    assert flow["value"] == 245
    assert never["value"] is None


# Eight registers of 4 bytes each, no byte stuffed: 78 bytes, 624 bits.
EIGHT_REGISTERS = encode_response(
    GetRegisterResponse(
        tuple(
            RegisterValue(register, unit, sign_exponent, digits.to_bytes(4, "big"))
            for register, unit, sign_exponent, digits in (
                (60, 0x08, 0x43, 227445),
                (68, 0x28, 0x42, 187556),
                (74, 0x29, 0x00, 231),
                (80, 0x16, 0x41, 35),
                (86, 0x25, 0x42, 7268),
                (87, 0x25, 0x42, 3601),
                (89, 0x26, 0x42, 3667),
                (1004, 0x2E, 0x00, 40207),
            )
        )
    )
)
STUFFED = encode_response(
    GetRegisterResponse(
        tuple(RegisterValue(0x0600 + n, 0x0D, 0x40, bytes((0x1B, 0x80, 0x40, 0x06))) for n in range(8))
    )
)


def test_the_flipped_answer_is_624_bits() -> None:
    assert 8 * len(EIGHT_REGISTERS) == 624
    assert len(describe_capture(EIGHT_REGISTERS).frames[0]["registers"]) == 8


@pytest.mark.parametrize("answer", [EIGHT_REGISTERS, STUFFED], ids=["plain", "stuffed"])
def test_no_single_bit_flip_yields_a_value_or_costs_the_next_answer(answer: bytes) -> None:
    intact = describe_capture(answer).frames[0]
    for bit in range(8 * len(answer)):
        flipped = bytearray(answer)
        flipped[bit // 8] ^= 1 << bit % 8
        assert not [frame for frame in describe_capture(bytes(flipped)).frames if "registers" in frame], bit
        then = describe_capture(bytes(flipped) + answer)
        assert [frame for frame in then.frames if "registers" in frame] == [
            {**intact, "skipped_bytes": then.skipped_bytes} if "skipped_bytes" in then.frames[-1] else intact
        ], bit


@given(st.binary(max_size=200) | st.lists(st.sampled_from([*VECTORS]).map(wire), max_size=4).map(b"".join))
def test_any_capture_can_be_told_as_json(capture: bytes) -> None:
    for frame in describe_capture(capture).frames:
        assert dumps(frame).startswith('{"protocol":"kmp"')
