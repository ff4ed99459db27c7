"""The logs of MULTICAL 601 with a logger module, of 801 and of electricity meters: A0h to A3h, 9Bh and AAh.

Source: Kamstrup 5512-447, sections 4.3 (time stamps) and 6.3; AAh is known by its name only
(docs/references.md).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias

from smart_meter_reader.codecs.kmp.commands import (
    GET_EVENT_STATUS,
    GET_LOAD_PROFILE_CONFIG,
    GET_LOG_ID_PRESENT,
    GET_LOG_LAST_PRESENT,
    GET_LOG_TIME_PAST,
    GET_LOG_TIME_PRESENT,
)
from smart_meter_reader.codecs.kmp.loggers.layout import (
    count_of,
    decode_ids,
    encode_ids,
    expect_at_least,
    packed,
)
from smart_meter_reader.exceptions import ProtocolError, ValueFormatError

INTERVAL_LOG: Final = 1  # the id of the log that the examples of 5512-447 read, an hourly one
MAX_LOG_REGISTERS: Final = 8
_HEAD: Final = struct.Struct(">BB")  # log, number of registers
_LIMITS: Final = struct.Struct(">BB")  # records, longest answer
_TIME_SIZE: Final = 8


@dataclass(frozen=True, slots=True)
class _RecordsRequest:
    """``registers`` of up to ``records`` records of a log, in an answer of ``max_length`` bytes at most."""

    log: int
    registers: tuple[int, ...]
    records: int
    max_length: int

    def _head(self) -> bytes:
        if not self.registers:
            raise ValueError(f"a request takes 1 to {MAX_LOG_REGISTERS} registers, not 0")
        head = packed(_HEAD, self.log, count_of(self.registers, MAX_LOG_REGISTERS))
        return head + encode_ids(self.registers) + packed(_LIMITS, self.records, self.max_length)


@dataclass(frozen=True, slots=True)
class LogTimePresentRequest(_RecordsRequest):
    """GetLogTimePresent (A0h): from the first record at or after a time on; ``time`` as of ``log_time``."""

    CID: ClassVar[int] = GET_LOG_TIME_PRESENT

    time: bytes

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place."""
        return self._head() + _checked_time(self.time)


@dataclass(frozen=True, slots=True)
class LogLastPresentRequest(_RecordsRequest):
    """GetLogLastPresent (A1h): on from a place that moves when anybody sends 9Ch. Never sent."""

    CID: ClassVar[int] = GET_LOG_LAST_PRESENT

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place."""
        return self._head()


@dataclass(frozen=True, slots=True)
class LogIdPresentRequest(_RecordsRequest):
    """GetLogIDPresent (A2h): from a record id on."""

    CID: ClassVar[int] = GET_LOG_ID_PRESENT

    record_id: int

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place."""
        return self._head() + packed(_RECORD_ID, self.record_id)


@dataclass(frozen=True, slots=True)
class LogTimePastRequest(_RecordsRequest):
    """GetLogTimePast (A3h): back from the last record at or before a time, less ``offset`` records."""

    CID: ClassVar[int] = GET_LOG_TIME_PAST

    time: bytes
    offset: int

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place."""
        return self._head() + _checked_time(self.time) + packed(_RECORD_ID, self.offset)


@dataclass(frozen=True, slots=True)
class EventStatusRequest:
    """GetEventStatus (9Bh): asks whether there are records that nobody has read."""

    CID: ClassVar[int] = GET_EVENT_STATUS

    def encode(self) -> bytes:
        """The payload: none."""
        return b""


@dataclass(frozen=True, slots=True)
class EventStatus:
    """The four event status bytes."""

    CID: ClassVar[int] = GET_EVENT_STATUS

    status: bytes

    @property
    def unread_interval_records(self) -> bool:
        """Whether the interval log has records that were not read and then cleared."""
        return bool(self.status[2] & 1)

    @property
    def unread_rtc_records(self) -> bool:
        """Likewise of the log of what happened to the clock."""
        return bool(self.status[2] & 2)

    def encode(self) -> bytes:
        """The payload: the status bytes."""
        return self.status


@dataclass(frozen=True, slots=True)
class LoadProfileConfigRequest:
    """GetLoadProfileConfig (AAh), of electricity meters: asks for the interval of the load profile."""

    CID: ClassVar[int] = GET_LOAD_PROFILE_CONFIG

    def encode(self) -> bytes:
        """The payload: none."""
        return b""


_RECORD_ID: Final = struct.Struct(">H")

RecordsRequest: TypeAlias = (
    LogTimePresentRequest | LogLastPresentRequest | LogIdPresentRequest | LogTimePastRequest
)


def log_time(at: datetime) -> bytes:
    """The time of A0h and A3h, by the meter's clock, without a zone: year from 2000 first.

    Weekday and info are 0, as in all requests that were seen. Raises ValueFormatError for another century.
    """
    if not 2000 <= at.year <= 2255 or at.tzinfo is not None:
        raise ValueFormatError(f"{at} does not fit: a meter's clock has years 2000 to 2255 and no zone")
    return bytes((at.year - 2000, at.month, at.day, at.hour, at.minute, at.second, 0, 0))


def read_log_time(time: bytes) -> datetime:
    """The reverse of ``log_time``. Raises ValueFormatError for what is no date and time."""
    year, month, day, hour, minute, second, *_ = time
    try:
        return datetime(2000 + year, month, day, hour, minute, second)  # noqa: DTZ001 - it has no zone
    except ValueError as error:
        raise ValueFormatError(f"{time.hex().upper()} is no date and time: {error}") from None


def decode_records_request(cid: int, payload: bytes) -> RecordsRequest:
    """What a request of A0h to A3h asks for. Raises ProtocolError (``length``)."""
    expect_at_least(payload, _HEAD.size, "a request for records")
    log, count = _HEAD.unpack_from(payload)
    if not 1 <= count <= MAX_LOG_REGISTERS:
        raise ProtocolError(
            "length", f"a request for records asks for 1 to {MAX_LOG_REGISTERS} registers, not {count}"
        )
    ids_end = _HEAD.size + 2 * count
    rest_size = _LIMITS.size + _REST_SIZES[cid]
    if len(payload) != ids_end + rest_size:
        raise ProtocolError(
            "length",
            f"a request for records with {count} registers carries {ids_end + rest_size} bytes, "
            f"not {len(payload)}",
        )
    registers = decode_ids(payload[:ids_end], _HEAD.size, count)
    records, max_length = _LIMITS.unpack_from(payload, ids_end)
    return _REQUESTS[cid]((log, registers, records, max_length), payload[ids_end + _LIMITS.size :])


def decode_event_status(payload: bytes) -> EventStatus:
    """What a meter answered to 9Bh. Raises ProtocolError (``length``)."""
    if len(payload) != 4:
        raise ProtocolError("length", f"a GetEventStatus answer carries 4 bytes, not {len(payload)}")
    return EventStatus(payload)


def _checked_time(time: bytes) -> bytes:
    if len(time) != _TIME_SIZE:
        raise ValueError(f"a time takes {_TIME_SIZE} bytes, not {len(time)}")
    return time


_Head: TypeAlias = tuple[int, tuple[int, ...], int, int]
_REST_SIZES: Final[Mapping[int, int]] = MappingProxyType(
    {
        GET_LOG_TIME_PRESENT: _TIME_SIZE,
        GET_LOG_LAST_PRESENT: 0,
        GET_LOG_ID_PRESENT: _RECORD_ID.size,
        GET_LOG_TIME_PAST: _TIME_SIZE + _RECORD_ID.size,
    }
)
_REQUESTS: Final[Mapping[int, Callable[[_Head, bytes], RecordsRequest]]] = MappingProxyType(
    {
        GET_LOG_TIME_PRESENT: lambda head, rest: LogTimePresentRequest(*head, rest),
        GET_LOG_LAST_PRESENT: lambda head, rest: LogLastPresentRequest(*head),
        GET_LOG_ID_PRESENT: lambda head, rest: LogIdPresentRequest(*head, *_RECORD_ID.unpack(rest)),
        GET_LOG_TIME_PAST: lambda head, rest: LogTimePastRequest(
            *head, rest[:_TIME_SIZE], *_RECORD_ID.unpack(rest[_TIME_SIZE:])
        ),
    }
)
