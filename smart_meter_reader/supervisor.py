"""The supervisor: runs clients and sinks, restarts them with backoff by error class, tells their state."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from smart_meter_reader.backoff import Backoff
from smart_meter_reader.clients.base import Client
from smart_meter_reader.exceptions import (
    DecryptionError,
    ExplainedError,
    ProtocolError,
    SinkError,
    TransportError,
)
from smart_meter_reader.log import Repeats
from smart_meter_reader.messages import STARTING, Health, Message, Publish, Reading, Status
from smart_meter_reader.service.notify import Pulse
from smart_meter_reader.sinks.base import Sink

_log = logging.getLogger(__name__)

MeterState = Literal["starting", "online", "offline", "alert"]

_STATE = "meter %s is %s: %s%s"
# A port that comes and goes every second would fill the log; whoever tries a plug shall see what he does.
TOLD_IN_AN_HOUR = 5
# Fresh counters follow a reading, but a meter that sends every second would only fill the log with them.
HEALTH_SECONDS = 60.0
# How often a meter is read that has not said so: it may be one that is read once a day.
FIRST_RHYTHM_SECONDS = 86_400.0
# A sub-meter is missed after three of its intervals, and after so long at least.
MISSED_SECONDS = 300.0
# Told from the beginning: an entity that came with the first trouble would go with the next start.
NO_TROUBLE: Health = {"valid_readings": 0, "damaged_frames": 0, "rejected_values": 0, "reconnects": 0}

# A cable that comes back is noticed within half a minute. A meter that answers rubbish, or not at all, sits
# on a battery: asking it again and again helps nobody.
BACKOFF: dict[type[ExplainedError], Backoff] = {
    TransportError: Backoff(1.0, 30.0),
    ProtocolError: Backoff(5.0, 300.0),
    DecryptionError: Backoff(5.0, 300.0),
    SinkError: Backoff(1.0, 60.0),
}
# Reasons that mean "the port is fine, the meter is not": patience as for a protocol error.
METER_SILENT = frozenset({"no_echo_no_answer", "echo_only", "no_answer", "wrong_meter"})


def backoff_for(error: ExplainedError) -> Backoff:
    """The backoff of an error's class; a silent meter counts as a protocol error."""
    if error.reason in METER_SILENT:
        return BACKOFF[ProtocolError]
    for error_class, backoff in BACKOFF.items():
        if isinstance(error, error_class):
            return backoff
    return BACKOFF[ProtocolError]


@dataclass(slots=True)
class _Told:
    """What was last said of a meter, so that the same trouble is not said twice in full; when it was read."""

    read_at: float
    state: MeterState = "starting"
    reason: str = ""
    detail: str = ""
    rhythm: float = FIRST_RHYTHM_SECONDS  # seconds between its readings


class MeterSupervisor:
    """Runs one client for ever and keeps the state of its meter.

    Every message of the client passes through here: a reading of a meter that is not online is preceded
    by the status ``online``. The sub-meters of a P1 meter have states of their own, which end with their
    parent's, and when it no longer sends them.
    """

    def __init__(self, client: Client, publish: Publish) -> None:
        self.client = client
        self._publish_on = publish
        self._clock = asyncio.get_running_loop().time
        self._last_attempt_at = self._clock()
        self._told: dict[str, _Told] = {client.meter: _Told(self._clock())}
        self._state_logs: dict[str, _StateLog] = {}
        self._failures = 0
        self._health_published = float("-inf")
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing

    @property
    def meter(self) -> str:
        return self.client.meter

    @property
    def state(self) -> MeterState:
        return self._told[self.client.meter].state

    @property
    def reason(self) -> str:
        return self._told[self.client.meter].reason

    def pulse(self) -> Pulse:
        """How the meter is doing, for the watchdog."""
        now, told = self._clock(), self._told[self.meter]
        return Pulse(
            meter=self.meter,
            state=told.state,
            reason=told.reason,
            rhythm=told.rhythm,
            since_reading=now - told.read_at,
            since_attempt=now - self._last_attempt_at,
            longest_attempt=getattr(self.client, "longest_attempt", 0.0),
        )

    async def run(self) -> None:
        """Run the client until cancelled; errors that a restart can mend are waited out."""
        # What a broker still holds of a service that was killed may say that the meter is online.
        await self._publish_on(self._status(self.meter, "offline", STARTING, "waiting for the first reading"))
        while True:
            self._last_attempt_at = self._clock()
            try:
                await self.client.run(self.publish)
                return  # a client ends by itself only when its source does (a replayed recording)
            except ExplainedError as error:
                self._last_attempt_at = self._clock()
                await self._tell_failure(error)
                self._failures += 1
                wait = backoff_for(error).wait(self._failures, self._jitter)
            self.client.health["reconnects"] = self.client.health.get("reconnects", 0) + 1
            await asyncio.sleep(wait)

    async def run_once(self) -> bool:
        """Take one reading; False when there was none (the reason has been told)."""
        try:
            await self.client.run(self.publish, once=True)
        except ExplainedError as error:
            await self._tell_failure(error)
            return False
        return True

    async def publish(self, message: Message) -> None:
        """Pass on one of the client's messages, with the statuses that it implies."""
        await self._publish(message)
        # A client that finds hundreds of telegrams in its input never waits: let the others have their turn.
        await asyncio.sleep(0)

    async def _publish(self, message: Message) -> None:
        match message["type"]:
            case "reading":
                await self._publish_reading(message)
            case "status":
                told = self._told_of(message["meter"])
                if (told.state, told.reason) != (message["state"], message["reason"]):
                    self._log_state(message["meter"], message["state"], message["reason"], message["detail"])
                told.state, told.reason, told.detail = message["state"], message["reason"], message["detail"]
                await self._publish_on(message)
            case "info":
                if "interval" in message:
                    self._told_of(message["meter"]).rhythm = float(message["interval"])
                await self._publish_on(message)

    async def _publish_reading(self, reading: Reading) -> None:
        meter = reading["meter"]
        told = self._told_of(meter)
        self._failures = 0
        if meter == self.meter:
            await self._miss_sub_meters()
        if told.state != "online":
            await self._tell(meter, "online", "", "readings arrive")
            self._health_published = self._clock()
        await self._publish_on(reading)
        told.read_at = self._clock()
        if meter == self.meter and told.read_at - self._health_published >= HEALTH_SECONDS:
            self._health_published = told.read_at
            await self.publish_health()

    async def _miss_sub_meters(self) -> None:
        """Before a reading of the parent: which sub-meters are long not among what it sends.

        Their age is counted up to the reading before, behind which theirs had its chance; so a gap in
        everything makes none of them old.
        """
        parent = self._told[self.meter]
        for meter, told in self._told.items():
            limit = max(MISSED_SECONDS, 3 * told.rhythm)
            if told is not parent and parent.read_at - told.read_at > limit:
                detail = (
                    f"the meter {self.meter}, behind which it is, no longer sends a reading of it: was it "
                    "taken off, or is its cable or radio link down?"
                )
                await self._tell(meter, "offline", "not_sent", detail)

    def _told_of(self, meter: str) -> _Told:
        return self._told.setdefault(meter, _Told(self._clock()))

    async def publish_health(self) -> None:
        """Publish the state again with fresh health counters."""
        told = self._told[self.meter]
        if told.state != "starting":
            await self._publish_on(self._status(self.meter, told.state, told.reason, told.detail))

    async def _tell_failure(self, error: ExplainedError) -> None:
        for meter in list(self._told):
            await self._tell(meter, "offline", error.reason, error.detail)

    async def _tell(
        self, meter: str, state: Literal["online", "offline", "alert"], reason: str, detail: str
    ) -> None:
        told = self._told[meter]
        if (told.state, told.reason) == (state, reason):
            _log.debug("%s: still %s (%s)", meter, state, reason)
            return
        told.state, told.reason, told.detail = state, reason, detail
        self._log_state(meter, state, reason, detail)
        await self._publish_on(self._status(meter, state, reason, detail))

    def _log_state(self, meter: str, state: str, reason: str, detail: str) -> None:
        self._state_logs.setdefault(meter, _StateLog()).log(meter, state, reason, detail, self._clock())

    def _status(
        self, meter: str, state: Literal["online", "offline", "alert"], reason: str, detail: str
    ) -> Status:
        status: Status = {
            "type": "status",
            "meter": meter,
            "time": datetime.now(UTC),
            "state": state,
            "reason": reason,
            "detail": detail,
        }
        if meter == self.client.meter:
            status["health"] = {**NO_TROUBLE, **self.client.health}
        return status


class _StateLog:
    """Logs the states of one meter; of trouble that comes and goes only the first five in an hour."""

    def __init__(self) -> None:
        self._repeats = Repeats(TOLD_IN_AN_HOUR)
        self._said_trouble = True  # since it was last said that the meter is online

    def log(self, meter: str, state: str, reason: str, detail: str, now: float) -> None:
        if state == "online":
            _log.log(logging.INFO if self._said_trouble else logging.DEBUG, _STATE, meter, state, detail, "")
            self._said_trouble = False
            return
        more = self._repeats.more(reason, now)
        _log.log(logging.DEBUG if more is None else logging.WARNING, _STATE, meter, state, detail, more or "")
        self._said_trouble |= more is not None


class SinkSupervisor:
    """Runs one sink until its queue ends; a SinkError restarts that sink only."""

    def __init__(self, sink: Sink, messages: AsyncIterator[Message]) -> None:
        self.sink = sink
        self._messages = messages
        self._jitter = random.Random()  # noqa: S311 - spreads retries, protects nothing
        self.restarts = 0

    async def run(self) -> None:
        failures, last_reason = 0, ""
        loop = asyncio.get_running_loop()
        while True:
            started = loop.time()
            try:
                await self.sink.run(self._messages)
                return
            except SinkError as error:
                self.restarts += 1
                # A sink that ran for a while before it failed starts a new row of failures.
                failures = 1 if loop.time() - started > BACKOFF[SinkError].longest else failures + 1
                level = logging.DEBUG if error.reason == last_reason else logging.WARNING
                last_reason = error.reason
                _log.log(level, "sink %s: %s", self.sink.name, error.detail)
                wait = BACKOFF[SinkError].wait(failures, self._jitter)
            await asyncio.sleep(wait)
