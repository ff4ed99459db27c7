"""What is said of a meter's state: the status itself, what was last told, and the line in the log."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import STARTING, Health, State, Status
from smart_meter_reader.messages.freshness import Freshness, freshness

# What the supervisor says is said under its name.
_log = logging.getLogger("smart_meter_reader.pipeline.supervisor")

MeterState = Literal["starting"] | State

_STATE = "meter %s is %s: %s%s"
# How often a meter is read that has not said so: it may be one that is read once a day.
FIRST_RHYTHM_SECONDS = 86_400.0
# Told from the beginning: an entity that came with the first trouble would go with the next start.
NO_TROUBLE: Health = {"valid_readings": 0, "damaged_frames": 0, "rejected_values": 0, "reconnects": 0}


@dataclass(slots=True)
class Told:
    """What was last said of a meter, so that the same trouble is not said twice in full; when it was read."""

    read_at: float
    state: MeterState = "starting"
    reason: str = ""
    detail: str = ""
    by_client: bool = False  # whether the client itself told it
    rhythm: float = FIRST_RHYTHM_SECONDS  # seconds between its readings
    interval: int = 0  # the same, 0 while it has not said so
    was_read: bool = False  # else ``read_at`` is when it began

    def note(self, state: MeterState, reason: str, detail: str, *, by_client: bool = False) -> None:
        """Keep what is being said."""
        self.state, self.reason, self.detail, self.by_client = state, reason, detail, by_client

    def expect(self, interval: int) -> None:
        """It is read every so many seconds."""
        self.interval, self.rhythm = interval, float(interval)

    def read(self, now: float) -> None:
        """A reading has come."""
        self.read_at, self.was_read = now, True

    def freshness(self, now: float) -> Freshness:
        """Whether its readings still come."""
        age = max(0, round(now - self.read_at)) if self.was_read else None
        state, reason = ("offline", STARTING) if self.state == "starting" else (self.state, self.reason)
        return freshness(state, reason, age, self.interval)


def status_of(meter: str, state: State, reason: str, detail: str, health: Health | None) -> Status:
    """The status of a meter as of now; ``health`` for one with counters of its own."""
    status: Status = {
        "type": "status",
        "meter": meter,
        "time": datetime.now(UTC),
        "state": state,
        "reason": reason,
        "detail": detail,
    }
    if health is not None:
        status["health"] = {**NO_TROUBLE, **health}
    return status


class StateLog:
    """Logs the states of one meter; of trouble that comes and goes only the first ``most`` in an hour."""

    def __init__(self, most: int) -> None:
        self._seldom = Seldom(most)
        self._said_trouble = True  # since it was last said that the meter is online

    def log(
        self, meter: str, state: str, reason: str, detail: str, now: float, *, quiet: bool = False
    ) -> None:
        """Of ``quiet`` trouble the log has the cause already."""
        if state == "online":
            _log.log(logging.INFO if self._said_trouble else logging.DEBUG, _STATE, meter, state, detail, "")
            self._said_trouble = False
            return
        more = None if quiet else self._seldom.more(reason, now)
        _log.log(logging.DEBUG if more is None else logging.WARNING, _STATE, meter, state, detail, more or "")
        self._said_trouble |= more is not None
