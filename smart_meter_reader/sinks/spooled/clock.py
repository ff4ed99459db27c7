"""Holds readings back while this computer's clock is not believed, and dates them when it is."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime

from smart_meter_reader.history.intake.clock import Trust, clock_sentence, doubt, is_synchronised
from smart_meter_reader.history.intake.holding import Held
from smart_meter_reader.messages import Current
from smart_meter_reader.sinks.history.telling import tell_believed

_log = logging.getLogger(__name__)


class BelievedClock:
    """Once believed it is so until the end: a row with a wrong time would stay in the database for ever."""

    def __init__(
        self, sink: str, trust: Trust, synchronised: Callable[[], bool | None] = is_synchronised
    ) -> None:
        self._sink = sink
        self._trust: Trust = trust
        self._synchronised = synchronised
        self._held = Held()
        self._told = False
        self.believed = False

    def __len__(self) -> int:
        """How many messages are lost if it ends now: those that wait, and those that were too many to."""
        return self._held.lost

    def passed(self, message: Current) -> list[Current]:
        """What is to be stored now that this has come: nothing, this, or all that was held, with its time."""
        self.is_believed(message["time"])
        if self.believed and not self._held:
            return [message]
        self._held.hold(message, time.monotonic())
        if not self.believed:
            return []
        found = self._held.release(datetime.now(UTC), time.monotonic())
        if self._told:
            tell_believed(self._sink, found)
        return found.messages

    def is_believed(self, now: datetime) -> bool:
        """Whether what came at this time may be stored."""
        if self.believed:
            return True
        doubted = doubt(now, None, self._synchronised(), self._trust)
        self.believed = doubted is None
        if doubted is not None and not self._told:
            self._told = True
            sentence = clock_sentence(doubted, now, None)
            _log.warning("sink %s: nothing is stored for now: %s", self._sink, sentence)
        return self.believed
