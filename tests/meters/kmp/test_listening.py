"""What is heard after a request: answers, echoes, noise, damage and late answers, byte by byte."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp import (
    GetRegisterRequest,
    GetRegisterResponse,
    GetSerialNoRequest,
    GetSerialNoResponse,
    GetTypeRequest,
    GetTypeResponse,
    RegisterValue,
    Request,
    encode_request,
    encode_response,
)
from smart_meter_reader.meters.kmp.listening import Attempt, explain_silence

REQUEST = GetRegisterRequest((60, 68))
FRAME = encode_request(REQUEST)
ANSWER = GetRegisterResponse(
    (RegisterValue(60, 8, 0x43, b"\x00\x03\x78\x75"), RegisterValue(68, 0x28, 0x42, b"\x00\x02\xed\x10"))
)
GOOD = encode_response(ANSWER)
OTHER_REGISTERS = encode_response(GetRegisterResponse((RegisterValue(74, 0x29, 0, b"\x00\xe7"),)))
EMPTY = encode_response(GetRegisterResponse(()))


def listen(*pieces: bytes, under_way: Sequence[Request] = (), hasty: bool = True) -> Attempt:
    listening = Attempt(REQUEST, FRAME, under_way=under_way, hasty=hasty)
    for piece in pieces:
        listening.receive(piece)
    return listening


def test_an_answer_is_recognised_whole_and_byte_by_byte() -> None:
    assert listen(GOOD).answer == ANSWER
    assert listen(*(bytes([byte]) for byte in GOOD)).answer == ANSWER


@pytest.mark.parametrize(
    "before",
    [
        FRAME,
        b"\x00",
        b"\x00\x00\xff",
        b"\x06",
        b"\x40",
        b"\x40\x3f",
        b"noise \x80 \x1b",
        FRAME[:-1],
        FRAME * 2,
    ],
    ids=["echo", "stray 00", "noise", "ack", "start byte", "cut answer", "starts", "cut echo", "two echoes"],
)
def test_what_comes_before_the_answer_is_skipped(before: bytes) -> None:
    assert listen(before + GOOD).answer == ANSWER


def test_the_echo_is_known_as_such() -> None:
    listening = listen(FRAME)
    assert listening.echo
    assert listening.answer is None
    assert not listening.answer_is_over


@pytest.mark.parametrize(
    "late",
    [
        OTHER_REGISTERS,
        encode_response(GetSerialNoResponse(12_345_678)),
        encode_response(GetTypeResponse("0001", "F1")),
        encode_response(ANSWER, address=0x7F),
        encode_response(GetRegisterResponse((*ANSWER.registers, RegisterValue(74, 0x29, 0, b"\x00\xe7")))),
    ],
    ids=["other registers", "serial number", "type", "other address", "more than asked"],
)
def test_an_answer_to_something_else_is_never_taken(late: bytes) -> None:
    listening = listen(late)
    assert listening.answer is None
    assert listening.strangers == 1
    listening.receive(GOOD)
    assert listening.answer == ANSWER


def test_what_is_certainly_still_to_come_is_never_more_than_the_rest_of_a_whole_answer() -> None:
    told = [listen(GOOD[:length]).to_come for length in range(len(GOOD) + 1)]
    assert told[:2] == [0, 0]  # one byte can be noise
    assert 0 < told[2] <= len(GOOD) - 2
    assert all(told[length] <= len(GOOD) - length for length in range(len(GOOD) + 1))
    assert listen(FRAME).to_come == 0
    shortest = GetRegisterResponse((RegisterValue(60, 0x29, 0, b"\x01"), RegisterValue(68, 0x29, 0, b"\x01")))
    assert listen(encode_response(shortest)[:2]).to_come == len(encode_response(shortest)) - 2


def test_registers_come_in_any_order_and_may_be_missing() -> None:
    assert listen(encode_response(GetRegisterResponse(ANSWER.registers[::-1]))).answer is not None
    assert listen(encode_response(GetRegisterResponse(ANSWER.registers[:1]))).answer is not None
    assert listen(EMPTY).answer == GetRegisterResponse(())


@pytest.mark.parametrize("incomplete", [EMPTY, encode_response(GetRegisterResponse(ANSWER.registers[:1]))])
def test_an_incomplete_answer_is_not_believed_while_it_may_belong_to_another_request(
    incomplete: bytes,
) -> None:
    earlier = GetRegisterRequest((60, 74))
    assert listen(incomplete, under_way=[earlier]).answer is None
    assert listen(incomplete, GOOD, under_way=[earlier]).answer == ANSWER
    # Nothing in it can be the answer to these.
    assert listen(incomplete, under_way=[GetTypeRequest()]).answer is not None
    assert listen(GOOD, under_way=[GetRegisterRequest((60, 68, 74))]).answer == ANSWER


@pytest.mark.parametrize(
    "noise", [b"\x00" + FRAME[1:], b"\x40\x11\x22\x33\x44\x55\x0d"], ids=["damaged echo", "like a frame"]
)
def test_noise_that_ends_like_an_answer_is_taken_for_one_in_haste_only(noise: bytes) -> None:
    for hasty in (True, False):
        listening = listen(noise, hasty=hasty)
        assert listening.answer_is_over == hasty
        assert not listening.answer_came
        listening.receive(GOOD)
        assert listening.answer == ANSWER


def test_a_damaged_answer_is_over_without_haste_too() -> None:
    listening = listen(GOOD[:8] + bytes([GOOD[8] ^ 1]) + GOOD[9:], hasty=False)
    assert listening.answer_is_over
    assert listening.answer_came


def test_no_single_bit_flip_yields_an_answer_and_each_is_known_to_be_over_or_cut() -> None:
    for position in range(len(GOOD) * 8):
        damaged = bytearray(GOOD)
        damaged[position // 8] ^= 1 << position % 8
        listening = listen(bytes(damaged))
        assert listening.answer is None, position
        # Known at once, or (stop byte hit) by the silence in the middle of it: never the full patience.
        assert listening.answer_is_over or listening.in_answer, position
        listening.give_up()
        assert listening.damaged, position


def test_a_damaged_echo_is_no_damaged_answer() -> None:
    listening = listen(FRAME[:4] + bytes([FRAME[4] ^ 1]) + FRAME[5:])
    assert not listening.damaged
    assert not listening.answer_is_over


def test_a_frame_with_a_right_checksum_and_wrong_content_is_damage() -> None:
    from smart_meter_reader.codecs.kmp import START_RESPONSE, encode_frame

    listening = listen(encode_frame(START_RESPONSE, 0x3F, 0x10, b"\x00\x3c\x08\x04"))
    assert listening.answer is None
    assert listening.damaged == 1


def test_serial_number_answers_match_by_command() -> None:
    request = GetSerialNoRequest()
    listening = Attempt(request, encode_request(request))
    listening.receive(GOOD)
    assert listening.answer is None
    listening.receive(encode_response(GetSerialNoResponse(12_345_678)))
    assert listening.answer == GetSerialNoResponse(12_345_678)


@given(st.binary(max_size=300), st.integers(1, 20))
def test_junk_is_never_an_answer_and_never_an_error(junk: bytes, size: int) -> None:
    listening = listen(*(junk[i : i + size] for i in range(0, len(junk), size)))
    assert listening.answer is None
    assert listening.heard == len(junk)


@given(st.binary(max_size=40).filter(lambda junk: b"\x40" not in junk and b"\x80" not in junk))
def test_the_answer_is_found_behind_any_noise(junk: bytes) -> None:
    found = listen(junk, GOOD).answer
    assert isinstance(found, GetRegisterResponse)
    assert found.by_id()[60].value == Decimal("227.445")


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        (b"", "no_echo_no_answer"),
        (FRAME, "echo_only"),
        (FRAME + GOOD[:-3] + b"\x00\x00\x0d", "damaged_answers"),
        (b"\xff\xfe\xfd", "damaged_answers"),
        (OTHER_REGISTERS, "strange_answers"),
    ],
)
def test_silence_is_explained_by_what_was_heard(heard: bytes, reason: str) -> None:
    listening = listen(heard) if heard else listen()
    listening.give_up()
    for port in ("/dev/ttyUSB0", "socket://attic:7000"):
        error = explain_silence([listening, listen()], port)
        assert error.reason == reason
        assert error.detail.startswith(f"{port}: asked 2 times")


@pytest.mark.parametrize(
    ("port", "baud", "named"),
    [("/dev/ttyUSB0", 1200, True), ("/dev/ttyUSB0", 9600, False), ("socket://attic:7000", 1200, False)],
)
@pytest.mark.parametrize("heard", [b"", FRAME])
def test_who_stays_silent_at_1200_may_be_a_382(port: str, baud: int, named: bool, heard: bytes) -> None:
    listening = listen(heard) if heard else listen()
    listening.give_up()
    # Claustn/esp8266-kamstrup-mqtt#6: KMP at 9600 8N1.
    assert ("baud = 9600, stopbits = 1" in explain_silence([listening], port, "", baud).detail) is named


def test_another_reader_of_the_port_is_named() -> None:
    error = explain_silence([listen()], "/dev/ttyUSB0", "cat (process 7)")
    assert error.reason == "no_echo_no_answer"
    assert error.detail.endswith("and stop cat (process 7), since two readers take each other's bytes")
