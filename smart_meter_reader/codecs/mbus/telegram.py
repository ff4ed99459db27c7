"""What an M-Bus answer holds: records behind a header, two fixed counters, or the meter's error.

Sources: EN 13757-3, 5 (CI field), 6 (variable data), annex (fixed data), 8 (application errors); The M-Bus: A
Documentation, 6.2 to 6.6.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from smart_meter_reader.codecs.mbus.fixed import FIXED_LENGTH, parse_fixed
from smart_meter_reader.codecs.mbus.frame import LongFrame
from smart_meter_reader.codecs.mbus.header import (
    LONG_LENGTH,
    SHORT_LENGTH,
    Header,
    parse_long,
    parse_short,
)
from smart_meter_reader.codecs.mbus.records import Record, Records, parse_records
from smart_meter_reader.exceptions import MalformedError, ProtocolError

# EN 13757-3, table 1.
VARIABLE: Final = 0x72
FIXED: Final = 0x73
SHORT_HEADER: Final = 0x7A
APPLICATION_ERROR: Final = 0x70
_HIGH_FIRST: Final = frozenset({0x76, 0x77})  # "mode 2": the most significant octet first
_ALARM: Final = 0x71
_LAST_DLMS: Final = 0x1F  # CI 00 to 1F carry pieces of DLMS

BUSY: Final = 8
_ERRORS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "an unspecified error",
        1: "the CI field is not implemented",
        2: "the buffer is too long",
        3: "too many records",
        4: "premature end of a record",
        5: "more than ten DIFE",
        6: "more than ten VIFE",
        8: "the application is too busy to answer",
        9: "too many readouts",
    }
)


class ApplicationError(ProtocolError):
    """The meter says that it cannot answer. ``code`` as EN 13757-3 has it; ``busy``: asking later helps."""

    def __init__(self, code: int | None) -> None:
        words = "without a reason" if code is None else _ERRORS.get(code, f"error {code}")
        super().__init__("meter_busy" if code == BUSY else "meter_refuses", f"the meter answers: {words}")
        self.code = code
        self.busy = code == BUSY


@dataclass(frozen=True, slots=True)
class MbusTelegram:
    """One answer, or several of one readout put together. ``makers`` is what only the maker knows."""

    header: Header
    records: tuple[Record, ...] = ()
    makers: bytes = b""
    more: bool = False  # the next telegram goes on
    fixed: bool = False
    octets: bytes = field(default=b"", compare=False)  # of the records as sent: what tells a repetition


def parse_telegram(frame: LongFrame) -> MbusTelegram:
    """What the frame of a meter holds.

    Raises ApplicationError; MalformedError with reason ``records``, ``header`` or ``encrypted``;
    ProtocolError ``byte_order``, ``alarm``, ``dlms`` or ``control_information`` for a CI field not read here.
    """
    payload = frame.payload
    match frame.ci:
        case 0x72:
            return _variable(parse_long(_header(payload, LONG_LENGTH)), payload[LONG_LENGTH:])
        case 0x7A:
            return _variable(parse_short(_header(payload, SHORT_LENGTH)), payload[SHORT_LENGTH:])
        case 0x78:
            return _variable(Header(), payload)
        case 0x73:
            header, records = parse_fixed(_header(payload, FIXED_LENGTH))
            return MbusTelegram(header, records, fixed=True, octets=payload)
        case 0x70:
            raise ApplicationError(payload[0] if payload else None)
    raise _unread(frame.ci)


def _header(payload: bytes, length: int) -> bytes:
    if len(payload) < length:
        raise MalformedError("header", f"the header has {length} octets, {len(payload)} were sent")
    return payload[:length]


def _variable(header: Header, octets: bytes) -> MbusTelegram:
    if header.is_encrypted and not octets.startswith(b"\x2f\x2f"):
        raise MalformedError(
            "encrypted",
            "the records are encrypted (AES, as radio meters do it), which is not read on a wire: the meter "
            "can be set to send them plain",
        )
    parsed: Records = parse_records(octets)
    return MbusTelegram(header, parsed.records, parsed.makers, parsed.more, octets=octets)


def _unread(ci: int) -> ProtocolError:
    if ci in _HIGH_FIRST:
        return ProtocolError(
            "byte_order",
            f"CI {ci:02X}h sends every number with its highest octet first (mode 2), as very old meters do: "
            "it is not read, since any value would be wrong",
        )
    if ci == _ALARM:
        return ProtocolError("alarm", "the meter answers with its alarm state (CI 71h) and no values")
    if ci <= _LAST_DLMS:
        return ProtocolError("dlms", f"CI {ci:02X}h carries DLMS in M-Bus frames: `decode dlms` reads that")
    return ProtocolError("control_information", f"CI {ci:02X}h is no answer with values that is read here")


def joined_telegrams(telegrams: Sequence[MbusTelegram]) -> MbusTelegram:
    """The telegrams of one readout as one, the header that of the first."""
    first = telegrams[0]
    return replace(
        first,
        records=tuple(record for telegram in telegrams for record in telegram.records),
        makers=b"".join(telegram.makers for telegram in telegrams),
        more=telegrams[-1].more,
        octets=b"".join(telegram.octets for telegram in telegrams),
    )
