"""The info bits in answers with rows of a logger, and what each says.

Sources: bits of B8h, names by jktjkt/PyKMP, meanings by a utility's concentrator for electricity meters, two
of them seen in captures (docs/references.md); bits of A0h to A3h by Kamstrup 5512-447, section 6.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntFlag
from types import MappingProxyType
from typing import Final

from smart_meter_reader.exceptions import ProtocolError


class LoggerInfo(IntFlag):
    """What an answer of B8h says of itself. Bits that no source names are kept."""

    EMPTY = 1 << 0  # no rows, whatever was sent
    NOT_IN_LOGGER = 1 << 1  # no entry of this id or time
    INTERVAL_CHANGED = 1 << 2  # a new series from here on
    REGISTER_NOT_SUPPORTED = 1 << 3
    NOT_ALL_INCLUDED = 1 << 4  # ask on from behind the last row
    FORMAT_CHANGED = 1 << 5  # rows are of one format: older ones need a new request
    OLDEST_INCLUDED = 1 << 6
    NEWEST_INCLUDED = 1 << 7
    MEMORY_ERROR = 1 << 8
    INVALID_REQUEST = 1 << 9  # this logger or sub-command is not there
    INTERNAL_ERROR = 1 << 10
    REGISTERS_TRUNCATED = 1 << 13  # fewer registers in a request


# With one of these, nothing that stands where rows would stand is one.
UNUSABLE: Final = (
    LoggerInfo.EMPTY
    | LoggerInfo.NOT_IN_LOGGER
    | LoggerInfo.MEMORY_ERROR
    | LoggerInfo.INVALID_REQUEST
    | LoggerInfo.INTERNAL_ERROR
)


class RecordInfo(IntFlag):
    """What an answer of A0h to A3h says of itself. With any bit set, only CID and info are sure."""

    EMPTY = 1 << 0
    NOT_IN_LOG = 1 << 2  # no record of this id or time
    LENGTH_REACHED = 1 << 3  # records were left out
    END_REACHED = 1 << 4  # the newest record, or the oldest when reading backwards: there are no more


_LOGGER_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        LoggerInfo.EMPTY: "logger is empty",
        LoggerInfo.NOT_IN_LOGGER: "id or time not in the logger",
        LoggerInfo.INTERVAL_CHANGED: "interval changed",
        LoggerInfo.REGISTER_NOT_SUPPORTED: "register not supported",
        LoggerInfo.NOT_ALL_INCLUDED: "not all entries included",
        LoggerInfo.FORMAT_CHANGED: "format changed",
        LoggerInfo.OLDEST_INCLUDED: "oldest entry included",
        LoggerInfo.NEWEST_INCLUDED: "newest entry included",
        LoggerInfo.MEMORY_ERROR: "memory error",
        LoggerInfo.INVALID_REQUEST: "invalid request",
        LoggerInfo.INTERNAL_ERROR: "internal error",
        LoggerInfo.REGISTERS_TRUNCATED: "registers truncated",
    }
)
_RECORD_WORDS: Final[Mapping[int, str]] = MappingProxyType(
    {
        RecordInfo.EMPTY: "logger is empty",
        RecordInfo.NOT_IN_LOG: "id or time not in the logger",
        RecordInfo.LENGTH_REACHED: "longest answer reached",
        RecordInfo.END_REACHED: "end of the logger reached",
    }
)


def check_named(info: LoggerInfo | RecordInfo) -> None:
    """Raises ProtocolError (``length``) for a bit that no source names.

    Where nothing counts the rows, the info bits of a cut answer are octets of a row: those would be believed.
    """
    words = _RECORD_WORDS if isinstance(info, RecordInfo) else _LOGGER_WORDS
    if info & ~sum(words):
        raise ProtocolError(
            "length",
            f"info bits {int(info):X}h, of which some have no meaning in any source: the answer is cut or "
            "of another kind",
        )


def info_words(info: LoggerInfo | RecordInfo) -> list[str]:
    """What each bit says, the lowest first; "bit 11" for one that no source names."""
    words = _RECORD_WORDS if isinstance(info, RecordInfo) else _LOGGER_WORDS
    bits = (1 << place for place in range(int(info).bit_length()))
    return [words.get(bit, f"bit {bit.bit_length() - 1}") for bit in bits if info & bit]
