"""How the logger module of an emulated MULTICAL 601 answers: A0h to A3h and 9Bh.

Source: Kamstrup 5512-447, section 6.3.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from datetime import datetime

from smart_meter_reader.codecs.kmp.loggers import (
    EventStatus,
    LogIdPresentRequest,
    LogLastPresentRequest,
    LogRecords,
    LogRow,
    LogTimePastRequest,
    RecordInfo,
    RecordsRequest,
    log_records,
    read_log_time,
)
from smart_meter_reader.exceptions import ValueFormatError
from smart_meter_reader.meters.kmp.emulated_loggers.contents import Contents

_IDS = 1 << 16
INTERVAL_LOG = 1
UNREAD = EventStatus(b"\x00\x00\x01\x00")  # nobody ever clears it


def answer_records(
    contents: Contents, request: RecordsRequest, seconds: float, limit: int, *, empty: bool = False
) -> LogRecords | None:
    """The answer at so many emulated seconds; None: the module is silent."""
    if request.log != INTERVAL_LOG:
        return None
    oldest, newest = contents.range(seconds)
    if empty or newest < oldest:
        return LogRecords(request.CID, RecordInfo.EMPTY)
    step = -1 if isinstance(request, LogTimePastRequest) else 1
    first = _first(contents, request, oldest, newest, seconds)
    if not oldest <= first <= newest:
        return LogRecords(request.CID, RecordInfo.NOT_IN_LOG)
    longest = min(limit, request.max_length)
    rows: list[LogRow] = []
    info = RecordInfo(0)
    for place in range(request.records):
        log_id = first + step * place
        if not oldest <= log_id <= newest:
            info |= RecordInfo.END_REACHED
            break
        row = contents.row(log_id, seconds, request.registers)._replace(log_id=log_id % _IDS)
        if len(log_records(request.CID, 1, 0, (*rows, row)).encode()) + 1 > longest:
            info |= RecordInfo.LENGTH_REACHED
            break
        rows.append(row)
    if not rows:
        return LogRecords(request.CID, info)
    answer = log_records(request.CID, request.log, newest % _IDS, tuple(rows))
    # The records go with it, though a reader cannot rely on that.
    return LogRecords(request.CID, info, unread=answer.encode()[:-1]) if info else answer


def _first(contents: Contents, request: RecordsRequest, oldest: int, newest: int, seconds: float) -> int:
    if isinstance(request, LogLastPresentRequest):
        return oldest
    if isinstance(request, LogIdPresentRequest):
        # The id that ends in these 16 bits and is in the log, or next to it.
        return oldest + (request.record_id - oldest) % _IDS
    try:
        at = read_log_time(request.time)
    except ValueFormatError:
        return newest + 1
    ids = range(oldest, newest + 1)

    def made(log_id: int) -> datetime:
        return _time(contents, log_id, seconds)

    if isinstance(request, LogTimePastRequest):
        return oldest - 1 + bisect_right(ids, at, key=made) - request.offset
    return oldest + bisect_left(ids, at, key=made)


def _time(contents: Contents, log_id: int, seconds: float) -> datetime:
    found = contents.row(log_id, seconds, (1003, 1002)).time
    assert found is not None, "a module keeps date and clock"
    return found.standard
