"""What is asked of the loggers of MULTICAL 303, 403, 603 and 803 and of KWM2231: B8h with 05h, 06h and 07h.

Sources: captures in jktjkt/PyKMP, and what was worked out from its traffic (docs/references.md).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from types import MappingProxyType
from typing import ClassVar, Final, TypeAlias

from smart_meter_reader.codecs.kmp.commands import (
    GET_LOG,
    LOG_CONFIGURATION,
    LOG_ID_PAST_ABS,
    LOG_LAST_ENTRY_PAST_ABS,
)
from smart_meter_reader.codecs.kmp.loggers.layout import (
    count_of,
    decode_ids,
    encode_ids,
    expect_at_least,
    packed,
)
from smart_meter_reader.exceptions import ProtocolError

_BY_ID: Final = struct.Struct(">BBIHB")  # sub-command, logger, log id, entries, number of registers
_BY_OFFSET: Final = struct.Struct(">BBHHB")  # sub-command, logger, offset, entries, number of registers

FROM_THE_OLDEST: Final = 0xFFFF  # the offset with which 07h answers the oldest entry


class Logger(IntEnum):
    """The loggers by number. An answer may name another one."""

    CONFIG = 0
    INFO = 1
    YEAR = 2
    MONTH = 3
    DAY = 4
    HOUR = 5
    MINUTES_1 = 6
    MINUTES_2 = 7
    SOFTWARE_DOWNLOAD_SUCCESS = 8
    SOFTWARE_DOWNLOAD_AUDIT = 9


@dataclass(frozen=True, slots=True)
class LoggerConfigurationRequest:
    """GetConfiguration (B8h 05h): asks for the depth of a logger and its registers."""

    CID: ClassVar[int] = GET_LOG
    SUB: ClassVar[int] = LOG_CONFIGURATION

    logger: int

    def encode(self) -> bytes:
        """The payload: sub-command and logger."""
        return bytes((self.SUB, self.logger))


@dataclass(frozen=True, slots=True)
class LogIdPastAbsRequest:
    """GetLogIDPastAbs (B8h 06h): asks for ``entries`` rows from ``log_id`` back, newest first."""

    CID: ClassVar[int] = GET_LOG
    SUB: ClassVar[int] = LOG_ID_PAST_ABS

    logger: int
    log_id: int
    entries: int
    registers: tuple[int, ...]

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place."""
        count = count_of(self.registers)
        return packed(_BY_ID, self.SUB, self.logger, self.log_id, self.entries, count) + encode_ids(
            self.registers
        )


@dataclass(frozen=True, slots=True)
class LogLastEntryPastAbsRequest:
    """GetLogLastEntryPastAbs (B8h 07h): asks for ``entries`` rows back from ``offset`` before the newest.

    With ``FROM_THE_OLDEST`` and one entry, a meter answers its oldest entry, and the newest one's id.
    """

    CID: ClassVar[int] = GET_LOG
    SUB: ClassVar[int] = LOG_LAST_ENTRY_PAST_ABS

    logger: int
    offset: int
    entries: int
    registers: tuple[int, ...]

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place."""
        count = count_of(self.registers)
        head = packed(_BY_OFFSET, self.SUB, self.logger, self.offset, self.entries, count)
        return head + encode_ids(self.registers)


PastRequest: TypeAlias = LoggerConfigurationRequest | LogIdPastAbsRequest | LogLastEntryPastAbsRequest


def decode_past_request(payload: bytes) -> PastRequest | None:
    """What a request of B8h asks for; None for another sub-command. Raises ProtocolError (``length``)."""
    decode = _REQUESTS.get(payload[0]) if payload else None
    return decode(payload) if decode else None


def _decode_configuration_request(payload: bytes) -> LoggerConfigurationRequest:
    if len(payload) != 2:
        raise ProtocolError("length", f"a GetConfiguration request carries 2 bytes, not {len(payload)}")
    return LoggerConfigurationRequest(payload[1])


def _decode_by_id(payload: bytes) -> LogIdPastAbsRequest:
    expect_at_least(payload, _BY_ID.size, "a GetLogIDPastAbs request")
    _, logger, log_id, entries, count = _BY_ID.unpack_from(payload)
    return LogIdPastAbsRequest(logger, log_id, entries, decode_ids(payload, _BY_ID.size, count))


def _decode_by_offset(payload: bytes) -> LogLastEntryPastAbsRequest:
    expect_at_least(payload, _BY_OFFSET.size, "a GetLogLastEntryPastAbs request")
    _, logger, offset, entries, count = _BY_OFFSET.unpack_from(payload)
    return LogLastEntryPastAbsRequest(logger, offset, entries, decode_ids(payload, _BY_OFFSET.size, count))


_REQUESTS: Final[Mapping[int, Callable[[bytes], PastRequest]]] = MappingProxyType(
    {
        LOG_CONFIGURATION: _decode_configuration_request,
        LOG_ID_PAST_ABS: _decode_by_id,
        LOG_LAST_ENTRY_PAST_ABS: _decode_by_offset,
    }
)
