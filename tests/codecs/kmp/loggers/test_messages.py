"""Messages about loggers: round trips, every way to cut or falsify one, and any bytes at all."""

from __future__ import annotations

import sys
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp.clock import LocalTime
from smart_meter_reader.codecs.kmp.frame import Frame
from smart_meter_reader.codecs.kmp.loggers import (
    UNUSABLE,
    EventStatus,
    EventStatusRequest,
    LogAnswer,
    LoggerConfiguration,
    LoggerConfigurationRequest,
    LoggerInfo,
    LogIdPastAbsRequest,
    LogIdPresentRequest,
    LogLastEntryPastAbsRequest,
    LogLastPresentRequest,
    LogRecords,
    LogRow,
    LogTimePastRequest,
    LogTimePresentRequest,
    RecordInfo,
    info_words,
    is_answer_to,
    log_answer,
    log_records,
    log_time,
    read_log_time,
)
from smart_meter_reader.codecs.kmp.loggers.past import least_length, without_unread
from smart_meter_reader.codecs.kmp.message import Request, Response, decode_request, decode_response
from smart_meter_reader.codecs.kmp.record import RegisterValue
from smart_meter_reader.exceptions import ProtocolError, ValueFormatError

bytes_ = st.integers(0, 0xFF)
words = st.integers(0, 0xFFFF)
longs = st.integers(0, 0xFFFFFFFF)
ids = st.lists(words, max_size=60).map(tuple)
few_ids = st.lists(words, min_size=1, max_size=8).map(tuple)
formats = st.lists(st.tuples(words, bytes_, bytes_, st.integers(1, 12)), min_size=1, max_size=6)
head = {"log": bytes_, "registers": few_ids, "records": bytes_, "max_length": bytes_}
times = st.binary(min_size=8, max_size=8)
requests = st.one_of(
    st.builds(LoggerConfigurationRequest, bytes_),
    st.builds(LogIdPastAbsRequest, bytes_, longs, words, ids),
    st.builds(LogLastEntryPastAbsRequest, bytes_, words, words, ids),
    st.builds(LogTimePresentRequest, **head, time=times),
    st.builds(LogLastPresentRequest, **head),
    st.builds(LogIdPresentRequest, **head, record_id=words),
    st.builds(LogTimePastRequest, **head, time=times, offset=words),
    st.just(EventStatusRequest()),
)


@st.composite
def rows_of_one_format(draw: st.DrawFn, step: int = -1) -> tuple[LogRow, ...]:
    format_ = draw(formats)
    count = draw(st.integers(1, 12))
    first = draw(st.integers(count, 0xFFFF - count))
    return tuple(
        LogRow(
            first + step * number,
            tuple(
                RegisterValue(register, unit, sign, draw(st.binary(min_size=size, max_size=size)))
                for register, unit, sign, size in format_
            ),
        )
        for number in range(count)
    )


infos = st.integers(0, 0xFFFF).map(LoggerInfo)
usable_infos = infos.map(lambda info: info & ~UNUSABLE)


@st.composite
def log_answers(draw: st.DrawFn) -> LogAnswer:
    rows = draw(rows_of_one_format())
    newest = rows[0].log_id + draw(st.integers(0, 1000))
    return log_answer(draw(st.sampled_from((6, 7))), draw(bytes_), newest, draw(usable_infos), rows)


record_answers = st.one_of(
    st.builds(log_records, st.just(0xA2), bytes_, words, rows_of_one_format(step=1)),
    st.builds(log_records, st.just(0xA3), bytes_, words, rows_of_one_format(step=-1)),
)
month_days = st.tuples(bytes_, bytes_)
responses = st.one_of(
    log_answers(),
    record_answers,
    st.builds(
        LoggerConfiguration,
        *(bytes_, words, ids, month_days, month_days, bytes_, bytes_),
        st.tuples(bytes_, bytes_, bytes_, bytes_),
    ),
    st.builds(EventStatus, st.binary(min_size=4, max_size=4)),
)


def asked(cid: int, payload: bytes) -> Request:
    return decode_request(Frame("request", 0x3F, cid, payload))


def answered(cid: int, payload: bytes) -> Response:
    return decode_response(Frame("response", 0x3F, cid, payload))


@given(requests)
def test_requests_come_back(request_: Request) -> None:
    assert asked(request_.CID, request_.encode()) == request_


@given(responses)
def test_answers_come_back(response: Response) -> None:
    assert answered(response.CID, response.encode()) == response


@given(requests, st.data())
def test_a_request_is_neither_cut_nor_longer(request_: Request, data: st.DataObject) -> None:
    payload = request_.encode()
    for cut in range(1, len(payload)):
        with pytest.raises(ProtocolError):
            asked(request_.CID, payload[:cut])
    surplus = data.draw(st.binary(min_size=1, max_size=1))
    with pytest.raises(ProtocolError):
        asked(request_.CID, payload + surplus)


@given(log_answers())
def test_every_cut_costs_all_rows(answer: LogAnswer) -> None:
    payload = answer.encode()
    for cut in range(1, len(payload)):
        with pytest.raises(ProtocolError) as caught:
            answered(answer.CID, payload[:cut])
        assert caught.value.reason == "length"


@given(log_answers())
def test_how_long_an_answer_gets_is_told_as_far_as_it_has_come(answer: LogAnswer) -> None:
    payload = answer.encode()
    assert least_length(payload) == len(payload)
    least = [least_length(payload[:cut]) for cut in range(len(payload) + 1)]
    assert least == sorted(least)
    values = (answer.entries - 1) * sum(len(each.mantissa) for each in answer.rows[0].registers)
    whole_formats = len(payload) - values
    # 15 bytes are its head; a register of the first row takes 5, and its value 1 at the least.
    assert least[:15] == [15] * 15
    assert least[15:whole_formats] == [15 + 6 * answer.width] * (whole_formats - 15)
    assert least[whole_formats:] == [len(payload)] * (values + 1)


@pytest.mark.parametrize(
    ("entries", "width", "info"),
    [(0, 3, 0), (3, 0, 0), (3, 3, LoggerInfo.EMPTY)],
    ids=["no entry", "no register", "empty"],
)
def test_an_answer_without_rows_is_a_head_at_the_least(entries: int, width: int, info: LoggerInfo) -> None:
    answer = LogAnswer(6, 5, 9, 9, LoggerInfo(info), (), entries, width, bytes(40))
    assert least_length(answer.encode()) == 15


@given(log_answers(), st.binary(min_size=1, max_size=40))
def test_bytes_left_over_cost_all_rows(answer: LogAnswer, surplus: bytes) -> None:
    with pytest.raises(ProtocolError):
        answered(answer.CID, answer.encode() + surplus)


@given(log_answers(), words)
def test_a_falsified_count_of_entries_costs_all_rows(answer: LogAnswer, entries: int) -> None:
    payload = answer.encode()
    falsified = payload[:2] + entries.to_bytes(2, "big") + payload[4:]
    if entries == answer.entries:
        assert answered(answer.CID, falsified) == answer
        return
    with pytest.raises(ProtocolError):
        answered(answer.CID, falsified)


@given(record_answers, st.binary(min_size=1, max_size=40))
def test_records_are_whole_or_none(answer: LogRecords, surplus: bytes) -> None:
    payload = answer.encode()
    # The info byte comes last: where another byte takes its place, that one may say that there are no rows.
    for damaged in (*(payload[:cut] for cut in range(len(payload))), payload + surplus):
        try:
            found = answered(answer.cid, damaged)
        except ProtocolError:
            continue
        assert isinstance(found, LogRecords)
        assert found.rows == ()


@given(log_answers(), infos.filter(lambda info: bool(info & UNUSABLE)))
def test_no_rows_of_an_answer_whose_info_speaks_against_them(answer: LogAnswer, info: LoggerInfo) -> None:
    payload = answer.encode()
    found = answered(0xB8, payload[:13] + int(info).to_bytes(2, "big") + payload[15:])
    assert isinstance(found, LogAnswer)
    assert (found.rows, found.info, found.usable) == ((), info, False)


@given(record_answers, st.integers(1, 255))
def test_records_with_any_info_bit_are_not_told(answer: LogRecords, info: int) -> None:
    payload = answer.encode()[:-1] + bytes([info])
    if info & ~0x1D:  # no source names these bits: the answer is cut, and this a byte of a record
        with pytest.raises(ProtocolError, match="no meaning") as caught:
            answered(answer.cid, payload)
        assert caught.value.reason == "length"
        return
    found = answered(answer.cid, payload)
    assert isinstance(found, LogRecords)
    assert (found.rows, found.info) == ((), info)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param("06050001010000000900000009", "length", id="half a head"),
        pytest.param("060500020100000000000000090000003c0801000506", "ids", id="below id 0"),
        pytest.param("060500010100000009000000080000003c08010005", "ids", id="newer than the newest"),
        pytest.param("06050fff0100001009000010090000003c080000", "length", id="values of no byte"),
        pytest.param("060500020000000009000000090000", "length", id="rows of no register"),
        pytest.param("06050000030000000900000009000000", "length", id="no row, and a byte"),
        pytest.param("06050002000000000900000009000800", "length", id="no register known, and a byte"),
    ],
)
def test_what_cannot_be(payload: str, reason: str) -> None:
    with pytest.raises(ProtocolError) as caught:
        answered(0xB8, bytes.fromhex(payload))
    assert caught.value.reason == reason


def test_entries_of_registers_that_the_logger_lacks_are_no_rows() -> None:
    found = answered(0xB8, bytes.fromhex("060500020000000009000000090008"))
    assert isinstance(found, LogAnswer)
    assert (found.rows, found.info) == ((), LoggerInfo.REGISTER_NOT_SUPPORTED)


EMPTY_ROWS = "0707 0002 02 00000009 00000009 0001" + "03ea2f0400 %s 003c080242 %s" + "%s %s"


def test_values_that_do_not_count_are_blanked_and_their_formats_stay() -> None:
    payload = bytes.fromhex(EMPTY_ROWS % ("00027715", "abcd", "00027716", "0001"))
    answer = answered(0xB8, payload)
    assert isinstance(answer, LogAnswer)
    assert answer.encode() == payload
    blank = without_unread(answer)
    assert blank.encode() == bytes.fromhex(EMPTY_ROWS % ("00000000", "0000", "00000000", "0000"))
    assert answered(0xB8, blank.encode()) == blank


def test_rows_that_do_not_count_are_whole_too_or_not_there() -> None:
    payload = bytes.fromhex(EMPTY_ROWS % ("00027715", "abcd", "00027716", "0001"))
    for length in range(15, len(payload)):
        if length == 15:
            assert answered(0xB8, payload[:length]).encode() == payload[:length]
            continue
        with pytest.raises(ProtocolError):
            answered(0xB8, payload[:length])


@pytest.mark.parametrize("payload", ["05", "050500"])
def test_a_configuration_is_asked_for_by_its_logger_alone(payload: str) -> None:
    with pytest.raises(ProtocolError, match=f"carries 2 bytes, not {len(payload) // 2}") as caught:
        asked(0xB8, bytes.fromhex(payload))
    assert caught.value.reason == "length"


def test_a_configuration_is_whole() -> None:
    payload = CONFIGURATION.encode()
    assert answered(0xB8, payload) == CONFIGURATION
    for length in range(1, len(payload)):
        with pytest.raises(ProtocolError) as caught:
            answered(0xB8, payload[:length])
        assert caught.value.reason == "length"


@pytest.mark.parametrize(
    ("head", "rows"),
    [
        pytest.param("0605 0002 01 00000001 00000001 0000 003c080100 05 06", 2, id="back to entry 0"),
        pytest.param("0605 0000 03 00000009 00000009 0000", 0, id="no entry"),
        pytest.param("0605 0000 00 00000009 00000009 0000", 0, id="no entry and no register"),
        pytest.param("0605 0000 01 0000000a 00000009 0000", 0, id="no entry behind the newest"),
    ],
)
def test_how_many_rows_there_can_be(head: str, rows: int) -> None:
    found = answered(0xB8, bytes.fromhex(head))
    assert isinstance(found, LogAnswer)
    assert [row.log_id for row in found.rows] == list(range(rows - 1, -1, -1))
    assert found.encode() == bytes.fromhex(head)


def test_rows_that_count_are_left_as_they_are() -> None:
    assert without_unread(ANSWER) is ANSWER


@pytest.mark.parametrize(
    "records", ["", "00", "0009", "0009 003c080100"], ids=["no byte", "half an id", "an id", "no value"]
)
@pytest.mark.parametrize("width", [0, 1])
def test_an_answer_that_ends_within_its_first_record_has_none(width: int, records: str) -> None:
    payload = bytes((1, width)) + bytes.fromhex(records + "0009 000a 00")
    if not records:
        assert answered(0xA2, payload) == LogRecords(0xA2, RecordInfo(0), 1, (), 10, width, 9)
        return
    with pytest.raises(ProtocolError) as caught:
        answered(0xA2, payload)
    assert caught.value.reason == "length"


@pytest.mark.parametrize("count", [0, 9])
def test_a_request_for_records_names_one_to_eight_registers(count: int) -> None:
    payload = bytes((1, count)) + b"\x00\x3c" * count + bytes((3, 128))
    with pytest.raises(ProtocolError, match=f"asks for 1 to 8 registers, not {count}") as caught:
        asked(0xA1, payload)
    assert caught.value.reason == "length"


@pytest.mark.parametrize("surplus", [-1, 1])
@pytest.mark.parametrize(("cid", "size"), [(0xA0, 14), (0xA1, 6), (0xA2, 8), (0xA3, 16)])
def test_a_request_for_records_has_one_length(cid: int, size: int, surplus: int) -> None:
    payload = bytes.fromhex("0101003c0380") + bytes(size - 6)
    assert asked(cid, payload).encode() == payload
    with pytest.raises(ProtocolError, match=f"with 1 registers carries {size} bytes") as caught:
        asked(cid, (payload + bytes(1))[: size + surplus])
    assert caught.value.reason == "length"


@pytest.mark.parametrize("ids", [(5, 6, 8), (5, 7, 9), (7, 5, 3), (5, 6, 5), (5, 5)])
def test_records_whose_ids_are_not_consecutive_are_refused(ids: tuple[int, ...]) -> None:
    value = RegisterValue(60, 8, 0, b"\x01")
    rows = tuple(LogRow(record, (value,)) for record in ids)
    with pytest.raises(ProtocolError, match="not consecutive") as caught:
        answered(0xA2, log_records(0xA2, 1, 9, rows).encode())
    assert caught.value.reason == "ids"


def test_the_last_record_is_the_one_that_the_answer_says() -> None:
    answer = log_records(0xA2, 1, 9, (ROW, LogRow(10, ROW.registers)))
    with pytest.raises(ProtocolError, match="has id 10, and the answer says that it is 9") as caught:
        answered(0xA2, replace(answer, last_read_record_id=9).encode())
    assert caught.value.reason == "ids"


def test_bytes_behind_the_last_record_cost_all_of_them() -> None:
    payload = log_records(0xA2, 1, 9, (ROW, LogRow(10, ROW.registers))).encode()
    with pytest.raises(ProtocolError, match="5 bytes after the first record") as caught:
        answered(0xA2, payload[:-5] + bytes(2) + payload[-5:])
    assert caught.value.reason == "length"


@pytest.mark.parametrize("info", [0x08, 0x18])
def test_what_an_answer_with_records_says_of_itself_are_words_of_a0_to_a3(info: int) -> None:
    found = answered(0xA0, bytes([info]))
    assert isinstance(found, LogRecords)
    assert info_words(found.info) == info_words(RecordInfo(info))


def test_record_ids_begin_anew() -> None:
    value = RegisterValue(60, 8, 0, b"\x01")
    rows = tuple(LogRow(record, (value,)) for record in (65534, 65535, 0, 1))
    found = answered(0xA2, log_records(0xA2, 1, 1, rows).encode())
    assert isinstance(found, LogRecords)
    assert found.rows == rows


@given(st.sampled_from((0xA0, 0xA1, 0xA2, 0xA3, 0x9B, 0xAA, 0xB8)), st.binary(max_size=200))
def test_any_payload_is_a_message_or_a_protocol_error(cid: int, payload: bytes) -> None:
    for decode in (asked, answered):
        try:
            message = decode(cid, payload)
        except ProtocolError:
            continue
        assert message.encode() == payload


@pytest.mark.parametrize(
    "rest", [b"\x00\x01\x01\x00\x01", b"\x06\x05\xff\xff\x01", b"\xff" * 16], ids=bytes.hex
)
def test_garbage_takes_linear_time(rest: bytes) -> None:
    def calls(length: int) -> int:
        """How many functions are called for so many bytes."""
        count = 0

        def note(*_: object) -> None:
            nonlocal count
            count += 1

        sys.setprofile(note)
        for cid, head in ((0xA0, b"\x06\x01"), (0xB8, b"\x06\x05\x00\x01\x01")):
            with suppress(ProtocolError):
                answered(cid, head + rest * (length // len(rest)) + bytes(1))
        sys.setprofile(None)
        return count

    assert calls(60_000) <= 2 * calls(30_000) + 100


def test_rows_of_another_format_are_not_encoded() -> None:
    rows = (
        LogRow(2, (RegisterValue(60, 8, 0x43, bytes(4)),)),
        LogRow(1, (RegisterValue(60, 8, 0x42, bytes(4)),)),
    )
    with pytest.raises(ValueFormatError, match="another format"):
        log_answer(6, 5, 2, LoggerInfo(0), rows).encode()


@pytest.mark.parametrize(
    "message",
    [
        LogIdPastAbsRequest(5, 1 << 32, 1, (60,)),
        LogIdPastAbsRequest(5, 1, 1 << 16, (60,)),
        LogIdPastAbsRequest(5, 1, 1, (1 << 16,)),
        LogLastEntryPastAbsRequest(256, 0, 1, (60,)),
        LogLastEntryPastAbsRequest(5, 0, 1, (60,) * 256),
        LogIdPresentRequest(1, (), 1, 128, 1),
        LogIdPresentRequest(1, (60,) * 9, 1, 128, 1),
        LogTimePresentRequest(1, (60,), 1, 128, b"\x07"),
        LogTimePastRequest(1, (60,), 1, 128, bytes(9), 0),
    ],
)
def test_what_does_not_fit_is_refused(message: Request) -> None:
    with pytest.raises(ValueError, match=r"fit|takes"):
        message.encode()


def test_info_in_words() -> None:
    assert info_words(LoggerInfo(0x00C0)) == ["oldest entry included", "newest entry included"]
    assert info_words(LoggerInfo(0x8801)) == ["logger is empty", "bit 11", "bit 15"]
    assert info_words(RecordInfo(0x18)) == ["longest answer reached", "end of the logger reached"]
    assert info_words(LoggerInfo(0)) == info_words(RecordInfo(0)) == []


ROW = LogRow(9, (RegisterValue(60, 8, 0, b"\x01"),))
ANSWER = log_answer(6, 5, 9, LoggerInfo(0), (ROW,))
CONFIGURATION = LoggerConfiguration(5, 72, (60,))
RECORDS = log_records(0xA2, 1, 9, (ROW,))
NO_RECORD = LogRecords(0xA2, RecordInfo(0), log=1)


@pytest.mark.parametrize(
    ("request_", "answer", "agrees"),
    [
        pytest.param(LogIdPastAbsRequest(5, 9, 1, (60, 68)), ANSWER, True, id="a register less"),
        pytest.param(LogIdPastAbsRequest(5, 8, 1, (60,)), ANSWER, False, id="another first id"),
        pytest.param(LogIdPastAbsRequest(4, 9, 1, (60,)), ANSWER, False, id="another logger"),
        pytest.param(LogIdPastAbsRequest(5, 9, 1, (68,)), ANSWER, False, id="another register"),
        pytest.param(LogIdPastAbsRequest(5, 9, 0, (60,)), ANSWER, False, id="more rows than asked for"),
        pytest.param(LogLastEntryPastAbsRequest(5, 0, 1, (60,)), ANSWER, False, id="another sub-command"),
        pytest.param(
            LogIdPastAbsRequest(5, 9, 1, (60,)),
            LogAnswer(6, 5, 0, 9, LoggerInfo.NOT_IN_LOGGER),
            True,
            id="no such id",
        ),
        pytest.param(
            LoggerConfigurationRequest(5), LoggerConfiguration(5, 72, (60,)), True, id="configuration"
        ),
        pytest.param(
            LoggerConfigurationRequest(5), LoggerConfiguration(4, 72, (60,)), False, id="another one"
        ),
        pytest.param(LoggerConfigurationRequest(5), ANSWER, False, id="rows for a configuration"),
        pytest.param(LogIdPresentRequest(1, (60,), 1, 128, 9), RECORDS, True, id="records"),
        pytest.param(LogIdPresentRequest(1, (60,), 1, 128, 8), RECORDS, False, id="records from another id"),
        pytest.param(LogIdPresentRequest(2, (60,), 1, 128, 9), RECORDS, False, id="records of another log"),
        pytest.param(
            LogIdPresentRequest(1, (60,), 1, 128, 9), LogRecords(0xA2, RecordInfo.EMPTY), True, id="empty log"
        ),
        pytest.param(LogIdPastAbsRequest(5, 9, 1, (60,)), RECORDS, False, id="records for rows"),
        pytest.param(
            LogIdPresentRequest(1, (60,), 2, 128, 65535),
            log_records(0xA2, 1, 0, (LogRow(65535, ROW.registers), LogRow(0, ROW.registers))),
            True,
            id="records whose ids begin anew",
        ),
        pytest.param(LogIdPresentRequest(1, (60,), 1, 128, 9), NO_RECORD, True, id="no record"),
        pytest.param(
            LogTimePastRequest(1, (60,), 1, 128, bytes(8), 0),
            log_records(0xA3, 1, 9, (ROW,)),
            True,
            id="one record back",
        ),
        pytest.param(
            LogIdPastAbsRequest(5, 9, 1, (60,)),
            LogAnswer(6, 5, 9, 9, LoggerInfo.REGISTER_NOT_SUPPORTED),
            True,
            id="no register of those asked for",
        ),
    ],
)
def test_which_answer_belongs_to_what(request_: LogIdPastAbsRequest, answer: LogAnswer, agrees: bool) -> None:
    assert is_answer_to(request_, answer) is agrees


def test_the_example_of_a3_is_headed_a0() -> None:
    falling = (ROW, LogRow(8, ROW.registers))
    rising = (LogRow(8, ROW.registers), ROW)
    request = LogTimePastRequest(1, (60,), 3, 128, bytes(8), 0)
    assert is_answer_to(request, log_records(0xA0, 1, 9, falling))
    assert is_answer_to(request, log_records(0xA3, 1, 9, falling))
    assert not is_answer_to(request, log_records(0xA3, 1, 9, rising))
    assert not is_answer_to(request, log_records(0xA1, 1, 9, falling))


def test_the_time_of_a_row() -> None:
    stamp = LocalTime(datetime(2016, 6, 30, 14, 48, 55), 60)  # noqa: DTZ001 - the meter knows no zone
    assert stamp.encode().hex() == "3c10061e0e3037"
    assert LocalTime(stamp.standard, None).encode().hex() == "0010061e0e3037"
    assert LogRow(1, (RegisterValue(348, 0x4F, 0, stamp.encode()),)).time == stamp
    date = RegisterValue(1003, 0x30, 0, (160630).to_bytes(4, "big"))
    clock = RegisterValue(1002, 0x2F, 0, (144855).to_bytes(4, "big"))
    assert LogRow(1, (date, clock)).time == LocalTime(stamp.standard, None)
    assert LogRow(1, (date,)).time is None
    assert LogRow(1, (clock,)).time is None
    assert LogRow(1, (RegisterValue(348, 0x4F, 0, bytes(7)),)).time is None
    # Only the units that their layouts belong to tell a time.
    raw = RegisterValue(348, 0x3F, 0, stamp.encode())
    assert LogRow(1, (raw,)).time is None
    assert LogRow(1, (raw, date, clock)).time == LocalTime(stamp.standard, None)
    assert LogRow(1, (date._replace(unit_code=0x31), clock)).time is None
    assert LogRow(1, (date, clock._replace(unit_code=0x30))).time is None
    never = date._replace(mantissa=bytes(4))
    assert LogRow(1, (never, clock)).time is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2255, 12, 31)))  # noqa: DTZ001 - meters know no zone
def test_times_of_requests_come_back(at: datetime) -> None:
    assert read_log_time(log_time(at)) == at.replace(microsecond=0)


@pytest.mark.parametrize(
    ("at", "raw"),
    [
        ("2000-01-01T00:00:00", "0001010000000000"),
        ("2007-05-24T10:30:59", "0705180a1e3b0000"),
        ("2255-12-31T23:59:59", "ff0c1f173b3b0000"),
    ],
)
def test_a_time_is_asked_for_without_weekday_and_info(at: str, raw: str) -> None:
    assert log_time(datetime.fromisoformat(at)).hex() == raw


@pytest.mark.parametrize("at", ["1999-12-31T23:59:59", "2256-01-01", "2007-05-24T10:30:00+00:00"])
def test_what_no_meter_has_as_its_time_is_not_asked_for(at: str) -> None:
    with pytest.raises(ValueFormatError, match="years 2000 to 2255 and no zone"):
        log_time(datetime.fromisoformat(at))


@pytest.mark.parametrize("status", ["000001", "0000010000", ""])
def test_event_status_has_four_bytes(status: str) -> None:
    with pytest.raises(ProtocolError, match=f"carries 4 bytes, not {len(status) // 2}") as caught:
        answered(0x9B, bytes.fromhex(status))
    assert caught.value.reason == "length"


@pytest.mark.parametrize("bits", range(4))
def test_what_the_event_status_says_is_yes_or_no(bits: int) -> None:
    status = EventStatus(bytes((0xFF, 0xFF, 0xFC | bits, 0xFF)))
    assert status.unread_interval_records is (bits in (1, 3))
    assert status.unread_rtc_records is (bits in (2, 3))


@given(times)
def test_any_eight_bytes_are_a_time_or_none(raw: bytes) -> None:
    try:
        assert log_time(read_log_time(raw))[:6] == raw[:6]
    except ValueFormatError:
        pass
