"""What can be wrong with a history, classed by what to do next; each names the file and says what that is."""

from __future__ import annotations

from smart_meter_reader.exceptions import ExplainedError


class HistoryError(ExplainedError):
    """The history cannot be used, or not now."""


class NoHistoryError(HistoryError):
    """There is no history yet: the sink has not run, or the environment has none."""


class NewerHistoryError(HistoryError):
    """A newer version of the program wrote it: a person has to install that one."""


class DamagedHistoryError(HistoryError):
    """What is there is no history any more: it is set aside, or a backup is restored."""


class DamagedRecentError(DamagedHistoryError):
    """The same of the ring of recent readings, which can be done without."""


class HistoryBusyError(HistoryError):
    """Somebody else writes, the disk is full, or it may not be written: the same will do later."""


class RecentBusyError(HistoryBusyError):
    """The same of the ring of recent readings; the history itself is written."""


class MovedHistoryError(HistoryError):
    """The file that was open is not in its place any more: it was deleted, or another one was put there."""
