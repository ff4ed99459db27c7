"""Requests for readings: to the client of the meter, counted, and told when they are refused."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Literal

from smart_meter_reader.log import Seldom
from smart_meter_reader.messages import Message, Reply, Status
from smart_meter_reader.pipeline.supervisor import MeterSupervisor
from smart_meter_reader.rooms import INTERNAL_ERROR, Room
from smart_meter_reader.sinks.requests import Requests

_log = logging.getLogger(__name__)

# Whoever presses a button again and again is told a refusal once in so many seconds.
TOLD_SECONDS = 60.0
_FAILED = Reply(False, INTERNAL_ERROR, "a fault of this program")


class ServiceRequests:
    """Requests for readings of all meters of a service."""

    def __init__(
        self, supervisors: Iterable[MeterSupervisor], central: asyncio.Queue[Message | None]
    ) -> None:
        self._meters = {each.meter: MeterRequests(each, central) for each in supervisors}

    def read_all(self) -> None:
        """A person wants a reading of every meter now."""
        for meter in self._meters.values():
            if meter.answers:
                meter.request_reading()
            else:
                meter.read_again()  # which most of these do by themselves; nothing to count or to tell

    def read_again(self, meter: str) -> None:
        """The guard doubts the last reading of a meter, if it is one of these."""
        if meter in self._meters:
            self._meters[meter].read_again()

    def from_sinks(self) -> Requests:
        """What sinks may ask."""
        return Requests({name: each.request_reading for name, each in self._meters.items() if each.answers})


class MeterRequests:
    """Hands requests on to the client of one meter. Nothing waits here: the client keeps one at most.

    A refusal is published as the meter's status with the reason, and when it is over, as it was before.
    """

    def __init__(self, supervisor: MeterSupervisor, central: asyncio.Queue[Message | None]) -> None:
        self._supervisor = supervisor
        self._central = central
        self._loop = asyncio.get_running_loop()
        self._room = Room(f"meter {supervisor.meter}")
        self._taken = Seldom(5)
        self._logged = Seldom()
        self._told = Seldom(seconds=TOLD_SECONDS)
        self._over: asyncio.TimerHandle | None = None

    @property
    def answers(self) -> bool:
        """Whether a request brings a reading sooner than it comes by itself."""
        return self._supervisor.client.answers_requests

    def read_again(self) -> None:
        """The guard doubts the last reading: a new one, of whatever meter it is now."""
        self._room.contain(
            self._supervisor.client.read_now, None, "the reading that was asked for is not taken"
        )

    def request_reading(self) -> Reply:
        """A person wants a reading now."""
        answer = self._answer()
        self._count("read_now_used" if answer.taken else "read_now_refused")
        if answer.taken:
            more = self._taken.more("taken", self._loop.time())
            level = logging.DEBUG if more is None else logging.INFO
            _log.log(
                level, "meter %s is read now, as somebody asks for it%s", self._supervisor.meter, more or ""
            )
        else:
            self._refuse(answer)
        return answer

    def _answer(self) -> Reply:
        status = self._supervisor.status()
        if status is not None and status["state"] == "offline":
            # It is tried again by itself, with pauses that mind its battery.
            return Reply(False, status["reason"], status["detail"])
        return self._room.contain(
            self._supervisor.client.request_reading, _FAILED, "the reading that was asked for is not taken"
        )

    def _refuse(self, answer: Reply) -> None:
        now, meter = self._loop.time(), self._supervisor.meter
        more = self._logged.more(answer.reason, now)
        level = logging.DEBUG if more is None else logging.INFO
        _log.log(level, "meter %s is not read now: %s%s", meter, answer.detail, more or "")
        status = self._supervisor.status()
        lasts = answer.possible_at is not None or (status is not None and status["state"] == "offline")
        # What is over with the reading under way has its answer in that.
        if status is None or not lasts or not self._told.again(answer.reason, now):
            return
        self._publish({**status, "reason": answer.reason, "detail": answer.detail})
        if answer.possible_at is not None:
            self._plan_end(answer.possible_at)

    def _plan_end(self, possible_at: datetime) -> None:
        if self._over is not None:
            self._over.cancel()
        seconds = (possible_at - datetime.now(UTC)).total_seconds()
        self._over = self._loop.call_later(max(0.0, seconds), self._take_back)

    def _take_back(self) -> None:
        if (status := self._supervisor.status()) is not None:
            self._publish(status)

    def _publish(self, status: Status) -> None:
        # As fast as it fills it is emptied. When it is full all the same, the log has said it.
        if not self._central.full():
            self._central.put_nowait(status)

    def _count(self, key: Literal["read_now_used", "read_now_refused"]) -> None:
        health = self._supervisor.client.health
        health[key] = health.get(key, 0) + 1
