"""What a spool tells in the log, the same seldom."""

from __future__ import annotations

import logging
import time
from datetime import datetime
from pathlib import Path

from smart_meter_reader.history.places import set_aside
from smart_meter_reader.log import Seldom

_log = logging.getLogger(__name__)


class SpoolTold:
    """The warnings of the spool of one sink."""

    def __init__(self, sink: str) -> None:
        self._sink = sink
        self._said = Seldom()
        self._of_disk = Seldom()
        self._unsaid = 0

    def disk(self, reason: str, sentence: str) -> None:
        """Tell a trouble of the disk, unless the same reason was told within the hour."""
        if (more := self._of_disk.more(reason, time.monotonic())) is not None:
            _log.warning("sink %s: %s%s", self._sink, sentence, more)

    def dropped(self, count: int, since_start: int, why: str) -> None:
        """Tell how many entries were dropped."""
        self._unsaid += count
        if count and self._said.again("dropped", time.monotonic()):
            _log.warning(
                "sink %s: %d entries of its spool are lost, the oldest first, %d since the start: %s",
                self._sink,
                self._unsaid,
                since_start,
                why,
            )
            self._unsaid = 0

    def disk_is_well(self, path: Path) -> None:
        """The disk takes what it is given: news when it did not."""
        if self._of_disk.forget():
            _log.info("sink %s: %s is written again", self._sink, path)

    def found(self, count: int) -> None:
        """Tell what an earlier run has left."""
        if count:
            _log.info("sink %s: %d entries of an earlier run are still to be delivered", self._sink, count)

    def move_aside(self, path: Path, sentence: str) -> bool:
        """Move a damaged file away and tell where it is; whether that could be done. Blocking."""
        try:
            aside = set_aside(path, datetime.now())  # noqa: DTZ005 - a file name
        except OSError as error:
            self.disk("not_moved", f"{sentence}, and cannot be moved away: {error.strerror}")
            return False
        _log.error("sink %s: %s; it is %s now, and a new one begins", self._sink, sentence, aside)
        return True
