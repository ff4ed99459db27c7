"""Telegrams octet by octet as an emulated meter writes them, beside what TR-03109-1 annex IV b prescribes."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.crc16 import crc16_kermit, crc16_x25
from smart_meter_reader.codecs.obis import ObisCode
from smart_meter_reader.codecs.sml.encode import (
    Value,
    element_of,
    encode_frame,
    encode_message,
    encode_telegram,
)
from smart_meter_reader.codecs.sml.frame import Checksum
from smart_meter_reader.codecs.sml.presentation import Element

BEGIN, END = "1b1b1b1b01010101", "1b1b1b1b1a"
TOTAL = Value(ObisCode(1, 0, 1, 8, 0, 255), 500, 30, -1, 5, 3, signed=False)


def message(transaction: str, body: str) -> str:
    """Six parts: transaction id, group and what to do on errors (both 0), body, checksum, end; 6.1, 7.3."""
    covered = bytes.fromhex("76" + "05" + transaction + "6200" + "6200" + "72" + body)
    return (covered + b"\x63" + crc16_x25(covered).to_bytes(2, "little") + b"\0").hex()


def test_a_telegram_as_it_is_written() -> None:
    opening = "630101" + "76" + "01" + "01" + "0500000007" + "030a01" + "01" + "01"
    entry = "77" + "070100010800ff" + "6205" + "01" + "621e" + "52ff" + "640001f4" + "01"
    values = "630701" + "77" + "01" + "030a01" + "01" + "72620163012c" + "71" + entry + "01" + "01"
    closing = "630201" + "71" + "01"
    payload = message("00000015", opening) + message("00000016", values) + message("00000017", closing)
    fill = -len(payload) // 2 % 4
    covered = bytes.fromhex(BEGIN + payload + "00" * fill + END + f"{fill:02x}")
    told = encode_telegram(b"\x0a\x01", [TOTAL], number=7, sensor_time=[1, 300])
    assert told == covered + crc16_x25(covered).to_bytes(2, "little")


@pytest.mark.parametrize(
    ("payload", "fill"), [("", 0), ("01", 3), ("0102", 2), ("010203", 1), ("01020304", 0)]
)
@pytest.mark.parametrize("checksum", ["x25", "kermit"])
def test_a_frame_is_filled_up_to_four_octets(payload: str, fill: int, checksum: Checksum) -> None:
    covered = bytes.fromhex(BEGIN + payload + "00" * fill + END + f"{fill:02x}")
    expected = (
        crc16_x25(covered).to_bytes(2, "little")
        if checksum == "x25"
        else crc16_kermit(covered).to_bytes(2, "big")
    )
    assert encode_frame(bytes.fromhex(payload), checksum) == covered + expected


def test_an_escape_inside_is_doubled() -> None:
    assert encode_frame(b"\x1b" * 4 + b"\1\2\3\4")[8:20] == b"\x1b" * 8 + b"\1\2\3\4"


def test_a_transaction_id_has_four_octets_and_begins_anew() -> None:
    assert encode_message(1 << 32, 0x0201, b"\x71\x01")[1:6].hex() == "0500000000"
    assert encode_message(0x01020304, 0x0201, b"\x71\x01")[1:6].hex() == "0501020304"


@pytest.mark.parametrize(
    ("element", "octets"),
    [
        (None, "01"),
        (True, "4201"),
        (False, "4200"),
        (0, "6200"),
        (255, "62ff"),
        (256, "630100"),
        (-1, "52ff"),
        (-128, "5280"),
        (-129, "53ff7f"),
        (b"", "01"),
        (b"AB", "034142"),
        ([], "70"),
        ([1, [None]], "7262017101"),
    ],
)
def test_elements_have_as_few_octets_as_do(element: Element, octets: str) -> None:
    assert element_of(element).hex() == octets


@pytest.mark.parametrize(
    ("number", "octets", "signed", "written"),
    [
        (0, 1, True, "5200"),
        (127, 1, True, "527f"),
        (128, 1, True, "530080"),
        (255, 1, False, "62ff"),
        (5, 5, True, "560000000005"),
        (-1, 2, True, "53ffff"),
    ],
)
def test_a_value_is_as_wide_as_it_is_told_to_be(number: int, octets: int, signed: bool, written: str) -> None:
    frame = encode_telegram(b"x", [Value(TOTAL.code, number, None, None, None, octets, signed)])
    assert "77070100010800ff" + "01" * 4 + written + "01" in frame.hex()
