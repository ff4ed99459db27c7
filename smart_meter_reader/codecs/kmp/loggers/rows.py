"""Rows of a logger: the first with its formats, every further one with values only, in the same formats.

Sources: captures of MULTICAL 303/603 (B8h), and Kamstrup 5512-447, section 6.3.1 (A0h to A3h).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from smart_meter_reader.codecs.kmp.clock import LocalTime, decode_date, decode_time, read_local_time
from smart_meter_reader.codecs.kmp.record import RECORD_HEAD, RegisterValue
from smart_meter_reader.exceptions import ProtocolError, ValueFormatError

DATE_AND_TIME: Final = 348  # 7 raw bytes: see ``clock.LocalTime``
_CLOCK: Final = 1002
_DATE: Final = 1003
_LOCAL_TIME_UNIT: Final = 0x4F
_TIME_UNIT: Final = 0x2F
_DATE_UNIT: Final = 0x30


class LogRow(NamedTuple):
    """One entry of a logger, as it was sent. ``log_id`` is its log id, or record id in A0h to A3h."""

    log_id: int
    registers: tuple[RegisterValue, ...]

    def by_id(self) -> dict[int, RegisterValue]:
        """The registers by id: the only way to tell which is which."""
        return {register.register: register for register in self.registers}

    @property
    def time(self) -> LocalTime | None:
        """When the entry was made, by the meter's clock; None when the row does not tell.

        Register 348 tells, or else 1003 and 1002 together, of which no source says whether they follow
        summer time: ``dst_minutes`` is None then. Raises ValueFormatError for what is no date and time.
        """
        registers = self.by_id()
        stamp = registers.get(DATE_AND_TIME)
        if stamp is not None and stamp.unit_code == _LOCAL_TIME_UNIT:
            return read_local_time(stamp.mantissa)
        date, clock = registers.get(_DATE), registers.get(_CLOCK)
        if date is None or clock is None or (date.unit_code, clock.unit_code) != (_DATE_UNIT, _TIME_UNIT):
            return None
        day = decode_date(date.mantissa)
        if day is None:
            return None
        return LocalTime(datetime.fromisoformat(f"{day}T{decode_time(clock.mantissa)}"), None)


def encode_rows(rows: Sequence[LogRow], head: Callable[[LogRow], bytes]) -> bytes:
    """The rows after one another, each behind what ``head`` gives for it.

    Raises ValueFormatError for a row that is not of the first one's format.
    """
    encoded = []
    for number, row in enumerate(rows):
        if [_format(register) for register in row.registers] != list(map(_format, rows[0].registers)):
            raise ValueFormatError(f"row {row.log_id} is of another format than row {rows[0].log_id}")
        values = (register.mantissa if number else register.encode() for register in row.registers)
        encoded.append(head(row) + b"".join(values))
    return b"".join(encoded)


def decode_formats(payload: bytes, position: int, count: int) -> tuple[tuple[RegisterValue, ...], int]:
    """The registers of the first row, and where they end. Raises ProtocolError (``length``)."""
    registers = []
    for number in range(1, count + 1):
        try:
            register, unit_code, size, sign_exponent = RECORD_HEAD.unpack_from(payload, position)
        except struct.error:
            raise _cut(number) from None
        start, position = position + RECORD_HEAD.size, position + RECORD_HEAD.size + size
        if position > len(payload):
            raise _cut(number)
        if not size:
            # Any number of further rows would fit into no byte at all.
            raise ProtocolError("length", f"register {register} of the first row has a value of 0 bytes")
        registers.append(RegisterValue(register, unit_code, sign_exponent, payload[start:position]))
    return tuple(registers), position


def decode_values(payload: bytes, position: int, formats: Iterable[RegisterValue]) -> Iterator[RegisterValue]:
    """The registers of a further row, in the first one's formats. The caller has checked the length."""
    for register, unit_code, sign_exponent, mantissa in formats:
        start, position = position, position + len(mantissa)
        yield RegisterValue(register, unit_code, sign_exponent, payload[start:position])


def values_size(formats: Iterable[RegisterValue]) -> int:
    """How many bytes the values of one row take."""
    return sum(len(register.mantissa) for register in formats)


def _format(register: RegisterValue) -> tuple[int, int, int, int]:
    return register.register, register.unit_code, register.sign_exponent, len(register.mantissa)


def _cut(number: int) -> ProtocolError:
    return ProtocolError("length", f"the answer ends within register number {number} of its first row")
