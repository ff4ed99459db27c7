"""Telnet and RFC 2217 as a function of bytes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smart_meter_reader.exceptions import TransportError
from smart_meter_reader.transport import open_transport
from smart_meter_reader.transport.line import LineSettings
from smart_meter_reader.transport.rfc2217 import (
    COM_PORT,
    DO,
    DONT,
    EARLY_LIMIT,
    IAC,
    SB,
    SE,
    SET_BAUDRATE,
    WILL,
    WONT,
    Telnet,
    line_requests,
)
from tests.peers.hostile import SERIAL_SERVERS, serving

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
        assert len(telnet._pending) <= 256 + size
        assert sum(map(len, telnet.answers.values())) <= 256 * 155


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


@pytest.mark.parametrize(
    ("stream", "payload"),
    [
        (bytes((IAC, SB)) * 1000, b""),
        (bytes((IAC, SB)) + b"a" * 1000, b"a" * 1000),
        (bytes((IAC, SB)) + bytes((IAC, IAC)) * 1000, bytes((IAC,)) * 1000),
        (
            bytes((IAC, SB, COM_PORT, SET_BAUDRATE + 100)) + BAUD_IS_1200,
            bytes((COM_PORT, SET_BAUDRATE + 100)),
        ),
        (bytes((IAC, 0xF1)) * 1000 + b"a", b"a"),
        (
            bytes((IAC, SB, COM_PORT, SET_BAUDRATE + 100)) + b"a" * 300 + bytes((IAC, SE)),
            b"\x2c\x65" + b"a" * 300,
        ),
    ],
)
def test_a_subnegotiation_that_is_none_costs_its_two_bytes(stream: bytes, payload: bytes) -> None:
    telnet = opened()
    received = b"".join(telnet.receive(stream[start : start + 100]) for start in range(0, len(stream), 100))
    assert received + telnet.receive(b"b" * 300) == payload + b"b" * 300
    assert len(telnet._pending) <= 256


@given(st.lists(st.tuples(st.sampled_from([DO, DONT, WILL, WONT]), st.integers(0, 255))))
def test_options_are_answered_once_each_however_long_it_goes_on(asked: list[tuple[int, int]]) -> None:
    telnet = opened()
    for _ in range(20):
        for verb, option in asked:
            telnet.receive(bytes((IAC, verb, option)))
    assert len(telnet.outgoing) <= 3 * 2 * 2 * len({option for _, option in asked})


@pytest.mark.parametrize(
    "name", ["babble", "options", "a subnegotiation without end", "agreement and babble"]
)
async def test_a_server_that_sends_instead_of_negotiating_is_left(name: str) -> None:
    async with serving(SERIAL_SERVERS[name]) as port:
        with pytest.raises(TransportError) as caught:
            # Long enough for the flood to be refused for its size, and not for its time.
            await open_transport(f"rfc2217://127.0.0.1:{port}", LineSettings(), connect_timeout=30.0)
    assert caught.value.reason == "not_rfc2217"
    if name != "options":
        sent = int(caught.value.detail.partition("sends ")[2].split()[0])
        assert EARLY_LIMIT < sent <= EARLY_LIMIT + 8192
