"""Which requests a reading takes, and what each is called for a person who waits. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from smart_meter_reader.codecs.kmp import (
    MAX_REGISTERS,
    GetRegisterRequest,
    GetSerialNoRequest,
    GetTypeRequest,
    Request,
)


def batches(registers: Sequence[int]) -> Iterator[Sequence[int]]:
    """As few requests as possible, of as equal size as can be: what stands together stays so."""
    count = -(-len(registers) // MAX_REGISTERS)
    begin = 0
    for left in range(count, 0, -1):
        end = begin + -(-(len(registers) - begin) // left)
        yield registers[begin:end]
        begin = end


def asking(request: Request, attempt: int, attempts: int) -> str:
    """What is asked for, for a person who waits."""
    match request:
        case GetTypeRequest():
            what = "its type"
        case GetRegisterRequest():
            count = len(request.registers)
            what = f"{count} register{'' if count == 1 else 's'}"
        case GetSerialNoRequest():
            what = "its serial number"
        case _:
            what = "its loggers"
    again = f", time {attempt + 1} of {attempts}" if attempt else ""
    return f"asking the meter for {what}{again}"
