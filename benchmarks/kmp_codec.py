"""Our KMP codec beside PyKMP: a request encoded, an answer of eight registers decoded, stuffed frames."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from decimal import Decimal
from random import Random
from typing import Any

from benchmarks.measure import Goal, Row, Spread, beside, cpu, in_turns, named, rival
from smart_meter_reader.codecs.kmp import (
    FrameReader,
    GetRegisterRequest,
    GetRegisterResponse,
    decode_response,
    encode_register,
    encode_request,
)
from smart_meter_reader.codecs.kmp.frame import Frame
from tests.peers.foreign_meter import frame as stuffed_frame

REGISTERS = (60, 63, 80, 86, 87, 89, 74, 68)
ANSWER = Frame(
    "response",
    0x3F,
    0x10,
    b"".join(encode_register(register, Decimal("227.44"), 0x08) for register in REGISTERS),
).encode()
# 5512-447, 3.2: the five bytes that are stuffed, and what their stuffing consists of.
_STUFFED = b"\x06\x0d\x1b\x40\x80\xf9\xf2\xe4\xbf\x7f"


def rows(*, quick: bool) -> Iterator[Row]:
    """Encode, decode, and the share of valid frames that come out wrong."""
    logging.disable(logging.CRITICAL)
    theirs = PyKmp() if rival("PyKMP", "pykmp") else None
    if theirs:
        assert encode() == theirs.encode()
        assert [value for value, _ in decode(ANSWER)] == [value for value, _ in theirs.decode(ANSWER)]
    repeats, rounds = (20, 2) if quick else (2000, 9)

    def compare(
        what: str, ours: Callable[[], object], other: Callable[[], object] | None, most: float
    ) -> Row:
        sides = in_turns(rounds, cpu(ours, repeats), cpu(other, repeats) if other else None)
        return beside(what, "µs", sides[0], named("PyKMP") if other else "", sides[1], most)

    yield compare("KMP: encode a request of 8 registers", encode, theirs.encode if theirs else None, 0.3)
    yield compare(
        "KMP: decode an answer of 8 registers",
        lambda: decode(ANSWER),
        (lambda: theirs.decode(ANSWER)) if theirs else None,
        0.15,
    )
    yield from lost_frames(theirs, 100 if quick else 5000)


def encode() -> bytes:
    """A request of eight registers as bytes."""
    return encode_request(GetRegisterRequest(REGISTERS))


def decode(answer: bytes) -> list[tuple[object, str]]:
    """The values and units of an answer, found in a stream."""
    response = decode_response(read_frame(answer))
    assert isinstance(response, GetRegisterResponse)
    return [(register.value, register.unit) for register in response.registers]


def read_frame(stream: bytes) -> Frame:
    """The frame in a stream."""
    reader = FrameReader()
    reader.receive_data(stream)
    frame = reader.next_frame()
    assert isinstance(frame, Frame)
    return frame


def lost_frames(theirs: PyKmp | None, count: int) -> Iterator[Row]:
    """Valid frames of bytes that are stuffed, encoded by code of neither side."""
    random = Random(1)
    contents = [bytes((0x3F, 0x10, *random.choices(_STUFFED, k=12))) for _ in range(count)]

    def lost(payload_of: Callable[[bytes], bytes]) -> float:
        wrong = 0
        for content in contents:
            try:
                wrong += payload_of(stuffed_frame(0x40, content)) != content[2:]
            except Exception:  # noqa: BLE001 - whatever a codec raises at a valid frame, the frame is lost
                wrong += 1
        return 100 * wrong / count

    ours = lost(lambda raw: read_frame(raw).payload)
    other = [lost(theirs.payload)] if theirs else []
    yield Row(
        "KMP: valid frames of stuffed bytes lost",
        "%",
        Spread.of([ours]),
        named("PyKMP") if theirs else "",
        Spread.of(other) if other else None,
        goal=Goal(0, "ours"),
    )


class PyKmp:
    """The same by PyKMP, its codecs made once. It needs the frame cut out of the stream already."""

    def __init__(self) -> None:
        modules: list[Any] | None = rival("PyKMP", "pykmp.codec", "pykmp.constants", "pykmp.messages")
        assert modules
        codec, self._constants, self._messages = modules
        self._link_layer = codec.DataLinkData
        self._to_meter = codec.PhysicalCodec(direction=codec.PhysicalDirection.TO_METER)
        self._from_meter = codec.PhysicalCodec(direction=codec.PhysicalDirection.FROM_METER)
        self._data_link = codec.DataLinkCodec()
        self._application = codec.ApplicationCodec()
        self._floats = codec.FloatCodec()

    def encode(self) -> bytes:
        """A request of eight registers as bytes."""
        identifiers = [self._messages.RegisterID(register) for register in REGISTERS]
        request = self._messages.GetRegisterRequest(registers=identifiers)
        link = self._link_layer(
            destination_address=self._constants.DestinationAddress.HEAT_METER.value,
            application_bytes=self._application.encode(request.encode()),
        )
        return bytes(self._to_meter.encode(self._data_link.encode(link)))

    def decode(self, answer: bytes) -> list[tuple[object, str]]:
        """The values and units of an answer."""
        link = self._data_link.decode(self._from_meter.decode(answer))
        application = self._application.decode(link.application_bytes)
        response = self._messages.GetRegisterResponse.decode(application)
        return [
            (self._floats.decode(register.value), self._constants.UNITS_NAMES[register.unit])
            for register in response.registers.values()
        ]

    def payload(self, raw: bytes) -> bytes:
        """What a frame carries after address and CID."""
        link = self._data_link.decode(self._from_meter.decode(raw))
        return bytes(link.application_bytes[1:])
