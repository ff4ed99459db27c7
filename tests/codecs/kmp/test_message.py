"""KMP messages: document vectors both ways, answers matched by id, and what is no message."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp.commands import HEAT_METER
from smart_meter_reader.codecs.kmp.frame import Frame, decode_frame
from smart_meter_reader.codecs.kmp.identity import (
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
)
from smart_meter_reader.codecs.kmp.loggers import LoadProfileConfigRequest
from smart_meter_reader.codecs.kmp.message import (
    GetRegisterRequest,
    GetRegisterResponse,
    OtherMessage,
    Request,
    Response,
    decode_request,
    decode_response,
    encode_register,
    encode_response,
)
from smart_meter_reader.codecs.kmp.record import RegisterValue
from smart_meter_reader.exceptions import ProtocolError
from tests.codecs.kmp.vectors import on_wire, wire

EIGHT = GetRegisterRequest((60, 63, 80, 86, 87, 89, 74, 68))


@pytest.mark.parametrize(
    ("request_", "vector"),
    [
        (GetTypeRequest(), "kmp-doc-gettype-req"),
        (GetSerialNoRequest(), "kmp-doc-getserial-req"),
        (GetRegisterRequest((128,)), "kmp-doc-getreg-req"),
        (EIGHT, "kmp-403-8regs-req"),
        (OtherMessage(0xB8, b"\xff\x02"), "kmp-jk-log-bad-sub-req"),
    ],
)
def test_requests_both_ways(request_: Request, vector: str) -> None:
    frame = Frame("request", HEAT_METER, request_.CID, request_.encode())
    assert on_wire(frame) == wire(vector)
    assert decode_request(decode_frame(wire(vector))) == request_


@pytest.mark.parametrize(
    ("response", "vector"),
    [
        (GetTypeResponse("0004", "F1"), "kmp-doc-gettype-resp"),
        (GetSerialNoResponse(19088743), "kmp-doc-getserial-resp"),
        (
            GetRegisterResponse((RegisterValue(128, 0x16, 0x11, b"\x01\x2a\xf0\x24"),)),
            "kmp-doc-getreg-resp",
        ),
    ],
)
def test_responses_both_ways(response: Response, vector: str) -> None:
    assert encode_response(response) == wire(vector)
    assert decode_response(decode_frame(wire(vector))) == response


def test_registers_are_told_apart_by_id_in_any_order() -> None:
    answer = decode_response(decode_frame(wire("kmp-382-aimir-6")))
    assert isinstance(answer, GetRegisterResponse)
    values = {id_: register.value for id_, register in answer.by_id().items()}
    assert values == {
        1003: "2012-09-10",
        1002: "16:02:33",
        1004: Decimal(5345),
        1047: "2012-09-10T16:02:33",
        1045: Decimal(0),
    }


def test_an_answer_may_be_empty() -> None:
    assert decode_response(Frame("response", 0x3F, 0x10, b"")) == GetRegisterResponse(())


def test_encode_register_makes_what_a_meter_sends() -> None:
    record = encode_register(60, Decimal("55.006"), 0x03)
    assert record == bytes.fromhex("003c0304430000d6de")
    assert encode_register(86, Decimal("53.65"), 0x25, size=2) == bytes.fromhex("005625024214f5")


@pytest.mark.parametrize("length", [1, 4, 5, 8])
def test_a_truncated_register_makes_the_answer_useless(length: int) -> None:
    good = encode_register(68, Decimal("1.00"), 0x28)
    cut = encode_register(60, Decimal("55.006"), 0x03)[:length]
    for payload, number in ((good + cut, 2), (cut, 1)):
        with pytest.raises(ProtocolError, match=f"register number {number} of the answer"):
            decode_response(Frame("response", 0x3F, 0x10, payload))


@pytest.mark.parametrize(
    "payload",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\x00", id="no register"),
        pytest.param(b"\x01\x00", id="half an id"),
        pytest.param(b"\x02\x00\x3c", id="one of two"),
        pytest.param(b"\x01\x00\x3c\x00\x44", id="two of one"),
        pytest.param(b"\x09" + b"\x00\x3c" * 9, id="nine"),
    ],
)
def test_the_count_of_a_request_must_be_right(payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="count of 1 to 8"):
        decode_request(Frame("request", 0x3F, 0x10, payload))


@pytest.mark.parametrize("registers", [(), tuple(range(9))])
def test_a_request_takes_one_to_eight_registers(registers: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="1 to 8"):
        GetRegisterRequest(registers).encode()


@pytest.mark.parametrize(("cid", "payload"), [(1, b"\x00\x04\x06"), (1, bytes(5)), (2, b""), (2, bytes(5))])
def test_identity_answers_have_four_bytes(cid: int, payload: bytes) -> None:
    with pytest.raises(ProtocolError, match="4 bytes") as caught:
        decode_response(Frame("response", 0x3F, cid, payload))
    assert caught.value.reason == "length"


def test_a_meter_type_has_large_digits() -> None:
    assert decode_response(Frame("response", 0x3F, 1, b"\xab\xcd\x06\x01")) == GetTypeResponse("ABCD", "F1")


@pytest.mark.parametrize("cid", [1, 2])
def test_identity_requests_have_no_payload(cid: int) -> None:
    with pytest.raises(ProtocolError, match="0 bytes"):
        decode_request(Frame("request", 0x3F, cid, b"\x00"))


def test_an_echo_is_no_answer() -> None:
    with pytest.raises(ProtocolError, match="echo") as caught:
        decode_response(decode_frame(wire("kmp-403-8regs-req")))
    assert caught.value.reason == "direction"
    with pytest.raises(ProtocolError, match="no request") as caught:
        decode_request(decode_frame(wire("kmp-doc-gettype-resp")))
    assert caught.value.reason == "direction"


def test_a_request_without_a_count_is_told_as_of_none() -> None:
    with pytest.raises(ProtocolError, match="0 bytes and the count 0"):
        decode_request(Frame("request", 0x3F, 0x10, b""))


def test_of_a_load_profile_only_the_plain_question_is_known() -> None:
    assert decode_request(Frame("request", 0x3F, 0xAA, b"")) == LoadProfileConfigRequest()
    assert decode_request(Frame("request", 0x3F, 0xAA, b"\x01")) == OtherMessage(0xAA, b"\x01")


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("0103", "A3"),
        ("0601", "F1"),
        ("1a0c", "Z12"),
        ("0005", "0.5"),
        ("1b02", "AA2"),
        ("3401", "AZ1"),
        ("3501", "53.1"),
    ],
)
def test_software_revisions(raw: str, text: str) -> None:
    payload = bytes.fromhex("0004" + raw)
    response = decode_response(Frame("response", 0x3F, 1, payload))
    assert response == GetTypeResponse("0004", text)
    assert response.encode() == payload


def test_a_software_revision_of_another_form_is_refused() -> None:
    with pytest.raises(ValueError, match="F1"):
        GetTypeResponse("0004", "v2").encode()


registers = st.builds(
    RegisterValue,
    register=st.integers(0, 0xFFFF),
    unit_code=st.integers(0, 255),
    sign_exponent=st.integers(0, 255),
    mantissa=st.binary(max_size=20),
)
responses = st.one_of(
    st.builds(GetSerialNoResponse, st.integers(0, 2**32 - 1)),
    st.lists(registers, max_size=8).map(lambda items: GetRegisterResponse(tuple(items))),
    st.builds(OtherMessage, st.integers(0x11, 0x9A), st.binary(max_size=40)),
)
requests = st.one_of(
    st.just(GetTypeRequest()),
    st.just(GetSerialNoRequest()),
    st.lists(st.integers(0, 0xFFFF), min_size=1, max_size=8).map(lambda ids: GetRegisterRequest(tuple(ids))),
    st.builds(OtherMessage, st.integers(0x11, 0x9A), st.binary(max_size=40)),
)


@given(responses, st.integers(0, 255))
def test_responses_come_back(response: Response, address: int) -> None:
    frame = decode_frame(encode_response(response, address))
    assert frame.address == address
    assert decode_response(frame) == response


@given(requests)
def test_requests_come_back(request_: Request) -> None:
    assert decode_request(Frame("request", 0x3F, request_.CID, request_.encode())) == request_


@given(st.binary(min_size=4, max_size=4))
def test_meter_types_come_back(payload: bytes) -> None:
    assert decode_response(Frame("response", 0x3F, 1, payload)).encode() == payload


@given(st.sampled_from(("request", "response")), st.integers(0, 255), st.binary(max_size=80))
def test_any_payload_is_a_message_or_a_protocol_error(direction: str, cid: int, payload: bytes) -> None:
    frame = Frame("request" if direction == "request" else "response", 0x3F, cid, payload)
    decode = decode_request if direction == "request" else decode_response
    try:
        message = decode(frame)
    except ProtocolError:
        return
    assert message.encode() == payload
