"""What is heard of loggers: answers overheard, how much of a long one is to come, noise and cuts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.codecs.kmp import GetRegisterRequest, encode_request
from smart_meter_reader.codecs.kmp.loggers import LogAnswer, LogIdPastAbsRequest, LogLastEntryPastAbsRequest
from smart_meter_reader.meters.head import Sign
from smart_meter_reader.meters.kmp.listening import Attempt, longest_answer
from smart_meter_reader.meters.kmp.probe import sign_of_answer
from tests.codecs.kmp.vectors import wire
from tests.peers.foreign_loggers import ForeignLoggers

REQUEST = LogIdPastAbsRequest(4, 645, 20, (348, 60, 68))
FRAME = encode_request(REQUEST)
ANSWER = ForeignLoggers().answer(FRAME)


def listen(*received: bytes) -> Attempt:
    listening = Attempt(REQUEST, FRAME)
    for piece in received:
        listening.receive(piece)
    return listening


@pytest.mark.parametrize("id_", ["kmp-log-hour-dst-end", "kmp-log-year-config", "kmp-log-a0-resp"])
def test_what_somebody_else_asked_a_logger_is_a_sign_of_a_good_head(id_: str) -> None:
    asked = GetRegisterRequest((60,))
    listening = Attempt(asked, encode_request(asked))
    listening.receive(wire(id_))
    assert listening.answer is None
    assert (listening.strangers, listening.damaged) == (1, 0)
    assert sign_of_answer(listening) is Sign.CLEAN


def test_an_answer_with_surplus_bytes_is_damaged() -> None:
    listening = Attempt(REQUEST, FRAME)
    listening.receive(wire("kmp-log-surplus"))
    assert (listening.answer, listening.damaged, listening.strangers) == (None, 1, 0)


def test_how_much_is_to_come_is_known_from_the_first_row_on() -> None:
    # Not a byte more than there is, since that would be waited for in vain; stuffed bytes come on top.
    heard = listen()
    for place, byte in enumerate(ANSWER):
        assert heard.to_come <= len(ANSWER) - place
        if place >= 70:
            assert heard.to_come >= len(ANSWER) - place - ANSWER.count(b"\x1b"[0])
        heard.receive(bytes([byte]))
    assert isinstance(heard.answer, LogAnswer)
    assert heard.to_come == 0


@given(st.integers(2, len(ANSWER) - 1))
def test_a_cut_answer_is_none(length: int) -> None:
    listening = listen(ANSWER[:length])
    assert listening.in_answer
    listening.give_up()
    assert (listening.answer, listening.damaged) == (None, 1)
    again = listen(ANSWER[:length], ANSWER)
    assert isinstance(again.answer, LogAnswer)


@given(st.binary(max_size=300), st.integers(1, 20))
def test_junk_is_never_an_answer_and_never_an_error(junk: bytes, size: int) -> None:
    listening = listen(*(junk[i : i + size] for i in range(0, len(junk), size)))
    assert listening.answer is None
    assert listening.to_come >= 0


def test_a_request_for_more_than_a_frame_takes_is_bounded() -> None:
    few = longest_answer(LogLastEntryPastAbsRequest(4, 65_535, 1, (348,)))
    many = longest_answer(LogIdPastAbsRequest(4, 645, 65_535, (348,) * 40))
    assert 40 < few < 300
    assert many == 65_536
