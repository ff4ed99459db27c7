"""What is told of a capture: whole and failed telegrams in their order, and what is remembered of meters."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.describe import describe_capture
from smart_meter_reader.codecs.sml.encode import Value, encode_frame, encode_message, encode_telegram
from smart_meter_reader.codecs.sml.frame import ESCAPE, START
from smart_meter_reader.codecs.sml.messages import CLOSE
from tests.codecs.sml.vectors import wire

GOOD = wire("sml-dzg-7420")
MAKER = Value(ObisCode(129, 129, 199, 130, 3, 255), b"ESY")
CURRENT = Value(ObisCode(1, 0, 31, 7, 0, 255), 123, 33, -2)
TOTAL = Value(ObisCode(1, 0, 1, 8, 0, 255), 500, 30, -1)
STRANGE = Value(ObisCode(1, 0, 2, 8, 0, 255), None)
WITHOUT_LIST = encode_frame(encode_message(1, CLOSE, b"\x71\x01"))


def meter(name: str, *values: Value) -> bytes:
    return encode_telegram(name.encode(), values)


def test_what_is_told_of_a_telegram_and_nothing_else() -> None:
    (told,) = describe_capture(meter("meter", CURRENT))
    assert told.pop("objects")
    assert told.pop("measurements")
    assert told == {
        "protocol": "sml",
        "server_id": "meter",
        "checksum": "x25",
        "manufacturer": "",
        "serial_number": "meter",
    }
    (told,) = describe_capture(meter("", TOTAL, STRANGE))
    assert (told["server_id"], told["unread"], told["pin"]) == ("", [str(STRANGE.code)], "entered")
    (told,) = describe_capture(meter("meter", Value(TOTAL.code, 5, 30, 3)))
    assert told["pin"] == "missing"


def test_what_was_corrected_is_told() -> None:
    # A DZG of the affected numbers, whose export stands.
    export, power = ObisCode(1, 0, 2, 8, 0, 255), ObisCode(1, 0, 16, 7, 0, 255)
    values = [Value(export, 100, 30, -1, None, 5), Value(power, -29912, 27, -2, None, 2)]
    (told,) = describe_capture(encode_telegram(bytes.fromhex("0a01445a47000280de80"), values))
    assert told["corrected"] == ["active_power_net"]


def test_telegrams_and_failures_come_in_their_order() -> None:
    spoilt = bytearray(GOOD)
    spoilt[100] ^= 1
    told = list(describe_capture(GOOD + spoilt + WITHOUT_LIST + GOOD + GOOD[:100]))
    assert [each["error"]["kind"] if "error" in each else "good" for each in told] == [
        "good",
        "checksum",
        "no_values",
        "good",
        "cut",
    ]
    assert [each.get("checksum") for each in told] == ["x25", "bad", None, "x25", None]


def test_a_begin_inside_of_what_was_given_up_at_the_end_is_told_too() -> None:
    # Behind an escape that seems doubled, it is found only once the first telegram is given up.
    told = list(describe_capture(START + bytes(4) + ESCAPE + GOOD[:100]))
    assert [each["error"]["kind"] for each in told] == ["cut", "cut"]


@pytest.mark.parametrize(("others", "maker"), [(63, "EasyMeter"), (64, "")])
def test_what_sixty_four_meters_have_told_is_remembered(others: int, maker: str) -> None:
    between = b"".join(meter(f"meter {number}", TOTAL) for number in range(others))
    first, *_, last = describe_capture(meter("first", MAKER) + between + meter("first", TOTAL))
    assert first["manufacturer"] == "EasyMeter"
    assert (last["server_id"], last["manufacturer"]) == ("first", maker)
