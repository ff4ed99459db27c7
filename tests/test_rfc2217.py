"""Telnet and RFC 2217 as a function of bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.transport.line import LineSettings
from smart_meter_reader.transport.rfc2217 import (
    COM_PORT,
    DO,
    DONT,
    IAC,
    SB,
    SE,
    SET_BAUDRATE,
    WILL,
    WONT,
    Telnet,
    line_requests,
)

DO_COM_PORT = bytes((IAC, DO, COM_PORT))
BAUD_IS_1200 = bytes((IAC, SB, COM_PORT, SET_BAUDRATE + 100)) + (1200).to_bytes(4, "big") + bytes((IAC, SE))


def opened() -> Telnet:
    telnet = Telnet()
    telnet.outgoing.clear()
    return telnet


def test_the_first_thing_said_offers_com_port_control_and_binary() -> None:
    sent = bytes(Telnet().outgoing)
    assert bytes((IAC, WILL, COM_PORT)) in sent
    assert bytes((IAC, WILL, 0)) in sent
    assert bytes((IAC, DO, 0)) in sent


@given(st.binary(max_size=200), st.integers(1, 7))
def test_payload_comes_through_whatever_it_is_and_however_it_is_cut(payload: bytes, size: int) -> None:
    telnet = opened()
    stream = DO_COM_PORT + telnet.encode(payload) + BAUD_IS_1200
    pieces = (stream[i : i + size] for i in range(0, len(stream), size))
    assert b"".join(map(telnet.receive, pieces)) == payload
    assert telnet.com_port is True
    assert telnet.answers[SET_BAUDRATE] == (1200).to_bytes(4, "big")


@given(st.binary(max_size=400), st.integers(1, 50))
def test_anything_at_all_is_taken_in_bounded_memory(junk: bytes, size: int) -> None:
    telnet = opened()
    for i in range(0, len(junk), size):
        telnet.receive(junk[i : i + size])
        assert len(telnet._pending) <= 64 + size


def test_a_refusal_is_known() -> None:
    telnet = opened()
    telnet.receive(bytes((IAC, DONT, COM_PORT)))
    assert telnet.com_port is False


def test_unknown_options_are_refused_once_and_agreed_ones_not_answered_again() -> None:
    telnet = opened()
    telnet.receive(bytes((IAC, DO, 31, IAC, WILL, 1)))
    assert bytes(telnet.outgoing) == bytes((IAC, WONT, 31, IAC, DONT, 1))
    telnet.outgoing.clear()
    telnet.receive(bytes((IAC, DO, 31, IAC, WILL, 1)) + DO_COM_PORT + bytes((IAC, WILL, 0)))
    assert telnet.outgoing == b""


def test_requests_carry_the_line_and_escape_their_values() -> None:
    assert line_requests(LineSettings(300, 7, "E", 1)) == {
        1: (300).to_bytes(4, "big"),
        2: b"\x07",
        3: b"\x03",
        4: b"\x01",
    }
    telnet = opened()
    telnet.ask(SET_BAUDRATE, b"\x00\x00\xff\x00")
    assert bytes(telnet.outgoing) == bytes.fromhex("fffa2c01 0000ffff00 fff0")
