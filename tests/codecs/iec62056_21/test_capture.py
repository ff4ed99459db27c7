"""Captures of the line of a MULTICAL 66-CDE and of others: what belongs together, and what damage costs."""

from __future__ import annotations

import pytest

from smart_meter_reader.codecs.iec62056_21.bcc import xor_bcc
from smart_meter_reader.codecs.iec62056_21.capture import (
    Decoded,
    LoggerAnswer,
    Readout,
    decode_capture,
    measured_in,
    scaling_of_answer,
    scaling_of_capture,
)
from smart_meter_reader.codecs.iec62056_21.frame import Identification, Request
from smart_meter_reader.codecs.iec62056_21.multical import ShortAnswer
from smart_meter_reader.codecs.iec62056_21.scaling import Scaling
from smart_meter_reader.codecs.parity import add_parity
from smart_meter_reader.exceptions import ProtocolError
from tests.codecs.iec62056_21.captures import capture

LINE = capture("iec-66c-kenanv-1")  # an answer to #1
RECORD = b"0171028 0000001 0000002 0000003 \r"  # a record of #J
CUT = b"0171028 00"
IDENT = b"/KAM0MC\r\n"


def block(text: bytes) -> bytes:
    body = text + b"\x03"
    return b"\x02" + body + bytes([xor_bcc(body)])


BLOCK = block(b"1.8.0(1*kWh)\r\n!\r\n")


def spoilt(line: bytes) -> bytes:
    """With parity in the eighth bits, one of which is wrong."""
    return bytes([add_parity(line)[0] ^ 0x80]) + add_parity(line)[1:]


def named(answer: Decoded) -> str:
    if isinstance(answer, LoggerAnswer):
        return f"{answer.request} {len(answer.records)}"
    if isinstance(answer, ProtocolError):
        return answer.reason
    if isinstance(answer, ShortAnswer):
        return answer.request
    if isinstance(answer, Request):
        return answer.text.decode()
    if isinstance(answer, Readout):
        return f"readout of {answer.announced}"
    return answer.ident


def found(stream: bytes, request: str = "") -> list[str]:
    return [named(answer) for answer in decode_capture(stream, request)]


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        # With the request before them, and by their shape.
        (b"/#J\r" + RECORD * 3, ["#J 3"]),
        (b"/#J\r" + RECORD, ["#J 1"]),
        (RECORD * 3, ["#J 3"]),
        (RECORD, ["#J 1"]),
        (LINE + RECORD * 2, ["#1", "#J 2"]),
        (RECORD * 2 + LINE, ["#J 2", "#1"]),
        # A record that the capture cuts, that is torn, or whose parity is wrong.
        (b"/#J\r" + RECORD + CUT, ["#J 1", "incomplete"]),
        (RECORD * 3 + CUT, ["#J 3", "incomplete"]),
        (RECORD * 2 + LINE + CUT, ["#J 2", "#1", "incomplete"]),
        (b"/#J\r" + RECORD + b"12345 \r" + RECORD, ["#J 2", "field_length"]),
        (b"/#J\r12345 \r", ["field_length"]),
        (b"/#J\r" + RECORD + spoilt(RECORD) + RECORD, ["#J 2", "parity"]),
        (b"/#J\r" + RECORD + spoilt(RECORD) + spoilt(RECORD) + RECORD, ["#J 2", "parity", "parity"]),
        (RECORD * 2 + spoilt(RECORD) + RECORD, ["#J 3", "parity"]),
        (RECORD * 2 + spoilt(RECORD) * 2 + RECORD, ["#J 3", "parity", "parity"]),
        # Beside a single line nothing tells that it was one more record.
        (RECORD + spoilt(RECORD) + RECORD, ["#J 1", "parity", "#J 1"]),
        (b"/#J\r" + spoilt(RECORD) + RECORD, ["parity", "#J 1"]),
        (b"/#1\r" + LINE + spoilt(LINE) + LINE, ["#1", "parity", "#1"]),
        # A request without an answer, and one whose answer is another one.
        (b"/#J\r/#1\r" + LINE, ["#1"]),
        (b"/#1\r" + LINE + b"/#J\r" + RECORD, ["#1", "#J 1"]),
        (b"/#1\r" + RECORD * 2, ["field_count", "field_count"]),
        (b"/#4x\r" + LINE, ["field_count"]),
        (b"/?!\r\n/#1\r", ["/?!", "/#1"]),
        (LINE[:40] + b"\r", ["field_count"]),
        (LINE[:40], ["incomplete"]),
        (b"/#1\r" + LINE[:40], ["incomplete"]),
    ],
)
def test_lines_and_the_requests_that_they_answer(stream: bytes, told: list[str]) -> None:
    assert found(stream) == told


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        (IDENT, ["MC"]),
        (IDENT + IDENT, ["MC", "MC"]),
        (IDENT + BLOCK, ["readout of KAMMC"]),
        (IDENT + BLOCK + BLOCK, ["readout of KAMMC", "readout of "]),
        (IDENT + BLOCK[:-1] + b"\x7f" + IDENT, ["MC", "checksum", "MC"]),
        (IDENT + LINE, ["MC", "#1"]),
        (LINE + IDENT + BLOCK, ["#1", "readout of KAMMC"]),
        (b"/?!\r\n" + IDENT + b"\x06000\r\n" + BLOCK, ["readout of KAMMC"]),
        (b"!\r\n", ["data_set"]),
    ],
)
def test_identifications_and_the_messages_behind_them(stream: bytes, told: list[str]) -> None:
    assert found(stream) == told


def test_the_request_that_was_sent_is_told_where_the_capture_does_not_hold_it() -> None:
    assert found(LINE, "#1") == ["#1"]
    assert found(LINE, "#4") == ["field_count"]
    assert found(b"/?!\r\n" + LINE, "#4") == ["field_count"]  # that one is no short request
    assert found(b"/#1\r" + LINE, "#4") == ["#1"]
    assert found(b"", "#1") == ["no_answer"]


def test_where_an_answer_breaks_off_is_told() -> None:
    (*_, record) = decode_capture(RECORD * 3 + CUT)
    (*_, alone) = decode_capture(RECORD * 2 + LINE + CUT)
    assert isinstance(record, ProtocolError)
    assert isinstance(alone, ProtocolError)
    assert record.detail.startswith("the answer breaks off: ")
    assert alone.detail == "the answer breaks off after 2 fields"


def test_what_a_readout_tells_scales_the_answers_beside_it() -> None:
    readout = block(b"6.8(000507.11*MWh)6.26(0012966.3*m3)\r\n!\r\n")
    answer, message = decode_capture(LINE + b"/KAM0MC\r\n" + readout)
    assert isinstance(message, Readout)
    assert isinstance(answer, ShortAnswer)
    scaling = scaling_of_capture([answer, message])
    assert scaling.energy == ("MWh", 2)
    assert str(measured_in(answer, scaling)["heat_energy"]["value"]) == "5071.09"
    assert measured_in(message, scaling) == message.measured()
    assert scaling_of_capture([answer]) == Scaling()


@pytest.mark.parametrize(
    ("fields", "energy"),
    [
        ({"ABCCC": "0044119"}, ("MWh", 3)),
        ({"ABCCCCCC": "44119119"}, ("MWh", 3)),
        ({"ABCCC": "abc"}, None),
        ({"energy": "0507109"}, None),
    ],
)
def test_a_program_tells_units_and_decimals(fields: dict[str, str], energy: object) -> None:
    assert scaling_of_answer(ShortAnswer("#2", fields)).energy == energy


def test_an_identification_is_that_of_the_next_message_alone() -> None:
    first, second = decode_capture(IDENT + BLOCK + BLOCK)
    assert isinstance(first, Readout)
    assert isinstance(second, Readout)
    assert first.identification == Identification("KAM", "0", "MC")
    assert second.identification is None


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b"0000000 " * 5, "no short answer has 5 fields"),
        (b"0000000 " * 4 + b"00000 ", "no short answer has 5 fields, one of them '00000'"),
        (b"000000 " + b"0000000 " * 4, "no short answer has 5 fields, one of them '000000'"),
    ],
)
def test_what_no_request_is_answered_by_is_told(line: bytes, said: str) -> None:
    (error,) = decode_capture(line + b"\r")
    assert isinstance(error, ProtocolError)
    assert (error.reason, error.detail) == ("field_count", said)
