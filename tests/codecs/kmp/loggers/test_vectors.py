"""The captures of loggers: whole, byte by byte, in noise, two in a row, and what each says."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from smart_meter_reader.codecs.kmp import (
    Frame,
    FrameReader,
    OtherMessage,
    Request,
    Response,
    decode_frame,
    decode_request,
    decode_response,
)
from smart_meter_reader.codecs.kmp.loggers import (
    LogAnswer,
    LoggerConfiguration,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogIdPresentRequest,
    LogLastEntryPastAbsRequest,
    LogRecords,
    LogRow,
    LogTimePastRequest,
    LogTimePresentRequest,
    RecordInfo,
)
from smart_meter_reader.exceptions import FrameError, ProtocolError
from tests.codecs.kmp.vectors import LOGGERS, VECTORS, Vector, on_wire, wire

REFUSED = {"kmp-log-surplus"}
GOOD = {id_: vector for id_, vector in LOGGERS.items() if id_ not in REFUSED}


def decoded(frame: Frame) -> Request | Response:
    return decode_request(frame) if frame.direction == "request" else decode_response(frame)


def frames_in(*chunks: bytes) -> list[Frame]:
    reader = FrameReader()
    found = []
    for chunk in chunks:
        reader.receive_data(chunk)
        while True:
            try:
                frame = reader.next_frame()
            except FrameError:
                continue
            if frame is None:
                break
            if isinstance(frame, Frame):
                found.append(frame)
    return found


@pytest.mark.parametrize("id_", GOOD)
def test_each_comes_back_as_it_was_sent(id_: str) -> None:
    frame = decode_frame(wire(id_))
    message = decoded(frame)
    assert frame.cid == message.CID
    assert message.encode() == frame.payload
    assert on_wire(frame._replace(payload=message.encode())) == wire(id_)
    # 9Ch is nothing that a reader sends, or takes apart.
    assert isinstance(message, OtherMessage) == (frame.cid == 0x9C)


@pytest.mark.parametrize("id_", GOOD)
@pytest.mark.parametrize("noise", [b"", b"\x00", b"\xff\xfe", b"\x40", b"\x80\x40\x0d"], ids=bytes.hex)
def test_each_is_found_however_it_arrives(id_: str, noise: bytes) -> None:
    raw = wire(id_)
    frame = decode_frame(raw)
    stream = noise + raw + noise + raw + noise
    assert frames_in(stream) == [frame, frame]
    assert frames_in(*(bytes([byte]) for byte in stream)) == [frame, frame]


def _register_values(row: LogRow) -> dict[str, dict[str, Any]]:
    told = {}
    for register in row.registers:
        value: Any = register.value
        if register.register == 348:
            time = row.time
            assert time is not None
            value = {"standard_time": value, "dst_minutes": time.dst_minutes}
        elif isinstance(value, Decimal):
            value = format(value, "f")
        else:
            value = str(int.from_bytes(register.mantissa, "big"))
        told[str(register.register)] = {"value": value, "unit_code": register.unit_code}
    return told


@pytest.mark.parametrize(
    "vector", [v for v in GOOD.values() if "log" in v["decoded_by_collector"]], ids=lambda v: v["id"]
)
def test_rows_are_those_of_an_independent_decoder(vector: Vector) -> None:
    expected = vector["decoded_by_collector"]["log"]
    message = decoded(decode_frame(bytes.fromhex(vector["bytes_hex"])))
    assert isinstance(message, LogAnswer | LogRecords)
    key = "log_id" if isinstance(message, LogAnswer) else "record_id"
    rows = [{key: row.log_id, "registers": _register_values(row)} for row in message.rows]
    assert rows == expected["rows"]
    assert message.info == expected["info"]
    if isinstance(message, LogAnswer):
        assert (message.sub, message.logger) == (expected["sub"], expected["logger"])
        assert message.first_log_id == expected["first_log_id"]
        assert message.newest_log_id == expected["newest_log_id"]
    else:
        assert message.log == expected["log"]
        assert message.last_read_record_id == expected["last_read_record_id"]
        assert message.newest_record_id == expected["newest_record_id"]


@pytest.mark.parametrize("id_", REFUSED)
def test_bytes_left_over_cost_the_whole_answer(id_: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        decoded(decode_frame(wire(id_)))
    assert caught.value.reason == "length"


def test_the_configuration_of_a_year_logger() -> None:
    expected = LOGGERS["kmp-log-year-config"]["decoded_by_collector"]["configuration"]
    message = decoded(decode_frame(wire("kmp-log-year-config")))
    assert message == LoggerConfiguration(2, 20, tuple(expected["registers"]), (1, 1), (0, 0))


def test_an_empty_logger_has_no_row_of_zeros() -> None:
    message = decoded(decode_frame(bytes.fromhex(VECTORS["kmp-jk-log-last-resp"]["bytes_hex"])))
    assert isinstance(message, LogAnswer)
    assert (message.info, message.rows, message.entries) == (LoggerInfo.EMPTY, (), 1)
    assert message.unread


def test_an_old_log_that_is_empty() -> None:
    assert decoded(decode_frame(wire("kmp-log-a0-empty"))) == LogRecords(0xA0, RecordInfo.EMPTY)


@pytest.mark.parametrize("id_", ["kmp-382-aimir-8", "kmp-382-aimir-9"])
def test_load_profiles_of_electricity_meters(id_: str) -> None:
    message = decoded(decode_frame(wire(id_)))
    assert isinstance(message, LogRecords)
    assert [row.log_id for row in message.rows] == [4, 5, 6, 7]
    assert message.newest_record_id == 7


@pytest.mark.parametrize(
    ("id_", "message"),
    [
        ("kmp-log-hour-req", LogIdPastAbsRequest(5, 9120, 24, (348, 60, 68))),
        ("kmp-jk-log-last-req", LogLastEntryPastAbsRequest(7, 65535, 1, (1002,))),
        ("kmp-log-a0-req", LogTimePresentRequest(1, (60, 68), 3, 128, bytes.fromhex("0705180a1e000000"))),
        ("kmp-log-a3-req", LogTimePastRequest(1, (60, 68), 3, 128, bytes.fromhex("070518132d000000"), 6)),
    ],
)
def test_requests_both_ways(id_: str, message: Request) -> None:
    frame = decode_frame(wire(id_))
    assert decoded(frame) == message
    assert message.encode() == frame.payload


def test_a_record_is_asked_for_by_its_id() -> None:
    # 5512-447, 6.3.3: as A0h, with the id in place of the time.
    assert LogIdPresentRequest(1, (60, 68), 3, 128, 0x10F3).encode().hex() == "0102003c0044038010f3"
