"""Where a logger of a KMP meter is, and what it holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from smart_meter_reader.codecs.kmp.commands import LOGGER_TOP
from smart_meter_reader.codecs.kmp.loggers import INTERVAL_LOG, LogRow


@dataclass(frozen=True, slots=True)
class PastLogger:
    """A logger of MULTICAL 303, 403, 603, 803 or KWM2231, by its number (``codecs.kmp.loggers.Logger``)."""

    number: int


@dataclass(frozen=True, slots=True)
class RecordLog:
    """A log of the module at ``address`` of a MULTICAL 601 or 801: 7Fh the top one, BFh the base one."""

    address: int = LOGGER_TOP
    log: int = INTERVAL_LOG


EVENT_CODES: Final = (369, 99)
"""The registers in which a logger of events keeps the info code; the first one tells more exactly."""
EVENT_COUNTERS: Final = (60, 63)
"""What it keeps beside that (the 403's manual: "date, time, info code, E1, E3")."""

AnyLogger: TypeAlias = PastLogger | RecordLog


@dataclass(frozen=True, slots=True)
class LoggerExtent:
    """The ids of the oldest and the newest entry. ``row`` is the entry that was read to find out."""

    oldest: int
    newest: int
    row: LogRow


RECORD_IDS: Final = 1 << 16  # record ids begin anew after so many
