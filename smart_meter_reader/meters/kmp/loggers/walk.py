"""Walking through a logger of a KMP meter, newest entry first: the same for both generations.

Usable without settings or pipeline::

    async with KmpConnection("/dev/ttyUSB0") as meter:
        extent = await read_extent(meter, PastLogger(Logger.DAY))
        if extent is not None:
            for row in await read_window(meter, PastLogger(Logger.DAY), extent.newest, 30, (348, 60, 68)):
                print(row.log_id, row.time, row.by_id()[60].value)

An answer is believed only when sub-command, logger and first id are those asked for, its length is exact and
its info speaks against nothing; whatever else comes is asked for again, as with registers.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

from smart_meter_reader.codecs.kmp.loggers import LogRow
from smart_meter_reader.meters.kmp.connection import KmpConnection
from smart_meter_reader.meters.kmp.loggers import past, records
from smart_meter_reader.meters.kmp.loggers.places import AnyLogger, LoggerExtent, PastLogger


async def read_extent(connection: KmpConnection, logger: AnyLogger) -> LoggerExtent | None:
    """The ids that a logger holds, by one short answer; None when it is empty.

    Raises NoSuchLoggerError or another LoggerRefusedError when the meter says that there is nothing to be
    had, TransportError, and MeterSilentError or UnusableAnswersError when the repeats did not help: a meter
    that does not know the command is silent.
    """
    if isinstance(logger, PastLogger):
        return await past.read_extent(connection, logger)
    return await records.read_extent(connection, logger)


async def read_window(
    connection: KmpConnection, logger: AnyLogger, first_id: int, count: int, registers: Sequence[int]
) -> tuple[LogRow, ...]:
    """``count`` entries back from ``first_id``: all of them, newest first, or an error and none.

    Registers that the logger lacks are not in the rows. Where the meter changed unit or decimals, rows differ
    in these. Raises NotInLoggerError when the logger does not hold them all, and what ``read_extent`` raises.
    """
    return tuple(
        [row async for page in read_pages(connection, logger, first_id, count, registers) for row in page]
    )


async def read_pages(
    connection: KmpConnection, logger: AnyLogger, first_id: int, count: int, registers: Sequence[int]
) -> AsyncIterator[tuple[LogRow, ...]]:
    """Those entries answer by answer, for who shows progress. The length of an answer is the meter's page.

    Raises as ``read_window``, in the middle too: what came before is good.
    """
    next_id, end, most = first_id, first_id - count, count
    while next_id > end:
        if isinstance(logger, PastLogger):
            page = await past.read_page(connection, logger, next_id, next_id - end, registers)
        else:
            # What did not fit once is not asked for again.
            page = await records.read_page(connection, logger, next_id, min(next_id - end, most), registers)
            most = len(page)
        next_id -= len(page)
        yield page
