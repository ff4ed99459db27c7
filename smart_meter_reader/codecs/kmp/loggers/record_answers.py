"""What MULTICAL 601 with a logger module, 801 and electricity meters answer to A0h to A3h.

Source: Kamstrup 5512-447, section 6.3.1.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from smart_meter_reader.codecs.kmp.loggers.info import RecordInfo, check_named
from smart_meter_reader.codecs.kmp.loggers.layout import expect_at_least, packed
from smart_meter_reader.codecs.kmp.loggers.rows import (
    LogRow,
    decode_formats,
    decode_values,
    encode_rows,
    values_size,
)
from smart_meter_reader.codecs.kmp.record import RegisterValue
from smart_meter_reader.exceptions import ProtocolError

_HEAD: Final = struct.Struct(">BB")  # log, number of registers
_RECORD_ID: Final = struct.Struct(">H")
_TAIL: Final = struct.Struct(">HHB")  # last-read record id, newest record id, info
_IDS: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class LogRecords:
    """Records of one format and consecutive ids, rising or (A3h) falling; ids begin anew after 65535.

    Where ``info`` has any bit set, only that is sure: there are no rows, ``log`` and the ids are 0, and
    ``unread`` is what came before the info byte.
    """

    cid: int
    info: RecordInfo
    log: int = 0
    rows: tuple[LogRow, ...] = ()
    newest_record_id: int = 0
    width: int = 0  # number of registers in each row
    last_read_record_id: int = 0
    unread: bytes = b""

    @property
    def CID(self) -> int:  # noqa: N802 - named as in the other messages
        """The command id."""
        return self.cid

    def encode(self) -> bytes:
        """The payload. Raises ValueError when a number does not fit its place, or rows differ in format."""
        if self.info:
            return self.unread + bytes((self.info,))
        rows = encode_rows(self.rows, lambda row: packed(_RECORD_ID, row.log_id))
        tail = packed(_TAIL, self.last_read_record_id, self.newest_record_id, int(self.info))
        return packed(_HEAD, self.log, self.width) + rows + tail


def log_records(cid: int, log: int, newest_record_id: int, rows: tuple[LogRow, ...]) -> LogRecords:
    """The answer that a meter gives with these records, of which there is one at least."""
    return LogRecords(
        cid,
        RecordInfo(0),
        log,
        rows,
        newest_record_id,
        width=len(rows[0].registers),
        last_read_record_id=rows[-1].log_id,
    )


def decode_records(cid: int, payload: bytes) -> LogRecords:
    """What a meter answered to A0h to A3h.

    Raises ProtocolError, and gives no row, for an answer with a cut record, bytes left over, info bits that
    no source names, or ids that are not consecutive.
    """
    expect_at_least(payload, 1, "an answer with records")
    info = RecordInfo(payload[-1])
    check_named(info)
    if info:
        return LogRecords(cid, info, unread=payload[:-1])
    expect_at_least(payload, _HEAD.size + _TAIL.size, "an answer with records and without info")
    log, width = _HEAD.unpack_from(payload)
    last_read, newest, _ = _TAIL.unpack_from(payload, len(payload) - _TAIL.size)
    rows = _rows(payload[: -_TAIL.size], width)
    if rows and rows[-1].log_id != last_read:
        raise ProtocolError(
            "ids", f"the last record has id {rows[-1].log_id}, and the answer says that it is {last_read}"
        )
    return LogRecords(cid, info, log, rows, newest, width, last_read)


def _rows(payload: bytes, width: int) -> tuple[LogRow, ...]:
    position = _HEAD.size
    if position == len(payload):
        return ()
    if position + _RECORD_ID.size > len(payload) or not width:
        raise ProtocolError("length", f"no record of {width} registers takes {len(payload) - position} bytes")
    (first,) = _RECORD_ID.unpack_from(payload, position)
    formats, position = decode_formats(payload, position + _RECORD_ID.size, width)
    step = _RECORD_ID.size + values_size(formats)
    if (len(payload) - position) % step:
        raise ProtocolError(
            "length",
            f"{len(payload) - position} bytes after the first record are no records of {step} bytes each: "
            "none of them is believed",
        )
    further = tuple(_row(payload, start, formats) for start in range(position, len(payload), step))
    rows = (LogRow(first, formats), *further)
    _check_ids(rows)
    return rows


def _row(payload: bytes, position: int, formats: tuple[RegisterValue, ...]) -> LogRow:
    (record_id,) = _RECORD_ID.unpack_from(payload, position)
    return LogRow(record_id, tuple(decode_values(payload, position + _RECORD_ID.size, formats)))


def _check_ids(rows: tuple[LogRow, ...]) -> None:
    """5512-447, 6.3: consecutive, upwards or downwards. Its example of A3h is headed A0h: both are taken."""
    steps = {(after.log_id - before.log_id) % _IDS for before, after in pairwise(rows)}
    if len(steps) > 1 or not steps <= {1, _IDS - 1}:
        raise ProtocolError("ids", "the records of the answer have ids that are not consecutive")
