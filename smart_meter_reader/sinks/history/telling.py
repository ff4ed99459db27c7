"""What the sink tells in the log, the same thing seldom."""

from __future__ import annotations

import logging
import time
from collections import deque

from smart_meter_reader.history.intake.holding import Released
from smart_meter_reader.history.storage.raw import Block
from smart_meter_reader.log import Seldom
from smart_meter_reader.sinks.history.waiting import drop_first

_log = logging.getLogger(__name__)


class SeldomTold:
    """Warnings of one sink, which say how often they were kept back."""

    def __init__(self, sink: str) -> None:
        self._sink = sink
        self._said = Seldom()
        self._counted = (0, 0, 0)
        self._dropped = self._blocks_dropped = 0

    def warn(self, reason: str, sentence: str) -> None:
        """Tell a sentence, unless the same reason was told a while ago."""
        if (more := self._said.more(reason, time.monotonic())) is not None:
            _log.warning("sink %s: %s%s", self._sink, sentence, more)

    def dropped(self, count: int) -> None:
        """Tell that rows were dropped which the disk did not take."""
        self._dropped += count
        if count:
            self.warn("dropped", f"{self._dropped} rows dropped, the oldest first: the disk takes none")

    def keep_newest(self, blocks: deque[Block], most: int) -> None:
        """Drop the oldest blocks until there are ``most``, and tell it: the disk did not take them."""
        count = drop_first(blocks, most)
        self._blocks_dropped += count
        if count:
            dropped = f"{self._blocks_dropped} blocks of single readings dropped"
            self.warn("blocks dropped", f"{dropped}, the oldest first: the disk takes none")

    def count(self, passed_over: int, unfit: int, left_out: int) -> None:
        """Tell what did not become a row although it came; a repeated reading is none of these."""
        before, self._counted = self._counted, (passed_over, unfit, left_out)
        if before == self._counted:
            return
        self.warn(
            "left out",
            f"since the start {passed_over} values came with an older time or a second value for the same "
            f"time, {unfit} had too many digits for the history, {left_out} for the recent readings",
        )


def tell_believed(sink: str, released: Released) -> None:
    """Tell that the clock is believed, and what becomes of what was held until then."""
    lost = f"; {released.dropped} older ones are lost, more than is held" if released.dropped else ""
    _log.log(
        logging.WARNING if lost else logging.INFO,
        "sink %s: the clock is believed now; %d messages are stored%s",
        sink,
        len(released.messages),
        lost,
    )
