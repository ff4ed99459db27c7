"""Our KMP codec beside PyKMP: time to encode a request and to decode an answer of eight registers.

Run with PyKMP installed (it is no dependency of ours): ``pip install PyKMP`` and
``python benchmarks/kmp_codec.py``. Prints microseconds and our share of PyKMP's time.
"""

from __future__ import annotations

import logging
import timeit
from collections.abc import Callable
from decimal import Decimal

from pykmp import codec, constants, messages

from smart_meter_reader.codecs.kmp import (
    FrameReader,
    GetRegisterRequest,
    GetRegisterResponse,
    decode_response,
    encode_register,
    encode_request,
)
from smart_meter_reader.codecs.kmp.frame import Frame

REGISTERS = (60, 63, 80, 86, 87, 89, 74, 68)


def _answer() -> bytes:
    records = b"".join(encode_register(register, Decimal("227.44"), 0x08) for register in REGISTERS)
    return Frame("response", 0x3F, 0x10, records).encode()


ANSWER = _answer()


def ours_encode() -> bytes:
    """A request of eight registers as bytes."""
    return encode_request(GetRegisterRequest(REGISTERS))


def pykmp_encode() -> bytes:
    """The same by PyKMP, its codecs made once."""
    request = messages.GetRegisterRequest(registers=[messages.RegisterID(id_) for id_ in REGISTERS])
    link = codec.DataLinkData(
        destination_address=constants.DestinationAddress.HEAT_METER.value,
        application_bytes=APPLICATION.encode(request.encode()),
    )
    return bytes(TO_METER.encode(DATA_LINK.encode(link)))


def ours_decode() -> list[tuple[object, str]]:
    """The values and units of an answer, found in a stream."""
    reader = FrameReader()
    reader.receive_data(ANSWER)
    frame = reader.next_frame()
    assert isinstance(frame, Frame)
    response = decode_response(frame)
    assert isinstance(response, GetRegisterResponse)
    return [(register.value, register.unit) for register in response.registers]


def pykmp_decode() -> list[tuple[object, str]]:
    """The values of an answer by PyKMP, its codecs made once; it needs the frame cut out already."""
    link = DATA_LINK.decode(FROM_METER.decode(ANSWER))
    application = APPLICATION.decode(link.application_bytes)
    response = messages.GetRegisterResponse.decode(application)
    return [
        (FLOATS.decode(register.value), constants.UNITS_NAMES[register.unit])
        for register in response.registers.values()
    ]


TO_METER = codec.PhysicalCodec(direction=codec.PhysicalDirection.TO_METER)
FROM_METER = codec.PhysicalCodec(direction=codec.PhysicalDirection.FROM_METER)
DATA_LINK = codec.DataLinkCodec()
APPLICATION = codec.ApplicationCodec()
FLOATS = codec.FloatCodec()


def _microseconds(*calls: Callable[[], object]) -> list[float]:
    """The quickest of many short rounds each, in turn, so that a busy machine slows all of them alike."""
    rounds = 100
    quickest = [float("inf")] * len(calls)
    for _ in range(200):
        for index, call in enumerate(calls):
            quickest[index] = min(quickest[index], timeit.timeit(call, number=rounds))
    return [seconds / rounds * 1e6 for seconds in quickest]


def main() -> None:
    """Check that both say the same, then time them."""
    logging.disable(logging.CRITICAL)
    assert ours_encode() == pykmp_encode()
    assert [value for value, _ in ours_decode()] == [value for value, _ in pykmp_decode()]
    for name, ours, theirs in (
        ("encode a request", ours_encode, pykmp_encode),
        ("decode an answer", ours_decode, pykmp_decode),
    ):
        mine, other = _microseconds(ours, theirs)
        print(f"{name}: {mine:6.2f} µs, PyKMP {other:7.2f} µs, ratio {mine / other:.3f}")


if __name__ == "__main__":
    main()
